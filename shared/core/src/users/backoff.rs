//! Login back-off: after some failures, by user name or by address, each further one
//! makes the next wait longer.

use chrono::{DateTime, Utc};
use tokio_postgres::{Transaction, types::Type};

use crate::Result;

/// Failures before waiting begins, and the longest wait in seconds: by user name
/// (short, or anybody could lock a user out) and by address.
const USER: (i32, f64) = (5, 60.0);
const ADDRESS: (i32, f64) = (20, 900.0);

/// Whom an attempt to log in is charged to.
#[derive(Debug, Clone)]
pub struct LoginKeys {
    user: String,
    address: Option<String>,
}

impl LoginKeys {
    /// An attempt at `username` from `ip`.
    pub fn new(username: &str, ip: Option<&str>) -> Self {
        // Longer names exist nowhere; the key need not hold them whole.
        let name: String = username.trim().to_lowercase().chars().take(100).collect();
        Self {
            user: format!("user:{name}"),
            address: ip.map(|ip| format!("ip:{ip}")),
        }
    }
}

/// Charges one attempt before its password is looked at, so that many at once
/// cannot slip by. Commit it whatever the password turns out to be. Gives the time
/// until which attempts are refused, if they are; the caller then rolls back.
pub async fn charge(
    transaction: &Transaction<'_>,
    keys: &LoginKeys,
) -> Result<Option<DateTime<Utc>>> {
    let address = keys.address.as_deref().map(|key| (key, ADDRESS));
    for (key, (free, longest)) in [(keys.user.as_str(), USER)].into_iter().chain(address) {
        let row = transaction
            .query_typed_one(
                include_str!("charge.sql"),
                &[
                    (&key, Type::TEXT),
                    (&free, Type::INT4),
                    (&longest, Type::FLOAT8),
                ],
            )
            .await?;
        if let Some(until) = row.try_get("blocked_until")? {
            return Ok(Some(until));
        }
    }
    Ok(None)
}

/// Takes back what [`charge`] charged: the password was right.
pub async fn forgive(transaction: &Transaction<'_>, keys: &LoginKeys) -> Result<()> {
    transaction
        .execute_typed(
            "DELETE FROM login_failures WHERE key = $1",
            &[(&keys.user, Type::TEXT)],
        )
        .await?;
    transaction
        .execute_typed(
            "UPDATE login_failures
             SET failures = failures - 1, blocked_until = now()
             WHERE key = $1",
            &[(&keys.address, Type::TEXT)],
        )
        .await?;
    Ok(())
}

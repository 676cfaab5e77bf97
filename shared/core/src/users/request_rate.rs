//! How often one token may ask.

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::Secret;
use crate::Result;

/// Requests at once after a pause, in seconds' worth of the rate.
const BURST_SECONDS: f64 = 4.0;

/// Whom a request is charged to.
#[derive(Debug, Clone)]
pub struct RequestKey(String);

impl RequestKey {
    /// A user's session.
    pub fn session(id: Uuid) -> Self {
        Self(format!("session:{id}"))
    }

    /// A service token; what is kept of it does not open anything.
    pub fn service(secret: &Secret) -> Self {
        Self(format!("service:{}", secret.derive("request rate")))
    }
}

/// Charges a request at `per_second`; false where there were too many, and nothing is charged.
pub async fn charge_request(
    client: &impl GenericClient,
    key: &RequestKey,
    per_second: u32,
) -> Result<bool> {
    let rate = f64::from(per_second);
    let charged = client
        .query_typed_opt(
            include_str!("request_rate.sql"),
            &[
                (&key.0, Type::TEXT),
                (&rate, Type::FLOAT8),
                (&(rate * BURST_SECONDS), Type::FLOAT8),
            ],
        )
        .await?;
    Ok(charged.is_some())
}

//! Service tokens: what a role may do, for a program, for a limited time.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::{GenericClient, Row, Transaction, types::Type};
use uuid::Uuid;

use super::{Role, Secret};
use crate::{
    Error, Result,
    audit::{self, Actor},
    check,
    page::{List, Page},
    row,
};

/// What every service token begins with, so that one is known where it leaks.
pub const PREFIX: &str = "telecast_";

/// A service token, without its secret.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceToken {
    /// Its id.
    pub id: Uuid,
    /// The administrators' name for it, unique.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// Who made it.
    pub created_by: Option<Uuid>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A service token to make.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewServiceToken {
    /// 1 to 200 characters, unique.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// How long it is good for, 1 to 366 days.
    #[schemars(range(min = 1, max = 366))]
    pub days: i32,
}

impl ServiceToken {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            role: row::parse(row, "role")?,
            expires_at: row.try_get("expires_at")?,
            created_by: row.try_get("created_by")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

/// Makes a service token. The secret is given out this once.
///
/// # Errors
/// `Invalid` for a bad field, `Conflict` for a name in use.
pub async fn create_service_token(
    transaction: &Transaction<'_>,
    actor: &Actor,
    new: NewServiceToken,
) -> Result<(ServiceToken, Secret)> {
    check::name("name", &new.name)?;
    check::range("days", new.days, 1..=366)?;
    let secret = Secret::generate(PREFIX);
    let (id, name, role): (_, _, &str) = (Uuid::now_v7(), new.name.trim(), new.role.into());
    let row = transaction
        .query_typed_one(
            include_str!("create_service_token.sql"),
            &[
                (&id, Type::UUID),
                (&name, Type::TEXT),
                (&secret.hash(), Type::BYTEA),
                (&role, Type::TEXT),
                (&new.days, Type::INT4),
                (&actor.user_id, Type::UUID),
            ],
        )
        .await
        .map_err(|error| check::name_taken(error, "service token", name))?;
    let token = ServiceToken::from_row(&row)?;
    let details = json!({"after": token});
    audit::record(
        transaction,
        actor,
        "SERVICE_TOKEN_CREATED",
        "service token",
        id,
        details,
    )
    .await?;
    Ok((token, secret))
}

/// The service token of a secret, if there is one that has not ended.
pub async fn authenticate_service(
    client: &impl GenericClient,
    secret: &Secret,
) -> Result<Option<ServiceToken>> {
    let row = client
        .query_typed_opt(
            "SELECT id, name, role, expires_at, created_by, created_at
             FROM service_tokens
             WHERE token_hash = $1 AND expires_at > now()",
            &[(&secret.hash(), Type::BYTEA)],
        )
        .await?;
    row.as_ref().map(ServiceToken::from_row).transpose()
}

/// All service tokens, newest first.
pub async fn list_service_tokens(
    client: &impl GenericClient,
    page: Page,
) -> Result<List<ServiceToken>> {
    let rows = client
        .query_typed(
            "SELECT id, name, role, expires_at, created_by, created_at
             FROM service_tokens
             WHERE $1::uuid IS NULL OR id < $1
             ORDER BY id DESC
             LIMIT $2",
            &[(&page.after(), Type::UUID), (&page.fetch(), Type::INT8)],
        )
        .await?;
    let tokens = rows
        .iter()
        .map(ServiceToken::from_row)
        .collect::<Result<_>>()?;
    Ok(page.list(tokens, |token: &ServiceToken| token.id))
}

/// Ends a service token at once.
///
/// # Errors
/// `NotFound`.
pub async fn delete_service_token(
    transaction: &Transaction<'_>,
    actor: &Actor,
    id: Uuid,
) -> Result<()> {
    let row = transaction
        .query_typed_opt(
            "DELETE FROM service_tokens
             WHERE id = $1
             RETURNING id, name, role, expires_at, created_by, created_at",
            &[(&id, Type::UUID)],
        )
        .await?
        .ok_or_else(|| Error::not_found("service token", id))?;
    let details = json!({"before": ServiceToken::from_row(&row)?});
    audit::record(
        transaction,
        actor,
        "SERVICE_TOKEN_DELETED",
        "service token",
        id,
        details,
    )
    .await
}

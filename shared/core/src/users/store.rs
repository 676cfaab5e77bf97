//! Users in the database.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tokio_postgres::{GenericClient, Row, Transaction, types::Type};
use uuid::Uuid;

use super::{Password, PasswordHash, Role, session};
use crate::{
    Error, Result,
    audit::{self, Actor},
    check,
    page::{List, Page},
    row,
};

/// A user.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Their id.
    pub id: Uuid,
    /// Their name, unique without regard to case.
    pub username: String,
    /// What they may do.
    pub role: Role,
    /// Since when they cannot log in; null while they can.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When they were added.
    pub created_at: DateTime<Utc>,
    /// When they were last changed.
    pub updated_at: DateTime<Utc>,
}

/// A user to add. The password is hashed already, outside the transaction.
#[derive(Debug)]
pub struct NewUser {
    /// 1 to 100 characters, unique without regard to case.
    pub username: String,
    /// The hash of their password.
    pub password_hash: PasswordHash,
    /// What they may do.
    pub role: Role,
}

/// Changes to a user.
#[derive(Debug, Default)]
pub struct UserPatch {
    /// Another role.
    pub role: Option<Role>,
    /// Cut off at once, or let in again.
    pub disabled: Option<bool>,
    /// Another password; ends all sessions.
    pub password_hash: Option<PasswordHash>,
}

/// A user, and what their password is checked against.
#[derive(Debug)]
pub struct Credentials {
    /// The user.
    pub user: User,
    /// The hash of their password.
    pub password_hash: PasswordHash,
}

/// Adds a user.
///
/// # Errors
/// `Invalid` for a bad name, `Conflict` for a name in use.
pub async fn create(transaction: &Transaction<'_>, actor: &Actor, new: NewUser) -> Result<User> {
    let name = new.username.trim();
    if !(1..=100).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(Error::invalid("username", "must have 1 to 100 characters"));
    }
    let id = Uuid::now_v7();
    let role: &str = new.role.into();
    transaction
        .execute_typed(
            "INSERT INTO users (id, username, password_hash, role) VALUES ($1, $2, $3, $4)",
            &[
                (&id, Type::UUID),
                (&name, Type::TEXT),
                (&new.password_hash.0, Type::TEXT),
                (&role, Type::TEXT),
            ],
        )
        .await
        .map_err(|error| check::name_taken(error, "user", name))?;
    let user = get(transaction, id).await?;
    let details = json!({"after": user});
    audit::record(transaction, actor, "USER_CREATED", "user", id, details).await?;
    Ok(user)
}

/// Changes a user. A disabled user, and one with another password, is logged out everywhere.
///
/// # Errors
/// `NotFound`; `Conflict` where no administrator would be left.
pub async fn update(
    transaction: &Transaction<'_>,
    actor: &Actor,
    id: Uuid,
    patch: UserPatch,
) -> Result<User> {
    // All administrators are locked: two of them cannot demote each other at once.
    transaction
        .query_typed(
            "SELECT FROM users WHERE id = $1 OR role = 'ADMIN' ORDER BY id FOR UPDATE",
            &[(&id, Type::UUID)],
        )
        .await?;
    let before = get(transaction, id).await?;
    let role: Option<&str> = patch.role.map(Into::into);
    let hash = patch.password_hash.map(|hash| hash.0);
    transaction
        .execute_typed(
            include_str!("update.sql"),
            &[
                (&id, Type::UUID),
                (&role, Type::TEXT),
                (&patch.disabled, Type::BOOL),
                (&hash, Type::TEXT),
            ],
        )
        .await?;
    let left = transaction
        .query_typed(
            "SELECT FROM users WHERE role = 'ADMIN' AND disabled_at IS NULL LIMIT 1",
            &[],
        )
        .await?;
    if left.is_empty() {
        let message = "there would be no administrator left; make another user one first";
        return Err(Error::conflict("LAST_ADMIN", message));
    }
    let user = get(transaction, id).await?;
    if user.disabled_at.is_some() || hash.is_some() {
        session::close_all(transaction, id, None).await?;
    }
    let details = json!({"before": before, "after": user, "passwordChanged": hash.is_some()});
    audit::record(transaction, actor, "USER_UPDATED", "user", id, details).await?;
    Ok(user)
}

/// Changes a user's own password, and ends all their sessions but `session`.
pub async fn change_password(
    transaction: &Transaction<'_>,
    actor: &Actor,
    id: Uuid,
    new: PasswordHash,
    session: Uuid,
) -> Result<()> {
    transaction
        .execute_typed(
            "UPDATE users SET password_hash = $2, updated_at = now() WHERE id = $1",
            &[(&id, Type::UUID), (&new.0, Type::TEXT)],
        )
        .await?;
    session::close_all(transaction, id, Some(session)).await?;
    audit::record(
        transaction,
        actor,
        "PASSWORD_CHANGED",
        "user",
        id,
        json!({}),
    )
    .await
}

/// Adds the user `admin` where there are no users yet; nothing otherwise.
pub async fn ensure_admin(
    transaction: &Transaction<'_>,
    password: &Password,
) -> Result<Option<User>> {
    // Two processes that start at once add one.
    transaction
        .execute_typed("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE", &[])
        .await?;
    let users = transaction
        .query_typed("SELECT FROM users LIMIT 1", &[])
        .await?;
    if !users.is_empty() {
        return Ok(None);
    }
    let new = NewUser {
        username: "admin".to_owned(),
        password_hash: password.hash()?,
        role: Role::Admin,
    };
    create(transaction, &Actor::system(), new).await.map(Some)
}

/// The user with this id.
///
/// # Errors
/// `NotFound`.
pub async fn get(client: &impl GenericClient, id: Uuid) -> Result<User> {
    let row = client
        .query_typed_opt(include_str!("get.sql"), &[(&id, Type::UUID)])
        .await?
        .ok_or_else(|| Error::not_found("user", id))?;
    user(&row)
}

/// The user of this name, if there is one that is not disabled, to check a password.
pub async fn credentials(
    client: &impl GenericClient,
    username: &str,
) -> Result<Option<Credentials>> {
    let row = client
        .query_typed_opt(
            include_str!("credentials.sql"),
            &[(&username.trim(), Type::TEXT)],
        )
        .await?;
    row.map(|row| {
        Ok(Credentials {
            user: user(&row)?,
            password_hash: PasswordHash(row.try_get("password_hash")?),
        })
    })
    .transpose()
}

/// All users, newest first.
pub async fn list(client: &impl GenericClient, page: Page) -> Result<List<User>> {
    let rows = client
        .query_typed(
            include_str!("list.sql"),
            &[(&page.after(), Type::UUID), (&page.fetch(), Type::INT8)],
        )
        .await?;
    let users = rows.iter().map(user).collect::<Result<_>>()?;
    Ok(page.list(users, |user: &User| user.id))
}

pub(super) fn user(row: &Row) -> Result<User> {
    Ok(User {
        id: row.try_get("id")?,
        username: row.try_get("username")?,
        role: row::parse(row, "role")?,
        disabled_at: row.try_get("disabled_at")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

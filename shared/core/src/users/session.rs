//! Sessions: a login that lives on by its refresh token until it ends.

use chrono::{DateTime, Utc};
use tokio_postgres::{GenericClient, Transaction, types::Type};
use uuid::Uuid;

use super::{Secret, User, store};
use crate::Result;

/// An open session.
#[derive(Debug)]
pub struct Session {
    /// Its id; an access token names it.
    pub id: Uuid,
    /// What prolongs it; each use replaces it.
    pub refresh_token: Secret,
    /// When it ends, unless it is prolonged.
    pub expires_at: DateTime<Utc>,
}

/// Opens a session for a user who proved who they are; forgets their ended ones.
pub async fn open(transaction: &Transaction<'_>, user_id: Uuid) -> Result<Session> {
    let id = Uuid::now_v7();
    let refresh_token = Secret::generate("");
    transaction
        .execute_typed(
            "DELETE FROM sessions WHERE user_id = $1 AND expires_at <= now()",
            &[(&user_id, Type::UUID)],
        )
        .await?;
    let row = transaction
        .query_typed_one(
            "INSERT INTO sessions (id, user_id, refresh_hash, expires_at)
             VALUES ($1, $2, $3, now() + interval '14 days')
             RETURNING expires_at",
            &[
                (&id, Type::UUID),
                (&user_id, Type::UUID),
                (&refresh_token.hash(), Type::BYTEA),
            ],
        )
        .await?;
    Ok(Session {
        id,
        refresh_token,
        expires_at: row.try_get("expires_at")?,
    })
}

/// Prolongs the session of a refresh token and replaces the token; nothing if the
/// session has ended or its user is disabled.
pub async fn refresh(
    transaction: &Transaction<'_>,
    token: &Secret,
) -> Result<Option<(User, Session)>> {
    let refresh_token = Secret::generate("");
    let row = transaction
        .query_typed_opt(
            include_str!("refresh.sql"),
            &[
                (&token.hash(), Type::BYTEA),
                (&refresh_token.hash(), Type::BYTEA),
            ],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let user = store::get(transaction, row.try_get("user_id")?).await?;
    let session = Session {
        id: row.try_get("id")?,
        refresh_token,
        expires_at: row.try_get("expires_at")?,
    };
    Ok(Some((user, session)))
}

/// The user of a session that is open; nothing if it has ended or the user is disabled.
pub async fn authenticate(client: &impl GenericClient, session: Uuid) -> Result<Option<User>> {
    let row = client
        .query_typed_opt(include_str!("authenticate.sql"), &[(&session, Type::UUID)])
        .await?;
    row.as_ref().map(store::user).transpose()
}

/// The user of the open session that this refresh token prolongs, and the session's id:
/// a browser's cookie holds the token and never uses it up. Nothing if the session has
/// ended or the user is disabled.
pub async fn authenticate_secret(
    client: &impl GenericClient,
    token: &Secret,
) -> Result<Option<(User, Uuid)>> {
    let row = client
        .query_typed_opt(
            include_str!("authenticate_secret.sql"),
            &[(&token.hash(), Type::BYTEA)],
        )
        .await?;
    row.map(|row| Ok((store::user(&row)?, row.try_get("session_id")?)))
        .transpose()
}

/// Ends a session; tells whether it was open.
pub async fn close(transaction: &Transaction<'_>, session: Uuid) -> Result<bool> {
    let closed = transaction
        .execute_typed(
            "DELETE FROM sessions WHERE id = $1",
            &[(&session, Type::UUID)],
        )
        .await?;
    Ok(closed > 0)
}

/// Ends all sessions of a user, but for `except`.
pub async fn close_all(
    transaction: &Transaction<'_>,
    user_id: Uuid,
    except: Option<Uuid>,
) -> Result<()> {
    transaction
        .execute_typed(
            "DELETE FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2",
            &[(&user_id, Type::UUID), (&except, Type::UUID)],
        )
        .await?;
    Ok(())
}

//! The default bot: the one of TELEGRAM_BOT_TOKEN, used where a campaign names none.

use serde_json::json;
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{BotToken, EncryptionKey, seal};
use crate::{
    Error, Result,
    audit::{self, Actor},
};

/// Its name.
pub const DEFAULT: &str = "default";

/// Makes sure that the bot `default` has this token, and gives its id. A bot whose
/// token was sealed under another key, or is another one, gets it anew.
///
/// # Errors
/// Where the database refuses.
pub async fn ensure_default(
    transaction: &Transaction<'_>,
    key: &EncryptionKey,
    token: &BotToken,
) -> Result<Uuid> {
    // Two processes that start at once add one.
    transaction
        .execute_typed("LOCK TABLE bots IN SHARE ROW EXCLUSIVE MODE", &[])
        .await?;
    let known = transaction
        .query_typed_opt(
            "SELECT id, token_sealed FROM bots WHERE name = $1",
            &[(&DEFAULT, Type::TEXT)],
        )
        .await?;
    let id = match &known {
        Some(row) => row.try_get("id")?,
        None => Uuid::now_v7(),
    };
    if let Some(row) = &known {
        let sealed: Vec<u8> = row.try_get("token_sealed")?;
        let opened = key.open(id.as_bytes(), &sealed);
        if opened.is_ok_and(|opened| opened == token.expose().as_bytes()) {
            return Ok(id);
        }
    }
    let sealed = seal(key, id, token)?;
    transaction
        .execute_typed(
            "INSERT INTO bots (id, name, token_sealed, telegram_id)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (name) DO UPDATE
             SET
               token_sealed = excluded.token_sealed,
               telegram_id = excluded.telegram_id,
               username = NULL,
               stopped_at = NULL,
               stop_reason = NULL,
               updated_at = now()",
            &[
                (&id, Type::UUID),
                (&DEFAULT, Type::TEXT),
                (&sealed, Type::BYTEA),
                (&token.bot_id(), Type::INT8),
            ],
        )
        .await?;
    let details = json!({"name": DEFAULT, "tokenChanged": known.is_some()});
    audit::record(
        transaction,
        &Actor::system(),
        "DEFAULT_BOT_SET",
        "bot",
        id,
        details,
    )
    .await?;
    Ok(id)
}

/// The bot that a request names, or the one used where it names none.
///
/// # Errors
/// `Invalid` for an id that no bot has, or where there is no bot.
pub(crate) async fn given_or_default(
    transaction: &Transaction<'_>,
    id: Option<Uuid>,
) -> Result<Uuid> {
    let row = transaction
        .query_typed_opt(
            "SELECT id
             FROM bots
             WHERE $1::uuid IS NULL OR id = $1
             ORDER BY name = $2 DESC, id
             LIMIT 1",
            &[(&id, Type::UUID), (&DEFAULT, Type::TEXT)],
        )
        .await?;
    match (row, id) {
        (Some(row), _) => Ok(row.try_get("id")?),
        (None, Some(id)) => Err(Error::invalid(
            "botId",
            format!("there is none with id {id}"),
        )),
        (None, None) => Err(Error::invalid(
            "botId",
            "there is no bot yet; add one with POST /api/bots, or set TELEGRAM_BOT_TOKEN",
        )),
    }
}

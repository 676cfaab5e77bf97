//! What a handler needs to know to send the message jobs of a campaign.

use std::collections::HashMap;

use serde_json::{Map, Value};
use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::{
    Error, Result,
    bots::{self, BotToken, EncryptionKey},
    campaigns::Mode,
    row::parse,
    templates::{self, Chat, Content},
};

/// A campaign's message and sender. The message was pinned when the campaign started.
#[derive(Debug, Clone)]
pub struct Context {
    /// The bot that sends.
    pub bot_id: Uuid,
    /// Its token, as it is now.
    pub token: BotToken,
    /// Messages per second that it may send over all its campaigns.
    pub rate_per_second: i32,
    /// The template's pinned version.
    pub content: Content,
    /// Values of its `{{params.…}}`.
    pub params: Map<String, Value>,
    /// Whom the campaign reaches.
    pub mode: Mode,
    /// Where the messages of a test go, rather than to their channels.
    pub test_chat: Option<Chat>,
}

/// The contexts of these campaigns, by id.
///
/// # Errors
/// [`Error::Corrupt`] where a bot's token was sealed under another key.
pub async fn contexts(
    client: &impl GenericClient,
    key: &EncryptionKey,
    campaign_ids: &[Uuid],
) -> Result<HashMap<Uuid, Context>> {
    let mut contexts = HashMap::new();
    for row in client
        .query_typed(
            include_str!("context.sql"),
            &[(&campaign_ids, Type::UUID_ARRAY)],
        )
        .await?
    {
        let bot_id = row.try_get("bot_id")?;
        let (bot, token) = bots::get_with_token(client, bot_id, key).await?;
        let version = templates::get_version(
            client,
            row.try_get("template_id")?,
            row.try_get("template_version")?,
        )
        .await?;
        let Value::Object(params) = row.try_get("params")? else {
            return Err(Error::Corrupt {
                what: "campaign's params",
                message: "they are no object".to_owned(),
            });
        };
        let context = Context {
            bot_id,
            token,
            rate_per_second: bot.rate_per_second,
            content: version.content,
            params,
            mode: parse(&row, "mode")?,
            test_chat: row.try_get::<_, Option<i64>>("test_chat_id")?.map(Chat::Id),
        };
        contexts.insert(row.try_get("id")?, context);
    }
    Ok(contexts)
}

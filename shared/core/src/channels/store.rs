//! Channels in the database.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio_postgres::{GenericClient, Row, Transaction, error::SqlState, types::Type};
use uuid::Uuid;

use super::Username;
use crate::{
    Error, Result,
    audit::{self, Actor},
    check,
    page::{List, Page},
    row,
    templates::{Chat, Recipient},
};

/// A channel.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// Its id here.
    pub id: Uuid,
    /// Its public name, without the @; a private channel has none.
    pub username: Option<String>,
    /// Its id at Telegram, once known.
    pub chat_id: Option<i64>,
    /// Its title.
    pub title: Option<String>,
    /// The operators' own word for its kind.
    pub category: Option<String>,
    /// Its page at TGStat.
    pub tgstat_url: Option<String>,
    /// When it was found.
    pub collected_at: Option<DateTime<Utc>>,
    /// Whatever else an import brought.
    pub metadata: Value,
    /// Whether campaigns write to it.
    pub active: bool,
    /// Why not, if not.
    pub inactive_reason: Option<String>,
    /// Failed messages in a row.
    pub error_count: i32,
    /// Since when its owner wants no messages: campaigns never write to it.
    pub opted_out_at: Option<DateTime<Utc>>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A channel to add; it needs a username or a chat id.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewChannel {
    /// Its public name, as name, @name or link.
    #[serde(default)]
    pub username: Option<Username>,
    /// Its id at Telegram.
    #[serde(default)]
    pub chat_id: Option<i64>,
    /// Its title.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub title: Option<String>,
    /// The operators' own word for its kind.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub category: Option<String>,
    /// Its page at TGStat.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub tgstat_url: Option<String>,
    /// When it was found.
    #[serde(default)]
    pub collected_at: Option<DateTime<Utc>>,
    /// Whatever else is known.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

/// Changes to a channel.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChannelPatch {
    /// Another public name.
    pub username: Option<Username>,
    /// Another id at Telegram.
    pub chat_id: Option<i64>,
    /// Another title.
    #[schemars(length(max = 1000))]
    pub title: Option<String>,
    /// Another category.
    #[schemars(length(max = 1000))]
    pub category: Option<String>,
    /// Other metadata; it replaces the former.
    pub metadata: Option<Map<String, Value>>,
    /// Deactivate by hand, or activate again, which also forgets its failures.
    pub active: Option<bool>,
    /// The owner's word; a hard gate whatever `active` says.
    pub opted_out: Option<bool>,
}

/// Which channels; an absent field matches all.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Filter {
    /// An exact category.
    pub category: Option<String>,
    /// Active, or not.
    pub active: Option<bool>,
    /// Part of a username or a title, without regard to case.
    pub search: Option<String>,
    /// Members of one batch.
    pub batch_id: Option<Uuid>,
}

impl Filter {
    /// `search` as a LIKE pattern that means itself.
    pub(crate) fn pattern(&self) -> Option<String> {
        self.search.as_deref().map(row::pattern)
    }
}

impl Channel {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            username: row.try_get("username")?,
            chat_id: row.try_get("chat_id")?,
            title: row.try_get("title")?,
            category: row.try_get("category")?,
            tgstat_url: row.try_get("tgstat_url")?,
            collected_at: row.try_get("collected_at")?,
            metadata: row.try_get("metadata")?,
            active: row.try_get("active")?,
            inactive_reason: row.try_get("inactive_reason")?,
            error_count: row.try_get("error_count")?,
            opted_out_at: row.try_get("opted_out_at")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

/// The channel as templates see it. A known chat id is the surer address: names change hands.
pub fn recipient(channel: &Channel) -> Recipient {
    let chat = match (channel.chat_id, &channel.username) {
        (Some(id), _) => Chat::Id(id),
        (None, Some(name)) => Chat::Username(format!("@{name}")),
        // The table's CHECK forbids it; Telegram knows no chat 0.
        (None, None) => Chat::Id(0),
    };
    Recipient {
        chat,
        username: channel.username.clone(),
        title: channel.title.clone(),
        category: channel.category.clone(),
    }
}

/// Adds a channel.
///
/// # Errors
/// `Invalid` for a bad field, `Conflict` for a channel that is here already.
pub async fn create(
    transaction: &Transaction<'_>,
    actor: &Actor,
    new: NewChannel,
) -> Result<Channel> {
    if new.username.is_none() && new.chat_id.is_none() {
        let message = "is absent, and so is chatId; a channel needs one of them";
        return Err(Error::invalid("username", message));
    }
    check_chat_id(new.chat_id)?;
    check_texts(&[
        ("title", &new.title),
        ("category", &new.category),
        ("tgstatUrl", &new.tgstat_url),
    ])?;
    check::time("collectedAt", new.collected_at)?;
    let id = Uuid::now_v7();
    transaction
        .execute_typed(
            include_str!("create.sql"),
            &[
                (&id, Type::UUID),
                (&new.username.as_ref().map(Username::as_str), Type::TEXT),
                (&new.chat_id, Type::INT8),
                (&new.title, Type::TEXT),
                (&new.category, Type::TEXT),
                (&new.tgstat_url, Type::TEXT),
                (&new.collected_at, Type::TIMESTAMPTZ),
                (&Value::Object(new.metadata), Type::JSONB),
            ],
        )
        .await
        .map_err(exists)?;
    let channel = get(transaction, id).await?;
    let details = json!({"after": channel});
    audit::record(
        transaction,
        actor,
        "CHANNEL_CREATED",
        "channel",
        id,
        details,
    )
    .await?;
    Ok(channel)
}

/// Changes a channel.
///
/// # Errors
/// `NotFound`, `Invalid` for a bad field, `Conflict` for a name or chat id of another channel.
pub async fn update(
    transaction: &Transaction<'_>,
    actor: &Actor,
    id: Uuid,
    patch: ChannelPatch,
) -> Result<Channel> {
    check_chat_id(patch.chat_id)?;
    check_texts(&[("title", &patch.title), ("category", &patch.category)])?;
    transaction
        .query_typed(
            "SELECT FROM channels WHERE id = $1 FOR UPDATE",
            &[(&id, Type::UUID)],
        )
        .await?;
    let before = get(transaction, id).await?;
    transaction
        .execute_typed(
            include_str!("update.sql"),
            &[
                (&id, Type::UUID),
                (&patch.username.as_ref().map(Username::as_str), Type::TEXT),
                (&patch.chat_id, Type::INT8),
                (&patch.title, Type::TEXT),
                (&patch.category, Type::TEXT),
                (&patch.metadata.map(Value::Object), Type::JSONB),
                (&patch.active, Type::BOOL),
                (&patch.opted_out, Type::BOOL),
            ],
        )
        .await
        .map_err(exists)?;
    let channel = get(transaction, id).await?;
    let details = json!({"before": before, "after": channel});
    audit::record(
        transaction,
        actor,
        "CHANNEL_UPDATED",
        "channel",
        id,
        details,
    )
    .await?;
    Ok(channel)
}

/// The channel with this id.
///
/// # Errors
/// `NotFound`.
pub async fn get(client: &impl GenericClient, id: Uuid) -> Result<Channel> {
    let row = client
        .query_typed_opt(include_str!("get.sql"), &[(&id, Type::UUID)])
        .await?
        .ok_or_else(|| Error::not_found("channel", id))?;
    Channel::from_row(&row)
}

/// Channels, newest first.
pub async fn list(
    client: &impl GenericClient,
    filter: &Filter,
    page: Page,
) -> Result<List<Channel>> {
    let rows = client
        .query_typed(
            include_str!("list.sql"),
            &[
                (&filter.category, Type::TEXT),
                (&filter.active, Type::BOOL),
                (&filter.pattern(), Type::TEXT),
                (&filter.batch_id, Type::UUID),
                (&page.after(), Type::UUID),
                (&page.fetch(), Type::INT8),
            ],
        )
        .await?;
    let channels = rows.iter().map(Channel::from_row).collect::<Result<_>>()?;
    Ok(page.list(channels, |channel: &Channel| channel.id))
}

fn check_chat_id(chat_id: Option<i64>) -> Result<()> {
    match chat_id {
        Some(0) => Err(Error::invalid("chatId", "must not be 0")),
        _ => Ok(()),
    }
}

fn check_texts(texts: &[(&'static str, &Option<String>)]) -> Result<()> {
    match texts.iter().find(|(_, text)| {
        text.as_ref()
            .is_some_and(|text| text.chars().count() > 1000)
    }) {
        Some((field, _)) => Err(Error::invalid(*field, "must have at most 1000 characters")),
        None => Ok(()),
    }
}

fn exists(error: tokio_postgres::Error) -> Error {
    if error.code() == Some(&SqlState::UNIQUE_VIOLATION) {
        let message = "there is a channel with this username or chatId already";
        Error::conflict("CHANNEL_EXISTS", message)
    } else {
        error.into()
    }
}

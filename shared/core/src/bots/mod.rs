//! Bots: who sends. Their tokens are sealed at rest and never given out by the API.

mod default;
mod key;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::{GenericClient, Row, Transaction, types::Type};
use uuid::Uuid;

use crate::{
    Error, Result,
    audit::{self, Actor},
    campaigns, check,
    page::{List, Page},
};

pub(crate) use default::given_or_default;
pub use default::{DEFAULT, ensure_default};
pub use key::{CannotOpen, EncryptionKey};
pub use telecast_telegram::{BadToken, BotToken};

/// A bot, without its token.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Bot {
    /// Its id here.
    pub id: Uuid,
    /// The operators' name for it, unique.
    pub name: String,
    /// Its id at Telegram: the number in its token.
    pub telegram_id: Option<i64>,
    /// Its name at Telegram, without the @.
    pub username: Option<String>,
    /// Messages per second over all its campaigns, 1 to 1000.
    pub rate_per_second: i32,
    /// At most so many messages in a day (UTC); null: any number.
    pub messages_per_day: Option<i32>,
    /// Messages dispatched today (UTC), retries included.
    pub messages_today: i32,
    /// Until when Telegram told it to wait; null while it may send.
    pub held_until: Option<DateTime<Utc>>,
    /// After a flood wait, or while it is warmed up: the percent of their rates at which
    /// it and its campaigns go. Null: all.
    pub ramp: Option<i32>,
    /// When that grows.
    pub ramp_on: Option<DateTime<Utc>>,
    /// Since when Telegram refuses the token; null while it works.
    pub stopped_at: Option<DateTime<Utc>>,
    /// What Telegram said then.
    pub stop_reason: Option<String>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What Telegram says of the bot of a token (getMe).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its id at Telegram.
    pub telegram_id: i64,
    /// Its name at Telegram, without the @.
    pub username: Option<String>,
}

/// A bot to add.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewBot {
    /// 1 to 200 characters, unique.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// As BotFather gave it.
    #[schemars(with = "String")]
    pub token: BotToken,
    /// Messages per second, 1 to 1000; Telegram allows about 30.
    #[serde(default = "default_rate")]
    #[schemars(range(min = 1, max = 1000))]
    pub rate_per_second: i32,
    /// At most so many messages in a day (UTC), 1 to 100,000,000; any number if absent.
    #[schemars(range(min = 1, max = 100_000_000))]
    pub messages_per_day: Option<i32>,
    /// A new bot's first days: a tenth of all rates, and a tenth more each day.
    #[serde(default)]
    pub warm_up: bool,
}

fn default_rate() -> i32 {
    25
}

/// Changes to a bot.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BotPatch {
    /// Another name.
    #[schemars(length(min = 1, max = 200))]
    pub name: Option<String>,
    /// Another token; it also starts a stopped bot again.
    #[schemars(with = "Option<String>")]
    pub token: Option<BotToken>,
    /// Another rate.
    #[schemars(range(min = 1, max = 1000))]
    pub rate_per_second: Option<i32>,
    /// Another number for the day; null: any number.
    #[serde(default, deserialize_with = "check::nullable")]
    #[schemars(range(min = 1, max = 100_000_000))]
    pub messages_per_day: Option<Option<i32>>,
}

impl Bot {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            telegram_id: row.try_get("telegram_id")?,
            username: row.try_get("username")?,
            rate_per_second: row.try_get("rate_per_second")?,
            messages_per_day: row.try_get("messages_per_day")?,
            messages_today: row.try_get("messages_today")?,
            held_until: row.try_get("held_until")?,
            ramp: row.try_get("ramp")?,
            ramp_on: row.try_get("ramp_on")?,
            stopped_at: row.try_get("stopped_at")?,
            stop_reason: row.try_get("stop_reason")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

/// Adds a bot whose token `identity` was read with. The caller asks Telegram first,
/// outside the transaction.
///
/// # Errors
/// `Invalid` for a bad field, `Conflict` for a name in use.
pub async fn create(
    transaction: &Transaction<'_>,
    actor: &Actor,
    key: &EncryptionKey,
    new: NewBot,
    identity: &Identity,
) -> Result<Bot> {
    check::name("name", &new.name)?;
    check_rate(new.rate_per_second)?;
    check_daily(new.messages_per_day)?;
    let id = Uuid::now_v7();
    let sealed = seal(key, id, &new.token)?;
    transaction
        .execute_typed(
            include_str!("create.sql"),
            &[
                (&id, Type::UUID),
                (&new.name.trim(), Type::TEXT),
                (&sealed, Type::BYTEA),
                (&identity.telegram_id, Type::INT8),
                (&identity.username, Type::TEXT),
                (&new.rate_per_second, Type::INT4),
                (&new.messages_per_day, Type::INT4),
                (&new.warm_up, Type::BOOL),
            ],
        )
        .await
        .map_err(|error| check::name_taken(error, "bot", &new.name))?;
    let bot = get(transaction, id).await?;
    let details = json!({"after": bot});
    audit::record(transaction, actor, "BOT_CREATED", "bot", id, details).await?;
    Ok(bot)
}

/// Changes a bot; a new rate holds at once. A new token comes with the identity that
/// was read with it.
///
/// # Errors
/// `NotFound`, `Invalid` for a bad field, `Conflict` for a name in use.
pub async fn update(
    transaction: &Transaction<'_>,
    actor: &Actor,
    key: &EncryptionKey,
    id: Uuid,
    patch: BotPatch,
    identity: Option<&Identity>,
) -> Result<Bot> {
    if let Some(name) = &patch.name {
        check::name("name", name)?;
    }
    if let Some(rate) = patch.rate_per_second {
        check_rate(rate)?;
    }
    check_daily(patch.messages_per_day.flatten())?;
    let before = lock(transaction, id).await?;
    let sealed = patch
        .token
        .as_ref()
        .map(|token| seal(key, id, token))
        .transpose()?;
    let name = patch.name.as_deref().map(str::trim);
    transaction
        .execute_typed(
            include_str!("update.sql"),
            &[
                (&id, Type::UUID),
                (&name, Type::TEXT),
                (&sealed, Type::BYTEA),
                (&identity.map(|i| i.telegram_id), Type::INT8),
                (&identity.and_then(|i| i.username.clone()), Type::TEXT),
                (&patch.rate_per_second, Type::INT4),
                (&patch.messages_per_day.is_some(), Type::BOOL),
                (&patch.messages_per_day.flatten(), Type::INT4),
            ],
        )
        .await
        .map_err(|error| check::name_taken(error, "bot", name.unwrap_or_default()))?;
    let bot = get(transaction, id).await?;
    campaigns::set_bot_limit(transaction, id).await?;
    let details = json!({"before": before, "after": bot, "tokenChanged": sealed.is_some()});
    audit::record(transaction, actor, "BOT_UPDATED", "bot", id, details).await?;
    Ok(bot)
}

/// The bot with this id.
///
/// # Errors
/// `NotFound`.
pub async fn get(client: &impl GenericClient, id: Uuid) -> Result<Bot> {
    let row = one(client, id).await?;
    Bot::from_row(&row)
}

/// The bot with this id, and its token.
///
/// # Errors
/// `NotFound`; `Corrupt` if the token was sealed under another key.
pub async fn get_with_token(
    client: &impl GenericClient,
    id: Uuid,
    key: &EncryptionKey,
) -> Result<(Bot, BotToken)> {
    let row = one(client, id).await?;
    let corrupt = |message: String| Error::Corrupt {
        what: "bot token",
        message,
    };
    let opened = key
        .open(id.as_bytes(), row.try_get("token_sealed")?)
        .map_err(|error| corrupt(error.to_string()))?;
    let token = String::from_utf8(opened)
        .map_err(|_| corrupt("is not text".to_owned()))?
        .parse()
        .map_err(|error: BadToken| corrupt(error.to_string()))?;
    Ok((Bot::from_row(&row)?, token))
}

/// All bots, newest first.
pub async fn list(client: &impl GenericClient, page: Page) -> Result<List<Bot>> {
    let rows = read(client, None, page.after(), page.fetch()).await?;
    let bots = rows.iter().map(Bot::from_row).collect::<Result<_>>()?;
    Ok(page.list(bots, |bot: &Bot| bot.id))
}

async fn one(client: &impl GenericClient, id: Uuid) -> Result<Row> {
    read(client, Some(id), None, 1)
        .await?
        .pop()
        .ok_or_else(|| Error::not_found("bot", id))
}

async fn read(
    client: &impl GenericClient,
    id: Option<Uuid>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Row>> {
    Ok(client
        .query_typed(
            include_str!("read.sql"),
            &[
                (&id, Type::UUID),
                (&after, Type::UUID),
                (&limit, Type::INT8),
            ],
        )
        .await?)
}

async fn lock(transaction: &Transaction<'_>, id: Uuid) -> Result<Bot> {
    transaction
        .query_typed(
            "SELECT FROM bots WHERE id = $1 FOR UPDATE",
            &[(&id, Type::UUID)],
        )
        .await?;
    get(transaction, id).await
}

fn seal(key: &EncryptionKey, id: Uuid, token: &BotToken) -> Result<Vec<u8>> {
    key.seal(id.as_bytes(), token.expose().as_bytes())
        .map_err(|error| Error::invalid("token", error.to_string()))
}

fn check_daily(messages: Option<i32>) -> Result<()> {
    messages.map_or(Ok(()), |messages| {
        check::range("messagesPerDay", messages, 1..=100_000_000)
    })
}

fn check_rate(rate: i32) -> Result<()> {
    check::range("ratePerSecond", rate, 1..=1000)
}

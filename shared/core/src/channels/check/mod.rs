//! Checks of channels: whether a bot may still write to each, asked of Telegram in the
//! background, one queue job a channel.

mod settle;

use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use telecast_queue::limits::{self, Limit};
use tokio_postgres::{GenericClient, Row, Transaction, types::Type};
use uuid::Uuid;

use super::Filter;
use crate::{
    Error, Result,
    audit::{self, Actor},
    bots,
    page::{List, Page},
};

pub use settle::{Settled, Verdict, hold, settle};

/// The queue of the handler that asks.
pub const QUEUE: &str = "check-channels";

/// Channels a second of one bot, two calls each. Telegram counts messages, 30 a second, and
/// tells no number for other calls; this one leaves campaigns their room.
const CHANNELS_PER_SECOND: u32 = 5;

/// A check of channels.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelCheck {
    /// Its id.
    pub id: Uuid,
    /// The bot that asks.
    pub bot_id: Uuid,
    /// How many channels it is about.
    pub total: i32,
    /// How many of them were checked.
    pub checked: i32,
    /// The bot may write to them.
    pub active: i32,
    /// It may not.
    pub inactive: i32,
    /// Telegram gave no clear answer; they stay as they were.
    pub unclear: i32,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When the last channel was checked.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A check to make: of the channels that are named, and of those that match the filter.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCheck {
    /// The bot that asks; the default bot if absent.
    pub bot_id: Option<Uuid>,
    /// Up to 10,000 channels by id.
    #[serde(default)]
    #[schemars(length(max = 10_000))]
    pub channel_ids: Vec<Uuid>,
    /// All that match; `{}` matches every channel.
    pub filter: Option<Filter>,
}

/// The limit group of a check's queue jobs.
pub(crate) fn group_id(check_id: Uuid) -> String {
    format!("check/{check_id}")
}

/// The limit that all checks of a bot share.
pub(crate) fn bot_limit_id(bot_id: Uuid) -> String {
    format!("checks/{bot_id}")
}

/// Starts a check. Channels whose owners opted out are left alone.
///
/// # Errors
/// `Invalid` for an unknown bot or where no channel is meant.
pub async fn start(
    transaction: &Transaction<'_>,
    actor: &Actor,
    new: NewCheck,
) -> Result<ChannelCheck> {
    if new.channel_ids.len() > 10_000 {
        return Err(Error::invalid(
            "channelIds",
            "may name 10,000 channels at most",
        ));
    }
    let bot_id = bots::given_or_default(transaction, new.bot_id).await?;
    let id = Uuid::now_v7();
    let filter = new.filter.clone().unwrap_or_default();
    let total = transaction
        .execute_typed(
            include_str!("start.sql"),
            &[
                (&id, Type::UUID),
                (&group_id(id), Type::TEXT),
                (&new.channel_ids, Type::UUID_ARRAY),
                (&new.filter.is_some(), Type::BOOL),
                (&filter.category, Type::TEXT),
                (&filter.active, Type::BOOL),
                (&filter.pattern(), Type::TEXT),
                (&filter.batch_id, Type::UUID),
            ],
        )
        .await?;
    let total = i32::try_from(total).unwrap_or(i32::MAX);
    if total == 0 {
        let message =
            "no channel is meant: name some in channelIds, or give a filter that finds some";
        return Err(Error::invalid("filter", message));
    }
    transaction
        .execute_typed(
            "INSERT INTO channel_checks (id, bot_id, total, created_by) VALUES ($1, $2, $3, $4)",
            &[
                (&id, Type::UUID),
                (&bot_id, Type::UUID),
                (&total, Type::INT4),
                (&actor.user_id, Type::UUID),
            ],
        )
        .await?;
    let limit = Limit::rate(CHANNELS_PER_SECOND, Duration::from_secs(1));
    limits::set_queue_limit(transaction, &bot_limit_id(bot_id), QUEUE, limit).await?;
    limits::set_group_limit(transaction, &group_id(id), &bot_limit_id(bot_id), limit).await?;
    let details = json!({"botId": bot_id, "total": total, "filter": new.filter});
    let action = "CHANNEL_CHECK_STARTED";
    audit::record(transaction, actor, action, "channel check", id, details).await?;
    get(transaction, id).await
}

/// The check with this id.
///
/// # Errors
/// `NotFound`.
pub async fn get(client: &impl GenericClient, id: Uuid) -> Result<ChannelCheck> {
    read(client, Some(id), None, 1)
        .await?
        .pop()
        .ok_or_else(|| Error::not_found("channel check", id))
}

/// A page of checks, newest first.
pub async fn list(client: &impl GenericClient, page: Page) -> Result<List<ChannelCheck>> {
    let checks = read(client, None, page.after(), page.fetch()).await?;
    Ok(page.list(checks, |check| check.id))
}

async fn read(
    client: &impl GenericClient,
    id: Option<Uuid>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<ChannelCheck>> {
    client
        .query_typed(
            include_str!("read.sql"),
            &[
                (&id, Type::UUID),
                (&after, Type::UUID),
                (&limit, Type::INT8),
            ],
        )
        .await?
        .iter()
        .map(ChannelCheck::from_row)
        .collect()
}

impl ChannelCheck {
    fn from_row(row: &Row) -> Result<Self> {
        let (active, inactive, unclear): (i32, i32, i32) = (
            row.try_get("active")?,
            row.try_get("inactive")?,
            row.try_get("unclear")?,
        );
        Ok(Self {
            id: row.try_get("id")?,
            bot_id: row.try_get("bot_id")?,
            total: row.try_get("total")?,
            checked: active + inactive + unclear,
            active,
            inactive,
            unclear,
            created_at: row.try_get("created_at")?,
            finished_at: row.try_get("finished_at")?,
        })
    }
}

//! Campaigns are written as drafts, and checked as they are written.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use strum::{Display, EnumString, IntoStaticStr};
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{Campaign, Mode, Status, get, pace};
use crate::{
    Error, Result,
    audit::{self, Actor},
    check, templates,
};

/// What becomes of a message that Telegram may or may not have accepted.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum OnUncertain {
    /// It stays UNCERTAIN and is listed: never twice.
    #[default]
    Skip,
    /// It is sent again: never lost, perhaps twice.
    Resend,
}

/// A campaign to make.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCampaign {
    /// 1 to 200 characters.
    pub name: String,
    /// The batch whose channels get the message.
    pub batch_id: Uuid,
    /// The template of the message.
    pub template_id: Uuid,
    /// The bot that sends; the default bot if absent.
    pub bot_id: Option<Uuid>,
    /// Values of the template's `{{params.…}}`.
    #[serde(default)]
    pub params: Map<String, Value>,
    /// Messages per minute, 1 to 60,000.
    pub delivery_rate: i32,
    /// Attempts after the first, for transient errors: 0 to 20.
    #[serde(default = "default_retry_limit")]
    pub retry_limit: i32,
    /// What becomes of a message that Telegram may or may not have accepted.
    #[serde(default)]
    pub on_uncertain: OnUncertain,
    /// Whom it reaches; cannot be changed.
    #[serde(default)]
    pub mode: Mode,
    /// The operator's own chat, for mode TEST and no other.
    pub test_chat_id: Option<i64>,
    /// A start waits until then; begins at once if absent or past.
    pub scheduled_at: Option<DateTime<Utc>>,
    /// A campaign that has not begun by then is missed; none: it may begin at any time.
    pub not_after: Option<DateTime<Utc>>,
}

fn default_retry_limit() -> i32 {
    3
}

/// Changes to a campaign: all of them while it is a draft, the rate until it ends.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CampaignPatch {
    /// 1 to 200 characters.
    pub name: Option<String>,
    /// Another batch.
    pub batch_id: Option<Uuid>,
    /// Another template.
    pub template_id: Option<Uuid>,
    /// Another bot.
    pub bot_id: Option<Uuid>,
    /// Other values; they replace all former ones.
    pub params: Option<Map<String, Value>>,
    /// Messages per minute, 1 to 60,000; takes effect at once.
    pub delivery_rate: Option<i32>,
    /// 0 to 20.
    pub retry_limit: Option<i32>,
    /// Another policy.
    pub on_uncertain: Option<OnUncertain>,
    /// Another time to begin.
    pub scheduled_at: Option<DateTime<Utc>>,
    /// Another time after which it must not begin.
    pub not_after: Option<DateTime<Utc>>,
}

impl CampaignPatch {
    fn changes_only_the_rate(&self) -> bool {
        self.name.is_none()
            && self.batch_id.is_none()
            && self.template_id.is_none()
            && self.bot_id.is_none()
            && self.params.is_none()
            && self.retry_limit.is_none()
            && self.on_uncertain.is_none()
            && self.scheduled_at.is_none()
            && self.not_after.is_none()
    }
}

/// Makes a draft.
pub async fn create(
    transaction: &Transaction<'_>,
    actor: &Actor,
    new: NewCampaign,
) -> Result<Campaign> {
    check::name("name", &new.name)?;
    check::range("deliveryRate", new.delivery_rate, DELIVERY_RATE)?;
    check::range("retryLimit", new.retry_limit, RETRY_LIMIT)?;
    check_times(new.scheduled_at, new.not_after)?;
    check_mode(new.mode, new.test_chat_id)?;
    check_exists(transaction, "batches", "batchId", new.batch_id).await?;
    check_exists(transaction, "templates", "templateId", new.template_id).await?;
    let bot_id = match new.bot_id {
        Some(id) => {
            check_exists(transaction, "bots", "botId", id).await?;
            id
        }
        None => default_bot(transaction).await?,
    };
    let id = Uuid::now_v7();
    let on_uncertain: &str = new.on_uncertain.into();
    let mode: &str = new.mode.into();
    transaction
        .execute_typed(
            "INSERT INTO campaigns
               (id, name, batch_id, template_id, bot_id, params, delivery_rate, retry_limit, on_uncertain,
                scheduled_at, not_after, created_by, mode, test_chat_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            &[
                (&id, Type::UUID),
                (&new.name.trim(), Type::TEXT),
                (&new.batch_id, Type::UUID),
                (&new.template_id, Type::UUID),
                (&bot_id, Type::UUID),
                (&Value::Object(new.params), Type::JSONB),
                (&new.delivery_rate, Type::INT4),
                (&new.retry_limit, Type::INT4),
                (&on_uncertain, Type::TEXT),
                (&new.scheduled_at, Type::TIMESTAMPTZ),
                (&new.not_after, Type::TIMESTAMPTZ),
                (&actor.user_id, Type::UUID),
                (&mode, Type::TEXT),
                (&new.test_chat_id, Type::INT8),
            ],
        )
        .await?;
    check_params(transaction, id).await?;
    let campaign = get(transaction, id).await?;
    audit::record(
        transaction,
        actor,
        "CAMPAIGN_CREATED",
        "campaign",
        id,
        json!({"after": campaign}),
    )
    .await?;
    Ok(campaign)
}

fn check_mode(mode: Mode, test_chat_id: Option<i64>) -> Result<()> {
    match (mode, test_chat_id) {
        (Mode::Test, None) => Err(Error::invalid(
            "testChatId",
            "must be given for mode TEST: the chat that gets the messages",
        )),
        (Mode::Live | Mode::DryRun, Some(_)) => {
            Err(Error::invalid("testChatId", "is for mode TEST alone"))
        }
        _ => Ok(()),
    }
}

/// Changes a campaign.
pub async fn update(
    transaction: &Transaction<'_>,
    actor: &Actor,
    id: Uuid,
    patch: CampaignPatch,
) -> Result<Campaign> {
    transaction
        .query_typed(
            "SELECT FROM campaigns WHERE id = $1 FOR UPDATE",
            &[(&id, Type::UUID)],
        )
        .await?;
    let before = get(transaction, id).await?;
    if before.status != Status::Draft && !patch.changes_only_the_rate() {
        return Err(Error::conflict(
            "NOT_A_DRAFT",
            format!(
                "the campaign is {}; only its deliveryRate can still change",
                before.status
            ),
        ));
    }
    if before.status.is_final() {
        return Err(Error::conflict(
            "FINISHED",
            format!(
                "the campaign is {} and cannot change any more",
                before.status
            ),
        ));
    }
    if let Some(name) = &patch.name {
        check::name("name", name)?;
    }
    if let Some(rate) = patch.delivery_rate {
        check::range("deliveryRate", rate, DELIVERY_RATE)?;
    }
    if let Some(limit) = patch.retry_limit {
        check::range("retryLimit", limit, RETRY_LIMIT)?;
    }
    check_times(
        patch.scheduled_at.or(before.scheduled_at),
        patch.not_after.or(before.not_after),
    )?;
    for (table, field, id) in [
        ("batches", "batchId", patch.batch_id),
        ("templates", "templateId", patch.template_id),
        ("bots", "botId", patch.bot_id),
    ] {
        if let Some(id) = id {
            check_exists(transaction, table, field, id).await?;
        }
    }
    let on_uncertain: Option<&str> = patch.on_uncertain.map(Into::into);
    transaction
        .execute_typed(
            "UPDATE campaigns
             SET
               name = coalesce($2, name),
               batch_id = coalesce($3, batch_id),
               template_id = coalesce($4, template_id),
               bot_id = coalesce($5, bot_id),
               params = coalesce($6, params),
               delivery_rate = coalesce($7, delivery_rate),
               retry_limit = coalesce($8, retry_limit),
               on_uncertain = coalesce($9, on_uncertain),
               scheduled_at = coalesce($10, scheduled_at),
               not_after = coalesce($11, not_after),
               updated_at = now()
             WHERE id = $1",
            &[
                (&id, Type::UUID),
                (&patch.name.as_deref().map(str::trim), Type::TEXT),
                (&patch.batch_id, Type::UUID),
                (&patch.template_id, Type::UUID),
                (&patch.bot_id, Type::UUID),
                (&patch.params.map(Value::Object), Type::JSONB),
                (&patch.delivery_rate, Type::INT4),
                (&patch.retry_limit, Type::INT4),
                (&on_uncertain, Type::TEXT),
                (&patch.scheduled_at, Type::TIMESTAMPTZ),
                (&patch.not_after, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    if before.status == Status::Draft {
        check_params(transaction, id).await?;
    }
    let rate_changed = patch
        .delivery_rate
        .is_some_and(|rate| rate != before.delivery_rate);
    if rate_changed && before.status != Status::Draft {
        pace::set_rate(transaction, id).await?;
    }
    let after = get(transaction, id).await?;
    audit::record(
        transaction,
        actor,
        "CAMPAIGN_UPDATED",
        "campaign",
        id,
        json!({"before": before, "after": after}),
    )
    .await?;
    Ok(after)
}

/// Checks that a draft's params fill in all placeholders of its template, as the
/// template is now.
pub(super) async fn check_params(transaction: &Transaction<'_>, id: Uuid) -> Result<()> {
    let row = transaction
        .query_typed_one(
            "SELECT template_id, params FROM campaigns WHERE id = $1",
            &[(&id, Type::UUID)],
        )
        .await?;
    let template = templates::get(transaction, row.try_get("template_id")?).await?;
    let Value::Object(params) = row.try_get("params")? else {
        return Err(Error::invalid("params", "must be an object"));
    };
    templates::check_params(&template.content, &params)
}

/// The range of a delivery rate, in messages per minute.
const DELIVERY_RATE: RangeInclusive<i32> = 1..=60_000;

/// The range of a retry limit.
const RETRY_LIMIT: RangeInclusive<i32> = 0..=20;

/// A campaign can begin at its time, and both times can be kept.
fn check_times(
    scheduled_at: Option<DateTime<Utc>>,
    not_after: Option<DateTime<Utc>>,
) -> Result<()> {
    check::time("scheduledAt", scheduled_at)?;
    check::time("notAfter", not_after)?;
    match (scheduled_at, not_after) {
        (Some(begin), Some(end)) if end < begin => Err(Error::invalid(
            "notAfter",
            "must not be earlier than scheduledAt",
        )),
        _ => Ok(()),
    }
}

/// `table` is one of ours, never a user's text.
async fn check_exists(
    transaction: &Transaction<'_>,
    table: &str,
    field: &str,
    id: Uuid,
) -> Result<()> {
    let found = transaction
        .query_typed(
            &format!("SELECT FROM {table} WHERE id = $1"),
            &[(&id, Type::UUID)],
        )
        .await?;
    if found.is_empty() {
        return Err(Error::invalid(field, format!("there is none with id {id}")));
    }
    Ok(())
}

async fn default_bot(transaction: &Transaction<'_>) -> Result<Uuid> {
    let row = transaction
        .query_typed(
            "SELECT id FROM bots ORDER BY name = 'default' DESC, id LIMIT 1",
            &[],
        )
        .await?;
    match row.first() {
        Some(row) => Ok(row.try_get("id")?),
        None => Err(Error::invalid(
            "botId",
            "there is no bot yet; add one with POST /api/bots, or set TELEGRAM_BOT_TOKEN",
        )),
    }
}

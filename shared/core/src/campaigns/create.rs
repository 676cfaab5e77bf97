//! Campaigns are written as drafts, and checked as they are written.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use strum::{Display, EnumString, IntoStaticStr};
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{
    Campaign, Mode, QuietHours, get,
    settings::{
        DELIVERY_RATE, RETRY_LIMIT, UTC, check_exists, check_mode, check_params, check_recurrence,
        check_times, kept_rate,
    },
};
use crate::{
    Result,
    audit::{self, Actor},
    bots, check,
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
    JsonSchema,
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
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCampaign {
    /// 1 to 200 characters.
    #[schemars(length(min = 1, max = 200))]
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
    /// Messages per minute, 1 to 60,000; a test is kept to what its one chat takes.
    #[schemars(range(min = 1, max = 60_000))]
    pub delivery_rate: i32,
    /// Attempts after the first, for transient errors: 0 to 20.
    #[serde(default = "default_retry_limit")]
    #[schemars(range(min = 0, max = 20))]
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
    /// Hours of the day in which nothing is sent.
    pub quiet_hours: Option<QuietHours>,
    /// It recurs: once started, each occurrence of this expression starts a campaign of
    /// its own. Five fields, or six with seconds first.
    pub cron: Option<String>,
    /// The IANA time zone of `cron`; UTC if absent.
    pub timezone: Option<String>,
}

fn default_retry_limit() -> i32 {
    3
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
    let quiet_hours = new.quiet_hours.as_ref();
    quiet_hours.map_or(Ok(()), QuietHours::check)?;
    let has_times = new.scheduled_at.is_some() || new.not_after.is_some();
    check_recurrence(new.cron.as_deref(), new.timezone.as_deref(), has_times)?;
    let timezone = new
        .cron
        .as_ref()
        .map(|_| new.timezone.as_deref().unwrap_or(UTC));
    check_exists(transaction, "batches", "batchId", new.batch_id).await?;
    check_exists(transaction, "templates", "templateId", new.template_id).await?;
    let bot_id = bots::given_or_default(transaction, new.bot_id).await?;
    let id = Uuid::now_v7();
    let on_uncertain: &str = new.on_uncertain.into();
    let mode: &str = new.mode.into();
    transaction
        .execute_typed(
            include_str!("create.sql"),
            &[
                (&id, Type::UUID),
                (&new.name.trim(), Type::TEXT),
                (&new.batch_id, Type::UUID),
                (&new.template_id, Type::UUID),
                (&bot_id, Type::UUID),
                (&Value::Object(new.params), Type::JSONB),
                (
                    &kept_rate(new.delivery_rate, new.mode, new.test_chat_id),
                    Type::INT4,
                ),
                (&new.retry_limit, Type::INT4),
                (&on_uncertain, Type::TEXT),
                (&new.scheduled_at, Type::TIMESTAMPTZ),
                (&new.not_after, Type::TIMESTAMPTZ),
                (&actor.user_id, Type::UUID),
                (&mode, Type::TEXT),
                (&new.test_chat_id, Type::INT8),
                (&quiet_hours.map(|hours| hours.from), Type::TIME),
                (&quiet_hours.map(|hours| hours.to), Type::TIME),
                (&quiet_hours.map(|hours| &hours.timezone), Type::TEXT),
                (&new.cron, Type::TEXT),
                (&timezone, Type::TEXT),
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

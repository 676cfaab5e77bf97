//! Drafts can be changed in everything, and a campaign that runs in its rate.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{
    Campaign, OnUncertain, QuietHours, Status, get, pace,
    settings::{
        DELIVERY_RATE, RETRY_LIMIT, UTC, check_exists, check_params, check_recurrence, check_times,
        kept_rate,
    },
};
use crate::{
    Error, Result,
    audit::{self, Actor},
    check,
};

/// Changes to a campaign: all of them while it is a draft, the rate until it ends.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CampaignPatch {
    /// 1 to 200 characters.
    #[schemars(length(min = 1, max = 200))]
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
    #[schemars(range(min = 1, max = 60_000))]
    pub delivery_rate: Option<i32>,
    /// 0 to 20.
    #[schemars(range(min = 0, max = 20))]
    pub retry_limit: Option<i32>,
    /// Another policy.
    pub on_uncertain: Option<OnUncertain>,
    /// Another time to begin; null: at once.
    #[serde(default, deserialize_with = "check::nullable")]
    pub scheduled_at: Option<Option<DateTime<Utc>>>,
    /// Another time after which it must not begin; null: none.
    #[serde(default, deserialize_with = "check::nullable")]
    pub not_after: Option<Option<DateTime<Utc>>>,
    /// Other quiet hours; null: none.
    #[serde(default, deserialize_with = "check::nullable")]
    pub quiet_hours: Option<Option<QuietHours>>,
    /// Another expression; null: it does not recur.
    #[serde(default, deserialize_with = "check::nullable")]
    pub cron: Option<Option<String>>,
    /// Another time zone of `cron`; null: UTC.
    #[serde(default, deserialize_with = "check::nullable")]
    pub timezone: Option<Option<String>>,
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
            && self.quiet_hours.is_none()
            && self.cron.is_none()
            && self.timezone.is_none()
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
    let delivery_rate = patch
        .delivery_rate
        .map(|rate| kept_rate(rate, before.mode, before.test_chat_id));
    let scheduled_at = patch.scheduled_at.unwrap_or(before.scheduled_at);
    let not_after = patch.not_after.unwrap_or(before.not_after);
    check_times(scheduled_at, not_after)?;
    let quiet_hours = patch.quiet_hours.unwrap_or(before.quiet_hours.clone());
    if let Some(quiet_hours) = &quiet_hours {
        quiet_hours.check()?;
    }
    let cron = patch.cron.unwrap_or(before.cron.clone());
    // Without an expression the time zone goes too.
    let timezone = patch
        .timezone
        .unwrap_or(before.timezone.clone().filter(|_| cron.is_some()));
    let has_times = scheduled_at.is_some() || not_after.is_some();
    check_recurrence(cron.as_deref(), timezone.as_deref(), has_times)?;
    let timezone = cron.as_ref().map(|_| timezone.unwrap_or(UTC.to_owned()));
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
            include_str!("update.sql"),
            &[
                (&id, Type::UUID),
                (&patch.name.as_deref().map(str::trim), Type::TEXT),
                (&patch.batch_id, Type::UUID),
                (&patch.template_id, Type::UUID),
                (&patch.bot_id, Type::UUID),
                (&patch.params.map(Value::Object), Type::JSONB),
                (&delivery_rate, Type::INT4),
                (&patch.retry_limit, Type::INT4),
                (&on_uncertain, Type::TEXT),
                (&scheduled_at, Type::TIMESTAMPTZ),
                (&not_after, Type::TIMESTAMPTZ),
                (&quiet_hours.as_ref().map(|hours| hours.from), Type::TIME),
                (&quiet_hours.as_ref().map(|hours| hours.to), Type::TIME),
                (
                    &quiet_hours.as_ref().map(|hours| &hours.timezone),
                    Type::TEXT,
                ),
                (&cron, Type::TEXT),
                (&timezone, Type::TEXT),
            ],
        )
        .await?;
    if before.status == Status::Draft {
        check_params(transaction, id).await?;
    }
    let rate_changed = delivery_rate.is_some_and(|rate| rate != before.delivery_rate);
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

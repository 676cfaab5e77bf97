//! A campaign as its readers see it: settings, state, counts, and when it will end.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use telecast_queue::occurrences;
use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use super::{Mode, OnUncertain, PauseReason, QuietHours, Status};
use crate::{
    Error, Result,
    page::{List, Page},
    row::parse,
};

/// Message jobs by state. `pending` counts all that are not terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// All message jobs; 0 until the campaign is planned.
    pub total: i32,
    /// Not terminal yet: waiting, being sent, or waiting for a retry.
    pub pending: i32,
    /// Accepted by Telegram.
    pub sent: i32,
    /// Given up.
    pub failed: i32,
    /// Not sent because the channel is inactive or opted out.
    pub skipped: i32,
    /// Telegram may or may not have accepted it.
    pub uncertain: i32,
    /// Not sent because the campaign was cancelled.
    pub cancelled: i32,
}

impl Counts {
    /// Message jobs that are terminal.
    pub fn done(&self) -> i32 {
        self.total - self.pending
    }
}

/// A campaign.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Campaign {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The batch whose channels get the message.
    pub batch_id: Uuid,
    /// The template of the message.
    pub template_id: Uuid,
    /// The template's version, pinned at start.
    pub template_version: Option<i32>,
    /// The bot that sends.
    pub bot_id: Uuid,
    /// Values of the template's `{{params.…}}`.
    pub params: Value,
    /// What it is doing.
    pub status: Status,
    /// Why it is paused, if it is.
    pub pause_reason: Option<PauseReason>,
    /// When a flood wait ends by itself.
    pub resumes_at: Option<DateTime<Utc>>,
    /// Why it failed, if it did.
    pub failure: Option<String>,
    /// Messages per minute.
    pub delivery_rate: i32,
    /// Attempts after the first, for transient errors.
    pub retry_limit: i32,
    /// What becomes of a message that Telegram may or may not have accepted.
    pub on_uncertain: OnUncertain,
    /// Whom it reaches.
    pub mode: Mode,
    /// The chat that gets the messages of a test.
    pub test_chat_id: Option<i64>,
    /// When a start begins, if not at once.
    pub scheduled_at: Option<DateTime<Utc>>,
    /// When a campaign that has not begun is missed.
    pub not_after: Option<DateTime<Utc>>,
    /// Hours of the day in which nothing is sent.
    pub quiet_hours: Option<QuietHours>,
    /// It recurs by this expression: its occurrences are campaigns of their own.
    pub cron: Option<String>,
    /// The time zone of `cron`.
    pub timezone: Option<String>,
    /// When it recurs next; none while it does not.
    pub next_occurrence: Option<DateTime<Utc>>,
    /// The campaign that it is an occurrence of.
    pub recurs_as: Option<Uuid>,
    /// Message jobs by state.
    pub counts: Counts,
    /// When the last message job should be done, as things stand; none while that is unknowable.
    pub eta: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it reached a final state.
    pub finished_at: Option<DateTime<Utc>>,
}

const READ: &str = include_str!("read.sql");

/// The campaign with this id.
pub async fn get(client: &impl GenericClient, id: Uuid) -> Result<Campaign> {
    rows(client, Some(id), None, None, 1)
        .await?
        .pop()
        .ok_or_else(|| Error::not_found("campaign", id))
}

/// A page of campaigns, newest first; with a status, only those that have it.
pub async fn list(
    client: &impl GenericClient,
    status: Option<Status>,
    page: Page,
) -> Result<List<Campaign>> {
    let campaigns = rows(client, None, page.after(), status, page.fetch()).await?;
    Ok(page.list(campaigns, |campaign| campaign.id))
}

async fn rows(
    client: &impl GenericClient,
    id: Option<Uuid>,
    after: Option<Uuid>,
    status: Option<Status>,
    limit: i64,
) -> Result<Vec<Campaign>> {
    let status: Option<&str> = status.map(Into::into);
    client
        .query_typed(
            READ,
            &[
                (&id, Type::UUID),
                (&after, Type::UUID),
                (&status, Type::TEXT),
                (&limit, Type::INT8),
            ],
        )
        .await?
        .iter()
        .map(campaign)
        .collect()
}

fn campaign(row: &Row) -> Result<Campaign> {
    let counted = |column| row.try_get::<_, i32>(column);
    let mut counts = Counts {
        total: counted("total")?,
        pending: 0,
        sent: counted("sent")?,
        failed: counted("failed")?,
        skipped: counted("skipped")?,
        uncertain: counted("uncertain")?,
        cancelled: counted("cancelled")?,
    };
    counts.pending = counts.total
        - counts.sent
        - counts.failed
        - counts.skipped
        - counts.uncertain
        - counts.cancelled;
    let status = parse(row, "status")?;
    let pause_reason = match row.try_get::<_, Option<&str>>("pause_reason")? {
        Some(_) => Some(parse(row, "pause_reason")?),
        None => None,
    };
    let cron: Option<String> = row.try_get("cron")?;
    let timezone: Option<String> = row.try_get("cron_zone")?;
    Ok(Campaign {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        batch_id: row.try_get("batch_id")?,
        template_id: row.try_get("template_id")?,
        template_version: row.try_get("template_version")?,
        bot_id: row.try_get("bot_id")?,
        params: row.try_get("params")?,
        status,
        pause_reason,
        resumes_at: row.try_get("resumes_at")?,
        failure: row.try_get("failure")?,
        delivery_rate: row.try_get("delivery_rate")?,
        retry_limit: row.try_get("retry_limit")?,
        on_uncertain: parse(row, "on_uncertain")?,
        mode: parse(row, "mode")?,
        test_chat_id: row.try_get("test_chat_id")?,
        scheduled_at: row.try_get("scheduled_at")?,
        not_after: row.try_get("not_after")?,
        quiet_hours: QuietHours::from_row(row)?,
        next_occurrence: next_occurrence(
            status,
            cron.as_deref(),
            timezone.as_deref(),
            row.try_get("now")?,
        ),
        cron,
        timezone,
        recurs_as: row.try_get("recurs_as")?,
        counts,
        eta: row.try_get("eta")?,
        created_at: row.try_get("created_at")?,
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
    })
}

fn next_occurrence(
    status: Status,
    cron: Option<&str>,
    timezone: Option<&str>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    if status != Status::Queued {
        return None;
    }
    let next = occurrences(cron?, timezone?, now, 1).ok()?;
    next.into_iter().next()
}

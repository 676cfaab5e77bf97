//! Who did what, and when. A row is written in the transaction of the deed.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, Row, Transaction};
use uuid::Uuid;

use crate::{
    Result, check,
    page::{List, Page},
    webhooks::{self, Event},
};

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The user; none for what the system does by itself.
    pub user_id: Option<Uuid>,
    /// The user's name, kept in the log when the user is gone.
    pub name: String,
    /// Where the request came from.
    pub ip: Option<String>,
}

impl Actor {
    /// What Telecast does by itself: a flood wait, a finished campaign.
    pub fn system() -> Self {
        Self {
            user_id: None,
            name: "system".to_owned(),
            ip: None,
        }
    }
}

/// Writes one row into the audit log, in the caller's transaction. `action` is
/// an UPPER_CASE word such as `CAMPAIGN_STARTED`, `subject_type` a kind of
/// thing such as `campaign`, and `details` an object; secrets do not belong there.
/// Webhooks that want to know of it are told, once the transaction is committed.
pub async fn record(
    tx: &Transaction<'_>,
    actor: &Actor,
    action: &str,
    subject_type: &str,
    subject_id: impl ToString,
    details: Value,
) -> Result<()> {
    let subject_id = subject_id.to_string();
    tx.execute_typed(
        include_str!("record.sql"),
        &[
            (&Uuid::now_v7(), Type::UUID),
            (&actor.user_id, Type::UUID),
            (&actor.name, Type::TEXT),
            (&action, Type::TEXT),
            (&subject_type, Type::TEXT),
            (&subject_id, Type::TEXT),
            (&details, Type::JSONB),
            (&actor.ip, Type::TEXT),
        ],
    )
    .await?;
    if let Some(event) = Event::of_action(action)
        && let Ok(campaign_id) = subject_id.parse()
    {
        webhooks::announce(tx, event, campaign_id, &details).await?;
    }
    Ok(())
}

/// One row of the audit log.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Time-ordered.
    pub id: Uuid,
    /// When the transaction of the deed began.
    pub occurred_at: DateTime<Utc>,
    /// The user; null for the system.
    pub user_id: Option<Uuid>,
    /// The user's name at that time, or `system`.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub subject_type: String,
    /// To which.
    pub subject_id: String,
    /// More, by action.
    pub details: Value,
    /// Where the request came from.
    pub ip: Option<String>,
}

impl Entry {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            occurred_at: row.try_get("occurred_at")?,
            user_id: row.try_get("user_id")?,
            actor: row.try_get("actor")?,
            action: row.try_get("action")?,
            subject_type: row.try_get("subject_type")?,
            subject_id: row.try_get("subject_id")?,
            details: row.try_get("details")?,
            ip: row.try_get("ip")?,
        })
    }
}

/// What to look for; an absent field matches everything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// An exact action.
    pub action: Option<String>,
    /// A kind of thing.
    pub subject_type: Option<String>,
    /// One thing's id.
    pub subject_id: Option<String>,
    /// One user's deeds.
    pub user_id: Option<Uuid>,
    /// At or after this time.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub until: Option<DateTime<Utc>>,
}

/// Reads the audit log, newest first.
///
/// # Errors
/// `Invalid` for a time that PostgreSQL cannot keep.
pub async fn list(client: &impl GenericClient, filter: &Filter, page: Page) -> Result<List<Entry>> {
    check::time("from", filter.from)?;
    check::time("until", filter.until)?;
    let rows = client
        .query_typed(
            include_str!("list.sql"),
            &[
                (&filter.action, Type::TEXT),
                (&filter.subject_type, Type::TEXT),
                (&filter.subject_id, Type::TEXT),
                (&filter.user_id, Type::UUID),
                (&filter.from, Type::TIMESTAMPTZ),
                (&filter.until, Type::TIMESTAMPTZ),
                (&page.after(), Type::UUID),
                (&page.fetch(), Type::INT8),
            ],
        )
        .await?;
    let entries = rows.iter().map(Entry::from_row).collect::<Result<_>>()?;
    Ok(page.list(entries, |entry: &Entry| entry.id))
}

//! A queue job, as fetched or looked up.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::Error;
use crate::queue::Param;

/// What every statement that answers with jobs selects first; [`Job::from_row`] reads it.
/// The state is cast: a pooler has no place for the look-up of an enum's type.
pub(crate) const COLUMNS: &str = "\
id, name, data, state::text AS state, priority, policy, \
retry_limit, retry_count, retry_delay, retry_backoff, retry_delay_max, \
expire_seconds, deletion_seconds, heartbeat_seconds, \
singleton_key, singleton_on AT TIME ZONE 'UTC' AS singleton_on, group_id, group_tier, \
start_after, created_on, started_on, heartbeat_on, completed_on, keep_until, \
output, dead_letter, blocked, blocking, pending_dependencies, \
source_name, source_id, source_created_on, source_retry_count";

/// Where a job is in its life, in the order of pg-boss's enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Waits for its first attempt.
    Created,
    /// Waits for another attempt.
    Retry,
    /// An attempt runs.
    Active,
    /// Done.
    Completed,
    /// Taken out by somebody; can be resumed.
    Cancelled,
    /// Out of attempts; can be retried.
    Failed,
}

impl State {
    /// Every state, in order.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Retry,
        Self::Active,
        Self::Completed,
        Self::Cancelled,
        Self::Failed,
    ];

    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Retry => "retry",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A row of the job table. As JSON it is what pg-boss calls a job with metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields bear pg-boss's documented names")]
pub struct Job {
    pub id: Uuid,
    /// The queue's name.
    pub name: String,
    #[serde(default)]
    pub data: Value,
    pub state: State,
    pub priority: i32,
    pub policy: Option<String>,
    pub retry_limit: i32,
    /// Attempts before this one.
    pub retry_count: i32,
    pub retry_delay: i32,
    pub retry_backoff: bool,
    pub retry_delay_max: Option<i32>,
    pub expire_in_seconds: i32,
    pub delete_after_seconds: i32,
    pub heartbeat_seconds: Option<i32>,
    pub singleton_key: Option<String>,
    pub singleton_on: Option<DateTime<Utc>>,
    pub group_id: Option<String>,
    pub group_tier: Option<String>,
    pub start_after: DateTime<Utc>,
    pub created_on: DateTime<Utc>,
    /// The start of the last attempt.
    pub started_on: Option<DateTime<Utc>>,
    pub heartbeat_on: Option<DateTime<Utc>>,
    pub completed_on: Option<DateTime<Utc>>,
    pub keep_until: DateTime<Utc>,
    pub output: Option<Value>,
    pub dead_letter: Option<String>,
    pub blocked: bool,
    pub blocking: bool,
    pub pending_dependencies: i32,
    pub source_name: Option<String>,
    pub source_id: Option<Uuid>,
    pub source_created_on: Option<DateTime<Utc>>,
    pub source_retry_count: Option<i32>,
}

impl Job {
    /// Reads a row of [`COLUMNS`].
    pub(crate) fn from_row(row: &Row) -> Result<Self, Error> {
        Self::read(row).map_err(Error::Row)
    }

    /// By place: looking 33 names up in a row takes longer than all the rest.
    fn read(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let state: &str = row.try_get(3)?;
        Ok(Self {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            data: row.try_get::<_, Option<Value>>(2)?.unwrap_or_default(),
            // A state of a later schema reads as active: not ours to touch.
            state: State::parse(state).unwrap_or(State::Active),
            priority: row.try_get(4)?,
            policy: row.try_get(5)?,
            retry_limit: row.try_get(6)?,
            retry_count: row.try_get(7)?,
            retry_delay: row.try_get(8)?,
            retry_backoff: row.try_get(9)?,
            retry_delay_max: row.try_get(10)?,
            expire_in_seconds: row.try_get(11)?,
            delete_after_seconds: row.try_get(12)?,
            heartbeat_seconds: row.try_get(13)?,
            singleton_key: row.try_get(14)?,
            singleton_on: row.try_get(15)?,
            group_id: row.try_get(16)?,
            group_tier: row.try_get(17)?,
            start_after: row.try_get(18)?,
            created_on: row.try_get(19)?,
            started_on: row.try_get(20)?,
            heartbeat_on: row.try_get(21)?,
            completed_on: row.try_get(22)?,
            keep_until: row.try_get(23)?,
            output: row.try_get(24)?,
            dead_letter: row.try_get(25)?,
            blocked: row.try_get(26)?,
            blocking: row.try_get(27)?,
            pending_dependencies: row.try_get(28)?,
            source_name: row.try_get(29)?,
            source_id: row.try_get(30)?,
            source_created_on: row.try_get(31)?,
            source_retry_count: row.try_get(32)?,
        })
    }

    /// What names this attempt of the job, and no earlier or later one.
    #[must_use]
    pub fn fence(&self) -> Fence {
        Fence {
            id: self.id,
            retry_count: self.retry_count,
            started_on: self.started_on,
        }
    }
}

/// One attempt of a job. An operation given a fence does nothing once the job has
/// gone on to another attempt; `started_on` tells apart two attempts of which the
/// first was not charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fence {
    /// The job.
    pub id: Uuid,
    /// Attempts charged before this one.
    pub retry_count: i32,
    /// The start of this attempt; none matches any.
    pub started_on: Option<DateTime<Utc>>,
}

/// A job to settle: whatever attempt runs, or one attempt only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobRef {
    /// The job, whoever works on it.
    Id(Uuid),
    /// This attempt of it.
    Attempt(Fence),
}

impl From<Uuid> for JobRef {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl From<Fence> for JobRef {
    fn from(fence: Fence) -> Self {
        Self::Attempt(fence)
    }
}

impl From<&Job> for JobRef {
    fn from(job: &Job) -> Self {
        Self::Attempt(job.fence())
    }
}

/// [`JobRef`]s as the three arrays that statements unnest.
#[derive(Debug, Default)]
pub(crate) struct Refs {
    ids: Vec<Uuid>,
    retry_counts: Vec<Option<i32>>,
    started_ons: Vec<Option<DateTime<Utc>>>,
}

impl Refs {
    pub(crate) fn new<R: Into<JobRef>>(refs: impl IntoIterator<Item = R>) -> Self {
        let mut all = Self::default();
        for one in refs {
            let (id, retry_count, started_on) = match one.into() {
                JobRef::Id(id) => (id, None, None),
                JobRef::Attempt(fence) => (fence.id, Some(fence.retry_count), fence.started_on),
            };
            all.ids.push(id);
            all.retry_counts.push(retry_count);
            all.started_ons.push(started_on);
        }
        all
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn params(&self) -> [Param<'_>; 3] {
        [
            (&self.ids, Type::UUID_ARRAY),
            (&self.retry_counts, Type::INT4_ARRAY),
            (&self.started_ons, Type::TIMESTAMPTZ_ARRAY),
        ]
    }
}

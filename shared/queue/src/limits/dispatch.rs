//! Taking due jobs under their limits.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_postgres::types::Type;

use super::interval::Interval;
use crate::{Connection, Error, Job, Queue};

/// The step of a key that has no limit of its own.
const KEY_STEP: Duration = Duration::from_secs(1);

/// Takes up to `max` due jobs of `queue_name` that all their limits grant, charges
/// the limits, and gives the jobs, now active, in the order they were due. `now` is
/// for tests; none is the database's clock.
///
/// Fewer than `max` does not mean that no more are due: a turn gives each waiting
/// group its fair share. Call again until there is none.
///
/// # Errors
/// [`Error::Database`]; no job was taken then.
pub async fn dispatch(
    queue: &Queue,
    client: &impl Connection,
    queue_name: &str,
    max: u32,
    now: Option<DateTime<Utc>>,
) -> Result<Vec<Job>, Error> {
    let rows = queue
        .query(
            client,
            include_str!("dispatch.sql"),
            &[
                (&queue_name, Type::TEXT),
                (&i64::from(max), Type::INT8),
                (&now, Type::TIMESTAMPTZ),
                (&Interval(KEY_STEP), Type::INTERVAL),
            ],
        )
        .await?;
    rows.iter().map(Job::from_row).collect()
}

/// The statement behind [`dispatch`], for `EXPLAIN`.
#[doc(hidden)]
#[must_use]
pub fn dispatch_statement(queue: &Queue) -> String {
    queue.sql(include_str!("dispatch.sql")).to_string()
}

/// How long until the first job of `queue_name` that its limits may grant; none when
/// no job waits, or none but under a hold without end. Zero means: dispatch now.
///
/// # Errors
/// [`Error::Database`].
pub async fn next_due(
    queue: &Queue,
    client: &impl Connection,
    queue_name: &str,
    now: Option<DateTime<Utc>>,
) -> Result<Option<Duration>, Error> {
    let seconds = first_due(queue, client, queue_name, now).await?;
    Ok(seconds.map(|seconds| Duration::from_secs_f64(seconds.max(0.0))))
}

/// Since when the limits of `queue_name` would have granted its first job that waits;
/// none when none may go. A backlog that drains at its rate is not late, and what is
/// held is not due.
///
/// # Errors
/// [`Error::Database`].
pub async fn lateness(
    queue: &Queue,
    client: &impl Connection,
    queue_name: &str,
) -> Result<Option<Duration>, Error> {
    let seconds = first_due(queue, client, queue_name, None).await?;
    let late = seconds.filter(|seconds| *seconds < 0.0);
    Ok(late.map(|seconds| Duration::from_secs_f64(-seconds)))
}

/// Seconds until the first job may go; fewer than none where it is late.
async fn first_due(
    queue: &Queue,
    client: &impl Connection,
    queue_name: &str,
    now: Option<DateTime<Utc>>,
) -> Result<Option<f64>, Error> {
    let rows = queue
        .query(
            client,
            include_str!("next_due.sql"),
            &[(&queue_name, Type::TEXT), (&now, Type::TIMESTAMPTZ)],
        )
        .await?;
    let row = rows.first();
    row.map(|row| row.try_get(0).map_err(Error::Row))
        .transpose()
}

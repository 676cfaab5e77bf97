//! Limits: rates that jobs are charged to when they are dispatched.
//!
//! A queue that has limits is worked by [`dispatch`] instead of a plain fetch. Each
//! of its jobs belongs to a group (`group_id`); a group has a [`Limit`] of its own
//! and shares its parent's, the queue limit, fairly with the other groups there. A
//! job may also name a key (`group_tier`), which has a limit too: one that many
//! groups may meet in, such as a recipient. A job is dispatched only when all its
//! limits grant it, and in the same statement they are charged.
//!
//! A limit is a GCRA, kept in one row and judged by the database's clock. So any
//! number of dispatchers may work at once; idle time earns a burst of
//! `tolerance / step` and no more; and a backlog drains at the rate.
//!
//! ```no_run
//! # use std::time::Duration;
//! # use telecast_queue::{Queue, limits::{self, Limit}};
//! # async fn example(queue: &Queue, client: &tokio_postgres::Client) -> Result<(), telecast_queue::Error> {
//! let second = Duration::from_secs(1);
//! // All mail: 25 a second, whoever sends it; a customer: 2 a second.
//! limits::set_queue_limit(client, "provider", "mail", Limit::rate(25, second)).await?;
//! limits::set_group_limit(client, "customer-7", "provider", Limit::rate(2, second)).await?;
//! let jobs = limits::dispatch(queue, client, "mail", 100, None).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The table is made by `sql/limits.sql` of this crate, in the schema `public`. A
//! queue with many deferred jobs wants `partition: true` and an index on
//! `(group_id, start_after) WHERE state < 'active' AND NOT blocked`.

mod dispatch;
mod interval;

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_postgres::{GenericClient, types::Type};

#[doc(hidden)]
pub use dispatch::dispatch_statement;
pub use dispatch::{dispatch, lateness, next_due};
use interval::Interval;

use crate::Error;

/// The table's definition, for those who bring their database up by hand.
pub const SCHEMA: &str = include_str!("../../sql/limits.sql");

/// A rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// One job each step. At least a microsecond.
    pub step: Duration,
    /// How much earlier than its step a job may come, after idle time or after a
    /// late one: `tolerance / step` jobs more than one may come at once.
    pub tolerance: Duration,
}

impl Limit {
    /// So many jobs per period, evenly, without a burst.
    pub fn rate(jobs: u32, period: Duration) -> Self {
        Self {
            step: period / jobs.max(1),
            tolerance: Duration::ZERO,
        }
    }
}

/// A hold, as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// Nothing is granted before; none: until it is released.
    pub until: Option<DateTime<Utc>>,
    /// Whether an earlier hold was still in force.
    pub was_held: bool,
}

/// Makes or changes a limit that the groups of a queue share.
pub async fn set_queue_limit(
    client: &impl GenericClient,
    id: &str,
    queue: &str,
    limit: Limit,
) -> Result<(), Error> {
    set(client, id, Some(queue), None, limit).await
}

/// Makes or changes the limit of a group, under a queue limit that exists.
pub async fn set_group_limit(
    client: &impl GenericClient,
    group_id: &str,
    parent_id: &str,
    limit: Limit,
) -> Result<(), Error> {
    set(client, group_id, None, Some(parent_id), limit).await
}

/// Makes or changes the limits of keys. A key without one gets one job a second.
pub async fn set_key_limits(
    client: &impl GenericClient,
    keys: &[String],
    limit: Limit,
) -> Result<(), Error> {
    client
        .execute_typed(
            include_str!("set_keys.sql"),
            &[
                (&keys, Type::TEXT_ARRAY),
                (&Interval(limit.step), Type::INTERVAL),
                (&Interval(limit.tolerance), Type::INTERVAL),
            ],
        )
        .await?;
    Ok(())
}

async fn set(
    client: &impl GenericClient,
    id: &str,
    queue: Option<&str>,
    parent_id: Option<&str>,
    limit: Limit,
) -> Result<(), Error> {
    client
        .execute_typed(
            include_str!("set.sql"),
            &[
                (&id, Type::TEXT),
                (&queue, Type::TEXT),
                (&parent_id, Type::TEXT),
                (&Interval(limit.step), Type::INTERVAL),
                (&Interval(limit.tolerance), Type::INTERVAL),
            ],
        )
        .await?;
    Ok(())
}

/// Lets a queue limit grant at most so many jobs in a day (UTC), beside its rate; none:
/// any number. A job that comes back unfinished and is dispatched again counts again.
pub async fn set_daily(
    client: &impl GenericClient,
    id: &str,
    jobs: Option<i32>,
) -> Result<(), Error> {
    client
        .execute_typed(
            "UPDATE public.limits SET daily = $2 WHERE id = $1 AND daily IS DISTINCT FROM $2",
            &[(&id, Type::TEXT), (&jobs, Type::INT4)],
        )
        .await?;
    Ok(())
}

/// Lets a limit grant nothing for a while; a longer hold stays.
pub async fn hold(
    client: &impl GenericClient,
    id: &str,
    duration: Duration,
) -> Result<Hold, Error> {
    let row = client
        .query_typed_one(
            include_str!("hold.sql"),
            &[(&id, Type::TEXT), (&Interval(duration), Type::INTERVAL)],
        )
        .await?;
    Ok(Hold {
        until: row.try_get("held_until").map_err(Error::Row)?,
        was_held: row.try_get("was_held").map_err(Error::Row)?,
    })
}

/// Lets a limit grant nothing until it is released.
pub async fn hold_indefinitely(client: &impl GenericClient, id: &str) -> Result<(), Error> {
    client
        .execute_typed(
            "UPDATE public.limits SET held_until = 'infinity' WHERE id = $1",
            &[(&id, Type::TEXT)],
        )
        .await?;
    Ok(())
}

/// Ends a hold, however long it was.
pub async fn release(client: &impl GenericClient, id: &str) -> Result<(), Error> {
    client
        .execute_typed(
            "UPDATE public.limits SET held_until = '-infinity' WHERE id = $1",
            &[(&id, Type::TEXT)],
        )
        .await?;
    Ok(())
}

/// Removes limits: of groups that are done, of keys that are idle. Gives how many there were.
pub async fn remove(client: &impl GenericClient, ids: &[String]) -> Result<u64, Error> {
    Ok(client
        .execute_typed(
            "DELETE FROM public.limits WHERE id = ANY ($1)",
            &[(&ids, Type::TEXT_ARRAY)],
        )
        .await?)
}

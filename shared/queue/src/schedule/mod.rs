//! Schedules: jobs that come by themselves, by a cron expression in a time zone.

mod occurrence;
mod pass;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::{Connection, Error, JobOptions, Queue, validate};

pub use pass::{BrokenSchedule, CRON_INTERVAL, CronPass};

/// What comes of occurrences that fell due while no client looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missed {
    /// Nothing.
    #[default]
    Skip,
    /// One job, however many there were.
    Once,
}

/// A schedule to keep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewSchedule {
    /// The queue that gets the jobs.
    pub queue: String,
    /// Tells apart several schedules of one queue; may be empty.
    pub key: String,
    /// Five fields, or six with seconds first.
    pub cron: String,
    /// An IANA time zone; UTC where left out.
    pub timezone: Option<String>,
    /// The jobs' data.
    pub data: Value,
    /// The jobs' options.
    pub options: JobOptions,
    /// What comes of missed occurrences.
    pub missed: Missed,
}

/// A schedule as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields bear pg-boss's documented names")]
pub struct Schedule {
    pub name: String,
    pub key: String,
    /// `cron`, or `rrule` for a schedule that only Node clients run.
    pub kind: String,
    pub cron: String,
    pub timezone: String,
    pub data: Option<Value>,
    pub options: Option<Value>,
    pub created_on: DateTime<Utc>,
    pub updated_on: DateTime<Utc>,
    pub last_job_id: Option<Uuid>,
}

impl NewSchedule {
    /// The job's options and the schedule's own, as pg-boss keeps them together.
    fn options_json(&self) -> Result<Value, Error> {
        let options = serde_json::to_value(&self.options)
            .map_err(|error| Error::Schedule(error.to_string()))?;
        let Value::Object(mut json) = options else {
            return Ok(Value::Object(Map::new()));
        };
        if let Some(timezone) = &self.timezone {
            json.insert("tz".to_owned(), timezone.as_str().into());
        }
        if !self.key.is_empty() {
            json.insert("key".to_owned(), self.key.as_str().into());
        }
        if self.missed == Missed::Once {
            json.insert("missed".to_owned(), "once".into());
        }
        Ok(Value::Object(json))
    }
}

impl Schedule {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let read = || -> Result<Self, tokio_postgres::Error> {
            Ok(Self {
                name: row.try_get("name")?,
                key: row.try_get("key")?,
                kind: row.try_get("kind")?,
                cron: row.try_get("cron")?,
                timezone: row.try_get("timezone")?,
                data: row.try_get("data")?,
                options: row.try_get("options")?,
                created_on: row.try_get("created_on")?,
                updated_on: row.try_get("updated_on")?,
                last_job_id: row.try_get("last_job_id")?,
            })
        };
        read().map_err(Error::Row)
    }
}

impl Queue {
    /// Keeps a schedule, in place of the one of the same queue and key.
    ///
    /// # Errors
    /// [`Error::Schedule`] for an expression or a time zone that cannot be read;
    /// [`Error::UnknownQueue`]; [`Error::Invalid`].
    pub async fn schedule(&self, client: &impl Connection, new: &NewSchedule) -> Result<(), Error> {
        validate::queue_name("name", &new.queue)?;
        if !new.key.is_empty() {
            validate::queue_name("key", &new.key)?;
        }
        validate::object("data", &new.data)?;
        new.options.check()?;
        let timezone = new.timezone.as_deref().unwrap_or("UTC");
        occurrence::check(&new.cron, timezone)?;
        let data = (!new.data.is_null()).then_some(&new.data);
        let kept = self
            .query(
                client,
                include_str!("put.sql"),
                &[
                    (&new.queue, Type::TEXT),
                    (&new.key, Type::TEXT),
                    (&new.cron, Type::TEXT),
                    (&timezone, Type::TEXT),
                    (&data, Type::JSONB),
                    (&new.options_json()?, Type::JSONB),
                ],
            )
            .await;
        match kept {
            Err(Error::Database(error))
                if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) =>
            {
                Err(Error::UnknownQueue(new.queue.clone()))
            }
            kept => kept.map(|_| ()),
        }
    }

    /// Ends a schedule; one that does not exist is no error.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn unschedule(
        &self,
        client: &impl Connection,
        queue: &str,
        key: &str,
    ) -> Result<(), Error> {
        let sql = "DELETE FROM {schema}.schedule WHERE name = $1 AND key = $2";
        self.query(client, sql, &[(&queue, Type::TEXT), (&key, Type::TEXT)])
            .await?;
        Ok(())
    }

    /// The schedules: all, or those of a queue, or the one of a queue and key.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn schedules(
        &self,
        client: &impl Connection,
        queue: Option<&str>,
        key: Option<&str>,
    ) -> Result<Vec<Schedule>, Error> {
        let rows = self
            .query(
                client,
                include_str!("get.sql"),
                &[(&queue, Type::TEXT), (&key, Type::TEXT)],
            )
            .await?;
        rows.iter().map(Schedule::from_row).collect()
    }
}

/// The next occurrences of a cron expression after a time, at most so many.
///
/// ```
/// let from = "2030-03-30T12:00:00Z".parse().unwrap();
/// let next = telecast_queue::occurrences("0 9 * * *", "Europe/Berlin", from, 2)?;
/// assert_eq!(next[0].to_rfc3339(), "2030-03-31T07:00:00+00:00"); // Summer time has begun.
/// # Ok::<(), telecast_queue::Error>(())
/// ```
///
/// # Errors
/// [`Error::Schedule`] for an expression or a time zone that cannot be read.
pub fn occurrences(
    cron: &str,
    timezone: &str,
    from: DateTime<Utc>,
    count: usize,
) -> Result<Vec<DateTime<Utc>>, Error> {
    occurrence::after(cron, timezone, from, count)
}

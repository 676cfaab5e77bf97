//! The pass over all schedules, which makes jobs of what has come due.
//!
//! A pass runs in two steps, as pg-boss's does, so that both sorts of client can
//! share the work: it files each occurrence as a job of an internal queue, under a
//! slot that only one such job can have; then whoever fetches that job sends the
//! schedule's own.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::types::Type;

use super::{Missed, Schedule, occurrence};
use crate::{
    Connection, Error, Failure, Fetch, JobOptions, NewJob, Queue, QueueOptions, Send, Sent,
};

/// The queue through which occurrences go.
const SEND_IT: &str = "__pgboss__send-it";
/// How long an occurrence stays due, and how wide its slot is.
const WINDOW: TimeDelta = TimeDelta::seconds(60);
/// How far apart passes are, of all clients together; as pg-boss has it.
pub const CRON_INTERVAL: Duration = Duration::from_secs(30);

/// What a pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CronPass {
    /// Whether the pass was this client's: another may have run it a moment ago.
    pub claimed: bool,
    /// How many jobs were sent.
    pub sent: usize,
    /// Schedules that cannot be run.
    pub broken: Vec<BrokenSchedule>,
}

/// A schedule that cannot be run, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenSchedule {
    /// Its queue.
    pub name: String,
    /// Its key.
    pub key: String,
    /// What is wrong.
    pub problem: String,
}

/// An occurrence on its way through the internal queue.
#[derive(Serialize, Deserialize)]
struct Occurrence {
    name: String,
    #[serde(default)]
    key: String,
    data: Option<Value>,
    options: Option<Value>,
    slot: Option<String>,
}

impl Queue {
    /// Makes jobs of what has come due, if no other client did so within `interval`
    /// (usually [`CRON_INTERVAL`]); call it at least that often. `now` is for tests;
    /// none is the database's clock. Each occurrence makes one job, however many
    /// clients run passes, of this crate or of pg-boss.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn run_schedules(
        &self,
        client: &impl Connection,
        interval: Duration,
        now: Option<DateTime<Utc>>,
    ) -> Result<CronPass, Error> {
        let mut pass = CronPass::default();
        let rows = self
            .query(
                client,
                include_str!("claim.sql"),
                &[
                    (&interval.as_secs_f64(), Type::FLOAT8),
                    (&now, Type::TIMESTAMPTZ),
                ],
            )
            .await?;
        let Some(row) = rows.first() else {
            return Ok(pass);
        };
        pass.claimed = row.get("claimed");
        let schedules = self.schedules(client, None, None).await?;
        if schedules.is_empty() {
            return Ok(pass);
        }
        self.create_queue(client, SEND_IT, &QueueOptions::default())
            .await?;
        if pass.claimed {
            let (now, last_pass) = (row.get("now"), row.get("last_pass"));
            let mut due = Vec::new();
            for schedule in &schedules {
                match due_slots(schedule, now, last_pass) {
                    Ok(slots) => due.extend(slots.into_iter().map(|slot| file(schedule, slot))),
                    Err(error) => pass.broken.push(BrokenSchedule {
                        name: schedule.name.clone(),
                        key: schedule.key.clone(),
                        problem: error.to_string(),
                    }),
                }
            }
            if !due.is_empty() {
                self.insert_count(client, SEND_IT, &due).await?;
            }
        }
        pass.sent = self.forward(client, &mut pass.broken).await?;
        Ok(pass)
    }

    /// Sends what waits in the internal queue.
    async fn forward(
        &self,
        client: &impl Connection,
        broken: &mut Vec<BrokenSchedule>,
    ) -> Result<usize, Error> {
        let fetch = Fetch {
            batch: 50,
            ..Fetch::from(SEND_IT)
        };
        let mut sent = 0;
        loop {
            let jobs = self.fetch(client, &fetch).await?;
            if jobs.is_empty() {
                return Ok(sent);
            }
            for job in jobs {
                match self.forward_one(client, &job).await {
                    Ok(made) => {
                        sent += usize::from(made);
                        self.complete(client, SEND_IT, [&job], None).await?;
                    }
                    Err(Error::Database(error)) => return Err(Error::Database(error)),
                    Err(error) => {
                        let failure = Failure {
                            output: Some(serde_json::json!({ "message": error.to_string() })),
                            terminal: true,
                            ..Failure::default()
                        };
                        self.fail(client, SEND_IT, [&job], &failure).await?;
                        broken.push(BrokenSchedule {
                            name: job.data["name"].as_str().unwrap_or_default().to_owned(),
                            key: job.data["key"].as_str().unwrap_or_default().to_owned(),
                            problem: error.to_string(),
                        });
                    }
                }
            }
        }
    }

    async fn forward_one(&self, client: &impl Connection, job: &crate::Job) -> Result<bool, Error> {
        let unreadable = |error: serde_json::Error| Error::Schedule(error.to_string());
        let occurrence: Occurrence =
            serde_json::from_value(job.data.clone()).map_err(unreadable)?;
        let mut options: JobOptions = match occurrence.options {
            Some(options) => serde_json::from_value(options).map_err(unreadable)?,
            None => JobOptions::default(),
        };
        // Sent again after a crash, it is the same job.
        options.id.get_or_insert(job.id);
        let send = Send {
            queue: occurrence.name,
            data: occurrence.data.unwrap_or_default(),
            options,
        };
        let Sent::Created(id) = self.send(client, &send).await? else {
            return Ok(false);
        };
        if self.version(client).await? >= 41 {
            self.query(
                client,
                include_str!("fired.sql"),
                &[
                    (&send.queue, Type::TEXT),
                    (&occurrence.key, Type::TEXT),
                    (&id, Type::UUID),
                ],
            )
            .await?;
        }
        Ok(true)
    }
}

/// The slots of a schedule's occurrences that are due; and, where it asks for that, of
/// the last one since the last pass of any client.
fn due_slots(
    schedule: &Schedule,
    now: DateTime<Utc>,
    last_pass: Option<DateTime<Utc>>,
) -> Result<Vec<DateTime<Utc>>, Error> {
    if schedule.kind != "cron" {
        return Err(Error::Schedule(format!(
            "only pg-boss clients run a schedule of kind {}",
            schedule.kind
        )));
    }
    let window = now - WINDOW;
    let find = |after, until| occurrence::last(&schedule.cron, &schedule.timezone, after, until);
    let mut due: Vec<DateTime<Utc>> = find(window, now)?.into_iter().collect();
    let missed = schedule
        .options
        .as_ref()
        .and_then(|options| options.get("missed"));
    let missed = missed.and_then(|missed| serde_json::from_value(missed.clone()).ok());
    if let (Some(Missed::Once), Some(last_pass)) = (missed, last_pass) {
        let from = last_pass.max(schedule.created_on);
        if from < window {
            due.extend(find(from, window)?);
        }
    }
    let mut slots: Vec<DateTime<Utc>> = due.into_iter().map(slot).collect();
    slots.sort_unstable();
    slots.dedup();
    Ok(slots)
}

fn slot(time: DateTime<Utc>) -> DateTime<Utc> {
    let width = WINDOW.num_seconds();
    time - TimeDelta::seconds(time.timestamp().rem_euclid(width))
        - TimeDelta::nanoseconds(i64::from(time.timestamp_subsec_nanos()))
}

fn file(schedule: &Schedule, slot: DateTime<Utc>) -> NewJob {
    NewJob {
        data: serde_json::json!({
            "name": schedule.name,
            "key": schedule.key,
            "data": schedule.data,
            "options": schedule.options,
            "slot": slot.format("%Y-%m-%d %H:%M:%S").to_string(),
        }),
        options: JobOptions {
            singleton_key: Some(occurrence_key(&schedule.name, &schedule.key)),
            singleton_on: Some(slot),
            ..JobOptions::default()
        },
    }
}

/// Names a schedule within the internal queue as pg-boss does, so that both refuse
/// each other's doubles; the escape keeps `a_` + `b` and `a` + `_b` apart.
fn occurrence_key(name: &str, key: &str) -> String {
    format!("{}__{key}", name.replace('_', "\\_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn schedule(cron: &str, options: Value) -> Schedule {
        Schedule {
            name: "q".to_owned(),
            key: String::new(),
            kind: "cron".to_owned(),
            cron: cron.to_owned(),
            timezone: "UTC".to_owned(),
            data: None,
            options: Some(options),
            created_on: time("2030-01-01T00:00:00Z"),
            updated_on: time("2030-01-01T00:00:00Z"),
            last_job_id: None,
        }
    }

    #[test]
    fn an_occurrence_is_due_for_a_minute_in_its_own_slot() {
        let schedule = schedule("20 5 12 * * *", Value::Null);
        let due = |now| due_slots(&schedule, time(now), None).unwrap();
        assert!(due("2030-01-02T12:05:19Z").is_empty());
        assert_eq!(due("2030-01-02T12:05:20Z"), [time("2030-01-02T12:05:00Z")]);
        assert_eq!(due("2030-01-02T12:06:19Z"), [time("2030-01-02T12:05:00Z")]);
        assert!(due("2030-01-02T12:06:21Z").is_empty());
    }

    #[test]
    fn what_was_missed_comes_once_where_asked_for() {
        let now = time("2030-01-02T12:05:30Z");
        let passes = |missed: &str, last_pass: &str| {
            let schedule = schedule("0 * * * *", serde_json::json!({ "missed": missed }));
            due_slots(&schedule, now, Some(time(last_pass))).unwrap()
        };
        assert!(passes("skip", "2030-01-02T07:30:00Z").is_empty());
        assert_eq!(
            passes("once", "2030-01-02T07:30:00Z"),
            [time("2030-01-02T12:00:00Z")]
        );
        assert!(passes("once", "2030-01-02T12:05:00Z").is_empty());
    }

    #[test]
    fn two_schedules_never_share_a_key() {
        assert_ne!(occurrence_key("a_", "b"), occurrence_key("a", "_b"));
        assert_eq!(occurrence_key("plain", "k"), "plain__k");
    }
}

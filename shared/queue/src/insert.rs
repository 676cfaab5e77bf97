//! Sending many jobs at once.

use serde_json::Value;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::send::Checked;
use crate::{Connection, Error, JobOptions, Queue, validate};

/// One of many jobs to insert. `singleton_next_slot` has no meaning here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewJob {
    /// An object, or null.
    pub data: Value,
    /// All else.
    pub options: JobOptions,
}

impl NewJob {
    /// A job with the queue's own options.
    #[must_use]
    pub fn new(data: Value) -> Self {
        Self {
            data,
            options: JobOptions::default(),
        }
    }
}

/// A column of the batch; none where every value is, so that nothing is sent for it.
fn column<T>(jobs: &[Checked], get: impl Fn(&Checked) -> Option<T>) -> Option<Vec<Option<T>>> {
    let values: Vec<Option<T>> = jobs.iter().map(get).collect();
    values.iter().any(Option::is_some).then_some(values)
}

impl Queue {
    /// Inserts many jobs into a queue in one statement; gives the ids of those
    /// inserted. A job that collides with another (its id, its slot, the queue's
    /// policy) is left out, as [`Queue::send`] would.
    ///
    /// # Errors
    /// As of [`Queue::send`]; then no job was inserted.
    pub async fn insert(
        &self,
        client: &impl Connection,
        queue: &str,
        jobs: &[NewJob],
    ) -> Result<Vec<Uuid>, Error> {
        self.insert_into(client, queue, jobs, true)
            .await
            .map(|(_, ids)| ids)
    }

    /// Like [`Queue::insert`], but gives only how many were inserted, which is quicker.
    ///
    /// # Errors
    /// As of [`Queue::send`]; then no job was inserted.
    pub async fn insert_count(
        &self,
        client: &impl Connection,
        queue: &str,
        jobs: &[NewJob],
    ) -> Result<u64, Error> {
        self.insert_into(client, queue, jobs, false)
            .await
            .map(|(count, _)| count)
    }

    async fn insert_into(
        &self,
        client: &impl Connection,
        queue: &str,
        jobs: &[NewJob],
        with_ids: bool,
    ) -> Result<(u64, Vec<Uuid>), Error> {
        validate::queue_name("name", queue)?;
        let mut checked = Vec::with_capacity(jobs.len());
        for job in jobs {
            validate::object("data", &job.data)?;
            let mut options = job.options.check()?;
            options.id.get_or_insert_with(Uuid::now_v7);
            checked.push(options);
        }
        let data: Vec<Option<&Value>> = jobs
            .iter()
            .map(|job| (!job.data.is_null()).then_some(&job.data))
            .collect();
        let keyless = checked
            .iter()
            .any(|job| job.singleton_key.as_deref().unwrap_or("").is_empty());
        let priorities: Vec<i32> = checked.iter().map(|job| job.priority).collect();
        let rows = self
            .query(
                client,
                include_str!("insert.sql"),
                &[
                    (&queue, Type::TEXT),
                    (&column(&checked, |job| job.id), Type::UUID_ARRAY),
                    (&data, Type::JSONB_ARRAY),
                    (&priorities, Type::INT4_ARRAY),
                    (
                        &column(&checked, |job| job.start_after.clone()),
                        Type::TEXT_ARRAY,
                    ),
                    (
                        &column(&checked, |job| job.singleton_key.clone()),
                        Type::TEXT_ARRAY,
                    ),
                    (
                        &column(&checked, |job| job.singleton_seconds),
                        Type::INT4_ARRAY,
                    ),
                    (
                        &column(&checked, |job| job.singleton_on),
                        Type::TIMESTAMP_ARRAY,
                    ),
                    (
                        &column(&checked, |job| job.group_id.clone()),
                        Type::TEXT_ARRAY,
                    ),
                    (
                        &column(&checked, |job| job.group_tier.clone()),
                        Type::TEXT_ARRAY,
                    ),
                    (
                        &column(&checked, |job| job.expire_seconds),
                        Type::INT4_ARRAY,
                    ),
                    (
                        &column(&checked, |job| job.deletion_seconds),
                        Type::INT4_ARRAY,
                    ),
                    (
                        &column(&checked, |job| job.retention_seconds),
                        Type::INT4_ARRAY,
                    ),
                    (&column(&checked, |job| job.retry_limit), Type::INT4_ARRAY),
                    (&column(&checked, |job| job.retry_delay), Type::INT4_ARRAY),
                    (&column(&checked, |job| job.retry_backoff), Type::BOOL_ARRAY),
                    (
                        &column(&checked, |job| job.retry_delay_max),
                        Type::INT4_ARRAY,
                    ),
                    (
                        &column(&checked, |job| job.dead_letter.clone()),
                        Type::TEXT_ARRAY,
                    ),
                    (
                        &column(&checked, |job| job.heartbeat_seconds),
                        Type::INT4_ARRAY,
                    ),
                    (&with_ids, Type::BOOL),
                    (&keyless, Type::BOOL),
                ],
            )
            .await
            .map_err(|error| error.of_queue(queue))?;
        let Some(row) = rows.first() else {
            return Err(Error::UnknownQueue(queue.to_owned()));
        };
        if keyless && row.get::<_, &str>("policy") == "key_strict_fifo" {
            return Err(Error::KeyRequired);
        }
        let count: i64 = row.get("inserted");
        Ok((
            count.unsigned_abs(),
            row.get::<_, Option<Vec<Uuid>>>("ids").unwrap_or_default(),
        ))
    }
}

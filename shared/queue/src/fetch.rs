//! Taking jobs to work on.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use crate::{Error, Job, Queue, validate};

/// Which jobs to take.
///
/// ```
/// let fetch = telecast_queue::Fetch { batch: 10, min_priority: Some(1), ..telecast_queue::Fetch::from("mail") };
/// assert_eq!(fetch.queue, "mail");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Fetch {
    /// The queue's name.
    pub queue: String,
    /// At most so many; at least 1.
    pub batch: u32,
    /// Take jobs before they are due, too.
    pub ignore_start_after: bool,
    /// None of a lower priority.
    pub min_priority: Option<i32>,
    /// None of a higher priority.
    pub max_priority: Option<i32>,
    /// How many jobs of one group may be active at once, everywhere.
    pub group_concurrency: Option<GroupConcurrency>,
    /// Groups to leave out.
    pub ignore_groups: Vec<String>,
}

impl<S: Into<String>> From<S> for Fetch {
    /// One job of this queue.
    fn from(queue: S) -> Self {
        Self {
            queue: queue.into(),
            batch: 1,
            ignore_start_after: false,
            min_priority: None,
            max_priority: None,
            group_concurrency: None,
            ignore_groups: Vec::new(),
        }
    }
}

/// A limit for each group, by its tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupConcurrency {
    /// For groups without a tier, or of one not named below.
    pub default: u32,
    /// By tier.
    pub tiers: BTreeMap<String, u32>,
}

impl Queue {
    /// Sets the next due jobs of a queue active and gives them, by priority and then
    /// age. Behind more than a hundred jobs that are deferred, locked or held by their
    /// group, those of one priority come in the order in which they became due.
    /// A job belongs to one worker until it is settled or expires.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`]; [`Error::Invalid`].
    pub async fn fetch(
        &self,
        client: &impl GenericClient,
        fetch: &Fetch,
    ) -> Result<Vec<Job>, Error> {
        validate::queue_name("name", &fetch.queue)?;
        let strict = self.is_strict(&fetch.queue);
        match self.try_fetch(client, fetch, strict).await? {
            Fetched::Jobs(jobs) => Ok(jobs),
            // The other statement took nothing: it touches only jobs of its own policy.
            Fetched::OtherPolicy => {
                self.remember_strict(&fetch.queue, !strict);
                match self.try_fetch(client, fetch, !strict).await? {
                    Fetched::Jobs(jobs) => Ok(jobs),
                    Fetched::OtherPolicy => Ok(Vec::new()),
                }
            }
        }
    }

    /// The statement behind [`Queue::fetch`], for `EXPLAIN`.
    #[doc(hidden)]
    #[must_use]
    pub fn fetch_statement(&self) -> String {
        self.sql(include_str!("fetch.sql")).to_string()
    }

    async fn try_fetch(
        &self,
        client: &impl GenericClient,
        fetch: &Fetch,
        strict: bool,
    ) -> Result<Fetched, Error> {
        let batch = i64::from(fetch.batch);
        if batch < 1 {
            return Err(Error::invalid("batchSize", "must be an integer > 0"));
        }
        let groups = fetch.group_concurrency.as_ref();
        let group_limit = validate::count("groupConcurrency", groups.map(|g| g.default))?;
        let tiers: Option<Value> = groups.map(|g| {
            g.tiers
                .iter()
                .map(|(tier, limit)| (tier.clone(), Value::from(*limit)))
                .collect()
        });
        let ignored = (!fetch.ignore_groups.is_empty()).then_some(&fetch.ignore_groups);
        let template = if strict {
            include_str!("fetch_strict.sql")
        } else {
            include_str!("fetch.sql")
        };
        let rows = self
            .query(
                client,
                template,
                &[
                    (&fetch.queue, Type::TEXT),
                    (&batch, Type::INT8),
                    (&fetch.ignore_start_after, Type::BOOL),
                    (&fetch.min_priority, Type::INT4),
                    (&fetch.max_priority, Type::INT4),
                    (&group_limit, Type::INT4),
                    (&tiers, Type::JSONB),
                    (&ignored, Type::TEXT_ARRAY),
                ],
            )
            .await;
        let rows = match rows {
            // Another worker took the key's only place a moment ago: nothing to take.
            Err(Error::Conflict(_)) => return Ok(Fetched::Jobs(Vec::new())),
            rows => rows?,
        };
        let Some(first) = rows.first() else {
            return Err(Error::UnknownQueue(fetch.queue.clone()));
        };
        if (first.get::<_, &str>("queue_policy") == "key_strict_fifo") != strict {
            return Ok(Fetched::OtherPolicy);
        }
        if first.get::<_, Option<uuid::Uuid>>("id").is_none() {
            return Ok(Fetched::Jobs(Vec::new()));
        }
        rows.iter()
            .map(Job::from_row)
            .collect::<Result<_, _>>()
            .map(Fetched::Jobs)
    }
}

enum Fetched {
    Jobs(Vec<Job>),
    OtherPolicy,
}

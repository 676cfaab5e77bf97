//! Taking jobs to work on.

use std::collections::BTreeMap;

use futures_util::future::try_join;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::job::Refs;
use crate::queue::Param;
use crate::{Connection, Error, Fence, Job, Policy, Queue, validate};

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
    pub async fn fetch(&self, client: &impl Connection, fetch: &Fetch) -> Result<Vec<Job>, Error> {
        validate::queue_name("name", &fetch.queue)?;
        if fetch.batch < 1 {
            return Err(Error::invalid("batchSize", "must be an integer > 0"));
        }
        // A queue may have been made anew with another policy: then its statement took
        // nothing that it should not have, and once more the right one is tried.
        for _ in 0..2 {
            let way = Way::of(self.known_policy(&fetch.queue), fetch);
            let taken = self.take(client, fetch, way).await?;
            self.learn_policy(&fetch.queue, taken.policy);
            let right = Way::of(taken.policy, fetch);
            if right != way
                && taken.jobs.is_empty()
                && (right == Way::Strict) != (way == Way::Strict)
            {
                continue;
            }
            return self.go_on(client, fetch, taken).await;
        }
        Ok(Vec::new())
    }

    /// Takes what is left to take, where the quick statement could not see it.
    async fn go_on(
        &self,
        client: &impl Connection,
        fetch: &Fetch,
        mut taken: Taken,
    ) -> Result<Vec<Job>, Error> {
        if taken.deep {
            let batch = u32::try_from(taken.jobs.len()).unwrap_or(u32::MAX);
            let rest = Fetch {
                batch: fetch.batch.saturating_sub(batch),
                ..fetch.clone()
            };
            let mut deep = self.take(client, &rest, Way::Deep).await?;
            taken.jobs.append(&mut deep.jobs);
        }
        Ok(taken.jobs)
    }

    /// Completes attempts, with an output of its own each, and takes the next jobs: in
    /// one statement where the queue's policy lets neither wait for the other, else in
    /// two that go out together. Both happen, or it fails.
    pub(crate) async fn complete_each_and_fetch(
        &self,
        client: &impl Connection,
        ended: Vec<(Fence, Option<Value>)>,
        next: &Fetch,
    ) -> Result<Vec<Job>, Error> {
        let queue = next.queue.as_str();
        if Way::of(self.known_policy(queue), next) != Way::Quick {
            let complete = self.complete_each(client, queue, ended);
            return Ok(try_join(complete, self.fetch(client, next)).await?.1);
        }
        let (fences, outputs): (Vec<Fence>, Vec<_>) = ended.into_iter().unzip();
        let refs = Refs::new(fences);
        let batch = i64::from(next.batch);
        let mut params: Vec<Param<'_>> = vec![(&queue, Type::TEXT), (&batch, Type::INT8)];
        params.extend(refs.params());
        params.push((&outputs, Type::JSONB_ARRAY));
        let sql = include_str!("complete_fetch.sql");
        let rows = self.query(client, sql, &params).await?;
        if rows.first().is_some_and(|row| row.get("parents")) {
            self.release_dependents(client, Some(&[queue])).await?;
        }
        let taken = Taken::read(&rows, queue, Way::Quick)?;
        self.learn_policy(queue, taken.policy);
        self.go_on(client, next, taken).await
    }

    /// The statement with which a worker completes and fetches, for `EXPLAIN`.
    #[doc(hidden)]
    #[must_use]
    pub fn complete_fetch_statement(&self) -> String {
        self.sql(include_str!("complete_fetch.sql")).to_string()
    }

    /// The statements behind [`Queue::fetch`], for `EXPLAIN`: the quick one, and the
    /// one that goes on where that found too little.
    #[doc(hidden)]
    #[must_use]
    pub fn fetch_statements(&self) -> [String; 2] {
        [Way::Quick, Way::Deep].map(|way| self.sql(way.template()).to_string())
    }

    async fn take(
        &self,
        client: &impl Connection,
        fetch: &Fetch,
        way: Way,
    ) -> Result<Taken, Error> {
        let batch = i64::from(fetch.batch);
        let groups = fetch.group_concurrency.as_ref();
        let group_limit = validate::count("groupConcurrency", groups.map(|g| g.default))?;
        let tiers: Option<Value> = groups.map(|g| {
            g.tiers
                .iter()
                .map(|(tier, limit)| (tier.clone(), Value::from(*limit)))
                .collect()
        });
        let ignored = (!fetch.ignore_groups.is_empty()).then_some(&fetch.ignore_groups);
        let all: [Param<'_>; 8] = [
            (&fetch.queue, Type::TEXT),
            (&batch, Type::INT8),
            (&fetch.ignore_start_after, Type::BOOL),
            (&fetch.min_priority, Type::INT4),
            (&fetch.max_priority, Type::INT4),
            (&group_limit, Type::INT4),
            (&tiers, Type::JSONB),
            (&ignored, Type::TEXT_ARRAY),
        ];
        let params = if way == Way::Quick { &all[..2] } else { &all };
        let rows = self.query(client, way.template(), params).await;
        let rows = match rows {
            // Another worker took the key's only place a moment ago: nothing to take.
            Err(Error::Conflict(_)) => return Ok(Taken::default()),
            rows => rows?,
        };
        Taken::read(&rows, &fetch.queue, way)
    }
}

/// What a statement took. Its policy is none where the queue is to be looked at anew.
#[derive(Default)]
struct Taken {
    jobs: Vec<Job>,
    policy: Option<Policy>,
    deep: bool,
}

impl Taken {
    fn read(rows: &[Row], queue: &str, way: Way) -> Result<Self, Error> {
        let Some(first) = rows.first() else {
            return Err(Error::UnknownQueue(queue.to_owned()));
        };
        let mut taken = Self {
            jobs: Vec::new(),
            policy: Policy::parse(first.get("queue_policy")),
            deep: way == Way::Quick && first.get("deep"),
        };
        if first.get::<_, Option<uuid::Uuid>>("id").is_some() {
            taken.jobs = rows.iter().map(Job::from_row).collect::<Result<_, _>>()?;
        }
        Ok(taken)
    }
}

/// Which statement fetches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Quick,
    Deep,
    Strict,
}

impl Way {
    fn of(policy: Option<Policy>, fetch: &Fetch) -> Self {
        let plain = Fetch {
            batch: fetch.batch,
            ..Fetch::from(fetch.queue.as_str())
        };
        match policy {
            Some(Policy::KeyStrictFifo) => Self::Strict,
            Some(Policy::Standard | Policy::Short | Policy::Exclusive) if *fetch == plain => {
                Self::Quick
            }
            _ => Self::Deep,
        }
    }

    fn template(self) -> &'static str {
        match self {
            Self::Quick => include_str!("fetch.sql"),
            Self::Deep => include_str!("fetch_deep.sql"),
            Self::Strict => include_str!("fetch_strict.sql"),
        }
    }
}

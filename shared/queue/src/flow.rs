//! Flows: jobs that wait until others are completed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::{Value, json};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::{Connection, Error, Queue, Send, validate};

/// A job of a flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowJob {
    /// What the other jobs of the flow call it.
    pub reference: String,
    /// The job itself.
    pub send: Send,
    /// The jobs that must be completed before it is due.
    pub depends_on: Vec<String>,
}

/// A job that waits for another, or that another waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// Its queue.
    pub name: String,
    /// Its id.
    pub id: Uuid,
}

impl Queue {
    /// Creates jobs that wait for each other, all or none; gives their ids by reference.
    ///
    /// # Errors
    /// [`Error::Invalid`] names what is wrong with the flow; [`Error::UnknownQueue`];
    /// [`Error::Refused`] where a job's id or its queue's policy is in the way.
    pub async fn flow(
        &self,
        client: &impl Connection,
        jobs: &[FlowJob],
    ) -> Result<BTreeMap<String, Uuid>, Error> {
        check(jobs)?;
        let ids: BTreeMap<String, Uuid> = jobs
            .iter()
            .map(|job| {
                let id = job.send.options.id.unwrap_or_else(Uuid::now_v7);
                (job.reference.clone(), id)
            })
            .collect();
        let queues: BTreeSet<&str> = jobs.iter().map(|job| job.send.queue.as_str()).collect();
        let names: Vec<&str> = queues.into_iter().collect();
        let known = self.get_queues(client, Some(&names)).await?;
        for name in names {
            let Some(queue) = known.iter().find(|queue| queue.name == name) else {
                return Err(Error::UnknownQueue(name.to_owned()));
            };
            let keyless = |job: &&FlowJob| {
                job.send.queue == name
                    && job
                        .send
                        .options
                        .singleton_key
                        .as_deref()
                        .unwrap_or("")
                        .is_empty()
            };
            if queue.policy == "key_strict_fifo" && jobs.iter().any(|job| keyless(&job)) {
                return Err(Error::KeyRequired);
            }
        }

        let rows = rows(jobs, &ids)?;
        let edges = edges(jobs, &ids);
        let created = self
            .query(
                client,
                include_str!("flow/insert.sql"),
                &[(&rows, Type::JSONB), (&edges, Type::JSONB)],
            )
            .await;
        match created {
            Err(Error::Database(error)) if error.code() == Some(&SqlState::DIVISION_BY_ZERO) => {
                Err(Error::Refused)
            }
            created => created.map(|_| ids),
        }
    }

    /// The jobs that a job waits for, or waited for.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub async fn dependencies(
        &self,
        client: &impl Connection,
        queue: &str,
        id: Uuid,
    ) -> Result<Vec<Dependency>, Error> {
        self.edges(client, queue, id, true).await
    }

    /// The jobs that wait for a job, or did.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub async fn dependents(
        &self,
        client: &impl Connection,
        queue: &str,
        id: Uuid,
    ) -> Result<Vec<Dependency>, Error> {
        self.edges(client, queue, id, false).await
    }

    async fn edges(
        &self,
        client: &impl Connection,
        queue: &str,
        id: Uuid,
        parents: bool,
    ) -> Result<Vec<Dependency>, Error> {
        validate::queue_name("name", queue)?;
        let rows = self
            .query(
                client,
                include_str!("flow/edges.sql"),
                &[
                    (&queue, Type::TEXT),
                    (&id, Type::UUID),
                    (&parents, Type::BOOL),
                ],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|row| Dependency {
                name: row.get("name"),
                id: row.get("id"),
            })
            .collect())
    }

    /// Lets go of jobs whose last parent is completed; gives how many parents were
    /// looked at. Completing does this by itself, and upkeep for those that Node
    /// completed.
    pub(crate) async fn release_dependents(
        &self,
        client: &impl Connection,
        queues: Option<&[&str]>,
    ) -> Result<u64, Error> {
        let mut all = 0;
        loop {
            let rows = self
                .query(
                    client,
                    include_str!("flow/release.sql"),
                    &[(&queues, Type::TEXT_ARRAY)],
                )
                .await?;
            let parents = rows
                .first()
                .map_or(0, |row| row.get::<_, i64>("parents").unsigned_abs());
            all += parents;
            if parents < 1000 {
                return Ok(all);
            }
        }
    }
}

fn rows(jobs: &[FlowJob], ids: &BTreeMap<String, Uuid>) -> Result<Value, Error> {
    let parents: BTreeSet<&str> = jobs
        .iter()
        .flat_map(|job| job.depends_on.iter().map(String::as_str))
        .collect();
    let mut rows = Vec::with_capacity(jobs.len());
    for job in jobs {
        validate::object("data", &job.send.data)?;
        let options = job.send.options.check()?;
        let waits_for: BTreeSet<&String> = job.depends_on.iter().collect();
        rows.push(json!({
            "id": ids.get(&job.reference),
            "name": job.send.queue,
            "data": job.send.data,
            "priority": options.priority,
            "start_after": options.start_after,
            "singleton_key": options.singleton_key,
            "singleton_seconds": options.singleton_seconds,
            "group_id": options.group_id,
            "group_tier": options.group_tier,
            "expire": options.expire_seconds,
            "deletion": options.deletion_seconds,
            "retention": options.retention_seconds,
            "retry_limit": options.retry_limit,
            "retry_delay": options.retry_delay,
            "retry_backoff": options.retry_backoff,
            "retry_delay_max": options.retry_delay_max,
            "dead_letter": options.dead_letter,
            "heartbeat": options.heartbeat_seconds,
            "parents": waits_for.len(),
            "blocking": parents.contains(job.reference.as_str()),
        }));
    }
    Ok(rows.into())
}

fn edges(jobs: &[FlowJob], ids: &BTreeMap<String, Uuid>) -> Value {
    let queues: HashMap<&str, &str> = jobs
        .iter()
        .map(|job| (job.reference.as_str(), job.send.queue.as_str()))
        .collect();
    jobs.iter()
        .flat_map(|job| job.depends_on.iter().map(move |parent| (job, parent)))
        .map(|(job, parent)| {
            json!({
                "child_name": job.send.queue,
                "child_id": ids.get(&job.reference),
                "parent_name": queues.get(parent.as_str()),
                "parent_id": ids.get(parent),
            })
        })
        .collect()
}

/// A flow is two jobs or more, some of which wait, and none for itself in the end.
fn check(jobs: &[FlowJob]) -> Result<(), Error> {
    let invalid = |problem: String| Err(Error::invalid("flow", problem));
    if jobs.len() < 2 {
        return invalid("requires at least 2 jobs".to_owned());
    }
    let mut waits_for: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for job in jobs {
        validate::queue_name("name", &job.send.queue)?;
        let parents = job.depends_on.iter().map(String::as_str).collect();
        if waits_for.insert(&job.reference, parents).is_some() {
            return invalid(format!("has a duplicate ref: \"{}\"", job.reference));
        }
    }
    if waits_for.values().all(BTreeSet::is_empty) {
        return invalid("requires at least one job with dependsOn".to_owned());
    }
    for (reference, parents) in &waits_for {
        if parents.contains(reference) {
            return invalid(format!("job \"{reference}\" cannot depend on itself"));
        }
        if let Some(missing) = parents
            .iter()
            .find(|parent| !waits_for.contains_key(*parent))
        {
            return invalid(format!("dependsOn ref \"{missing}\" not found in flow"));
        }
    }
    // What waits for nothing goes, until all have gone: what is left waits in a circle.
    while !waits_for.is_empty() {
        let free: Vec<&str> = waits_for
            .iter()
            .filter(|(_, parents)| parents.is_empty())
            .map(|(reference, _)| *reference)
            .collect();
        if free.is_empty() {
            let circle = circle(jobs, &waits_for).join(" -> ");
            return invalid(format!("contains a dependency cycle: {circle}"));
        }
        for reference in &free {
            waits_for.remove(reference);
        }
        for parents in waits_for.values_mut() {
            parents.retain(|parent| !free.contains(parent));
        }
    }
    Ok(())
}

/// A circle among jobs that all wait: from any, its parents lead around sooner or later.
fn circle<'a>(jobs: &'a [FlowJob], waits_for: &BTreeMap<&str, BTreeSet<&'a str>>) -> Vec<&'a str> {
    let mut path: Vec<&str> = Vec::new();
    let mut next = jobs
        .iter()
        .map(|job| job.reference.as_str())
        .find(|reference| waits_for.contains_key(reference));
    while let Some(reference) = next {
        if let Some(start) = path.iter().position(|seen| *seen == reference) {
            path.drain(..start);
            path.push(reference);
            path.reverse();
            return path;
        }
        path.push(reference);
        next = waits_for
            .get(reference)
            .and_then(|parents| parents.first().copied());
    }
    path
}

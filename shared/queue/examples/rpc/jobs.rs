//! Methods on jobs.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use telecast_queue::{
    Change, Failure, Fetch, Find, FlowJob, GroupConcurrency, Match, NewJob, Queue, Redrive, Send,
    Settled, Upserted, Which,
};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::attorney;
use crate::fault::{Fault, assert};
use crate::options::{Args, Object, is_falsy, job_options, object, output, uuid};

/// What a fetch gives of a job unless it is asked for all.
const BRIEF: [&str; 7] = [
    "id",
    "name",
    "data",
    "expireInSeconds",
    "heartbeatSeconds",
    "groupId",
    "groupTier",
];

/// `(name, data, options)`, or one object of these three.
fn request<'a>(args: &Args<'a>, verb: &str) -> Result<(&'a str, Option<Value>, Object), Fault> {
    let (name, data, options) = match args.get(0) {
        Some(Value::String(name)) => (Some(name.as_str()), args.get(1), args.get(2)),
        Some(Value::Object(job)) => {
            assert(
                args.count() == 1,
                format!("{verb} object API only accepts 1 argument"),
            )?;
            let defined = |key| {
                job.get(key)
                    .filter(|value: &&Value| value.get("__undef").is_none())
            };
            (
                job.get("name").and_then(Value::as_str),
                defined("data"),
                defined("options"),
            )
        }
        Some(Value::Null) => return Err(Fault::assertion("boss requires all jobs to have a name")),
        _ => (None, None, None),
    };
    let name = name.filter(|name| !name.is_empty());
    let name =
        name.ok_or_else(|| Fault::assertion("boss requires all jobs to have a queue name"))?;
    assert(
        is_falsy(options) || options.is_some_and(Value::is_object),
        "options should be an object",
    )?;
    Ok((name, data.cloned(), object(options)))
}

pub(crate) async fn send(queue: &Queue, client: &Client, args: &Args<'_>) -> Result<Value, Fault> {
    let (name, data, options) = request(args, "send")?;
    attorney::send_options(&options)?;
    attorney::queue_name(Some(&name.into()))?;
    let send = Send {
        queue: name.to_owned(),
        data: data.unwrap_or_default(),
        options: job_options(&options)?,
    };
    Ok(json!(queue.send(client, &send).await?.id()))
}

pub(crate) async fn insert(
    queue: &Queue,
    client: &Client,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    let Some(Value::Array(jobs)) = args.get(1) else {
        return Err(Fault::assertion("jobs argument should be an array"));
    };
    let mut seen = Vec::new();
    let mut new = Vec::new();
    for job in jobs {
        let mut job = object(Some(job));
        if let Some(id) = job.get("id").filter(|id| !id.is_null()) {
            if seen.contains(id) {
                let id = id.as_str().unwrap_or_default();
                return Err(Fault::new(format!(
                    "duplicate job id in insert batch: {id}"
                )));
            }
            seen.push(id.clone());
        }
        attorney::group(&job)?;
        let data = job.remove("data").unwrap_or_default();
        // The columns' own names pass too.
        let id = job.remove("groupId").filter(|id| !id.is_null());
        if let Some(id) = id.filter(|_| !job.contains_key("group")) {
            job.insert(
                "group".to_owned(),
                json!({ "id": id, "tier": job.get("groupTier") }),
            );
        }
        new.push(NewJob {
            data,
            options: job_options(&job)?,
        });
    }
    let name = attorney::queue_name(args.get(0))?;
    let ids = queue.insert(client, name, &new).await?;
    let wanted = args.object(2).get("returnId") == Some(&Value::Bool(true));
    Ok(if wanted && !ids.is_empty() {
        json!(ids)
    } else {
        Value::Null
    })
}

fn group_concurrency(options: &Object) -> Result<Option<GroupConcurrency>, Fault> {
    let limit = |value: &Value| value.as_u64().and_then(|limit| u32::try_from(limit).ok());
    match options.get("groupConcurrency") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let default = limit(value).or_else(|| value.get("default").and_then(limit));
            let default = default
                .filter(|default| *default >= 1)
                .ok_or_else(|| Fault::assertion("groupConcurrency must be an integer >= 1"))?;
            let tiers = value.get("tiers").and_then(Value::as_object);
            let tiers = tiers.into_iter().flatten();
            let tiers: BTreeMap<String, u32> = tiers
                .filter_map(|(tier, value)| Some((tier.clone(), limit(value)?)))
                .collect();
            Ok(Some(GroupConcurrency { default, tiers }))
        }
    }
}

pub(crate) async fn fetch(queue: &Queue, client: &Client, args: &Args<'_>) -> Result<Value, Fault> {
    assert(!is_falsy(args.get(0)), "missing queue name")?;
    let options = args.object(1);
    attorney::fetch_options(&options)?;
    let name = attorney::queue_name(args.get(0))?;
    let priority = |key| {
        options
            .get(key)
            .and_then(Value::as_i64)
            .and_then(|p| i32::try_from(p).ok())
    };
    let flag = |key| options.get(key) == Some(&Value::Bool(true));
    let groups = options.get("ignoreGroups").and_then(Value::as_array);
    let batch = options
        .get("batchSize")
        .and_then(Value::as_u64)
        .unwrap_or(1);
    let fetch = Fetch {
        queue: name.to_owned(),
        batch: u32::try_from(batch).unwrap_or(u32::MAX),
        ignore_start_after: flag("ignoreStartAfter"),
        min_priority: priority("minPriority"),
        max_priority: priority("maxPriority"),
        group_concurrency: group_concurrency(&options)?,
        ignore_groups: groups
            .into_iter()
            .flatten()
            .filter_map(|group| group.as_str().map(str::to_owned))
            .collect(),
    };
    let jobs = queue.fetch(client, &fetch).await?;
    let mut jobs = json!(jobs);
    if !flag("includeMetadata") {
        for job in jobs.as_array_mut().into_iter().flatten() {
            if let Some(job) = job.as_object_mut() {
                job.retain(|key, _| BRIEF.contains(&key.as_str()));
            }
        }
    }
    Ok(jobs)
}

/// One id, or many, as an argument that must be there.
fn ids(args: &Args<'_>, method: &str) -> Result<Vec<Uuid>, Fault> {
    let missing = || Fault::assertion(format!("{method}() requires an id"));
    let value = args
        .get(1)
        .filter(|value| !is_falsy(Some(value)))
        .ok_or_else(missing)?;
    match value {
        Value::Array(ids) if ids.is_empty() => Err(missing()),
        Value::Array(ids) => ids.iter().map(uuid).collect(),
        id => Ok(vec![uuid(id)?]),
    }
}

pub(crate) async fn settle(
    queue: &Queue,
    client: &Client,
    method: &str,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    let name = attorney::queue_name(args.get(0))?;
    let ids = ids(args, method)?;
    let each = ids.iter().copied();
    let settled: Settled = match method {
        "complete" => {
            let output = output(args.get(2));
            if args.object(3).get("includeQueued") == Some(&Value::Bool(true)) {
                queue
                    .complete_queued(client, name, each, output.as_ref())
                    .await?
            } else {
                queue.complete(client, name, each, output.as_ref()).await?
            }
        }
        "fail" => {
            let failure = Failure {
                output: output(args.get(2)),
                ..Failure::default()
            };
            queue.fail(client, name, each, &failure).await?
        }
        "cancel" => queue.cancel(client, name, each).await?,
        "resume" => queue.resume(client, name, each).await?,
        "retry" => queue.retry(client, name, each).await?,
        "deleteJob" => queue.delete(client, name, each).await?,
        _ => queue.touch(client, name, each).await?,
    };
    Ok(json!({ "jobs": ids, "requested": settled.requested, "affected": settled.affected() }))
}

pub(crate) async fn redrive(
    queue: &Queue,
    client: &Client,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    let name = attorney::queue_name(args.get(0))?;
    let options = args.object(1);
    let queue_option = |key| match options.get(key) {
        None => Ok(None),
        value => attorney::queue_name(value).map(|name| Some(name.to_owned())),
    };
    let limit = options.get("limit").cloned().unwrap_or_else(|| json!(1000));
    let limit = limit.as_u64().filter(|limit| *limit >= 1);
    let limit = limit.ok_or_else(|| Fault::assertion("limit must be an integer >= 1"))?;
    let data = options.get("data").cloned();
    assert(
        data.as_ref().is_none_or(Value::is_object),
        "data must be an object",
    )?;
    let created_before = match options.get("createdBefore") {
        None => None,
        Some(time) => Some(
            serde_json::from_value(time.clone())
                .map_err(|_| Fault::assertion("createdBefore must be a valid Date"))?,
        ),
    };
    let ids = match options.get("ids") {
        None => None,
        Some(Value::Array(ids)) if !ids.is_empty() => {
            Some(ids.iter().map(uuid).collect::<Result<_, _>>()?)
        }
        Some(_) => return Err(Fault::assertion("ids must be a non-empty array of strings")),
    };
    let redrive = Redrive {
        destination: queue_option("destination")?,
        source: queue_option("sourceName")?,
        data,
        created_before,
        ids,
        limit: u32::try_from(limit).unwrap_or(u32::MAX),
    };
    Ok(json!(queue.redrive(client, name, &redrive).await?))
}

pub(crate) async fn update(
    queue: &Queue,
    client: &Client,
    method: &str,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    let (name, data, options) = request(args, &format!("{method}()"))?;
    attorney::update_options(&options, method)?;
    attorney::queue_name(Some(&name.into()))?;
    let which = match options.get("id").filter(|id| !is_falsy(Some(id))) {
        Some(id) => Which::Id(uuid(id)?),
        None => {
            let key = options
                .get("singletonKey")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let of_key = match options.get("match").and_then(Value::as_str) {
                Some("oldest") => Match::Oldest,
                Some("all") => Match::All,
                _ => Match::Newest,
            };
            Which::Key(key.to_owned(), of_key)
        }
    };
    let mut edited = options.clone();
    edited.retain(|key, _| key != "id" && key != "singletonKey" && key != "match");
    // An edit to start at once is no edit left out.
    if edited
        .get("startAfter")
        .and_then(Value::as_f64)
        .is_some_and(|delay| delay <= 0.0)
    {
        let delay = edited.get("startAfter").map(ToString::to_string);
        edited.insert("startAfter".to_owned(), json!(delay));
    }
    let change = Change {
        data,
        priority: options
            .get("priority")
            .and_then(Value::as_i64)
            .and_then(|p| i32::try_from(p).ok()),
        options: job_options(&edited)?,
    };
    if method == "update" {
        let jobs = queue.update(client, name, &which, &change).await?;
        return Ok(json!({ "jobs": jobs, "updated": jobs.len() }));
    }
    Ok(match queue.upsert(client, name, &which, &change).await? {
        Upserted::Updated(jobs) => json!({ "jobs": jobs, "updated": jobs.len(), "inserted": 0 }),
        Upserted::Inserted(id) => json!({ "jobs": [id], "updated": 0, "inserted": 1 }),
    })
}

pub(crate) async fn flow(queue: &Queue, client: &Client, args: &Args<'_>) -> Result<Value, Fault> {
    let Some(Value::Array(jobs)) = args.get(0) else {
        return Err(Fault::assertion("flow requires an array of jobs"));
    };
    let mut flow = Vec::new();
    for job in jobs {
        let job = object(Some(job));
        let name = |key: &str| {
            job.get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let reference = name("ref")
            .ok_or_else(|| Fault::assertion("each flow job must have a non-empty ref"))?;
        let queue_name = name("name")
            .ok_or_else(|| Fault::assertion("each flow job must have a non-empty name"))?;
        let options = object(job.get("options"));
        attorney::send_options(&options)?;
        let parents = job.get("dependsOn").and_then(Value::as_array);
        flow.push(FlowJob {
            reference: reference.to_owned(),
            send: Send {
                queue: queue_name.to_owned(),
                data: job.get("data").cloned().unwrap_or_default(),
                options: job_options(&options)?,
            },
            depends_on: parents
                .into_iter()
                .flatten()
                .filter_map(|parent| parent.as_str().map(str::to_owned))
                .collect(),
        });
    }
    match queue.flow(client, &flow).await {
        // The library says which field; the client says only what is wrong.
        Err(telecast_queue::Error::Invalid {
            field: "flow",
            problem,
        }) => {
            let problem = problem.trim_start_matches("has a ").to_owned();
            let of_the_flow = problem.starts_with("requires") || problem.starts_with("contains");
            Err(Fault::assertion(if of_the_flow {
                format!("flow {problem}")
            } else {
                problem
            }))
        }
        ids => Ok(json!(ids?)),
    }
}

pub(crate) async fn get_by_id(
    queue: &Queue,
    client: &Client,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    let name = attorney::queue_name(args.get(0))?;
    let id = uuid(args.get(1).unwrap_or(&Value::Null))?;
    Ok(json!(queue.get(client, name, id).await?))
}

pub(crate) async fn find(queue: &Queue, client: &Client, args: &Args<'_>) -> Result<Value, Fault> {
    let name = attorney::queue_name(args.get(0))?;
    let options = args.object(1);
    let find = Find {
        id: options.get("id").map(uuid).transpose()?,
        key: options
            .get("key")
            .and_then(Value::as_str)
            .map(str::to_owned),
        data: options.get("data").cloned(),
        queued: options.get("queued") == Some(&Value::Bool(true)),
    };
    Ok(json!(queue.find(client, name, &find).await?))
}

pub(crate) async fn dependencies(
    queue: &Queue,
    client: &Client,
    method: &str,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    let name = attorney::queue_name(args.get(0))?;
    let id = uuid(args.get(1).unwrap_or(&Value::Null))?;
    Ok(if method == "getDependencies" {
        json!(queue.dependencies(client, name, id).await?)
    } else {
        json!(queue.dependents(client, name, id).await?)
    })
}

//! Methods on queues.

use std::time::Duration;

use serde_json::{Value, json};
use telecast_queue::{Empty, Error, Queue, QueueChange, QueueOptions};
use tokio_postgres::Client;

use crate::attorney;
use crate::fault::{Fault, assert};
use crate::options::{Args, Object, is_falsy};

/// How old counts may be where the caller asks for fresh ones, and where not.
const FRESH: Duration = Duration::from_secs(60);
const KEPT: Duration = Duration::from_secs(3600);

fn seconds(options: &Object, key: &str) -> Option<Duration> {
    let seconds = options.get(key)?.as_f64()?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn count(options: &Object, key: &str) -> Option<u32> {
    u32::try_from(options.get(key)?.as_u64()?).ok()
}

fn flag(options: &Object, key: &str) -> Option<bool> {
    options.get(key)?.as_bool()
}

fn text(options: &Object, key: &str) -> Option<String> {
    let text = options.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

pub(crate) async fn create(
    queue: &Queue,
    client: &Client,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    let options = args.object(1);
    let name = if is_falsy(args.get(0)) {
        options.get("name")
    } else {
        args.get(0)
    };
    let name = attorney::queue_name(name)?;
    let policy = match options
        .get("policy")
        .filter(|policy| !is_falsy(Some(policy)))
    {
        None => telecast_queue::Policy::Standard,
        Some(policy) => serde_json::from_value(policy.clone()).map_err(|_| {
            let policy = policy
                .as_str()
                .map_or_else(|| policy.to_string(), str::to_owned);
            Fault::assertion(format!("{policy} is not a valid queue policy"))
        })?,
    };
    attorney::queue_options(&options)?;
    let options = QueueOptions {
        policy,
        partition: flag(&options, "partition").unwrap_or_default(),
        retry_limit: count(&options, "retryLimit"),
        retry_delay: seconds(&options, "retryDelay"),
        retry_backoff: flag(&options, "retryBackoff"),
        retry_delay_max: seconds(&options, "retryDelayMax"),
        expire_in: seconds(&options, "expireInSeconds"),
        retention: seconds(&options, "retentionSeconds"),
        delete_after: seconds(&options, "deleteAfterSeconds"),
        dead_letter: text(&options, "deadLetter"),
        heartbeat: seconds(&options, "heartbeatSeconds"),
        warning_size: count(&options, "warningQueueSize"),
        notify: flag(&options, "notify"),
    };
    queue.create_queue(client, name, &options).await?;
    Ok(Value::Null)
}

pub(crate) async fn update(
    queue: &Queue,
    client: &Client,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    let name = attorney::queue_name(args.get(0))?;
    let options = args.object(1);
    assert(!options.is_empty(), "no properties found to update")?;
    if options.contains_key("policy") {
        return Err(Fault::new("queue policy cannot be changed after creation"));
    }
    if options.contains_key("partition") {
        return Err(Fault::new(
            "queue partitioning cannot be changed after creation",
        ));
    }
    attorney::queue_options(&options)?;
    let change = QueueChange {
        retry_limit: count(&options, "retryLimit"),
        retry_delay: seconds(&options, "retryDelay"),
        retry_backoff: flag(&options, "retryBackoff"),
        retry_delay_max: options
            .get("retryDelayMax")
            .map(|_| seconds(&options, "retryDelayMax")),
        expire_in: seconds(&options, "expireInSeconds"),
        retention: seconds(&options, "retentionSeconds"),
        delete_after: seconds(&options, "deleteAfterSeconds"),
        dead_letter: options
            .get("deadLetter")
            .map(|_| text(&options, "deadLetter")),
        heartbeat: options
            .get("heartbeatSeconds")
            .map(|_| seconds(&options, "heartbeatSeconds")),
        warning_size: count(&options, "warningQueueSize"),
        notify: flag(&options, "notify"),
    };
    match queue.update_queue(client, name, &change).await {
        // The client does not look whether there is one.
        Ok(()) | Err(Error::UnknownQueue(_)) => Ok(Value::Null),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn delete(
    queue: &Queue,
    client: &Client,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    queue
        .delete_queue(client, attorney::queue_name(args.get(0))?)
        .await?;
    Ok(Value::Null)
}

pub(crate) async fn get(queue: &Queue, client: &Client, args: &Args<'_>) -> Result<Value, Fault> {
    let info = queue
        .get_queue(client, attorney::queue_name(args.get(0))?)
        .await?;
    Ok(json!(info))
}

pub(crate) async fn get_all(
    queue: &Queue,
    client: &Client,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    let one = [args.get(0)];
    let names: Option<Vec<&str>> = match args.get(0) {
        Some(Value::Array(names)) => Some(
            names
                .iter()
                .map(|name| attorney::queue_name(Some(name)))
                .collect::<Result<_, _>>()?,
        ),
        Some(Value::String(_)) => Some(
            one.into_iter()
                .map(attorney::queue_name)
                .collect::<Result<_, _>>()?,
        ),
        _ => None,
    };
    let names = names.filter(|names| !names.is_empty());
    Ok(json!(queue.get_queues(client, names.as_deref()).await?))
}

pub(crate) async fn stats(queue: &Queue, client: &Client, args: &Args<'_>) -> Result<Value, Fault> {
    let name = attorney::queue_name(args.get(0))?;
    let force = flag(&args.object(1), "force").unwrap_or_default();
    let stats = queue
        .queue_stats(client, name, if force { FRESH } else { KEPT })
        .await?;
    Ok(json!([stats]))
}

pub(crate) async fn blocked_keys(
    queue: &Queue,
    client: &Client,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    match queue
        .blocked_keys(client, attorney::queue_name(args.get(0))?)
        .await
    {
        Err(Error::Invalid { .. }) => Err(Fault::new(
            "getBlockedKeys is only available for key_strict_fifo queues",
        )),
        keys => Ok(json!(keys?)),
    }
}

pub(crate) async fn empty(
    queue: &Queue,
    client: &Client,
    method: &str,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    let which = match method {
        "deleteQueuedJobs" => Empty::Queued,
        "deleteStoredJobs" => Empty::Stored,
        _ => Empty::All,
    };
    let name = if which == Empty::All && is_falsy(args.get(0)) {
        None
    } else {
        Some(attorney::queue_name(args.get(0))?)
    };
    queue.empty(client, name, which).await?;
    Ok(Value::Null)
}

//! Methods on schedules, events and upkeep.

use std::time::Duration;

use serde_json::{Value, json};
use telecast_queue::{CRON_INTERVAL, Error, Missed, NewSchedule, Queue, Upkeep};
use tokio_postgres::Client;

use crate::attorney;
use crate::fault::{Fault, assert};
use crate::options::{Args, is_falsy, job_options};

pub(crate) async fn subscription(
    queue: &Queue,
    client: &Client,
    method: &str,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    assert(!is_falsy(args.get(0)), "Missing required argument")?;
    assert(!is_falsy(args.get(1)), "Missing required argument")?;
    let (event, name) = (
        args.text(0).unwrap_or_default(),
        args.text(1).unwrap_or_default(),
    );
    if method == "subscribe" {
        queue.subscribe(client, event, name).await?;
    } else {
        queue.unsubscribe(client, event, name).await?;
    }
    Ok(Value::Null)
}

pub(crate) async fn publish(
    queue: &Queue,
    client: &Client,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    assert(!is_falsy(args.get(0)), "Missing required argument")?;
    let event = args.text(0).unwrap_or_default();
    let options = args.object(2);
    attorney::send_options(&options)?;
    let data = args.get(1).cloned().unwrap_or_default();
    queue
        .publish(client, event, &data, &job_options(&options)?)
        .await?;
    Ok(Value::Null)
}

pub(crate) async fn schedule(
    queue: &Queue,
    client: &Client,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    let options = args.object(3);
    attorney::send_options(&options)?;
    let name = args.text(0).unwrap_or_default();
    let missed = match options.get("missed") {
        None | Some(Value::Null) => Missed::Skip,
        Some(missed) => serde_json::from_value(missed.clone())
            .map_err(|_| Fault::assertion("missed must be one of: skip, once"))?,
    };
    let new = NewSchedule {
        queue: name.to_owned(),
        key: attorney::key(options.get("key"))?.to_owned(),
        cron: args.text(1).unwrap_or_default().to_owned(),
        timezone: options.get("tz").and_then(Value::as_str).map(str::to_owned),
        data: args.get(2).cloned().unwrap_or_default(),
        options: job_options(&options)?,
        missed,
    };
    match queue.schedule(client, &new).await {
        Err(Error::UnknownQueue(name)) => Err(Fault::new(format!("Queue {name} not found"))),
        Err(Error::Schedule(problem)) => Err(Fault::new(problem)),
        kept => Ok(json!(kept?)),
    }
}

pub(crate) async fn unschedule(
    queue: &Queue,
    client: &Client,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    let name = args.text(0).unwrap_or_default();
    queue
        .unschedule(client, name, args.text(1).unwrap_or_default())
        .await?;
    Ok(Value::Null)
}

pub(crate) async fn get(queue: &Queue, client: &Client, args: &Args<'_>) -> Result<Value, Fault> {
    let name = args.text(0).filter(|name| !name.is_empty());
    let key = name.and_then(|_| args.text(1));
    Ok(json!(queue.schedules(client, name, key).await?))
}

pub(crate) async fn supervise(
    queue: &Queue,
    client: &Client,
    args: &Args<'_>,
) -> Result<Value, Fault> {
    let now = Upkeep {
        monitor_interval: Duration::ZERO,
        maintain_interval: Duration::ZERO,
        ..Upkeep::default()
    };
    let one = args.text(0).map(|name| vec![name]);
    queue.upkeep(client, &now, one.as_deref()).await?;
    Ok(Value::Null)
}

pub(crate) async fn cron(queue: &Queue, client: &Client, args: &Args<'_>) -> Result<Value, Fault> {
    let interval = args.get(0).and_then(Value::as_u64);
    let interval = interval.map_or(CRON_INTERVAL, Duration::from_secs);
    let pass = queue.run_schedules(client, interval, None).await?;
    Ok(json!({ "claimed": pass.claimed, "sent": pass.sent, "broken": pass.broken.len() }))
}

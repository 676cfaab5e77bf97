//! The `scheduler` function: invoked every minute, by a POST to its URL, or by the API,
//! it dispatches until its deadline, or leaves at once when nothing is due within the
//! next minute.
#![forbid(unsafe_code)]

use std::{sync::Arc, time::Duration};

use serde_json::json;
use telecast_queue::Queue;
use telecast_runtime::{
    config::{Variables, environment},
    database, invoke, lambda, telemetry,
};
use telecast_scheduler::{Scheduler, Until, work};
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;

/// Where the environment tells no deadline: the template's time-out.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Dispatch, upkeep, and jobs that go back, at once.
const CONNECTIONS: usize = 2;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let variables = Variables::new(&environment);
    telemetry::start(variables.logs()?)?;
    let pool = database::pool(&variables.required_database_url()?, CONNECTIONS)?;
    let invoker = invoke::from_variables(variables)?;
    let work = work::from_variables(variables)?;
    let kick = Arc::new(Notify::new());
    let scheduler = Scheduler::new(pool, Queue::default(), invoker, &work, kick, None);
    let scheduler = Arc::new(Mutex::new(scheduler));
    let tick = async move |deadline: lambda::Deadline| {
        let until = Until::IdleOr {
            deadline: deadline.instant(),
            stop: CancellationToken::new(),
        };
        json!({"ended": scheduler.lock().await.run(until).await})
    };
    lambda::run_ticks(tick, TIMEOUT, variables.optional("HANDLER_SECRET")?)
        .await
        .map_err(anyhow::Error::from_boxed)
}

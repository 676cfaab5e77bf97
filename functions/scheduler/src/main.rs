//! The `scheduler` function: invoked every minute, it dispatches until its deadline,
//! or leaves at once when nothing is due within the next minute.
#![forbid(unsafe_code)]

use std::{sync::Arc, time::Duration};

use lambda_runtime::{LambdaEvent, service_fn};
use telecast_queue::Queue;
use telecast_runtime::{
    config::{Variables, environment},
    database, invoke,
    lambda::deadline,
    telemetry,
};
use telecast_scheduler::{Scheduler, TELECAST, Until};
use tokio::sync::{Mutex, Notify};

/// Where the environment tells no deadline: the template's time-out.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Dispatch, upkeep, and jobs that go back, at once.
const CONNECTIONS: usize = 2;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let variables = Variables::new(&environment);
    let (format, filter) = variables.logs()?;
    telemetry::start(format, filter)?;
    let pool = database::pool(&variables.required_database_url()?, CONNECTIONS)?;
    let invoker = invoke::from_variables(variables)?;
    let scheduler = Scheduler::new(
        pool,
        Queue::default(),
        invoker,
        &TELECAST,
        Arc::new(Notify::new()),
        None,
    );
    let scheduler = Arc::new(Mutex::new(scheduler));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<serde_json::Value>| {
        let scheduler = Arc::clone(&scheduler);
        async move {
            let until = Until::IdleOr(deadline(&event.context, TIMEOUT).instant());
            scheduler.lock().await.run(until).await;
            Ok::<_, lambda_runtime::Error>(())
        }
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}

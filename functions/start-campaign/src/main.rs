//! The `start-campaign` function: its handler behind the Lambda runtime.
#![forbid(unsafe_code)]

use std::time::Duration;

use telecast_queue::Queue;
use telecast_runtime::{
    config::{Variables, environment},
    database, lambda, telemetry,
};
use telecast_start_campaign::StartCampaign;

/// Where the environment tells no deadline: the template's time-out.
const TIMEOUT: Duration = Duration::from_secs(110);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let variables = Variables::new(&environment);
    telemetry::start(variables.logs()?)?;
    let connections = lambda::concurrency(variables)?;
    let pool = database::pool(&variables.required_database_url()?, connections)?;
    let handler = StartCampaign::new(pool, Queue::default());
    let secret = variables.optional("HANDLER_SECRET")?;
    lambda::run(handler, TIMEOUT, secret)
        .await
        .map_err(anyhow::Error::from_boxed)
}

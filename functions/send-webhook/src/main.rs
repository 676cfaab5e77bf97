//! The `send-webhook` function: its handler behind the Lambda runtime.
#![forbid(unsafe_code)]

use std::time::Duration;

use telecast_core::bots::EncryptionKey;
use telecast_queue::Queue;
use telecast_runtime::{
    config::{Variables, environment},
    database, lambda, telemetry,
};
use telecast_send_webhook::{Reach, SendWebhook};

/// Where the environment tells no deadline: the template's time-out.
const TIMEOUT: Duration = Duration::from_secs(45);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let variables = Variables::new(&environment);
    telemetry::start(variables.logs()?)?;
    let connections = lambda::concurrency(variables)?;
    let pool = database::pool(&variables.required_database_url()?, connections)?;
    let key = variables.required_key("ENCRYPTION_KEY")?;
    let handler = SendWebhook::new(
        pool,
        Queue::default(),
        EncryptionKey::new(*key.bytes()),
        Reach::from_variables(variables)?,
    )?;
    let secret = variables.optional("HANDLER_SECRET")?;
    lambda::run(handler, TIMEOUT, secret)
        .await
        .map_err(anyhow::Error::from_boxed)
}

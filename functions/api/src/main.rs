//! The `api` function: the API behind a Lambda function URL.
#![forbid(unsafe_code)]

use std::sync::Arc;

use telecast_api::{App, Kick, Settings, TokenSecret, router};
use telecast_core::bots::EncryptionKey;
use telecast_queue::Queue;
use telecast_runtime::{
    config::{Variables, environment},
    database,
    invoke::SchedulerCall,
    telemetry,
};
use telecast_telegram::{Client, Settings as TelegramSettings};

/// One request at a time reaches a process: axum's bodies do not suit lambda_http's
/// concurrent mode.
const CONNECTIONS: usize = 1;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let variables = Variables::new(&environment);
    telemetry::start(variables.logs()?)?;
    let telegram = TelegramSettings::at(variables.text("TELEGRAM_API_URL"));
    let app = App {
        pool: database::pool(&variables.required_database_url()?, CONNECTIONS)?,
        queue: Queue::default(),
        token_secret: TokenSecret::new(variables.required_key("JWT_SECRET")?.bytes()),
        encryption_key: EncryptionKey::new(*variables.required_key("ENCRYPTION_KEY")?.bytes()),
        telegram: Client::new(&telegram)?,
        kick: SchedulerCall::from_variables(variables)?.map(|call| Arc::new(call) as Arc<dyn Kick>),
        settings: Settings::from_variables(variables)?,
    };
    lambda_http::run(router(app))
        .await
        .map_err(|error| anyhow::anyhow!(error))
}

//! The `api` function: the API behind a Lambda function URL.
#![forbid(unsafe_code)]

use telecast_api::{App, TokenSecret, router};
use telecast_core::bots::EncryptionKey;
use telecast_queue::Queue;
use telecast_runtime::{
    config::{Variables, environment},
    database, telemetry,
};
use telecast_telegram::{Client, Settings};

/// One request at a time reaches a Lambda.
const CONNECTIONS: usize = 1;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let variables = Variables::new(&environment);
    let (format, filter) = variables.logs()?;
    telemetry::start(format, filter)?;
    let telegram = Settings::at(variables.text("TELEGRAM_API_URL"));
    let app = App {
        pool: database::pool(&variables.required_database_url()?, CONNECTIONS)?,
        queue: Queue::default(),
        token_secret: TokenSecret::new(variables.required_key("JWT_SECRET")?.bytes()),
        encryption_key: EncryptionKey::new(*variables.required_key("ENCRYPTION_KEY")?.bytes()),
        telegram: Client::new(&telegram)?,
        kick: None,
    };
    lambda_http::run(router(app))
        .await
        .map_err(|error| anyhow::anyhow!(error))
}

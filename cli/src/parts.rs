//! Telecast in parts, for self-hosting: `migrate` and `api`.

use std::{process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use telecast_api::{App, Kick, Settings};
use telecast_core::bots::EncryptionKey;
use telecast_queue::Queue;
use telecast_runtime::{
    config::{Variables, environment},
    database::pool,
    invoke::SchedulerCall,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    args::Api,
    local::{self, Keys, serve_api},
    shutdown,
};

pub(crate) async fn migrate() -> Result<ExitCode> {
    let variables = Variables::new(&environment);
    let url = variables.required_database_url()?;
    let applied = local::migrate(&url).await?;
    for migration in &applied {
        println!("applied {migration}");
    }
    if applied.is_empty() {
        println!("nothing to do: the database is at this version's schema");
    }
    let pool = pool(&url, 1)?;
    if let Some(password) = local::ensure_admin(&pool, variables).await? {
        println!("made the user admin, with the password {password}");
    }
    if let Some(token) = variables.optional("TELEGRAM_BOT_TOKEN")? {
        let key = EncryptionKey::new(*variables.required_key("ENCRYPTION_KEY")?.bytes());
        local::ensure_bot(&pool, &key, &token).await?;
        println!("the default bot is the one of TELEGRAM_BOT_TOKEN");
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn api(api: Api) -> Result<ExitCode> {
    let variables = Variables::new(&environment);
    let url = variables.required_database_url()?;
    let keys = Keys::required(variables)?;
    let listener = TcpListener::bind(api.listen)
        .await
        .with_context(|| format!("could not listen on {}; choose another address", api.listen))?;
    println!("The API listens on http://{}", listener.local_addr()?);
    let app = App {
        pool: pool(&url, 16)?,
        queue: Queue::default(),
        token_secret: keys.token_secret(),
        encryption_key: keys.encryption(),
        telegram: local::client(variables.text("TELEGRAM_API_URL"))?,
        // The scheduler is another process. One that runs all the time hears of a start
        // from the queue; others are called.
        kick: SchedulerCall::from_variables(variables)?.map(|call| Arc::new(call) as Arc<dyn Kick>),
        settings: Settings::from_variables(variables)?,
    };
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve_api(listener, app, stop.clone()));
    shutdown::asked().await?;
    stop.cancel();
    serving.await??;
    Ok(ExitCode::SUCCESS)
}

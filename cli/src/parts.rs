//! Telecast in parts, for self-hosting: `migrate`, `scheduler`, `api`.

use std::{process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use telecast_api::App;
use telecast_queue::Queue;
use telecast_runtime::{
    config::{Variables, environment},
    database::{Ear, pool},
};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::sync::CancellationToken;

use crate::{
    args::Api,
    local::{self, Keys, handlers, run_scheduler, serve_api},
    shutdown,
};

pub(crate) async fn migrate() -> Result<ExitCode> {
    let url = Variables::new(&environment).required_database_url()?;
    let applied = local::migrate(&url).await?;
    for migration in &applied {
        println!("applied {migration}");
    }
    if applied.is_empty() {
        println!("nothing to do: the database is at this version's schema");
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn scheduler() -> Result<ExitCode> {
    let variables = Variables::new(&environment);
    let url = variables.required_database_url()?;
    let keys = Keys::required(variables)?;
    let pool = pool(&url, 16)?;
    let queue = Queue::default();
    let telegram = local::client(variables.text("TELEGRAM_API_URL"))?;
    let handlers = handlers(&pool, &queue, telegram, &keys);
    let ear = variables
        .listen_url(&url)?
        .map(|url| Ear::open(url, queue.clone()));
    let stop = CancellationToken::new();
    let kick = Arc::new(Notify::new());
    let running = tokio::spawn(run_scheduler(
        pool,
        queue,
        handlers,
        kick,
        ear,
        stop.clone(),
    ));
    println!("The scheduler runs. Press Ctrl-C to stop.");
    shutdown::asked().await?;
    stop.cancel();
    running.await?;
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
        // The scheduler is another process, and hears of a start from the queue.
        kick: None,
    };
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve_api(listener, app, stop.clone()));
    shutdown::asked().await?;
    stop.cancel();
    serving.await??;
    Ok(ExitCode::SUCCESS)
}

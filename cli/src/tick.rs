//! The scheduler behind HTTP, for pg_cron, a container that sleeps, or any cron: a POST
//! makes it run for a minute, or until nothing is due.

use std::{future::IntoFuture, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::json;
use telecast_runtime::{config::Variables, secret::Secret};
use telecast_scheduler::{Scheduler, Until};
use tokio::{
    net::TcpListener,
    sync::{Mutex, Notify},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::shutdown;

/// A tick's length: the next one comes a minute after it began.
const TICK: Duration = Duration::from_secs(58);

/// What a request is given.
#[derive(Clone)]
struct Ticker {
    scheduler: Arc<Mutex<Scheduler>>,
    stop: CancellationToken,
    kick: Arc<Notify>,
    secret: Secret,
}

/// Serves ticks until asked to stop; what a tick has begun is finished.
pub(crate) async fn serve(
    address: SocketAddr,
    variables: Variables<'_>,
    scheduler: Scheduler,
    kick: Arc<Notify>,
) -> Result<()> {
    let ticker = Ticker {
        scheduler: Arc::new(Mutex::new(scheduler)),
        stop: CancellationToken::new(),
        kick,
        secret: variables.handler_secret()?,
    };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("could not listen on {address}; choose another address"))?;
    println!(
        "The scheduler runs at each POST to http://{}",
        listener.local_addr()?
    );
    let router = Router::new()
        .route("/", post(tick))
        .with_state(ticker.clone());
    let serving = axum::serve(listener, router)
        .with_graceful_shutdown(ticker.stop.clone().cancelled_owned())
        .into_future();
    let serving = tokio::spawn(serving);
    shutdown::asked().await?;
    ticker.stop.cancel();
    serving.await??;
    // A tick whose caller hung up.
    drop(ticker.scheduler.lock().await);
    Ok(())
}

async fn tick(State(ticker): State<Ticker>, headers: HeaderMap) -> Response {
    let guess = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if !guess.is_some_and(|guess| ticker.secret.is(guess)) {
        let message = "send HANDLER_SECRET as a bearer token";
        return (StatusCode::UNAUTHORIZED, message).into_response();
    }
    let Ok(mut scheduler) = Arc::clone(&ticker.scheduler).try_lock_owned() else {
        ticker.kick.notify_one();
        return Json(json!({"ended": "RUNNING_ALREADY"})).into_response();
    };
    // In a task of its own: pg_net hangs up long before a tick is over.
    let until = Until::IdleOr {
        deadline: Instant::now() + TICK,
        stop: ticker.stop,
    };
    match tokio::spawn(async move { scheduler.run(until).await }).await {
        Ok(ended) => Json(json!({"ended": ended})).into_response(),
        Err(error) => {
            tracing::error!(%error, "a tick broke off");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

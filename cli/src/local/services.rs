//! The API, the scheduler and the handlers as tasks of this process.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use deadpool_postgres::Pool;
use telecast_api::{App, Kick, Settings};
use telecast_check_channels::CheckChannels;
use telecast_queue::Queue;
use telecast_runtime::{
    config::Variables,
    database::{DatabaseUrl, Ear},
    handler::async_trait,
    invoke::InProcess,
};
use telecast_scheduler::{Scheduler, TELECAST, Until};
use telecast_send_message::SendMessage;
use telecast_send_webhook::{Reach, SendWebhook};
use telecast_start_campaign::StartCampaign;
use telecast_telegram::Client;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::Keys;

/// Above the Telegram client's time-out, below the expiry of a send-message job.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(45);

/// Both tasks.
pub(crate) struct Services {
    address: SocketAddr,
    stop: CancellationToken,
    api: JoinHandle<Result<()>>,
    scheduler: JoinHandle<()>,
}

impl Services {
    pub(super) async fn start(
        listen: SocketAddr,
        database: &DatabaseUrl,
        variables: Variables<'_>,
        pool: &Pool,
        keys: &Keys,
        telegram: Client,
    ) -> Result<Self> {
        let stop = CancellationToken::new();
        let kick = Arc::new(Notify::new());
        let queue = Queue::default();
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("could not listen on {listen}; choose another address"))?;
        let address = listener.local_addr()?;
        let app = App {
            pool: pool.clone(),
            queue: queue.clone(),
            token_secret: keys.token_secret(),
            encryption_key: keys.encryption(),
            telegram: telegram.clone(),
            kick: Some(Arc::new(Wake(Arc::clone(&kick)))),
            settings: Settings::from_variables(variables)?,
        };
        let api = tokio::spawn(serve_api(listener, app, stop.clone()));
        let ear = variables
            .listen_url(database)?
            .map(|url| Ear::open(url, queue.clone()));
        let reach = Reach::from_variables(variables)?;
        let handlers = handlers(pool, &queue, telegram, keys, reach)?;
        let scheduler = tokio::spawn(run_scheduler(
            pool.clone(),
            queue,
            handlers,
            kick,
            ear,
            stop.clone(),
        ));
        Ok(Self {
            address,
            stop,
            api,
            scheduler,
        })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers the requests and settles the messages that are under way.
    pub(super) async fn stop(self) -> Result<()> {
        self.stop.cancel();
        self.scheduler.await?;
        self.api.await?
    }
}

/// The API's way to make the scheduler of this process look.
struct Wake(Arc<Notify>);

#[async_trait]
impl Kick for Wake {
    async fn kick(&self) {
        self.0.notify_one();
    }
}

/// Serves the API until told to stop.
pub(crate) async fn serve_api(
    listener: TcpListener,
    app: App,
    stop: CancellationToken,
) -> Result<()> {
    let service = telecast_api::router(app).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await?;
    Ok(())
}

/// Telecast's handlers, in this process.
pub(crate) fn handlers(
    pool: &Pool,
    queue: &Queue,
    telegram: Client,
    keys: &Keys,
    reach: Reach,
) -> Result<InProcess> {
    let webhooks = SendWebhook::new(pool.clone(), queue.clone(), keys.encryption(), reach)?;
    let handlers = InProcess::new(HANDLER_TIMEOUT)
        .with(webhooks)
        .with(StartCampaign::new(pool.clone(), queue.clone()))
        .with(CheckChannels::new(
            pool.clone(),
            queue.clone(),
            telegram.clone(),
            keys.encryption(),
        ))
        .with(SendMessage::new(
            pool.clone(),
            queue.clone(),
            telegram,
            keys.encryption(),
        ));
    Ok(handlers)
}

/// Runs the scheduler until told to stop; what is under way is finished first.
async fn run_scheduler(
    pool: Pool,
    queue: Queue,
    handlers: InProcess,
    kick: Arc<Notify>,
    ear: Option<Ear>,
    stop: CancellationToken,
) {
    Scheduler::new(pool, queue, Arc::new(handlers), &TELECAST, kick, ear)
        .run(Until::Stopped(stop))
        .await;
}

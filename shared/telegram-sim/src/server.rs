//! The simulator as a server.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{Router, extract::Request, response::Response};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tower::ServiceExt;

use crate::{
    bot_api,
    chats::NewChat,
    control,
    ledger::Ledger,
    limits::Micros,
    script::Step,
    world::{Limits, World},
};

/// How a simulator starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The rates it enforces.
    pub limits: Limits,
    /// How many channels it knows, named @sim_channel_1 and so on.
    pub chats: u32,
    /// Whether any other public name becomes a channel when it is first written to.
    pub accept_any_username: bool,
    /// The tokens it knows; every well-formed one where this is empty.
    pub tokens: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            limits: Limits::default(),
            chats: 0,
            accept_any_username: false,
            tokens: Vec::new(),
        }
    }
}

/// A simulator that does not start.
#[derive(Debug, thiserror::Error)]
#[error("the simulator cannot listen on {listen}; choose another address")]
pub struct StartError {
    listen: SocketAddr,
    #[source]
    cause: io::Error,
}

/// What a script was meant for, and is not there.
#[derive(Debug, thiserror::Error)]
#[error("the simulator knows no chat {0}; add it first")]
pub struct NoSuchChat(pub String);

/// The state that connections share.
#[derive(Clone)]
pub(crate) struct Shared {
    world: Arc<Mutex<World>>,
    clock: Clock,
    accepted: watch::Sender<usize>,
}

/// Microseconds since 1970 that never go back.
#[derive(Debug, Clone, Copy)]
struct Clock {
    started: Instant,
    since_epoch: Duration,
}

impl Clock {
    fn now(&self) -> Micros {
        let now = self.since_epoch + self.started.elapsed();
        Micros::try_from(now.as_micros()).unwrap_or(Micros::MAX)
    }
}

impl Shared {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Micros {
        self.clock.now()
    }

    /// Tells those who wait that one more message was accepted.
    pub(crate) fn count_accepted(&self) {
        self.accepted.send_modify(|accepted| *accepted += 1);
    }
}

/// A running simulator. It stops when this is dropped.
pub struct Simulator {
    address: SocketAddr,
    shared: Shared,
    server: JoinHandle<()>,
}

impl Simulator {
    /// Starts a simulator.
    ///
    /// # Errors
    /// [`StartError`] where the address cannot be listened on.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let failed = |cause| StartError {
            listen: config.listen,
            cause,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let mut world = World::new(config.limits, config.tokens);
        world.chats.add_numbered(config.chats);
        world.chats.accept_any = config.accept_any_username;
        let shared = Shared {
            world: Arc::new(Mutex::new(world)),
            clock: Clock {
                started: Instant::now(),
                since_epoch: SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default(),
            },
            accepted: watch::Sender::new(0),
        };
        let router = bot_api::router()
            .merge(control::router())
            .with_state(shared.clone());
        let server = tokio::spawn(serve(listener, router));
        Ok(Self {
            address,
            shared,
            server,
        })
    }

    /// Its base URL, such as `http://127.0.0.1:40123`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds the next `count` channels, @sim_channel_1 first.
    pub fn add_channels(&self, count: u32) {
        self.shared.world().chats.add_numbered(count);
    }

    /// Adds a chat, and gives its id.
    pub fn add_chat(&self, chat: NewChat) -> i64 {
        self.shared.world().chats.add(chat)
    }

    /// Tells a chat (an @username or id) what to do with the next messages to it; this
    /// replaces what it was told before.
    ///
    /// # Errors
    /// [`NoSuchChat`].
    pub fn script(
        &self,
        chat: &str,
        steps: impl IntoIterator<Item = Step>,
    ) -> Result<(), NoSuchChat> {
        if self
            .shared
            .world()
            .script(chat, steps.into_iter().collect())
        {
            Ok(())
        } else {
            Err(NoSuchChat(chat.to_owned()))
        }
    }

    /// Makes a bot (its id) wait from now.
    pub fn flood(&self, bot: &str, seconds: u64) {
        let now = self.shared.now();
        self.shared.world().flood(now, bot, seconds);
    }

    /// Makes a token unknown.
    pub fn revoke(&self, token: &str) {
        self.shared.world().revoked.insert(token.to_owned());
    }

    /// A copy of the ledger as it is now.
    pub fn ledger(&self) -> Ledger {
        self.shared.world().ledger.clone()
    }

    /// Waits until this many messages were accepted since the start.
    pub async fn until_accepted(&self, messages: usize) {
        let mut accepted = self.shared.accepted.subscribe();
        // Cannot fail: the sender is ours.
        if accepted.wait_for(|count| *count >= messages).await.is_err() {
            tracing::error!("the simulator's count of messages ended");
        }
    }

    /// Runs until the server ends, which it does not by itself.
    pub async fn wait(&mut self) {
        if let Err(error) = (&mut self.server).await {
            tracing::error!(%error, "the simulator ended");
        }
    }

    /// Stops it; open connections are closed.
    pub async fn shutdown(mut self) {
        self.server.abort();
        // The error is the cancellation that was just asked for.
        (&mut self.server).await.unwrap_or_default();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, router: Router) {
    // Dropping the set closes every connection.
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, router.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// In a response: the connection is to be closed without it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CloseConnection;

#[derive(Debug, thiserror::Error)]
#[error("closed without an answer, as told")]
struct Closed;

async fn connection(stream: TcpStream, router: Router) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let service = service_fn(move |request| answer(router.clone(), request));
    // An error of the service makes hyper close the socket with nothing written: to the
    // client, the request went out and no answer came.
    if let Err(error) = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
    {
        tracing::debug!(%error, "a connection ended");
    }
}

async fn answer(
    router: Router,
    request: hyper::Request<hyper::body::Incoming>,
) -> Result<Response, Closed> {
    let request: Request = request.map(axum::body::Body::new);
    let response = router
        .oneshot(request)
        .await
        .unwrap_or_else(|never: Infallible| match never {});
    if response.extensions().get::<CloseConnection>().is_some() {
        return Err(Closed);
    }
    Ok(response)
}

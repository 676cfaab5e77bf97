//! A session connection that listens, and comes back when it is lost.

use std::{future::poll_fn, time::Duration};

use tokio::{sync::mpsc, task::JoinHandle};
use tokio_postgres::AsyncMessage;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{DatabaseError, DatabaseUrl, tls};

/// What a listener tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// Somebody notified the channel, with this payload.
    Payload(String),
    /// The connection was made, perhaps anew: what was sent before may be missing.
    Connected,
}

/// Listens on one channel until it is dropped. Needs a session: behind a
/// transaction pooler nothing arrives.
#[derive(Debug)]
pub struct Listener {
    receiver: mpsc::Receiver<Notification>,
    task: JoinHandle<()>,
}

/// Pauses between attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Listener {
    /// Begins to listen. `channel` is a plain name of at most 63 bytes.
    pub fn start(url: DatabaseUrl, channel: String) -> Self {
        let (sender, receiver) = mpsc::channel(64);
        let task = tokio::spawn(async move {
            let mut pause = FIRST_PAUSE;
            while !sender.is_closed() {
                match listen(&url, &channel, &sender).await {
                    Ok(()) => pause = FIRST_PAUSE,
                    Err(error) => {
                        tracing::warn!(%error, "not listening; trying again in {pause:?}");
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
            }
        });
        Self { receiver, task }
    }

    /// The next notification. Never ends: where the connection is lost, it waits for
    /// the next one.
    pub async fn next(&mut self) -> Notification {
        match self.receiver.recv().await {
            Some(notification) => notification,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Until the connection ends.
async fn listen(
    url: &DatabaseUrl,
    channel: &str,
    sender: &mpsc::Sender<Notification>,
) -> Result<(), DatabaseError> {
    let lost = |source| DatabaseError::Connect {
        server: url.server(),
        source,
    };
    let tls = MakeRustlsConnect::new(tls::client_config(url)?);
    let (client, mut connection) = url.config().connect(tls).await.map_err(lost)?;
    let listen = format!("LISTEN \"{}\"", channel.replace('"', "\"\""));
    let subscribed = client.batch_execute(&listen);
    tokio::pin!(subscribed);
    let mut listening = false;
    loop {
        tokio::select! {
            done = &mut subscribed, if !listening => {
                done.map_err(lost)?;
                listening = true;
                if sender.send(Notification::Connected).await.is_err() {
                    return Ok(());
                }
            }
            message = poll_fn(|context| connection.poll_message(context)) => match message {
                Some(Ok(AsyncMessage::Notification(told))) => {
                    let payload = Notification::Payload(told.payload().to_owned());
                    if sender.send(payload).await.is_err() {
                        return Ok(());
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(lost(error)),
                None => return Ok(()),
            },
        }
    }
}

//! A queue's listener that comes back when its session is lost.

use std::{collections::BTreeSet, time::Duration};

use telecast_queue::{Listener, Queue};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{DatabaseUrl, tls};

/// What is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Jobs arrived in these queues.
    Queues(BTreeSet<String>),
    /// The session was opened, perhaps anew: what was said before may have been missed.
    Connected,
}

/// Listens for new jobs until it is dropped. Needs a session: behind a transaction
/// pooler nothing is heard.
#[derive(Debug)]
pub struct Ear {
    receiver: mpsc::Receiver<Heard>,
    task: JoinHandle<()>,
}

/// Pauses between attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Ear {
    /// Begins to listen.
    pub fn open(url: DatabaseUrl, queue: Queue) -> Self {
        let (sender, receiver) = mpsc::channel(64);
        let task = tokio::spawn(async move {
            let mut pause = FIRST_PAUSE;
            loop {
                match connect(&url, &queue).await {
                    Ok(listener) => {
                        pause = FIRST_PAUSE;
                        if pass_on(listener, &sender).await.is_err() {
                            return;
                        }
                    }
                    Err(error) => tracing::warn!(%error, "not listening; again in {pause:?}"),
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        });
        Self { receiver, task }
    }

    /// What is heard next. Never ends; it may be cancelled.
    pub async fn next(&mut self) -> Heard {
        match self.receiver.recv().await {
            Some(heard) => heard,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connect(
    url: &DatabaseUrl,
    queue: &Queue,
) -> Result<Listener, Box<dyn std::error::Error + Send + Sync>> {
    let tls = MakeRustlsConnect::new(tls::client_config(url)?);
    Ok(Listener::connect(queue, url.config(), tls).await?)
}

/// Until the session is lost, or nobody listens any more, which is an error.
async fn pass_on(
    mut listener: Listener,
    sender: &mpsc::Sender<Heard>,
) -> Result<(), mpsc::error::SendError<Heard>> {
    sender.send(Heard::Connected).await?;
    while let Some(queues) = listener.next().await {
        sender.send(Heard::Queues(queues)).await?;
    }
    Ok(())
}

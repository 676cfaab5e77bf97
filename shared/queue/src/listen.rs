//! Hearing of new jobs as they arrive.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::poll_fn;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Socket};

use crate::{Error, Queue};

/// A session that hears of jobs that become runnable in queues with
/// [`notify`](crate::QueueOptions::notify). It needs a connection of its own, not
/// through a pooler in transaction mode; where there is none, poll.
#[derive(Debug)]
pub struct Listener {
    /// Ends the session when dropped.
    _client: Client,
    names: Arc<Mutex<BTreeSet<String>>>,
    woken: mpsc::Receiver<()>,
}

impl Listener {
    /// Opens the session. It needs a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Database`] where the database cannot be reached.
    pub async fn connect<T>(queue: &Queue, config: &Config, tls: T) -> Result<Self, Error>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: std::marker::Send + 'static,
        <T::TlsConnect as TlsConnect<Socket>>::Future: std::marker::Send,
    {
        let (client, mut connection) = config.connect(tls).await?;
        let (wake, woken) = mpsc::channel(1);
        let names = Arc::new(Mutex::new(BTreeSet::new()));
        let heard = Arc::clone(&names);
        tokio::spawn(async move {
            while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
                match message {
                    Ok(AsyncMessage::Notification(notification)) => {
                        let name = notification.payload().to_owned();
                        heard
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .insert(name);
                        // Full: it will look at the names anyway. Closed: nobody listens.
                        if let Err(TrySendError::Closed(())) = wake.try_send(()) {
                            return;
                        }
                    }
                    Ok(_) => {}
                    // The sender goes with this task, which is how the listener learns of it.
                    Err(_) => return,
                }
            }
        });
        let channel = queue
            .query(
                &client,
                "SELECT 'pgboss_' || left(encode(sha224('{schema}'), 'hex'), 24)",
                &[],
            )
            .await?;
        if let Some(row) = channel.first() {
            client
                .batch_execute(&format!("LISTEN {}", row.get::<_, &str>(0)))
                .await?;
        }
        Ok(Self {
            _client: client,
            names,
            woken,
        })
    }

    /// Waits until jobs arrive, and gives the queues that they arrived in since the
    /// last call; none once the session is lost: connect again, and look at every queue.
    /// It may be cancelled.
    pub async fn next(&mut self) -> Option<BTreeSet<String>> {
        self.woken.recv().await?;
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        Some(std::mem::take(&mut *names))
    }
}

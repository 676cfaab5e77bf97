//! PostgreSQL: where it is, a pool of connections, an ear for new jobs.

mod listen;
mod tls;
mod url;

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::Client;
use tokio_postgres_rustls::MakeRustlsConnect;

pub use listen::{Ear, Heard};
pub use tls::TlsError;
pub use url::{DatabaseUrl, UrlError};

/// A pool or a connection that could not be had.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The pool could not be made.
    #[error("could not make a pool of connections: {0}")]
    Pool(#[from] deadpool_postgres::BuildError),
    /// The server refused or could not be reached; the source says why.
    #[error("could not connect to {server}: {source}")]
    Connect {
        /// Host and port, without user and password.
        server: String,
        /// Why not.
        source: tokio_postgres::Error,
    },
}

/// How long a caller waits for a connection, and for one to be made.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection of the pool may take to show that it is alive. One whose process
/// was frozen, as on Lambda, may have died without a word, and answers nothing.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// A pool of at most `size` connections. It connects when it is first used, and
/// replaces connections that the server closed.
///
/// # Errors
/// [`DatabaseError::Tls`] or [`DatabaseError::Pool`].
pub fn pool(url: &DatabaseUrl, size: usize) -> Result<Pool, DatabaseError> {
    let tls = MakeRustlsConnect::new(tls::client_config(url)?);
    let manager = Manager::from_config(
        url.config().clone(),
        tls,
        ManagerConfig {
            // A connection that died in a restart of the server is found out before
            // it is used.
            recycling_method: RecyclingMethod::Verified,
        },
    );
    let timeouts = Timeouts {
        wait: Some(PATIENCE),
        create: Some(PATIENCE),
        recycle: Some(SIGN_OF_LIFE),
    };
    Ok(Pool::builder(manager)
        .max_size(size)
        .timeouts(timeouts)
        .runtime(Runtime::Tokio1)
        .build()?)
}

/// One connection of its own. It closes when the client is dropped.
///
/// # Errors
/// [`DatabaseError::Tls`] or [`DatabaseError::Connect`].
pub async fn connect(url: &DatabaseUrl) -> Result<Client, DatabaseError> {
    let tls = MakeRustlsConnect::new(tls::client_config(url)?);
    let (client, connection) =
        url.config()
            .connect(tls)
            .await
            .map_err(|source| DatabaseError::Connect {
                server: url.server(),
                source,
            })?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a database connection ended");
        }
    });
    Ok(client)
}

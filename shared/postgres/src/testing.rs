//! A server for a test process, and a fresh database for each test.
//!
//! The server starts with the first test that asks and stops with the process. A
//! template database is migrated once; each test gets a clone of it, which takes
//! some 20 ms.
//!
//! ```no_run
//! # async fn migrate(url: String) {}
//! # async fn test() {
//! let database = telecast_postgres::testing::database("app", migrate).await;
//! let (client, connection) =
//!     tokio_postgres::connect(database.url(), tokio_postgres::NoTls).await.unwrap();
//! # }
//! ```
#![allow(clippy::expect_used, reason = "a test stops where it cannot go on")]

use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use tokio::sync::OnceCell;
use tokio_postgres::{Client, Config, NoTls};

use crate::{Binaries, Durability, Server};

static SERVER: OnceLock<Server> = OnceLock::new();
static TEMPLATES: OnceLock<Mutex<HashMap<String, Arc<OnceCell<()>>>>> = OnceLock::new();
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A database of one test.
#[derive(Debug, Clone)]
pub struct Database {
    name: String,
    url: String,
}

impl Database {
    /// How to connect to it.
    pub fn config(&self) -> Config {
        server().config(&self.name)
    }

    /// The same as a URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection to it.
    pub async fn connect(&self) -> Client {
        connect(&self.config()).await
    }
}

/// A fresh database, cloned from the template of this name. `migrate` makes the
/// template, once in the process; it is given the URL of an empty database, and must
/// leave no connection open.
///
/// # Panics
/// Where there is no PostgreSQL, or the template cannot be made.
pub async fn database<F>(template: &str, migrate: impl FnOnce(String) -> F) -> Database
where
    F: Future<Output = ()>,
{
    let made = TEMPLATES
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(template.to_owned())
        .or_default()
        .clone();
    made.get_or_init(|| async {
        create(template, "template1").await;
        migrate(server().url(template)).await;
    })
    .await;
    let name = format!("{template}_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    create(&name, template).await;
    Database {
        url: server().url(&name),
        name,
    }
}

async fn create(name: &str, template: &str) {
    connect(&server().config("postgres"))
        .await
        .batch_execute(&format!(
            "CREATE DATABASE \"{name}\" TEMPLATE \"{template}\""
        ))
        .await
        .expect("a database can be created");
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("the server answers");
    tokio::spawn(connection);
    client
}

/// The process's server. Its folder is removed by its supervisor, which sees this
/// process end: a static is never dropped.
fn server() -> &'static Server {
    SERVER.get_or_init(|| {
        // Off the runtime's threads, which must not block for as long as initdb takes.
        thread::spawn(|| {
            let folder = tempfile::Builder::new()
                .prefix("telecast-test-")
                .tempdir()
                .expect("a temporary folder can be made")
                .keep();
            let binaries = Binaries::find().expect("there is a PostgreSQL");
            Server::start(&binaries, &folder, Durability::ThrowAway)
                .expect("PostgreSQL can be started")
        })
        .join()
        .expect("the server's thread ends")
    })
}

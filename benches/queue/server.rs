//! The one PostgreSQL that all trials run on, and a database for each trial.

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result};
use telecast_postgres::{Binaries, Durability, Server};
use tempfile::TempDir;
use tokio_postgres::{Client, types::Type};

use crate::ours::connect;

/// A PostgreSQL with its default durability, in a folder of its own.
pub struct Postgres {
    server: Server,
    databases: AtomicU32,
    // Removed after the server has stopped.
    _folder: TempDir,
}

/// What differs from PostgreSQL's defaults: room, and nothing that makes a commit less
/// durable. Checkpoints are spread as a production server would have them.
const SETTINGS: &str = "\
ALTER SYSTEM SET shared_buffers = '512MB';\
ALTER SYSTEM SET max_wal_size = '4GB'";

impl Postgres {
    pub async fn start(in_folder: Option<&Path>) -> Result<Self> {
        let builder = tempfile::Builder::new();
        let folder = match in_folder {
            Some(parent) => tempfile::TempDir::with_prefix_in("telecast-bench-", parent)?,
            None => builder.tempdir()?,
        };
        let data = folder.path().join("data");
        let start = || Server::start(&Binaries::find()?, &data, Durability::Durable);
        let first = start()?;
        let client = connect(&first.url("postgres")).await?;
        for setting in SETTINGS.split(';') {
            client.batch_execute(setting).await?;
        }
        drop((client, first));
        Ok(Self {
            server: start()?,
            databases: AtomicU32::new(0),
            _folder: folder,
        })
    }

    pub fn url(&self, database: &str) -> String {
        self.server.url(database)
    }

    pub async fn admin(&self) -> Result<Client> {
        connect(&self.url("postgres")).await
    }

    /// An empty database.
    pub async fn create(&self, name: &str, template: &str) -> Result<()> {
        self.admin()
            .await?
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .await
            .with_context(|| format!("cannot make the database {name}"))
    }

    pub async fn exists(&self, name: &str) -> Result<bool> {
        let client = self.admin().await?;
        let found = "SELECT FROM pg_database WHERE datname = $1";
        let rows = client.query_typed(found, &[(&name, Type::TEXT)]).await?;
        Ok(!rows.is_empty())
    }

    /// A database for one trial, after a checkpoint, so that each begins alike.
    pub async fn fresh(&self, template: &str) -> Result<String> {
        let name = format!("trial_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.create(&name, template).await?;
        self.admin().await?.batch_execute("CHECKPOINT").await?;
        Ok(name)
    }

    pub async fn drop_database(&self, name: &str) -> Result<()> {
        let drop = format!("DROP DATABASE {name} WITH (FORCE)");
        Ok(self.admin().await?.batch_execute(&drop).await?)
    }
}

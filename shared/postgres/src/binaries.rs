//! Where initdb, pg_ctl and postgres are.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::Error;

/// A folder with PostgreSQL's server programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
}

const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Where systems keep their versions: Debian's folder of versions, and Homebrew's.
const VERSIONED: [(&str, &str); 3] = [
    ("/usr/lib/postgresql", ""),
    ("/opt/homebrew/opt", "postgresql"),
    ("/usr/local/opt", "postgresql"),
];

impl Binaries {
    /// Looks in PG_BIN_DIR, then PATH, then in Debian's and Homebrew's places, where
    /// the newest version wins.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::BadBinDir`] where PG_BIN_DIR is wrong.
    pub fn find() -> Result<Self, Error> {
        if let Some(folder) = env::var_os("PG_BIN_DIR") {
            let folder = PathBuf::from(folder);
            return Self::in_folder(&folder).ok_or(Error::BadBinDir(folder));
        }
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path)
            .find_map(|folder| Self::in_folder(&folder))
            .or_else(|| {
                VERSIONED
                    .iter()
                    .find_map(|(root, prefix)| newest(Path::new(root), prefix))
            })
            .ok_or(Error::NotFound)
    }

    pub(crate) fn in_folder(folder: &Path) -> Option<Self> {
        PROGRAMS
            .iter()
            .all(|program| folder.join(program).is_file())
            .then(|| Self {
                folder: folder.to_owned(),
            })
    }

    /// The path of one of them, such as `pg_dump`; whether it is there is another matter.
    pub fn program(&self, name: &'static str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The newest version under `root`: `root/15/bin`, `root/postgresql@16/bin`.
fn newest(root: &Path, prefix: &str) -> Option<Binaries> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(root)
        .ok()?
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix(prefix)?.trim_start_matches('@');
            Some((version.parse().unwrap_or(0), entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    versions
        .iter()
        .rev()
        .find_map(|(_, folder)| Binaries::in_folder(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(root: &Path, version: &str) {
        let folder = root.join(version).join("bin");
        fs::create_dir_all(&folder).unwrap();
        for program in PROGRAMS {
            fs::write(folder.join(program), "").unwrap();
        }
    }

    #[test]
    fn the_newest_complete_version_wins() {
        let root = tempfile::tempdir().unwrap();
        install(root.path(), "9");
        install(root.path(), "15");
        fs::create_dir_all(root.path().join("16/bin")).unwrap();
        assert_eq!(
            newest(root.path(), "").unwrap().folder,
            root.path().join("15/bin")
        );
    }

    #[test]
    fn homebrew_names_its_versions_with_an_at() {
        let root = tempfile::tempdir().unwrap();
        install(root.path(), "postgresql@14");
        install(root.path(), "postgresql@17");
        install(root.path(), "redis");
        assert_eq!(
            newest(root.path(), "postgresql").unwrap().folder,
            root.path().join("postgresql@17/bin")
        );
    }

    #[test]
    fn a_folder_that_is_not_there_has_none() {
        assert_eq!(newest(Path::new("/nowhere"), ""), None);
    }
}

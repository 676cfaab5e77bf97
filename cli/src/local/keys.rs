//! The two keys: from the environment, else made once and kept in the data directory.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, Result};
use telecast_api::TokenSecret;
use telecast_core::bots::EncryptionKey;
use telecast_runtime::config::{Key, Variables};

/// What signs sessions and seals tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    jwt_secret: Key,
    encryption_key: Key,
}

impl Keys {
    /// JWT_SECRET and ENCRYPTION_KEY, each from the environment or from a file.
    pub(crate) fn load(variables: Variables<'_>, data_dir: &Path) -> Result<Self> {
        Ok(Self {
            jwt_secret: key(variables, "JWT_SECRET", &data_dir.join("jwt-secret"))?,
            encryption_key: key(
                variables,
                "ENCRYPTION_KEY",
                &data_dir.join("encryption-key"),
            )?,
        })
    }

    /// Both from the environment.
    pub(crate) fn required(variables: Variables<'_>) -> Result<Self> {
        Ok(Self {
            jwt_secret: variables.required_key("JWT_SECRET")?,
            encryption_key: variables.required_key("ENCRYPTION_KEY")?,
        })
    }

    pub(crate) fn token_secret(&self) -> TokenSecret {
        TokenSecret::new(self.jwt_secret.bytes())
    }

    /// JWT_SECRET's text.
    pub(super) fn jwt_secret(&self) -> String {
        hex::encode(self.jwt_secret.bytes())
    }

    /// ENCRYPTION_KEY's text.
    pub(super) fn encryption_key(&self) -> String {
        hex::encode(self.encryption_key.bytes())
    }

    pub(crate) fn encryption(&self) -> EncryptionKey {
        EncryptionKey::new(*self.encryption_key.bytes())
    }
}

fn key(variables: Variables<'_>, name: &'static str, file: &Path) -> Result<Key> {
    if let Some(key) = variables.optional(name)? {
        return Ok(key);
    }
    if !file.exists() {
        make(file).with_context(|| format!("could not write {}", file.display()))?;
    }
    let text =
        fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
    text.trim()
        .parse()
        .with_context(|| format!("{} holds no key", file.display()))
}

/// Written beside its place and moved there, so that a crash leaves no half of a key.
fn make(file: &Path) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = file.with_extension("unfinished");
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&unfinished)?
        .write_all(hex::encode(rand::random::<[u8; 32]>()).as_bytes())?;
    fs::rename(unfinished, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let none = |_: &str| None;
        let first = Keys::load(Variables::new(&none), folder.path()).unwrap();
        let second = Keys::load(Variables::new(&none), folder.path()).unwrap();
        assert_eq!(first.encryption_key, second.encryption_key);
        assert_ne!(first.encryption_key, first.jwt_secret);
    }

    #[test]
    fn the_environment_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let set = |_: &str| Some("11".repeat(32));
        let keys = Keys::load(Variables::new(&set), folder.path()).unwrap();
        assert_eq!(keys.jwt_secret.bytes(), &[0x11; 32]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

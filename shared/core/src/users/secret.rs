//! Random secrets that are kept as hashes: refresh tokens and service tokens.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};

/// 32 random bytes as text, perhaps behind a prefix. Whoever holds it is let in.
#[derive(Clone, JsonSchema)]
#[schemars(extend("format" = "password"))]
pub struct Secret(String);

impl Secret {
    /// A secret as somebody sent it.
    pub fn given(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for its owner alone.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A token that only the secret's holder can be given, for one purpose; it tells
    /// nothing of the secret.
    pub fn derive(&self, purpose: &str) -> String {
        let digest = Sha256::new()
            .chain_update(purpose)
            .chain_update([0])
            .chain_update(&self.0)
            .finalize();
        BASE64_URL_SAFE_NO_PAD.encode(digest)
    }

    pub(super) fn generate(prefix: &str) -> Self {
        let random = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        Self(format!("{prefix}{random}"))
    }

    /// SHA-256: nobody guesses 32 random bytes, so no slow hash is needed, and rows are
    /// found by it.
    pub(super) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_are_not_shown() {
        let (one, other) = (Secret::generate("x_"), Secret::generate("x_"));
        assert!(one.expose().starts_with("x_") && one.expose().len() == 45);
        assert_ne!(one.hash(), other.hash());
        assert_eq!(format!("{one:?}"), "Secret(…)");
    }
}

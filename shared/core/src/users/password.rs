//! Passwords: a secret, never shown, kept as an argon2id hash.

use std::{fmt, str::FromStr, sync::LazyLock};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc},
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::{Error, Result};

/// A password in the clear.
#[derive(Clone, JsonSchema)]
#[schemars(extend("format" = "password"))]
pub struct Password(String);

/// A password that nobody should have.
#[derive(Debug, thiserror::Error)]
#[error("must have 8 to 200 characters")]
pub struct BadPassword;

impl Password {
    /// Takes what somebody typed to log in, whatever it is.
    pub fn typed(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A password that nobody can guess: 24 letters, digits, - and _.
    pub fn generate() -> Self {
        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
        Self(BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>()))
    }

    /// The secret itself: to print a generated password once.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its argon2id hash, with the parameters in it. Takes some 20 ms of a core on
    /// purpose: not for an async task.
    ///
    /// # Errors
    /// `Corrupt` when the system gives no random bytes for the salt.
    pub fn hash(&self) -> Result<PasswordHash> {
        Argon2::default()
            .hash_password(self.0.as_bytes())
            .map(|hash| PasswordHash(hash.to_string()))
            .map_err(|error| Error::Corrupt {
                what: "password",
                message: error.to_string(),
            })
    }

    /// Whether `hash` is of this password. Costs the same where there is no hash, so
    /// that the answer's time does not tell which users exist; not for an async task.
    pub fn matches(&self, hash: Option<&PasswordHash>) -> bool {
        let against = hash.unwrap_or(&DUMMY);
        let Ok(parsed) = phc::PasswordHash::new(&against.0) else {
            return false;
        };
        let same = Argon2::default()
            .verify_password(self.0.as_bytes(), &parsed)
            .is_ok();
        same && hash.is_some()
    }
}

/// The hash of a password nobody has, with the usual parameters.
static DUMMY: LazyLock<PasswordHash> = LazyLock::new(|| {
    Password::generate()
        .hash()
        .unwrap_or_else(|_| PasswordHash(String::new()))
});

impl FromStr for Password {
    type Err = BadPassword;

    fn from_str(text: &str) -> std::result::Result<Self, BadPassword> {
        if (8..=200).contains(&text.chars().count()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadPassword)
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// An argon2id hash in PHC form.
#[derive(Clone)]
pub struct PasswordHash(pub(super) String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_matches_its_password_alone() {
        let password: Password = "correct horse".parse().unwrap();
        let hash = password.hash().unwrap();
        assert!(hash.0.starts_with("$argon2id$"));
        assert!(password.matches(Some(&hash)));
        assert!(!Password::typed("wrong horse").matches(Some(&hash)));
        assert!(!password.matches(None));
    }

    #[test]
    fn short_passwords_are_refused() {
        assert!("1234567".parse::<Password>().is_err());
        assert!("пароль-8".parse::<Password>().is_ok());
    }

    #[test]
    fn neither_password_nor_hash_is_shown() {
        let password = Password::generate();
        assert_eq!(format!("{password:?}"), "Password(…)");
        assert_eq!(format!("{:?}", password.hash().unwrap()), "PasswordHash(…)");
    }
}

//! The environment, read once into types.

use std::{fmt::Display, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD};
use tracing_subscriber::filter::Targets;

use crate::{
    database::DatabaseUrl,
    secret::Secret,
    telemetry::{LogFormat, Logs},
};

/// A variable that is missing or malformed. The message never repeats a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It must be set.
    #[error("{name} is not set; {hint}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What to set it to.
        hint: &'static str,
    },
    /// It cannot be read.
    #[error("{name} {problem}")]
    Malformed {
        /// The variable.
        name: &'static str,
        /// What is wrong, and an example.
        problem: String,
    },
}

/// Looks variables up: in the environment, or in a test's own table.
#[derive(Clone, Copy)]
pub struct Variables<'a> {
    look_up: &'a dyn Fn(&str) -> Option<String>,
}

/// 32 secret bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// The bytes, for those who sign or seal with them.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A text that is no key.
#[derive(Debug, thiserror::Error)]
#[error(
    "must be 32 bytes in hex (64 digits) or base64, such as the output of: openssl rand -hex 32"
)]
pub struct BadKey;

impl FromStr for Key {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let bytes = hex::decode(text).or_else(|_| BASE64_STANDARD.decode(text));
        let bytes = bytes.map_err(|_| BadKey)?;
        Ok(Self(bytes.try_into().map_err(|_| BadKey)?))
    }
}

/// The process's environment.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl<'a> Variables<'a> {
    /// Those that `look_up` gives. An empty value counts as not set.
    pub fn new(look_up: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { look_up }
    }

    /// The text of a variable, if it is set.
    pub fn text(self, name: &str) -> Option<String> {
        (self.look_up)(name).filter(|text| !text.is_empty())
    }

    /// A variable that may be left out.
    ///
    /// # Errors
    /// [`ConfigError::Malformed`].
    pub fn optional<T: FromStr<Err: Display>>(
        self,
        name: &'static str,
    ) -> Result<Option<T>, ConfigError> {
        self.text(name)
            .map(|text| {
                text.trim()
                    .parse()
                    .map_err(|error: T::Err| ConfigError::Malformed {
                        name,
                        problem: error.to_string(),
                    })
            })
            .transpose()
    }

    /// A variable that must be set.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn required<T: FromStr<Err: Display>>(
        self,
        name: &'static str,
        hint: &'static str,
    ) -> Result<T, ConfigError> {
        self.optional(name)?
            .ok_or(ConfigError::Missing { name, hint })
    }

    /// DATABASE_URL, else SUPABASE_DIRECT_URL, if either is set. DATABASE_CA holds
    /// the PEM certificates of the database's own authority, such as Supabase's.
    ///
    /// # Errors
    /// [`ConfigError::Malformed`].
    pub fn database_url(self) -> Result<Option<DatabaseUrl>, ConfigError> {
        let url: Option<DatabaseUrl> = match self.optional("DATABASE_URL")? {
            Some(url) => Some(url),
            None => self.optional("SUPABASE_DIRECT_URL")?,
        };
        Ok(match (url, self.text("DATABASE_CA")) {
            (Some(url), Some(pem)) => Some(url.trusting(pem)),
            (url, _) => url,
        })
    }

    /// The same, where there is no way without.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn required_database_url(self) -> Result<DatabaseUrl, ConfigError> {
        self.database_url()?.ok_or(ConfigError::Missing {
            name: "DATABASE_URL",
            hint: "set it to a database, such as postgres://user:password@host:5432/database",
        })
    }

    /// Where to LISTEN: DATABASE_LISTEN_URL, else the database itself unless a
    /// pooler is in between.
    ///
    /// # Errors
    /// [`ConfigError::Malformed`].
    pub fn listen_url(self, database: &DatabaseUrl) -> Result<Option<DatabaseUrl>, ConfigError> {
        Ok(match self.optional("DATABASE_LISTEN_URL")? {
            Some(url) => Some(url),
            None => (!database.is_pooled()).then(|| database.clone()),
        })
    }

    /// JWT_SECRET or ENCRYPTION_KEY, where there is no way without.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn required_key(self, name: &'static str) -> Result<Key, ConfigError> {
        self.required(name, "set it to the output of: openssl rand -hex 32")
    }

    /// HANDLER_SECRET, where there is no way without: what opens functions' URLs.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn handler_secret(self) -> Result<Secret, ConfigError> {
        self.required(
            "HANDLER_SECRET",
            "set it, at callers and functions, to the output of: openssl rand -hex 32",
        )
    }

    /// LOG_FORMAT and RUST_LOG, and FUNCTION_PREFIX for metrics. On Lambda the format is
    /// JSON unless set.
    ///
    /// # Errors
    /// [`ConfigError::Malformed`].
    pub fn logs(self) -> Result<Logs, ConfigError> {
        let format = match self.text("LOG_FORMAT").as_deref() {
            Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => {
                return Err(ConfigError::Malformed {
                    name: "LOG_FORMAT",
                    problem: format!("is {other:?}; it must be text or json"),
                });
            }
            None if self.text("AWS_LAMBDA_FUNCTION_NAME").is_some() => LogFormat::Json,
            None => LogFormat::Text,
        };
        let filter = self.text("RUST_LOG").unwrap_or_else(|| "info".to_owned());
        // By target and level; EnvFilter could also look into fields, and brings regular
        // expressions for that, a tenth of a handler's size.
        let filter: Targets = filter.parse().map_err(|error| ConfigError::Malformed {
            name: "RUST_LOG",
            problem: format!("is no filter ({error}); an example is info,telecast_scheduler=debug"),
        })?;
        Ok(Logs {
            format,
            filter,
            stack: self
                .text("FUNCTION_PREFIX")
                .unwrap_or_else(|| "telecast".to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(set: &[(&str, &str)], read: impl FnOnce(Variables<'_>) -> T) -> T {
        let look_up = |name: &str| {
            set.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        read(Variables::new(&look_up))
    }

    #[test]
    fn a_missing_variable_is_named_with_an_example() {
        let error = with(&[], |v| v.required_database_url())
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("DATABASE_URL is not set"), "{error}");
        assert!(error.contains("postgres://"), "{error}");
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        assert!(
            with(&[("DATABASE_URL", "")], |v| v.database_url())
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn supabases_variable_counts_where_the_other_is_not_set() {
        let set = [("SUPABASE_DIRECT_URL", "postgres://u:p@db.example.com/x")];
        assert!(with(&set, |v| v.database_url()).unwrap().is_some());
    }

    #[test]
    fn a_key_is_32_bytes_in_hex_or_base64_and_never_shown() {
        let hex = "00".repeat(32);
        let base64 = BASE64_STANDARD.encode([0; 32]);
        assert_eq!(hex.parse::<Key>().unwrap(), base64.parse::<Key>().unwrap());
        let set = [("JWT_SECRET", "secret")];
        let error = with(&set, |v| v.required_key("JWT_SECRET"))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("JWT_SECRET must be 32 bytes"), "{error}");
        assert!(!error.contains("\"secret\""), "{error}");
        assert_eq!(format!("{:?}", hex.parse::<Key>().unwrap()), "Key(…)");
    }

    #[test]
    fn a_pooled_database_is_not_listened_to() {
        let url = |text: &str| text.parse::<DatabaseUrl>().unwrap();
        let direct = url("postgres://u:p@h/x");
        let pooled = url("postgres://u:p@h/x?pgbouncer=true");
        assert!(with(&[], |v| v.listen_url(&direct)).unwrap().is_some());
        assert!(with(&[], |v| v.listen_url(&pooled)).unwrap().is_none());
        let set = [("DATABASE_LISTEN_URL", "postgres://u:p@h:5432/x")];
        assert!(with(&set, |v| v.listen_url(&pooled)).unwrap().is_some());
    }

    #[test]
    fn logs_are_json_on_lambda_unless_told_otherwise() {
        let format = |set: &[(&str, &str)]| with(set, |v| v.logs()).map(|logs| logs.format);
        assert_eq!(format(&[]), Ok(LogFormat::Text));
        assert_eq!(
            format(&[("AWS_LAMBDA_FUNCTION_NAME", "api")]),
            Ok(LogFormat::Json)
        );
        assert!(format(&[("LOG_FORMAT", "xml")]).is_err());
    }
}

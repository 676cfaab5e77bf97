//! What an installation may decide about its API.

use axum::http::HeaderValue;
use telecast_runtime::config::{ConfigError, Variables};

/// Requests a second of one token, unless API_RATE_LIMIT says otherwise.
const REQUESTS_PER_SECOND: u32 = 50;

/// What an installation may decide about its API.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Requests a second of one token, with four seconds' worth at once; 0: any number.
    pub requests_per_second: u32,
    /// Pages from there may call the API (CORS); none: no foreign page may.
    pub cors_origin: Option<HeaderValue>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            requests_per_second: REQUESTS_PER_SECOND,
            cors_origin: None,
        }
    }
}

impl Settings {
    /// From API_RATE_LIMIT and API_CORS_ORIGIN.
    ///
    /// # Errors
    /// [`ConfigError`] for what is no number, or no header's value.
    pub fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        let rate = variables.optional("API_RATE_LIMIT")?;
        Ok(Self {
            requests_per_second: rate.unwrap_or(REQUESTS_PER_SECOND),
            cors_origin: variables.optional("API_CORS_ORIGIN")?,
        })
    }
}

//! AWS's signature version 4 for Lambda: the Invoke API and functions' URLs.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use reqwest::Request;

use crate::config::{ConfigError, Variables};

/// Who calls, in which region. Its secret is never shown.
#[derive(Debug, Clone)]
pub struct Signer {
    region: String,
    credentials: Credentials,
}

impl Signer {
    /// A signer of calls to a region.
    pub fn new(region: String, credentials: Credentials) -> Self {
        Self {
            region,
            credentials,
        }
    }

    /// From AWS_REGION and the keys beside it, as Lambda sets them.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        let hint = "Lambda sets it; elsewhere set LAMBDA_ENDPOINT, such as http://127.0.0.1:9000";
        let region = variables.required("AWS_REGION", hint)?;
        let credentials = Credentials::new(
            variables.required::<String>("AWS_ACCESS_KEY_ID", hint)?,
            variables.required::<String>("AWS_SECRET_ACCESS_KEY", hint)?,
            variables.text("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        Ok(Self::new(region, credentials))
    }

    /// The region that calls are signed for.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Adds the headers of a signature made at `now`; Lambda takes it for five minutes.
    ///
    /// # Errors
    /// What cannot be signed, in words.
    pub(super) fn sign(&self, request: &mut Request, now: SystemTime) -> Result<(), String> {
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("lambda")
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let headers = request
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let body = request
            .body()
            .and_then(reqwest::Body::as_bytes)
            .unwrap_or_default();
        let signable = SignableRequest::new(
            request.method().as_str(),
            request.url().as_str(),
            headers,
            SignableBody::Bytes(body),
        )
        .map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &parameters)
            .map_err(|error| error.to_string())?
            .into_parts();
        let (headers, _) = instructions.into_parts();
        for header in headers {
            let value = header
                .value()
                .parse()
                .map_err(|_| "a signature is no header")?;
            request.headers_mut().insert(header.name(), value);
        }
        Ok(())
    }
}

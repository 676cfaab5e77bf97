//! JSON by POST to a function's URL, and what opens it.

use std::time::{Duration, SystemTime};

use reqwest::{Client, Request, Url};
use serde::Serialize;

use super::{
    Invoked,
    http::{self, SetupError},
    sign::Signer,
};
use crate::{
    config::{ConfigError, Variables},
    secret::Secret,
};

/// What opens a function's URL.
#[derive(Debug, Clone)]
pub enum UrlAuth {
    /// A secret that the function knows too (a URL of type NONE).
    Bearer(Secret),
    /// The caller's signature (a URL of type AWS_IAM).
    Iam(Signer),
}

impl UrlAuth {
    /// HANDLER_AUTH: bearer, which is the default, with HANDLER_SECRET; or iam, with the
    /// keys of the environment.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        match variables.text("HANDLER_AUTH").as_deref() {
            None | Some("bearer") => Ok(Self::Bearer(variables.handler_secret()?)),
            Some("iam") => Ok(Self::Iam(Signer::from_variables(variables)?)),
            Some(other) => Err(ConfigError::Malformed {
                name: "HANDLER_AUTH",
                problem: format!("is {other:?}; it must be bearer or iam"),
            }),
        }
    }
}

/// Posts JSON to functions' URLs.
#[derive(Debug, Clone)]
pub(super) struct Poster {
    http: Client,
    auth: UrlAuth,
}

impl Poster {
    pub(super) fn new(auth: UrlAuth, timeout: Duration) -> Result<Self, SetupError> {
        let http = http::client(timeout)?;
        Ok(Self { http, auth })
    }

    pub(super) async fn post(&self, url: &Url, body: &impl Serialize) -> Invoked {
        match self.request(url, body) {
            Ok(request) => http::send(&self.http, request).await,
            Err(reason) => Invoked::NotStarted { reason },
        }
    }

    fn request(&self, url: &Url, body: &impl Serialize) -> Result<Request, String> {
        let request = self.http.post(url.clone()).json(body);
        match &self.auth {
            UrlAuth::Bearer(secret) => request
                .bearer_auth(secret.expose())
                .build()
                .map_err(|error| error.to_string()),
            UrlAuth::Iam(signer) => {
                let mut request = request.build().map_err(|error| error.to_string())?;
                signer.sign(&mut request, SystemTime::now())?;
                Ok(request)
            }
        }
    }
}

//! Handlers as Lambda functions, reached by Lambda's Invoke API.
//!
//! Signed by aws-sigv4 and sent by the HTTP client that handlers have anyway: the
//! whole SDK would double a handler's size. And nothing here retries: an invocation
//! that may have started must not be started again.

use std::{
    str::FromStr,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use reqwest::{Request, Url};
use serde::Serialize;

use super::{
    Invoked, Invoker,
    http::{self, SetupError},
    sign::Signer,
};
use crate::{
    config::{ConfigError, Variables},
    handler::Invocation,
};

/// For an answer; longer than any handler may take.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Whether the caller waits for the handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvocationType {
    /// Lambda queues the invocation and answers at once.
    Event,
    /// Lambda answers when the handler is done.
    RequestResponse,
}

impl InvocationType {
    fn name(self) -> &'static str {
        match self {
            Self::Event => "Event",
            Self::RequestResponse => "RequestResponse",
        }
    }
}

/// A text that is no type of invocation.
#[derive(Debug, thiserror::Error)]
#[error("is {0:?}; it must be Event or RequestResponse")]
pub struct BadInvocationType(String);

impl FromStr for InvocationType {
    type Err = BadInvocationType;

    fn from_str(text: &str) -> Result<Self, BadInvocationType> {
        [Self::Event, Self::RequestResponse]
            .into_iter()
            .find(|known| known.name() == text)
            .ok_or_else(|| BadInvocationType(text.to_owned()))
    }
}

/// Where functions are and how calls are signed.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The Invoke API's base, such as `https://lambda.eu-central-1.amazonaws.com`.
    pub endpoint: Url,
    /// A function is named `<prefix>-<queue>`, or as its queue where this is empty.
    pub prefix: String,
    /// As INVOCATION_TYPE says; else Event on AWS, and RequestResponse where LAMBDA_ENDPOINT
    /// is set, since cargo lambda's emulator knows nothing else.
    pub invocation_type: InvocationType,
    /// Who calls; none sends unsigned calls, for the local emulator.
    pub signer: Option<Signer>,
    /// For an answer; longer than any handler may take.
    pub timeout: Duration,
}

impl Settings {
    /// From the environment: on AWS as Lambda sets it, elsewhere with LAMBDA_ENDPOINT.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        let prefix = variables.text("FUNCTION_PREFIX").unwrap_or_default();
        let invocation_type = variables.optional("INVOCATION_TYPE")?;
        if let Some(endpoint) = variables.optional("LAMBDA_ENDPOINT")? {
            return Ok(Self {
                endpoint,
                prefix,
                invocation_type: invocation_type.unwrap_or(InvocationType::RequestResponse),
                signer: None,
                timeout: TIMEOUT,
            });
        }
        let signer = Signer::from_variables(variables)?;
        let endpoint = format!("https://lambda.{}.amazonaws.com", signer.region())
            .parse()
            .map_err(|_| ConfigError::Malformed {
                name: "AWS_REGION",
                problem: "is no region, such as eu-central-1".to_owned(),
            })?;
        Ok(Self {
            endpoint,
            prefix,
            invocation_type: invocation_type.unwrap_or(InvocationType::Event),
            signer: Some(signer),
            timeout: TIMEOUT,
        })
    }
}

/// Invokes Lambda functions.
#[derive(Debug, Clone)]
pub struct LambdaApi {
    http: reqwest::Client,
    settings: Settings,
}

impl LambdaApi {
    /// An invoker with these settings; it connects when it is used.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        Ok(Self {
            http: http::client(settings.timeout)?,
            settings,
        })
    }

    /// Calls a function by the name that follows the prefix.
    pub(super) async fn call(&self, name: &str, body: &impl Serialize) -> Invoked {
        match self.request(name, body) {
            Ok(request) => http::send(&self.http, request).await,
            Err(reason) => Invoked::NotStarted { reason },
        }
    }

    fn request(&self, name: &str, body: &impl Serialize) -> Result<Request, String> {
        let Settings {
            endpoint, prefix, ..
        } = &self.settings;
        let function = match prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}-{name}"),
        };
        let mut url = endpoint.clone();
        url.path_segments_mut()
            .map_err(|()| "LAMBDA_ENDPOINT has no path to add to".to_owned())?
            .pop_if_empty()
            .extend(["2015-03-31", "functions", &function, "invocations"]);
        let mut request = self
            .http
            .post(url)
            .header(
                "x-amz-invocation-type",
                self.settings.invocation_type.name(),
            )
            .json(body)
            .build()
            .map_err(|error| error.to_string())?;
        if let Some(signer) = &self.settings.signer {
            signer.sign(&mut request, SystemTime::now())?;
        }
        Ok(request)
    }
}

#[async_trait]
impl Invoker for LambdaApi {
    async fn invoke(&self, invocation: Invocation) -> Invoked {
        self.call(&invocation.queue, &invocation).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_aws_calls_are_events_and_signed() {
        let look_up = |name: &str| {
            let value = match name {
                "AWS_REGION" => "eu-central-1",
                "AWS_ACCESS_KEY_ID" => "AKIDEXAMPLE",
                "AWS_SECRET_ACCESS_KEY" => "secret",
                "FUNCTION_PREFIX" => "prod",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let settings = Settings::from_variables(Variables::new(&look_up)).unwrap();
        let invocation = Invocation {
            queue: "send-message".to_owned(),
            jobs: Vec::new(),
        };
        let request = LambdaApi::new(settings)
            .unwrap()
            .request("send-message", &invocation)
            .unwrap();
        assert_eq!(
            request.url().as_str(),
            "https://lambda.eu-central-1.amazonaws.com/2015-03-31/functions/prod-send-message/invocations"
        );
        assert_eq!(request.headers()["x-amz-invocation-type"], "Event");
        let signature = request.headers()["authorization"].to_str().unwrap();
        assert!(
            signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
                && signature.contains("/eu-central-1/lambda/aws4_request"),
            "{signature}"
        );
    }
}

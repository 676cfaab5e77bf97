//! Handlers as Lambda functions, reached by Lambda's Invoke API.
//!
//! Signed by aws-sigv4 and sent by the HTTP client that handlers have anyway: the
//! whole SDK would double a handler's size. And nothing here retries: an invocation
//! that may have started must not be started again.

use std::time::Duration;

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use reqwest::{Method, Request, Url};

use super::{
    Invoked, Invoker,
    http::{self, SetupError},
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

/// Where functions are and how calls are signed.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The Invoke API's base, such as `https://lambda.eu-central-1.amazonaws.com`.
    pub endpoint: Url,
    /// A function is named `<prefix>-<queue>`, or as its queue where this is empty.
    pub prefix: String,
    /// Event on AWS; RequestResponse on the local emulator, which knows nothing else.
    pub invocation_type: InvocationType,
    /// The region that calls are signed for.
    pub region: String,
    /// Who calls; none sends unsigned calls, for the local emulator.
    pub credentials: Option<Credentials>,
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
        if let Some(endpoint) = variables.optional("LAMBDA_ENDPOINT")? {
            return Ok(Self {
                endpoint,
                prefix,
                invocation_type: InvocationType::RequestResponse,
                region: String::new(),
                credentials: None,
                timeout: TIMEOUT,
            });
        }
        let hint = "Lambda sets it; elsewhere set LAMBDA_ENDPOINT, such as http://127.0.0.1:9000";
        let region: String = variables.required("AWS_REGION", hint)?;
        let credentials = Credentials::new(
            variables.required::<String>("AWS_ACCESS_KEY_ID", hint)?,
            variables.required::<String>("AWS_SECRET_ACCESS_KEY", hint)?,
            variables.text("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        let endpoint = format!("https://lambda.{region}.amazonaws.com")
            .parse()
            .map_err(|_| ConfigError::Malformed {
                name: "AWS_REGION",
                problem: "is no region, such as eu-central-1".to_owned(),
            })?;
        Ok(Self {
            endpoint,
            prefix,
            invocation_type: InvocationType::Event,
            region,
            credentials: Some(credentials),
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

    fn request(&self, invocation: &Invocation) -> Result<Request, String> {
        let Settings {
            endpoint, prefix, ..
        } = &self.settings;
        let function = match prefix.as_str() {
            "" => invocation.queue.clone(),
            prefix => format!("{prefix}-{}", invocation.queue),
        };
        let mut url = endpoint.clone();
        url.path_segments_mut()
            .map_err(|()| "LAMBDA_ENDPOINT has no path to add to".to_owned())?
            .pop_if_empty()
            .extend(["2015-03-31", "functions", &function, "invocations"]);
        let body = serde_json::to_vec(invocation).map_err(|error| error.to_string())?;
        let mut request = self
            .http
            .request(Method::POST, url)
            .header("content-type", "application/json")
            .header(
                "x-amz-invocation-type",
                self.settings.invocation_type.name(),
            )
            .body(body)
            .build()
            .map_err(|error| error.to_string())?;
        if let Some(credentials) = &self.settings.credentials {
            self.sign(&mut request, credentials)?;
        }
        Ok(request)
    }

    fn sign(&self, request: &mut Request, credentials: &Credentials) -> Result<(), String> {
        let identity = credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.settings.region)
            .name("lambda")
            .time(std::time::SystemTime::now())
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
            "POST",
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

#[async_trait]
impl Invoker for LambdaApi {
    async fn invoke(&self, invocation: Invocation) -> Invoked {
        match self.request(&invocation) {
            Ok(request) => http::send(&self.http, request).await,
            Err(reason) => Invoked::NotStarted { reason },
        }
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
            .request(&invocation)
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

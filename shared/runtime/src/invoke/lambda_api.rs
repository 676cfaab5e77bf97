//! Handlers as Lambda functions, reached by Lambda's Invoke API.
//!
//! Signed by aws-sigv4 and sent by the HTTP client that handlers have anyway: the
//! whole SDK would double a handler's size. And nothing here retries: an invocation
//! that may have started must not be started again.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use reqwest::{Method, Request, StatusCode, Url};

use super::{Invoked, Invoker};
use crate::{
    config::{ConfigError, Variables},
    handler::Invocation,
};

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

/// An invoker that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A variable is missing or malformed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// TLS could not be set up.
    #[error("could not set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The HTTP client could not be set up.
    #[error("could not set up the HTTP client: {0}")]
    Http(#[from] reqwest::Error),
}

impl Settings {
    /// From the environment: on AWS as Lambda sets it, elsewhere with LAMBDA_ENDPOINT.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn from_variables(variables: Variables<'_>) -> Result<Self, ConfigError> {
        let region = variables
            .text("AWS_REGION")
            .unwrap_or_else(|| "us-east-1".to_owned());
        let local: Option<Url> = variables.optional("LAMBDA_ENDPOINT")?;
        let invocation_type = match local {
            Some(_) => InvocationType::RequestResponse,
            None => InvocationType::Event,
        };
        let endpoint = match local {
            Some(endpoint) => endpoint,
            None => format!("https://lambda.{region}.amazonaws.com")
                .parse()
                .map_err(|_| ConfigError::Malformed {
                    name: "AWS_REGION",
                    problem: "is no region, such as eu-central-1".to_owned(),
                })?,
        };
        let credentials = variables
            .text("AWS_ACCESS_KEY_ID")
            .zip(variables.text("AWS_SECRET_ACCESS_KEY"))
            .map(|(id, secret)| {
                let session = variables.text("AWS_SESSION_TOKEN");
                Credentials::new(id, secret, session, None, "environment")
            });
        Ok(Self {
            endpoint,
            prefix: variables.text("FUNCTION_PREFIX").unwrap_or_default(),
            invocation_type,
            region,
            credentials,
            timeout: Duration::from_secs(120),
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
        let roots = rustls::RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(settings.timeout)
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()?;
        Ok(Self { http, settings })
    }

    fn request(&self, invocation: &Invocation) -> Result<Request, String> {
        let Settings {
            endpoint, prefix, ..
        } = &self.settings;
        let function = match prefix.as_str() {
            "" => invocation.queue.clone(),
            prefix => format!("{prefix}-{}", invocation.queue),
        };
        let url = endpoint
            .join(&format!("/2015-03-31/functions/{function}/invocations"))
            .map_err(|error| error.to_string())?;
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
        let request = match self.request(&invocation) {
            Ok(request) => request,
            Err(reason) => return Invoked::NotStarted { reason },
        };
        let response = match self.http.execute(request).await {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                return Invoked::NotStarted {
                    reason: error.to_string(),
                };
            }
            Err(error) => {
                return Invoked::Unknown {
                    reason: error.to_string(),
                };
            }
        };
        let status = response.status();
        let failed = response.headers().contains_key("x-amz-function-error");
        match response.text().await {
            Ok(body) => judge(status, failed, &body),
            Err(error) => Invoked::Unknown {
                reason: error.to_string(),
            },
        }
    }
}

/// What the Invoke API's answer means. A refusal by Lambda itself (4xx) comes before
/// the handler runs; a 5xx may come after.
fn judge(status: StatusCode, function_error: bool, body: &str) -> Invoked {
    if status == StatusCode::ACCEPTED {
        return Invoked::Accepted;
    }
    if status.is_client_error() {
        return Invoked::NotStarted {
            reason: format!("Lambda answered {status}: {body}"),
        };
    }
    if status.is_success() && !function_error {
        return match serde_json::from_str(body) {
            Ok(response) => Invoked::Answered(response),
            Err(error) => Invoked::Unknown {
                reason: format!("the handler's answer cannot be read: {error}"),
            },
        };
    }
    Invoked::Unknown {
        reason: format!("the handler failed ({status}): {body}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::InvocationResponse;

    #[test]
    fn only_a_refusal_by_lambda_itself_means_that_nothing_started() {
        let empty = r#"{"batchItemFailures":[]}"#;
        assert_eq!(judge(StatusCode::ACCEPTED, false, ""), Invoked::Accepted);
        assert_eq!(
            judge(StatusCode::OK, false, empty),
            Invoked::Answered(InvocationResponse::default())
        );
        for (status, failed) in [
            (StatusCode::OK, true),
            (StatusCode::INTERNAL_SERVER_ERROR, false),
            (StatusCode::BAD_GATEWAY, false),
        ] {
            assert!(
                matches!(judge(status, failed, ""), Invoked::Unknown { .. }),
                "{status}"
            );
        }
        for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::NOT_FOUND] {
            assert!(
                matches!(judge(status, false, ""), Invoked::NotStarted { .. }),
                "{status}"
            );
        }
    }

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

//! What the ways over HTTP have in common: a client, and what its answers mean.

use std::{error::Error, sync::Arc, time::Duration};

use reqwest::{Client, Request, StatusCode};

use super::Invoked;
use crate::config::ConfigError;

/// For a connection; what fails before it is open has certainly not started.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

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

/// A client that never asks twice: an invocation that may have started must not be
/// started again. `timeout` is for a whole call.
pub(super) fn client(timeout: Duration) -> Result<Client, SetupError> {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Client::builder()
        .tls_backend_preconfigured(tls)
        .timeout(timeout)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .build()?)
}

/// Sends an invocation and judges its answer.
pub(super) async fn send(client: &Client, request: Request) -> Invoked {
    let response = match client.execute(request).await {
        Ok(response) => response,
        Err(error) if error.is_connect() || error.is_builder() => {
            return Invoked::NotStarted {
                reason: chain(&error),
            };
        }
        Err(error) => {
            return Invoked::Unknown {
                reason: chain(&error),
            };
        }
    };
    let status = response.status();
    let failed = response.headers().contains_key("x-amz-function-error");
    match response.text().await {
        Ok(body) => judge(status, failed, &body),
        // A refusal is one without its text, and so is an acceptance.
        Err(_) if !status.is_success() || status == StatusCode::ACCEPTED => {
            judge(status, failed, "")
        }
        Err(error) => Invoked::Unknown {
            reason: chain(&error),
        },
    }
}

/// What an answer means. A refusal (4xx) comes before the handler runs; a 5xx may
/// come after. A 408 comes from something in between that lost patience.
fn judge(status: StatusCode, function_error: bool, body: &str) -> Invoked {
    if status == StatusCode::ACCEPTED {
        return Invoked::Accepted;
    }
    if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT {
        return Invoked::NotStarted {
            reason: format!("the invocation was refused ({status}): {body}"),
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

/// An error with its causes: the client's own words alone say little.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::InvocationResponse;

    #[test]
    fn only_a_refusal_means_that_nothing_started() {
        let empty = r#"{"batchItemFailures":[]}"#;
        assert_eq!(judge(StatusCode::ACCEPTED, false, ""), Invoked::Accepted);
        assert_eq!(
            judge(StatusCode::OK, false, empty),
            Invoked::Answered(InvocationResponse::default())
        );
        for (status, failed, body) in [
            (StatusCode::OK, true, empty),
            (StatusCode::OK, false, "null"),
            (StatusCode::REQUEST_TIMEOUT, false, ""),
            (StatusCode::INTERNAL_SERVER_ERROR, false, ""),
            (StatusCode::BAD_GATEWAY, false, ""),
        ] {
            assert!(
                matches!(judge(status, failed, body), Invoked::Unknown { .. }),
                "{status}"
            );
        }
        for status in [
            StatusCode::UNAUTHORIZED,
            StatusCode::NOT_FOUND,
            StatusCode::TOO_MANY_REQUESTS,
        ] {
            assert!(
                matches!(judge(status, false, ""), Invoked::NotStarted { .. }),
                "{status}"
            );
        }
    }
}

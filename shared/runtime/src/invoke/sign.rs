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

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    /// 2015-08-30T12:36:00Z.
    const NOW: Duration = Duration::from_secs(1_440_938_160);

    fn signature(url: &str, invocation_type: Option<&str>, session: Option<&str>) -> String {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let session = session.map(str::to_owned);
        let credentials = Credentials::new("AKIDEXAMPLE", secret, session, None, "test");
        let mut request = reqwest::Client::new()
            .post(url)
            .header("content-type", "application/json")
            .body(r#"{"queue":"send-message","jobs":[]}"#);
        if let Some(invocation_type) = invocation_type {
            request = request.header("x-amz-invocation-type", invocation_type);
        }
        let mut request = request.build().unwrap();
        Signer::new("eu-central-1".to_owned(), credentials)
            .sign(&mut request, UNIX_EPOCH + NOW)
            .unwrap();
        assert_eq!(request.headers()["x-amz-date"], "20150830T123600Z");
        let header = request.headers()["authorization"].to_str().unwrap();
        header.rsplit_once("Signature=").unwrap().1.to_owned()
    }

    /// The expected signatures are botocore's, AWS's client for Python, for the same calls.
    #[test]
    fn signatures_are_those_of_awss_own_client() {
        // Only its builder is used; a client wants a provider of cryptography all the same.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let url = "https://abc.lambda-url.eu-central-1.on.aws/";
        let api = "https://lambda.eu-central-1.amazonaws.com/2015-03-31/functions/prod-send-message/invocations";
        assert_eq!(
            signature(url, None, None),
            "db411993b1e7c1d2f3a0eda189a2218c82af83cdd289a6766c61da7e5bd69427"
        );
        assert_eq!(
            signature(url, None, Some("SESSION")),
            "736ba83874fa581b3dbf8632855a823ef86534f2bc226bd241af3ec7573256d6"
        );
        assert_eq!(
            signature(api, Some("Event"), None),
            "938e58a3a68934d4e02d8fb06d55cfbf292709488f33a0615c08f135cf8a5b4b"
        );
        assert_eq!(
            signature(api, Some("Event"), Some("SESSION")),
            "5a7060c4efc52eabee68c0ff8eaf5d38b86313c2816cf2afe6fa3a72c425a327"
        );
    }
}

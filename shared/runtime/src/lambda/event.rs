//! What a function is given: what is meant for it, or a function URL's request with that
//! as its body.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::secret::Secret;

/// An event of a function that is meant to get a `T`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value", bound = "T: DeserializeOwned")]
pub enum Event<T> {
    /// By the Invoke API or a schedule, whose callers AWS has checked.
    Direct(T),
    /// By the function's URL.
    Url(UrlRequest),
}

impl<T: DeserializeOwned> TryFrom<Value> for Event<T> {
    type Error = serde_json::Error;

    fn try_from(event: Value) -> Result<Self, serde_json::Error> {
        if event.get("requestContext").is_some() {
            UrlRequest::deserialize(event).map(Self::Url)
        } else {
            T::deserialize(event).map(Self::Direct)
        }
    }
}

/// A function URL's request, payload version 2.0:
/// <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlRequest {
    request_context: RequestContext,
    /// Names in lower case.
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Deserialize)]
struct RequestContext {
    /// Who called, where the URL asks for an IAM signature.
    #[serde(default)]
    authorizer: Option<Authorizer>,
}

#[derive(Debug, Deserialize)]
struct Authorizer {
    #[serde(default)]
    iam: Option<Map<String, Value>>,
}

/// Which way an event came, and so the form that its answer takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Its answer is the input's alone.
    Direct,
    /// Its answer is an HTTP response.
    Url,
}

/// What a function answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Answer<R> {
    Direct(R),
    Url(UrlResponse),
}

/// A function URL's response.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UrlResponse {
    status_code: u16,
    body: String,
    /// None; cargo lambda's emulator asks for the member.
    cookies: [&'static str; 0],
}

/// Why a URL's request was not taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither a signature nor the secret came with it.
    #[error("send HANDLER_SECRET as a bearer token, or sign the request for IAM")]
    Unauthorized,
    /// Its body is not the function's input.
    #[error("the body must be the function's input in JSON; a handler's is a queue and its jobs")]
    BadBody,
}

impl<R: Serialize> Answer<R> {
    /// The function's own answer.
    pub(super) fn new(way: Way, response: R) -> Result<Self, serde_json::Error> {
        Ok(match way {
            Way::Direct => Self::Direct(response),
            Way::Url => Self::Url(UrlResponse {
                status_code: 200,
                body: serde_json::to_string(&response)?,
                cookies: [],
            }),
        })
    }
}

impl<R> From<Refusal> for Answer<R> {
    fn from(refusal: Refusal) -> Self {
        let status_code = match refusal {
            Refusal::Unauthorized => 401,
            Refusal::BadBody => 400,
        };
        Self::Url(UrlResponse {
            status_code,
            body: refusal.to_string(),
            cookies: [],
        })
    }
}

impl<T: DeserializeOwned> Event<T> {
    /// What the function is given, if its caller may give it. Without a `secret` only IAM
    /// opens a URL.
    ///
    /// # Errors
    /// [`Refusal`], of a URL's request alone.
    pub fn authorize(self, secret: Option<&Secret>) -> Result<(Way, T), Refusal> {
        match self {
            Self::Direct(input) => Ok((Way::Direct, input)),
            Self::Url(request) if request.is_authorized(secret) => Ok((Way::Url, request.input()?)),
            Self::Url(_) => Err(Refusal::Unauthorized),
        }
    }
}

impl UrlRequest {
    fn is_authorized(&self, secret: Option<&Secret>) -> bool {
        let authorizer = self.request_context.authorizer.as_ref();
        let signed = authorizer.is_some_and(|authorizer| authorizer.iam.is_some());
        let bearer = self
            .headers
            .get("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        signed
            || secret
                .zip(bearer)
                .is_some_and(|(secret, guess)| secret.is(guess))
    }

    /// No body is read as null.
    fn input<T: DeserializeOwned>(self) -> Result<T, Refusal> {
        let body = if self.is_base64_encoded {
            BASE64_STANDARD
                .decode(self.body)
                .map_err(|_| Refusal::BadBody)?
        } else {
            self.body.into_bytes()
        };
        let body = if body.is_empty() { b"null" } else { &body[..] };
        serde_json::from_slice(body).map_err(|_| Refusal::BadBody)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::handler::{Invocation, InvocationResponse};

    fn authorize(event: Value, secret: Option<&str>) -> Result<Way, Refusal> {
        let event: Event<Invocation> = serde_json::from_value(event).unwrap();
        let secret = secret.map(|text| text.parse().unwrap());
        event.authorize(secret.as_ref()).map(|(way, _)| way)
    }

    fn by_url(authorization: &str, body: &str) -> Value {
        json!({
            "version": "2.0",
            "headers": {"authorization": authorization},
            "requestContext": {"http": {"method": "POST", "path": "/"}},
            "body": body,
            "isBase64Encoded": false,
        })
    }

    const BODY: &str = r#"{"queue":"send-message","jobs":[]}"#;

    #[test]
    fn the_invoke_api_needs_no_secret() {
        let event = serde_json::from_str(BODY).unwrap();
        assert_eq!(authorize(event, Some("s")), Ok(Way::Direct));
    }

    #[test]
    fn a_url_needs_the_secret() {
        assert!(authorize(by_url("Bearer s", BODY), Some("s")).is_ok());
        for wrong in ["Bearer t", "Bearer ", "s", "Basic s"] {
            assert_eq!(
                authorize(by_url(wrong, BODY), Some("s")),
                Err(Refusal::Unauthorized)
            );
        }
    }

    #[test]
    fn without_a_secret_a_url_is_closed_to_all_but_iam() {
        assert_eq!(
            authorize(by_url("Bearer ", BODY), None),
            Err(Refusal::Unauthorized)
        );
        let mut signed = by_url("AWS4-HMAC-SHA256 …", BODY);
        signed["requestContext"]["authorizer"] = json!({"iam": {"userId": "AIDAEXAMPLE"}});
        assert!(authorize(signed, None).is_ok());
    }

    #[test]
    fn a_body_may_come_in_base64_and_must_be_an_invocation() {
        let mut encoded = by_url("Bearer s", &BASE64_STANDARD.encode(BODY));
        encoded["isBase64Encoded"] = json!(true);
        assert!(authorize(encoded, Some("s")).is_ok());
        assert_eq!(
            authorize(by_url("Bearer s", "{}"), Some("s")),
            Err(Refusal::BadBody)
        );
    }

    #[test]
    fn a_tick_needs_no_body() {
        let event: Event<serde::de::IgnoredAny> =
            serde_json::from_value(by_url("Bearer s", "")).unwrap();
        let secret = "s".parse().unwrap();
        assert!(matches!(event.authorize(Some(&secret)), Ok((Way::Url, _))));
    }

    #[test]
    fn an_answer_takes_the_form_of_the_way_back() {
        let answer = |way| {
            let answer = Answer::new(way, InvocationResponse::default()).unwrap();
            serde_json::to_value(answer).unwrap()
        };
        assert_eq!(answer(Way::Direct), json!({"batchItemFailures": []}));
        let body = r#"{"batchItemFailures":[]}"#;
        assert_eq!(
            answer(Way::Url),
            json!({"statusCode": 200, "body": body, "cookies": []})
        );
        let refused: Answer<InvocationResponse> = Refusal::Unauthorized.into();
        let refused = serde_json::to_value(refused).unwrap();
        assert_eq!(refused["statusCode"], 401);
    }
}

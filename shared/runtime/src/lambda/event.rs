//! What a handler's function is given: an invocation, or a function URL's request
//! with one as its body.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    handler::{Invocation, InvocationResponse},
    secret::Secret,
};

/// An event of a handler's function.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
pub(super) enum Event {
    /// By the Invoke API, whose callers AWS has checked.
    Direct(Invocation),
    /// By the function's URL.
    Url(UrlRequest),
}

impl TryFrom<Value> for Event {
    type Error = serde_json::Error;

    fn try_from(event: Value) -> Result<Self, serde_json::Error> {
        if event.get("requestContext").is_some() {
            UrlRequest::deserialize(event).map(Self::Url)
        } else {
            Invocation::deserialize(event).map(Self::Direct)
        }
    }
}

/// A function URL's request, payload version 2.0:
/// <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UrlRequest {
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

/// What a handler's function answers. Lambda makes the first a 200 for a URL's caller.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Answer {
    Done(InvocationResponse),
    Refused(Refusal),
}

/// A request that was not taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refusal {
    status_code: u16,
    body: &'static str,
}

/// Neither signed nor with the secret.
const UNAUTHORIZED: Refusal = Refusal {
    status_code: 401,
    body: "send HANDLER_SECRET as a bearer token, or sign the request for IAM",
};

/// No invocation in the body.
const BAD_BODY: Refusal = Refusal {
    status_code: 400,
    body: "the body must be an invocation: {\"queue\": …, \"jobs\": […]}",
};

impl Event {
    /// The invocation, if its caller may make it. Without a `secret` only IAM opens a URL.
    pub(super) fn authorize(self, secret: Option<&Secret>) -> Result<Invocation, Refusal> {
        match self {
            Self::Direct(invocation) => Ok(invocation),
            Self::Url(request) if request.is_authorized(secret) => request.invocation(),
            Self::Url(_) => Err(UNAUTHORIZED),
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

    fn invocation(self) -> Result<Invocation, Refusal> {
        let body = if self.is_base64_encoded {
            BASE64_STANDARD.decode(self.body).map_err(|_| BAD_BODY)?
        } else {
            self.body.into_bytes()
        };
        serde_json::from_slice(&body).map_err(|_| BAD_BODY)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn authorize(event: Value, secret: Option<&str>) -> Result<String, u16> {
        let event: Event = serde_json::from_value(event).unwrap();
        let secret = secret.map(|text| text.parse().unwrap());
        event
            .authorize(secret.as_ref())
            .map(|invocation| invocation.queue)
            .map_err(|refusal| refusal.status_code)
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
        assert_eq!(authorize(event, Some("s")), Ok("send-message".to_owned()));
    }

    #[test]
    fn a_url_needs_the_secret() {
        assert!(authorize(by_url("Bearer s", BODY), Some("s")).is_ok());
        for wrong in ["Bearer t", "Bearer ", "s", "Basic s"] {
            assert_eq!(authorize(by_url(wrong, BODY), Some("s")), Err(401));
        }
    }

    #[test]
    fn without_a_secret_a_url_is_closed_to_all_but_iam() {
        assert_eq!(authorize(by_url("Bearer ", BODY), None), Err(401));
        let mut signed = by_url("AWS4-HMAC-SHA256 …", BODY);
        signed["requestContext"]["authorizer"] = json!({"iam": {"userId": "AIDAEXAMPLE"}});
        assert!(authorize(signed, None).is_ok());
    }

    #[test]
    fn a_body_may_come_in_base64_and_must_be_an_invocation() {
        let mut encoded = by_url("Bearer s", &BASE64_STANDARD.encode(BODY));
        encoded["isBase64Encoded"] = json!(true);
        assert!(authorize(encoded, Some("s")).is_ok());
        assert_eq!(authorize(by_url("Bearer s", "{}"), Some("s")), Err(400));
    }

    #[test]
    fn a_refusal_is_a_response_of_http_and_an_answer_is_the_plain_body() {
        assert_eq!(
            serde_json::to_value(Answer::Refused(UNAUTHORIZED)).unwrap()["statusCode"],
            401
        );
        assert_eq!(
            serde_json::to_value(Answer::Done(InvocationResponse::default())).unwrap(),
            json!({"batchItemFailures": []})
        );
    }
}

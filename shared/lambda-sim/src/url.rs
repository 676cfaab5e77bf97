//! Functions' URLs, payload version 2.0:
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use crate::{function::End, invoke, server::Shared};

/// A function's answer to a URL's request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    body: String,
}

/// POST /lambda-url/{function}
pub(crate) async fn post(
    State(shared): State<Arc<Shared>>,
    Path(function): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let Some(function) = shared.function(&function) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers: HashMap<&str, &str> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let event = json!({
        "version": "2.0",
        "rawPath": "/",
        "headers": headers,
        "requestContext": {"http": {"method": "POST", "path": "/"}},
        "body": body,
        "isBase64Encoded": false,
    });
    let Some(end) = invoke::at_once(shared, function, event.to_string()).await else {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    };
    let answer: Option<Answer> = match end {
        Ok(End::Answered(answer)) => serde_json::from_str(&answer).ok(),
        _ => None,
    };
    match answer {
        Some(Answer { status_code, body }) => {
            let status = StatusCode::from_u16(status_code).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, body).into_response()
        }
        None => StatusCode::BAD_GATEWAY.into_response(),
    }
}

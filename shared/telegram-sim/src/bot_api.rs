//! `/bot<token>/<method>`, as Telegram answers it.

use axum::{
    Json, RequestExt, Router,
    body::Bytes,
    extract::{Form, Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use serde_json::{Map, Value, json};

use crate::{
    reply::Reply,
    request::Parameters,
    server::{CloseConnection, Shared},
};

pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/{bot}/{method}", any(call))
        .fallback(|| async { respond(not_found()).await })
}

async fn call(
    State(shared): State<Shared>,
    Path((bot, method)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some(token) = bot.strip_prefix("bot") else {
        return respond(not_found()).await;
    };
    let parameters = parameters(request).await;
    let (reply, accepted) = {
        let mut world = shared.world();
        // The time is taken under the lock, so that the ledger is in its order.
        let parameters = parameters.as_ref().map_err(String::as_str);
        let reply = world.receive(shared.now(), token, &method, parameters);
        let accepted = world
            .ledger
            .0
            .last()
            .is_some_and(|entry| entry.message_id.is_some());
        (reply, accepted)
    };
    if accepted {
        shared.count_accepted();
    }
    respond(reply).await
}

fn not_found() -> Reply {
    Reply::Refusal {
        code: 404,
        description: "Not Found".to_owned(),
        parameters: None,
    }
}

/// The parameters of a JSON body, else of a form or the query.
///
/// # Errors
/// Telegram's text, without "Bad Request: ".
async fn parameters(request: Request) -> Result<Parameters, String> {
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/json"));
    if is_json {
        let body: Bytes = request.extract().await.map_err(
            |error: axum::extract::rejection::BytesRejection| {
                format!("can't parse request: {error}")
            },
        )?;
        return serde_json::from_slice(&body)
            .map(Parameters)
            .map_err(|_| "can't parse request: JSON object is expected".to_owned());
    }
    let form = request
        .extract::<Form<Vec<(String, String)>>, _>()
        .await
        .map_err(|error| format!("can't parse request: {error}"))?;
    let parameters: Map<String, Value> = form
        .0
        .into_iter()
        .map(|(name, value)| (name, Value::String(value)))
        .collect();
    Ok(Parameters(parameters))
}

async fn respond(reply: Reply) -> Response {
    match reply {
        Reply::Result(result, delay) => {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            Json(json!({"ok": true, "result": result})).into_response()
        }
        Reply::Refusal {
            code,
            description,
            parameters,
        } => refuse(code, &description, parameters),
        Reply::Page(code, page) => {
            (status(code), [(header::CONTENT_TYPE, "text/html")], page).into_response()
        }
        Reply::Hang => std::future::pending().await,
        Reply::Drop => {
            let mut response = Response::default();
            response.extensions_mut().insert(CloseConnection);
            response
        }
    }
}

fn refuse(code: u16, description: &str, parameters: Option<Value>) -> Response {
    let mut body = json!({"ok": false, "error_code": code, "description": description});
    let wait = parameters
        .as_ref()
        .and_then(|parameters| parameters["retry_after"].as_u64());
    if let Some(parameters) = parameters {
        body["parameters"] = parameters;
    }
    let mut response = (status(code), Json(body)).into_response();
    if let Some(seconds) = wait {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

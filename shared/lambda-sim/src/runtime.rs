//! The Runtime API, version 2018-06-01: what functions' processes poll.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{function::End, server::Shared};

/// The next invocation, as soon as there is one.
pub(crate) async fn next(
    State(shared): State<Arc<Shared>>,
    Path((function, process)): Path<(String, String)>,
) -> Response {
    let Some(work) = shared.work_of(&format!("{function}/{process}")) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(work) = work.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        ("lambda-runtime-aws-request-id", work.request_id),
        ("lambda-runtime-deadline-ms", work.deadline.to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            format!("arn:aws:lambda:local:000000000000:function:{function}"),
        ),
        ("content-type", "application/json".to_owned()),
    ];
    (headers, work.payload).into_response()
}

/// A function's answer.
pub(crate) async fn response(
    State(shared): State<Arc<Shared>>,
    Path((_, _, request_id)): Path<(String, String, String)>,
    body: String,
) -> StatusCode {
    ended(&shared, &request_id, End::Answered(body))
}

/// A function's failure.
pub(crate) async fn error(
    State(shared): State<Arc<Shared>>,
    Path((_, _, request_id)): Path<(String, String, String)>,
    body: String,
) -> StatusCode {
    ended(&shared, &request_id, End::Failed(body))
}

fn ended(shared: &Shared, request_id: &str, end: End) -> StatusCode {
    if shared.end(request_id, end) {
        StatusCode::ACCEPTED
    } else {
        StatusCode::BAD_REQUEST
    }
}

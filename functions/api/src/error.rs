//! Errors as the API tells them: `{"error": {"code", "message", "details"}}`.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use telecast_core::Error;
use tokio_postgres::error::SqlState;

use crate::openapi::problems::{
    BAD_CREDENTIALS, INTERNAL, INVALID, NOT_FOUND, Problem, TOO_MANY_LOGINS, TOO_MANY_REQUESTS,
    UNAUTHENTICATED, UNAVAILABLE,
};

/// What a request that fails is told.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    problem: Problem,
    message: String,
    details: Value,
    retry_after_seconds: Option<i64>,
}

impl ApiError {
    pub(crate) fn new(problem: Problem, message: impl Into<String>) -> Self {
        Self {
            problem,
            message: message.into(),
            details: json!({}),
            retry_after_seconds: None,
        }
    }

    /// The stable word for programs.
    pub(crate) fn code(&self) -> &'static str {
        self.problem.code
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.problem.status
    }

    /// 400: a field of the request is wrong.
    pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            details: json!({"field": field}),
            ..Self::new(INVALID, format!("{field}: {message}"))
        }
    }

    /// 401: who asks is not known.
    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            UNAUTHENTICATED,
            "send an access token as Authorization: Bearer <token>; POST /api/auth/login gives one",
        )
    }

    /// 401: name or password is wrong; it does not tell which.
    pub(crate) fn bad_credentials() -> Self {
        Self::new(BAD_CREDENTIALS, "username or password is wrong")
    }

    /// 429: too many failed logins.
    pub(crate) fn too_many_logins(until: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let seconds = (until - now).num_seconds().max(0) + 1;
        Self {
            retry_after_seconds: Some(seconds),
            ..Self::new(
                TOO_MANY_LOGINS,
                format!("too many failed logins; try again in {seconds} s"),
            )
        }
    }

    /// 429: a token that asks too often.
    pub(crate) fn too_many_requests(per_second: u32) -> Self {
        Self {
            retry_after_seconds: Some(1),
            ..Self::new(
                TOO_MANY_REQUESTS,
                format!("more than {per_second} requests a second; go on in a second"),
            )
        }
    }

    /// 503: something this needs is not there at the moment.
    pub(crate) fn unavailable() -> Self {
        Self {
            retry_after_seconds: Some(1),
            ..Self::new(
                UNAVAILABLE,
                "the database cannot be reached at the moment; try again",
            )
        }
    }

    /// 500: our fault; the log says what.
    pub(crate) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(
            INTERNAL,
            "the request failed inside Telecast; its log says why",
        )
    }

    fn database(error: &tokio_postgres::Error) -> Self {
        match error.code() {
            // A text with U+0000 in it, which PostgreSQL cannot keep.
            Some(&SqlState::CHARACTER_NOT_IN_REPERTOIRE | &SqlState::UNTRANSLATABLE_CHARACTER) => {
                Self::new(
                    INVALID,
                    "a text holds the character U+0000, which cannot be kept",
                )
            }
            Some(
                &SqlState::T_R_DEADLOCK_DETECTED
                | &SqlState::T_R_SERIALIZATION_FAILURE
                | &SqlState::ADMIN_SHUTDOWN
                | &SqlState::CRASH_SHUTDOWN
                | &SqlState::CANNOT_CONNECT_NOW,
            ) => Self::unavailable(),
            None if error.is_closed() => Self::unavailable(),
            _ => Self::internal(&describe(error)),
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound { .. } => Self::new(NOT_FOUND, error.to_string()),
            Error::Conflict { code, message } => {
                let problem = Problem {
                    status: StatusCode::CONFLICT,
                    code,
                    about: "",
                };
                Self::new(problem, message)
            }
            Error::Invalid { field, message } => Self::invalid(&field, message),
            Error::Database(error) => Self::database(&error),
            Error::Queue(telecast_queue::Error::Invalid { field, problem }) => {
                Self::invalid(field, problem)
            }
            Error::Queue(error @ telecast_queue::Error::UnknownQueue(_)) => {
                Self::new(NOT_FOUND, error.to_string())
            }
            Error::Queue(telecast_queue::Error::KeyRequired) => {
                Self::invalid("singletonKey", "the queue's policy needs one")
            }
            Error::Queue(telecast_queue::Error::Database(error)) => Self::database(&error),
            Error::Queue(_) | Error::Corrupt { .. } => Self::internal(&error),
        }
    }
}

impl From<tokio_postgres::Error> for ApiError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::database(&error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({"error": {
            "code": self.problem.code,
            "message": self.message,
            "details": self.details,
        }});
        let mut response = (self.problem.status, Json(body)).into_response();
        response.extensions_mut().insert(self.clone());
        if let Some(seconds) = self.retry_after_seconds {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The server's own words where there are some: tokio-postgres displays only "db error".
fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} (SQLSTATE {})", db.message(), db.code().code()),
        None => error.to_string(),
    }
}

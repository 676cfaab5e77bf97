//! Whether the API and its database answer.

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{ApiError, App};

#[derive(Serialize, JsonSchema)]
pub(super) struct Health {
    /// `ok`.
    status: &'static str,
    /// Telecast's.
    version: &'static str,
}

/// GET /health
pub(super) async fn health(State(app): State<App>) -> Result<Json<Health>, ApiError> {
    let database = app.database().await?;
    database.query_typed("SELECT 1", &[]).await?;
    Ok(Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    }))
}

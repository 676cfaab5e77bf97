//! Whether the API and its database answer.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{ApiError, App};

/// GET /health
pub(super) async fn health(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let database = app.database().await?;
    database.query_typed("SELECT 1", &[]).await?;
    Ok(Json(
        json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}),
    ))
}

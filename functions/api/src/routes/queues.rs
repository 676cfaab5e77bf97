//! The queues beneath, as the last upkeep counted them.

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Serialize;
use telecast_queue::QueueInfo;

use crate::{ApiError, App};

#[derive(Serialize, JsonSchema)]
pub(super) struct Queues {
    items: Vec<QueueInfo>,
}

/// GET /api/queues
pub(super) async fn list(State(app): State<App>) -> Result<Json<Queues>, ApiError> {
    let database = app.database().await?;
    let items = app
        .queue
        .get_queues(&**database, None)
        .await
        .map_err(telecast_core::Error::from)?;
    Ok(Json(Queues { items }))
}

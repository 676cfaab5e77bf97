//! Batches of channels.

use axum::{Json, extract::State, http::StatusCode};
use telecast_core::{
    batches::{self, Batch, BatchPatch, NewBatch},
    page::List,
};

use crate::{
    ApiError, App,
    access::Caller,
    extract::{self, Id, PageQuery, Query},
};

/// GET /api/batches
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<Batch>>, ApiError> {
    let database = app.database().await?;
    Ok(Json(batches::list(&**database, query.page()?).await?))
}

/// GET /api/batches/{id}; its channels are at GET /api/channels?batchId=
pub(super) async fn get(State(app): State<App>, Id(id): Id) -> Result<Json<Batch>, ApiError> {
    let database = app.database().await?;
    Ok(Json(batches::get(&**database, id).await?))
}

/// POST /api/batches
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    extract::Json(new): extract::Json<NewBatch>,
) -> Result<(StatusCode, Json<Batch>), ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let batch = batches::create(&transaction, &caller.actor, new).await?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(batch)))
}

/// PATCH /api/batches/{id}
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    extract::Json(patch): extract::Json<BatchPatch>,
) -> Result<Json<Batch>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let batch = batches::update(&transaction, &caller.actor, id, patch).await?;
    transaction.commit().await?;
    Ok(Json(batch))
}

/// DELETE /api/batches/{id}
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    batches::delete(&transaction, &caller.actor, id).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

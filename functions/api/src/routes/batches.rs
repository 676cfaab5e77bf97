//! Batches of channels.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use telecast_core::{
    batches::{self, Batch, BatchPatch, NewBatch},
    channels::{self, Filter, export, import::Format},
    page::{List, Page},
};
use uuid::Uuid;

use crate::{
    ApiError, App,
    access::Caller,
    extract::{self, Id, PageQuery, Query},
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Clone {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportQuery {
    format: ExportFormat,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ExportFormat {
    Csv,
    Jsonl,
}

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

/// POST /api/batches/{id}/clone
pub(super) async fn clone(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    extract::Json(clone): extract::Json<Clone>,
) -> Result<(StatusCode, Json<Batch>), ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let batch = batches::clone(&transaction, &caller.actor, id, clone.name).await?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(batch)))
}

/// GET /api/batches/{id}/export: its channels, as an import reads them.
pub(super) async fn export(
    State(app): State<App>,
    Id(id): Id,
    Query(query): Query<ExportQuery>,
) -> Result<Response, ApiError> {
    batches::get(&**app.database().await?, id).await?;
    let (format, content_type) = match query.format {
        ExportFormat::Csv => (Format::Csv, "text/csv; charset=utf-8"),
        ExportFormat::Jsonl => (Format::Jsonl, "application/jsonl"),
    };
    let header = stream::iter([Ok(export::header(format))]);
    let body = Body::from_stream(header.chain(rows(app, id, format)));
    Ok(([(CONTENT_TYPE, content_type)], body).into_response())
}

/// The channels of a batch, page after page; no connection is held while the caller reads.
fn rows(
    app: App,
    batch_id: Uuid,
    format: Format,
) -> impl stream::Stream<Item = Result<String, ApiError>> {
    let filter = Filter {
        batch_id: Some(batch_id),
        ..Filter::default()
    };
    let first = Page::parse(Some(Page::MAX_LIMIT), None).ok();
    stream::try_unfold(first, move |page| {
        let (app, filter) = (app.clone(), filter.clone());
        async move {
            let Some(page) = page else { return Ok(None) };
            let list = channels::list(&**app.database().await?, &filter, page).await?;
            let text: String = list.items.iter().map(|c| export::row(format, c)).collect();
            let next = list.pagination.next_cursor;
            let next = next.map(|cursor| Page::parse(Some(Page::MAX_LIMIT), Some(&cursor)));
            Ok(Some((text, next.transpose()?)))
        }
    })
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

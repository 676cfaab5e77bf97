//! Batches of channels.

use axum::{Json, extract::State, response::NoContent};
use futures_util::StreamExt;
use schemars::JsonSchema;
use serde::Deserialize;
use telecast_core::{
    batches::{self, Batch, BatchPatch, NewBatch},
    channels::{self, Filter, export, import::Format},
    page::List,
};

use crate::{
    ApiError, App,
    access::Caller,
    answer::{Created, File, pages, part},
    extract::{self, Id, PageQuery, Query},
    openapi::{Operation, Output},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Clone {
    #[schemars(length(min = 1, max = 200))]
    name: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportQuery {
    format: ExportFormat,
}

#[derive(Debug, Deserialize, JsonSchema)]
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
) -> Result<Created<Batch>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let batch = batches::create(&transaction, &caller.actor, new).await?;
    transaction.commit().await?;
    Ok(Created(batch))
}

/// POST /api/batches/{id}/clone
pub(super) async fn clone(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    extract::Json(clone): extract::Json<Clone>,
) -> Result<Created<Batch>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let batch = batches::clone(&transaction, &caller.actor, id, clone.name).await?;
    transaction.commit().await?;
    Ok(Created(batch))
}

/// A file of channels, as the import reads it.
pub(crate) struct Channels;

impl Output for Channels {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers_text(&["text/csv", "application/jsonl"]);
    }
}

/// GET /api/batches/{id}/export: its channels, as an import reads them.
pub(crate) async fn export(
    State(app): State<App>,
    Id(id): Id,
    Query(query): Query<ExportQuery>,
) -> Result<File<Channels>, ApiError> {
    batches::get(&**app.database().await?, id).await?;
    let (format, content_type) = match query.format {
        ExportFormat::Csv => (Format::Csv, "text/csv; charset=utf-8"),
        ExportFormat::Jsonl => (Format::Jsonl, "application/jsonl"),
    };
    let filter = Filter {
        batch_id: Some(id),
        ..Filter::default()
    };
    let rows = pages(move |page| {
        let (app, filter) = (app.clone(), filter.clone());
        async move {
            let list = channels::list(&**app.database().await?, &filter, page).await?;
            let text = list.items.iter().map(|row| export::row(format, row));
            Ok((text.collect(), list.pagination))
        }
    });
    let header = part(export::header(format));
    Ok(File::new(content_type, header.chain(rows)))
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
) -> Result<NoContent, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    batches::delete(&transaction, &caller.actor, id).await?;
    transaction.commit().await?;
    Ok(NoContent)
}

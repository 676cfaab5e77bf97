//! Channels, one by one and by import.

use std::io::{self, Read};

use axum::{
    Json, RequestExt,
    body::{Body, Bytes},
    extract::{FromRequest, Request, State},
    http::{HeaderMap, header::CONTENT_TYPE},
};
use futures_util::{Stream, TryStreamExt};
use schemars::JsonSchema;
use serde::Deserialize;
use telecast_core::{
    channels::{
        self, Channel, ChannelPatch, Filter, NewChannel,
        import::{self, BadHeader, Format, Importer, Line, Report},
    },
    page::List,
};
use tokio::sync::mpsc;
use tokio_util::io::{StreamReader, SyncIoBridge};
use uuid::Uuid;

use crate::{
    ApiError, App,
    access::Caller,
    answer::Created,
    extract::{self, Id, Query, media_type, page},
    openapi::{
        Input, Operation,
        problems::{BODY_BROKEN, UNSUPPORTED_MEDIA_TYPE},
    },
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListQuery {
    category: Option<String>,
    active: Option<bool>,
    search: Option<String>,
    batch_id: Option<Uuid>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    cursor: Option<String>,
}

/// GET /api/channels
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<Channel>>, ApiError> {
    let page = page(query.limit, query.cursor.as_deref())?;
    let filter = Filter {
        category: query.category,
        active: query.active,
        search: query.search,
        batch_id: query.batch_id,
    };
    let database = app.database().await?;
    Ok(Json(channels::list(&**database, &filter, page).await?))
}

/// GET /api/channels/{id}
pub(super) async fn get(State(app): State<App>, Id(id): Id) -> Result<Json<Channel>, ApiError> {
    let database = app.database().await?;
    Ok(Json(channels::get(&**database, id).await?))
}

/// POST /api/channels
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    extract::Json(new): extract::Json<NewChannel>,
) -> Result<Created<Channel>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let channel = channels::create(&transaction, &caller.actor, new).await?;
    transaction.commit().await?;
    Ok(Created(channel))
}

/// PATCH /api/channels/{id}
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    extract::Json(patch): extract::Json<ChannelPatch>,
) -> Result<Json<Channel>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let channel = channels::update(&transaction, &caller.actor, id, patch).await?;
    transaction.commit().await?;
    Ok(Json(channel))
}

/// POST /api/channels/import: the body is the file, and is read as it comes.
pub(super) async fn import(
    State(app): State<App>,
    caller: Caller,
    Upload { format, body }: Upload,
) -> Result<Json<Report>, ApiError> {
    let bytes = body.into_data_stream().map_err(io::Error::other);
    Ok(Json(land(&app, &caller, format, bytes).await?))
}

/// A file of channels, not read yet.
pub(super) struct Upload {
    format: Format,
    body: Body,
}

impl<S: Sync> FromRequest<S> for Upload {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let format = format(request.headers())?;
        let body = request.into_limited_body();
        Ok(Self { format, body })
    }
}

impl Input for Upload {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes_file(&["text/csv", "application/jsonl"]);
    }
}

/// Lands a file in one transaction, while it is read.
pub(crate) async fn land(
    app: &App,
    caller: &Caller,
    format: Format,
    bytes: impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
) -> Result<Report, ApiError> {
    let mut lines = parse(format, bytes);
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let mut importer = Importer::begin(&transaction).await?;
    while let Some(line) = lines.recv().await {
        importer.push(line?).await?;
    }
    let report = importer.finish(&caller.actor).await?;
    transaction.commit().await?;
    Ok(report)
}

fn format(headers: &HeaderMap) -> Result<Format, ApiError> {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match media_type(content_type).to_ascii_lowercase().as_str() {
        "text/csv" => Ok(Format::Csv),
        "application/jsonl" | "application/x-ndjson" | "application/ndjson" => Ok(Format::Jsonl),
        _ => Err(ApiError::new(
            UNSUPPORTED_MEDIA_TYPE,
            "send CSV as Content-Type: text/csv, or JSON lines as application/jsonl",
        )),
    }
}

/// Parses the body on a thread of its own, a few rows ahead of the database.
fn parse(
    format: Format,
    bytes: impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
) -> mpsc::Receiver<Result<Line, ApiError>> {
    let (sender, lines) = mpsc::channel(1000);
    let source = SyncIoBridge::new(StreamReader::new(bytes));
    tokio::task::spawn_blocking(move || feed(format, source, &sender));
    lines
}

/// Sends rows until there are no more, or until nobody takes them: the database
/// refused one, or the caller left.
fn feed(format: Format, source: impl Read, sender: &mpsc::Sender<Result<Line, ApiError>>) {
    let rows = match import::read(format, source) {
        Ok(rows) => rows.map(|row| row.map_err(|error| broken_body(&error))),
        Err(error) => {
            // Nobody takes it only where nobody waits for it.
            sender.blocking_send(Err(bad_header(&error))).ok();
            return;
        }
    };
    for row in rows {
        if sender.blocking_send(row).is_err() {
            return;
        }
    }
}

fn bad_header(error: &BadHeader) -> ApiError {
    ApiError::invalid("body", error.to_string())
}

fn broken_body(error: &io::Error) -> ApiError {
    ApiError::new(
        BODY_BROKEN,
        format!("the body broke off or is too large; nothing was imported: {error}"),
    )
}

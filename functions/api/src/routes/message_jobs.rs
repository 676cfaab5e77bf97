//! What became of each channel of a campaign.

use axum::{Json, extract::State};
use futures_util::{Stream, StreamExt};
use schemars::JsonSchema;
use serde::Deserialize;
use telecast_core::{
    campaigns,
    message_jobs::{self, MessageJob, State as JobState},
    page::List,
};
use uuid::Uuid;

use crate::{
    ApiError, App,
    answer::{File, pages, part},
    extract::{Id, Query, page},
    openapi::{Operation, Output},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListQuery {
    status: Option<JobState>,
    search: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    cursor: Option<String>,
}

/// GET /api/campaigns/{id}/jobs
pub(super) async fn list(
    State(app): State<App>,
    Id(id): Id,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<MessageJob>>, ApiError> {
    let page = page(query.limit, query.cursor.as_deref())?;
    let database = app.database().await?;
    Ok(Json(
        message_jobs::list(&**database, id, query.status, query.search.as_deref(), page).await?,
    ))
}

/// A file of comma-separated values.
pub(crate) struct Csv;

impl Output for Csv {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers_text(&["text/csv"]);
    }
}

/// GET /api/campaigns/{id}/report.csv
pub(crate) async fn csv(State(app): State<App>, Id(id): Id) -> Result<File<Csv>, ApiError> {
    campaigns::get(&**app.database().await?, id).await?;
    let rows = report(app, id, |jobs, _| {
        Ok(jobs.iter().map(message_jobs::csv_row).collect())
    });
    let header = part(message_jobs::csv_header());
    Ok(File::new("text/csv; charset=utf-8", header.chain(rows)))
}

/// A file of message jobs as JSON.
pub(crate) struct JsonReport;

impl Output for JsonReport {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers::<Vec<MessageJob>>("200");
    }
}

/// GET /api/campaigns/{id}/report.json
pub(crate) async fn json(State(app): State<App>, Id(id): Id) -> Result<File<JsonReport>, ApiError> {
    campaigns::get(&**app.database().await?, id).await?;
    let rows = report(app, id, |jobs, is_first| {
        let lines: Result<Vec<String>, _> = jobs.iter().map(serde_json::to_string).collect();
        let lines = lines.map_err(|error| ApiError::internal(&error))?;
        let comma = if is_first || lines.is_empty() {
            ""
        } else {
            ",\n"
        };
        Ok(format!("{comma}{}", lines.join(",\n")))
    });
    let whole = part("[\n".to_owned())
        .chain(rows)
        .chain(part("\n]\n".to_owned()));
    Ok(File::new("application/json", whole))
}

/// The message jobs of a campaign, each page as `text` writes it, which is told whether it
/// is the first.
fn report(
    app: App,
    id: Uuid,
    text: fn(&[MessageJob], bool) -> Result<String, ApiError>,
) -> impl Stream<Item = Result<String, ApiError>> + Send + 'static {
    pages(move |page| {
        let app = app.clone();
        async move {
            let list = message_jobs::list(&**app.database().await?, id, None, None, page).await?;
            Ok((text(&list.items, page.after().is_none())?, list.pagination))
        }
    })
}

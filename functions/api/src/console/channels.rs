//! Channels: import, filters, opt-out.

use askama::Template;
use axum::{
    extract::{Multipart, State, multipart::MultipartError},
    response::{IntoResponse, Redirect, Response},
};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use telecast_core::{
    channels::{
        self, Channel, ChannelPatch, Filter,
        import::{Format, Report},
    },
    page::List,
};

use super::{
    fields::{Fields, is_ours},
    frame::Frame,
    session::foreign_form,
    texts::Texts,
};
use crate::{
    ApiError, App,
    access::Caller,
    extract::{Id, Query, page},
    routes::channels::land,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListQuery {
    #[serde(default)]
    category: String,
    #[serde(default)]
    active: String,
    #[serde(default)]
    search: String,
    #[serde(default)]
    batch_id: String,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "channels.html")]
struct Channels {
    t: &'static Texts,
    frame: Frame,
    list: List<Channel>,
    query: ListQuery,
    filtered: bool,
}

#[derive(Template)]
#[template(path = "import_report.html")]
struct Imported {
    t: &'static Texts,
    report: Report,
}

impl Imported {
    fn figures(&self) -> [(&'static str, u64); 6] {
        let (t, report) = (self.t, &self.report);
        [
            (t.rows, report.rows),
            (t.inserted, report.inserted),
            (t.updated, report.updated),
            (t.unchanged, report.unchanged),
            (t.duplicates, report.duplicates),
            (t.rejected, report.rejected),
        ]
    }
}

fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// GET /console/channels
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let filter = Filter {
        category: given(&query.category),
        active: query.active.parse().ok(),
        search: given(&query.search),
        batch_id: query.batch_id.parse().ok(),
    };
    let page = page(None, query.cursor.as_deref())?;
    let list = channels::list(&**app.database().await?, &filter, page).await?;
    let content = Channels {
        t: frame.t,
        frame: frame.clone(),
        list,
        filtered: filter.category.is_some()
            || filter.active.is_some()
            || filter.search.is_some()
            || filter.batch_id.is_some()
            || query.cursor.is_some(),
        query,
    };
    frame.page(frame.t.channels, &content)
}

/// POST /console/channels/import: `csrf` first, then `file`.
pub(super) async fn import(
    State(app): State<App>,
    frame: Frame,
    caller: Caller,
    mut form: Multipart,
) -> Result<Response, ApiError> {
    let mut proved = false;
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("csrf") => proved = is_ours(&frame, &field.text().await.map_err(broken)?),
            Some("file") if proved => {
                let format = match field.file_name() {
                    Some(name) if name.ends_with(".jsonl") || name.ends_with(".ndjson") => {
                        Format::Jsonl
                    }
                    _ => Format::Csv,
                };
                let file = field.bytes().await.map_err(broken)?;
                let bytes = stream::iter([Ok::<Bytes, std::io::Error>(file)]);
                let report = land(&app, &caller, format, bytes).await?;
                let content = Imported { t: frame.t, report };
                return frame.page(frame.t.import_report, &content);
            }
            _ => {}
        }
    }
    Err(if proved {
        ApiError::invalid("file", "choose a file of channels, CSV or JSON lines")
    } else {
        foreign_form()
    })
}

fn broken(error: MultipartError) -> ApiError {
    ApiError::invalid("file", error.body_text())
}

/// POST /console/channels/{id}: opt out or in, activate or deactivate.
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, ApiError> {
    let patch = match fields.text("do") {
        Some("opt-out") => ChannelPatch {
            opted_out: Some(true),
            ..ChannelPatch::default()
        },
        Some("opt-in") => ChannelPatch {
            opted_out: Some(false),
            ..ChannelPatch::default()
        },
        Some("activate") => ChannelPatch {
            active: Some(true),
            ..ChannelPatch::default()
        },
        Some("deactivate") => ChannelPatch {
            active: Some(false),
            ..ChannelPatch::default()
        },
        _ => return Err(ApiError::invalid("do", "is none of the buttons")),
    };
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let channel = channels::update(&transaction, &caller.actor, id, patch).await?;
    transaction.commit().await?;
    let name = channel.username.unwrap_or_default();
    Ok(Redirect::to(&format!("/console/channels?search={name}")).into_response())
}

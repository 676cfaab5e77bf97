//! Channels: filters, opt-out.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use telecast_core::{
    channels::{self, Channel, ChannelPatch, Filter},
    page::List,
};

use super::{channel_checks::LastCheck, fields::Fields, filters, frame::Frame, texts::Texts};
use crate::{
    ApiError, App,
    access::Caller,
    extract::{Id, Query, page},
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
    checks: LastCheck,
    list: List<Channel>,
    query: ListQuery,
    filtered: bool,
}

impl Channels {
    fn next_query(&self) -> String {
        self.query.as_fields()
    }
}

impl ListQuery {
    pub(super) fn filter(&self) -> Filter {
        Filter {
            category: given(&self.category),
            active: self.active.parse().ok(),
            search: given(&self.search),
            batch_id: self.batch_id.parse().ok(),
        }
    }

    pub(super) fn as_fields(&self) -> String {
        filters::query(&[
            ("search", &self.search),
            ("category", &self.category),
            ("active", &self.active),
            ("batchId", &self.batch_id),
        ])
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
    let filter = query.filter();
    let page = page(None, query.cursor.as_deref())?;
    let database = app.database().await?;
    let list = channels::list(&**database, &filter, page).await?;
    let content = Channels {
        t: frame.t,
        frame: frame.clone(),
        checks: LastCheck::read(&**database, frame.t).await?,
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

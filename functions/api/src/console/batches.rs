//! Batches: named sets of channels.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use telecast_core::{
    batches::{self, Batch, BatchPatch, NewBatch, Selection},
    channels::Filter,
    page::List,
};

use super::{fields::Fields, filters, frame::Frame, texts::Texts};
use crate::{
    ApiError, App,
    access::Caller,
    extract::{Id, PageQuery, Query},
};

#[derive(Template)]
#[template(path = "batches.html")]
struct Batches {
    t: &'static Texts,
    frame: Frame,
    list: List<Batch>,
}

/// GET /console/batches
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Query(query): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let content = Batches {
        t: frame.t,
        frame: frame.clone(),
        list: batches::list(&**app.database().await?, query.page()?).await?,
    };
    frame.page(frame.t.batches, &content)
}

/// The channels that a form names: by category, by a word, or all.
fn selection(fields: &Fields) -> Selection {
    let text = |name| fields.text(name).map(str::to_owned);
    Selection {
        filter: Some(Filter {
            category: text("category"),
            search: text("search"),
            ..Filter::default()
        }),
        ..Selection::default()
    }
}

/// POST /console/batches/new
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    fields: Fields,
) -> Result<Response, ApiError> {
    let new = NewBatch {
        name: fields.text("name").unwrap_or_default().to_owned(),
        description: fields.text("description").unwrap_or_default().to_owned(),
        add: selection(&fields),
    };
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    batches::create(&transaction, &caller.actor, new).await?;
    transaction.commit().await?;
    Ok(Redirect::to("/console/batches").into_response())
}

/// POST /console/batches/{id}: adds channels, makes a copy, or takes the batch away.
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    match fields.text("do") {
        Some("add") => {
            let patch = BatchPatch {
                add: selection(&fields),
                ..BatchPatch::default()
            };
            batches::update(&transaction, &caller.actor, id, patch).await?;
        }
        Some("clone") => {
            let name = fields.text("name").unwrap_or_default().to_owned();
            batches::clone(&transaction, &caller.actor, id, name).await?;
        }
        Some("delete") => batches::delete(&transaction, &caller.actor, id).await?,
        _ => return Err(ApiError::invalid("do", "is none of the buttons")),
    }
    transaction.commit().await?;
    Ok(Redirect::to("/console/batches").into_response())
}

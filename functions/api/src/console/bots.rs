//! Bots: their state and their rates.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use telecast_core::{
    bots::{self, Bot, BotPatch, NewBot},
    page::List,
};

use super::{
    fields::{Fields, typed},
    filters,
    frame::Frame,
    texts::Texts,
};
use crate::{
    ApiError, App,
    access::Caller,
    extract::{Id, PageQuery, Query},
    routes::bots::identify,
};

#[derive(Template)]
#[template(path = "bots.html")]
struct Bots {
    t: &'static Texts,
    frame: Frame,
    list: List<Bot>,
}

/// GET /console/bots
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Query(query): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let content = Bots {
        t: frame.t,
        frame: frame.clone(),
        list: bots::list(&**app.database().await?, query.page()?).await?,
    };
    frame.page(frame.t.bots, &content)
}

/// POST /console/bots: a new bot, whose token Telegram is asked about first.
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    fields: Fields,
) -> Result<Response, ApiError> {
    let mut object = fields.object(&["name", "token"]);
    if let Some(rate) = fields.number("ratePerSecond")? {
        object.insert("ratePerSecond".to_owned(), rate.into());
    }
    let new: NewBot = typed(object)?;
    let identity = identify(&app, &new.token).await?;
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    bots::create(
        &transaction,
        &caller.actor,
        &app.encryption_key,
        new,
        &identity,
    )
    .await?;
    transaction.commit().await?;
    Ok(Redirect::to("/console/bots").into_response())
}

/// POST /console/bots/{id}: another rate, or another token.
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, ApiError> {
    let mut object = fields.object(&["token"]);
    if let Some(rate) = fields.number("ratePerSecond")? {
        object.insert("ratePerSecond".to_owned(), rate.into());
    }
    let patch: BotPatch = typed(object)?;
    let identity = match &patch.token {
        Some(token) => Some(identify(&app, token).await?),
        None => None,
    };
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let key = &app.encryption_key;
    bots::update(
        &transaction,
        &caller.actor,
        key,
        id,
        patch,
        identity.as_ref(),
    )
    .await?;
    transaction.commit().await?;
    Ok(Redirect::to("/console/bots").into_response())
}

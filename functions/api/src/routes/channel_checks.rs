//! Whether bots may still write to channels.

use axum::{Json, extract::State};
use telecast_core::{
    channels::check::{self, ChannelCheck, NewCheck},
    page::List,
};

use crate::{
    ApiError, App,
    access::Caller,
    answer::Created,
    extract::{self, Id, PageQuery, Query},
};

/// POST /api/channels/check
pub(super) async fn start(
    State(app): State<App>,
    caller: Caller,
    extract::Json(new): extract::Json<NewCheck>,
) -> Result<Created<ChannelCheck>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let check = check::start(&transaction, &caller.actor, new).await?;
    transaction.commit().await?;
    if let Some(kick) = &app.kick {
        kick.kick().await;
    }
    Ok(Created(check))
}

/// GET /api/channel-checks
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<ChannelCheck>>, ApiError> {
    let database = app.database().await?;
    Ok(Json(check::list(&**database, query.page()?).await?))
}

/// GET /api/channel-checks/{id}
pub(super) async fn get(
    State(app): State<App>,
    Id(id): Id,
) -> Result<Json<ChannelCheck>, ApiError> {
    let database = app.database().await?;
    Ok(Json(check::get(&**database, id).await?))
}

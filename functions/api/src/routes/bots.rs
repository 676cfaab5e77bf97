//! Bots. A token is taken, checked at Telegram, sealed, and never given out.

use axum::{Json, extract::State};
use telecast_core::{
    bots::{self, Bot, BotPatch, BotToken, Identity, NewBot},
    page::List,
};
use telecast_telegram::FailureKind;

use crate::openapi::problems::TELEGRAM_UNREACHABLE;
use crate::{
    ApiError, App,
    access::Caller,
    answer::Created,
    extract::{self, Id, PageQuery, Query},
};

/// GET /api/bots
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<Bot>>, ApiError> {
    let database = app.database().await?;
    Ok(Json(bots::list(&**database, query.page()?).await?))
}

/// GET /api/bots/{id}
pub(super) async fn get(State(app): State<App>, Id(id): Id) -> Result<Json<Bot>, ApiError> {
    let database = app.database().await?;
    Ok(Json(bots::get(&**database, id).await?))
}

/// POST /api/bots
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    extract::Json(new): extract::Json<NewBot>,
) -> Result<Created<Bot>, ApiError> {
    let identity = identify(&app, &new.token).await?;
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let key = &app.encryption_key;
    let bot = bots::create(&transaction, &caller.actor, key, new, &identity).await?;
    transaction.commit().await?;
    Ok(Created(bot))
}

/// PATCH /api/bots/{id}
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    extract::Json(patch): extract::Json<BotPatch>,
) -> Result<Json<Bot>, ApiError> {
    let identity = match &patch.token {
        Some(token) => Some(identify(&app, token).await?),
        None => None,
    };
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let key = &app.encryption_key;
    let bot = bots::update(
        &transaction,
        &caller.actor,
        key,
        id,
        patch,
        identity.as_ref(),
    )
    .await?;
    transaction.commit().await?;
    Ok(Json(bot))
}

/// Asks Telegram whose token this is (getMe).
pub(crate) async fn identify(app: &App, token: &BotToken) -> Result<Identity, ApiError> {
    match app.telegram.get_me(token).await {
        Ok(bot) => Ok(Identity {
            telegram_id: bot.id,
            username: bot.username,
        }),
        Err(failure) if failure.kind == FailureKind::BotDead => Err(ApiError::invalid(
            "token",
            format!("Telegram refuses it: {failure}"),
        )),
        Err(failure) => Err(ApiError::new(
            TELEGRAM_UNREACHABLE,
            format!("the token could not be checked at Telegram ({failure}); try again"),
        )),
    }
}

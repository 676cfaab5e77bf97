//! Service tokens, for administrators.

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use telecast_core::{
    page::List,
    users::{self, NewServiceToken, ServiceToken},
};

use crate::{
    ApiError, App,
    access::Caller,
    extract::{self, Id, PageQuery, Query},
};

/// A service token with its secret: the answer to its making, and to nothing else.
#[derive(Serialize)]
pub(super) struct Created {
    token: String,
    #[serde(flatten)]
    service_token: ServiceToken,
}

/// GET /api/service-tokens
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<ServiceToken>>, ApiError> {
    let database = app.database().await?;
    Ok(Json(
        users::list_service_tokens(&**database, query.page()?).await?,
    ))
}

/// POST /api/service-tokens
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    extract::Json(new): extract::Json<NewServiceToken>,
) -> Result<(StatusCode, Json<Created>), ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let (service_token, secret) =
        users::create_service_token(&transaction, &caller.actor, new).await?;
    transaction.commit().await?;
    let created = Created {
        token: secret.expose().to_owned(),
        service_token,
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// DELETE /api/service-tokens/{id}
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    users::delete_service_token(&transaction, &caller.actor, id).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

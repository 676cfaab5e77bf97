//! Service tokens, for administrators.

use axum::{Json, extract::State, response::NoContent};
use schemars::JsonSchema;
use serde::Serialize;
use telecast_core::{
    page::List,
    users::{self, NewServiceToken, ServiceToken},
};

use crate::{
    ApiError, App,
    access::Caller,
    answer::Created,
    extract::{self, Id, PageQuery, Query},
};

/// A service token with its secret: the answer to its making, and to nothing else.
#[derive(Serialize, JsonSchema)]
pub(super) struct WithSecret {
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
) -> Result<Created<WithSecret>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let (service_token, secret) =
        users::create_service_token(&transaction, &caller.actor, new).await?;
    transaction.commit().await?;
    let created = WithSecret {
        token: secret.expose().to_owned(),
        service_token,
    };
    Ok(Created(created))
}

/// DELETE /api/service-tokens/{id}
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<NoContent, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    users::delete_service_token(&transaction, &caller.actor, id).await?;
    transaction.commit().await?;
    Ok(NoContent)
}

//! Users, for administrators.

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;
use telecast_core::{
    page::List,
    users::{self, NewUser, Password, Role, User, UserPatch},
};

use crate::{
    ApiError, App,
    access::Caller,
    answer::Created,
    extract::{self, Id, PageQuery, Query},
    password::hash,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Create {
    #[schemars(length(min = 1, max = 100))]
    username: String,
    #[schemars(length(min = 8, max = 200))]
    password: Password,
    role: Role,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Update {
    role: Option<Role>,
    disabled: Option<bool>,
    #[schemars(length(min = 8, max = 200))]
    password: Option<Password>,
}

/// GET /api/users
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<User>>, ApiError> {
    let database = app.database().await?;
    Ok(Json(users::list(&**database, query.page()?).await?))
}

/// POST /api/users
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    extract::Json(create): extract::Json<Create>,
) -> Result<Created<User>, ApiError> {
    let new = NewUser {
        username: create.username,
        password_hash: hash("password", create.password).await?,
        role: create.role,
    };
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let user = users::create(&transaction, &caller.actor, new).await?;
    transaction.commit().await?;
    Ok(Created(user))
}

/// PATCH /api/users/{id}
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    extract::Json(update): extract::Json<Update>,
) -> Result<Json<User>, ApiError> {
    let password_hash = match update.password {
        Some(password) => Some(hash("password", password).await?),
        None => None,
    };
    let patch = UserPatch {
        role: update.role,
        disabled: update.disabled,
        password_hash,
    };
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let user = users::update(&transaction, &caller.actor, id, patch).await?;
    transaction.commit().await?;
    Ok(Json(user))
}

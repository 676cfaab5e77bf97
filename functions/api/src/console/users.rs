//! Users, for administrators.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use strum::VariantArray;
use telecast_core::{
    page::List,
    users::{self, NewUser, Password, Role, User, UserPatch},
};

use super::{fields::Fields, frame::Frame, texts::Texts};
use crate::{
    ApiError, App,
    access::Caller,
    extract::{Id, PageQuery, Query},
    password::hash,
};

#[derive(Template)]
#[template(path = "users.html")]
struct Users {
    t: &'static Texts,
    frame: Frame,
    list: List<User>,
}

/// GET /console/users
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Query(query): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let content = Users {
        t: frame.t,
        frame: frame.clone(),
        list: users::list(&**app.database().await?, query.page()?).await?,
    };
    frame.page(frame.t.users, &content)
}

fn role(fields: &Fields) -> Result<Option<Role>, ApiError> {
    let parse = |text: &str| {
        text.parse()
            .map_err(|_| ApiError::invalid("role", "choose one of the list"))
    };
    fields.text("role").map(parse).transpose()
}

/// POST /console/users
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    fields: Fields,
) -> Result<Response, ApiError> {
    let new = NewUser {
        username: fields.text("username").unwrap_or_default().to_owned(),
        password_hash: hash("password", Password::typed(fields.verbatim("password"))).await?,
        role: role(&fields)?.unwrap_or(Role::Auditor),
    };
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    users::create(&transaction, &caller.actor, new).await?;
    transaction.commit().await?;
    Ok(Redirect::to("/console/users").into_response())
}

/// POST /console/users/{id}: another role; cut off, or let in again; another password.
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, ApiError> {
    let password_hash = match fields.text("password") {
        Some(_) => Some(hash("password", Password::typed(fields.verbatim("password"))).await?),
        None => None,
    };
    let patch = UserPatch {
        role: role(&fields)?,
        disabled: match fields.text("do") {
            Some("disable") => Some(true),
            Some("enable") => Some(false),
            _ => None,
        },
        password_hash,
    };
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    users::update(&transaction, &caller.actor, id, patch).await?;
    transaction.commit().await?;
    Ok(Redirect::to("/console/users").into_response())
}

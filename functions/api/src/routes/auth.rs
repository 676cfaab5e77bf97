//! Login, refresh, logout.

use axum::{Json, extract::State, response::NoContent};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use telecast_core::{
    audit::{self, Actor},
    users::{self, Credentials, LoginKeys, Password, Secret, Session, User},
};

use crate::{ApiError, App, access::Caller, client_ip::ClientIp, extract, password};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Login {
    username: String,
    password: Password,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Refresh {
    refresh_token: Secret,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ChangePassword {
    current_password: Password,
    #[schemars(length(min = 8, max = 200))]
    new_password: Password,
}

/// Both tokens of a session.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tokens {
    token: String,
    expires_at: DateTime<Utc>,
    refresh_token: String,
    refresh_expires_at: DateTime<Utc>,
    user: User,
}

/// POST /api/auth/login
pub(super) async fn login(
    State(app): State<App>,
    ClientIp(ip): ClientIp,
    extract::Json(login): extract::Json<Login>,
) -> Result<Json<Tokens>, ApiError> {
    let (user, session) = sign_in(&app, ip, &login.username, login.password).await?;
    tokens(&app, user, &session)
}

/// Opens a session for who knows the password; wrong ones cost time.
pub(crate) async fn sign_in(
    app: &App,
    ip: Option<String>,
    username: &str,
    password: Password,
) -> Result<(User, Session), ApiError> {
    let keys = LoginKeys::new(username, ip.as_deref());
    let credentials = charged(app, &keys, username).await?;
    // No connection is held meanwhile: the hash is slow on purpose.
    let matches = password::matches(password, credentials.as_ref()).await?;

    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let Some(user) = credentials.map(|found| found.user) else {
        return Err(ApiError::bad_credentials());
    };
    let actor = Actor {
        user_id: Some(user.id),
        name: user.username.clone(),
        ip,
    };
    let (action, session) = if matches {
        users::forgive(&transaction, &keys).await?;
        let session = users::open(&transaction, user.id).await?;
        ("LOGIN", Some(session))
    } else {
        ("LOGIN_FAILED", None)
    };
    audit::record(&transaction, &actor, action, "user", user.id, json!({})).await?;
    transaction.commit().await?;
    match session {
        Some(session) => Ok((user, session)),
        None => Err(ApiError::bad_credentials()),
    }
}

/// Charges an attempt to log in, then looks the user up.
async fn charged(
    app: &App,
    keys: &LoginKeys,
    username: &str,
) -> Result<Option<Credentials>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    if let Some(until) = users::charge(&transaction, keys).await? {
        return Err(ApiError::too_many_logins(until, Utc::now()));
    }
    let credentials = users::credentials(&*transaction, username).await?;
    transaction.commit().await?;
    Ok(credentials)
}

/// POST /api/auth/refresh
pub(super) async fn refresh(
    State(app): State<App>,
    extract::Json(refresh): extract::Json<Refresh>,
) -> Result<Json<Tokens>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let (user, session) = users::refresh(&transaction, &refresh.refresh_token)
        .await?
        .ok_or_else(ApiError::unauthenticated)?;
    transaction.commit().await?;
    tokens(&app, user, &session)
}

/// POST /api/auth/logout
pub(super) async fn logout(State(app): State<App>, caller: Caller) -> Result<NoContent, ApiError> {
    sign_out(&app, caller).await?;
    Ok(NoContent)
}

/// Ends the caller's session.
pub(crate) async fn sign_out(app: &App, caller: Caller) -> Result<(), ApiError> {
    let (login, actor) = caller.login()?;
    let id = login.user.id;
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    users::close(&transaction, login.session).await?;
    audit::record(&transaction, &actor, "LOGOUT", "user", id, json!({})).await?;
    transaction.commit().await?;
    Ok(())
}

/// POST /api/auth/password: one's own. Guesses are charged like logins.
pub(super) async fn change_password(
    State(app): State<App>,
    caller: Caller,
    extract::Json(change): extract::Json<ChangePassword>,
) -> Result<NoContent, ApiError> {
    let (login, actor) = caller.login()?;
    let keys = LoginKeys::new(&login.user.username, actor.ip.as_deref());
    let credentials = charged(&app, &keys, &login.user.username).await?;
    if !password::matches(change.current_password, credentials.as_ref()).await? {
        return Err(ApiError::invalid("currentPassword", "is wrong"));
    }
    let new = password::hash("newPassword", change.new_password).await?;
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    users::forgive(&transaction, &keys).await?;
    let (id, session) = (login.user.id, login.session);
    users::change_password(&transaction, &actor, id, new, session).await?;
    transaction.commit().await?;
    Ok(NoContent)
}

/// GET /api/auth/me
pub(super) async fn me(caller: Caller) -> Result<Json<User>, ApiError> {
    let (login, _) = caller.login()?;
    Ok(Json(login.user))
}

fn tokens(app: &App, user: User, session: &Session) -> Result<Json<Tokens>, ApiError> {
    let access = app
        .token_secret
        .issue(user.id, session.id, Utc::now())
        .map_err(|error| ApiError::internal(&error))?;
    Ok(Json(Tokens {
        token: access.text,
        expires_at: access.expires_at,
        refresh_token: session.refresh_token.expose().to_owned(),
        refresh_expires_at: session.expires_at,
        user,
    }))
}

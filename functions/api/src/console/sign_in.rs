//! Signing in and out, and the choice of a language.

use askama::Template;
use axum::{
    extract::{Request, State},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use telecast_core::users::Password;

use super::{
    fields::Fields,
    frame::Frame,
    session::{self, LANGUAGE},
    texts::Texts,
};
use crate::{ApiError, App, access::Caller, client_ip::ClientIp, routes::auth};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    t: &'static Texts,
    username: String,
    error: Option<String>,
}

/// GET /console/sign-in
pub(super) async fn show(frame: Frame) -> Result<Response, ApiError> {
    if frame.user.is_some() {
        return Ok(Redirect::to("/console").into_response());
    }
    let content = SignIn {
        t: frame.t,
        username: String::new(),
        error: None,
    };
    frame.page(frame.t.sign_in, &content)
}

/// POST /console/sign-in
pub(super) async fn sign_in(
    State(app): State<App>,
    ClientIp(ip): ClientIp,
    frame: Frame,
    jar: CookieJar,
    request: Request,
) -> Result<Response, ApiError> {
    let secure = session::is_https(&request);
    let fields = <Fields as axum::extract::FromRequest<()>>::from_request(request, &()).await?;
    let username = fields.text("username").unwrap_or_default();
    let password = Password::typed(fields.verbatim("password"));
    match auth::sign_in(&app, ip, username, password).await {
        Ok((_, session)) => {
            let cookie = session::cookie(&session.refresh_token, secure);
            Ok((jar.add(cookie), Redirect::to("/console")).into_response())
        }
        Err(error) => {
            let content = SignIn {
                t: frame.t,
                username: username.to_owned(),
                error: Some(format!("{error}. {}", frame.t.next_step(error.code()))),
            };
            let page = frame.page(frame.t.sign_in, &content)?;
            Ok((error.status(), page).into_response())
        }
    }
}

/// POST /console/sign-out
pub(super) async fn sign_out(
    State(app): State<App>,
    caller: Caller,
    jar: CookieJar,
    _ours: Fields,
) -> Result<Response, ApiError> {
    auth::sign_out(&app, caller).await?;
    let jar = jar.remove(session::no_cookie());
    Ok((jar, Redirect::to("/console/sign-in")).into_response())
}

/// POST /console/language
pub(super) async fn language(jar: CookieJar, fields: Fields) -> Response {
    let language = if fields.text("language") == Some("ru") {
        "ru"
    } else {
        "en"
    };
    let cookie = Cookie::build((LANGUAGE, language))
        .path("/")
        .same_site(SameSite::Lax)
        .permanent()
        .build();
    (jar.add(cookie), Redirect::to("/console")).into_response()
}

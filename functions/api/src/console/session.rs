//! Who looks at the console: a cookie names the session, and every form proves that it
//! came from one of our pages.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use lambda_http::request::RequestContext;
use telecast_core::users::{self, Secret};

use super::{frame::Frame, texts};
use crate::openapi::problems::{FORBIDDEN, FOREIGN_FORM};
use crate::{Access, ApiError, App, access::Caller, client_ip::ClientIp};

/// The cookie that holds the session's secret.
const SESSION: &str = "telecast_session";
/// The cookie that holds the language somebody chose.
pub(super) const LANGUAGE: &str = "telecast_language";

/// The cookie of a new session; scripts cannot read it, and other sites cannot make a
/// browser send it with a form. The session ends by its own time, not the cookie's.
pub(super) fn cookie(secret: &Secret, secure: bool) -> Cookie<'static> {
    Cookie::build((SESSION, secret.expose().to_owned()))
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .permanent()
        .build()
}

/// What takes the cookie away.
pub(super) fn no_cookie() -> Cookie<'static> {
    Cookie::build((SESSION, "")).path("/").build()
}

/// Whether the browser came by https: through Lambda it always does.
pub(super) fn is_https(request: &Request) -> bool {
    let forwarded = request.headers().get("x-forwarded-proto");
    forwarded.is_some_and(|proto| proto == "https")
        || request.extensions().get::<RequestContext>().is_some()
}

/// Stands before every page. Errors of the handlers become pages here.
pub(super) async fn guard(
    State((app, access)): State<(App, Access)>,
    jar: CookieJar,
    mut request: Request,
    next: Next,
) -> Response {
    let t = texts::choose(jar.get(LANGUAGE).map(Cookie::value), request.headers());
    let mut frame = Frame::stranger(t, request.uri().path());
    let answer = match admit(&app, access, &jar, &mut frame, &mut request).await {
        Ok(Some(elsewhere)) => return elsewhere,
        Ok(None) => {
            request.extensions_mut().insert(frame.clone());
            next.run(request).await
        }
        Err(error) => error.into_response(),
    };
    match answer.extensions().get::<ApiError>() {
        Some(error) => frame.error(error),
        None => answer,
    }
}

/// Lets a request pass, or sends it elsewhere.
async fn admit(
    app: &App,
    access: Access,
    jar: &CookieJar,
    frame: &mut Frame,
    request: &mut Request,
) -> Result<Option<Response>, ApiError> {
    if request.method() != Method::GET && !is_same_origin(request.headers()) {
        return Err(foreign_form());
    }
    let secret = jar.get(SESSION).map(|cookie| Secret::given(cookie.value()));
    let found = match &secret {
        Some(secret) => users::authenticate_secret(&**app.database().await?, secret).await?,
        None => None,
    };
    let (Some((user, session)), Some(secret)) = (found, secret) else {
        return Ok(match access {
            Access::Anyone => None,
            _ if request.uri().path().ends_with("/live") => {
                Some(StatusCode::UNAUTHORIZED.into_response())
            }
            _ => Some(Redirect::to("/console/sign-in").into_response()),
        });
    };
    if !access.admits(user.role) {
        return Err(ApiError::new(
            FORBIDDEN,
            format!("role {} may not do this", user.role),
        ));
    }
    let ClientIp(ip) = ClientIp::of(request.extensions());
    frame.csrf = secret.derive("csrf");
    frame.user = Some(user.clone());
    request
        .extensions_mut()
        .insert(Caller::signed_in(user, session, ip));
    Ok(None)
}

/// What a form from elsewhere is told.
pub(super) fn foreign_form() -> ApiError {
    ApiError::new(
        FOREIGN_FORM,
        "the form did not come from this console, or its page is older than the sign-in; open the page again and repeat",
    )
}

/// Browsers tell where a form stands; what tells nothing is no browser, and has no cookie.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match (text(header::ORIGIN.as_str()), text(header::HOST.as_str())) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, of)| of == host),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ours(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        is_same_origin(&headers)
    }

    #[test]
    fn a_form_of_another_site_is_refused() {
        assert!(is_ours(&[("sec-fetch-site", "same-origin")]));
        assert!(!is_ours(&[("sec-fetch-site", "cross-site")]));
        assert!(!is_ours(&[("sec-fetch-site", "same-site")]));
        assert!(is_ours(&[
            ("origin", "https://a.example"),
            ("host", "a.example")
        ]));
        assert!(!is_ours(&[
            ("origin", "https://b.example"),
            ("host", "a.example")
        ]));
        assert!(!is_ours(&[("origin", "null"), ("host", "a.example")]));
    }
}

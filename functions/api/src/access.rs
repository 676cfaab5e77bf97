//! Who may call a route.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION, request::Parts},
    middleware::Next,
    response::Response,
};
use telecast_core::{
    audit::Actor,
    users::{self, Role, User},
};
use uuid::Uuid;

use crate::{ApiError, App, client_ip::ClientIp};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a token.
    Anyone,
    /// Every user: these routes read.
    Auditor,
    /// Operators and administrators.
    Operator,
    /// Administrators.
    Admin,
}

impl Access {
    /// Whether users of this role may call the route.
    pub fn admits(self, role: Role) -> bool {
        match self {
            Self::Anyone | Self::Auditor => true,
            Self::Operator => matches!(role, Role::Operator | Role::Admin),
            Self::Admin => role == Role::Admin,
        }
    }
}

/// The user who calls.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: User,
    pub(crate) session: Uuid,
    pub(crate) actor: Actor,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    /// The guard put it there; a route that forgot its guard admits nobody.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(ApiError::unauthenticated)
    }
}

/// Stands before every route: lets a caller pass whose session is open and whose
/// role the route admits.
pub(crate) async fn guard(
    State((app, access)): State<(App, Access)>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if access == Access::Anyone {
        return Ok(next.run(request).await);
    }
    let session = bearer(request.headers())
        .and_then(|token| app.token_secret.session(token))
        .ok_or_else(ApiError::unauthenticated)?;
    let user = {
        let database = app.database().await?;
        users::authenticate(&**database, session).await?
    };
    let user = user.ok_or_else(ApiError::unauthenticated)?;
    if !access.admits(user.role) {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "FORBIDDEN",
            format!("users of role {} may not do this", user.role),
        ));
    }
    let ClientIp(ip) = ClientIp::of(request.extensions());
    let actor = Actor {
        user_id: Some(user.id),
        name: user.username.clone(),
        ip,
    };
    request.extensions_mut().insert(Caller {
        user,
        session,
        actor,
    });
    Ok(next.run(request).await)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

//! Who may call a route.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
    middleware::Next,
    response::Response,
};
use telecast_core::{
    audit::Actor,
    users::{self, RequestKey, Role, SERVICE_TOKEN_PREFIX, Secret, User},
};
use tokio_postgres::GenericClient;
use uuid::Uuid;

use crate::openapi::problems::{FORBIDDEN, USERS_ONLY};
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

    /// The least role that it admits; none where nobody needs to be known.
    pub(crate) fn least_role(self) -> Option<Role> {
        match self {
            Self::Anyone => None,
            Self::Auditor => Some(Role::Auditor),
            Self::Operator => Some(Role::Operator),
            Self::Admin => Some(Role::Admin),
        }
    }
}

/// Who calls: a user, or a program with a service token.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    role: Role,
    login: Option<Login>,
}

/// The login of a user who calls.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) user: User,
    pub(crate) session: Uuid,
}

impl Caller {
    /// A user in an open session.
    pub(crate) fn signed_in(user: User, session: Uuid, ip: Option<String>) -> Self {
        Self {
            actor: Actor {
                user_id: Some(user.id),
                name: user.username.clone(),
                ip,
            },
            role: user.role,
            login: Some(Login { user, session }),
        }
    }

    /// The login of a user, for what programs cannot do.
    pub(crate) fn login(self) -> Result<(Login, Actor), ApiError> {
        match self.login {
            Some(login) => Ok((login, self.actor)),
            None => Err(ApiError::new(
                USERS_ONLY,
                "this is about a user's own login; a service token has none",
            )),
        }
    }
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

/// Stands before every route: lets a caller pass whose session is open, or whose
/// service token has not ended, and whose role the route admits.
pub(crate) async fn guard(
    State((app, access)): State<(App, Access)>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if access == Access::Anyone {
        return Ok(next.run(request).await);
    }
    let token = bearer(request.headers()).ok_or_else(ApiError::unauthenticated)?;
    let ClientIp(ip) = ClientIp::of(request.extensions());
    let caller = known(&app, token, ip).await?;
    if !access.admits(caller.role) {
        return Err(ApiError::new(
            FORBIDDEN,
            format!("role {} may not do this", caller.role),
        ));
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Who bears the token, unless it asks too often.
async fn known(app: &App, token: &str, ip: Option<String>) -> Result<Caller, ApiError> {
    let database = app.database().await?;
    let (caller, key) = if token.starts_with(SERVICE_TOKEN_PREFIX) {
        let secret = Secret::given(token);
        let caller = program(&**database, &secret, ip).await?;
        (caller, RequestKey::service(&secret))
    } else {
        let session = app.token_secret.session(token);
        let session = session.ok_or_else(ApiError::unauthenticated)?;
        let caller = user(&**database, session, ip).await?;
        (caller, RequestKey::session(session))
    };
    // A token that nobody has leaves no trace.
    let caller = caller.ok_or_else(ApiError::unauthenticated)?;
    let per_second = app.settings.requests_per_second;
    if per_second == 0 || users::charge_request(&**database, &key, per_second).await? {
        Ok(caller)
    } else {
        Err(ApiError::too_many_requests(per_second))
    }
}

async fn user(
    database: &impl GenericClient,
    session: Uuid,
    ip: Option<String>,
) -> Result<Option<Caller>, telecast_core::Error> {
    let found = users::authenticate(database, session).await?;
    Ok(found.map(|user| Caller::signed_in(user, session, ip)))
}

async fn program(
    database: &impl GenericClient,
    secret: &Secret,
    ip: Option<String>,
) -> Result<Option<Caller>, telecast_core::Error> {
    let found = users::authenticate_service(database, secret).await?;
    Ok(found.map(|token| Caller {
        actor: Actor {
            user_id: None,
            name: format!("service token {}", token.name),
            ip,
        },
        role: token.role,
        login: None,
    }))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

//! Every route of the API, with who may call it.

mod audit_logs;
pub(crate) mod auth;
mod batches;
pub(crate) mod bots;
pub(crate) mod campaigns;
pub(crate) mod channels;
mod health;
mod message_jobs;
mod queues;
mod service_tokens;
mod templates;
mod users;

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    handler::Handler,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use tower_http::{catch_panic::CatchPanicLayer, set_header::SetResponseHeaderLayer};

use crate::{
    Access::{self, Admin, Anyone, Auditor, Operator},
    ApiError, App, access, console,
};

/// Every route. A path's `{id}` is a UUID.
pub fn table() -> Vec<Route> {
    vec![
        get(Anyone, "/health", health::health),
        post(Anyone, "/api/auth/login", auth::login),
        post(Anyone, "/api/auth/refresh", auth::refresh),
        post(Auditor, "/api/auth/logout", auth::logout),
        post(Auditor, "/api/auth/password", auth::change_password),
        get(Auditor, "/api/auth/me", auth::me),
        get(Admin, "/api/users", users::list),
        post(Admin, "/api/users", users::create),
        patch(Admin, "/api/users/{id}", users::update),
        get(Admin, "/api/service-tokens", service_tokens::list),
        post(Admin, "/api/service-tokens", service_tokens::create),
        delete(Admin, "/api/service-tokens/{id}", service_tokens::delete),
        get(Auditor, "/api/bots", bots::list),
        get(Auditor, "/api/bots/{id}", bots::get),
        post(Admin, "/api/bots", bots::create),
        patch(Admin, "/api/bots/{id}", bots::update),
        get(Auditor, "/api/channels", channels::list),
        get(Auditor, "/api/channels/{id}", channels::get),
        post(Operator, "/api/channels", channels::create),
        patch(Operator, "/api/channels/{id}", channels::update),
        post(Operator, "/api/channels/import", channels::import).large(),
        get(Auditor, "/api/batches", batches::list),
        get(Auditor, "/api/batches/{id}", batches::get),
        get(Auditor, "/api/batches/{id}/export", batches::export),
        post(Operator, "/api/batches", batches::create),
        post(Operator, "/api/batches/{id}/clone", batches::clone),
        patch(Operator, "/api/batches/{id}", batches::update),
        delete(Operator, "/api/batches/{id}", batches::delete),
        get(Auditor, "/api/templates", templates::list),
        get(Auditor, "/api/templates/{id}", templates::get),
        get(Auditor, "/api/templates/{id}/versions", templates::versions),
        post(Auditor, "/api/templates/{id}/preview", templates::preview),
        post(Operator, "/api/templates", templates::create),
        patch(Operator, "/api/templates/{id}", templates::update),
        delete(Operator, "/api/templates/{id}", templates::delete),
        get(Auditor, "/api/campaigns", campaigns::list),
        get(Auditor, "/api/campaigns/{id}", campaigns::get),
        get(Auditor, "/api/campaigns/{id}/jobs", message_jobs::list),
        get(Auditor, "/api/campaigns/{id}/report.csv", message_jobs::csv),
        post(Operator, "/api/campaigns", campaigns::create),
        patch(Operator, "/api/campaigns/{id}", campaigns::update),
        post(Operator, "/api/campaigns/{id}/action", campaigns::act),
        get(Auditor, "/api/audit-logs", audit_logs::list),
        get(Auditor, "/api/queues", queues::list),
    ]
}

/// The largest body, in bytes, and the longest time of a request.
const USUAL: (usize, Duration) = (1 << 20, Duration::from_secs(25));
const LARGE: (usize, Duration) = (64 << 20, Duration::from_secs(600));

/// A route.
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    handler: MethodRouter<App>,
    limits: (usize, Duration),
}

impl Route {
    /// Takes large bodies, and the time they need.
    fn large(self) -> Self {
        Self {
            limits: LARGE,
            ..self
        }
    }
}

/// The API.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for route in table() {
        let guard = (app.clone(), route.access);
        let (largest, longest) = route.limits;
        let handler: MethodRouter<App> = route
            .handler
            .layer::<_, Infallible>(middleware::from_fn_with_state(guard, access::guard))
            .layer::<_, Infallible>(middleware::from_fn_with_state(longest, within))
            .layer(DefaultBodyLimit::max(largest));
        router = router.route(route.path, handler);
    }
    router
        .merge(console::router(&app))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(header_of(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header_of(header::CACHE_CONTROL, "no-store"))
        .layer(header_of(header::REFERRER_POLICY, "no-referrer"))
        .layer(middleware::from_fn(log))
        .with_state(app)
}

fn header_of(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Gives up a request that takes too long; its transaction is rolled back.
async fn within(
    axum::extract::State(longest): axum::extract::State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    match tokio::time::timeout(longest, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "TIMEOUT",
            format!(
                "the request took longer than {} s and was given up",
                longest.as_secs()
            ),
        )
        .into_response(),
    }
}

/// One log line a request; never its query, its headers or its body.
async fn log(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    tracing::info!(
        %method,
        path,
        status = response.status().as_u16(),
        milliseconds = began.elapsed().as_millis(),
        "request"
    );
    response
}

async fn no_route() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "NO_ROUTE", "there is no such route")
}

async fn no_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "NO_METHOD",
        "this route does not take this method",
    )
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::internal(&"a handler panicked").into_response()
}

fn get<H: Handler<T, App>, T: 'static>(access: Access, path: &'static str, handler: H) -> Route {
    route(Method::GET, MethodFilter::GET, access, path, handler)
}

fn post<H: Handler<T, App>, T: 'static>(access: Access, path: &'static str, handler: H) -> Route {
    route(Method::POST, MethodFilter::POST, access, path, handler)
}

fn patch<H: Handler<T, App>, T: 'static>(access: Access, path: &'static str, handler: H) -> Route {
    route(Method::PATCH, MethodFilter::PATCH, access, path, handler)
}

fn delete<H: Handler<T, App>, T: 'static>(access: Access, path: &'static str, handler: H) -> Route {
    route(Method::DELETE, MethodFilter::DELETE, access, path, handler)
}

fn route<H: Handler<T, App>, T: 'static>(
    method: Method,
    filter: MethodFilter,
    access: Access,
    path: &'static str,
    handler: H,
) -> Route {
    Route {
        method,
        path,
        access,
        handler: on(filter, handler),
        limits: USUAL,
    }
}

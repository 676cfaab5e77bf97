//! The API as a whole: its routes, and what stands around each.

mod audit_logs;
pub(crate) mod auth;
pub(crate) mod batches;
pub(crate) mod bots;
pub(crate) mod campaigns;
mod channel_checks;
pub(crate) mod channels;
mod health;
pub(crate) mod message_jobs;
mod metrics;
mod progress;
mod queues;
mod service_tokens;
mod table;
mod templates;
mod users;
pub(crate) mod webhooks;

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use tower_http::{
    catch_panic::CatchPanicLayer, cors::CorsLayer, set_header::SetResponseHeaderLayer,
};

use crate::{
    ApiError, App, access, console,
    openapi::problems::{NO_METHOD, NO_ROUTE, TIMEOUT},
};

pub use table::{Route, table};

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
    router = router
        .merge(console::router(&app))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method);
    if let Some(origin) = &app.settings.cors_origin {
        // Outside of the fallbacks: a preflight is no method of a route.
        router = router.layer(cors(origin.clone()));
    }
    router
        .layer(CatchPanicLayer::custom(panicked))
        .layer(header_of(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header_of(header::CACHE_CONTROL, "no-store"))
        .layer(header_of(header::REFERRER_POLICY, "no-referrer"))
        .layer(middleware::from_fn(log))
        .with_state(app)
}

/// Lets pages of another origin call the API, with a token; never with our cookie.
fn cors(origin: HeaderValue) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
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
            TIMEOUT,
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
    ApiError::new(NO_ROUTE, "there is no such route")
}

async fn no_method() -> ApiError {
    ApiError::new(NO_METHOD, "this route does not take this method")
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::internal(&"a handler panicked").into_response()
}

//! The operator console: pages made on the server, for people.
//!
//! Every page works without JavaScript: forms post and redirect. What is live is a part
//! of a page that `assets/console.js` asks for again. Rules are core's and roles are as in
//! the table below; texts are in `texts`, one file a language.

pub(crate) mod assets;
mod audit_logs;
mod batches;
mod bots;
mod campaign;
mod campaigns;
mod channel_checks;
mod channels;
mod chart;
mod fields;
mod filters;
mod frame;
mod import;
mod message_preview;
mod new_campaign;
mod overview;
mod queues;
mod session;
mod sign_in;
mod templates;
mod texts;
mod users;
mod webhooks;

use std::convert::Infallible;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, header},
    middleware,
    response::Redirect,
    routing::{MethodRouter, get, post},
};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::{
    Access::{self, Admin, Anyone, Auditor, Operator},
    App,
    routes::{self, message_jobs},
};

/// Nothing from elsewhere, nothing inline, nothing framed.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

/// The largest form, and the largest file of channels, in bytes.
const FORM: usize = 1 << 20;
const FILE: usize = 64 << 20;

/// Every page, with who may see it or post to it.
fn table() -> Vec<(Access, &'static str, MethodRouter<App>)> {
    vec![
        (
            Anyone,
            "/console/sign-in",
            get(sign_in::show).post(sign_in::sign_in),
        ),
        (Anyone, "/console/language", post(sign_in::language)),
        (Auditor, "/console/sign-out", post(sign_in::sign_out)),
        (Auditor, "/console", get(overview::show)),
        (Auditor, "/console/live", get(overview::live)),
        (Auditor, "/console/campaigns", get(campaigns::show)),
        (
            Operator,
            "/console/campaigns/new",
            get(new_campaign::show).post(new_campaign::post),
        ),
        (Auditor, "/console/campaigns/{id}", get(campaign::show)),
        (Auditor, "/console/campaigns/{id}/live", get(campaign::live)),
        (
            Operator,
            "/console/campaigns/{id}/action",
            post(campaign::act),
        ),
        (
            Operator,
            "/console/campaigns/{id}/rate",
            post(campaign::rate),
        ),
        (
            Operator,
            "/console/campaigns/{id}/clone",
            post(campaign::clone),
        ),
        (
            Auditor,
            "/console/campaigns/{id}/report.csv",
            get(message_jobs::csv),
        ),
        (
            Auditor,
            "/console/campaigns/{id}/report.json",
            get(message_jobs::json),
        ),
        (Auditor, "/console/channels", get(channels::show)),
        (Operator, "/console/channels/import", post(import::import)),
        (
            Operator,
            "/console/channels/check",
            post(channel_checks::start),
        ),
        (
            Auditor,
            "/console/channels/checks",
            get(channel_checks::live),
        ),
        (Operator, "/console/channels/{id}", post(channels::update)),
        (Auditor, "/console/batches", get(batches::show)),
        (Operator, "/console/batches/new", post(batches::create)),
        (Operator, "/console/batches/{id}", post(batches::change)),
        (
            Auditor,
            "/console/batches/{id}/export",
            get(routes::batches::export),
        ),
        (Auditor, "/console/templates", get(templates::show)),
        (
            Operator,
            "/console/templates/new",
            get(templates::new).post(templates::save_new),
        ),
        (
            Auditor,
            "/console/templates/preview",
            post(templates::preview),
        ),
        (Auditor, "/console/templates/{id}", get(templates::edit)),
        (Operator, "/console/templates/{id}", post(templates::save)),
        (
            Operator,
            "/console/templates/{id}/test",
            post(templates::test),
        ),
        (Auditor, "/console/bots", get(bots::show)),
        (Admin, "/console/bots", post(bots::create)),
        (Admin, "/console/bots/{id}", post(bots::change)),
        (
            Admin,
            "/console/users",
            get(users::show).post(users::create),
        ),
        (Admin, "/console/users/{id}", post(users::change)),
        (
            Admin,
            "/console/webhooks",
            get(webhooks::show).post(webhooks::create),
        ),
        (Admin, "/console/webhooks/{id}", post(webhooks::change)),
        (Auditor, "/console/audit", get(audit_logs::show)),
        (Auditor, "/console/queues", get(queues::show)),
        (Auditor, "/console/queues/{name}", get(queues::jobs)),
    ]
}

/// The console's routes.
pub(crate) fn router(app: &App) -> Router<App> {
    let mut router = Router::new();
    for (access, path, handler) in table() {
        let guard = middleware::from_fn_with_state((app.clone(), access), session::guard);
        let largest = if path == "/console/channels/import" {
            FILE
        } else {
            FORM
        };
        let handler: MethodRouter<App> = handler
            .layer::<_, Infallible>(guard)
            .layer(DefaultBodyLimit::max(largest));
        router = router.route(path, handler);
    }
    router
        .route("/", get(async || Redirect::to("/console")))
        .route("/console/assets/{name}", get(assets::serve))
        .layer(header_of(
            header::CONTENT_SECURITY_POLICY,
            CONTENT_SECURITY_POLICY,
        ))
        .layer(header_of(header::X_FRAME_OPTIONS, "DENY"))
}

fn header_of(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

//! Every route: who may call it, what it does, and what can go wrong.

use std::time::Duration;

use axum::{
    handler::Handler,
    http::Method,
    routing::{MethodFilter, MethodRouter, on},
};

use super::{
    audit_logs, auth, batches, bots, campaigns, channel_checks, channels, health, message_jobs,
    metrics, progress, queues, service_tokens, templates, users, webhooks,
};
use crate::{
    Access, App,
    openapi::{
        self, Described, Operation,
        problems::{self, Problem},
    },
};

/// The largest body, in bytes, and the longest time of a request.
type Limits = (usize, Duration);
const USUAL: Limits = (1 << 20, Duration::from_secs(25));
const LARGE: Limits = (64 << 20, Duration::from_secs(600));

/// `Who METHOD "path" handler "what it does" [problems of its own] limits;`
macro_rules! routes {
    ($($access:ident $method:ident $path:literal $module:ident::$handler:ident $summary:literal
        $([$($problem:ident)*])? $($limits:ident)?;)*) => {
        /// Every route.
        pub fn table() -> Vec<Route> {
            vec![$(
                Route {
                    problems: &[$($(problems::$problem),*)?],
                    $(limits: $limits,)?
                    ..route(
                        Access::$access,
                        (Method::$method, MethodFilter::$method),
                        $path,
                        $module::$handler,
                        stringify!($module::$handler),
                        $summary,
                    )
                }
            ),*]
        }
    };
}

routes! {
    Anyone   GET    "/health"                            health::health           "Whether the API and its database answer";
    Auditor  GET    "/metrics"                           metrics::metrics         "Figures for a Prometheus scraper";
    Anyone   GET    "/api/openapi.json"                  openapi::json            "This description";
    Anyone   GET    "/api/docs"                          openapi::show            "This description, as a page";

    Anyone   POST   "/api/auth/login"                    auth::login              "Log in" [BAD_CREDENTIALS TOO_MANY_LOGINS];
    Anyone   POST   "/api/auth/refresh"                  auth::refresh            "New tokens for a refresh token, which is then spent" [UNAUTHENTICATED];
    Auditor  POST   "/api/auth/logout"                   auth::logout             "End this session" [USERS_ONLY];
    Auditor  POST   "/api/auth/password"                 auth::change_password    "Change one's own password; ends all other sessions" [USERS_ONLY TOO_MANY_LOGINS];
    Auditor  GET    "/api/auth/me"                       auth::me                 "Who calls" [USERS_ONLY];

    Admin    GET    "/api/users"                         users::list              "Users, newest first";
    Admin    POST   "/api/users"                         users::create            "Add a user" [NAME_TAKEN];
    Admin    PATCH  "/api/users/{id}"                    users::update            "Change a role or a password, disable or enable" [LAST_ADMIN];

    Admin    GET    "/api/service-tokens"                service_tokens::list     "Service tokens, without their secrets";
    Admin    POST   "/api/service-tokens"                service_tokens::create   "Make a service token; its secret is told once" [NAME_TAKEN];
    Admin    DELETE "/api/service-tokens/{id}"           service_tokens::delete   "End a service token at once";

    Auditor  GET    "/api/bots"                          bots::list               "Bots, without their tokens";
    Auditor  GET    "/api/bots/{id}"                     bots::get                "A bot: its rate, hold and state";
    Admin    POST   "/api/bots"                          bots::create             "Add a bot; its token is checked at Telegram" [NAME_TAKEN TELEGRAM_UNREACHABLE];
    Admin    PATCH  "/api/bots/{id}"                     bots::update             "Change a bot, or rotate its token" [NAME_TAKEN TELEGRAM_UNREACHABLE];

    Auditor  GET    "/api/channels"                      channels::list           "Channels, newest first";
    Auditor  GET    "/api/channels/{id}"                 channels::get            "A channel";
    Operator POST   "/api/channels"                      channels::create         "Add a channel" [CHANNEL_EXISTS];
    Operator PATCH  "/api/channels/{id}"                 channels::update         "Change, deactivate, reactivate or opt out" [CHANNEL_EXISTS];
    Operator POST   "/api/channels/import"               channels::import         "Import a CSV or JSONL file; bad lines are told, good ones land" [BODY_BROKEN] LARGE;
    Operator POST   "/api/channels/check"                channel_checks::start    "Ask Telegram in the background whether channels can be written to";
    Auditor  GET    "/api/channel-checks"                channel_checks::list     "Checks of channels, newest first";
    Auditor  GET    "/api/channel-checks/{id}"           channel_checks::get      "A check: how far it is, and what it found";

    Auditor  GET    "/api/batches"                       batches::list            "Batches, newest first";
    Auditor  GET    "/api/batches/{id}"                  batches::get             "A batch; its channels are at GET /api/channels?batchId=";
    Auditor  GET    "/api/batches/{id}/export"           batches::export          "A batch's channels as a file that the import reads";
    Operator POST   "/api/batches"                       batches::create          "Make a batch of named channels and of those a filter finds" [NAME_TAKEN];
    Operator POST   "/api/batches/{id}/clone"            batches::clone           "Copy a batch" [NAME_TAKEN];
    Operator PATCH  "/api/batches/{id}"                  batches::update          "Rename; put channels in or take them out" [NAME_TAKEN];
    Operator DELETE "/api/batches/{id}"                  batches::delete          "Delete a batch that no campaign uses" [IN_USE];

    Auditor  GET    "/api/templates"                     templates::list          "Templates, newest first";
    Auditor  GET    "/api/templates/{id}"                templates::get           "A template, in its latest version";
    Auditor  GET    "/api/templates/{id}/versions"       templates::versions      "Every version of a template";
    Auditor  POST   "/api/templates/{id}/preview"        templates::preview       "What a channel would get";
    Operator POST   "/api/templates"                     templates::create        "Make a template" [NAME_TAKEN];
    Operator PATCH  "/api/templates/{id}"                templates::update        "Change a template; a new text is a new version" [NAME_TAKEN];
    Operator DELETE "/api/templates/{id}"                templates::delete        "Delete a template that no campaign uses" [IN_USE];

    Auditor  GET    "/api/campaigns"                     campaigns::list          "Campaigns, newest first";
    Auditor  GET    "/api/campaigns/{id}"                campaigns::get           "A campaign: status, counts by state, and when it will end";
    Auditor  GET    "/api/campaigns/{id}/progress"       progress::progress       "Status and counts; with `known`, as soon as they differ";
    Auditor  GET    "/api/campaigns/{id}/activity"       campaigns::activity      "Messages by minute, the rate now, and errors by class";
    Auditor  GET    "/api/campaigns/{id}/events"         campaigns::events        "What was done to it and what befell it, newest first";
    Auditor  GET    "/api/campaigns/{id}/jobs"           message_jobs::list       "What became of each channel";
    Auditor  GET    "/api/campaigns/{id}/report.csv"     message_jobs::csv        "What became of each channel, as a file";
    Auditor  GET    "/api/campaigns/{id}/report.json"    message_jobs::json       "What became of each channel, as JSON";
    Operator POST   "/api/campaigns"                     campaigns::create        "Make a draft";
    Operator PATCH  "/api/campaigns/{id}"                campaigns::update        "Change a draft, or the rate of a campaign that runs" [NOT_A_DRAFT FINISHED];
    Operator POST   "/api/campaigns/{id}/clone"          campaigns::clone         "A draft with the same settings";
    Operator POST   "/api/campaigns/{id}/split"          campaigns::split         "Split a draft in two for an A/B test of two templates" [NAME_TAKEN NOT_A_DRAFT];
    Operator POST   "/api/campaigns/{id}/action"         campaigns::act           "Start, pause, resume, cancel, retry-failed, resend-uncertain" [ILLEGAL_TRANSITION FLOOD_WAIT NO_ACTIVE_CHANNELS BOT_STOPPED NOTHING_TO_SEND_AGAIN];

    Admin    GET    "/api/webhooks"                      webhooks::list           "Webhooks, without their secrets";
    Admin    POST   "/api/webhooks"                      webhooks::create         "Tell a program of what becomes of campaigns; its secret is told once" [NAME_TAKEN];
    Admin    PATCH  "/api/webhooks/{id}"                 webhooks::update         "Change a webhook, or pause it" [NAME_TAKEN];
    Admin    DELETE "/api/webhooks/{id}"                 webhooks::delete         "Delete a webhook";
    Admin    POST   "/api/webhooks/{id}/test"            webhooks::test           "Tell it an event that means nothing";

    Auditor  GET    "/api/audit-logs"                    audit_logs::list         "Who did what, newest first";

    Auditor  GET    "/api/queues"                        queues::list             "The queues, as the last upkeep counted them";
    Auditor  GET    "/api/queues/{name}/jobs"            queues::jobs             "Jobs of a queue, newest first";
    Admin    POST   "/api/queues/{name}/jobs"            queues::send             "Send a job to a queue" [SLOT_TAKEN QUEUE_REFUSED JOB_EXISTS];
}

/// A route.
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path; `{id}` is a UUID.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Its handler's name, with the module's.
    pub(crate) name: &'static str,
    /// What it does, in a line.
    pub(crate) summary: &'static str,
    /// What can go wrong beyond what its types tell.
    pub(crate) problems: &'static [Problem],
    /// What the types of its handler tell.
    pub(crate) describe: fn(&mut Operation<'_>),
    pub(super) handler: MethodRouter<App>,
    pub(super) limits: Limits,
}

impl Route {
    /// The part of the API that it belongs to.
    pub(crate) fn tag(&self) -> &'static str {
        self.name.split("::").next().unwrap_or(self.name)
    }
}

fn route<H: Handler<T, App> + Described<D>, T: 'static, D>(
    access: Access,
    (method, filter): (Method, MethodFilter),
    path: &'static str,
    handler: H,
    name: &'static str,
    summary: &'static str,
) -> Route {
    Route {
        method,
        path,
        access,
        name,
        summary,
        problems: &[],
        describe: H::describe,
        handler: on(filter, handler),
        limits: USUAL,
    }
}

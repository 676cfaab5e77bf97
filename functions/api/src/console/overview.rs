//! The first page: what runs, how fast, and what waits.

use askama::Template;
use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use telecast_core::{
    batches,
    campaigns::{self, Status},
    channels,
    page::Page,
    templates,
};
use telecast_queue::QueueInfo;

use super::{
    filters,
    frame::{Frame, part},
    texts::Texts,
};
use crate::{ApiError, App};

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    t: &'static Texts,
    live: Live,
    /// What leads to the first campaign; nothing once there is one.
    steps: Vec<Step>,
    operates: bool,
}

/// Where to go, what to do there, and whether it is done.
type Step = (&'static str, &'static str, bool);

#[derive(Template)]
#[template(path = "overview_live.html")]
struct Live {
    t: &'static Texts,
    campaigns: Vec<Running>,
    oldest: Option<i64>,
    queues: Vec<QueueInfo>,
}

/// A campaign that is under way.
struct Running {
    campaign: campaigns::Campaign,
    rate_now: i32,
}

/// GET /console
pub(super) async fn show(State(app): State<App>, frame: Frame) -> Result<Response, ApiError> {
    let live = read(&app, frame.t).await?;
    let content = Overview {
        t: frame.t,
        live,
        steps: steps(&app, frame.t).await?,
        operates: frame.operates(),
    };
    frame.page(frame.t.overview, &content)
}

async fn steps(app: &App, t: &Texts) -> Result<Vec<Step>, ApiError> {
    let one = Page::parse(Some(1), None)?;
    let database = app.database().await?;
    let campaigns = campaigns::list(&**database, None, one).await?.items;
    if !campaigns.is_empty() {
        return Ok(Vec::new());
    }
    let any = &channels::Filter::default();
    let channels = channels::list(&**database, any, one).await?.items;
    let batches = batches::list(&**database, one).await?.items;
    let templates = templates::list(&**database, one).await?.items;
    Ok(vec![
        ("/console/channels", t.begin_channels, !channels.is_empty()),
        ("/console/batches", t.begin_batch, !batches.is_empty()),
        (
            "/console/templates/new",
            t.begin_template,
            !templates.is_empty(),
        ),
        ("/console/campaigns/new", t.begin_campaign, false),
    ])
}

/// GET /console/live
pub(super) async fn live(State(app): State<App>, frame: Frame) -> Result<Response, ApiError> {
    part(&read(&app, frame.t).await?)
}

async fn read(app: &App, t: &'static Texts) -> Result<Live, ApiError> {
    let database = app.database().await?;
    let mut running = Vec::new();
    for status in [Status::Running, Status::Paused, Status::Queued] {
        for campaign in campaigns::list(&**database, Some(status), Page::default())
            .await?
            .items
        {
            let rate_now = campaigns::rate_now(&**database, campaign.id).await?;
            running.push(Running { campaign, rate_now });
        }
    }
    let oldest: Option<DateTime<Utc>> = campaigns::oldest_due(&**database).await?;
    let queues = app
        .queue
        .get_queues(&**database, None)
        .await
        .map_err(telecast_core::Error::from)?;
    Ok(Live {
        t,
        campaigns: running,
        oldest: oldest.map(|since| (Utc::now() - since).num_seconds().max(0)),
        queues,
    })
}

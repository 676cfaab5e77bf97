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
    has_channels: bool,
    has_batches: bool,
    has_templates: bool,
    has_campaigns: bool,
    operates: bool,
}

impl Overview {
    /// What leads to the first campaign: where, what, and whether it is done.
    fn steps(&self) -> [(&'static str, &'static str, bool); 4] {
        let t = self.t;
        [
            ("/console/channels", t.begin_channels, self.has_channels),
            ("/console/batches", t.begin_batch, self.has_batches),
            (
                "/console/templates/new",
                t.begin_template,
                self.has_templates,
            ),
            (
                "/console/campaigns/new",
                t.begin_campaign,
                self.has_campaigns,
            ),
        ]
    }
}

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
    let one = Page::parse(Some(1), None)?;
    let database = app.database().await?;
    let any = &channels::Filter::default();
    let content = Overview {
        t: frame.t,
        has_channels: !channels::list(&**database, any, one)
            .await?
            .items
            .is_empty(),
        has_batches: !batches::list(&**database, one).await?.items.is_empty(),
        has_templates: !templates::list(&**database, one).await?.items.is_empty(),
        has_campaigns: !campaigns::list(&**database, None, one)
            .await?
            .items
            .is_empty(),
        operates: frame.operates(),
        live,
    };
    frame.page(frame.t.overview, &content)
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
            let rate_now = campaigns::activity(&**database, campaign.id)
                .await?
                .rate_now;
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

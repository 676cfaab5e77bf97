//! The queues beneath, and their jobs; to look at only.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::Deserialize;
use telecast_queue::{Job, QueueInfo, State as JobState};
use uuid::Uuid;

use super::{filters, frame::Frame, texts::Texts};
use crate::{ApiError, App, extract::Query};

/// Jobs a page.
const PAGE: usize = 50;

#[derive(Debug, Deserialize)]
pub(super) struct JobsQuery {
    state: Option<String>,
    cursor: Option<Uuid>,
}

#[derive(Template)]
#[template(path = "queues.html")]
struct Queues {
    t: &'static Texts,
    queues: Vec<QueueInfo>,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct Jobs {
    t: &'static Texts,
    name: String,
    state: Option<JobState>,
    jobs: Vec<Job>,
    next: Option<Uuid>,
}

impl Jobs {
    fn next_query(&self) -> String {
        filters::query(&[("state", self.state.map_or("", |state| state.as_str()))])
    }

    fn states(&self) -> [JobState; 6] {
        use JobState::{Active, Cancelled, Completed, Created, Failed, Retry};
        [Created, Retry, Active, Completed, Cancelled, Failed]
    }
}

/// GET /console/queues
pub(super) async fn show(State(app): State<App>, frame: Frame) -> Result<Response, ApiError> {
    let queues = app
        .queue
        .get_queues(&**app.database().await?, None)
        .await
        .map_err(telecast_core::Error::from)?;
    frame.page(frame.t.queues, &Queues { t: frame.t, queues })
}

/// GET /console/queues/{name}
pub(super) async fn jobs(
    State(app): State<App>,
    frame: Frame,
    Path(name): Path<String>,
    Query(query): Query<JobsQuery>,
) -> Result<Response, ApiError> {
    let state = query
        .state
        .and_then(|state| serde_json::from_value(state.into()).ok());
    let database = app.database().await?;
    let found = app.queue.get_queue(&**database, &name).await;
    if found.map_err(telecast_core::Error::from)?.is_none() {
        return Err(telecast_core::Error::not_found("queue", &name).into());
    }
    let mut jobs = app
        .queue
        .list(&**database, &name, state, query.cursor, PAGE as i64 + 1)
        .await
        .map_err(telecast_core::Error::from)?;
    let more = jobs.len() > PAGE;
    jobs.truncate(PAGE);
    let content = Jobs {
        t: frame.t,
        next: jobs.last().filter(|_| more).map(|job| job.id),
        name: name.clone(),
        state,
        jobs,
    };
    frame.page(&name, &content)
}

//! The queues beneath, and their jobs.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use telecast_core::{Error, audit, page::List};
use telecast_queue::{Job, JobOptions, QueueInfo, Send, Sent, StartAfter, State as JobState};
use uuid::Uuid;

use crate::{
    ApiError, App,
    access::Caller,
    answer::Created,
    extract::{self, Name, Query, page},
    openapi::problems::{JOB_EXISTS, QUEUE_REFUSED, SLOT_TAKEN},
};

#[derive(Serialize, JsonSchema)]
pub(super) struct Queues {
    items: Vec<QueueInfo>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct JobsQuery {
    state: Option<JobState>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    cursor: Option<String>,
}

/// A job for a queue; what is left out comes from the queue.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewJob {
    /// The job's id; a duplicate is refused. Made here if absent.
    id: Option<Uuid>,
    /// What its handler works on.
    #[serde(default)]
    data: Map<String, Value>,
    /// When it becomes due; at once if absent.
    start_after: Option<DateTime<Utc>>,
    /// Higher goes first.
    #[serde(default)]
    priority: i32,
    /// What the queue's policy tells jobs apart by.
    singleton_key: Option<String>,
    /// At most one job in so many seconds, counted in slots from the epoch.
    #[schemars(range(min = 1))]
    singleton_seconds: Option<u32>,
    /// Attempts after the first.
    retry_limit: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct JobId {
    id: Uuid,
}

/// GET /api/queues
pub(super) async fn list(State(app): State<App>) -> Result<Json<Queues>, ApiError> {
    let database = app.database().await?;
    let items = app.queue.get_queues(&**database, None).await;
    let items = items.map_err(Error::from)?;
    Ok(Json(Queues { items }))
}

/// GET /api/queues/{name}/jobs
pub(super) async fn jobs(
    State(app): State<App>,
    Name(name): Name,
    Query(query): Query<JobsQuery>,
) -> Result<Json<List<Job>>, ApiError> {
    let page = page(query.limit, query.cursor.as_deref())?;
    let database = app.database().await?;
    let queue = app.queue.get_queue(&**database, &name).await;
    if queue.map_err(Error::from)?.is_none() {
        return Err(Error::not_found("queue", &name).into());
    }
    let jobs = app
        .queue
        .list(&**database, &name, query.state, page.after(), page.fetch())
        .await
        .map_err(Error::from)?;
    Ok(Json(page.list(jobs, |job| job.id)))
}

/// POST /api/queues/{name}/jobs
pub(super) async fn send(
    State(app): State<App>,
    caller: Caller,
    Name(name): Name,
    extract::Json(new): extract::Json<NewJob>,
) -> Result<Created<JobId>, ApiError> {
    let send = Send {
        queue: name.clone(),
        data: Value::Object(new.data),
        options: JobOptions {
            id: new.id,
            priority: new.priority,
            start_after: new.start_after.map(StartAfter::At),
            singleton_key: new.singleton_key,
            singleton_seconds: new.singleton_seconds,
            retry_limit: new.retry_limit,
            ..JobOptions::default()
        },
    };
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let sent = app.queue.send(&*transaction, &send).await;
    let id = match sent.map_err(Error::from)? {
        Sent::Created(id) => id,
        Sent::Throttled { until } => {
            let message = format!("the slot is taken; send again from {until}");
            return Err(ApiError::new(SLOT_TAKEN, message));
        }
        Sent::Refused => {
            let message = "the queue's policy allows no other job with this key for now";
            return Err(ApiError::new(QUEUE_REFUSED, message));
        }
        Sent::Exists => {
            return Err(ApiError::new(
                JOB_EXISTS,
                "there is a job of this id already",
            ));
        }
    };
    let details = json!({"queue": name, "data": send.data});
    let action = "QUEUE_JOB_SENT";
    audit::record(
        &transaction,
        &caller.actor,
        action,
        "queue job",
        id,
        details,
    )
    .await?;
    transaction.commit().await?;
    if let Some(kick) = &app.kick {
        kick.kick().await;
    }
    Ok(Created(JobId { id }))
}

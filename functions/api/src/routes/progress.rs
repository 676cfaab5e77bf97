//! A campaign's progress as it changes: a long poll, which any function URL and any proxy
//! lets through.

use std::time::Duration;

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use telecast_core::campaigns::{self, Counts, PauseReason, Status};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::{
    ApiError, App,
    extract::{Id, Query},
};

/// Between two looks: a change is seen well within a second.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wait {
    /// The `version` that the caller knows: the answer waits for another.
    known: Option<String>,
    /// How long it waits at most; 0 to 20 s.
    #[serde(default = "usual")]
    #[schemars(range(min = 0, max = 20))]
    seconds: u8,
}

fn usual() -> u8 {
    20
}

/// What changes while a campaign runs.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Progress {
    /// Of this state; another state has another.
    version: String,
    status: Status,
    pause_reason: Option<PauseReason>,
    resumes_at: Option<DateTime<Utc>>,
    /// Messages per minute that were asked for.
    delivery_rate: i32,
    counts: Counts,
    /// Messages that Telegram accepted in the last 60 s.
    rate_now: i32,
    /// When the last message job should be done, as things stand.
    eta: Option<DateTime<Utc>>,
}

/// GET /api/campaigns/{id}/progress
pub(super) async fn progress(
    State(app): State<App>,
    Id(id): Id,
    Query(wait): Query<Wait>,
) -> Result<Json<Progress>, ApiError> {
    if wait.seconds > 20 {
        return Err(ApiError::invalid("seconds", "must be 0 to 20"));
    }
    let until = Instant::now() + Duration::from_secs(wait.seconds.into());
    loop {
        let progress = read(&app, id).await?;
        let next = Instant::now() + LOOK;
        if wait.known.as_deref() != Some(&progress.version) || next > until {
            return Ok(Json(progress));
        }
        sleep_until(next).await;
    }
}

/// The state as it is; no connection is held between two looks.
async fn read(app: &App, id: Uuid) -> Result<Progress, ApiError> {
    let database = app.database().await?;
    let campaign = campaigns::get(&**database, id).await?;
    let rate_now = campaigns::rate_now(&**database, id).await?;
    let c = campaign.counts;
    // Without what moves by itself: the rate, and the time of the end.
    let known = (
        <&str>::from(campaign.status),
        campaign.pause_reason.map(<&str>::from),
        campaign.resumes_at,
        campaign.delivery_rate,
        [
            c.total,
            c.sent,
            c.failed,
            c.skipped,
            c.uncertain,
            c.cancelled,
        ],
    );
    let digest = Sha256::digest(format!("{known:?}"));
    Ok(Progress {
        version: hex::encode(&digest[..8]),
        status: campaign.status,
        pause_reason: campaign.pause_reason,
        resumes_at: campaign.resumes_at,
        delivery_rate: campaign.delivery_rate,
        counts: campaign.counts,
        rate_now,
        eta: campaign.eta,
    })
}

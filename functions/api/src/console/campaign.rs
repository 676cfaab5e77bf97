//! One campaign: what it does now, what it did, what became of each recipient, and what
//! an operator can do.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use telecast_core::{
    audit::{self, Entry},
    campaigns::{self, Action, Activity, Campaign, CampaignPatch, next_status},
    message_jobs::{self, MessageJob, State as JobState},
    page::{List, Page},
};

use super::{
    chart,
    fields::{Fields, typed},
    filters,
    frame::{Frame, part},
    texts::Texts,
};
use crate::{
    ApiError, App,
    access::Caller,
    extract::{Id, Query, page},
    routes::campaigns::do_action,
};

#[derive(Debug, Deserialize)]
pub(super) struct RecipientsQuery {
    #[serde(default)]
    state: String,
    search: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "campaign.html")]
struct Detail {
    t: &'static Texts,
    live: Live,
    recipients: List<MessageJob>,
    state: Option<JobState>,
    search: String,
}

#[derive(Template)]
#[template(path = "campaign_live.html")]
struct Live {
    t: &'static Texts,
    frame: Frame,
    campaign: Campaign,
    activity: Activity,
    chart: Option<String>,
    events: Vec<Entry>,
    actions: Vec<Action>,
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm {
    t: &'static Texts,
    frame: Frame,
    campaign: Campaign,
    action: Action,
}

impl Detail {
    fn next_query(&self) -> String {
        let state = self.state.map_or("", Into::into);
        filters::query(&[("search", &self.search), ("state", state)])
    }
}

impl Live {
    async fn read(app: &App, frame: &Frame, id: uuid::Uuid) -> Result<Self, ApiError> {
        let database = app.database().await?;
        let campaign = campaigns::get(&**database, id).await?;
        let activity = campaigns::activity(&**database, id).await?;
        let filter = audit::Filter {
            subject_type: Some("campaign".to_owned()),
            subject_id: Some(id.to_string()),
            ..audit::Filter::default()
        };
        let events = audit::list(&**database, &filter, Page::parse(Some(30), None)?).await?;
        let actions = if frame.operates() {
            legal(&campaign)
        } else {
            Vec::new()
        };
        Ok(Self {
            t: frame.t,
            frame: frame.clone(),
            chart: chart::messages_by_minute(&activity.minutes, campaign.delivery_rate)?,
            campaign,
            activity,
            events: events.items,
            actions,
        })
    }

    /// Message jobs by state: name of the colour, text, how many.
    fn states(&self) -> [(&'static str, &'static str, i32); 5] {
        let counts = &self.campaign.counts;
        [
            ("sent", self.t.sent, counts.sent),
            ("failed", self.t.failed, counts.failed),
            ("uncertain", self.t.uncertain, counts.uncertain),
            ("skipped", self.t.skipped, counts.skipped),
            ("cancelled", self.t.cancelled, counts.cancelled),
        ]
    }

    /// The width of a part of the bar, of 1000.
    fn share(&self, count: &i32) -> i64 {
        i64::from(*count) * 1000 / i64::from(self.campaign.counts.total.max(1))
    }

    /// The parts of the bar, from the left: name of the colour, place, width.
    fn bar(&self) -> Vec<(&'static str, i64, i64)> {
        let counts = &self.campaign.counts;
        let parts = [
            ("sent", counts.sent),
            ("failed", counts.failed),
            ("uncertain", counts.uncertain),
            ("skipped", counts.skipped + counts.cancelled),
        ];
        let mut at = 0;
        parts
            .into_iter()
            .map(|(name, count)| {
                let width = self.share(&count);
                at += width;
                (name, at - width, width)
            })
            .collect()
    }
}

/// What an operator may do now; what would change nothing is not offered.
fn legal(campaign: &Campaign) -> Vec<Action> {
    let offered = |action: &Action| match action {
        Action::RetryFailed => campaign.counts.failed > 0,
        Action::ResendUncertain => campaign.counts.uncertain > 0,
        _ => true,
    };
    [
        Action::Start,
        Action::Pause,
        Action::Resume,
        Action::RetryFailed,
        Action::ResendUncertain,
        Action::Cancel,
    ]
    .into_iter()
    .filter(|&action| next_status(campaign.status, campaign.pause_reason, true, action).is_ok())
    .filter(offered)
    .collect()
}

/// GET /console/campaigns/{id}
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Id(id): Id,
    Query(query): Query<RecipientsQuery>,
) -> Result<Response, ApiError> {
    let live = Live::read(&app, &frame, id).await?;
    let state = query.state.parse::<JobState>().ok();
    let search = query.search.unwrap_or_default();
    let wanted = Some(search.as_str()).filter(|text| !text.trim().is_empty());
    let page = page(Some(25), query.cursor.as_deref())?;
    let database = app.database().await?;
    let title = live.campaign.name.clone();
    let content = Detail {
        t: frame.t,
        live,
        recipients: message_jobs::list(&**database, id, state, wanted, page).await?,
        state,
        search: search.clone(),
    };
    frame.page(&title, &content)
}

/// GET /console/campaigns/{id}/live
pub(super) async fn live(
    State(app): State<App>,
    frame: Frame,
    Id(id): Id,
) -> Result<Response, ApiError> {
    part(&Live::read(&app, &frame, id).await?)
}

/// POST /console/campaigns/{id}/action: asks first, then does it.
pub(super) async fn act(
    State(app): State<App>,
    frame: Frame,
    caller: Caller,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, ApiError> {
    let action: Action = serde_json::from_value(fields.text("action").unwrap_or_default().into())
        .map_err(|error| ApiError::invalid("action", error.to_string()))?;
    if fields.has("confirmed") {
        do_action(&app, &caller, id, action).await?;
        return Ok(Redirect::to(&format!("/console/campaigns/{id}")).into_response());
    }
    let campaign = campaigns::get(&**app.database().await?, id).await?;
    let content = Confirm {
        t: frame.t,
        frame: frame.clone(),
        campaign,
        action,
    };
    frame.page(frame.t.action(&action), &content)
}

/// POST /console/campaigns/{id}/clone: the same again, as a draft.
pub(super) async fn clone(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, ApiError> {
    let name = fields.text("name").unwrap_or_default().to_owned();
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let copy = campaigns::clone(&transaction, &caller.actor, id, name).await?;
    transaction.commit().await?;
    Ok(Redirect::to(&format!("/console/campaigns/{}", copy.id)).into_response())
}

/// POST /console/campaigns/{id}/rate: the one setting that changes while it runs.
pub(super) async fn rate(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, ApiError> {
    let mut object = serde_json::Map::new();
    object.insert(
        "deliveryRate".to_owned(),
        fields.number("deliveryRate")?.into(),
    );
    let patch: CampaignPatch = typed(object)?;
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    campaigns::update(&transaction, &caller.actor, id, patch).await?;
    transaction.commit().await?;
    Ok(Redirect::to(&format!("/console/campaigns/{id}")).into_response())
}

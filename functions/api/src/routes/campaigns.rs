//! Campaigns, and what operators do to them.

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;
use telecast_core::{
    audit::{self, Entry},
    campaigns::{
        self, Action, Activity, Campaign, CampaignPatch, NewCampaign, NewSplit, Split, Status,
    },
    page::List,
};
use uuid::Uuid;

use crate::{
    ApiError, App,
    access::Caller,
    answer::Created,
    extract::{self, Id, PageQuery, Query, page},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListQuery {
    status: Option<Status>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Act {
    action: Action,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Copy {
    /// The copy's name.
    #[schemars(length(min = 1, max = 200))]
    name: String,
}

/// GET /api/campaigns
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<Campaign>>, ApiError> {
    let page = page(query.limit, query.cursor.as_deref())?;
    let database = app.database().await?;
    Ok(Json(
        campaigns::list(&**database, query.status, page).await?,
    ))
}

/// GET /api/campaigns/{id}
pub(super) async fn get(State(app): State<App>, Id(id): Id) -> Result<Json<Campaign>, ApiError> {
    let database = app.database().await?;
    Ok(Json(campaigns::get(&**database, id).await?))
}

/// GET /api/campaigns/{id}/activity
pub(super) async fn activity(
    State(app): State<App>,
    Id(id): Id,
) -> Result<Json<Activity>, ApiError> {
    let database = app.database().await?;
    campaigns::get(&**database, id).await?;
    Ok(Json(campaigns::activity(&**database, id).await?))
}

/// GET /api/campaigns/{id}/events
pub(super) async fn events(
    State(app): State<App>,
    Id(id): Id,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<Entry>>, ApiError> {
    let database = app.database().await?;
    campaigns::get(&**database, id).await?;
    let filter = audit::Filter {
        subject_type: Some("campaign".to_owned()),
        subject_id: Some(id.to_string()),
        ..audit::Filter::default()
    };
    Ok(Json(
        audit::list(&**database, &filter, query.page()?).await?,
    ))
}

/// POST /api/campaigns
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    extract::Json(new): extract::Json<NewCampaign>,
) -> Result<Created<Campaign>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let campaign = campaigns::create(&transaction, &caller.actor, new).await?;
    transaction.commit().await?;
    Ok(Created(campaign))
}

/// POST /api/campaigns/{id}/clone
pub(super) async fn clone(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    extract::Json(copy): extract::Json<Copy>,
) -> Result<Created<Campaign>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let campaign = campaigns::clone(&transaction, &caller.actor, id, copy.name).await?;
    transaction.commit().await?;
    Ok(Created(campaign))
}

/// POST /api/campaigns/{id}/split
pub(super) async fn split(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    extract::Json(new): extract::Json<NewSplit>,
) -> Result<Created<Split>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let split = campaigns::split(&transaction, &caller.actor, id, new).await?;
    transaction.commit().await?;
    Ok(Created(split))
}

/// PATCH /api/campaigns/{id}
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    extract::Json(patch): extract::Json<CampaignPatch>,
) -> Result<Json<Campaign>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let campaign = campaigns::update(&transaction, &caller.actor, id, patch).await?;
    transaction.commit().await?;
    Ok(Json(campaign))
}

/// POST /api/campaigns/{id}/action
pub(super) async fn act(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    extract::Json(act): extract::Json<Act>,
) -> Result<Json<Campaign>, ApiError> {
    Ok(Json(do_action(&app, &caller, id, act.action).await?))
}

/// Does it, and wakes the scheduler where there is something to send.
pub(crate) async fn do_action(
    app: &App,
    caller: &Caller,
    id: Uuid,
    action: Action,
) -> Result<Campaign, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let campaign = campaigns::act(&transaction, &app.queue, &caller.actor, id, action).await?;
    transaction.commit().await?;
    if let (Action::Start | Action::Resume, Some(kick)) = (action, &app.kick) {
        kick.kick().await;
    }
    Ok(campaign)
}

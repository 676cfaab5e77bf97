//! Templates, their versions, and how they will look.

use axum::{Json, extract::State, response::NoContent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use telecast_core::{
    channels,
    page::List,
    templates::{
        self, Content, NewTemplate, Recipient, RenderError, Template, TemplatePatch, Version,
    },
};
use uuid::Uuid;

use crate::{
    ApiError, App,
    access::Caller,
    answer::Created,
    extract::{self, Id, PageQuery, Query},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Preview {
    channel_id: Uuid,
    #[serde(default)]
    params: Map<String, Value>,
}

/// What a channel would get.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Previewed {
    recipient: Recipient,
    #[serde(flatten)]
    message: Content,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Versions {
    items: Vec<Version>,
}

/// GET /api/templates
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<Template>>, ApiError> {
    let database = app.database().await?;
    Ok(Json(templates::list(&**database, query.page()?).await?))
}

/// GET /api/templates/{id}
pub(super) async fn get(State(app): State<App>, Id(id): Id) -> Result<Json<Template>, ApiError> {
    let database = app.database().await?;
    Ok(Json(templates::get(&**database, id).await?))
}

/// GET /api/templates/{id}/versions
pub(super) async fn versions(
    State(app): State<App>,
    Id(id): Id,
) -> Result<Json<Versions>, ApiError> {
    let database = app.database().await?;
    let items = templates::versions(&**database, id).await?;
    Ok(Json(Versions { items }))
}

/// POST /api/templates/{id}/preview
pub(super) async fn preview(
    State(app): State<App>,
    Id(id): Id,
    extract::Json(preview): extract::Json<Preview>,
) -> Result<Json<Previewed>, ApiError> {
    let database = app.database().await?;
    let template = templates::get(&**database, id).await?;
    let channel = channels::get(&**database, preview.channel_id).await?;
    let recipient = channels::recipient(&channel);
    let message = templates::fill(&template.content, &recipient, &preview.params).map_err(
        |RenderError { field, message }| {
            ApiError::invalid("params", format!("the template's {field}: {message}"))
        },
    )?;
    Ok(Json(Previewed { recipient, message }))
}

/// POST /api/templates
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    extract::Json(new): extract::Json<NewTemplate>,
) -> Result<Created<Template>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let template = templates::create(&transaction, &caller.actor, new).await?;
    transaction.commit().await?;
    Ok(Created(template))
}

/// PATCH /api/templates/{id}
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    extract::Json(patch): extract::Json<TemplatePatch>,
) -> Result<Json<Template>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let template = templates::update(&transaction, &caller.actor, id, patch).await?;
    transaction.commit().await?;
    Ok(Json(template))
}

/// DELETE /api/templates/{id}
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<NoContent, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    templates::delete(&transaction, &caller.actor, id).await?;
    transaction.commit().await?;
    Ok(NoContent)
}

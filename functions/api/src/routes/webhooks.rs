//! Webhooks, for administrators.

use axum::{Json, extract::State, response::NoContent};
use schemars::JsonSchema;
use serde::Serialize;
use telecast_core::{
    page::List,
    webhooks::{self, NewWebhook, Webhook, WebhookPatch},
};
use uuid::Uuid;

use crate::{
    ApiError, App,
    access::Caller,
    answer::Created,
    extract::{self, Id, PageQuery, Query},
};

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Test {
    /// The queue job that tells it; GET /api/queues/send-webhook/jobs shows what became of it.
    job_id: Option<Uuid>,
}

/// GET /api/webhooks
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<Webhook>>, ApiError> {
    let database = app.database().await?;
    Ok(Json(webhooks::list(&**database, query.page()?).await?))
}

/// POST /api/webhooks
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    extract::Json(new): extract::Json<NewWebhook>,
) -> Result<Created<webhooks::Created>, ApiError> {
    check_url(&new.url)?;
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let key = &app.encryption_key;
    let created = webhooks::create(&transaction, &caller.actor, key, new).await?;
    transaction.commit().await?;
    Ok(Created(created))
}

/// PATCH /api/webhooks/{id}
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    extract::Json(patch): extract::Json<WebhookPatch>,
) -> Result<Json<Webhook>, ApiError> {
    patch.url.as_deref().map_or(Ok(()), check_url)?;
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let webhook = webhooks::update(&transaction, &caller.actor, id, patch).await?;
    transaction.commit().await?;
    Ok(Json(webhook))
}

/// DELETE /api/webhooks/{id}
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<NoContent, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    webhooks::delete(&transaction, &caller.actor, id).await?;
    transaction.commit().await?;
    Ok(NoContent)
}

/// POST /api/webhooks/{id}/test
pub(super) async fn test(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Created<Test>, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let job_id = webhooks::test(&transaction, &caller.actor, id).await?;
    transaction.commit().await?;
    if let Some(kick) = &app.kick {
        kick.kick().await;
    }
    Ok(Created(Test { job_id }))
}

/// A URL that could be called; whether it may be, the handler finds out when it does.
pub(crate) fn check_url(url: &str) -> Result<(), ApiError> {
    let is_http = url.parse::<axum::http::Uri>().is_ok_and(|url| {
        matches!(url.scheme_str(), Some("https" | "http")) && url.host().is_some()
    });
    if is_http && url.len() <= 2000 {
        Ok(())
    } else {
        let message = "must be a URL such as https://example.com/telecast";
        Err(ApiError::invalid("url", message))
    }
}

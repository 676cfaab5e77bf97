//! Webhooks: who elsewhere is told what becomes of campaigns.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde_json::Value;
use strum::VariantArray;
use telecast_core::{
    page::{List, Page},
    webhooks::{self, Created, Event, NewWebhook, Webhook, WebhookPatch},
};

use super::{
    fields::{Fields, typed},
    frame::Frame,
    texts::Texts,
};
use crate::{
    ApiError, App,
    access::Caller,
    extract::{Id, PageQuery, Query},
    routes::webhooks::check_url,
};

#[derive(Template)]
#[template(path = "webhooks.html")]
struct Webhooks {
    t: &'static Texts,
    frame: Frame,
    list: List<Webhook>,
    /// The one that was just made, whose secret is shown this once.
    created: Option<Created>,
}

/// GET /console/webhooks
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Query(query): Query<PageQuery>,
) -> Result<Response, ApiError> {
    page(&app, &frame, query.page()?, None).await
}

async fn page(
    app: &App,
    frame: &Frame,
    page: Page,
    created: Option<Created>,
) -> Result<Response, ApiError> {
    let content = Webhooks {
        t: frame.t,
        frame: frame.clone(),
        list: webhooks::list(&**app.database().await?, page).await?,
        created,
    };
    frame.page(frame.t.webhooks, &content)
}

/// POST /console/webhooks: a box is ticked for each event.
pub(super) async fn create(
    State(app): State<App>,
    frame: Frame,
    caller: Caller,
    fields: Fields,
) -> Result<Response, ApiError> {
    let mut object = fields.object(&["name", "url"]);
    let events = Event::VARIANTS.iter().map(<&str>::from);
    let ticked: Value = events.filter(|event| fields.has(event)).collect();
    object.insert("events".to_owned(), ticked);
    let new: NewWebhook = typed(object)?;
    check_url(&new.url)?;
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let created = webhooks::create(&transaction, &caller.actor, &app.encryption_key, new).await?;
    transaction.commit().await?;
    drop(database);
    page(&app, &frame, Page::default(), Some(created)).await
}

/// POST /console/webhooks/{id}: a test, an end, a pause.
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    fields: Fields,
) -> Result<Response, ApiError> {
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let actor = &caller.actor;
    let mut next = "/console/webhooks";
    match fields.text("do") {
        Some("test") => {
            webhooks::test(&transaction, actor, id).await?;
            next = "/console/queues/send-webhook";
        }
        Some("delete") => webhooks::delete(&transaction, actor, id).await?,
        Some(turn @ ("enable" | "disable")) => {
            let patch = WebhookPatch {
                active: Some(turn == "enable"),
                ..WebhookPatch::default()
            };
            webhooks::update(&transaction, actor, id, patch).await?;
        }
        _ => return Err(ApiError::invalid("do", "is none of the buttons")),
    }
    transaction.commit().await?;
    if let Some(kick) = &app.kick {
        kick.kick().await;
    }
    Ok(Redirect::to(next).into_response())
}

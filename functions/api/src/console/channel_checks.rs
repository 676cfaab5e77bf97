//! Whether bots may still write to channels: asked for here, and seen as it goes on.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use telecast_core::{
    channels::check::{self, ChannelCheck, NewCheck},
    page::Page,
};
use tokio_postgres::GenericClient;

use super::{
    channels::ListQuery,
    fields::{Fields, typed},
    filters,
    frame::{Frame, part},
    texts::Texts,
};
use crate::{ApiError, App, access::Caller};

/// The newest check, if there is one.
#[derive(Template)]
#[template(path = "channel_checks.html")]
pub(super) struct LastCheck {
    t: &'static Texts,
    check: Option<ChannelCheck>,
}

impl LastCheck {
    pub(super) async fn read(
        database: &impl GenericClient,
        t: &'static Texts,
    ) -> Result<Self, ApiError> {
        let newest = check::list(database, Page::parse(Some(1), None)?).await?;
        let check = newest.items.into_iter().next();
        Ok(Self { t, check })
    }

    /// Whether it goes on.
    fn is_live(&self) -> bool {
        self.check
            .as_ref()
            .is_some_and(|check| check.finished_at.is_none())
    }

    fn figures(&self, check: &ChannelCheck) -> [(&'static str, i32); 5] {
        let t = self.t;
        [
            (t.channels, check.total),
            (t.checked, check.checked),
            (t.check_active, check.active),
            (t.check_inactive, check.inactive),
            (t.check_unclear, check.unclear),
        ]
    }
}

/// GET /console/channels/checks
pub(super) async fn live(State(app): State<App>, frame: Frame) -> Result<Response, ApiError> {
    part(&LastCheck::read(&**app.database().await?, frame.t).await?)
}

/// POST /console/channels/check: of the channels that the list showed.
pub(super) async fn start(
    State(app): State<App>,
    caller: Caller,
    fields: Fields,
) -> Result<Response, ApiError> {
    let shown = ["search", "category", "active", "batchId"];
    let query: ListQuery = typed(fields.object(&shown))?;
    let new = NewCheck {
        filter: Some(query.filter()),
        ..NewCheck::default()
    };
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    check::start(&transaction, &caller.actor, new).await?;
    transaction.commit().await?;
    if let Some(kick) = &app.kick {
        kick.kick().await;
    }
    let back = format!("/console/channels?{}", query.as_fields());
    Ok(Redirect::to(&back).into_response())
}

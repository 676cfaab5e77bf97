//! The list of campaigns.

use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;
use strum::VariantArray;
use telecast_core::{
    campaigns::{self, Campaign, Status},
    page::List,
};

use super::{filters, frame::Frame, texts::Texts};
use crate::{
    ApiError, App,
    extract::{Query, page},
};

#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    status: String,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "campaigns.html")]
struct Campaigns {
    t: &'static Texts,
    list: List<Campaign>,
    status: Option<Status>,
    operates: bool,
}

impl Campaigns {
    fn next_query(&self) -> String {
        filters::query(&[("status", self.status.map_or("", Into::into))])
    }
}

/// GET /console/campaigns
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let status = query.status.parse::<Status>().ok();
    let page = page(None, query.cursor.as_deref())?;
    let database = app.database().await?;
    let content = Campaigns {
        t: frame.t,
        list: campaigns::list(&**database, status, page).await?,
        status,
        operates: frame.operates(),
    };
    frame.page(frame.t.campaigns, &content)
}

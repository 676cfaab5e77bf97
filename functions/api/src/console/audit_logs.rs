//! Who did what.

use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;
use telecast_core::{
    audit::{self, Entry, Filter},
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
    action: String,
    #[serde(default)]
    subject: String,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "audit_logs.html")]
struct AuditLogs {
    t: &'static Texts,
    list: List<Entry>,
    query: ListQuery,
}

impl AuditLogs {
    fn next_query(&self) -> String {
        let query = &self.query;
        filters::query(&[("action", &query.action), ("subject", &query.subject)])
    }
}

/// GET /console/audit
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let filter = Filter {
        action: given(&query.action),
        subject_type: given(&query.subject),
        ..Filter::default()
    };
    let page = page(None, query.cursor.as_deref())?;
    let content = AuditLogs {
        t: frame.t,
        list: audit::list(&**app.database().await?, &filter, page).await?,
        query,
    };
    frame.page(frame.t.audit, &content)
}

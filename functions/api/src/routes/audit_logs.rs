//! Who did what.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use telecast_core::{
    audit::{self, Entry, Filter},
    page::List,
};
use uuid::Uuid;

use crate::{
    ApiError, App,
    extract::{Query, page},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListQuery {
    action: Option<String>,
    subject_type: Option<String>,
    subject_id: Option<String>,
    user_id: Option<Uuid>,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
    cursor: Option<String>,
}

/// GET /api/audit-logs
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<Entry>>, ApiError> {
    let page = page(query.limit, query.cursor.as_deref())?;
    let filter = Filter {
        action: query.action,
        subject_type: query.subject_type,
        subject_id: query.subject_id,
        user_id: query.user_id,
        from: query.from,
        until: query.until,
    };
    let database = app.database().await?;
    Ok(Json(audit::list(&**database, &filter, page).await?))
}

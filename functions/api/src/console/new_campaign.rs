//! A campaign is written, seen as a timetable with warnings, and saved or started.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use telecast_core::{
    batches::{self, Batch},
    bots::{self, Bot},
    campaigns::{self, Action, NewCampaign, timetable},
    page::Page,
    templates::{self, Template as MessageTemplate},
};
use uuid::Uuid;

use super::{
    fields::{Fields, typed},
    filters,
    frame::Frame,
    texts::Texts,
};
use crate::{ApiError, App, access::Caller, routes::campaigns::do_action};

/// Of a batch's channels, more than this part that cannot be written to is worth a warning.
const MANY_INACTIVE: f64 = 0.1;

#[derive(Template)]
#[template(path = "new_campaign.html")]
struct Form {
    t: &'static Texts,
    frame: Frame,
    batches: Vec<Batch>,
    templates: Vec<MessageTemplate>,
    bots: Vec<Bot>,
    /// What was written so far, by field.
    written: Map<String, Value>,
    plan: Option<Plan>,
    error: Option<String>,
}

/// What would happen.
struct Plan {
    messages: i64,
    per_minute: String,
    lines: Vec<(u32, DateTime<Utc>)>,
    ends: DateTime<Utc>,
    takes: String,
    warnings: Vec<String>,
}

impl Form {
    async fn read(app: &App, frame: &Frame) -> Result<Self, ApiError> {
        let database = app.database().await?;
        let page = Page::parse(Some(Page::MAX_LIMIT), None)?;
        Ok(Self {
            t: frame.t,
            frame: frame.clone(),
            batches: batches::list(&**database, page).await?.items,
            templates: templates::list(&**database, page).await?.items,
            bots: bots::list(&**database, page).await?.items,
            written: Map::new(),
            plan: None,
            error: None,
        })
    }

    fn text(&self, name: &str) -> &str {
        self.written
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn is(&self, name: &str, value: impl ToString) -> bool {
        self.text(name) == value.to_string()
    }

    fn rate(&self) -> &str {
        match self.text("deliveryRate") {
            "" => "60",
            rate => rate,
        }
    }

    /// Whether a setting was written that most campaigns leave alone.
    fn has_more(&self) -> bool {
        [
            "testChatId",
            "scheduledAt",
            "notAfter",
            "quietFrom",
            "cron",
            "retryLimit",
            "params",
        ]
        .iter()
        .any(|name| !self.text(name).is_empty())
    }
}

/// GET /console/campaigns/new
pub(super) async fn show(State(app): State<App>, frame: Frame) -> Result<Response, ApiError> {
    frame.page(frame.t.new_campaign, &Form::read(&app, &frame).await?)
}

/// POST /console/campaigns/new: shows the plan; or saves, or saves and starts.
pub(super) async fn post(
    State(app): State<App>,
    frame: Frame,
    caller: Caller,
    fields: Fields,
) -> Result<Response, ApiError> {
    let done = if fields.has("save") || fields.has("start") {
        save(&app, &caller, &fields).await.map(Done::Saved)
    } else {
        plan(&app, &frame, &fields).await.map(Done::Planned)
    };
    let mut form = Form::read(&app, &frame).await?;
    form.written = fields.object(&NAMES);
    let status = match done {
        Ok(Done::Saved(id)) => {
            return Ok(Redirect::to(&format!("/console/campaigns/{id}")).into_response());
        }
        Ok(Done::Planned(plan)) => {
            form.plan = Some(plan);
            axum::http::StatusCode::OK
        }
        Err(error) => {
            form.error = Some(format!("{error}. {}", frame.t.next_step(error.code())));
            error.status()
        }
    };
    Ok((status, frame.page(frame.t.new_campaign, &form)?).into_response())
}

enum Done {
    Saved(Uuid),
    Planned(Plan),
}

/// The fields of the form; those that are not texts in the API are made into what it takes.
const NAMES: [&str; 16] = [
    "name",
    "batchId",
    "templateId",
    "botId",
    "params",
    "deliveryRate",
    "retryLimit",
    "onUncertain",
    "mode",
    "testChatId",
    "scheduledAt",
    "notAfter",
    "quietFrom",
    "quietTo",
    "timezone",
    "cron",
];

/// The campaign as the API takes it.
fn campaign(fields: &Fields) -> Result<NewCampaign, ApiError> {
    let mut object = fields.object(&[
        "name",
        "batchId",
        "templateId",
        "botId",
        "onUncertain",
        "mode",
    ]);
    for name in ["deliveryRate", "retryLimit", "testChatId"] {
        if let Some(number) = fields.number(name)? {
            object.insert(name.to_owned(), number.into());
        }
    }
    for name in ["scheduledAt", "notAfter"] {
        if let Some(time) = fields.time(name)? {
            object.insert(name.to_owned(), time.to_rfc3339().into());
        }
    }
    if fields.has("cron") {
        object.extend(fields.object(&["cron", "timezone"]));
    }
    if fields.has("quietFrom") || fields.has("quietTo") {
        let hours = serde_json::json!({
            "from": fields.text("quietFrom").unwrap_or_default(),
            "to": fields.text("quietTo").unwrap_or_default(),
            "timezone": fields.text("timezone").unwrap_or("UTC"),
        });
        object.insert("quietHours".to_owned(), hours);
    }
    if let Some(params) = fields.text("params") {
        object.insert("params".to_owned(), params_of(params));
    }
    typed(object)
}

/// One `name = value` a line.
fn params_of(text: &str) -> Value {
    let pair = |line: &str| {
        let (name, value) = line.split_once('=')?;
        let value = value.trim();
        let number = value.parse::<i64>().map(Value::from);
        Some((
            name.trim().to_owned(),
            number.unwrap_or_else(|_| value.into()),
        ))
    };
    Value::Object(text.lines().filter_map(pair).collect())
}

async fn save(app: &App, caller: &Caller, fields: &Fields) -> Result<Uuid, ApiError> {
    let new = campaign(fields)?;
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let saved = campaigns::create(&transaction, &caller.actor, new).await?;
    transaction.commit().await?;
    drop(database);
    if fields.has("start") {
        do_action(app, caller, saved.id, Action::Start).await?;
    }
    Ok(saved.id)
}

/// When what would go, by the rules by which it will. The campaign is made for a moment,
/// so that everything is checked, and then forgotten.
async fn plan(app: &App, frame: &Frame, fields: &Fields) -> Result<Plan, ApiError> {
    let new = campaign(fields)?;
    let t = frame.t;
    let mut database = app.database().await?;
    let transaction = database.transaction().await?;
    let draft =
        campaigns::create(&transaction, &telecast_core::audit::Actor::system(), new).await?;
    let batch = batches::get(&*transaction, draft.batch_id).await?;
    let bot = bots::get(&*transaction, draft.bot_id).await?;
    let now = Utc::now();
    let start = draft.scheduled_at.filter(|at| *at > now).unwrap_or(now);
    let step = timetable::step(draft.delivery_rate, bot.rate_per_second);
    let messages = u32::try_from(batch.sendable).unwrap_or(u32::MAX);
    let shown = match messages {
        0 => Vec::new(),
        _ => timetable::lines(messages).into_iter().collect(),
    };
    // The last place is the end: a step after the last message.
    let places: Vec<i64> = shown
        .iter()
        .map(|message| i64::from(message - 1))
        .chain([i64::from(messages)])
        .collect();
    let quiet = draft.quiet_hours.as_ref();
    let times = timetable::times(&*transaction, start, step, &places, quiet).await?;
    transaction.rollback().await?;
    let mut warnings = Vec::new();
    if batch.sendable == 0 {
        warnings.push(t.warning_nobody.to_owned());
    }
    let left_out = batch.channels - batch.sendable;
    if left_out as f64 > batch.channels as f64 * MANY_INACTIVE {
        warnings.push(format!(
            "{} {} / {}",
            t.warning_inactive,
            filters::grouped(left_out),
            filters::grouped(batch.channels)
        ));
    }
    if i64::from(draft.delivery_rate) > i64::from(bot.rate_per_second) * 60 {
        warnings.push(format!(
            "{} {}",
            t.warning_bot_rate,
            filters::grouped(i64::from(bot.rate_per_second) * 60)
        ));
    }
    if bot.stopped_at.is_some() {
        warnings.push(t.warning_bot_stopped.to_owned());
    }
    if draft.not_after.is_some_and(|latest| latest < start) {
        warnings.push(t.warning_missed.to_owned());
    }
    let ends = times.last().copied().unwrap_or(start);
    if times.first().is_some_and(|first| *first > start) {
        warnings.push(t.warning_quiet.to_owned());
    }
    Ok(Plan {
        messages: batch.sendable,
        per_minute: format!("{:.1}", 60.0 / step.as_secs_f64()),
        lines: shown.into_iter().zip(times).collect(),
        ends,
        takes: filters::span(ends - start),
        warnings,
    })
}

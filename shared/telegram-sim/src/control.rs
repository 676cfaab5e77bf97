//! The control API under `/sim`, for a simulator in a process of its own. Bodies are
//! JSON; an unknown chat is a 404.

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    chats::NewChat,
    ledger::{Entry, Ledger, Summary},
    script::Step,
    server::Shared,
};

pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/sim/chats", post(add_chats))
        .route("/sim/script", post(script))
        .route("/sim/flood", post(flood))
        .route("/sim/revoke", post(revoke))
        .route("/sim/ledger", get(ledger).delete(forget))
        .route("/sim/summary", get(summary))
}

/// `{"count": 100}` adds numbered channels, `{"chats": [{"username": "@news"}]}` named
/// ones; their ids are the answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddChats {
    #[serde(default)]
    count: u32,
    #[serde(default)]
    chats: Vec<NewChat>,
}

async fn add_chats(State(shared): State<Shared>, Json(body): Json<AddChats>) -> Json<Value> {
    let mut world = shared.world();
    world.chats.add_numbered(body.count);
    let ids: Vec<i64> = body
        .chats
        .into_iter()
        .map(|chat| world.chats.add(chat))
        .collect();
    Json(json!({"ids": ids}))
}

/// `{"chat": "@news", "steps": [{"type": "kicked", "times": 1}]}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptOf {
    chat: String,
    steps: Vec<Step>,
}

async fn script(
    State(shared): State<Shared>,
    Json(body): Json<ScriptOf>,
) -> Result<StatusCode, (StatusCode, String)> {
    if shared.world().script(&body.chat, body.steps) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err((
            StatusCode::NOT_FOUND,
            format!("no chat {}; add it first", body.chat),
        ))
    }
}

/// `{"bot": "123456", "seconds": 30}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FloodOf {
    bot: String,
    seconds: u64,
}

async fn flood(State(shared): State<Shared>, Json(body): Json<FloodOf>) -> StatusCode {
    let now = shared.now();
    shared.world().flood(now, &body.bot, body.seconds);
    StatusCode::NO_CONTENT
}

/// `{"token": "123456:…"}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    token: String,
}

async fn revoke(State(shared): State<Shared>, Json(body): Json<Revoke>) -> StatusCode {
    shared.world().revoked.insert(body.token);
    StatusCode::NO_CONTENT
}

/// `?chat=@news` for the entries of one chat.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LedgerOf {
    chat: Option<String>,
}

async fn ledger(State(shared): State<Shared>, Query(query): Query<LedgerOf>) -> Json<Vec<Entry>> {
    let world = shared.world();
    Json(match &query.chat {
        None => world.ledger.0.clone(),
        Some(chat) => world.ledger.of_chat(chat).cloned().collect(),
    })
}

async fn forget(State(shared): State<Shared>) -> StatusCode {
    shared.world().ledger = Ledger::default();
    StatusCode::NO_CONTENT
}

async fn summary(State(shared): State<Shared>) -> Json<Summary> {
    Json(shared.world().ledger.summary())
}

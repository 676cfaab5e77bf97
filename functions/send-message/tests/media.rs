//! Media is fetched by Telegram once, and what a template sets arrives.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use common::Stage;
use serde_json::json;

const URL: &str = "https://example.com/a.jpg";

/// A campaign to two chats, one message a turn.
async fn photos(stage: &Stage) {
    let template = json!({"text": "Hi", "media": {"kind": "PHOTO", "source": URL}, "options": {"messageThreadId": 7}});
    stage
        .campaign_with(&["a", "b"], template, json!({"deliveryRate": 1}))
        .await;
}

fn sources(stage: &Stage) -> Vec<String> {
    let ledger = stage.simulator.ledger();
    ledger.0.iter().filter_map(|e| e.media.clone()).collect()
}

#[tokio::test]
async fn a_file_id_stands_for_the_url_after_the_first_upload() {
    let mut stage = Stage::set().await;
    photos(&stage).await;
    stage.turn().await;
    let file_id: String = stage.scalar("SELECT file_id FROM media_files").await;
    stage.turn().await;
    assert_eq!(sources(&stage), [URL, &file_id]);
    assert_eq!(stage.simulator.ledger().accepted().count(), 2);
}

#[tokio::test]
async fn a_file_id_that_is_refused_gives_way_to_the_url() {
    let mut stage = Stage::set().await;
    photos(&stage).await;
    stage
        .execute(
            "INSERT INTO media_files (bot_id, kind, url, file_id)
             SELECT id, 'PHOTO', 'https://example.com/a.jpg', 'stale' FROM bots",
        )
        .await;
    stage.turn().await;
    assert_eq!(sources(&stage).last().map(String::as_str), Some(URL));
    assert_eq!(stage.simulator.ledger().accepted().count(), 1);
    let file_id: String = stage.scalar("SELECT file_id FROM media_files").await;
    assert_ne!(file_id, "stale");
}

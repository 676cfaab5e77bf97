//! The audit log.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use common::{database, operator};
use serde_json::json;
use telecast_core::{
    audit::{self, Actor, Filter},
    page::Page,
};

#[tokio::test]
async fn a_row_lives_and_dies_with_its_transaction() {
    let mut client = database().await;
    for commit in [false, true] {
        let transaction = client.transaction().await.unwrap();
        audit::record(
            &transaction,
            &operator(),
            "DEED",
            "thing",
            commit,
            json!({}),
        )
        .await
        .unwrap();
        if commit {
            transaction.commit().await.unwrap();
        }
    }
    let list = audit::list(&client, &Filter::default(), Page::default())
        .await
        .unwrap();
    assert_eq!(list.items.len(), 1);
    let entry = &list.items[0];
    assert_eq!(
        (entry.actor.as_str(), entry.subject_id.as_str()),
        ("olga", "true")
    );
    assert_eq!(entry.ip.as_deref(), Some("192.0.2.7"));
}

#[tokio::test]
async fn rows_are_found_by_deed_thing_person_and_time() {
    let mut client = database().await;
    let transaction = client.transaction().await.unwrap();
    let ada = Actor {
        user_id: Some(uuid::Uuid::now_v7()),
        ..operator()
    };
    for (actor, action, kind, id) in [
        (&ada, "START", "campaign", "1"),
        (&ada, "PAUSE", "campaign", "2"),
        (&Actor::system(), "PAUSE", "bot", "1"),
    ] {
        audit::record(&transaction, actor, action, kind, id, json!({}))
            .await
            .unwrap();
    }
    transaction.commit().await.unwrap();

    let text = |text: &str| Some(text.to_owned());
    let hour = chrono::TimeDelta::hours(1);
    let now = chrono::Utc::now();
    let all = Filter::default;
    for (filter, expected) in [
        (all(), 3),
        (
            Filter {
                action: text("PAUSE"),
                ..all()
            },
            2,
        ),
        (
            Filter {
                subject_type: text("campaign"),
                ..all()
            },
            2,
        ),
        (
            Filter {
                subject_type: text("campaign"),
                subject_id: text("1"),
                ..all()
            },
            1,
        ),
        (
            Filter {
                user_id: ada.user_id,
                ..all()
            },
            2,
        ),
        (
            Filter {
                from: Some(now - hour),
                until: Some(now + hour),
                ..all()
            },
            3,
        ),
        (
            Filter {
                from: Some(now + hour),
                ..all()
            },
            0,
        ),
        (
            Filter {
                until: Some(now - hour),
                ..all()
            },
            0,
        ),
    ] {
        let list = audit::list(&client, &filter, Page::default())
            .await
            .unwrap();
        assert_eq!(list.items.len(), expected, "{filter:?}");
    }
}

//! Bots and their sealed tokens.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use common::{audited, database, operator, scalar};
use telecast_core::{
    Error,
    bots::{self, Bot, BotPatch, BotToken, EncryptionKey, Identity, NewBot},
    page::Page,
};
use tokio_postgres::Client;

const TOKEN: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";
const OTHER: &str = "654321:ZYX-DEF1234ghIkl-zyx57W2v1u123ew11";

fn key() -> EncryptionKey {
    EncryptionKey::new([7; 32])
}

fn identity(telegram_id: i64) -> Identity {
    Identity {
        telegram_id,
        username: Some(format!("bot_{telegram_id}")),
    }
}

fn token(text: &str) -> BotToken {
    text.parse().unwrap()
}

async fn add(client: &mut Client, name: &str) -> Result<Bot, Error> {
    let transaction = client.transaction().await.unwrap();
    let new = NewBot {
        name: name.to_owned(),
        token: token(TOKEN),
        rate_per_second: 25,
        messages_per_day: None,
        warm_up: false,
    };
    let bot = bots::create(&transaction, &operator(), &key(), new, &identity(123456)).await?;
    transaction.commit().await.unwrap();
    Ok(bot)
}

#[tokio::test]
async fn a_token_is_sealed_at_rest_and_opens_with_the_key() {
    let mut client = database().await;
    let bot = add(&mut client, "news").await.unwrap();
    let (same, opened) = bots::get_with_token(&client, bot.id, &key()).await.unwrap();
    assert_eq!((same.name.as_str(), opened.expose()), ("news", TOKEN));

    let sealed: Vec<u8> = scalar(&client, "SELECT token_sealed FROM bots").await;
    assert!(
        !sealed
            .windows(10)
            .any(|part| part == &TOKEN.as_bytes()[..10])
    );
    let log: String = scalar(&client, "SELECT details::text FROM audit_logs").await;
    assert!(!log.contains("ABC-DEF"));

    let other = EncryptionKey::new([8; 32]);
    let error = bots::get_with_token(&client, bot.id, &other)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("ENCRYPTION_KEY"), "{error}");
}

#[tokio::test]
async fn a_new_token_brings_its_identity_and_starts_a_stopped_bot() {
    let mut client = database().await;
    let bot = add(&mut client, "news").await.unwrap();
    client
        .batch_execute("UPDATE bots SET stopped_at = now(), stop_reason = '401'")
        .await
        .unwrap();

    let transaction = client.transaction().await.unwrap();
    let slower = BotPatch {
        rate_per_second: Some(10),
        ..BotPatch::default()
    };
    let stopped = bots::update(&transaction, &operator(), &key(), bot.id, slower, None)
        .await
        .unwrap();
    assert_eq!(
        (stopped.rate_per_second, stopped.telegram_id),
        (10, Some(123456))
    );
    assert!(stopped.stopped_at.is_some());
    let step = "SELECT extract(epoch FROM step)::float8 FROM limits WHERE id = 'bot/' || $1";
    let step = transaction
        .query_typed_one(
            step,
            &[(&bot.id.to_string(), tokio_postgres::types::Type::TEXT)],
        )
        .await
        .unwrap();
    assert!((step.get::<_, f64>(0) - 0.1).abs() < 0.001);

    let renewed = BotPatch {
        token: Some(token(OTHER)),
        ..BotPatch::default()
    };
    let running = bots::update(
        &transaction,
        &operator(),
        &key(),
        bot.id,
        renewed,
        Some(&identity(654321)),
    )
    .await
    .unwrap();
    assert_eq!(running.username.as_deref(), Some("bot_654321"));
    assert!(running.stopped_at.is_none() && running.stop_reason.is_none());
    transaction.commit().await.unwrap();
    let (_, opened) = bots::get_with_token(&client, bot.id, &key()).await.unwrap();
    assert_eq!(opened.expose(), OTHER);
    assert_eq!(
        audited(&client).await,
        ["BOT_CREATED", "BOT_UPDATED", "BOT_UPDATED"]
    );
}

#[tokio::test]
async fn names_are_unique_and_rates_within_bounds() {
    let mut client = database().await;
    let bot = add(&mut client, "news").await.unwrap();
    let error = add(&mut client, " news ").await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Conflict {
                code: "NAME_TAKEN",
                ..
            }
        ),
        "{error}"
    );
    let error = add(&mut client, " ").await.unwrap_err();
    assert!(matches!(error, Error::Invalid { ref field, .. } if field == "name"));

    let transaction = client.transaction().await.unwrap();
    let patch = BotPatch {
        rate_per_second: Some(0),
        ..BotPatch::default()
    };
    let error = bots::update(&transaction, &operator(), &key(), bot.id, patch, None)
        .await
        .unwrap_err();
    assert!(
        error.to_string().starts_with("ratePerSecond: is 0"),
        "{error}"
    );
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let mut client = database().await;
    for n in 0..5 {
        add(&mut client, &format!("bot {n}")).await.unwrap();
    }
    let mut names = Vec::new();
    let mut cursor = None;
    loop {
        let page = Page::parse(Some(2), cursor.as_deref()).unwrap();
        let list = bots::list(&client, page).await.unwrap();
        names.extend(list.items.into_iter().map(|bot| bot.name));
        cursor = list.pagination.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["bot 4", "bot 3", "bot 2", "bot 1", "bot 0"]);
}

//! Channels, one by one and by import.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use common::{audited, database, operator, scalar};
use serde_json::json;
use telecast_core::{
    Error,
    channels::{
        self, Channel, ChannelPatch, Filter, NewChannel,
        import::{self, Format, Importer, Report},
    },
    page::Page,
};
use tokio_postgres::Client;

async fn add(client: &mut Client, new: NewChannel) -> Result<Channel, Error> {
    let transaction = client.transaction().await.unwrap();
    let channel = channels::create(&transaction, &operator(), new).await?;
    transaction.commit().await.unwrap();
    Ok(channel)
}

fn named(name: &str) -> NewChannel {
    NewChannel {
        username: Some(name.parse().unwrap()),
        ..NewChannel::default()
    }
}

async fn update(client: &mut Client, channel: &Channel, patch: serde_json::Value) -> Channel {
    let patch: ChannelPatch = serde_json::from_value(patch).unwrap();
    let transaction = client.transaction().await.unwrap();
    let channel = channels::update(&transaction, &operator(), channel.id, patch)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    channel
}

async fn import(client: &mut Client, format: Format, text: &str) -> Report {
    let transaction = client.transaction().await.unwrap();
    let mut importer = Importer::begin(&transaction).await.unwrap();
    for line in import::read(format, text.as_bytes()).unwrap() {
        importer.push(line.unwrap()).await.unwrap();
    }
    let report = importer.finish(&operator()).await.unwrap();
    transaction.commit().await.unwrap();
    report
}

#[tokio::test]
async fn a_channel_is_here_once_by_name_and_by_chat_id() {
    let mut client = database().await;
    add(&mut client, named("News_ru")).await.unwrap();
    let private = NewChannel {
        chat_id: Some(-1001),
        ..NewChannel::default()
    };
    add(&mut client, private.clone()).await.unwrap();
    for again in [named("news_RU"), private] {
        let error = add(&mut client, again).await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::Conflict {
                    code: "CHANNEL_EXISTS",
                    ..
                }
            ),
            "{error}"
        );
    }
    let error = add(&mut client, NewChannel::default()).await.unwrap_err();
    assert!(matches!(error, Error::Invalid { ref field, .. } if field == "username"));
}

#[tokio::test]
async fn activated_again_a_channel_starts_afresh() {
    let mut client = database().await;
    let channel = add(&mut client, named("news_ru")).await.unwrap();
    let channel = update(&mut client, &channel, json!({"active": false})).await;
    assert_eq!(
        channel.inactive_reason.as_deref(),
        Some("deactivated by hand")
    );
    client
        .batch_execute("UPDATE channels SET error_count = 5")
        .await
        .unwrap();
    let channel = update(&mut client, &channel, json!({"active": true})).await;
    assert_eq!((channel.error_count, channel.inactive_reason), (0, None));
    assert_eq!(
        audited(&client).await,
        ["CHANNEL_CREATED", "CHANNEL_UPDATED", "CHANNEL_UPDATED"]
    );
}

#[tokio::test]
async fn an_opt_out_stands_until_it_is_taken_back() {
    let mut client = database().await;
    let channel = add(&mut client, named("news_ru")).await.unwrap();
    let out = update(&mut client, &channel, json!({"optedOut": true})).await;
    assert!(out.opted_out_at.is_some());
    let still = update(
        &mut client,
        &channel,
        json!({"optedOut": true, "active": true}),
    )
    .await;
    assert_eq!(still.opted_out_at, out.opted_out_at);
    let back = update(&mut client, &channel, json!({"optedOut": false})).await;
    assert!(back.opted_out_at.is_none());
}

#[tokio::test]
async fn channels_are_found_by_category_activity_and_part_of_a_name() {
    let mut client = database().await;
    for (name, title, category) in [
        ("news_ru", "Новости", "Медиа"),
        ("newsXru", "Other", "Медиа"),
        ("cooking", "Kitchen 100%", "Food"),
    ] {
        let new = NewChannel {
            title: Some(title.to_owned()),
            category: Some(category.to_owned()),
            ..named(name)
        };
        add(&mut client, new).await.unwrap();
    }
    for (filter, expected) in [
        (json!({}), 3),
        (json!({"category": "Медиа"}), 2),
        (json!({"active": false}), 0),
        (json!({"search": "@NEWS_"}), 1),
        (json!({"search": "новости"}), 1),
        (json!({"search": "0%"}), 1),
        (json!({"search": "%"}), 1),
        (json!({"category": "Медиа", "search": "kitchen"}), 0),
    ] {
        let found: Filter = serde_json::from_value(filter.clone()).unwrap();
        let list = channels::list(&client, &found, Page::default())
            .await
            .unwrap();
        assert_eq!(list.items.len(), expected, "{filter}");
    }
}

#[tokio::test]
async fn good_rows_of_an_import_land_and_bad_ones_are_named_by_line() {
    let mut client = database().await;
    let text = "category,tgstat_url,username,collected_at,chat_id,title,subscribers\n\
        Медиа,https://tgstat.ru/channel/@news_ru,@news_ru,2026-01-31,,Новости,1500\n\
        Медиа,https://tgstat.ru/channel/AAAAA,null,2026-01-31,,Закрытый,10\n\
        Food,,NEWS_RU,,,Twice,\n\
        Food,,https://t.me/+abcdef,,,Private,\n\
        Food,,https://t.me/+abcdef,,-100500,Private,\n\
        Food,,кухня,,,Cyrillic name,\n\
        Food,,cooking,,,Cooking,20\n";
    let report = import(&mut client, Format::Csv, text).await;
    assert_eq!(
        (
            report.rows,
            report.inserted,
            report.duplicates,
            report.rejected
        ),
        (7, 3, 1, 3)
    );
    assert_eq!(report.duplicate_lines, [4]);
    let rejected: Vec<u64> = report.rejected_lines.iter().map(|bad| bad.line).collect();
    assert_eq!(rejected, [3, 5, 7]);
    assert!(report.rejected_lines[1].message.contains("private"));

    let news = Filter {
        search: Some("news_ru".to_owned()),
        ..Filter::default()
    };
    let list = channels::list(&client, &news, Page::default())
        .await
        .unwrap();
    let channel = &list.items[0];
    assert_eq!(channel.title.as_deref(), Some("Новости"));
    assert_eq!(channel.metadata, json!({"subscribers": "1500"}));
    assert_eq!(audited(&client).await, ["CHANNELS_IMPORTED"]);
}

#[tokio::test]
async fn an_import_teaches_known_channels_and_never_revives_one() {
    let mut client = database().await;
    let first = "{\"username\":\"news_ru\",\"title\":\"Old\",\"lang\":\"ru\"}\n{\"chat_id\":-1001}\n{\"username\":\"same_one\"}";
    import(&mut client, Format::Jsonl, first).await;
    client
        .batch_execute("UPDATE channels SET active = false, opted_out_at = now()")
        .await
        .unwrap();
    let second = "{\"username\":\"News_RU\",\"title\":\"New\",\"size\":5}\n{\"chat_id\":-1001,\"title\":\"Private\"}\n{\"username\":\"same_one\"}\n{\"username\":\"new_one\"}";
    let report = import(&mut client, Format::Jsonl, second).await;
    assert_eq!(
        (report.inserted, report.updated, report.unchanged),
        (1, 2, 1)
    );
    let metadata: serde_json::Value =
        scalar(&client, "SELECT metadata FROM channels WHERE title = 'New' AND NOT active AND opted_out_at IS NOT NULL").await;
    assert_eq!(metadata, json!({"lang": "ru", "size": 5}));
}

#[tokio::test]
async fn an_import_is_counted_over_many_chunks() {
    let mut client = database().await;
    let rows = 2500;
    let text: String = (0..rows)
        .map(|n| format!("{{\"username\":\"name_{n}\"}}\n"))
        .collect();
    assert_eq!(
        import(&mut client, Format::Jsonl, &text).await.inserted,
        rows
    );
    assert_eq!(
        import(&mut client, Format::Jsonl, &text).await.unchanged,
        rows
    );
    assert_eq!(
        scalar::<i64>(&client, "SELECT count(*) FROM channels").await,
        2500
    );
}

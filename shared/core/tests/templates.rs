//! Templates: checked when saved, kept in every version, filled in for a channel.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use common::{audited, database, operator};
use serde_json::{Value, json};
use telecast_core::{
    Error,
    page::Page,
    templates::{self, Chat, Content, Recipient, Template},
};
use tokio_postgres::Client;
use uuid::Uuid;

async fn create(client: &mut Client, new: Value) -> Result<Template, Error> {
    let transaction = client.transaction().await.unwrap();
    let new = serde_json::from_value(new).unwrap();
    let template = templates::create(&transaction, &operator(), new).await?;
    transaction.commit().await.unwrap();
    Ok(template)
}

async fn update(client: &mut Client, id: Uuid, patch: Value) -> Result<Template, Error> {
    let transaction = client.transaction().await.unwrap();
    let patch = serde_json::from_value(patch).unwrap();
    let template = templates::update(&transaction, &operator(), id, patch).await?;
    transaction.commit().await.unwrap();
    Ok(template)
}

#[tokio::test]
async fn every_change_of_content_makes_a_version_and_a_new_name_does_not() {
    let mut client = database().await;
    let new = json!({
        "name": "news", "text": "<b>{{title}}</b>", "parseMode": "HTML",
        "media": {"kind": "PHOTO", "source": "https://example.com/{{params.photo}}.jpg"},
        "options": {"buttons": [[{"text": "Open", "url": "https://example.com"}]], "disableNotification": true},
    });
    let template = create(&mut client, new).await.unwrap();
    assert_eq!(template.version, 1);
    let renamed = update(&mut client, template.id, json!({"name": "news 2"}))
        .await
        .unwrap();
    assert_eq!((renamed.version, renamed.name.as_str()), (1, "news 2"));
    let plain = update(
        &mut client,
        template.id,
        json!({"text": "Hi {{title}}", "media": null}),
    )
    .await
    .unwrap();
    assert_eq!((plain.version, &plain.content.media), (2, &None));
    assert_eq!(plain.content.options, template.content.options);

    let versions = templates::versions(&client, template.id).await.unwrap();
    assert_eq!(
        versions.iter().map(|v| v.version).collect::<Vec<_>>(),
        [2, 1]
    );
    let first = templates::get_version(&client, template.id, 1)
        .await
        .unwrap();
    assert_eq!(first.content, template.content);
    let list = templates::list(&client, Page::default()).await.unwrap();
    assert_eq!(list.items[0].content.text, "Hi {{title}}");
    assert_eq!(
        audited(&client).await,
        ["TEMPLATE_CREATED", "TEMPLATE_UPDATED", "TEMPLATE_UPDATED"]
    );
}

#[tokio::test]
async fn what_telegram_would_refuse_is_refused_when_saved_with_its_place() {
    let mut client = database().await;
    let button = |text: &str, url: &str| json!({"name": "t", "text": "x", "options": {"buttons": [[{"text": text, "url": url}]]}});
    for (new, expected) in [
        (json!({"name": "t"}), "text: must not be empty"),
        (
            json!({"name": "t", "text": "{{title}}\nthis is <b>bold", "parseMode": "HTML"}),
            "text: line 2, column 9",
        ),
        (
            json!({"name": "t", "text": "{{title}} <blink>x</blink>", "parseMode": "HTML"}),
            "text: line 1, column 11",
        ),
        (
            json!({"name": "t", "text": "{{title}} is 1.5", "parseMode": "MARKDOWN_V2"}),
            "text: line 1, column 15",
        ),
        (
            json!({"name": "t", "text": "x".repeat(4097)}),
            "text: has 4097 characters",
        ),
        (
            json!({"name": "t", "text": "x".repeat(1025), "media": {"kind": "PHOTO", "source": "AgACfile"}}),
            "text: has 1025 characters",
        ),
        (
            json!({"name": "t", "text": "Hi\n {{name}}"}),
            "text: line 2, column 4: unknown placeholder {{name}}",
        ),
        (json!({"name": "t", "text": "Hi {{title"}), "text: line 1"),
        (json!({"name": " ", "text": "Hi"}), "name: must have"),
        (
            json!({"name": "t", "text": "x", "options": {"messageThreadId": 0}}),
            "options.messageThreadId: must be the positive id",
        ),
        (
            json!({"name": "t", "text": "x", "options": {"linkPreview": {"url": "example.com"}}}),
            "options.linkPreview.url: must begin with http",
        ),
        (
            json!({"name": "t", "text": "x", "options": {"linkPreview": {"preferSmallMedia": true, "preferLargeMedia": true}}}),
            "options.linkPreview: must prefer",
        ),
        (
            json!({"name": "t", "media": {"kind": "PHOTO", "source": "AgACfile"}, "options": {"linkPreview": {"disabled": true}}}),
            "options.linkPreview: must be absent",
        ),
        (
            button("", "https://example.com"),
            "options.buttons[0][0].text: must not be empty",
        ),
        (
            button("x", "javascript:alert(1)"),
            "options.buttons[0][0].url: must begin with",
        ),
        (
            button("{{usr}}", "https://example.com"),
            "options.buttons[0][0].text: line 1, column 3: unknown placeholder",
        ),
        (
            json!({"name": "t", "text": "x", "options": {"buttons": [[]]}}),
            "options.buttons[0]: must have 1 to 8",
        ),
        (
            json!({"name": "t", "media": {"kind": "PHOTO", "source": "ftp://example.com"}}),
            "media.source: must begin with",
        ),
    ] {
        let error = create(&mut client, new.clone())
            .await
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(expected), "{new}: {error}");
    }
    assert!(audited(&client).await.is_empty());
}

#[test]
fn a_message_is_ready_to_be_sent_with_its_values_escaped() {
    let content: Content = serde_json::from_value(json!({
        "text": "<b>{{title}}</b> <a href=\"https://t.me/{{username}}\">{{params.note}}</a>", "parseMode": "HTML",
        "media": {"kind": "PHOTO", "source": "https://example.com/{{params.photo}}.jpg"},
        "options": {"buttons": [[{"text": "{{title}}", "url": "https://example.com/{{username}}"}]], "protectContent": true},
    }))
    .unwrap();
    let params = json!({"note": "1 < 2", "photo": 7});
    let message =
        templates::render(&content, &recipient("R&D"), params.as_object().unwrap()).unwrap();
    assert_eq!(
        message.parameters(&Chat::Id(-1001)),
        json!({
            "chat_id": -1001,
            "photo": "https://example.com/7.jpg",
            "caption": "<b>R&amp;D</b> <a href=\"https://t.me/news_ru\">1 &lt; 2</a>",
            "parse_mode": "HTML",
            "reply_markup": {"inline_keyboard": [[{"text": "R&D", "url": "https://example.com/news_ru"}]]},
            "protect_content": true,
        })
    );
}

#[test]
fn a_text_too_long_or_empty_once_filled_in_is_not_sent() {
    let refusal = |content: serde_json::Value, title: &str| {
        let content: Content = serde_json::from_value(content).unwrap();
        templates::render(&content, &recipient(title), &serde_json::Map::new())
            .unwrap_err()
            .to_string()
    };
    let plain = json!({"text": "{{title}}"});
    assert_eq!(
        refusal(plain.clone(), &"ж".repeat(4097)),
        "text: has 4097 characters; Telegram takes 4096"
    );
    let empty = "text: is empty once its placeholders are filled in";
    assert_eq!(refusal(plain, " "), empty);
    // Markup around nothing.
    let bold = json!({"text": "<b>{{title}}</b>", "parseMode": "HTML"});
    assert_eq!(refusal(bold, ""), empty);
}

fn recipient(title: &str) -> Recipient {
    Recipient {
        chat: Chat::Id(-1001),
        username: Some("news_ru".to_owned()),
        title: Some(title.to_owned()),
        category: None,
    }
}

#[tokio::test]
async fn params_are_checked_against_the_template() {
    let mut client = database().await;
    let new = json!({"name": "t", "text": "{{params.price}} {{params.note | default('')}}"});
    let content = create(&mut client, new).await.unwrap().content;
    let checked = |params: Value| {
        templates::check_params(&content, params.as_object().unwrap())
            .map_err(|error| error.to_string())
    };
    assert_eq!(checked(json!({"price": 5})), Ok(()));
    assert!(
        checked(json!({}))
            .unwrap_err()
            .contains("no value is given for params.price")
    );
    assert!(
        checked(json!({"price": [5]}))
            .unwrap_err()
            .starts_with("params.price: must be a text")
    );
}

#[tokio::test]
async fn a_template_is_deleted_with_its_versions() {
    let mut client = database().await;
    let template = create(&mut client, json!({"name": "t", "text": "x"}))
        .await
        .unwrap();
    let transaction = client.transaction().await.unwrap();
    templates::delete(&transaction, &operator(), template.id)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert!(matches!(
        templates::get(&client, template.id).await,
        Err(Error::NotFound { .. })
    ));
    assert!(matches!(
        templates::versions(&client, template.id).await,
        Err(Error::NotFound { .. })
    ));
}

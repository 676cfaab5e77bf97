//! A template, filled in for a recipient with any name: what can be filled in is a message
//! that Telegram takes, and a template that passed its check never fails for its syntax.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use telecast_core::templates::{Content, Recipient, check, fill};
use telecast_telegram::text::{MAX_TEXT, validate};

fuzz_target!(|input: (&str, &str, u8)| {
    let (text, title, mode) = input;
    let mode = ["NONE", "HTML", "MARKDOWN_V2"][usize::from(mode % 3)];
    let content = json!({"text": text, "parseMode": mode});
    let Ok(content) = serde_json::from_value::<Content>(content) else {
        return;
    };
    let recipient = json!({"chat": "@news", "username": "news", "title": title, "category": null});
    let recipient: Recipient = serde_json::from_value(recipient).expect("a sound recipient");
    let params = Map::from_iter([("offer".to_owned(), Value::from(title))]);
    let _checked = check(&content);
    if let Ok(filled) = fill(&content, &recipient, &params) {
        let length = validate(&filled.text, filled.parse_mode.into());
        assert!(length.is_ok_and(|length| (1..=MAX_TEXT).contains(&length)));
    }
});

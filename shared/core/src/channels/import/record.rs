//! One row of an import: from fields as they were written to a channel.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};
use serde_json::{Map, Value};

use crate::channels::{BadUsername, NewChannel, Username};

/// The longest text of a field, in characters.
const LONGEST: usize = 1000;

/// PostgreSQL keeps no such text.
const NUL: &str = "must not hold the character U+0000";

/// Why a row does not land.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// The field at fault; none when it is the row as a whole.
    pub field: Option<String>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl BadRow {
    pub(super) fn row(message: impl Into<String>) -> Self {
        Self {
            field: None,
            message: message.into(),
        }
    }

    fn field(field: &str, message: impl Into<String>) -> Self {
        Self {
            field: Some(field.to_owned()),
            message: message.into(),
        }
    }
}

/// Reads the known fields, and keeps the others as metadata.
pub(super) fn channel(fields: Map<String, Value>) -> Result<NewChannel, BadRow> {
    let mut channel = NewChannel::default();
    let mut username = None;
    for (name, value) in fields {
        let name = name.as_str();
        match name {
            "username" => username = text(name, value)?,
            "chat_id" => channel.chat_id = chat_id(value)?,
            "title" => channel.title = text(name, value)?,
            "category" => channel.category = text(name, value)?,
            "tgstat_url" => channel.tgstat_url = url(value)?,
            "collected_at" => channel.collected_at = time(value)?,
            _ => {
                if name.contains('\0') || holds_nul(&value) {
                    return Err(BadRow::row(NUL));
                }
                if !is_absent(&value) {
                    channel.metadata.insert(name.to_owned(), value);
                }
            }
        }
    }
    channel.username = match username {
        Some(text) => match text.parse() {
            Ok(name) => Some(name),
            // A private channel can still be reached by its chat id.
            Err(BadUsername::Private) if channel.chat_id.is_some() => None,
            Err(error) => return Err(BadRow::field("username", error.to_string())),
        },
        None => channel.tgstat_url.as_deref().and_then(name_in_tgstat_url),
    };
    if channel.username.is_none() && channel.chat_id.is_none() {
        return Err(BadRow::field(
            "username",
            "is absent, and so is chat_id; a channel needs one of them",
        ));
    }
    Ok(channel)
}

/// TGStat's pages of public channels end in /@name.
fn name_in_tgstat_url(url: &str) -> Option<Username> {
    let (_, name) = url.split_once("/@")?;
    name.split(['/', '?', '#']).next()?.parse().ok()
}

/// Ways in which exports write "nothing".
fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => {
            let text = text.trim();
            text.is_empty()
                || ["null", "none", "nan", "n/a", "-"]
                    .iter()
                    .any(|word| text.eq_ignore_ascii_case(word))
        }
        _ => false,
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn text(field: &str, value: Value) -> Result<Option<String>, BadRow> {
    if is_absent(&value) {
        return Ok(None);
    }
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return Err(BadRow::field(field, "must be a text")),
    };
    if text.chars().count() > LONGEST {
        let message = format!("must have at most {LONGEST} characters");
        return Err(BadRow::field(field, message));
    }
    if text.contains('\0') {
        return Err(BadRow::field(field, NUL));
    }
    Ok(Some(text))
}

fn chat_id(value: Value) -> Result<Option<i64>, BadRow> {
    let Some(text) = text("chat_id", value)? else {
        return Ok(None);
    };
    match text.parse() {
        Ok(0) | Err(_) => Err(BadRow::field(
            "chat_id",
            "must be a whole number other than 0, such as -1001234567890",
        )),
        Ok(id) => Ok(Some(id)),
    }
}

fn url(value: Value) -> Result<Option<String>, BadRow> {
    let url = text("tgstat_url", value)?;
    match &url {
        Some(url) if !url.starts_with("https://") && !url.starts_with("http://") => Err(
            BadRow::field("tgstat_url", "must begin with https:// or http://"),
        ),
        _ => Ok(url),
    }
}

fn time(value: Value) -> Result<Option<DateTime<Utc>>, BadRow> {
    let Some(text) = text("collected_at", value)? else {
        return Ok(None);
    };
    let with_offset = DateTime::parse_from_rfc3339(&text)
        .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f%#z"))
        .map(|time| time.to_utc());
    let without = || {
        [
            "%Y-%m-%dT%H:%M:%S%.f",
            "%Y-%m-%d %H:%M:%S%.f",
            "%Y-%m-%d %H:%M",
        ]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())
    };
    let day = || {
        let day = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?;
        day.and_hms_opt(0, 0, 0)
    };
    with_offset
        .ok()
        .or_else(|| without().or_else(day).map(|time| time.and_utc()))
        .filter(|time| (1..=9999).contains(&time.year()))
        .map(Some)
        .ok_or_else(|| {
            BadRow::field(
                "collected_at",
                "must be a time such as 2026-01-31T12:00:00Z, or a day such as 2026-01-31",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(fields: Value) -> Result<NewChannel, String> {
        let fields = fields.as_object().cloned().unwrap_or_default();
        channel(fields).map_err(|bad| format!("{}: {}", bad.field.unwrap_or_default(), bad.message))
    }

    #[test]
    fn known_fields_are_read_and_others_become_metadata() {
        let channel = read(json!({
            "username": "@news_ru", "chat_id": "-1001", "title": " Новости ", "category": "Медиа",
            "tgstat_url": "https://tgstat.ru/channel/@news_ru", "collected_at": "2026-01-31 12:00:00",
            "subscribers": 15, "note": "null",
        }))
        .unwrap();
        assert_eq!(channel.username.unwrap().as_str(), "news_ru");
        assert_eq!(channel.chat_id, Some(-1001));
        assert_eq!(channel.title.as_deref(), Some("Новости"));
        assert_eq!(
            channel.collected_at.unwrap().to_rfc3339(),
            "2026-01-31T12:00:00+00:00"
        );
        assert_eq!(Value::Object(channel.metadata), json!({"subscribers": 15}));
    }

    #[test]
    fn an_absent_username_is_sought_in_the_tgstat_url() {
        let channel = read(
            json!({"username": null, "tgstat_url": "https://tgstat.ru/en/channel/@durov_x/stat"}),
        );
        assert_eq!(channel.unwrap().username.unwrap().as_str(), "durov_x");
    }

    #[test]
    fn a_row_that_names_no_channel_is_bad() {
        for nothing in [json!(null), json!(""), json!("NULL"), json!("nan")] {
            let error = read(
                json!({"username": nothing, "tgstat_url": "https://tgstat.ru/channel/AAAAAE"}),
            );
            assert!(error.unwrap_err().starts_with("username: is absent"));
        }
    }

    #[test]
    fn a_private_link_needs_a_chat_id() {
        let link = "https://t.me/+AbCdEf123";
        assert!(
            read(json!({"username": link}))
                .unwrap_err()
                .contains("private")
        );
        let channel = read(json!({"username": link, "chat_id": -100123})).unwrap();
        assert_eq!((channel.username, channel.chat_id), (None, Some(-100123)));
    }

    #[test]
    fn a_bad_field_is_named() {
        for (field, value) in [
            ("chat_id", json!("12x")),
            ("chat_id", json!(1.5)),
            ("collected_at", json!("yesterday")),
            ("collected_at", json!("-5000-01-01T00:00:00Z")),
            ("tgstat_url", json!("javascript:alert(1)")),
            ("title", json!({"a": 1})),
            ("category", json!("x".repeat(1001))),
        ] {
            let mut fields = json!({"username": "good_name"});
            fields[field] = value;
            assert!(read(fields).unwrap_err().starts_with(field), "{field}");
        }
    }

    #[test]
    fn a_text_that_cannot_be_kept_is_bad_wherever_it_stands() {
        for (name, value) in [
            ("title", json!("a\0b")),
            ("extra", json!([{"deep": "\0"}])),
            ("extra", json!({"\0": 1})),
            ("\0", json!(1)),
        ] {
            let fields = json!({"username": "good_name", name: value});
            assert!(read(fields).unwrap_err().contains("U+0000"), "{name}");
        }
    }

    #[test]
    fn times_are_read_in_usual_forms() {
        for text in [
            "2026-01-31",
            "2026-01-31T00:00:00Z",
            "2026-01-31T03:00:00+03:00",
            "2026-01-31 00:00:00.000+00",
            "2026-01-31T00:00:00.5",
        ] {
            let channel = read(json!({"username": "good_name", "collected_at": text})).unwrap();
            assert_eq!(
                channel.collected_at.unwrap().date_naive().to_string(),
                "2026-01-31",
                "{text}"
            );
        }
    }
}

//! Channels written as an import reads them.

use serde_json::{Map, Value, json};

use super::{Channel, import::Format};

/// The columns of a CSV; extra fields are in JSONL alone.
const COLUMNS: [&str; 6] = [
    "username",
    "chat_id",
    "title",
    "category",
    "tgstat_url",
    "collected_at",
];

/// What stands before the first row.
pub fn header(format: Format) -> String {
    match format {
        Format::Csv => csv_line(COLUMNS),
        Format::Jsonl => String::new(),
    }
}

/// One row, with its line end.
pub fn row(format: Format, channel: &Channel) -> String {
    match format {
        Format::Csv => csv_line(fields(channel).map(|value| match value {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        })),
        Format::Jsonl => {
            let mut object: Map<String, Value> = match &channel.metadata {
                Value::Object(extra) => extra.clone(),
                _ => Map::new(),
            };
            let known = COLUMNS.map(str::to_owned).into_iter().zip(fields(channel));
            object.extend(known.filter(|(_, value)| !value.is_null()));
            format!("{}\n", Value::Object(object))
        }
    }
}

fn fields(channel: &Channel) -> [Value; 6] {
    [
        json!(channel.username),
        json!(channel.chat_id),
        json!(channel.title),
        json!(channel.category),
        json!(channel.tgstat_url),
        json!(channel.collected_at),
    ]
}

/// A line of CSV, with its end. Fields are quoted where they must be.
pub(crate) fn csv_line<T: AsRef<str>, const N: usize>(fields: [T; N]) -> String {
    let quoted = fields.map(|field| {
        let field = field.as_ref();
        if field.contains([',', '"', '\n', '\r', ';', '\t']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.to_owned()
        }
    });
    format!("{}\n", quoted.join(","))
}

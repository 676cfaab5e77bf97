//! From an HTTP answer to what it means.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::{Failure, FailureKind};

/// The Bot API's envelope.
#[derive(Debug, Deserialize)]
struct Envelope {
    ok: bool,
    result: Option<Value>,
    error_code: Option<u16>,
    description: Option<String>,
    parameters: Option<Parameters>,
}

#[derive(Debug, Default, Deserialize)]
struct Parameters {
    migrate_to_chat_id: Option<i64>,
    retry_after: Option<u64>,
}

/// A wait that Telegram asked for without saying how long.
const UNSAID_WAIT: Duration = Duration::from_secs(30);

/// The longest wait that is believed. A larger number is nobody's wish, and neither a clock
/// nor PostgreSQL could count it.
const LONGEST_WAIT: Duration = Duration::from_secs(7 * 86_400);

/// Refusals by their text, in lower case. The Bot API's wording first, then the
/// names of the protocol beneath it, which come through now and then. The first
/// that matches counts.
const BY_TEXT: &[(&str, FailureKind)] = &[
    ("user_deactivated_ban", FailureKind::BotDead),
    ("bot was kicked", FailureKind::ChannelGone),
    ("bot is not a member", FailureKind::ChannelGone),
    ("bot was blocked", FailureKind::ChannelGone),
    ("user is deactivated", FailureKind::ChannelGone),
    ("group chat was deactivated", FailureKind::ChannelGone),
    ("chat was deleted", FailureKind::ChannelGone),
    ("chat_deactivated", FailureKind::ChannelGone),
    ("channel_private", FailureKind::ChannelGone),
    ("user_is_blocked", FailureKind::ChannelGone),
    ("input_user_deactivated", FailureKind::ChannelGone),
    ("need administrator rights", FailureKind::ChannelRights),
    ("not enough rights", FailureKind::ChannelRights),
    ("have no write access", FailureKind::ChannelRights),
    ("have no rights to send", FailureKind::ChannelRights),
    ("chat_write_forbidden", FailureKind::ChannelRights),
    ("chat_admin_required", FailureKind::ChannelRights),
    ("chat_restricted", FailureKind::ChannelRights),
    ("user_banned_in_channel", FailureKind::ChannelRights),
    ("topic_closed", FailureKind::ChannelRights),
    ("chat not found", FailureKind::ChannelUnsure),
    ("peer_id_invalid", FailureKind::ChannelUnsure),
    ("chat_id_invalid", FailureKind::ChannelUnsure),
    ("channel_invalid", FailureKind::ChannelUnsure),
    ("username_invalid", FailureKind::ChannelUnsure),
    ("username_not_occupied", FailureKind::ChannelUnsure),
    ("can't parse entities", FailureKind::MessageBad),
    ("can't find end of", FailureKind::MessageBad),
    ("message is too long", FailureKind::MessageBad),
    ("caption is too long", FailureKind::MessageBad),
    ("text is too long", FailureKind::MessageBad),
    ("text is empty", FailureKind::MessageBad),
    ("text must be non-empty", FailureKind::MessageBad),
    ("message_empty", FailureKind::MessageBad),
    ("message_too_long", FailureKind::MessageBad),
    ("media_caption_too_long", FailureKind::MessageBad),
    ("entity_bounds_invalid", FailureKind::MessageBad),
    ("wrong file identifier", FailureKind::MessageBad),
    ("wrong remote file", FailureKind::MessageBad),
    ("failed to get http url content", FailureKind::MessageBad),
    (
        "wrong type of the web page content",
        FailureKind::MessageBad,
    ),
    ("wrong http url", FailureKind::MessageBad),
    ("webpage_", FailureKind::MessageBad),
    ("photo_invalid_dimensions", FailureKind::MessageBad),
    ("button_url_invalid", FailureKind::MessageBad),
    ("button_type_invalid", FailureKind::MessageBad),
    ("button url", FailureKind::MessageBad),
    ("can't parse inline keyboard", FailureKind::MessageBad),
    ("reply_markup", FailureKind::MessageBad),
];

/// What an HTTP answer of the Bot API means: the result, or a failure of a known
/// kind. Looks at the envelope's parameters first, then at the Retry-After header
/// (`retry_after`, seconds), then at the code, then at the text.
///
/// # Errors
/// A [`Failure`] for everything but a result.
pub fn classify(status: u16, retry_after: Option<u64>, body: &str) -> Result<Value, Failure> {
    let Some(envelope) = envelope(body) else {
        return Err(without_envelope(status, retry_after));
    };
    let description = envelope.description.unwrap_or_default();
    if envelope.ok {
        return envelope.result.ok_or_else(|| Failure {
            kind: FailureKind::Uncertain,
            description: "Telegram answered ok without a result".to_owned(),
        });
    }
    let code = envelope.error_code.unwrap_or(status);
    let parameters = envelope.parameters.unwrap_or_default();
    let text = description.to_lowercase();
    // Accepted, and removed before the answer: it was sent.
    if text.contains("sent message was immediately deleted") {
        return Ok(Value::Null);
    }
    let kind = kind(code, &parameters, retry_after, &text);
    Err(Failure { kind, description })
}

/// A list is none, though serde would take its items for the fields.
fn envelope(body: &str) -> Option<Envelope> {
    let is_object = body.trim_start().starts_with('{');
    serde_json::from_str(body).ok().filter(|_| is_object)
}

fn kind(code: u16, parameters: &Parameters, header: Option<u64>, text: &str) -> FailureKind {
    if let Some(chat_id) = parameters.migrate_to_chat_id {
        return FailureKind::Moved { chat_id };
    }
    if let Some(seconds) = number_after(text, "slowmode_wait_") {
        return FailureKind::WaitChat(wait(seconds));
    }
    let asked = parameters
        .retry_after
        .or(header.filter(|_| code == 429))
        .or_else(|| number_after(text, "flood_wait_"))
        .or_else(|| number_after(text, "retry after "));
    if let Some(seconds) = asked {
        return FailureKind::Wait(wait(seconds));
    }
    match code {
        // Not a wait: the bot is restricted for spam, under whatever code.
        400..500 if text.contains("peer_flood") => FailureKind::BotDead,
        429 | 420 => FailureKind::Wait(UNSAID_WAIT),
        401 | 404 => FailureKind::BotDead,
        500.. => FailureKind::Transient,
        _ => BY_TEXT
            .iter()
            .find(|(part, _)| text.contains(part))
            .map_or(FailureKind::Refused, |(_, kind)| *kind),
    }
}

/// A proxy's page, or half an answer.
fn without_envelope(status: u16, retry_after: Option<u64>) -> Failure {
    let kind = match status {
        // It may well have been accepted.
        200..=299 => FailureKind::Uncertain,
        429 => FailureKind::Wait(retry_after.map_or(UNSAID_WAIT, wait)),
        401 | 404 => FailureKind::BotDead,
        500.. => FailureKind::Transient,
        _ => FailureKind::Refused,
    };
    Failure {
        kind,
        description: format!("HTTP {status} without Telegram's JSON"),
    }
}

fn wait(seconds: u64) -> Duration {
    Duration::from_secs(seconds).min(LONGEST_WAIT)
}

fn number_after(text: &str, marker: &str) -> Option<u64> {
    let (_, rest) = text.split_once(marker)?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    rest[..digits].parse().ok()
}

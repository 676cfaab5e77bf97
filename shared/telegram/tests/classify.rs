//! What each answer of Telegram means: one test for each row of the table of
//! outcomes, with bodies in the exact form that the Bot API sends.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::time::Duration;

use telecast_telegram::{FailureKind, classify};

/// A refusal with this code and description.
fn refusal(code: u16, description: &str) -> FailureKind {
    let body = format!(r#"{{"ok":false,"error_code":{code},"description":"{description}"}}"#);
    classify(code, None, &body).unwrap_err().kind
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn an_accepted_message_is_sent() {
    let body = r#"{"ok":true,"result":{"message_id":42,"chat":{"id":-1001,"title":"News","type":"channel"},"date":1700000000,"text":"hi"}}"#;
    assert_eq!(classify(200, None, body).unwrap()["message_id"], 42);
}

#[test]
fn a_message_that_was_deleted_at_once_was_sent() {
    let body = r#"{"ok":false,"error_code":500,"description":"Internal Server Error: sent message was immediately deleted from the chat"}"#;
    assert!(classify(500, None, body).unwrap().is_null());
}

#[test]
fn a_group_that_became_a_supergroup_has_moved() {
    let body = r#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1001234567890}}"#;
    assert_eq!(
        classify(400, None, body).unwrap_err().kind,
        FailureKind::Moved {
            chat_id: -1001234567890
        }
    );
}

#[test]
fn a_wait_is_read_from_the_parameters_then_the_header_then_the_text() {
    let body = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":17}}"#;
    let wait = |header, body| classify(429, header, body).unwrap_err().kind;
    assert_eq!(wait(Some(9), body), FailureKind::Wait(seconds(17)));
    let body = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35"}"#;
    assert_eq!(wait(Some(9), body), FailureKind::Wait(seconds(9)));
    assert_eq!(wait(None, body), FailureKind::Wait(seconds(35)));
    assert_eq!(
        wait(Some(4), "<html>busy</html>"),
        FailureKind::Wait(seconds(4))
    );
    assert_eq!(wait(None, ""), FailureKind::Wait(seconds(30)));
}

#[test]
fn the_protocols_own_flood_wait_is_a_wait() {
    assert_eq!(
        refusal(420, "FLOOD_WAIT_17"),
        FailureKind::Wait(seconds(17))
    );
    assert_eq!(
        refusal(400, "Bad Request: FLOOD_WAIT_3"),
        FailureKind::Wait(seconds(3))
    );
}

#[test]
fn slow_mode_concerns_one_chat() {
    assert_eq!(
        refusal(400, "Bad Request: SLOWMODE_WAIT_5"),
        FailureKind::WaitChat(seconds(5))
    );
    let body = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: SLOWMODE_WAIT_8","parameters":{"retry_after":8}}"#;
    assert_eq!(
        classify(429, None, body).unwrap_err().kind,
        FailureKind::WaitChat(seconds(8))
    );
}

#[test]
fn a_chat_that_is_closed_to_the_bot_is_gone() {
    for (code, description) in [
        (403, "Forbidden: bot was kicked from the channel chat"),
        (403, "Forbidden: bot was kicked from the supergroup chat"),
        (403, "Forbidden: bot is not a member of the channel chat"),
        (403, "Forbidden: bot was blocked by the user"),
        (403, "Forbidden: user is deactivated"),
        (403, "Forbidden: the group chat was deleted"),
        (400, "Bad Request: group chat was deactivated"),
        (400, "Bad Request: CHANNEL_PRIVATE"),
        (403, "FORBIDDEN: BOT WAS KICKED FROM THE CHANNEL CHAT"),
    ] {
        assert_eq!(
            refusal(code, description),
            FailureKind::ChannelGone,
            "{description}"
        );
    }
}

#[test]
fn a_missing_right_is_the_channels_to_grant() {
    for (code, description) in [
        (
            400,
            "Bad Request: need administrator rights in the channel chat",
        ),
        (400, "Bad Request: have no write access to the chat"),
        (
            400,
            "Bad Request: not enough rights to send text messages to the chat",
        ),
        (403, "Forbidden: CHAT_WRITE_FORBIDDEN"),
        (400, "Bad Request: USER_BANNED_IN_CHANNEL"),
        (400, "Bad Request: CHAT_ADMIN_REQUIRED"),
    ] {
        assert_eq!(
            refusal(code, description),
            FailureKind::ChannelRights,
            "{description}"
        );
    }
}

#[test]
fn a_chat_that_is_not_found_may_be_wrong_or_hidden() {
    for description in [
        "Bad Request: chat not found",
        "Bad Request: PEER_ID_INVALID",
        "Bad Request: CHAT_ID_INVALID",
    ] {
        assert_eq!(
            refusal(400, description),
            FailureKind::ChannelUnsure,
            "{description}"
        );
    }
}

#[test]
fn a_message_that_is_refused_would_fail_everywhere() {
    for description in [
        "Bad Request: can't parse entities: Can't find end tag corresponding to start tag b",
        "Bad Request: message is too long",
        "Bad Request: message caption is too long",
        "Bad Request: message text is empty",
        "Bad Request: wrong file identifier/HTTP URL specified",
        "Bad Request: wrong remote file identifier specified: Wrong character in the string",
        "Bad Request: BUTTON_URL_INVALID",
    ] {
        assert_eq!(
            refusal(400, description),
            FailureKind::MessageBad,
            "{description}"
        );
    }
}

#[test]
fn a_bot_that_is_refused_is_dead() {
    assert_eq!(refusal(401, "Unauthorized"), FailureKind::BotDead);
    assert_eq!(refusal(404, "Not Found"), FailureKind::BotDead);
    for code in [400, 403, 429] {
        assert_eq!(
            refusal(code, "Bad Request: PEER_FLOOD"),
            FailureKind::BotDead
        );
    }
}

#[test]
fn a_server_error_is_transient_whatever_its_body() {
    assert_eq!(
        refusal(500, "Internal Server Error"),
        FailureKind::Transient
    );
    assert_eq!(refusal(502, "Bad Gateway"), FailureKind::Transient);
    let page = "<html><head><title>502 Bad Gateway</title></head></html>";
    assert_eq!(
        classify(502, None, page).unwrap_err().kind,
        FailureKind::Transient
    );
}

#[test]
fn an_acceptance_that_cannot_be_read_is_uncertain() {
    for body in ["", "<html></html>", r#"{"ok":tr"#, r#"{"ok":true}"#] {
        assert_eq!(
            classify(200, None, body).unwrap_err().kind,
            FailureKind::Uncertain,
            "{body}"
        );
    }
}

#[test]
fn an_unknown_refusal_is_permanent_for_its_message() {
    assert_eq!(
        refusal(400, "Bad Request: something new"),
        FailureKind::Refused
    );
    assert_eq!(refusal(403, "Forbidden"), FailureKind::Refused);
}

#[test]
fn a_wait_that_no_clock_can_count_is_a_week() {
    let week = seconds(7 * 86_400);
    let body = format!(
        r#"{{"ok":false,"error_code":429,"parameters":{{"retry_after":{}}}}}"#,
        u64::MAX
    );
    let told = classify(429, None, &body).unwrap_err().kind;
    assert_eq!(told, FailureKind::Wait(week));
    let told = classify(429, Some(u64::MAX), "<html>").unwrap_err().kind;
    assert_eq!(told, FailureKind::Wait(week));
    let slow = refusal(400, "Bad Request: SLOWMODE_WAIT_18446744073709551615");
    assert_eq!(slow, FailureKind::WaitChat(week));
}

#[test]
fn a_list_is_no_answer_of_telegram() {
    let list = r#"[true, {"message_id": 1}, null, null, null]"#;
    let kind = classify(200, None, list).unwrap_err().kind;
    assert_eq!(kind, FailureKind::Uncertain);
}

//! The client's check of a text against the simulator's parser: what the client lets
//! through, the simulator must accept, with the length that the client foresaw.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use proptest::prelude::*;
use telecast_telegram::{ParseMode, text};
use telecast_telegram_sim::visible_text;

fn name(mode: ParseMode) -> &'static str {
    match mode {
        ParseMode::None => "",
        ParseMode::Html => "HTML",
        ParseMode::MarkdownV2 => "MarkdownV2",
    }
}

/// Texts made of pieces that mean something in either mode.
fn marked_up() -> impl Strategy<Value = String> {
    let pieces = [
        "*",
        "_",
        "__",
        "~",
        "||",
        "`",
        "```",
        "[",
        "](u)",
        "](tg://emoji?id=5)",
        "]",
        "(",
        ")",
        "\\",
        "\n",
        "\n>",
        "||\n",
        "\r",
        ">",
        "!",
        "a",
        "ж",
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<",
        "&",
        "&lt;",
        "&#65;",
        "&#x0;",
        "&#0;",
        "<a href=\"x>y\">",
        "</a>",
        "<code>",
        "</code>",
        "\"",
        " ",
        "<B>",
        "</B>",
        "<br/>",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn what_the_client_lets_through_is_accepted(text in marked_up()) {
        for mode in [ParseMode::Html, ParseMode::MarkdownV2] {
            if let Ok(length) = text::validate(&text, mode) {
                let seen = visible_text(&text, name(mode));
                prop_assert_eq!(seen.map(|seen| seen.chars().count()), Ok(length), "{:?}", mode);
            }
        }
    }

    #[test]
    fn an_escaped_value_is_shown_as_it_is(value in any::<String>()) {
        for mode in [ParseMode::None, ParseMode::Html, ParseMode::MarkdownV2] {
            let escaped = text::escape(&value, mode);
            prop_assert_eq!(visible_text(&escaped, name(mode)), Ok(value.clone()));
        }
    }
}

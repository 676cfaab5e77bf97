//! Writing a value so that Telegram reads it as plain text.

use super::{ParseMode, engine::Escape};

/// How values are escaped for a parse mode.
pub(super) fn escape_of(mode: ParseMode) -> Escape {
    match mode {
        ParseMode::None => plain,
        ParseMode::Html => html,
        ParseMode::MarkdownV2 => markdown_v2,
    }
}

/// Nothing needs escaping.
pub(super) fn plain(text: &str) -> String {
    text.to_owned()
}

/// Also within an attribute in double quotes.
fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The characters that Bot API's "MarkdownV2 style" wants escaped.
fn markdown_v2(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "_*[]()~`>#+-=|{}.!\\".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_plain_text() {
        assert_eq!(escape_of(ParseMode::None)("a <b>"), "a <b>");
        assert_eq!(
            escape_of(ParseMode::Html)("\"Q\" & <b>"),
            "&quot;Q&quot; &amp; &lt;b&gt;"
        );
        assert_eq!(escape_of(ParseMode::MarkdownV2)("1.5_x\\"), "1\\.5\\_x\\\\");
    }
}

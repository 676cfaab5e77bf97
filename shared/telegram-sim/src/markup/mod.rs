//! Texts as Telegram parses them. Written apart from the client's own checks, after
//! the behaviour of TDLib's `MessageEntity.cpp`, so that a mistake in either shows.

mod html;
mod markdown;

/// The text that readers see, where `parse_mode` is `HTML`, `MarkdownV2` or empty.
///
/// # Errors
/// Telegram's complaint, without "Bad Request: ".
pub fn visible_text(text: &str, parse_mode: &str) -> Result<String, String> {
    let parsed = match parse_mode.to_ascii_lowercase().as_str() {
        "" => Ok(text.to_owned()),
        "html" => html::parse(text),
        "markdownv2" => markdown::parse(text),
        _ => return Err("unsupported parse_mode".to_owned()),
    };
    parsed.map_err(|fault| format!("can't parse entities: {fault}"))
}

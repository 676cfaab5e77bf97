//! Texts as Telegram parses them. Written apart from the client's own checks, after
//! the behaviour of TDLib's `MessageEntity.cpp`, so that a mistake in either shows.

mod html;
mod markdown;

/// The text that readers see, or Telegram's complaint (without "Bad Request: ").
pub(crate) fn parse(text: &str, mode: Option<&str>) -> Result<String, String> {
    let parsed = match mode.map(str::to_ascii_lowercase).as_deref() {
        None | Some("" | "none") => Ok(text.to_owned()),
        Some("html") => html::parse(text),
        Some("markdownv2") => markdown::parse(text),
        Some(_) => return Err("unsupported parse_mode".to_owned()),
    };
    parsed.map_err(|fault| format!("can't parse entities: {fault}"))
}

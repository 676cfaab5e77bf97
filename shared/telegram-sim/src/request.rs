//! A call's parameters, checked as strictly as Telegram does.

use serde_json::{Map, Value};

use crate::markup::visible_text;

/// The longest text, in code points, once the markup is taken away.
const MAX_TEXT: usize = 4096;
/// The longest caption.
const MAX_CAPTION: usize = 1024;

/// The parameters of a call, as JSON or a form brought them.
pub(crate) struct Parameters(pub(crate) Map<String, Value>);

/// What a message carries beside its text.
pub(crate) struct Media {
    /// `photo`, `video` or `document`.
    pub(crate) field: &'static str,
    /// A URL or a file id.
    pub(crate) source: String,
}

/// A message that is sound in itself.
pub(crate) struct Content {
    pub(crate) media: Option<Media>,
    /// What readers see.
    pub(crate) visible: String,
}

impl Parameters {
    /// A parameter as text; numbers too, since a form has only text.
    pub(crate) fn text(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    /// The text or caption as it was sent.
    pub(crate) fn raw_text(&self) -> String {
        let text = self.text("text");
        if text.is_empty() {
            self.text("caption")
        } else {
            text
        }
    }

    /// The message of a send method; None for other methods.
    ///
    /// # Errors
    /// Telegram's text, without "Bad Request: ".
    pub(crate) fn content(&self, method: &str, bot: &str) -> Option<Result<Content, String>> {
        let field = match method {
            "sendmessage" => None,
            "sendphoto" => Some("photo"),
            "sendvideo" => Some("video"),
            "senddocument" => Some("document"),
            _ => return None,
        };
        Some(match field {
            None => self.text_content(),
            Some(field) => self.media_content(field, bot),
        })
    }

    fn text_content(&self) -> Result<Content, String> {
        let visible = self.visible("text")?;
        if visible.trim().is_empty() {
            return Err("message text is empty".to_owned());
        }
        if visible.chars().count() > MAX_TEXT {
            return Err("message is too long".to_owned());
        }
        self.check_keyboard()?;
        Ok(Content {
            media: None,
            visible,
        })
    }

    fn media_content(&self, field: &'static str, bot: &str) -> Result<Content, String> {
        let source = self.text(field);
        if source.is_empty() {
            return Err(format!("there is no {field} in the request"));
        }
        let is_url = source.starts_with("https://") || source.starts_with("http://");
        if !is_url && !source.starts_with(&file_prefix(field, bot)) {
            return Err("wrong file identifier/HTTP URL specified".to_owned());
        }
        let visible = self.visible("caption")?;
        if visible.chars().count() > MAX_CAPTION {
            return Err("message caption is too long".to_owned());
        }
        self.check_keyboard()?;
        Ok(Content {
            media: Some(Media { field, source }),
            visible,
        })
    }

    fn visible(&self, name: &str) -> Result<String, String> {
        let mode = self.text("parse_mode");
        visible_text(&self.text(name), &mode)
    }

    fn check_keyboard(&self) -> Result<(), String> {
        let markup = match self.0.get("reply_markup") {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::String(text)) => serde_json::from_str(text)
                .map_err(|_| "can't parse reply keyboard markup JSON object".to_owned())?,
            Some(markup) => markup.clone(),
        };
        let rows = markup["inline_keyboard"]
            .as_array()
            .ok_or("object expected as reply markup")?;
        for button in rows.iter().filter_map(Value::as_array).flatten() {
            if button["text"].as_str().is_none_or(str::is_empty) {
                return Err(
                    "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
                        .to_owned(),
                );
            }
            let url = button["url"].as_str().unwrap_or_default();
            let host = ["https://", "http://", "tg://"]
                .iter()
                .find_map(|scheme| url.strip_prefix(scheme));
            if host.is_none_or(|host| host.is_empty() || host.contains(char::is_whitespace)) {
                return Err("BUTTON_URL_INVALID".to_owned());
            }
        }
        Ok(())
    }
}

/// What the ids of files begin with that this bot may send as `field`: an id is good
/// for one bot and one kind only.
pub(crate) fn file_prefix(field: &str, bot: &str) -> String {
    format!("SIM-{field}-{bot}-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(method: &str, parameters: Value) -> Option<String> {
        let Value::Object(parameters) = parameters else {
            panic!("an object is expected");
        };
        Parameters(parameters).content(method, "1").unwrap().err()
    }

    #[test]
    fn texts_are_neither_empty_nor_too_long() {
        let message = |text: &str| refusal("sendmessage", json!({"text": text}));
        assert_eq!(message(" \n").as_deref(), Some("message text is empty"));
        assert_eq!(message(&"ж".repeat(4096)), None);
        assert_eq!(
            message(&"ж".repeat(4097)).as_deref(),
            Some("message is too long")
        );
        let html = format!("<b>{}</b>", "x".repeat(4096));
        assert_eq!(
            refusal("sendmessage", json!({"text": html, "parse_mode": "HTML"})),
            None
        );
    }

    #[test]
    fn media_is_a_url_or_a_file_of_this_bot() {
        let photo = |source: &str| refusal("sendphoto", json!({"photo": source}));
        assert_eq!(photo("https://example.com/a.jpg"), None);
        assert_eq!(photo("SIM-photo-1-7"), None);
        for strange in ["SIM-photo-2-7", "SIM-video-1-7", "a.jpg"] {
            assert_eq!(
                photo(strange).as_deref(),
                Some("wrong file identifier/HTTP URL specified")
            );
        }
        let caption = "x".repeat(1025);
        assert_eq!(
            refusal(
                "sendphoto",
                json!({"photo": "https://e.com/a", "caption": caption})
            )
            .as_deref(),
            Some("message caption is too long")
        );
    }

    #[test]
    fn a_button_opens_a_url() {
        let button = |url: &str| {
            let keyboard = json!({"inline_keyboard": [[{"text": "Open", "url": url}]]});
            refusal(
                "sendmessage",
                json!({"text": "x", "reply_markup": keyboard}),
            )
        };
        assert_eq!(button("https://example.com"), None);
        assert_eq!(button("nowhere").as_deref(), Some("BUTTON_URL_INVALID"));
    }
}

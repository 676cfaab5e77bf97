//! What is sent, and where.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How Telegram finds a chat.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Chat {
    /// By its numeric id.
    Id(i64),
    /// By its public name, with the leading @.
    Username(String),
}

/// How Telegram reads a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ParseMode {
    /// As it is.
    #[default]
    None,
    /// Telegram's HTML.
    Html,
    /// Telegram's MarkdownV2.
    MarkdownV2,
}

/// How Telegram shows media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// As a picture.
    Photo,
    /// As a video.
    Video,
    /// As a file.
    Document,
}

/// Media that Telegram fetches from a URL, or knows by a file id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// How it is shown.
    pub kind: MediaKind,
    /// An http(s) URL, or a file id that Telegram gave this bot.
    pub source: String,
}

/// A button under a message that opens a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What it says.
    pub text: String,
    /// What it opens.
    pub url: String,
}

/// How a link in a text is previewed (LinkPreviewOptions).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkPreview {
    /// Not at all.
    pub disabled: bool,
    /// This link's, rather than the first one's in the text.
    pub url: Option<String>,
    /// With the picture small, or large; Telegram decides where both are false.
    pub prefer_small_media: bool,
    /// See `prefer_small_media`.
    pub prefer_large_media: bool,
    /// Above the text.
    pub show_above_text: bool,
}

impl LinkPreview {
    /// The parameter; none where nothing is set.
    fn parameter(&self) -> Option<Value> {
        let mut options = Map::new();
        for (name, set) in [
            ("is_disabled", self.disabled),
            ("prefer_small_media", self.prefer_small_media),
            ("prefer_large_media", self.prefer_large_media),
            ("show_above_text", self.show_above_text),
        ] {
            if set {
                options.insert(name.to_owned(), json!(true));
            }
        }
        if let Some(url) = &self.url {
            options.insert("url".to_owned(), json!(url));
        }
        (!options.is_empty()).then_some(Value::Object(options))
    }
}

/// A message, without its recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The text, or the caption where there is media.
    pub text: String,
    /// How Telegram reads it.
    pub parse_mode: ParseMode,
    /// A photo, video or document.
    pub media: Option<Media>,
    /// Rows of buttons.
    pub buttons: Vec<Vec<Button>>,
    /// The preview of a link in the text.
    pub link_preview: LinkPreview,
    /// Deliver without a sound.
    pub disable_notification: bool,
    /// Forbid forwarding and saving.
    pub protect_content: bool,
    /// The topic of a forum.
    pub message_thread_id: Option<i64>,
}

impl Message {
    /// The Bot API's method for it.
    pub fn method(&self) -> &'static str {
        match self.media.as_ref().map(|media| media.kind) {
            None => "sendMessage",
            Some(MediaKind::Photo) => "sendPhoto",
            Some(MediaKind::Video) => "sendVideo",
            Some(MediaKind::Document) => "sendDocument",
        }
    }

    /// The method's parameters. What is not set is left out: Telegram's defaults hold.
    pub fn parameters(&self, chat: &Chat) -> Value {
        let mut body = Map::new();
        body.insert("chat_id".to_owned(), json!(chat));
        match &self.media {
            None => {
                body.insert("text".to_owned(), json!(self.text));
                if let Some(options) = self.link_preview.parameter() {
                    body.insert("link_preview_options".to_owned(), options);
                }
            }
            Some(media) => {
                let field = match media.kind {
                    MediaKind::Photo => "photo",
                    MediaKind::Video => "video",
                    MediaKind::Document => "document",
                };
                body.insert(field.to_owned(), json!(media.source));
                if !self.text.is_empty() {
                    body.insert("caption".to_owned(), json!(self.text));
                }
            }
        }
        let parse_mode = match self.parse_mode {
            ParseMode::None => None,
            ParseMode::Html => Some("HTML"),
            ParseMode::MarkdownV2 => Some("MarkdownV2"),
        };
        if let Some(mode) = parse_mode {
            body.insert("parse_mode".to_owned(), json!(mode));
        }
        if !self.buttons.is_empty() {
            let rows: Vec<Vec<Value>> = self
                .buttons
                .iter()
                .map(|row| {
                    row.iter()
                        .map(|button| json!({"text": button.text, "url": button.url}))
                        .collect()
                })
                .collect();
            body.insert("reply_markup".to_owned(), json!({"inline_keyboard": rows}));
        }
        for (name, set) in [
            ("disable_notification", self.disable_notification),
            ("protect_content", self.protect_content),
        ] {
            if set {
                body.insert(name.to_owned(), json!(true));
            }
        }
        if let Some(thread) = self.message_thread_id {
            body.insert("message_thread_id".to_owned(), json!(thread));
        }
        Value::Object(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_needs_no_more_than_chat_and_text() {
        let message = Message {
            text: "hello".to_owned(),
            ..Message::default()
        };
        assert_eq!(message.method(), "sendMessage");
        assert_eq!(
            message.parameters(&Chat::Username("@news".to_owned())),
            json!({"chat_id": "@news", "text": "hello"})
        );
    }

    #[test]
    fn a_link_preview_says_only_what_is_set() {
        let message = Message {
            text: "https://example.com".to_owned(),
            link_preview: LinkPreview {
                url: Some("https://example.com/b".to_owned()),
                prefer_large_media: true,
                show_above_text: true,
                ..LinkPreview::default()
            },
            ..Message::default()
        };
        assert_eq!(
            message.parameters(&Chat::Id(1))["link_preview_options"],
            json!({"url": "https://example.com/b", "prefer_large_media": true, "show_above_text": true})
        );
    }

    #[test]
    fn media_carries_the_text_as_its_caption() {
        let message = Message {
            text: "<b>now</b>".to_owned(),
            parse_mode: ParseMode::Html,
            media: Some(Media {
                kind: MediaKind::Photo,
                source: "https://example.com/a.jpg".to_owned(),
            }),
            buttons: vec![vec![Button {
                text: "Open".to_owned(),
                url: "https://example.com".to_owned(),
            }]],
            link_preview: LinkPreview {
                disabled: true,
                ..LinkPreview::default()
            },
            disable_notification: true,
            protect_content: true,
            message_thread_id: Some(7),
        };
        assert_eq!(message.method(), "sendPhoto");
        assert_eq!(
            message.parameters(&Chat::Id(-1001)),
            json!({
                "chat_id": -1001,
                "photo": "https://example.com/a.jpg",
                "caption": "<b>now</b>",
                "parse_mode": "HTML",
                "reply_markup": {"inline_keyboard": [[{"text": "Open", "url": "https://example.com"}]]},
                "disable_notification": true,
                "protect_content": true,
                "message_thread_id": 7,
            })
        );
    }
}

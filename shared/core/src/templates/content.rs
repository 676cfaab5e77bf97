//! What a template holds, in the shapes of the API and of the database.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};
use telecast_telegram::{self as telegram, Chat};

/// How Telegram reads the text.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ParseMode {
    /// As it is.
    #[default]
    None,
    /// Telegram's HTML.
    Html,
    /// Telegram's MarkdownV2.
    MarkdownV2,
}

impl From<ParseMode> for telegram::ParseMode {
    fn from(mode: ParseMode) -> Self {
        match mode {
            ParseMode::None => Self::None,
            ParseMode::Html => Self::Html,
            ParseMode::MarkdownV2 => Self::MarkdownV2,
        }
    }
}

/// What a template sends. Texts, captions, buttons and the media's source may hold placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Content {
    /// The text, or the caption where there is media.
    #[serde(default)]
    pub text: String,
    /// How Telegram reads it.
    #[serde(default)]
    pub parse_mode: ParseMode,
    /// A photo, video or document above the text.
    #[serde(default)]
    pub media: Option<Media>,
    /// Buttons and delivery options.
    #[serde(default)]
    pub options: Options,
}

/// A photo, video or document; Telegram fetches it, never Telecast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Media {
    /// How Telegram shows it.
    pub kind: MediaKind,
    /// An http(s) URL, or a file id that Telegram gave this bot.
    pub source: String,
}

/// How Telegram shows media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MediaKind {
    /// As a picture.
    Photo,
    /// As a video.
    Video,
    /// As a file.
    Document,
}

impl From<MediaKind> for telegram::MediaKind {
    fn from(kind: MediaKind) -> Self {
        match kind {
            MediaKind::Photo => Self::Photo,
            MediaKind::Video => Self::Video,
            MediaKind::Document => Self::Document,
        }
    }
}

/// Buttons and delivery options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Options {
    /// Rows of buttons under the message.
    #[serde(default)]
    pub buttons: Vec<Vec<Button>>,
    /// Show no preview of the first link.
    #[serde(default)]
    pub disable_link_preview: bool,
    /// Deliver without a sound.
    #[serde(default)]
    pub disable_notification: bool,
    /// Forbid forwarding and saving.
    #[serde(default)]
    pub protect_content: bool,
}

/// A button that opens a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Button {
    /// What it says.
    pub text: String,
    /// What it opens.
    pub url: String,
}

impl From<Content> for telegram::Message {
    fn from(content: Content) -> Self {
        let button = |button: Button| telegram::Button {
            text: button.text,
            url: button.url,
        };
        Self {
            text: content.text,
            parse_mode: content.parse_mode.into(),
            media: content.media.map(|media| telegram::Media {
                kind: media.kind.into(),
                source: media.source,
            }),
            buttons: content
                .options
                .buttons
                .into_iter()
                .map(|row| row.into_iter().map(button).collect())
                .collect(),
            disable_link_preview: content.options.disable_link_preview,
            disable_notification: content.options.disable_notification,
            protect_content: content.options.protect_content,
            message_thread_id: None,
        }
    }
}

/// The channel a message goes to, as it was when the campaign started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Where Telegram delivers.
    pub chat: Chat,
    /// Without the @; empty in a template when absent.
    #[serde(default)]
    pub username: Option<String>,
    /// The channel's title; empty in a template when absent.
    #[serde(default)]
    pub title: Option<String>,
    /// The operators' own word for the channel's kind; empty in a template when absent.
    #[serde(default)]
    pub category: Option<String>,
}

//! What a template holds, in the shapes of the API and of the database.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
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
    JsonSchema,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Media {
    /// How Telegram shows it.
    pub kind: MediaKind,
    /// An http(s) URL, or a file id that Telegram gave this bot.
    pub source: String,
}

/// How Telegram shows media.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Options {
    /// Rows of buttons under the message.
    #[serde(default)]
    pub buttons: Vec<Vec<Button>>,
    /// The preview of a link in the text.
    #[serde(default)]
    pub link_preview: LinkPreview,
    /// Deliver without a sound.
    #[serde(default)]
    pub disable_notification: bool,
    /// Forbid forwarding and saving.
    #[serde(default)]
    pub protect_content: bool,
    /// The topic of a forum that the message goes to.
    #[serde(default)]
    pub message_thread_id: Option<i64>,
}

/// How a link in the text is previewed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkPreview {
    /// Not at all.
    #[serde(default)]
    pub disabled: bool,
    /// This link's, rather than the first one's in the text.
    #[serde(default)]
    pub url: Option<String>,
    /// With a small picture.
    #[serde(default)]
    pub prefer_small_media: bool,
    /// With a large picture.
    #[serde(default)]
    pub prefer_large_media: bool,
    /// Above the text.
    #[serde(default)]
    pub show_above_text: bool,
}

impl From<LinkPreview> for telegram::LinkPreview {
    fn from(preview: LinkPreview) -> Self {
        Self {
            disabled: preview.disabled,
            url: preview.url,
            prefer_small_media: preview.prefer_small_media,
            prefer_large_media: preview.prefer_large_media,
            show_above_text: preview.show_above_text,
        }
    }
}

/// A button that opens a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
            link_preview: content.options.link_preview.into(),
            disable_notification: content.options.disable_notification,
            protect_content: content.options.protect_content,
            message_thread_id: content.options.message_thread_id,
        }
    }
}

/// The channel a message goes to, as it was when the campaign started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recipient {
    /// Where Telegram delivers: a chat id, or a public name with its @.
    #[schemars(schema_with = "chat")]
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

fn chat(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["integer", "string"]})
}

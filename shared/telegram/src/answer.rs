//! What Telegram answers, in types.

use std::time::Duration;

use serde::Deserialize;

/// A message that Telegram accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// None where Telegram accepted the message and deleted it at once.
    pub message_id: Option<i64>,
    /// The chat it went to: the numeric id and kind are worth keeping.
    pub chat: Option<ChatInfo>,
    /// The file id of uploaded media: later messages can name it instead of a URL.
    pub file_id: Option<String>,
}

/// A chat, as Telegram describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChatInfo {
    /// Its id.
    pub id: i64,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: ChatKind,
    /// Its title.
    pub title: Option<String>,
    /// Its public name, without the @.
    pub username: Option<String>,
}

/// What a chat is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChatKind {
    /// With one person.
    Private,
    /// Up to 200 people; 20 messages a minute from a bot.
    Group,
    /// A large group; 20 messages a minute from a bot.
    Supergroup,
    /// A channel.
    Channel,
    /// A kind that is not known here.
    #[serde(other)]
    Other,
}

impl ChatKind {
    /// Whether a bot may send it 20 messages in a minute and no more
    /// (core.telegram.org/bots/faq, "broadcasting to users").
    #[must_use]
    pub fn is_group(self) -> bool {
        matches!(self, Self::Group | Self::Supergroup)
    }
}

/// What a bot is in a chat (getChatMember).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// `creator`, `administrator`, `member`, `restricted`, `left` or `kicked`.
    pub status: String,
    /// An administrator of a channel may post there.
    #[serde(default)]
    pub can_post_messages: bool,
    /// A restricted member of a group may write there.
    #[serde(default)]
    pub can_send_messages: bool,
}

/// The bot of a token, as getMe describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Bot {
    /// Its id.
    pub id: i64,
    /// Its public name, without the @.
    pub username: Option<String>,
    /// Its display name.
    pub first_name: String,
}

/// A call that did not do what it was to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{description}")]
pub struct Failure {
    /// What to make of it.
    pub kind: FailureKind,
    /// Telegram's own words, or what befell the connection; never a token.
    pub description: String,
}

/// What to make of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The group became a supergroup with this id: send there, at once.
    Moved {
        /// The new chat's id.
        chat_id: i64,
    },
    /// Wait, then go on. Telegram's answer is the same whether the whole bot must
    /// wait or this one chat is too busy; only who sees the answers of other chats
    /// can tell, so this is to be taken for the bot until other chats flow.
    Wait(Duration),
    /// Wait in this chat alone: it is in slow mode.
    WaitChat(Duration),
    /// The chat is no more, or the bot was removed from it.
    ChannelGone,
    /// The bot lacks a right in the chat.
    ChannelRights,
    /// No such chat, as far as this bot can see: wrong, renamed, or private.
    ChannelUnsure,
    /// The message itself is refused: it would fail everywhere.
    MessageBad,
    /// Telegram refuses the bot: a wrong token, or restricted for spam.
    BotDead,
    /// A refusal of a kind that is not known here; it holds for this message.
    Refused,
    /// Nothing was sent, for a reason that may pass.
    Transient,
    /// It may have been sent, or not.
    Uncertain,
}

//! What Telegram says of a channel, and what that means.

use std::time::Duration;

use telecast_core::{
    bots::{Bot, BotToken},
    channels::{self, Channel, check::Verdict},
};
use telecast_telegram::{ChatInfo, ChatKind, Client, Failure, FailureKind, Member};

/// Reasons that a channel is inactive for, as its row keeps them.
const NOT_FOUND: &str = "NOT_FOUND";
const CHANNEL_GONE: &str = "CHANNEL_GONE";
const NO_RIGHTS: &str = "NO_RIGHT_TO_POST";

/// A bot that asks.
pub(crate) struct Asker {
    telegram: Client,
    bot: Bot,
    token: BotToken,
}

/// What came of asking.
pub(crate) enum Answer {
    Clear(Verdict),
    /// Telegram told the bot to wait.
    Wait(Duration),
    /// It may be otherwise next time.
    Trouble(String),
}

impl Asker {
    pub(crate) fn new(telegram: Client, bot: Bot, token: BotToken) -> Self {
        Self {
            telegram,
            bot,
            token,
        }
    }

    /// Whether Telegram refuses the bot.
    pub(crate) fn is_stopped(&self) -> bool {
        self.bot.stopped_at.is_some()
    }

    /// Whether the bot may write there: it sees the chat, and is a member that may post.
    pub(crate) async fn ask(&self, channel: &Channel) -> Answer {
        let chat = channels::recipient(channel).chat;
        let found = match self.telegram.get_chat(&self.token, &chat).await {
            Ok(found) => found,
            Err(failure) => return refused(failure),
        };
        let bot = self.token.bot_id();
        match self.telegram.get_chat_member(&self.token, &chat, bot).await {
            Ok(member) => Answer::Clear(judge(found, &member)),
            Err(failure) => refused(failure),
        }
    }
}

/// Whether a member of a chat of this kind may post there (core.telegram.org/bots/api,
/// ChatMember): in a channel an administrator with can_post_messages, in a group whoever is
/// in it and not restricted.
fn judge(found: ChatInfo, member: &Member) -> Verdict {
    let may_post = match (member.status.as_str(), found.kind) {
        ("creator", _) => true,
        ("administrator", ChatKind::Channel) => member.can_post_messages,
        ("administrator", _) => true,
        ("member", kind) => kind.is_group() || kind == ChatKind::Private,
        ("restricted", _) => member.can_send_messages,
        ("kicked" | "left", _) => return Verdict::Unusable(CHANNEL_GONE),
        _ => false,
    };
    if may_post {
        Verdict::Usable(found)
    } else {
        Verdict::Unusable(NO_RIGHTS)
    }
}

fn refused(failure: Failure) -> Answer {
    match failure.kind {
        FailureKind::ChannelGone => Answer::Clear(Verdict::Unusable(CHANNEL_GONE)),
        FailureKind::ChannelUnsure => Answer::Clear(Verdict::Unusable(NOT_FOUND)),
        FailureKind::ChannelRights => Answer::Clear(Verdict::Unusable(NO_RIGHTS)),
        FailureKind::Wait(wait) | FailureKind::WaitChat(wait) => Answer::Wait(wait),
        FailureKind::BotDead
        | FailureKind::Moved { .. }
        | FailureKind::Transient
        | FailureKind::Uncertain
        | FailureKind::MessageBad
        | FailureKind::Refused => Answer::Trouble(failure.description),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(kind: ChatKind, status: &str, can_post: bool) -> Verdict {
        let found = ChatInfo {
            id: -100,
            kind,
            title: None,
            username: None,
        };
        let member = Member {
            status: status.to_owned(),
            can_post_messages: can_post,
            can_send_messages: can_post,
        };
        judge(found, &member)
    }

    #[test]
    fn a_channel_wants_an_administrator_and_a_group_a_member() {
        use ChatKind::{Channel, Supergroup};
        for (kind, status, can_post, expected) in [
            (Channel, "creator", false, None),
            (Channel, "administrator", true, None),
            (Channel, "administrator", false, Some(NO_RIGHTS)),
            (Channel, "member", false, Some(NO_RIGHTS)),
            (Channel, "kicked", false, Some(CHANNEL_GONE)),
            (Supergroup, "member", false, None),
            (Supergroup, "restricted", true, None),
            (Supergroup, "restricted", false, Some(NO_RIGHTS)),
            (Supergroup, "left", false, Some(CHANNEL_GONE)),
        ] {
            let reason = match verdict(kind, status, can_post) {
                Verdict::Unusable(reason) => Some(reason),
                _ => None,
            };
            assert_eq!(reason, expected, "{kind:?} {status} {can_post}");
        }
    }
}

//! From the Telegram client's answers to outcomes of an attempt.

use telecast_core::delivery::{Outcome, ToldChat};
use telecast_telegram::{Failure, FailureKind, Sent};

/// An accepted message.
pub(crate) fn sent(sent: &Sent) -> Outcome {
    Outcome::Sent {
        message_id: sent.message_id,
        chat: sent.chat.as_ref().map(|chat| ToldChat {
            id: chat.id,
            kind: chat.kind,
        }),
    }
}

/// A failure. A chat that moves twice in one breath is tried again later.
pub(crate) fn failed(failure: Failure) -> Outcome {
    let Failure { kind, description } = failure;
    match kind {
        FailureKind::Moved { .. } | FailureKind::Transient => Outcome::Transient(description),
        FailureKind::Wait(wait) => Outcome::FloodWait(wait),
        FailureKind::WaitChat(wait) => Outcome::ChatWait(wait),
        FailureKind::ChannelGone => Outcome::ChannelGone(description),
        FailureKind::ChannelRights => Outcome::ChannelRights(description),
        FailureKind::ChannelUnsure => Outcome::ChannelUnsure(description),
        FailureKind::MessageBad => Outcome::MessageBad(description),
        FailureKind::BotDead => Outcome::BotDead(description),
        FailureKind::Refused => Outcome::Refused(description),
        FailureKind::Uncertain => Outcome::Uncertain(description),
    }
}

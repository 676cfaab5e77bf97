//! What became of an attempt, and what follows from it: pure decisions.

use std::time::Duration;

use strum::{Display, EnumString, IntoStaticStr};
use telecast_telegram::ChatKind;

use super::Decision;
use crate::campaigns::OnUncertain;

/// A chat, as Telegram's answer to a message told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToldChat {
    /// Its id.
    pub id: i64,
    /// What it is.
    pub kind: ChatKind,
}

/// What became of an attempt. The error classes are those of the Telegram client,
/// see its crate for what each covers.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// Telegram accepted it.
    Sent {
        /// None where Telegram accepted it and deleted it at once.
        message_id: Option<i64>,
        /// The chat, as the answer told.
        chat: Option<ToldChat>,
    },
    /// Nothing was sent; it may go better in a while.
    Transient(String),
    /// Telegram tells the bot to wait.
    FloodWait(Duration),
    /// Telegram tells the bot to wait in this one chat.
    ChatWait(Duration),
    /// The chat is no more, or the bot was removed from it.
    ChannelGone(String),
    /// The bot lacks a right in the chat.
    ChannelRights(String),
    /// No such chat, as far as the bot can see.
    ChannelUnsure(String),
    /// The message itself is refused: it would fail everywhere.
    MessageBad(String),
    /// A refusal of a kind nobody has described; it holds for this message.
    Refused(String),
    /// Telegram refuses the bot.
    BotDead(String),
    /// Telegram may or may not have accepted it.
    Uncertain(String),
    /// The channel opted out before it was sent.
    OptedOut,
    /// The channel became inactive before it was sent.
    Inactive,
    /// It would have been sent: the campaign is a dry run.
    DryRun,
    /// The campaign was cancelled before it was sent.
    Cancelled,
    /// Not tried: the campaign is paused, or time ran out.
    NotTried,
    /// The message job was terminal before; only the queue job is left.
    Settled,
}

impl Decision {
    /// The outcome of a message job that is not to be sent; none for those to send,
    /// and for those that another handler works on.
    pub fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Send | Self::Claimed => None,
            Self::Uncertain => Some(Outcome::Uncertain(
                "an earlier attempt began to send and never reported".to_owned(),
            )),
            Self::Cancelled => Some(Outcome::Cancelled),
            Self::NotRunning => Some(Outcome::NotTried),
            Self::OptedOut => Some(Outcome::OptedOut),
            Self::Inactive => Some(Outcome::Inactive),
            Self::Settled => Some(Outcome::Settled),
        }
    }
}

/// Where a message job goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE")]
pub enum MessageStatus {
    /// It waits: for its slot, or for a retry.
    Pending,
    /// Telegram accepted it.
    Sent,
    /// Given up.
    Failed,
    /// Not to be sent.
    Skipped,
    /// Nobody knows.
    Uncertain,
    /// Its campaign was cancelled.
    Cancelled,
}

/// Where its queue job goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueEffect {
    /// Completed.
    Complete,
    /// Failed for good.
    Fail,
    /// Back, with the attempt charged, to start after this long.
    Retry(Duration),
    /// Back, uncharged, to start after this long.
    GiveBack(Duration),
}

/// What is learned of the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelEffect {
    /// Nothing.
    None,
    /// A message came through.
    Works {
        /// The chat, if the answer told.
        chat: Option<ToldChat>,
    },
    /// An error that may be the channel's.
    Error,
    /// It cannot be written to any more.
    Gone,
}

/// All that follows for one message job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// Its next status.
    pub status: MessageStatus,
    /// Whether the attempt counts.
    pub charged: bool,
    /// Its queue job.
    pub queue: QueueEffect,
    /// Its channel.
    pub channel: ChannelEffect,
}

/// The first retry's delay; each further one waits twice as long.
const RETRY_DELAY: Duration = Duration::from_secs(5);

/// What follows from `outcome` for a message job with so many `attempts` charged
/// before, in a campaign with this retry limit and policy.
pub fn effect(
    outcome: &Outcome,
    attempts: i32,
    retry_limit: i32,
    on_uncertain: OnUncertain,
) -> Effect {
    use MessageStatus::*;
    use QueueEffect::*;
    let retry = (attempts < retry_limit).then(|| Effect {
        status: Pending,
        charged: true,
        queue: Retry(RETRY_DELAY * 2_u32.saturating_pow(attempts.unsigned_abs())),
        channel: ChannelEffect::None,
    });
    let (status, charged, queue, channel) = match outcome {
        Outcome::Sent { chat, .. } => (Sent, true, Complete, ChannelEffect::Works { chat: *chat }),
        Outcome::Transient(_) => match retry {
            Some(retry) => return retry,
            None => (Failed, true, Fail, ChannelEffect::Error),
        },
        Outcome::FloodWait(wait) | Outcome::ChatWait(wait) => {
            (Pending, false, GiveBack(*wait), ChannelEffect::None)
        }
        Outcome::ChannelGone(_) => (Failed, true, Fail, ChannelEffect::Gone),
        Outcome::ChannelRights(_) | Outcome::ChannelUnsure(_) => {
            (Failed, true, Fail, ChannelEffect::Error)
        }
        Outcome::MessageBad(_) | Outcome::Refused(_) => (Failed, true, Fail, ChannelEffect::None),
        Outcome::BotDead(_) | Outcome::NotTried => (
            Pending,
            false,
            GiveBack(Duration::ZERO),
            ChannelEffect::None,
        ),
        Outcome::Uncertain(_) => match (on_uncertain, retry) {
            (OnUncertain::Resend, Some(retry)) => return retry,
            _ => (Uncertain, true, Complete, ChannelEffect::None),
        },
        Outcome::OptedOut | Outcome::Inactive | Outcome::DryRun => {
            (Skipped, false, Complete, ChannelEffect::None)
        }
        Outcome::Cancelled => (Cancelled, false, Complete, ChannelEffect::None),
        // The status here is not written: a terminal message job stays as it is.
        Outcome::Settled => (Pending, false, Complete, ChannelEffect::None),
    };
    Effect {
        status,
        charged,
        queue,
        channel,
    }
}

impl Outcome {
    /// A wait of the whole bot is one of the chat alone, if so.
    #[must_use]
    pub fn in_chat_if(self, is_chats: bool) -> Self {
        match self {
            Self::FloodWait(wait) if is_chats => Self::ChatWait(wait),
            outcome => outcome,
        }
    }

    /// The error's text, for those that are errors.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Transient(error)
            | Self::ChannelGone(error)
            | Self::ChannelRights(error)
            | Self::ChannelUnsure(error)
            | Self::MessageBad(error)
            | Self::Refused(error)
            | Self::BotDead(error)
            | Self::Uncertain(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(outcome: Outcome, attempts: i32) -> Effect {
        effect(&outcome, attempts, 3, OnUncertain::Skip)
    }

    #[test]
    fn a_transient_error_is_retried_after_5_10_and_20_seconds_and_then_fails() {
        let error = || Outcome::Transient("connection refused".to_owned());
        for (attempts, seconds) in [(0, 5), (1, 10), (2, 20)] {
            let effect = after(error(), attempts);
            assert_eq!(
                effect.queue,
                QueueEffect::Retry(Duration::from_secs(seconds))
            );
            assert_eq!(
                (effect.status, effect.charged),
                (MessageStatus::Pending, true)
            );
        }
        let effect = after(error(), 3);
        assert_eq!(
            (effect.status, effect.queue),
            (MessageStatus::Failed, QueueEffect::Fail)
        );
        assert_eq!(effect.channel, ChannelEffect::Error);
    }

    #[test]
    fn a_wait_costs_no_attempt() {
        let wait = Duration::from_secs(17);
        for outcome in [Outcome::FloodWait(wait), Outcome::ChatWait(wait)] {
            let effect = after(outcome, 3);
            assert_eq!(effect.queue, QueueEffect::GiveBack(wait));
            assert_eq!(
                (effect.status, effect.charged),
                (MessageStatus::Pending, false)
            );
        }
    }

    #[test]
    fn a_permanent_error_is_never_retried() {
        for outcome in [
            Outcome::ChannelGone(String::new()),
            Outcome::ChannelRights(String::new()),
            Outcome::ChannelUnsure(String::new()),
            Outcome::MessageBad(String::new()),
            Outcome::Refused(String::new()),
        ] {
            let effect = after(outcome, 0);
            assert_eq!(
                (effect.status, effect.queue),
                (MessageStatus::Failed, QueueEffect::Fail)
            );
        }
    }

    #[test]
    fn what_may_have_been_sent_is_sent_again_only_if_the_operator_said_so() {
        let uncertain = Outcome::Uncertain(String::new());
        let skip = effect(&uncertain, 0, 3, OnUncertain::Skip);
        assert_eq!(
            (skip.status, skip.queue),
            (MessageStatus::Uncertain, QueueEffect::Complete)
        );
        let resend = effect(&uncertain, 0, 3, OnUncertain::Resend);
        assert_eq!(resend.queue, QueueEffect::Retry(RETRY_DELAY));
        let exhausted = effect(&uncertain, 3, 3, OnUncertain::Resend);
        assert_eq!(exhausted.status, MessageStatus::Uncertain);
    }
}

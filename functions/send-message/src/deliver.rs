//! One message: sent, and followed where its chat has moved.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use telecast_core::delivery::{Claim, Context, MediaUrl, Outcome, Settlement};
use telecast_runtime::handler::Deadline;
use telecast_telegram::{Chat, Client, Failure, FailureKind, Message, Sent};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::{
    files::Files,
    flood::{Calls, Waiter},
    outcome::{failed, sent},
    pace::Pace,
};

/// A send may take as long as the client's time-out, and settling a while more. Nothing
/// starts later than this before the handler's end; nor before that of its lease, where
/// another attempt may begin, or in the last third of a shorter one.
const LAST_START: Duration = Duration::from_secs(20);

/// Nothing more is started for a bot for so long after Telegram stopped it, at most:
/// by then the database knows, and dispatches nothing of it.
const LONGEST_STOP: Duration = Duration::from_secs(3);

/// Bots that Telegram told to wait, or refused: each further call would make it worse.
/// The invocations of a process share this, since the others are dispatched already.
#[derive(Debug, Default)]
pub(crate) struct StoppedBots(Mutex<HashMap<Uuid, Instant>>);

impl StoppedBots {
    fn bots(&self) -> MutexGuard<'_, HashMap<Uuid, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn contains(&self, bot_id: Uuid) -> bool {
        self.bots()
            .get(&bot_id)
            .is_some_and(|until| Instant::now() < *until)
    }

    fn stop(&self, bot_id: Uuid, wait: Duration) {
        let until = Instant::now() + wait.min(LONGEST_STOP);
        self.bots().insert(bot_id, until);
    }

    /// It was one chat that had to wait.
    pub(crate) fn release(&self, bot_id: Uuid) {
        self.bots().remove(&bot_id);
    }
}

/// A claimed message that is ready to be sent.
pub(crate) struct Ready {
    pub(crate) claim: Claim,
    pub(crate) context: Arc<Context>,
    pub(crate) message: Message,
    /// Its media, where that is a URL.
    pub(crate) media: Option<MediaUrl>,
    /// Nothing may start later.
    pub(crate) last_start: Instant,
}

impl Ready {
    /// When the last call of a message may start, by what its claim told of its lease. That
    /// counts from when the claim was asked for: its answer may have been long on its way.
    pub(crate) fn last_start(lease: Duration, lease_left: Duration, asked: Instant) -> Instant {
        asked + lease_left.saturating_sub(LAST_START.min(lease / 3))
    }
}

/// What all messages of an invocation share.
pub(crate) struct Delivery<'a> {
    pub(crate) telegram: &'a Client,
    pub(crate) stopped: &'a StoppedBots,
    pub(crate) pace: &'a Pace,
    pub(crate) calls: &'a Calls,
    pub(crate) files: &'a Files,
    pub(crate) deadline: Deadline,
}

impl Delivery<'_> {
    /// What became of a message.
    pub(crate) async fn deliver(&self, ready: Ready) -> Settlement {
        let Ready { claim, context, .. } = &ready;
        let rate = usize::try_from(context.rate_per_second).unwrap_or(1);
        let start = self.pace.take(context.bot_id, rate);
        if self.is_too_late(&ready, start) {
            return claim.settle(Outcome::NotTried);
        }
        // Even a sleep that is over takes a turn, and then the first is not the first.
        if start > Instant::now() {
            sleep_until(start).await;
        }
        if self.is_too_late(&ready, Instant::now()) {
            return claim.settle(Outcome::NotTried);
        }
        let call = self.calls.begin(context.bot_id, claim.channel_id);
        let chat = context.test_chat.as_ref().unwrap_or(&claim.recipient.chat);
        let mut answer = self.send(&ready, chat).await;
        let mut moved_to = None;
        if let Err(failure) = &answer
            && let FailureKind::Moved { chat_id } = failure.kind
            && !self.is_too_late(&ready, Instant::now())
        {
            moved_to = context.test_chat.is_none().then_some(chat_id);
            answer = self.send(&ready, &Chat::Id(chat_id)).await;
        }
        let mut outcome = match answer {
            Ok(accepted) => sent(&accepted),
            Err(failure) => failed(failure),
        };
        match &outcome {
            Outcome::Sent { .. } => call.accepted(),
            Outcome::FloodWait(wait) => {
                self.stopped.stop(context.bot_id, *wait);
                if call.told_to_wait().await == Waiter::Chat {
                    self.stopped.release(context.bot_id);
                    outcome = outcome.in_chat_if(true);
                }
            }
            Outcome::BotDead(_) => self.stopped.stop(context.bot_id, LONGEST_STOP),
            _ => {}
        }
        Settlement {
            moved_to,
            ..claim.settle(outcome)
        }
    }

    /// Whether a call must not start then.
    fn is_too_late(&self, ready: &Ready, start: Instant) -> bool {
        let wait = start.saturating_duration_since(Instant::now());
        self.deadline.remaining() < LAST_START + wait
            || start > ready.last_start
            || self.stopped.contains(ready.context.bot_id)
    }

    /// Sends to this chat; media goes by its file id where one is known.
    async fn send(&self, ready: &Ready, chat: &Chat) -> Result<Sent, Failure> {
        let token = &ready.context.token;
        let Some(media) = &ready.media else {
            return self.telegram.send(token, chat, &ready.message).await;
        };
        if let Some(file_id) = self.files.id(media) {
            let message = with_file(ready.message.clone(), file_id);
            let answer = self.telegram.send(token, chat, &message).await;
            let is_refused = matches!(
                &answer,
                Err(Failure { kind: FailureKind::MessageBad, description })
                    if description.to_lowercase().contains("file")
            );
            if !is_refused {
                return answer;
            }
            // Nothing was sent. The URL is what the operator meant.
            self.files.forget(media);
        }
        let answer = self.telegram.send(token, chat, &ready.message).await;
        if let Ok(Sent {
            file_id: Some(file_id),
            ..
        }) = &answer
        {
            self.files.learn(media, file_id);
        }
        answer
    }
}

fn with_file(mut message: Message, file_id: String) -> Message {
    if let Some(media) = &mut message.media {
        media.source = file_id;
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_whose_answer_was_long_on_its_way_leaves_no_time() {
        let seconds = Duration::from_secs;
        let asked = Instant::now();
        let last_start = |left| Ready::last_start(seconds(60), left, asked);
        assert_eq!(last_start(seconds(58)), asked + seconds(38));
        assert_eq!(last_start(seconds(10)), asked);
        let short = Ready::last_start(seconds(9), seconds(8), asked);
        assert_eq!(short, asked + seconds(5));
    }
}

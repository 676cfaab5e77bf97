//! One message: sent, and followed where its chat has moved.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use telecast_core::delivery::{Claim, Context, MediaUrl, Outcome, Settlement};
use telecast_runtime::handler::Deadline;
use telecast_telegram::{Chat, Client, Failure, FailureKind, Message, Sent};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    files::Files,
    flood::Called,
    outcome::{failed, sent},
};

/// A send may take as long as the client's time-out, and settling a while more.
const LAST_START: Duration = Duration::from_secs(20);

/// Bots that Telegram told to wait, or refused, in this invocation: each further call
/// would make it worse.
#[derive(Debug, Default)]
pub(crate) struct StoppedBots(Mutex<HashSet<Uuid>>);

impl StoppedBots {
    fn contains(&self, bot_id: Uuid) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&bot_id)
    }

    fn insert(&self, bot_id: Uuid) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(bot_id);
    }
}

/// A claimed message that is ready to be sent.
pub(crate) struct Ready<'a> {
    pub(crate) claim: &'a Claim,
    pub(crate) context: &'a Context,
    pub(crate) message: Message,
    /// Its media, where that is a URL.
    pub(crate) media: Option<MediaUrl>,
}

/// What all messages of an invocation share.
pub(crate) struct Delivery<'a> {
    pub(crate) telegram: &'a Client,
    pub(crate) stopped: &'a StoppedBots,
    pub(crate) files: &'a Files,
    pub(crate) deadline: Deadline,
}

impl Delivery<'_> {
    /// What became of a message, and of the call if there was one.
    pub(crate) async fn deliver(&self, ready: Ready<'_>) -> (Settlement, Option<Called>) {
        let Ready { claim, context, .. } = ready;
        if self.deadline.remaining() < LAST_START || self.stopped.contains(context.bot_id) {
            return (claim.settle(Outcome::NotTried), None);
        }
        let started = Instant::now();
        let mut answer = self.send(&ready, &claim.recipient.chat).await;
        let mut moved_to = None;
        if let Err(failure) = &answer
            && let FailureKind::Moved { chat_id } = failure.kind
        {
            moved_to = Some(chat_id);
            answer = self.send(&ready, &Chat::Id(chat_id)).await;
        }
        let outcome = match answer {
            Ok(accepted) => sent(&accepted),
            Err(failure) => failed(failure),
        };
        if matches!(outcome, Outcome::FloodWait(_) | Outcome::BotDead(_)) {
            self.stopped.insert(context.bot_id);
        }
        let called = Called {
            bot_id: context.bot_id,
            channel_id: claim.channel_id,
            started,
            answered: Instant::now(),
            outcome: outcome.clone(),
        };
        let settlement = Settlement {
            moved_to,
            ..claim.settle(outcome)
        };
        (settlement, Some(called))
    }

    /// Sends to this chat; media goes by its file id where one is known.
    async fn send(&self, ready: &Ready<'_>, chat: &Chat) -> Result<Sent, Failure> {
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

//! One message: rendered, sent, and followed where its chat has moved.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use telecast_core::{
    delivery::{Claim, Context, Decision, Outcome, Settlement},
    templates,
};
use telecast_runtime::handler::Deadline;
use telecast_telegram::{Chat, Client, FailureKind};
use uuid::Uuid;

use crate::outcome::{failed, sent};

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

/// What all messages of an invocation share.
pub(crate) struct Delivery<'a> {
    pub(crate) telegram: &'a Client,
    pub(crate) stopped: &'a StoppedBots,
    pub(crate) deadline: Deadline,
}

impl Delivery<'_> {
    /// What became of a claim; none where another handler works on it.
    pub(crate) async fn settle(
        &self,
        claim: &Claim,
        context: Option<&Context>,
    ) -> Option<Settlement> {
        let outcome = match (claim.decision, context) {
            (Decision::Send, Some(context)) => self.deliver(claim, context).await,
            (Decision::Send, None) => Outcome::NotTried,
            (decision, _) => decision.outcome()?,
        };
        Some(claim.settle(outcome))
    }

    /// Sends one claimed message.
    async fn deliver(&self, claim: &Claim, context: &Context) -> Outcome {
        if self.deadline.remaining() < LAST_START || self.stopped.contains(context.bot_id) {
            return Outcome::NotTried;
        }
        let message = match templates::render(&context.content, &claim.recipient, &context.params) {
            Ok(message) => message,
            Err(error) => return Outcome::MessageBad(error.to_string()),
        };
        let mut answer = self
            .telegram
            .send(&context.token, &claim.recipient.chat, &message)
            .await;
        if let Err(failure) = &answer
            && let FailureKind::Moved { chat_id } = failure.kind
        {
            let chat = Chat::Id(chat_id);
            answer = self.telegram.send(&context.token, &chat, &message).await;
        }
        let outcome = match answer {
            Ok(accepted) => sent(&accepted),
            Err(failure) => failed(failure),
        };
        if matches!(outcome, Outcome::FloodWait(_) | Outcome::BotDead(_)) {
            self.stopped.insert(context.bot_id);
        }
        outcome
    }
}

//! From claims to messages that are ready to be sent.

use std::{collections::HashMap, sync::Arc};

use telecast_core::{
    campaigns::Mode,
    delivery::{Claim, Context, Decision, MediaUrl, Outcome, Settlement},
    templates,
};
use telecast_telegram::Message;
use tokio::time::Instant;
use uuid::Uuid;

use crate::deliver::Ready;

/// What is settled without a call, and what is ready to be sent, of claims that were asked
/// for at that time. Those that another handler works on are in neither.
pub(crate) fn prepare(
    claims: Vec<Claim>,
    asked: Instant,
    contexts: &HashMap<Uuid, Arc<Context>>,
) -> (Vec<Settlement>, Vec<Ready>) {
    let mut settled = Vec::new();
    let mut ready = Vec::new();
    for claim in claims {
        match (claim.decision, contexts.get(&claim.campaign_id)) {
            (Decision::Send, Some(context)) => match fill(&claim, context) {
                Ok((message, media)) => ready.push(Ready {
                    context: Arc::clone(context),
                    last_start: Ready::last_start(claim.lease, claim.lease_left, asked),
                    claim,
                    message,
                    media,
                }),
                Err(outcome) => settled.push(claim.settle(outcome)),
            },
            (Decision::Send, None) => settled.push(claim.settle(Outcome::NotTried)),
            (decision, _) => settled.extend(decision.outcome().map(|o| claim.settle(o))),
        }
    }
    (settled, ready)
}

/// The message for this recipient, and its media where that is a URL.
fn fill(claim: &Claim, context: &Context) -> Result<(Message, Option<MediaUrl>), Outcome> {
    let content = templates::fill(&context.content, &claim.recipient, &context.params)
        .map_err(|error| Outcome::MessageBad(error.to_string()))?;
    if context.mode == Mode::DryRun {
        return Err(Outcome::DryRun);
    }
    let media = MediaUrl::of(&content, context.bot_id);
    Ok((content.into(), media))
}

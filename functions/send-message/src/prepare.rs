//! From claims to messages that are ready to be sent.

use std::collections::HashMap;

use telecast_core::{
    campaigns::Mode,
    delivery::{Claim, Context, Decision, MediaUrl, Outcome, Settlement},
    templates,
};
use uuid::Uuid;

use crate::deliver::Ready;

/// What is settled without a call, and what is ready to be sent. Claims that another
/// handler works on are in neither.
pub(crate) fn prepare<'a>(
    claims: &'a [Claim],
    contexts: &'a HashMap<Uuid, Context>,
) -> (Vec<Settlement>, Vec<Ready<'a>>) {
    let mut settled = Vec::new();
    let mut ready = Vec::new();
    for claim in claims {
        match (claim.decision, contexts.get(&claim.campaign_id)) {
            (Decision::Send, Some(context)) => match fill(claim, context) {
                Ok(message) => ready.push(message),
                Err(outcome) => settled.push(claim.settle(outcome)),
            },
            (Decision::Send, None) => settled.push(claim.settle(Outcome::NotTried)),
            (decision, _) => settled.extend(decision.outcome().map(|o| claim.settle(o))),
        }
    }
    (settled, ready)
}

fn fill<'a>(claim: &'a Claim, context: &'a Context) -> Result<Ready<'a>, Outcome> {
    let content = templates::fill(&context.content, &claim.recipient, &context.params)
        .map_err(|error| Outcome::MessageBad(error.to_string()))?;
    if context.mode == Mode::DryRun {
        return Err(Outcome::DryRun);
    }
    Ok(Ready {
        claim,
        context,
        media: MediaUrl::of(&content, context.bot_id),
        message: content.into(),
    })
}

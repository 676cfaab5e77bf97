//! A wait of the bot or of one chat? Telegram's answer is the same.

use std::collections::HashMap;

use telecast_core::delivery::Outcome;
use tokio::time::Instant;
use uuid::Uuid;

/// So many messages must have come through after a wait to show that it was not for
/// the bot. More than one: answers overtake each other.
const FLOWING: usize = 3;

/// One message's call, and what became of it.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) bot_id: Uuid,
    pub(crate) channel_id: Uuid,
    pub(crate) started: Instant,
    pub(crate) answered: Instant,
    pub(crate) outcome: Outcome,
}

impl Called {
    fn is_wait(&self) -> bool {
        matches!(self.outcome, Outcome::FloodWait(_))
    }

    /// It began after `other` and was answered after it.
    fn follows(&self, other: &Self) -> bool {
        self.started > other.started && self.answered > other.answered
    }
}

/// The channels whose wait is their own: of their bot's calls no other was told to
/// wait, and several that began and ended later were accepted. What this does not
/// show is taken for the bot, which errs on the safe side; if the wait meets the same
/// chat again while others flow, the settlement knows.
pub(crate) fn busy_channels(calls: &[Called]) -> Vec<(Uuid, Uuid)> {
    let mut waits: HashMap<Uuid, Vec<&Called>> = HashMap::new();
    for call in calls.iter().filter(|call| call.is_wait()) {
        waits.entry(call.bot_id).or_default().push(call);
    }
    waits
        .into_iter()
        .filter_map(|(bot_id, waits)| {
            let [wait] = waits[..] else { return None };
            let flowing = calls
                .iter()
                .filter(|call| call.bot_id == bot_id && call.channel_id != wait.channel_id)
                .filter(|call| matches!(call.outcome, Outcome::Sent { .. }) && call.follows(wait))
                .count();
            (flowing >= FLOWING).then_some((bot_id, wait.channel_id))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const BOT: Uuid = Uuid::from_u128(1);

    fn call(channel: u128, started: u64, answered: u64, outcome: Outcome) -> Called {
        let epoch = Instant::now();
        Called {
            bot_id: BOT,
            channel_id: Uuid::from_u128(channel),
            started: epoch + Duration::from_secs(started),
            answered: epoch + Duration::from_secs(answered),
            outcome,
        }
    }

    fn sent(channel: u128, started: u64, answered: u64) -> Called {
        let outcome = Outcome::Sent {
            message_id: Some(1),
            chat_id: None,
        };
        call(channel, started, answered, outcome)
    }

    fn wait(channel: u128, started: u64, answered: u64) -> Called {
        let outcome = Outcome::FloodWait(Duration::from_secs(5));
        call(channel, started, answered, outcome)
    }

    #[test]
    fn one_chat_waits_while_others_flow() {
        let calls = [
            wait(9, 10, 20),
            sent(1, 20, 40),
            sent(2, 20, 40),
            sent(3, 20, 40),
        ];
        assert_eq!(busy_channels(&calls), [(BOT, Uuid::from_u128(9))]);
    }

    #[test]
    fn a_wait_that_stands_alone_is_the_bots() {
        assert!(busy_channels(&[wait(9, 10, 20)]).is_empty());
        let two_flow = [wait(9, 10, 20), sent(1, 20, 40), sent(2, 20, 40)];
        assert!(busy_channels(&two_flow).is_empty());
    }

    #[test]
    fn what_was_on_its_way_before_shows_nothing() {
        let began_before = [1, 2, 3].map(|channel| sent(channel, 0, 40));
        let ended_before = [4, 5, 6].map(|channel| sent(channel, 12, 15));
        let calls: Vec<_> = [wait(9, 10, 20)]
            .into_iter()
            .chain(began_before)
            .chain(ended_before)
            .collect();
        assert!(busy_channels(&calls).is_empty());
    }

    #[test]
    fn two_waits_are_the_bots_whatever_flows() {
        let calls: Vec<_> = [wait(8, 10, 20), wait(9, 10, 20)]
            .into_iter()
            .chain([1, 2, 3].map(|channel| sent(channel, 20, 40)))
            .collect();
        assert!(busy_channels(&calls).is_empty());
    }

    #[test]
    fn another_bots_messages_show_nothing() {
        let others = [1, 2, 3].map(|channel| Called {
            bot_id: Uuid::from_u128(2),
            ..sent(channel, 20, 40)
        });
        let calls: Vec<_> = [wait(9, 10, 20)].into_iter().chain(others).collect();
        assert!(busy_channels(&calls).is_empty());
    }
}

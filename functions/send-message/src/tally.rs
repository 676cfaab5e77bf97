//! What an invocation came to, for logs and metrics.

use telecast_core::delivery::{Outcome, QUEUE, Settlement};
use telecast_runtime::metrics;

/// Settled messages by what became of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    sent: u64,
    failed: u64,
    uncertain: u64,
    /// Waits that Telegram demanded.
    waits: u64,
}

impl Tally {
    /// Counts settled messages, and logs those that were not sent.
    pub(crate) fn count(&mut self, settled: &[Settlement]) {
        for settlement in settled {
            match &settlement.outcome {
                Outcome::Sent { .. } => self.sent += 1,
                Outcome::Uncertain(_) => self.uncertain += 1,
                Outcome::FloodWait(_) | Outcome::ChatWait(_) => self.waits += 1,
                outcome if outcome.error().is_some() => self.failed += 1,
                _ => {}
            }
            if let Some(error) = settlement.outcome.error() {
                let class: &str = (&settlement.outcome).into();
                tracing::info!(
                    job_id = %settlement.attempt.id,
                    campaign_id = %settlement.campaign_id,
                    channel_id = %settlement.channel_id,
                    class,
                    error,
                    "not sent"
                );
            }
        }
    }

    /// As metrics, if there are any.
    pub(crate) fn report(&self) {
        if *self == Self::default() {
            return;
        }
        tracing::debug!(
            target: metrics::TARGET,
            queue = QUEUE,
            Sent = self.sent,
            Failed = self.failed,
            Uncertain = self.uncertain,
            Waits = self.waits,
            "settled"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use telecast_queue::Fence;
    use uuid::Uuid;

    use super::*;

    fn settlement(outcome: Outcome) -> Settlement {
        Settlement {
            attempt: Fence {
                id: Uuid::nil(),
                retry_count: 0,
                started_on: None,
            },
            campaign_id: Uuid::nil(),
            channel_id: Uuid::nil(),
            attempts: 0,
            has_waited: false,
            moved_to: None,
            outcome,
        }
    }

    #[test]
    fn each_message_is_counted_once() {
        let mut tally = Tally::default();
        let sent = Outcome::Sent {
            message_id: None,
            chat: None,
        };
        tally.count(&[
            settlement(sent),
            settlement(Outcome::Refused("no".to_owned())),
            settlement(Outcome::Uncertain("who knows".to_owned())),
            settlement(Outcome::FloodWait(Duration::from_secs(3))),
            settlement(Outcome::NotTried),
        ]);
        let expected = Tally {
            sent: 1,
            failed: 1,
            uncertain: 1,
            waits: 1,
        };
        assert_eq!(tally, expected);
    }
}

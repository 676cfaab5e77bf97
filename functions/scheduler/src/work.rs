//! Which queues are dispatched, and how.

use std::str::FromStr;

use telecast_runtime::config::{ConfigError, Variables};

/// How a queue's jobs are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// By priority and age, as fast as handlers take them.
    Fetch,
    /// Under the limits of their groups, by the time they are due.
    Limits,
}

/// A queue and its handler.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// The queue's name, which is also the handler's.
    pub queue: &'static str,
    /// How its jobs are taken.
    pub source: Source,
    /// At most so many jobs in one invocation.
    pub batch: u32,
    /// At most so many invocations at once.
    pub concurrency: usize,
}

/// Telecast's own queues.
pub const TELECAST: [Work; 4] = [
    Work {
        queue: "start-campaign",
        source: Source::Fetch,
        batch: 1,
        concurrency: 4,
    },
    Work {
        queue: "send-message",
        source: Source::Limits,
        batch: 100,
        concurrency: 16,
    },
    Work {
        queue: "check-channels",
        source: Source::Limits,
        batch: 20,
        concurrency: 2,
    },
    Work {
        queue: "send-webhook",
        source: Source::Fetch,
        batch: 10,
        concurrency: 2,
    },
];

/// Telecast's queues, with as many invocations at once as QUEUE_CONCURRENCY says.
///
/// # Errors
/// [`ConfigError::Malformed`].
pub fn from_variables(variables: Variables<'_>) -> Result<Vec<Work>, ConfigError> {
    let changes: Concurrency = variables.optional("QUEUE_CONCURRENCY")?.unwrap_or_default();
    let changed = TELECAST.map(|work| Work {
        concurrency: changes.of(work.queue).unwrap_or(work.concurrency),
        ..work
    });
    Ok(changed.into())
}

/// Invocations at once by queue. As text: `send-message=8,start-campaign=2`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Concurrency(Vec<(&'static str, usize)>);

/// A text that is no concurrency.
#[derive(Debug, thiserror::Error)]
#[error("has an entry that is no queue=NUMBER of 1 to 90: {0}; an example is send-message=8")]
struct BadConcurrency(String);

impl Concurrency {
    fn of(&self, queue: &str) -> Option<usize> {
        let (_, concurrency) = self.0.iter().find(|(known, _)| *known == queue)?;
        Some(*concurrency)
    }
}

impl FromStr for Concurrency {
    type Err = BadConcurrency;

    fn from_str(text: &str) -> Result<Self, BadConcurrency> {
        let entry = |entry: &str| {
            let (queue, concurrency) = entry.split_once('=')?;
            let work = TELECAST.iter().find(|work| work.queue == queue.trim())?;
            let concurrency = concurrency.trim().parse().ok()?;
            // cargo lambda's emulator stands still at a hundred.
            (1..=90)
                .contains(&concurrency)
                .then_some((work.queue, concurrency))
        };
        text.split(',')
            .map(|text| entry(text).ok_or_else(|| BadConcurrency(text.to_owned())))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concurrency_is_set_by_queue() {
        let set = |_: &str| Some("send-message=3".to_owned());
        let work = from_variables(Variables::new(&set)).unwrap();
        let of = |queue: &str| work.iter().find(|w| w.queue == queue).unwrap().concurrency;
        assert_eq!((of("send-message"), of("start-campaign")), (3, 4));
    }

    #[test]
    fn what_is_no_concurrency_is_named() {
        for bad in [
            "send-message",
            "send-message=0",
            "send-message=100",
            "other=1",
        ] {
            let error = bad.parse::<Concurrency>().unwrap_err().to_string();
            assert!(error.contains(bad), "{error}");
        }
    }
}

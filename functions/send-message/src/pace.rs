//! A second look at a bot's rate, where messages leave.
//!
//! Limits are charged at dispatch. A process that was held up (a busy machine, a slow
//! database) would send what was dispatched meanwhile in one breath, more in a second
//! than Telegram takes. Here each process spreads it out again.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use uuid::Uuid;

const SECOND: Duration = Duration::from_secs(1);

/// The starts of the last second, by bot.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<HashMap<Uuid, VecDeque<Instant>>>);

impl Pace {
    /// When the next message of a bot may start so that no second sees more than
    /// `rate` of them; that start is taken.
    pub(crate) fn take(&self, bot_id: Uuid, rate: usize) -> Instant {
        let mut starts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        next_start(starts.entry(bot_id).or_default(), rate, Instant::now())
    }
}

fn next_start(starts: &mut VecDeque<Instant>, rate: usize, now: Instant) -> Instant {
    while starts.front().is_some_and(|start| *start + SECOND <= now) {
        starts.pop_front();
    }
    let start = match starts.len().checked_sub(rate.max(1)) {
        Some(before) => (starts[before] + SECOND).max(now),
        None => now,
    };
    starts.push_back(start);
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_one_breath_leaves_at_the_rate() {
        let (mut starts, now) = (VecDeque::new(), Instant::now());
        let waits: Vec<_> = (0..60)
            .map(|_| next_start(&mut starts, 25, now) - now)
            .collect();
        assert_eq!(waits[24], Duration::ZERO);
        assert_eq!((waits[25], waits[49]), (SECOND, SECOND));
        assert_eq!(waits[50], SECOND * 2);
    }

    #[test]
    fn a_steady_stream_is_not_delayed() {
        let (mut starts, begin) = (VecDeque::new(), Instant::now());
        for message in 0..100 {
            let now = begin + Duration::from_millis(40) * message;
            assert_eq!(next_start(&mut starts, 25, now), now);
        }
    }
}

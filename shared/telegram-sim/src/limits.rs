//! Telegram's rates, as pure functions of the time they are given.

use std::collections::VecDeque;

/// A time in microseconds since 1970 by the simulator's clock, or a span of them.
pub type Micros = u64;

/// A second.
pub const SECOND: Micros = 1_000_000;

/// At most `max` calls in any span of `span` microseconds.
#[derive(Debug, Clone)]
pub struct Window {
    max: usize,
    span: Micros,
    admitted: VecDeque<Micros>,
}

impl Window {
    /// A window that has admitted nothing yet.
    pub fn new(max: usize, span: Micros) -> Self {
        Self {
            max,
            span,
            admitted: VecDeque::new(),
        }
    }

    /// Admits a call, or says how long until the next one could be admitted.
    ///
    /// # Errors
    /// The microseconds to wait; nothing is admitted then.
    pub fn admit(&mut self, now: Micros) -> Result<(), Micros> {
        self.has_room(now)?;
        self.admitted.push_back(now);
        Ok(())
    }

    /// Whether a call would be admitted.
    ///
    /// # Errors
    /// The microseconds to wait.
    pub fn has_room(&mut self, now: Micros) -> Result<(), Micros> {
        while self
            .admitted
            .front()
            .is_some_and(|first| first.saturating_add(self.span) <= now)
        {
            self.admitted.pop_front();
        }
        if self.admitted.len() < self.max {
            return Ok(());
        }
        let first = self.admitted.front().copied().unwrap_or(now);
        Err(first.saturating_add(self.span).saturating_sub(now))
    }
}

/// A wait that Telegram demands, and that grows when it is ignored.
#[derive(Debug, Clone, Copy)]
pub struct Flood {
    since: Micros,
    until: Micros,
    seconds: u64,
    longest: u64,
}

impl Default for Flood {
    fn default() -> Self {
        Self::growing_to(3600)
    }
}

/// A call that came during a flood wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// What is to be waited from now, in seconds.
    pub retry_after: u64,
    /// How long ago the wait was first demanded, in microseconds.
    pub held_for: Micros,
}

impl Flood {
    /// Calls that were on their way when the wait was demanded are no offence.
    const GRACE: Micros = SECOND;
    /// A wait that does not grow beyond so many seconds.
    pub fn growing_to(longest: u64) -> Self {
        Self {
            since: 0,
            until: 0,
            seconds: 0,
            longest,
        }
    }

    /// Demands a wait from now.
    pub fn begin(&mut self, now: Micros, seconds: u64) {
        *self = Self {
            since: now,
            until: now.saturating_add(seconds.saturating_mul(SECOND)),
            seconds,
            longest: self.longest,
        };
    }

    /// Whether a call may pass. One that ignores the wait doubles it, from now.
    ///
    /// # Errors
    /// [`Held`], and the call is not to be admitted.
    pub fn admit(&mut self, now: Micros) -> Result<(), Held> {
        if now >= self.until {
            return Ok(());
        }
        let held_for = now.saturating_sub(self.since);
        if held_for > Self::GRACE {
            self.seconds = (self.seconds * 2).clamp(1, self.longest.max(self.seconds));
            self.until = self
                .until
                .max(now.saturating_add(self.seconds.saturating_mul(SECOND)));
        }
        Err(Held {
            retry_after: (self.until - now).div_ceil(SECOND),
            held_for,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_window_admits_its_number_and_says_when_the_next_may_come() {
        let mut window = Window::new(2, SECOND);
        assert_eq!(window.admit(0), Ok(()));
        assert_eq!(window.admit(400_000), Ok(()));
        assert_eq!(window.admit(500_000), Err(500_000));
        assert_eq!(window.admit(1_000_000), Ok(()));
        assert_eq!(window.admit(1_000_001), Err(399_999));
    }

    #[test]
    fn a_flood_lets_nothing_pass_until_its_end() {
        let mut flood = Flood::default();
        flood.begin(0, 30);
        assert_eq!(
            flood.admit(100_000).map_err(|held| held.retry_after),
            Err(30)
        );
        assert_eq!(flood.admit(30 * SECOND), Ok(()));
    }

    #[test]
    fn an_ignored_flood_grows() {
        let mut flood = Flood::default();
        flood.begin(0, 5);
        let retry = |flood: &mut Flood, now| flood.admit(now).map_err(|held| held.retry_after);
        assert_eq!(retry(&mut flood, 2 * SECOND), Err(10));
        assert_eq!(retry(&mut flood, 3 * SECOND), Err(20));
        assert_eq!(retry(&mut flood, 23 * SECOND), Ok(()));
    }

    proptest! {
        #[test]
        fn no_span_holds_more_than_the_window_allows(
            max in 1_usize..5,
            steps in prop::collection::vec(0_u64..700_000, 1..200),
        ) {
            let mut window = Window::new(max, SECOND);
            let mut now = 0;
            let mut admitted = Vec::new();
            for step in steps {
                now += step;
                match window.admit(now) {
                    Ok(()) => admitted.push(now),
                    Err(wait) => prop_assert!(wait > 0 && window.clone().admit(now + wait).is_ok()),
                }
            }
            for (at, first) in admitted.iter().enumerate() {
                let within = admitted[at..].iter().filter(|t| **t < first + SECOND).count();
                prop_assert!(within <= max);
            }
        }
    }
}

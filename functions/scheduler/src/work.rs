//! Which queues are dispatched, and how.

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
pub const TELECAST: [Work; 2] = [
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
];

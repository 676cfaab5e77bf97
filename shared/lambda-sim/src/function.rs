//! A function: how its processes start, those that are idle, and what became of its
//! invocations.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{process::Command, sync::Semaphore};

use crate::instance::Instance;

/// A function as it is set up.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// The program of its processes. The environment that Lambda sets is added.
    pub command: Box<dyn Fn() -> Command + Send + Sync>,
    /// Its processes, and so its invocations, at once (reserved concurrency).
    pub concurrency: usize,
    /// An invocation may take so long; then its process is killed.
    pub timeout: Duration,
    /// How long after its acceptance each Event is delivered. AWS promises once or more,
    /// and promises no time.
    pub deliveries: Vec<Duration>,
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The function answered.
    Answered(String),
    /// The function reported an error.
    Failed(String),
    /// Its process ended, with this code unless by a signal.
    Exited(Option<i32>),
    /// It took too long, and its process was killed.
    TimedOut,
}

/// An invocation that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The function.
    pub function: &'static str,
    /// Its payload.
    pub payload: String,
    /// How it ended.
    pub end: End,
}

/// A function with its processes.
pub(crate) struct Running {
    pub(crate) set_up: Function,
    pub(crate) permits: Arc<Semaphore>,
    idle: Mutex<Vec<Instance>>,
    started: AtomicUsize,
}

impl Running {
    pub(crate) fn new(set_up: Function) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(set_up.concurrency)),
            set_up,
            idle: Mutex::default(),
            started: AtomicUsize::new(0),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Instance>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process that waits, if one does and lives.
    pub(crate) fn take_idle(&self) -> Option<Instance> {
        loop {
            let mut instance = self.idle().pop()?;
            if instance.is_alive() {
                return Some(instance);
            }
        }
    }

    pub(crate) fn put_back(&self, instance: Instance) {
        self.idle().push(instance);
    }

    /// A number for a new process.
    pub(crate) fn next_number(&self) -> usize {
        self.started.fetch_add(1, Ordering::Relaxed)
    }
}

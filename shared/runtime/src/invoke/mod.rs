//! How a handler is reached.

mod in_process;
pub mod lambda_api;

use async_trait::async_trait;

pub use in_process::InProcess;

use crate::handler::{Invocation, InvocationResponse};

/// What became of an invocation, as far as its caller can know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invoked {
    /// The handler ran, and said which queue jobs failed.
    Answered(InvocationResponse),
    /// The handler will run; nobody will say how it went.
    Accepted,
    /// The handler certainly did not run: its queue jobs can go back, uncharged.
    NotStarted {
        /// Why not.
        reason: String,
    },
    /// The handler may have run; expiry decides about its queue jobs.
    Unknown {
        /// What happened.
        reason: String,
    },
}

/// A way to reach handlers.
#[async_trait]
pub trait Invoker: Send + Sync + 'static {
    /// Invokes the handler of the invocation's queue.
    async fn invoke(&self, invocation: Invocation) -> Invoked;
}

//! AWS Lambda on one machine, for tests and benches: it starts functions' processes,
//! serves the Runtime API that they poll, the Invoke API and functions' URLs, and does
//! what AWS does to a process that hangs or dies.
//!
//! - <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
//! - <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>
//!
//! An Event is accepted and waits for its turn; a RequestResponse beyond the function's
//! concurrency is refused with 429. Nothing is retried (MaximumRetryAttempts 0). A process
//! that outlives its time-out is killed; the next invocation starts another.
#![forbid(unsafe_code)]

mod function;
mod instance;
mod invoke;
mod runtime;
mod server;
mod url;

pub use function::{End, Function, Invocation};
pub use server::LambdaSim;

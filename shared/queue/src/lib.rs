//! A job queue in PostgreSQL, on pg-boss's own tables: Rust and Node clients share
//! the same queues, and pg-boss's dashboard shows them.
#![forbid(unsafe_code)]

mod cancel;
mod complete;
mod delete;
mod error;
mod fail;
mod fetch;
mod find;
mod insert;
mod job;
pub mod limits;
mod queue;
mod queues;
mod release;
mod resume;
mod retry;
mod schema;
mod send;
mod settle;
mod touch;
mod validate;

pub use error::Error;
pub use fail::Failure;
pub use fetch::{Fetch, GroupConcurrency};
pub use find::Find;
pub use insert::NewJob;
pub use job::{Fence, Job, JobRef, State};
pub use queue::Queue;
pub use queues::{Policy, QueueInfo, QueueOptions};
pub use schema::{SCHEMA_SQL, VERSIONS};
pub use send::{JobOptions, Send, Sent, StartAfter};
pub use settle::Settled;

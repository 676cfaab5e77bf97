//! The scheduler: fetches due queue jobs, under their limits, and invokes handlers.
//!
//! [`Scheduler::run`] is all of it; how long it runs, and whether it leaves when it
//! is idle, is what tells a Lambda's tick from a process's loop.
#![forbid(unsafe_code)]

mod error;
mod lane;
mod report;
mod scheduler;
mod upkeep;
pub mod work;

pub use error::Error;
pub use report::lateness;
pub use scheduler::{Ended, Scheduler, Until};
pub use work::{Source, TELECAST, Work};

#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod cancel;
mod complete;
mod connection;
mod delete;
mod error;
mod fail;
mod fetch;
mod find;
mod flow;
mod insert;
mod job;
pub mod limits;
mod list;
mod listen;
mod pubsub;
mod queue;
mod queues;
mod redrive;
mod release;
mod resume;
mod retry;
mod schedule;
mod schema;
mod send;
mod sender;
mod settle;
mod touch;
mod update;
mod upkeep;
mod validate;
mod wire;
mod worker;

pub use connection::{Connection, Session};
pub use error::Error;
pub use fail::Failure;
pub use fetch::{Fetch, GroupConcurrency};
pub use find::Find;
pub use flow::{Dependency, FlowJob};
pub use insert::NewJob;
pub use job::{Fence, Job, JobRef, State};
pub use listen::Listener;
pub use queue::Queue;
pub use queues::{Empty, Policy, QueueChange, QueueInfo, QueueOptions, QueueStats};
pub use redrive::Redrive;
pub use schedule::{
    BrokenSchedule, CRON_INTERVAL, CronPass, Missed, NewSchedule, Schedule, occurrences,
};
pub use schema::{SCHEMA_SQL, VERSIONS};
pub use send::{JobOptions, Send, Sent, StartAfter};
pub use sender::Sender;
pub use settle::Settled;
pub use update::{Change, Match, Upserted, Which};
pub use upkeep::{Upkeep, UpkeepPass};
pub use worker::{Handled, Worker};

//! Message jobs: planned, claimed, settled. The promise lives here: a message is
//! never lost, and never sent twice unless the operator said so.

mod again;
mod claim;
mod context;
mod counts;
mod late;
mod media_files;
mod outcome;
mod pauses;
mod plan;
mod settle;
mod settle_channels;
mod settle_queue;
mod stranded;

pub(crate) use again::send_again;
pub use claim::{Claim, Decision, claim};
pub use context::{Context, contexts};
pub use media_files::{FileChanges, MediaUrl, change_files, known_files};
pub use outcome::{ChannelEffect, Effect, MessageStatus, Outcome, QueueEffect, ToldChat, effect};
pub use plan::{Planned, plan};
pub use settle::{Settlement, settle};
pub use stranded::settle_stranded;

/// The queue of the handler that delivers message jobs. The id of a queue job is
/// the id of its message job.
pub const QUEUE: &str = "send-message";

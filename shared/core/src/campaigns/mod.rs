//! Campaigns: one template to one batch of channels, at a chosen rate.

mod act;
mod create;
mod pace;
mod read;
mod resume;
mod status;

pub use act::{act, start_queue_name};
pub use create::{CampaignPatch, NewCampaign, OnUncertain, create, update};
pub use pace::{bot_limit_id, group_id, limit_of_rate};
pub use read::{Campaign, CampaignFilter, Counts, get, list};
pub use resume::resume_due;
pub use status::{Action, PauseReason, Status, next_status};

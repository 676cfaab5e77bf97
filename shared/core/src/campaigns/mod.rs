//! Campaigns: one template to one batch of channels, at a chosen rate.

mod act;
mod create;
mod mode;
mod pace;
mod read;
mod resume;
mod status;

pub use act::{START_QUEUE, act};
pub use create::{CampaignPatch, NewCampaign, OnUncertain, create, update};
pub use mode::Mode;
pub(crate) use pace::set_limits;
pub use pace::{
    bot_limit_id, chat_limit_id, group_id, limit_of_bot, limit_of_rate, remove_idle_limits,
};
pub use read::{Campaign, Counts, get, list};
pub use resume::resume_due;
pub use status::{Action, PauseReason, Status, next_status};

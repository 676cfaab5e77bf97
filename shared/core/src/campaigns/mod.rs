//! Campaigns: one template to one batch of channels, at a chosen rate.

mod act;
mod activity;
mod copy;
mod create;
mod mode;
mod pace;
mod quiet_hours;
mod ramp;
mod read;
mod recur;
mod resume;
mod settings;
mod status;
pub mod timetable;
mod update;
mod waiting;

pub use act::{START_QUEUE, act};
pub use activity::{Activity, ErrorCount, Minute, activity, rate_now};
pub use copy::{NewSplit, Split, clone, split};
pub use create::{NewCampaign, OnUncertain, create};
pub use mode::Mode;
pub use pace::{
    bot_limit_id, chat_limit_id, group_id, limit_of_bot, limit_of_group, limit_of_rate,
    remove_idle_limits,
};
pub(crate) use pace::{set_bot_limit, set_group_chat_limits, set_limits};
pub use quiet_hours::{QuietHours, hold_quiet};
pub(crate) use ramp::slow_down;
pub use ramp::speed_up;
pub use read::{Campaign, Counts, get, list};
pub use recur::{Occurrence, occur};
pub use resume::{fail_unstarted, resume_due};
pub use status::{Action, PauseReason, Status, next_status};
pub use update::{CampaignPatch, update};
pub use waiting::oldest_due;

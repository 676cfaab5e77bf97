//! What webhooks can hear.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// Something that befell a campaign.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
pub enum Event {
    /// An operator or a schedule started it.
    #[serde(rename = "campaign.started")]
    #[strum(serialize = "campaign.started")]
    Started,
    /// It is paused; the campaign's `pauseReason` says why.
    #[serde(rename = "campaign.paused")]
    #[strum(serialize = "campaign.paused")]
    Paused,
    /// It goes on.
    #[serde(rename = "campaign.resumed")]
    #[strum(serialize = "campaign.resumed")]
    Resumed,
    /// Every message job is terminal.
    #[serde(rename = "campaign.completed")]
    #[strum(serialize = "campaign.completed")]
    Completed,
    /// An operator stopped it.
    #[serde(rename = "campaign.cancelled")]
    #[strum(serialize = "campaign.cancelled")]
    Cancelled,
    /// It could not be planned.
    #[serde(rename = "campaign.failed")]
    #[strum(serialize = "campaign.failed")]
    Failed,
    /// It came too late to begin.
    #[serde(rename = "campaign.missed")]
    #[strum(serialize = "campaign.missed")]
    Missed,
    /// Telegram asked its bot to wait; `details` says how long.
    #[serde(rename = "campaign.flood")]
    #[strum(serialize = "campaign.flood")]
    Flood,
}

impl Event {
    /// The event of a deed in the audit log, if it is one.
    pub(crate) fn of_action(action: &str) -> Option<Self> {
        Some(match action {
            "CAMPAIGN_STARTED" => Self::Started,
            "CAMPAIGN_PAUSED" => Self::Paused,
            "CAMPAIGN_RESUMED" => Self::Resumed,
            "CAMPAIGN_COMPLETED" => Self::Completed,
            "CAMPAIGN_CANCELLED" => Self::Cancelled,
            "CAMPAIGN_FAILED" => Self::Failed,
            "CAMPAIGN_MISSED" => Self::Missed,
            "FLOOD_WAIT_TRIGGERED" => Self::Flood,
            _ => return None,
        })
    }
}

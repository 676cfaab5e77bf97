//! A campaign's states, and the one place where an operator's action moves it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::{Error, Result};

/// What a campaign is doing.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
    JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum Status {
    /// Being written; nothing is planned.
    Draft,
    /// Started; the start-campaign handler has yet to plan it.
    Queued,
    /// Message jobs are being sent.
    Running,
    /// Message jobs wait; the pause reason says for what.
    Paused,
    /// Every message job is terminal.
    Completed,
    /// Stopped by an operator; what was not sent never will be.
    Cancelled,
    /// Could not be planned.
    Failed,
    /// The start came later than the campaign allows.
    Missed,
}

impl Status {
    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Cancelled | Self::Failed | Self::Missed
        )
    }
}

/// Why a campaign is paused.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
    JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum PauseReason {
    /// An operator paused it; an operator resumes it.
    Operator,
    /// Telegram told its bot to wait; it resumes by itself.
    FloodWait,
    /// Telegram told its bot to wait too often; an operator decides.
    TooManyFloods,
    /// Telegram refused the message itself: it would fail everywhere.
    MessageRejected,
    /// Telegram refused the bot.
    BotRejected,
}

/// What an operator can do to a campaign.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, IntoStaticStr, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Action {
    /// Plan it and begin to send.
    Start,
    /// Send nothing more until it is resumed.
    Pause,
    /// Go on.
    Resume,
    /// Stop for good.
    Cancel,
    /// Send once more what failed, to channels that can still be written to.
    RetryFailed,
    /// Send once more what Telegram may or may not have accepted: perhaps twice.
    ResendUncertain,
}

/// The state to which `action` takes a campaign that is `status`; `planned` tells
/// whether its message jobs exist. A flood wait can be paused by hand: the manual
/// pause then outlasts it.
pub fn next_status(
    status: Status,
    reason: Option<PauseReason>,
    planned: bool,
    action: Action,
) -> Result<Status> {
    match (action, status) {
        (Action::Start, Status::Draft) => Ok(Status::Queued),
        (Action::Pause, Status::Queued | Status::Running) => Ok(Status::Paused),
        (Action::Pause, Status::Paused) if reason == Some(PauseReason::FloodWait) => {
            Ok(Status::Paused)
        }
        (Action::Resume, Status::Paused) if reason == Some(PauseReason::FloodWait) => {
            Err(Error::conflict(
                "FLOOD_WAIT",
                "Telegram asked this bot to wait; the campaign resumes by itself when that is over",
            ))
        }
        (Action::Resume, Status::Paused) if planned => Ok(Status::Running),
        (Action::Resume, Status::Paused) => Ok(Status::Queued),
        (Action::RetryFailed | Action::ResendUncertain, Status::Running | Status::Paused) => {
            Ok(status)
        }
        (Action::RetryFailed | Action::ResendUncertain, Status::Completed) => Ok(Status::Running),
        (Action::Cancel, status) if !status.is_final() => Ok(Status::Cancelled),
        _ => Err(Error::conflict(
            "ILLEGAL_TRANSITION",
            format!("a campaign that is {status} cannot {action}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(status: Status, action: Action) -> Option<Status> {
        let reason = (status == Status::Paused).then_some(PauseReason::Operator);
        next_status(status, reason, true, action).ok()
    }

    #[test]
    fn each_action_is_legal_in_its_states_and_no_other() {
        use Status::*;
        for &status in Status::VARIANTS {
            assert_eq!(next(status, Action::Start).is_some(), status == Draft);
            assert_eq!(
                next(status, Action::Pause).is_some(),
                matches!(status, Queued | Running)
            );
            assert_eq!(next(status, Action::Resume).is_some(), status == Paused);
            assert_eq!(next(status, Action::Cancel).is_some(), !status.is_final());
            for again in [Action::RetryFailed, Action::ResendUncertain] {
                assert_eq!(
                    next(status, again).is_some(),
                    matches!(status, Running | Paused | Completed)
                );
            }
        }
    }

    #[test]
    fn a_manual_pause_outlasts_a_flood_wait() {
        let flood = Some(PauseReason::FloodWait);
        assert_eq!(
            next_status(Status::Paused, flood, true, Action::Pause).unwrap(),
            Status::Paused
        );
        assert!(next_status(Status::Paused, flood, true, Action::Resume).is_err());
    }

    #[test]
    fn a_campaign_paused_before_its_plan_goes_back_to_the_queue() {
        let reason = Some(PauseReason::Operator);
        assert_eq!(
            next_status(Status::Paused, reason, false, Action::Resume).unwrap(),
            Status::Queued
        );
    }
}

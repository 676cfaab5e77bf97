//! Whom a campaign reaches.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

/// Whom a campaign reaches.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Mode {
    /// The channels of its batch.
    #[default]
    Live,
    /// The operator's own chat: each channel's message goes there instead.
    Test,
    /// Nobody: each message is planned, claimed and filled in, and skipped in the end.
    DryRun,
}

//! Hours of the day in which a campaign sends nothing.

use chrono::NaiveTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{GenericClient, Row};

use super::settings::is_timezone;
use crate::{Error, Result};

/// From a time of the day until another, each day; over midnight where `from` is later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuietHours {
    /// Nothing leaves from then on, as `HH:MM`.
    #[serde(with = "hour_minute")]
    #[schemars(with = "String", regex(pattern = r"^([01]\d|2[0-3]):[0-5]\d$"))]
    pub from: NaiveTime,
    /// Messages leave again from then on, as `HH:MM`.
    #[serde(with = "hour_minute")]
    #[schemars(with = "String", regex(pattern = r"^([01]\d|2[0-3]):[0-5]\d$"))]
    pub to: NaiveTime,
    /// The IANA time zone of both, such as `Europe/Berlin`.
    pub timezone: String,
}

impl QuietHours {
    /// They leave some time to send, and their time zone exists.
    pub(super) fn check(&self) -> Result<()> {
        if self.from == self.to {
            return Err(Error::invalid(
                "quietHours.to",
                "must differ from quietHours.from: nothing could ever be sent",
            ));
        }
        if !is_timezone(&self.timezone) {
            return Err(Error::invalid(
                "quietHours.timezone",
                format!(
                    "is {:?}; must be an IANA time zone, such as Europe/Berlin",
                    self.timezone
                ),
            ));
        }
        Ok(())
    }

    /// From the columns quiet_from, quiet_to and quiet_zone.
    pub(super) fn from_row(row: &Row) -> Result<Option<Self>> {
        let Some(timezone) = row.try_get("quiet_zone")? else {
            return Ok(None);
        };
        Ok(Some(Self {
            from: row.try_get("quiet_from")?,
            to: row.try_get("quiet_to")?,
            timezone,
        }))
    }
}

/// Holds the campaigns whose quiet hours began, until they end. A claim refuses what was
/// dispatched before this was called.
pub async fn hold_quiet(client: &impl GenericClient) -> Result<u64> {
    Ok(client
        .execute_typed(include_str!("hold_quiet.sql"), &[])
        .await?)
}

mod hour_minute {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const FORMAT: &str = "%H:%M";

    pub(super) fn serialize<S: Serializer>(
        time: &NaiveTime,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&time.format(FORMAT))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        NaiveTime::parse_from_str(&text, FORMAT)
            .map_err(|_| D::Error::custom(format!("{text:?} is no time of the day like 22:00")))
    }
}

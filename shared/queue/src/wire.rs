//! Job options as JSON: pg-boss's names and units.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::{JobOptions, StartAfter};

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wire {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_after: Option<Start>,
    #[serde(skip_serializing_if = "Option::is_none")]
    singleton_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    singleton_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    singleton_next_slot: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<Group>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_in_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_after_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_delay: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_backoff: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_delay_max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat_seconds: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct Group {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Start {
    Seconds(f64),
    At(DateTime<Utc>),
    Text(String),
}

impl Serialize for JobOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seconds = |value: Option<Duration>| value.map(|value| value.as_secs_f64());
        Wire {
            id: self.id,
            priority: (self.priority != 0).then_some(self.priority),
            start_after: self.start_after.clone().map(|start| match start {
                StartAfter::At(time) => Start::At(time),
                StartAfter::In(delay) => Start::Seconds(delay.as_secs_f64()),
                StartAfter::Text(text) => Start::Text(text),
            }),
            singleton_key: self.singleton_key.clone(),
            singleton_seconds: self.singleton_seconds,
            singleton_next_slot: self.singleton_next_slot.then_some(true),
            group: self.group_id.clone().map(|id| Group {
                id,
                tier: self.group_tier.clone(),
            }),
            expire_in_seconds: seconds(self.expire_in),
            delete_after_seconds: seconds(self.delete_after),
            retention_seconds: seconds(self.retention),
            retry_limit: self.retry_limit,
            retry_delay: seconds(self.retry_delay),
            retry_backoff: self.retry_backoff,
            retry_delay_max: seconds(self.retry_delay_max),
            dead_letter: self.dead_letter.clone(),
            heartbeat_seconds: seconds(self.heartbeat),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JobOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let seconds = |name: &str, value: Option<f64>| {
            value
                .map(Duration::try_from_secs_f64)
                .transpose()
                .map_err(|error| serde::de::Error::custom(format!("{name}: {error}")))
        };
        let (group_id, group_tier) = wire.group.map(|g| (Some(g.id), g.tier)).unwrap_or_default();
        Ok(Self {
            id: wire.id,
            priority: wire.priority.unwrap_or_default(),
            start_after: match wire.start_after {
                // pg-boss takes a delay of zero or less for none.
                Some(Start::Seconds(delay)) if delay <= 0.0 => None,
                Some(Start::Seconds(delay)) => {
                    seconds("startAfter", Some(delay))?.map(StartAfter::In)
                }
                Some(Start::At(time)) => Some(StartAfter::At(time)),
                Some(Start::Text(text)) => Some(StartAfter::Text(text)),
                None => None,
            },
            singleton_key: wire.singleton_key,
            singleton_seconds: wire.singleton_seconds,
            singleton_next_slot: wire.singleton_next_slot.unwrap_or_default(),
            singleton_on: None,
            group_id,
            group_tier,
            expire_in: seconds("expireInSeconds", wire.expire_in_seconds)?,
            delete_after: seconds("deleteAfterSeconds", wire.delete_after_seconds)?,
            retention: seconds("retentionSeconds", wire.retention_seconds)?,
            retry_limit: wire.retry_limit,
            retry_delay: seconds("retryDelay", wire.retry_delay)?,
            retry_backoff: wire.retry_backoff,
            retry_delay_max: seconds("retryDelayMax", wire.retry_delay_max)?,
            dead_letter: wire.dead_letter,
            heartbeat: seconds("heartbeatSeconds", wire.heartbeat_seconds)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn options_are_the_same_after_json() {
        let options = JobOptions {
            priority: 2,
            start_after: Some(StartAfter::In(Duration::from_secs(3))),
            group_id: Some("g".to_owned()),
            retry_delay: Some(Duration::from_secs(4)),
            ..JobOptions::default()
        };
        let json = serde_json::to_value(&options).unwrap();
        assert_eq!(
            json,
            json!({"priority": 2, "startAfter": 3.0, "group": {"id": "g"}, "retryDelay": 4.0})
        );
        assert_eq!(serde_json::from_value::<JobOptions>(json).unwrap(), options);
    }

    #[test]
    fn what_is_not_known_is_left_out_and_what_is_wrong_is_named() {
        let options: JobOptions = serde_json::from_value(json!({"tz": "UTC", "key": ""})).unwrap();
        assert_eq!(options, JobOptions::default());
        let error = serde_json::from_value::<JobOptions>(json!({"retryDelay": -1})).unwrap_err();
        assert!(error.to_string().starts_with("retryDelay"), "{error}");
    }
}

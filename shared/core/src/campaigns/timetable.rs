//! When which message of a campaign would go, before there is a campaign.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, Utc};
use tokio_postgres::{GenericClient, types::Type};

use super::{QuietHours, limit_of_bot, limit_of_rate};
use crate::Result;

/// Lines of a timetable, at most, after the first message's.
const LINES: u32 = 10;

/// From one message to the next, of a campaign at `rate` a minute by a bot at `bot_rate`
/// a second: the slower decides.
pub fn step(rate: i32, bot_rate: i32) -> Duration {
    limit_of_rate(rate).step.max(limit_of_bot(bot_rate).step)
}

/// The messages, counted from 1, that get a line of the timetable: the first, the last,
/// and some between.
pub fn lines(messages: u32) -> BTreeSet<u32> {
    let tenths = (1..=LINES).map(|line| {
        let message = u64::from(messages) * u64::from(line) / u64::from(LINES);
        u32::try_from(message).unwrap_or(messages).max(1)
    });
    std::iter::once(1).chain(tenths).collect()
}

/// When the messages at these places, counted from 0, would go if the first went at
/// `start`: none in quiet hours, by the rule that plans campaigns.
pub async fn times(
    client: &impl GenericClient,
    start: DateTime<Utc>,
    step: Duration,
    places: &[i64],
    quiet: Option<&QuietHours>,
) -> Result<Vec<DateTime<Utc>>> {
    client
        .query_typed(
            include_str!("timetable.sql"),
            &[
                (&start, Type::TIMESTAMPTZ),
                (&step.as_secs_f64(), Type::FLOAT8),
                (&places, Type::INT8_ARRAY),
                (&quiet.map(|hours| hours.from), Type::TIME),
                (&quiet.map(|hours| hours.to), Type::TIME),
                (&quiet.map(|hours| &hours.timezone), Type::TEXT),
            ],
        )
        .await?
        .iter()
        .map(|row| Ok(row.try_get("at")?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hundred_messages_at_ten_a_minute_end_at_twenty_minutes_within_a_percent() {
        let end = (step(10, 25) * 200).as_secs_f64();
        assert!((end - 1_200.0).abs() <= 12.0, "{end}");
    }

    #[test]
    fn a_bot_slows_a_campaign_that_is_faster() {
        assert_eq!(step(60_000, 25), limit_of_bot(25).step);
        assert_eq!(step(20, 25), limit_of_rate(20).step);
    }

    #[test]
    fn the_first_and_the_last_message_are_shown_and_few_between() {
        assert_eq!(lines(1), BTreeSet::from([1]));
        assert_eq!(lines(3), BTreeSet::from([1, 2, 3]));
        let many = lines(1_000_000);
        assert_eq!((many.first(), many.last()), (Some(&1), Some(&1_000_000)));
        assert_eq!(many.len(), 11);
    }
}

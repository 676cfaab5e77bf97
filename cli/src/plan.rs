//! The timetable of a campaign that does not exist: when which message would go.

use std::{collections::BTreeSet, process::ExitCode, time::Duration};

use anyhow::Result;
use chrono::{DateTime, SecondsFormat, Utc};
use telecast_core::campaigns::{limit_of_bot, limit_of_rate};

use crate::args::Plan;

/// Lines of the timetable, at most, after the first message's.
const LINES: u32 = 10;

/// Prints the timetable and the end; reads and sends nothing.
pub(crate) fn run(plan: &Plan) -> Result<ExitCode> {
    let start = plan.start.unwrap_or_else(Utc::now);
    let step = step(plan.rate, plan.bot_rate);
    let per_minute = 60.0 / step.as_secs_f64();
    println!(
        "{} messages, {per_minute:.1} a minute, each up to a fifth of {:.3} s earlier or later",
        plan.channels,
        step.as_secs_f64()
    );
    if limit_of_bot(plan.bot_rate).step > limit_of_rate(plan.rate).step {
        println!("the bot's {} a second are the limit", plan.bot_rate);
    }
    println!();
    for message in shown(plan.channels) {
        println!("{message:>9}  {}", text(start + step * (message - 1)));
    }
    println!("\n     done  {}", text(start + step * plan.channels));
    Ok(ExitCode::SUCCESS)
}

/// From one message to the next: the slower of the campaign and its bot decides.
fn step(rate: i32, bot_rate: i32) -> Duration {
    limit_of_rate(rate).step.max(limit_of_bot(bot_rate).step)
}

/// The messages that get a line, counted from 1: the first, the last, and some between.
fn shown(channels: u32) -> BTreeSet<u32> {
    let tenths = (1..=LINES).map(|line| {
        let message = u64::from(channels) * u64::from(line) / u64::from(LINES);
        u32::try_from(message).unwrap_or(channels).max(1)
    });
    std::iter::once(1).chain(tenths).collect()
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
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
        assert_eq!(shown(1), BTreeSet::from([1]));
        assert_eq!(shown(3), BTreeSet::from([1, 2, 3]));
        let many = shown(1_000_000);
        assert_eq!((many.first(), many.last()), (Some(&1), Some(&1_000_000)));
        assert_eq!(many.len(), 11);
    }
}

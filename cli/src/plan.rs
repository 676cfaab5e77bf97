//! The timetable of a campaign that does not exist: when which message would go.

use std::process::ExitCode;

use anyhow::Result;
use chrono::{DateTime, SecondsFormat, Utc};
use telecast_core::campaigns::{limit_of_bot, limit_of_rate, timetable};

use crate::args::Plan;

/// Prints the timetable and the end; reads and sends nothing.
pub(crate) fn run(plan: &Plan) -> Result<ExitCode> {
    let start = plan.start.unwrap_or_else(Utc::now);
    let step = timetable::step(plan.rate, plan.bot_rate);
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
    for message in timetable::lines(plan.channels) {
        println!("{message:>9}  {}", text(start + step * (message - 1)));
    }
    println!("\n     done  {}", text(start + step * plan.channels));
    Ok(ExitCode::SUCCESS)
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

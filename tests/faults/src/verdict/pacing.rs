//! Invariants of pacing: holds, pauses, rates.

use std::collections::HashMap;

use anyhow::Result;
use tokio_postgres::Client;

use super::{Check, Evidence, Row, SECOND};
use crate::{
    operators::{Campaign, Deed},
    stack::LEASE,
    telegram::Call,
};

/// A call that came later than this after its dispatch was held up by a fault.
const PROMPT: u64 = SECOND;

/// What was under way when a hold was written, or was dispatched just before, may come
/// within a lease.
pub(super) async fn holds(client: &Client, evidence: &Evidence<'_>) -> Result<Check> {
    let grace = LEASE.as_micros() as u64;
    let rows = client
        .query(
            "SELECT (extract(epoch FROM at) * 1000000)::bigint AS at FROM faults.holds ORDER BY at",
            &[],
        )
        .await?;
    let written: Vec<u64> = rows
        .iter()
        .map(|row| row.get::<_, i64>("at").unsigned_abs())
        .collect();
    let began = |call: &Call| call.held_for.map(|held| call.at - held);
    let held: Vec<(&Call, u64)> = evidence
        .calls
        .iter()
        .filter_map(|call| {
            let told = told(evidence.calls, began(call)?);
            Some((call, known(&written, told)))
        })
        .collect();
    Ok(Check {
        name: "no send in a hold (grace: one lease)",
        look: "core::delivery::pauses (was the hold written?), queue::limits::dispatch",
        seen: format!("{} calls in holds", held.len()),
        broken: held
            .iter()
            .filter(|(call, known)| evidence.left(call) > known + grace)
            .map(|(call, known)| format!("{} came {} µs into a hold", call.text, call.at - known))
            .collect(),
    })
}

/// When the hold was written that a bot was told of then; at once where none was.
fn known(written: &[u64], told: u64) -> u64 {
    let later = written.iter().copied().find(|at| *at >= told);
    later.unwrap_or(told)
}

/// When a bot was first told of the hold that began then: a flood may begin while nobody
/// writes.
fn told(calls: &[Call], began: u64) -> u64 {
    let is_of_it = |call: &&Call| (call.at - call.held_for.unwrap_or(0)).abs_diff(began) <= 1;
    let told = calls.iter().filter(is_of_it).map(|call| call.at).min();
    told.unwrap_or(began)
}

/// From a pause or a cancellation that the API confirmed until somebody asks to resume. What
/// was under way may complete a paused campaign, which a new try of messages then lets run.
pub(super) async fn pauses(client: &Client, evidence: &Evidence<'_>) -> Result<Check> {
    let rows = client
        .query(
            "SELECT campaign_id::text AS id, (extract(epoch FROM at) * 1000000)::bigint AS at
             FROM faults.changes
             WHERE status_before = 'PAUSED'
               AND status = 'COMPLETED'",
            &[],
        )
        .await?;
    let completed: Vec<(String, u64)> = rows
        .iter()
        .map(|row| (row.get("id"), row.get::<_, i64>("at").unsigned_abs()))
        .collect();
    let grace = LEASE.as_micros() as u64;
    let (mut spans, mut broken) = (0, Vec::new());
    for campaign in evidence.campaigns {
        let stops = |deed: &&Deed| matches!(deed.action, "pause" | "cancel");
        for (at, deed) in campaign.deeds.iter().enumerate().filter(|(_, d)| stops(d)) {
            let Some(done) = deed.done else { continue };
            spans += 1;
            let later = campaign.deeds[at + 1..].iter();
            let resumed = later
                .filter(|deed| deed.action == "resume")
                .map(|deed| deed.asked);
            let own = completed.iter().filter(|(id, _)| *id == campaign.id);
            let completed = own.map(|(_, at)| *at).filter(|at| *at > done);
            let over = resumed.chain(completed).min().unwrap_or(u64::MAX);
            let prefix = format!("{} ", campaign.name);
            let calls = evidence.calls.iter().filter(|call| {
                let left = evidence.left(call);
                call.text.starts_with(&prefix) && left > done + grace && call.at < over
            });
            broken.extend(calls.map(|call| {
                let late = (evidence.left(call) - done) / 1_000;
                format!("{} came {late} ms after {}", call.text, deed.action)
            }));
        }
    }
    Ok(Check {
        name: "no send in a pause (grace: one lease)",
        look: "claim.sql (NOT_RUNNING), `last_start` in send-message, the handlers' clocks",
        seen: format!("{spans} pauses and cancellations"),
        broken,
    })
}

/// By the database: no window of dispatches above the highest rate in force in it, and a
/// burst.
pub(super) fn dispatches(rows: &[Row], evidence: &Evidence<'_>) -> Check {
    let times = |campaign: &Campaign| {
        rows.iter()
            .filter(|row| row.campaign == campaign.name)
            .flat_map(|row| row.dispatches.iter().copied())
            .collect()
    };
    let (fullest, broken) = windows(evidence, times, SECOND / 4);
    Check {
        name: "dispatches: no window above rate + burst",
        look: "limits/dispatch.sql; who else wrote `limits` at that time (pace, slow_down, resume)",
        seen: format!("the fullest: {fullest:.0} % of what is allowed"),
        broken,
    }
}

/// By the ledger: the same for calls, but for those that a fault held up; and each call has
/// its dispatch.
pub(super) fn calls(rows: &[Row], evidence: &Evidence<'_>) -> Check {
    let dispatches: HashMap<String, &[u64]> = rows
        .iter()
        .map(|row| (row.text(), row.dispatches.as_slice()))
        .collect();
    let mut undispatched = Vec::new();
    let mut prompt: Vec<&Call> = Vec::new();
    let is_message = |call: &&Call| !call.text.is_empty();
    for call in evidence.calls.iter().filter(is_message) {
        let before = dispatches.get(&call.text).copied().unwrap_or_default();
        // The one that brought it is among those before; the newest is the kindest guess.
        match before.iter().rev().find(|at| **at <= call.at) {
            Some(at) if call.at - at <= PROMPT => prompt.push(call),
            Some(_) => {}
            None => undispatched.push(format!("{} was never dispatched", call.text)),
        }
    }
    let times = |campaign: &Campaign| {
        let prefix = format!("{} ", campaign.name);
        let own = prompt.iter().filter(|call| call.text.starts_with(&prefix));
        own.map(|call| call.at).collect()
    };
    let (fullest, mut broken) = windows(evidence, times, PROMPT);
    broken.extend(undispatched);
    let held_up = evidence.calls.len() - prompt.len();
    Check {
        name: "ledger: no window above rate + burst",
        look: "whether dispatches hold: if so, what sends without one or delays by a second unevenly",
        seen: format!(
            "the fullest: {fullest:.0} %; {held_up} of {} calls were held up",
            evidence.calls.len()
        ),
        broken,
    }
}

/// How full the fullest window of 1 to 60 s was, in percent, and those that were too full.
/// `slack` is how unevenly, in microseconds, times may have been delayed.
fn windows(
    evidence: &Evidence<'_>,
    times: impl Fn(&Campaign) -> Vec<u64>,
    slack: u64,
) -> (f64, Vec<String>) {
    let (mut fullest, mut broken) = (0.0_f64, Vec::new());
    for campaign in evidence.campaigns {
        let mut times = times(campaign);
        times.sort_unstable();
        for seconds in [1, 2, 5, 20, 60] {
            let span = seconds * SECOND;
            for (first, start) in times.iter().enumerate() {
                let count = times[first..].partition_point(|at| at - start < span);
                let rate = campaign.highest_rate(*start, start + span);
                let per_microsecond = f64::from(rate) / 60.0 / SECOND as f64;
                let allowed = per_microsecond * (span + slack) as f64 + 5.0;
                fullest = fullest.max(count as f64 / allowed);
                if count as f64 > allowed {
                    let name = &campaign.name;
                    broken.push(format!(
                        "{name}: {count} in {seconds} s from {start} at {rate} a minute"
                    ));
                    break;
                }
            }
        }
    }
    (fullest * 100.0, broken)
}

impl Campaign {
    /// The highest rate that may have been in force in a span.
    fn highest_rate(&self, from: u64, to: u64) -> u32 {
        let mut in_force = vec![self.rate];
        for deed in &self.deeds {
            let Some(rate) = deed.rate else { continue };
            if deed.asked > to {
                break;
            }
            if deed.done.is_some_and(|done| done < from) {
                in_force.clear();
            }
            in_force.push(rate);
        }
        in_force.into_iter().max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(at: u64, held_for: Option<u64>) -> Call {
        Call {
            at,
            text: String::new(),
            message_id: None,
            held_for,
        }
    }

    #[test]
    fn a_hold_is_known_when_it_is_written() {
        assert_eq!(known(&[100, 900, 2_000], 500), 900);
        assert_eq!(known(&[100], 500), 500);
    }

    #[test]
    fn a_hold_counts_from_the_first_call_that_was_told() {
        let demanded = [call(100, None), call(700, Some(600))];
        assert_eq!(told(&demanded, 100), 100);
        let flood = [call(40, None), call(500, Some(400)), call(700, Some(600))];
        assert_eq!(told(&flood, 100), 500);
    }
}

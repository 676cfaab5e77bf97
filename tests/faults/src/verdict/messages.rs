//! Invariants of messages: each ends, none is lost, none comes twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;
use tokio_postgres::Client;

use super::{Check, Evidence, Row};

pub(super) fn terminal(rows: &[Row], evidence: &Evidence<'_>) -> Check {
    let ends = ["SENT", "FAILED", "SKIPPED", "UNCERTAIN", "CANCELLED"];
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(&row.status).or_default() += 1;
    }
    let open = rows
        .iter()
        .filter(|row| !ends.contains(&row.status.as_str()));
    let mut broken: Vec<String> = open
        .map(|row| format!("{} is {}; {}", row.text(), row.status, row.details))
        .collect();
    broken.extend(evidence.unfinished.iter().cloned());
    for campaign in evidence.campaigns {
        let known: BTreeSet<&str> = rows
            .iter()
            .filter(|row| row.campaign == campaign.name)
            .map(|row| row.channel.as_str())
            .collect();
        // One that was cancelled before it was planned has none.
        let is_cancelled = campaign.was_asked("cancel");
        if known.len() != campaign.channels.len() && !(is_cancelled && known.is_empty()) {
            let (known, all) = (known.len(), campaign.channels.len());
            broken.push(format!("{}: {known} of {all} are there", campaign.name));
        }
    }
    Check {
        name: "each message job is terminal",
        look: "the schedulers' logs (is it dispatched?), handlers.log (is it settled?), its queue job",
        seen: format!("{counts:?}"),
        broken,
    }
}

/// Zero lost: what is SENT was accepted; what was accepted is SENT, or UNCERTAIN.
pub(super) fn ledger_agrees(rows: &[Row], accepted: &HashMap<&str, Vec<u64>>) -> Check {
    let broken = rows
        .iter()
        .filter_map(|row| {
            let text = row.text();
            let times = accepted.get(text.as_str()).map_or(0, Vec::len);
            let agrees = match row.status.as_str() {
                "SENT" => times > 0,
                "UNCERTAIN" => true,
                _ => times == 0,
            };
            (!agrees).then(|| {
                let (status, class, details) = (&row.status, &row.error_class, &row.details);
                format!("{text}: {status} {class}, accepted {times} times; {details}")
            })
        })
        .collect();
    Check {
        name: "zero lost: database and ledger agree",
        look: "core::delivery::{claim, settle, late}: who took an accepted message for unsent, or the reverse",
        seen: format!("{} messages", rows.len()),
        broken,
    }
}

/// A message is accepted once, and once more for each doubt that came before, where its
/// campaign or its operator said RESEND.
pub(super) fn duplicates(
    rows: &[Row],
    evidence: &Evidence<'_>,
    accepted: &HashMap<&str, Vec<u64>>,
) -> Check {
    let resends: BTreeSet<&str> = evidence
        .campaigns
        .iter()
        .filter(|campaign| campaign.resends || campaign.was_asked("resend-uncertain"))
        .map(|campaign| campaign.name.as_str())
        .collect();
    let mut resent = 0;
    let mut broken = Vec::new();
    for row in rows {
        let text = row.text();
        let times = accepted.get(text.as_str()).map_or(&[][..], Vec::as_slice);
        for (more, at) in times.iter().enumerate().skip(1) {
            resent += 1;
            let doubts = row.doubts.iter().filter(|doubt| *doubt < at).count();
            if doubts < more || !resends.contains(row.campaign.as_str()) {
                let number = more + 1;
                broken.push(format!("{text}: accepted {number} times, {doubts} doubts"));
            }
        }
    }
    Check {
        name: "zero duplicates but of the uncertain, by RESEND",
        look: "handlers.log and the schedulers' at these times; claim.sql, and `last_start` in send-message",
        seen: format!("{} accepted, {resent} resent by order", accepted.len()),
        broken,
    }
}

/// No queue job is open in the end, and none is without its message job or the reverse.
pub(super) async fn queue_jobs(client: &Client, rows: &[Row]) -> Result<Check> {
    let mut broken: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let state = row.queue_state.as_deref();
            let is_done = matches!(state, Some("completed" | "cancelled" | "failed"))
                || (row.status == "SKIPPED" && state.is_none());
            let (text, status) = (row.text(), &row.status);
            (!is_done).then(|| format!("{text}: {status}, its queue job: {state:?}"))
        })
        .collect();
    let open = client.query(include_str!("queue_jobs.sql"), &[]).await?;
    broken.extend(open.iter().map(|row| {
        let (job, state): (&str, &str) = (row.get("job"), row.get("state"));
        format!("{job} is {state}")
    }));
    Ok(Check {
        name: "every queue job is accounted for",
        look: "queue::upkeep (expiry), core::delivery::settle_queue, the pg-boss supervisor's log",
        seen: format!("{} message jobs", rows.len()),
        broken,
    })
}

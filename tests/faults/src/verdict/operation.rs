//! Invariants of operation: the audit log, counters, connections, memory, ends.

use std::collections::HashMap;

use anyhow::Result;
use tokio_postgres::Client;

use super::{Check, Evidence};
use crate::{stack::POOL, watch::Seen};

/// What a process of Telecast may hold, unoptimised, in MB.
const MOST_MEMORY: u64 = 120;

/// Files and sockets that a process of Telecast may have open.
const MOST_FILES: u64 = 200;

/// What the API confirmed is in the audit log, and nothing that nobody asked for.
pub(super) async fn deeds_audited(client: &Client, evidence: &Evidence<'_>) -> Result<Check> {
    let rows = client
        .query(
            "SELECT subject_id, action, count(*) AS count
             FROM audit_logs
             WHERE actor = 'admin'
             GROUP BY subject_id, action",
            &[],
        )
        .await?;
    let audit: HashMap<(String, String), i64> = rows
        .iter()
        .map(|row| ((row.get("subject_id"), row.get("action")), row.get("count")))
        .collect();
    let (mut deeds, mut broken) = (0, Vec::new());
    for campaign in evidence.campaigns {
        for (action, name) in [
            ("start", "CAMPAIGN_STARTED"),
            ("pause", "CAMPAIGN_PAUSED"),
            ("resume", "CAMPAIGN_RESUMED"),
            ("cancel", "CAMPAIGN_CANCELLED"),
            ("rate", "CAMPAIGN_UPDATED"),
            ("retry-failed", "CAMPAIGN_FAILED_RETRIED"),
            ("resend-uncertain", "CAMPAIGN_UNCERTAIN_RESENT"),
        ] {
            let asked = campaign.deeds.iter().filter(|deed| deed.action == action);
            let done = asked.clone().filter(|deed| deed.done.is_some()).count() as i64;
            let asked = asked.count() as i64;
            let key = (campaign.id.clone(), name.to_owned());
            let written = audit.get(&key).copied().unwrap_or(0);
            deeds += written;
            if written < done || written > asked {
                broken.push(format!(
                    "{}: {name} {written} times, asked {asked}, done {done}",
                    campaign.name
                ));
            }
        }
    }
    Ok(Check {
        name: "every deed is in the audit log, once",
        look: "api.log at that time; core::campaigns::act (is the row in the deed's transaction?)",
        seen: format!("{deeds} deeds"),
        broken,
    })
}

/// What Telecast does by itself is in the audit log too.
pub(super) async fn changes_audited(client: &Client) -> Result<Check> {
    let changes = client
        .query_one("SELECT count(*) AS count FROM faults.changes", &[])
        .await?;
    let unaudited = client.query(include_str!("unaudited.sql"), &[]).await?;
    Ok(Check {
        name: "every change of a status has its audit row",
        look: "who writes campaigns.status without audit::record in the same transaction",
        seen: format!("{} changes", changes.get::<_, i64>("count")),
        broken: unaudited.iter().map(|row| row.get("change")).collect(),
    })
}

pub(super) fn counters(seen: &Seen) -> Check {
    Check {
        name: "counters equal rows, in every snapshot",
        look: "core::delivery::counts, and whatever changes jobs.status without it",
        seen: format!("{} snapshots", seen.looks),
        broken: seen.wrong_counters.iter().cloned().collect(),
    }
}

/// PgBouncer's, and those of one that was killed, which a stalled network keeps open; an ear
/// of each scheduler and one that is being replaced; pg-boss's.
pub(super) fn connections(seen: &Seen, schedulers: usize) -> Check {
    let most = 2 * i64::from(POOL) + 2 * schedulers as i64 + 6;
    Check {
        name: "connections stay bounded",
        look: "pg_stat_activity (application_name, state); queue::listen, runtime::database",
        seen: format!("at most {} of {most}", seen.connections),
        broken: (seen.connections > most)
            .then(|| format!("{} connections", seen.connections))
            .into_iter()
            .collect(),
    }
}

pub(super) fn memory(seen: &Seen) -> Check {
    grown(
        "memory stays bounded, and does not grow",
        "MB",
        seen.peaks.each_ref().map(|peaks| &peaks.resident_mb),
        MOST_MEMORY,
    )
}

pub(super) fn files(seen: &Seen) -> Check {
    grown(
        "files and sockets stay bounded, and do not grow",
        "open",
        seen.peaks.each_ref().map(|peaks| &peaks.files),
        MOST_FILES,
    )
}

/// Peaks by process in the first and in the second half of a round.
fn grown(
    name: &'static str,
    unit: &str,
    [first, second]: [&std::collections::BTreeMap<String, u64>; 2],
    most: u64,
) -> Check {
    let mut broken = Vec::new();
    let mut seen = Vec::new();
    for (process, peak) in second {
        let before = first.get(process).copied().unwrap_or(*peak);
        seen.push(format!("{process} {before}, {peak}"));
        // A half as much again may be the faults' doing.
        if *peak > most || *peak > before + before / 2 + most / 4 {
            broken.push(format!("{process}: {before}, then {peak} {unit}"));
        }
    }
    Check {
        name,
        look: "the same seed with --seconds 600: does it go on growing? then what piles up (queues, caches, tasks)",
        seen: format!("{} {unit}", seen.join("; ")),
        broken,
    }
}

pub(super) fn ends(ends: usize, unclean: Vec<String>) -> Check {
    Check {
        name: "every process ends cleanly on SIGTERM",
        look: "the end of that process's log: what it still waited for",
        seen: format!("{ends} ends"),
        broken: unclean,
    }
}

//! The judgement of a round: what the database says against the simulator's ledger.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;
use telecast_runtime::database;

use crate::{
    operators::{Campaign, Deed},
    stack::{LEASE, POOL},
    telegram::Call,
    watch::Seen,
};

const SECOND: u64 = 1_000_000;

/// An invariant, what was looked at, and what broke it.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) seen: String,
    pub(crate) broken: Vec<String>,
}

/// A message job as the database has it.
struct Row {
    campaign: String,
    channel: String,
    status: String,
    error_class: String,
    queue_state: Option<String>,
    dispatched: Option<i64>,
}

/// What is judged.
pub(crate) struct Evidence<'a> {
    pub(crate) campaigns: &'a [Campaign],
    pub(crate) calls: &'a [Call],
    pub(crate) seen: &'a Seen,
    pub(crate) schedulers: usize,
    pub(crate) resident_mb: &'a BTreeMap<String, u64>,
    pub(crate) unclean_ends: Vec<String>,
    pub(crate) unfinished: Vec<String>,
}

/// Checks every invariant.
pub(crate) async fn judge(url: &str, evidence: Evidence<'_>) -> Result<Vec<Check>> {
    let client = database::connect(&url.parse()?).await?;
    let rows = client.query(include_str!("message_jobs.sql"), &[]).await?;
    let rows: Vec<Row> = rows
        .iter()
        .map(|row| Row {
            campaign: row.get("campaign"),
            channel: row.get("channel"),
            status: row.get("status"),
            error_class: row.get("error_class"),
            queue_state: row.get("queue_state"),
            dispatched: row.get("dispatched"),
        })
        .collect();
    let audit = client
        .query(
            "SELECT subject_id, action, count(*) AS count FROM audit_logs
             WHERE actor = 'admin' GROUP BY subject_id, action",
            &[],
        )
        .await?;
    let audit: HashMap<(String, String), i64> = audit
        .iter()
        .map(|row| ((row.get("subject_id"), row.get("action")), row.get("count")))
        .collect();
    let mut seen = evidence.seen.clone();
    seen.look(url).await;

    let mut accepted: HashMap<&str, Vec<u64>> = HashMap::new();
    for call in evidence
        .calls
        .iter()
        .filter(|call| call.message_id.is_some())
    {
        accepted.entry(&call.text).or_default().push(call.at);
    }
    let mut checks = vec![
        terminal(&rows, &evidence),
        ledger_agrees(&rows, &accepted),
        duplicates(&evidence, &accepted),
        holds(&evidence),
        pauses(&evidence),
        rates(&rows, &evidence),
        queue_jobs(&rows),
        audited(&evidence, &audit),
    ];
    checks.push(Check {
        name: "counters equal rows, in every snapshot",
        seen: format!("{} snapshots", seen.looks),
        broken: seen.wrong_counters.into_iter().collect(),
    });
    // PgBouncer's, an ear of each scheduler and one that is being replaced, pg-boss's.
    let most = i64::from(POOL) + 2 * evidence.schedulers as i64 + 6;
    checks.push(Check {
        name: "connections stay bounded",
        seen: format!("at most {} of {most}", seen.connections),
        broken: (seen.connections > most)
            .then(|| format!("{} connections", seen.connections))
            .into_iter()
            .collect(),
    });
    let memory = evidence.resident_mb;
    checks.push(Check {
        name: "memory stays bounded",
        seen: format!("at most {} MB", memory.values().max().unwrap_or(&0)),
        broken: memory
            .iter()
            .filter(|(_, mb)| **mb > 200)
            .map(|(name, mb)| format!("{name}: {mb} MB"))
            .collect(),
    });
    checks.push(Check {
        name: "every process ends cleanly on SIGTERM",
        seen: format!("{} processes", evidence.schedulers + 1),
        broken: evidence.unclean_ends,
    });
    Ok(checks)
}

fn terminal(rows: &[Row], evidence: &Evidence<'_>) -> Check {
    let ends = ["SENT", "FAILED", "SKIPPED", "UNCERTAIN", "CANCELLED"];
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(&row.status).or_default() += 1;
    }
    let open = rows
        .iter()
        .filter(|row| !ends.contains(&row.status.as_str()));
    let mut broken: Vec<String> = open
        .map(|row| format!("{} {} is {}", row.campaign, row.channel, row.status))
        .collect();
    broken.extend(evidence.unfinished.iter().cloned());
    for campaign in evidence.campaigns {
        let known: BTreeSet<&str> = rows
            .iter()
            .filter(|row| row.campaign == campaign.name)
            .map(|row| row.channel.as_str())
            .collect();
        // One that was cancelled before it was planned has none.
        let is_cancelled = campaign.deeds.iter().any(|deed| deed.action == "cancel");
        if known.len() != campaign.channels.len() && !(is_cancelled && known.is_empty()) {
            let (known, all) = (known.len(), campaign.channels.len());
            broken.push(format!("{}: {known} of {all} are there", campaign.name));
        }
    }
    Check {
        name: "each message job is terminal",
        seen: format!("{counts:?}"),
        broken,
    }
}

/// Zero lost: what is SENT was accepted; what was accepted is SENT, or UNCERTAIN.
fn ledger_agrees(rows: &[Row], accepted: &HashMap<&str, Vec<u64>>) -> Check {
    let broken = rows
        .iter()
        .filter_map(|row| {
            let text = format!("{} {}", row.campaign, row.channel);
            let times = accepted.get(text.as_str()).map_or(0, Vec::len);
            let agrees = match row.status.as_str() {
                "SENT" => times > 0,
                "UNCERTAIN" => true,
                // A message that is under way when its campaign is cancelled may arrive.
                _ => times == 0,
            };
            (!agrees).then(|| {
                let (status, class) = (&row.status, &row.error_class);
                format!("{text}: {status} {class}, accepted {times} times")
            })
        })
        .collect();
    Check {
        name: "zero lost: database and ledger agree",
        seen: format!("{} messages", rows.len()),
        broken,
    }
}

fn duplicates(evidence: &Evidence<'_>, accepted: &HashMap<&str, Vec<u64>>) -> Check {
    let mut resent = 0;
    let mut broken = Vec::new();
    for (text, times) in accepted.iter().filter(|(_, times)| times.len() > 1) {
        let name = text.split(' ').next().unwrap_or_default();
        let campaign = evidence.campaigns.iter().find(|c| c.name == name);
        if campaign.is_some_and(|campaign| campaign.resends) {
            resent += 1;
        } else {
            broken.push(format!("{text}: {} times", times.len()));
        }
    }
    Check {
        name: "zero duplicates without RESEND",
        seen: format!("{} accepted, {resent} resent by order", accepted.len()),
        broken,
    }
}

/// What was under way, or was dispatched just before the hold, may come within a lease.
fn holds(evidence: &Evidence<'_>) -> Check {
    let grace = LEASE.as_micros() as u64;
    let held: Vec<&Call> = evidence
        .calls
        .iter()
        .filter(|call| call.held_for.is_some())
        .collect();
    Check {
        name: "no send in a hold (grace: one lease)",
        seen: format!("{} calls in holds", held.len()),
        broken: held
            .iter()
            .filter(|call| call.held_for.is_some_and(|held| held > grace))
            .map(|call| format!("{} came {:?} µs into a hold", call.text, call.held_for))
            .collect(),
    }
}

/// From a pause or a cancellation that the API confirmed until somebody asks to resume.
fn pauses(evidence: &Evidence<'_>) -> Check {
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
                .map(|deed| deed.asked)
                .next()
                .unwrap_or(u64::MAX);
            let prefix = format!("{} ", campaign.name);
            let calls = evidence.calls.iter().filter(|call| {
                call.text.starts_with(&prefix) && call.at > done + grace && call.at < resumed
            });
            broken.extend(calls.map(|call| {
                let late = (call.at - done) / 1_000;
                format!("{} came {late} ms after {}", call.text, deed.action)
            }));
        }
    }
    Check {
        name: "no send in a pause (grace: one lease)",
        seen: format!("{spans} pauses and cancellations"),
        broken,
    }
}

/// No window of 1 to 20 s of dispatches above the highest rate in force in it, and a burst.
fn rates(rows: &[Row], evidence: &Evidence<'_>) -> Check {
    let (mut fullest, mut broken) = (0.0_f64, Vec::new());
    for campaign in evidence.campaigns {
        let mut times: Vec<u64> = rows
            .iter()
            .filter(|row| row.campaign == campaign.name)
            .filter_map(|row| u64::try_from(row.dispatched?).ok())
            .collect();
        times.sort_unstable();
        for seconds in [1, 2, 5, 20] {
            let span = seconds * SECOND;
            for (first, start) in times.iter().enumerate() {
                let count = times[first..].partition_point(|at| at - start < span);
                let rate = campaign.highest_rate(*start, start + span);
                let allowed = f64::from(rate) / 60.0 * (seconds as f64 + 0.25) + 5.0;
                fullest = fullest.max(count as f64 / allowed);
                if count as f64 > allowed {
                    broken.push(format!(
                        "{}: {count} in {seconds} s at {rate} a minute",
                        campaign.name
                    ));
                    break;
                }
            }
        }
    }
    Check {
        name: "no window above rate + burst",
        seen: format!("the fullest: {:.0} % of what is allowed", fullest * 100.0),
        broken,
    }
}

fn queue_jobs(rows: &[Row]) -> Check {
    let broken = rows
        .iter()
        .filter_map(|row| {
            let done = match row.status.as_str() {
                "SKIPPED" => matches!(
                    row.queue_state.as_deref(),
                    None | Some("completed" | "cancelled")
                ),
                _ => matches!(
                    row.queue_state.as_deref(),
                    Some("completed" | "cancelled" | "failed")
                ),
            };
            (!done).then(|| {
                let (status, state) = (&row.status, &row.queue_state);
                format!("{} {}: {status}, {state:?}", row.campaign, row.channel)
            })
        })
        .collect();
    Check {
        name: "every queue job is accounted for",
        seen: format!("{} message jobs", rows.len()),
        broken,
    }
}

/// What the API confirmed is in the audit log, and nothing that nobody asked for.
fn audited(evidence: &Evidence<'_>, audit: &HashMap<(String, String), i64>) -> Check {
    let (mut deeds, mut broken) = (0, Vec::new());
    for campaign in evidence.campaigns {
        for (action, name) in [
            ("pause", "CAMPAIGN_PAUSED"),
            ("resume", "CAMPAIGN_RESUMED"),
            ("cancel", "CAMPAIGN_CANCELLED"),
            ("rate", "CAMPAIGN_UPDATED"),
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
    Check {
        name: "the audit log is complete",
        seen: format!("{deeds} deeds"),
        broken,
    }
}

impl Campaign {
    /// The highest rate that may have been in force in a span.
    fn highest_rate(&self, from: u64, to: u64) -> u32 {
        let mut highest = 0;
        let mut in_force = vec![self.rate];
        for deed in self.deeds.iter().filter(|deed| deed.rate.is_some()) {
            let Some(rate) = deed.rate else { continue };
            if deed.asked > to {
                break;
            }
            if deed.done.is_some_and(|done| done < from) {
                in_force.clear();
            }
            in_force.push(rate);
        }
        for rate in in_force {
            highest = highest.max(rate);
        }
        highest
    }
}

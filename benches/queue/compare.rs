//! Contestants side by side: every trial of every contestant in turn, and that some
//! rounds over, so that a slow minute of the machine meets all of them.

use anyhow::Result;

use crate::{
    contestant::{
        APALIS, Contestant, GRAPHILE, GRAPHILE_RS, GRAPHILE_TUNED, PG_BOSS, PLAIN, POOLED, RAW,
        TELECAST,
    },
    report::{Row, Table},
    server::Postgres,
    trial::{Kind, Outcome, Spec},
};

/// A trial, and how fast each contestant that takes part may be at most: what it is
/// given to do is as much as that, so that none runs out before the time.
struct Heat {
    title: &'static str,
    key: &'static str,
    spec: Spec,
    entries: &'static [(&'static str, usize)],
}

fn heats(seconds: f64) -> Vec<Heat> {
    let spec = |trial, callers, batch| Spec {
        trial,
        callers,
        batch,
        seconds,
        ..Spec::default()
    };
    let latency = |listen, poll_seconds| Spec {
        listen,
        poll_seconds,
        ..spec(Kind::Latency, 2, 1)
    };
    vec![
        Heat {
            title: "Send, one job a call, 1 caller",
            key: "send-1",
            spec: spec(Kind::Send, 1, 1),
            entries: &[
                (TELECAST, 0),
                (PLAIN, 0),
                (POOLED, 0),
                (RAW, 0),
                (PG_BOSS, 0),
                (GRAPHILE, 0),
                (APALIS, 0),
            ],
        },
        Heat {
            title: "Send, one job a call, 16 callers",
            key: "send-16",
            spec: spec(Kind::Send, 16, 1),
            entries: &[
                (TELECAST, 0),
                (PLAIN, 0),
                (POOLED, 0),
                (RAW, 0),
                (PG_BOSS, 0),
                (GRAPHILE, 0),
                (APALIS, 0),
            ],
        },
        Heat {
            title: "Insert, 1,000 jobs a call, 4 callers",
            key: "insert",
            spec: spec(Kind::Insert, 4, 1000),
            entries: &[
                (TELECAST, 0),
                (POOLED, 0),
                (RAW, 0),
                (PG_BOSS, 0),
                (GRAPHILE, 0),
                (APALIS, 0),
                (GRAPHILE_RS, 0),
            ],
        },
        Heat {
            title: "Fetch and complete, 1 job at a time, 1 worker",
            key: "step-1",
            spec: spec(Kind::Step, 1, 1),
            entries: &[
                (TELECAST, 5_000),
                (PLAIN, 5_000),
                (POOLED, 3_000),
                (RAW, 5_000),
                (PG_BOSS, 3_000),
            ],
        },
        Heat {
            title: "Fetch and complete, 1 job at a time, 8 workers",
            key: "step-8",
            spec: spec(Kind::Step, 8, 1),
            entries: &[
                (TELECAST, 25_000),
                (PLAIN, 10_000),
                (POOLED, 8_000),
                (RAW, 10_000),
                (PG_BOSS, 8_000),
            ],
        },
        Heat {
            title: "Fetch and complete, 100 jobs at a time, 4 workers",
            key: "step-100",
            spec: spec(Kind::Step, 4, 100),
            entries: &[
                (PLAIN, 70_000),
                (POOLED, 70_000),
                (RAW, 100_000),
                (PG_BOSS, 50_000),
            ],
        },
        Heat {
            title: "Drain a backlog with a worker, each at its best setting",
            key: "drain",
            spec: spec(Kind::Drain, 4, 1000),
            entries: &[
                (TELECAST, 60_000),
                (RAW, 120_000),
                (PG_BOSS, 30_000),
                (GRAPHILE, 2_000),
                (GRAPHILE_TUNED, 50_000),
                (APALIS, 15_000),
                (GRAPHILE_RS, 42_000),
            ],
        },
        Heat {
            title: "From send to the handler's start, listening",
            key: "listen",
            spec: latency(true, None),
            entries: &[
                (TELECAST, 0),
                (PG_BOSS, 0),
                (GRAPHILE, 0),
                (GRAPHILE_RS, 0),
                (APALIS, 0),
            ],
        },
        Heat {
            title: "From send to the handler's start, polling at the default",
            key: "poll",
            spec: latency(false, None),
            entries: &[(TELECAST, 0), (PG_BOSS, 0)],
        },
    ]
}

/// Jobs sent to find a latency: enough for a 99th percentile.
const SAMPLES: usize = 300;

/// What of a comparison is wanted.
pub struct Wanted<'a> {
    pub rounds: u32,
    pub seconds: f64,
    /// Trials by key; all where empty.
    pub only: &'a [String],
}

/// Runs the comparison and gives a table for each trial.
pub async fn compare(
    postgres: &Postgres,
    contestants: &[Contestant],
    wanted: &Wanted<'_>,
) -> Result<Vec<Table>> {
    let heats: Vec<Heat> = heats(wanted.seconds)
        .into_iter()
        .filter(|heat| wanted.only.is_empty() || wanted.only.iter().any(|key| key == heat.key))
        .collect();
    let mut results: Vec<Vec<(&str, Vec<Outcome>)>> = heats.iter().map(|_| Vec::new()).collect();
    for round in 1..=wanted.rounds {
        for (heat, rows) in heats.iter().zip(&mut results) {
            for (name, fastest) in heat.entries {
                let Some(contestant) = contestants.iter().find(|one| one.name == *name) else {
                    continue;
                };
                let outcome = run(postgres, contestant, heat, *fastest).await?;
                eprintln!("round {round}: {}: {name}: {}", heat.key, told(&outcome));
                match rows.iter_mut().find(|(known, _)| known == name) {
                    Some((_, outcomes)) => outcomes.push(outcome),
                    None => rows.push((*name, vec![outcome])),
                }
            }
        }
    }
    let tables = heats.iter().zip(results).map(|(heat, rows)| Table {
        title: heat.title,
        latency: heat.spec.trial == Kind::Latency,
        rows: rows
            .into_iter()
            .map(|(name, outcomes)| Row::new(name, &outcomes))
            .collect(),
    });
    Ok(tables.collect())
}

async fn run(
    postgres: &Postgres,
    contestant: &Contestant,
    heat: &Heat,
    fastest: usize,
) -> Result<Outcome> {
    let database = postgres.fresh(contestant.template).await?;
    let backlog = match heat.spec.trial {
        Kind::Latency => SAMPLES,
        _ => (fastest as f64 * heat.spec.seconds) as usize,
    };
    let spec = Spec {
        url: postgres.url(&database),
        backlog,
        ..heat.spec.clone()
    };
    let outcome = contestant.run(&spec).await?;
    postgres.drop_database(&database).await?;
    Ok(outcome)
}

fn told(outcome: &Outcome) -> String {
    match (outcome.p50_ms, outcome.p99_ms) {
        (Some(p50), Some(p99)) => format!("p50 {p50:.1} ms, p99 {p99:.1} ms of {}", outcome.jobs),
        _ => format!("{:.0}/s", outcome.rate()),
    }
}

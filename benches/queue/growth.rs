//! How speed changes with what lies in the table.

use anyhow::Result;

use crate::{
    contestant::{Contestant, PG_BOSS, TELECAST},
    ours::connect,
    report::{grouped, median, sorted},
    server::Postgres,
    trial::{Kind, Spec},
};

/// What lies in the table before a trial begins.
struct State {
    name: &'static str,
    database: &'static str,
    /// Of the rows 1 to `i`: their columns beyond name, data and policy.
    columns: &'static str,
    rows: u32,
}

const QUEUED: &str = "start_after, created_on) SELECT 'q', '{}', 'standard', now() - interval '1 hour', now() - interval '1 hour' + i * interval '1 us'";
const DEFERRED: &str = "start_after, created_on) SELECT 'q', '{}', 'standard', now() + interval '1 day' + i * interval '1 ms', now() - interval '1 hour'";
const COMPLETED: &str =
    "state, started_on, completed_on) SELECT 'q', '{}', 'standard', 'completed', now(), now()";

const STATES: [State; 8] = [
    State {
        name: "empty",
        database: "state_empty",
        columns: QUEUED,
        rows: 0,
    },
    State {
        name: "10,000 queued",
        database: "state_10k",
        columns: QUEUED,
        rows: 10_000,
    },
    State {
        name: "100,000 queued",
        database: "state_100k",
        columns: QUEUED,
        rows: 100_000,
    },
    State {
        name: "1,000,000 queued",
        database: "state_1m",
        columns: QUEUED,
        rows: 1_000_000,
    },
    State {
        name: "10,000 deferred",
        database: "state_later_10k",
        columns: DEFERRED,
        rows: 10_000,
    },
    State {
        name: "100,000 deferred",
        database: "state_later_100k",
        columns: DEFERRED,
        rows: 100_000,
    },
    State {
        name: "1,000,000 deferred",
        database: "state_later_1m",
        columns: DEFERRED,
        rows: 1_000_000,
    },
    State {
        name: "1,000,000 completed, kept",
        database: "state_done_1m",
        columns: COMPLETED,
        rows: 1_000_000,
    },
];

/// Drains and sends in each state, in turn and some rounds over; gives the table.
pub async fn growth(
    postgres: &Postgres,
    contestants: &[Contestant],
    rounds: u32,
    seconds: f64,
    scale: f64,
) -> Result<String> {
    let measures = [
        (TELECAST, Kind::Send, 16, 1, 0),
        (TELECAST, Kind::Drain, 4, 1000, 60_000),
        (PG_BOSS, Kind::Drain, 4, 1000, 40_000),
    ];
    let measures: Vec<_> = measures
        .into_iter()
        .filter_map(|(name, trial, callers, batch, fastest)| {
            let contestant = contestants.iter().find(|one| one.name == name)?;
            Some((
                contestant,
                Spec {
                    trial,
                    callers,
                    batch,
                    seconds,
                    backlog: (fastest as f64 * seconds) as usize,
                    ..Spec::default()
                },
            ))
        })
        .collect();
    for state in &STATES {
        for (contestant, _) in &measures {
            fill(postgres, state, contestant, scale).await?;
        }
    }
    let mut found = vec![vec![Vec::new(); measures.len()]; STATES.len()];
    for _ in 0..rounds {
        for (state, row) in STATES.iter().zip(&mut found) {
            for ((contestant, spec), rates) in measures.iter().zip(row) {
                let database = postgres.fresh(&database(state, contestant)).await?;
                let spec = Spec {
                    url: postgres.url(&database),
                    ..spec.clone()
                };
                let outcome = contestant.run(&spec).await?;
                eprintln!(
                    "{}: {}, {:?}: {:.0}/s",
                    state.name,
                    contestant.name,
                    spec.trial,
                    outcome.rate()
                );
                rates.push(outcome.rate());
                postgres.drop_database(&database).await?;
            }
        }
    }
    let medians: Vec<Vec<f64>> = found
        .into_iter()
        .map(|row| {
            row.into_iter()
                .map(|rates| median(&sorted(rates.into_iter())).unwrap_or_default())
                .collect()
        })
        .collect();
    let mut text = String::from(
        "Jobs per second with these rows in the table beforehand, and the share of the empty table's.\n\n| |",
    );
    for (contestant, spec) in &measures {
        text += &format!(
            " {}, {:?}, {} callers | |",
            contestant.name, spec.trial, spec.callers
        );
    }
    text += &format!("\n|---|{}\n", "---:|---:|".repeat(measures.len()));
    for (state, row) in STATES.iter().zip(&medians) {
        text += &format!("| {} |", state.name);
        for (rate, empty) in row.iter().zip(&medians[0]) {
            text += &format!(" {} | {:.0} % |", grouped(*rate), rate * 100.0 / empty);
        }
        text += "\n";
    }
    Ok(text)
}

fn database(state: &State, contestant: &Contestant) -> String {
    format!("{}_{}", state.database, contestant.template)
}

/// Makes a state's template, once.
async fn fill(
    postgres: &Postgres,
    state: &State,
    contestant: &Contestant,
    scale: f64,
) -> Result<()> {
    let name = database(state, contestant);
    if postgres.exists(&name).await? {
        return Ok(());
    }
    postgres.create(&name, contestant.template).await?;
    let rows = (f64::from(state.rows) * scale) as u32;
    // Ids as each makes them: ours in the order of time, pg-boss's at random.
    let id = match contestant.name {
        PG_BOSS => "gen_random_uuid()",
        _ => "(lpad(to_hex(i), 12, '0') || left(md5(i::text), 20))::uuid",
    };
    let columns = state.columns.replace("SELECT ", &format!("SELECT {id}, "));
    connect(&postgres.url(&name))
        .await?
        .batch_execute(&format!(
            "INSERT INTO pgboss.job (id, name, data, policy, {columns} FROM generate_series(1, {rows}) AS i"
        ))
        .await?;
    connect(&postgres.url(&name))
        .await?
        .batch_execute("VACUUM ANALYZE")
        .await?;
    Ok(())
}

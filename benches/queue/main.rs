//! The queue's benches: ours, raw SQL, and other queues, on one PostgreSQL with its
//! default durability. See README.md beside this.
#![forbid(unsafe_code)]

mod campaigns;
mod compare;
mod contestant;
mod growth;
mod ours;
mod raw;
mod report;
mod server;
mod soak;
mod trial;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};

use compare::Wanted;
use report::grouped;
use server::Postgres;
use telecast_benches::deliver;
use trial::{Kind, Spec};

/// Measures the queue beside others, and keeps what it found in benches/RESULTS.md.
#[derive(Debug, Parser)]
#[command(name = "bench-telecast", version)]
struct Args {
    /// What to run.
    #[arg(value_enum, default_values_t = [Part::Compare])]
    parts: Vec<Part>,
    /// How often each trial is run; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// How long each trial of throughput runs.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Of the comparison only these trials: send-1, send-16, insert, step-1, step-8,
    /// step-100, drain, listen, poll.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// How long the soak runs.
    #[arg(long, default_value_t = 600)]
    soak_seconds: u64,
    /// Growth and campaigns with a hundredth of the rows, to try the bench itself.
    #[arg(long)]
    small: bool,
    /// Neither Node's nor Rust's other queues.
    #[arg(long)]
    no_peers: bool,
    /// Print what was found, and keep it nowhere.
    #[arg(long)]
    dry_run: bool,
    /// Where the database's folder is made: on a disk, not in memory.
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Ours, raw SQL and other queues, in turn.
    Compare,
    /// Ours and pg-boss with up to a million jobs queued, deferred or kept.
    Growth,
    /// Planning, dispatching and delivering campaigns, and their cost.
    Campaigns,
    /// A steady load for minutes.
    Soak,
}

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        // Processes that the benches start.
        ["trial", mode, spec] => return ours::run(mode, spec).await,
        ["deliver", url, messages] => return campaigns::deliver_here(url, messages).await,
        ["simulator"] => return deliver::simulate().await,
        _ => {}
    }
    bench(&Args::parse()).await
}

async fn bench(args: &Args) -> Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("RESULTS.md");
    let postgres = Postgres::start(args.folder.as_deref()).await?;
    let contestants = contestant::all(!args.no_peers).await?;
    for contestant in &contestants {
        prepare(&postgres, contestant).await?;
    }
    let keep = |heading: &str, text: String| {
        println!("## {heading}\n\n{text}");
        if args.dry_run {
            Ok(())
        } else {
            report::keep(&page, heading, &text)
        }
    };
    keep("The machine", machine(&postgres).await?)?;
    for part in &args.parts {
        match part {
            Part::Compare => {
                let wanted = Wanted {
                    rounds: args.rounds,
                    seconds: args.seconds,
                    only: &args.only,
                };
                let tables = compare::compare(&postgres, &contestants, &wanted).await?;
                let tables: Vec<String> = tables.iter().map(report::Table::markdown).collect();
                keep("Side by side", tables.join("\n"))?;
            }
            Part::Growth => {
                let scale = if args.small { 0.01 } else { 1.0 };
                let table =
                    growth::growth(&postgres, &contestants, args.rounds, args.seconds, scale);
                keep("With a full table", table.await?)?;
            }
            Part::Campaigns => {
                campaigns::prepare(&postgres).await?;
                let scale = if args.small { 0.01 } else { 1.0 };
                let plan =
                    campaigns::plan(&postgres, (100_000.0 * scale) as i32, args.rounds).await?;
                keep("Planning", plan)?;
                keep("Dispatching", campaigns::dispatch(&postgres, scale).await?)?;
                let delivered = campaigns::deliver(&postgres, 20_000, args.rounds).await?;
                keep("Delivering", delivered)?;
            }
            Part::Soak => keep(
                "A steady load",
                soak::soak(&postgres, args.soak_seconds).await?,
            )?,
        }
    }
    Ok(())
}

/// Makes the template of a contestant's databases, once.
async fn prepare(postgres: &Postgres, contestant: &contestant::Contestant) -> Result<()> {
    let name = contestant.template;
    if postgres.exists(name).await? {
        return Ok(());
    }
    postgres.create(name, "template1").await?;
    let setup = Spec {
        trial: Kind::Setup,
        url: postgres.url(name),
        callers: 1,
        ..Spec::default()
    };
    contestant.run(&setup).await?;
    Ok(())
}

/// What it all ran on.
async fn machine(postgres: &Postgres) -> Result<String> {
    let version: String = postgres
        .admin()
        .await?
        .query_typed_one("SELECT split_part(version(), ' on ', 1)", &[])
        .await?
        .try_get(0)?;
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism()?;
    let rustc = Command::new("rustc")
        .arg("--version")
        .output()
        .context("cannot run rustc")?;
    let rustc = String::from_utf8_lossy(&rustc.stdout).trim().to_owned();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    postgres.create("yardstick", "template1").await?;
    let url = postgres.url("yardstick");
    let one = raw::commits(&url, 1, 2.0).await?;
    let eight = raw::commits(&url, 8, 2.0).await?;
    Ok(format!(
        "- {cores} cores of {model}; load average before the run {load}\n\
         - {version}: fsync and synchronous_commit on, shared_buffers 512 MB, max_wal_size 4 GB\n\
         - {rustc}; pg-boss 12.34.0 and graphile-worker 0.18.0 on Node 22.23.3; apalis-postgres 1.0.0; graphile_worker 0.14.1\n\
         - commits of one row into a bare table: {}/s by 1 client, {}/s by 8\n",
        grouped(one),
        grouped(eight),
    ))
}

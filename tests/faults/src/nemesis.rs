//! The nemesis of processes, database and network: it draws faults, and ends them.

use std::time::{Duration, Instant};

use anyhow::Result;
use telecast_runtime::database;

use crate::{
    dice::Dice,
    part::{children, signal},
    stack::Stack,
};

/// What ends a fault that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Continue(u32),
    DatabaseFlows,
    PooledFlows,
    DiskEmptied,
}

/// Draws faults from its dice.
pub(crate) struct Nemesis {
    dice: Dice,
    /// What is to end, and when.
    lasting: Vec<(Instant, End)>,
    /// The faults, in the order of their drawing.
    pub(crate) drawn: Vec<String>,
}

/// Where libfaketime lies, on Debian.
fn fake_clock() -> Option<String> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten();
    folders
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|path| path.exists())
        .map(|path| path.to_string_lossy().into_owned())
}

impl Nemesis {
    pub(crate) fn new(dice: Dice) -> Self {
        Self {
            dice,
            lasting: Vec::new(),
            drawn: Vec::new(),
        }
    }

    /// Faults one after another until the time is over; then all of them end.
    pub(crate) async fn rage(&mut self, stack: &mut Stack, until: Instant) -> Result<()> {
        while Instant::now() < until {
            let pause = self.dice.millis(200, 2_000);
            let fault = self.strike(stack).await?;
            self.drawn.push(fault);
            let next = Instant::now() + pause;
            while Instant::now() < next {
                tokio::time::sleep(Duration::from_millis(50)).await;
                self.end(stack, Instant::now())?;
            }
        }
        self.end(stack, Instant::now() + Duration::from_secs(3600))?;
        self.heal(stack)
    }

    /// Ends what is due by then.
    fn end(&mut self, stack: &mut Stack, now: Instant) -> Result<()> {
        for (_, end) in self.lasting.extract_if(.., |(due, _)| *due <= now) {
            match end {
                End::Continue(id) => signal(id, "CONT")?,
                End::DatabaseFlows => stack.database.stall(false),
                End::PooledFlows => stack.pooled.stall(false),
                End::DiskEmptied => stack.postgres.empty_disk()?,
            }
        }
        // A full disk is fatal to it, in the end.
        let is_full = self.lasting.iter().any(|(_, end)| *end == End::DiskEmptied);
        if !is_full && !stack.postgres.is_alive() {
            tokio::task::block_in_place(|| stack.revive())?;
        }
        Ok(())
    }

    /// Everything runs again.
    fn heal(&mut self, stack: &mut Stack) -> Result<()> {
        for part in stack.parts() {
            if part.id().is_none() || part.has_died()? {
                part.start(&[])?;
            }
        }
        Ok(())
    }

    fn lasts(&mut self, end: End, low: u64, high: u64) -> Duration {
        let span = self.dice.millis(low, high);
        self.lasting.push((Instant::now() + span, end));
        span
    }

    async fn strike(&mut self, stack: &mut Stack) -> Result<String> {
        let place = self.dice.place(stack.schedulers.len());
        Ok(match self.dice.between(0, 32) {
            0..3 => self.restart_scheduler(stack, place)?,
            3..6 => {
                let scheduler = &stack.schedulers[place];
                self.freeze(scheduler.id(), "scheduler")?
            }
            6..8 => {
                let ids = children("send-message");
                for id in &ids {
                    signal(*id, "KILL")?;
                }
                format!("kill -9 handlers: {}", ids.len())
            }
            8..11 => {
                let ids = children("send-message");
                let id = ids.get(self.dice.place(ids.len())).copied();
                self.freeze(id, "handler")?
            }
            11 => {
                stack.api.kill()?;
                stack.api.start(&[])?;
                "kill -9 api".to_owned()
            }
            12 => self.freeze(stack.api.id(), "api")?,
            13..15 => {
                stack.postgres.kill()?;
                tokio::task::block_in_place(|| stack.revive())?;
                "kill -9 PostgreSQL".to_owned()
            }
            15 => {
                let id = backend(stack).await;
                if let Some(id) = id {
                    signal(id, "KILL")?;
                }
                "kill -9 backend".to_owned()
            }
            16 | 17 => {
                stack.pooler.kill()?;
                stack.pooler.start(&[])?;
                "kill -9 PgBouncer".to_owned()
            }
            18 => {
                stack.database.cut();
                "cut before PostgreSQL".to_owned()
            }
            19 => {
                stack.pooled.cut();
                "cut before PgBouncer".to_owned()
            }
            20 | 21 => {
                stack.database.stall(true);
                let span = self.lasts(End::DatabaseFlows, 500, 12_000);
                format!("stall before PostgreSQL: {span:?}")
            }
            22 | 23 => {
                stack.pooled.stall(true);
                let span = self.lasts(End::PooledFlows, 500, 12_000);
                format!("stall before PgBouncer: {span:?}")
            }
            24..27 => {
                terminate_backends(stack).await;
                "backends terminated".to_owned()
            }
            27 if stack.postgres.is_small_disk => {
                stack.postgres.fill_disk()?;
                let span = self.lasts(End::DiskEmptied, 500, 3_000);
                format!("disk full: {span:?}")
            }
            28 => match &mut stack.supervisor {
                Some(supervisor) => {
                    supervisor.kill()?;
                    supervisor.start(&[])?;
                    "kill -9 pg-boss supervisor".to_owned()
                }
                None => "kill -9 pg-boss supervisor: none".to_owned(),
            },
            29 => {
                stack.database.lose();
                "connections lost before PostgreSQL".to_owned()
            }
            30 => {
                stack.pooled.lose();
                "connections lost before PgBouncer".to_owned()
            }
            _ => self.freeze(stack.simulator.id(), "Telegram")?,
        })
    }

    /// kill -9; the next one may have a clock that is minutes off.
    fn restart_scheduler(&mut self, stack: &mut Stack, place: usize) -> Result<String> {
        let minutes = self.dice.between(1, 20);
        let sign = if self.dice.one_in(2) { '+' } else { '-' };
        let clock = fake_clock().filter(|_| self.dice.one_in(2));
        let scheduler = &mut stack.schedulers[place];
        scheduler.kill()?;
        let Some(library) = clock else {
            scheduler.start(&[])?;
            return Ok("kill -9 scheduler".to_owned());
        };
        scheduler.start(&[
            ("LD_PRELOAD".to_owned(), library),
            ("FAKETIME".to_owned(), format!("{sign}{minutes}m")),
            ("FAKETIME_DONT_FAKE_MONOTONIC".to_owned(), "1".to_owned()),
        ])?;
        Ok(format!("kill -9 scheduler, clock off: {sign}{minutes}m"))
    }

    /// SIGSTOP, at times for longer than a lease.
    fn freeze(&mut self, id: Option<u32>, what: &str) -> Result<String> {
        let Some(id) = id else {
            return Ok(format!("SIGSTOP {what}: none"));
        };
        signal(id, "STOP")?;
        let span = self.lasts(End::Continue(id), 300, 12_000);
        Ok(format!("SIGSTOP {what}: {span:?}"))
    }
}

/// Telecast's connections in mid-statement are terminated.
async fn terminate_backends(stack: &Stack) {
    let terminate = async {
        let client = database::connect(&stack.watch_url.parse()?).await?;
        let statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
               AND (state <> 'idle' OR pid % 3 = 0)";
        client.simple_query(statement).await?;
        anyhow::Ok(())
    };
    // A database that is down has none.
    tokio::time::timeout(Duration::from_secs(5), terminate)
        .await
        .ok();
}

/// The process of one of Telecast's connections.
async fn backend(stack: &Stack) -> Option<u32> {
    let find = async {
        let client = database::connect(&stack.watch_url.parse()?).await?;
        let row = client
            .query_one(
                "SELECT max(pid) AS pid FROM pg_stat_activity
                 WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
                &[],
            )
            .await?;
        anyhow::Ok(row.get::<_, Option<i32>>("pid"))
    };
    let found = tokio::time::timeout(Duration::from_secs(5), find).await;
    u32::try_from(found.ok()?.ok()??).ok()
}

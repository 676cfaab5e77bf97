//! The faults of processes, database and network, and how often each is drawn.

use std::time::Duration;

use anyhow::Result;
use telecast_runtime::database;

use crate::{
    clock,
    nemesis::{End, Nemesis},
    part::{children, signal},
    stack::Stack,
};

/// What may befall the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    SchedulerKilled,
    SchedulerFrozen,
    SchedulerReplaced,
    HandlersKilled,
    HandlerFrozen,
    ApiKilled,
    ApiFrozen,
    ApiReplaced,
    PostgresKilled,
    PostgresRestarted,
    BackendKilled,
    BackendsTerminated,
    PoolerKilled,
    DatabaseCut,
    PooledCut,
    DatabaseStalled,
    PooledStalled,
    DatabaseLost,
    PooledLost,
    DiskFull,
    SupervisorKilled,
    TelegramFrozen,
}

/// Each fault and its weight.
pub(crate) const FAULTS: [(u64, Fault); 22] = [
    (3, Fault::SchedulerKilled),
    (3, Fault::SchedulerFrozen),
    (2, Fault::SchedulerReplaced),
    (2, Fault::HandlersKilled),
    (3, Fault::HandlerFrozen),
    (1, Fault::ApiKilled),
    (1, Fault::ApiFrozen),
    (1, Fault::ApiReplaced),
    (2, Fault::PostgresKilled),
    (1, Fault::PostgresRestarted),
    (1, Fault::BackendKilled),
    (3, Fault::BackendsTerminated),
    (2, Fault::PoolerKilled),
    (1, Fault::DatabaseCut),
    (1, Fault::PooledCut),
    (2, Fault::DatabaseStalled),
    (2, Fault::PooledStalled),
    (1, Fault::DatabaseLost),
    (1, Fault::PooledLost),
    (1, Fault::DiskFull),
    (1, Fault::SupervisorKilled),
    (1, Fault::TelegramFrozen),
];

/// The handlers' processes.
fn handlers() -> Vec<u32> {
    let mut ids = children("send-message");
    ids.extend(children("start-campaign"));
    ids
}

impl Nemesis {
    /// Lets a fault happen; gives its name, and more of it after a colon.
    pub(crate) async fn strike(&mut self, fault: Fault, stack: &mut Stack) -> Result<String> {
        let place = self.dice.place(stack.schedulers.len());
        Ok(match fault {
            Fault::SchedulerKilled => {
                let scheduler = &mut stack.schedulers[place];
                scheduler.kill()?;
                match clock::wrong(&mut self.dice) {
                    None => {
                        scheduler.start(&[])?;
                        "kill -9 scheduler".to_owned()
                    }
                    Some(clock) => {
                        scheduler.start(&clock.variables())?;
                        format!("kill -9 scheduler, clock off: {}", clock.offset)
                    }
                }
            }
            Fault::SchedulerFrozen => {
                let id = stack.schedulers[place].id();
                self.freeze(id, "scheduler")?
            }
            Fault::SchedulerReplaced => {
                let scheduler = &mut stack.schedulers[place];
                self.retired.extend(scheduler.retire()?);
                scheduler.start(&[])?;
                "SIGTERM scheduler".to_owned()
            }
            Fault::HandlersKilled => {
                let ids = handlers();
                for id in &ids {
                    signal(*id, "KILL")?;
                }
                format!("kill -9 handlers: {}", ids.len())
            }
            Fault::HandlerFrozen => {
                let ids = handlers();
                let id = ids.get(self.dice.place(ids.len())).copied();
                self.freeze(id, "handler")?
            }
            Fault::ApiKilled => {
                // Where one is ending it is started when that is gone.
                stack.api.kill()?;
                "kill -9 api".to_owned()
            }
            Fault::ApiFrozen => self.freeze(stack.api.id(), "api")?,
            Fault::ApiReplaced => {
                self.retired.extend(stack.api.retire()?);
                "SIGTERM api".to_owned()
            }
            Fault::PostgresKilled => {
                stack.postgres.kill()?;
                tokio::task::block_in_place(|| stack.revive())?;
                "kill -9 PostgreSQL".to_owned()
            }
            Fault::PostgresRestarted => {
                tokio::task::block_in_place(|| {
                    stack.postgres.stop();
                    stack.revive()
                })?;
                "restart PostgreSQL".to_owned()
            }
            Fault::BackendKilled => {
                if let Some(id) = backend(stack).await {
                    signal(id, "KILL")?;
                }
                "kill -9 backend".to_owned()
            }
            Fault::BackendsTerminated => {
                terminate_backends(stack).await;
                "backends terminated".to_owned()
            }
            Fault::PoolerKilled => {
                stack.pooler.kill()?;
                stack.pooler.start(&[])?;
                "kill -9 PgBouncer".to_owned()
            }
            Fault::DatabaseCut => {
                stack.database.cut();
                "cut before PostgreSQL".to_owned()
            }
            Fault::PooledCut => {
                stack.pooled.cut();
                "cut before PgBouncer".to_owned()
            }
            Fault::DatabaseStalled => {
                stack.database.stall(true);
                let span = self.lasts(End::DatabaseFlows, 500, 12_000);
                format!("stall before PostgreSQL: {span:?}")
            }
            Fault::PooledStalled => {
                stack.pooled.stall(true);
                let span = self.lasts(End::PooledFlows, 500, 12_000);
                format!("stall before PgBouncer: {span:?}")
            }
            Fault::DatabaseLost => {
                stack.database.lose();
                "connections lost before PostgreSQL".to_owned()
            }
            Fault::PooledLost => {
                stack.pooled.lose();
                "connections lost before PgBouncer".to_owned()
            }
            Fault::DiskFull if !stack.postgres.is_small_disk => "disk full: none".to_owned(),
            Fault::DiskFull => {
                stack.postgres.fill_disk()?;
                let span = self.lasts(End::DiskEmptied, 500, 3_000);
                format!("disk full: {span:?}")
            }
            Fault::SupervisorKilled => match &mut stack.supervisor {
                Some(supervisor) => {
                    supervisor.kill()?;
                    supervisor.start(&[])?;
                    "kill -9 pg-boss supervisor".to_owned()
                }
                None => "kill -9 pg-boss supervisor: none".to_owned(),
            },
            Fault::TelegramFrozen => match stack.simulator.id() {
                None => "SIGSTOP Telegram: none".to_owned(),
                Some(id) => {
                    signal(id, "STOP")?;
                    let span = self.lasts(End::TelegramThaws(id, clock::now()), 300, 12_000);
                    format!("SIGSTOP Telegram: {span:?}")
                }
            },
        })
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

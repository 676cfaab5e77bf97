//! A process that dispatches and delivers, to be killed: the test's own program, told
//! to run its ignored test `worker`, which calls [`work`].

use std::{
    env,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use telecast_core::bots::EncryptionKey;
use telecast_queue::Queue;
use telecast_runtime::{
    database::{DatabaseUrl, pool},
    invoke::InProcess,
};
use telecast_scheduler::{Scheduler, TELECAST, Until};
use telecast_send_message::SendMessage;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{KEY, Stage, telegram};

/// A process with a scheduler and the handler.
pub struct Worker(Child);

impl Worker {
    pub fn start(stage: &Stage) -> Self {
        let child = Command::new(env::current_exe().unwrap())
            .args(["worker", "--exact", "--ignored"])
            .env(
                "WORKER_DATABASE",
                format!("{}&application_name=worker", stage.url),
            )
            .env("WORKER_TELEGRAM", stage.simulator.base_url())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// All are killed, and the server has finished what it had read of their statements.
    pub async fn until_gone(stage: &Stage) {
        let connected = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'worker'";
        while stage.scalar::<i64>(connected).await > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.kill().unwrap_or_default();
        self.0.wait().ok();
    }
}

/// The program.
pub async fn work() {
    let Ok(url) = env::var("WORKER_DATABASE") else {
        return;
    };
    let url: DatabaseUrl = url.parse().unwrap();
    let pool = pool(&url, 12).unwrap();
    let handler = SendMessage::new(
        pool.clone(),
        Queue::default(),
        telegram(&env::var("WORKER_TELEGRAM").unwrap()),
        EncryptionKey::new(KEY),
    );
    let invoker = InProcess::new(Duration::from_secs(45)).with(handler);
    let kick = Arc::new(Notify::new());
    let queue = Queue::default();
    let mut scheduler = Scheduler::new(pool, queue, Arc::new(invoker), &TELECAST, kick, None);
    scheduler
        .run(Until::Stopped(CancellationToken::new()))
        .await;
}

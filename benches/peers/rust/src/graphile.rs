//! graphile_worker, the port to Rust, with the settings of its own benches.

use std::time::Duration;

use anyhow::Result;
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, RawJobSpec, TaskHandler, WorkerContext,
    WorkerOptions, WorkerUtils,
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use crate::{Meter, Payload, Peer, Spec};

#[derive(Clone)]
pub struct Graphile {
    pool: PgPool,
    spec: Spec,
}

#[derive(Serialize, Deserialize)]
struct Job(Payload);

impl TaskHandler for Job {
    const IDENTIFIER: &'static str = "q";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        if let Some(meter) = context.get_ext::<Meter>() {
            meter.note(&self.0);
        }
        Ok::<(), String>(())
    }
}

impl Graphile {
    pub fn new(pool: PgPool, spec: &Spec) -> Self {
        Self { pool, spec: spec.clone() }
    }

    fn utils(&self) -> WorkerUtils {
        WorkerUtils::new(self.pool.clone(), "graphile_worker")
    }
}

impl Peer for Graphile {
    async fn setup(&self) -> Result<()> {
        Ok(self.utils().migrate().await?)
    }

    async fn send(&self, payload: Payload) -> Result<()> {
        self.utils().add_job(Job(payload), JobSpec::default()).await?;
        Ok(())
    }

    async fn insert(&self, count: usize) -> Result<()> {
        let jobs: Vec<RawJobSpec> = (0..count)
            .map(|n| {
                Ok(RawJobSpec {
                    identifier: "q".to_owned(),
                    payload: serde_json::to_value(Payload::new(n))?,
                    spec: JobSpec::default(),
                })
            })
            .collect::<Result<_>>()?;
        self.utils().add_raw_jobs(&jobs).await?;
        Ok(())
    }

    async fn work(&self, meter: Meter) -> Result<()> {
        let mut options = WorkerOptions::default()
            .concurrency(if self.spec.trial == "drain" { 500 } else { 4 })
            .pg_pool(self.pool.clone())
            .schema("graphile_worker")
            .add_extension(meter)
            .define_job::<Job>();
        if self.spec.trial == "drain" {
            options = options
                .complete_job_batch_delay(Duration::from_millis(5))
                .local_queue(LocalQueueConfig::default().with_size(5000));
        }
        options.init().await?.run().await?;
        Ok(())
    }
}

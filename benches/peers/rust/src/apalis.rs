//! apalis-postgres: listening, with large batches.

use anyhow::{Result, anyhow};
use apalis::prelude::*;
use apalis_postgres::{Config, PostgresStorage, queries::push_tasks};
use sqlx::PgPool;

use crate::{Meter, Payload, Peer, Spec};

#[derive(Clone)]
pub struct Apalis {
    pool: PgPool,
    spec: Spec,
}

impl Apalis {
    pub fn new(pool: PgPool, spec: &Spec) -> Self {
        Self { pool, spec: spec.clone() }
    }

    async fn push(&self, payloads: impl Iterator<Item = Payload>) -> Result<()> {
        let tasks = payloads
            .map(|payload| Ok(TaskBuilder::new(serde_json::to_vec(&payload)?).build()))
            .collect::<Result<Vec<_>>>()?;
        let mut connection = self.pool.acquire().await?;
        Ok(push_tasks(&mut *connection, "q", tasks).await?)
    }
}

impl Peer for Apalis {
    async fn setup(&self) -> Result<()> {
        Ok(PostgresStorage::setup(&self.pool).await?)
    }

    async fn send(&self, payload: Payload) -> Result<()> {
        self.push(std::iter::once(payload)).await
    }

    async fn insert(&self, count: usize) -> Result<()> {
        self.push((0..count).map(Payload::new)).await
    }

    async fn work(&self, meter: Meter) -> Result<()> {
        let batch = if self.spec.trial == "drain" { self.spec.batch } else { 10 };
        let config = Config::default().queue("q").batch_size(batch).lock_tasks(false);
        let backend = PostgresStorage::new(&self.pool).with_config(config).with_pubsub();
        let worker = WorkerBuilder::new("bench")
            .backend(backend)
            .data(meter)
            .build(handle);
        worker.run().await.map_err(|error| anyhow!("{error}"))
    }
}

async fn handle(payload: Payload, meter: Data<Meter>) -> Result<(), BoxDynError> {
    meter.note(&payload);
    Ok(())
}

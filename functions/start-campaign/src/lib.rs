//! The handler of the queue `start-campaign`: a campaign becomes message jobs, or, where
//! it recurs, starts a campaign of its own for each occurrence.
#![forbid(unsafe_code)]

use deadpool_postgres::Pool;
use serde::Deserialize;
use telecast_core::{
    campaigns::{self, Occurrence, START_QUEUE},
    delivery::{self, Planned},
};
use telecast_queue::{Failure, Job, Queue};
use telecast_runtime::handler::{
    Deadline, Handler, HandlerError, Invocation, InvocationResponse, async_trait,
};
use uuid::Uuid;

/// Plans the campaigns of its queue jobs.
#[derive(Debug, Clone)]
pub struct StartCampaign {
    pool: Pool,
    queue: Queue,
}

/// What a queue job of this queue holds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    campaign_id: Uuid,
}

/// Why one campaign was not planned.
#[derive(Debug, thiserror::Error)]
enum PlanError {
    #[error("the queue job's data must hold a campaignId: {0}")]
    Payload(#[from] serde_json::Error),
    #[error("no connection to the database: {0}")]
    Pool(#[from] deadpool_postgres::PoolError),
    #[error(transparent)]
    Core(#[from] telecast_core::Error),
}

impl StartCampaign {
    /// A handler on this database.
    pub fn new(pool: Pool, queue: Queue) -> Self {
        Self { pool, queue }
    }

    /// Plans one campaign, or has it recur, and completes its queue job, in one transaction.
    async fn plan(&self, job: &Job) -> Result<(), PlanError> {
        let payload = Payload::deserialize(&job.data)?;
        let mut client = self.pool.get().await?;
        let transaction = client
            .transaction()
            .await
            .map_err(telecast_core::Error::from)?;
        let occurrence =
            campaigns::occur(&transaction, &self.queue, payload.campaign_id, job.id).await?;
        let planned = delivery::plan(&transaction, payload.campaign_id).await?;
        self.queue
            .complete(&*transaction, START_QUEUE, [job], None)
            .await
            .map_err(telecast_core::Error::from)?;
        transaction
            .commit()
            .await
            .map_err(telecast_core::Error::from)?;
        match occurrence {
            Occurrence::Nothing => {}
            occurrence => {
                tracing::info!(campaign_id = %payload.campaign_id, ?occurrence, "recurs");
                return Ok(());
            }
        }
        match planned {
            Planned::Now { total } => {
                tracing::info!(campaign_id = %payload.campaign_id, total, "planned");
            }
            Planned::Missed => {
                tracing::warn!(campaign_id = %payload.campaign_id, "missed: it is later than it may begin");
            }
            Planned::Before => {
                tracing::info!(campaign_id = %payload.campaign_id, "was planned before");
            }
        }
        Ok(())
    }

    /// A campaign that could not be planned is tried again as the queue is set.
    async fn fail(&self, job: &Job, error: &PlanError) -> Result<(), PlanError> {
        let failure = Failure {
            output: Some(serde_json::json!({"message": error.to_string()})),
            ..Failure::default()
        };
        let client = self.pool.get().await?;
        self.queue
            .fail(&**client, START_QUEUE, [job], &failure)
            .await
            .map_err(telecast_core::Error::from)?;
        Ok(())
    }
}

#[async_trait]
impl Handler for StartCampaign {
    fn queue(&self) -> &'static str {
        START_QUEUE
    }

    async fn handle(
        &self,
        invocation: Invocation,
        _deadline: Deadline,
    ) -> Result<InvocationResponse, HandlerError> {
        let mut failed = Vec::new();
        for job in &invocation.jobs {
            let Err(error) = self.plan(job).await else {
                continue;
            };
            tracing::error!(job_id = %job.id, %error, "could not plan a campaign");
            self.fail(job, &error).await?;
            failed.push(job.id);
        }
        Ok(InvocationResponse::failing(failed))
    }
}

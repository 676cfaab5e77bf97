//! The handler of the queue `send-webhook`: tells webhooks what became of campaigns.
#![forbid(unsafe_code)]

mod reach;
mod sign;

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use deadpool_postgres::Pool;
use futures_util::future::join_all;
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};
use telecast_core::{
    bots::EncryptionKey,
    webhooks::{self, Delivery, QUEUE, Webhook},
};
use telecast_queue::{Failure, Fence, Job, Queue};
use telecast_runtime::handler::{
    Deadline, Handler, HandlerError, Invocation, InvocationResponse, async_trait,
};

pub use reach::Reach;

/// For a whole delivery: a receiver that takes longer is asked again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells webhooks.
#[derive(Clone)]
pub struct SendWebhook {
    pool: Pool,
    queue: Queue,
    key: EncryptionKey,
    reach: Reach,
    http: reqwest::Client,
}

/// A client that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// TLS could not be set up.
    #[error("could not set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The HTTP client could not be set up.
    #[error("could not set up the HTTP client: {0}")]
    Http(#[from] reqwest::Error),
}

/// What became of a delivery; the queue job keeps it as its output.
enum Told {
    /// The receiver took it.
    Yes(StatusCode),
    /// Nobody is to be told any more.
    Void(&'static str),
    /// To be tried again.
    No(String),
}

impl SendWebhook {
    /// A handler on this database, which opens webhooks' secrets with `key`.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(
        pool: Pool,
        queue: Queue,
        key: EncryptionKey,
        reach: Reach,
    ) -> Result<Self, SetupError> {
        let roots = rustls::RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(PATIENCE)
            // A redirect could lead where the URL must not.
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(reach))
            .no_proxy()
            .user_agent(concat!("Telecast/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            pool,
            queue,
            key,
            reach,
            http,
        })
    }

    async fn tell(&self, job: &Job) -> Told {
        match self.try_to_tell(job).await {
            Ok(told) => told,
            Err(error) => Told::No(error.to_string()),
        }
    }

    async fn try_to_tell(&self, job: &Job) -> Result<Told, HandlerError> {
        let delivery = Delivery::deserialize(&job.data)?;
        let found = {
            let client = self.pool.get().await?;
            webhooks::get_with_secret(&**client, delivery.webhook_id, &self.key).await
        };
        let (webhook, secret) = match found {
            Ok(found) => found,
            Err(telecast_core::Error::NotFound { .. }) => {
                return Ok(Told::Void("the webhook was deleted"));
            }
            Err(error) => return Err(error.into()),
        };
        if !webhook.active {
            return Ok(Told::Void("the webhook is not active"));
        }
        self.post(job, &delivery, &webhook, &secret).await
    }

    async fn post(
        &self,
        job: &Job,
        delivery: &Delivery,
        webhook: &Webhook,
        secret: &[u8],
    ) -> Result<Told, HandlerError> {
        let url = Url::parse(&webhook.url)?;
        self.reach.admits(&url)?;
        let body = json!({
            "id": job.id,
            "event": delivery.event,
            "occurredAt": delivery.occurred_at,
            "campaign": delivery.campaign,
            "details": delivery.details,
        })
        .to_string();
        let (id, now) = (job.id.to_string(), Utc::now());
        let signature = sign::signature(secret, &id, now, &body).ok_or("the secret is no key")?;
        let response = self
            .http
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", now.timestamp())
            .header("webhook-signature", signature)
            .body(body)
            .send()
            .await
            .map_err(unanswered)?;
        let status = response.status();
        if status.is_success() {
            Ok(Told::Yes(status))
        } else {
            Ok(Told::No(format!("the receiver answered {status}")))
        }
    }

    async fn settle(&self, told: Vec<(Fence, Told)>) -> Result<(), HandlerError> {
        let (mut done, mut again): (Vec<(Fence, Option<Value>)>, Vec<_>) = (Vec::new(), Vec::new());
        for (attempt, told) in told {
            match told {
                Told::Yes(status) => done.push((attempt, Some(json!({"status": status.as_u16()})))),
                Told::Void(why) => done.push((attempt, Some(json!({"message": why})))),
                Told::No(why) => again.push((attempt, Some(json!({"message": why})))),
            }
        }
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        if !done.is_empty() {
            self.queue.complete_each(&*transaction, QUEUE, done).await?;
        }
        if !again.is_empty() {
            let failure = Failure::default();
            self.queue
                .fail_each(&*transaction, QUEUE, again, &failure)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// Why nobody answered, without the URL: what it holds is for administrators.
fn unanswered(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[async_trait]
impl Handler for SendWebhook {
    fn queue(&self) -> &'static str {
        QUEUE
    }

    async fn handle(
        &self,
        invocation: Invocation,
        _deadline: Deadline,
    ) -> Result<InvocationResponse, HandlerError> {
        let told = join_all(invocation.jobs.iter().map(|job| self.tell(job))).await;
        let failed = invocation.jobs.iter().zip(&told).filter_map(|(job, told)| {
            let Told::No(why) = told else { return None };
            tracing::warn!(job_id = %job.id, why, "a webhook was not told; trying again");
            Some(job.id)
        });
        let response = InvocationResponse::failing(failed);
        let attempts = invocation.jobs.iter().map(Job::fence);
        self.settle(attempts.zip(told).collect()).await?;
        Ok(response)
    }
}

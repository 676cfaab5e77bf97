//! A small client of the public API: what the demonstration needs of it.

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

/// A campaign, as far as its progress goes.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Progress {
    pub(crate) status: String,
    pub(crate) pause_reason: Option<String>,
    pub(crate) counts: Counts,
    pub(crate) eta: Option<DateTime<Utc>>,
    pub(crate) started_at: Option<DateTime<Utc>>,
    pub(crate) finished_at: Option<DateTime<Utc>>,
}

/// Message jobs by state.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    pub(crate) total: u64,
    pub(crate) pending: u64,
    pub(crate) sent: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) uncertain: u64,
    pub(crate) cancelled: u64,
}

impl Progress {
    /// Whether nothing more will happen.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self.status.as_str(),
            "COMPLETED" | "CANCELLED" | "FAILED" | "MISSED"
        )
    }
}

/// Somebody signed in.
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    password: String,
    token: String,
}

impl Client {
    /// Signs in as the admin.
    pub(crate) async fn sign_in(base: &str, password: &str) -> Result<Self> {
        let mut client = Self {
            http: reqwest::Client::new(),
            base: base.to_owned(),
            password: password.to_owned(),
            token: String::new(),
        };
        client.renew().await?;
        Ok(client)
    }

    /// Tokens are short-lived.
    async fn renew(&mut self) -> Result<()> {
        #[derive(Deserialize)]
        struct Login {
            token: String,
        }
        let body = json!({"username": "admin", "password": self.password});
        let response = self
            .http
            .post(format!("{}/api/auth/login", self.base))
            .json(&body)
            .send()
            .await?;
        self.token = read::<Login>(response).await?.token;
        Ok(())
    }

    /// Imports channels from a CSV text.
    pub(crate) async fn import(&self, csv: String) -> Result<()> {
        let response = self
            .http
            .post(format!("{}/api/channels/import", self.base))
            .bearer_auth(&self.token)
            .header("content-type", "text/csv")
            .body(csv)
            .send()
            .await?;
        read::<Value>(response).await.map(|_| ())
    }

    /// Makes something, and gives its id.
    pub(crate) async fn create(&self, path: &str, body: &Value) -> Result<Uuid> {
        #[derive(Deserialize)]
        struct Created {
            id: Uuid,
        }
        let response = self.request(Method::POST, path).json(body).send().await?;
        Ok(read::<Created>(response).await?.id)
    }

    /// Starts a campaign.
    pub(crate) async fn start(&self, id: Uuid) -> Result<()> {
        let response = self
            .request(Method::POST, &format!("/api/campaigns/{id}/action"))
            .json(&json!({"action": "start"}))
            .send()
            .await?;
        read::<Value>(response).await.map(|_| ())
    }

    /// How a campaign is doing.
    pub(crate) async fn progress(&mut self, id: Uuid) -> Result<Progress> {
        let path = format!("/api/campaigns/{id}");
        let mut response = self.request(Method::GET, &path).send().await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            self.renew().await?;
            response = self.request(Method::GET, &path).send().await?;
        }
        read(response).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(&self.token)
    }
}

/// The body, or the API's own words for what is wrong.
async fn read<T: DeserializeOwned>(response: reqwest::Response) -> Result<T> {
    let (status, url) = (response.status(), response.url().path().to_owned());
    let body = response.text().await?;
    if !status.is_success() {
        bail!("{url} answered {status}: {body}");
    }
    serde_json::from_str(&body).with_context(|| format!("{url} answered {body}"))
}

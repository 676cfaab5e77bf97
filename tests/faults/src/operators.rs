//! Operators: they set campaigns up, and then pause, resume, cancel and change rates.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{clock::now, dice::Dice};

/// The admin's password.
pub(crate) const PASSWORD: &str = "correct-horse-battery-staple";

/// Names of channels, without the @.
pub(crate) type Channels = Vec<String>;

/// What an operator tried.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    /// An action of the API, or `rate`.
    pub(crate) action: &'static str,
    /// The new rate, for `rate`.
    pub(crate) rate: Option<u32>,
    /// When it was asked for, in microseconds since 1970.
    pub(crate) asked: u64,
    /// When the API said that it was done; None where it did not, and it may have been.
    pub(crate) done: Option<u64>,
}

/// A campaign, as its operator knows it.
#[derive(Debug, Clone)]
pub(crate) struct Campaign {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) channels: Channels,
    pub(crate) resends: bool,
    pub(crate) rate: u32,
    pub(crate) is_started: bool,
    pub(crate) deeds: Vec<Deed>,
}

impl Campaign {
    /// Whether somebody tried this, with whatever success.
    pub(crate) fn was_asked(&self, action: &str) -> bool {
        self.deeds.iter().any(|deed| deed.action == action)
    }
}

/// Somebody signed in.
#[derive(Clone)]
pub(crate) struct Operator {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Operator {
    /// Signs in, as soon as the API answers.
    pub(crate) async fn sign_in(port: u16) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy();
        let mut operator = Self {
            http: http.timeout(Duration::from_secs(15)).build()?,
            url: format!("http://127.0.0.1:{port}"),
            token: String::new(),
        };
        let login = json!({"username": "admin", "password": PASSWORD});
        let mut tries = 0;
        let answer = loop {
            match operator.call(Method::POST, "/api/auth/login", &login).await {
                Ok(answer) => break answer,
                Err(_) if tries < 300 => tries += 1,
                Err(error) => return Err(error),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        operator.token = text(&answer, "token")?;
        Ok(operator)
    }

    /// The body of an answer that is no error.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status();
        let answer: Value = response.json().await?;
        if !status.is_success() {
            bail!("{path}: {status} {answer}");
        }
        Ok(answer)
    }

    /// Imports channels and makes a campaign to them; it is not started yet.
    pub(crate) async fn set_up(
        &self,
        name: &str,
        channels: Channels,
        rate: u32,
        resends: bool,
    ) -> Result<Campaign> {
        let rows: String = channels
            .iter()
            .map(|channel| format!("{channel},{channel},{name}\n"))
            .collect();
        let request = self
            .http
            .post(format!("{}/api/channels/import", self.url))
            .bearer_auth(&self.token)
            .header("content-type", "text/csv")
            .body(format!("username,title,category\n{rows}"));
        request.send().await?.error_for_status()?;
        let batch = json!({"name": name, "add": {"filter": {"category": name}}});
        let batch = self.call(Method::POST, "/api/batches", &batch).await?;
        let template = json!({"name": name, "text": format!("{name} {{{{username}}}}")});
        let template = self.call(Method::POST, "/api/templates", &template).await?;
        let campaign = json!({
            "name": name,
            "batchId": text(&batch, "id")?,
            "templateId": text(&template, "id")?,
            "deliveryRate": rate,
            "onUncertain": if resends { "RESEND" } else { "SKIP" },
        });
        let campaign = self.call(Method::POST, "/api/campaigns", &campaign).await?;
        Ok(Campaign {
            id: text(&campaign, "id")?,
            name: name.to_owned(),
            channels,
            resends,
            rate,
            is_started: false,
            deeds: Vec::new(),
        })
    }

    /// An action on a campaign.
    pub(crate) async fn act(&self, id: &str, action: &str) -> Result<Value> {
        let path = format!("/api/campaigns/{id}/action");
        self.call(Method::POST, &path, &json!({"action": action}))
            .await
    }

    /// Status and reason of a pause, and how many messages are open.
    pub(crate) async fn status(&self, id: &str) -> Result<(String, Option<String>, u64)> {
        let path = format!("/api/campaigns/{id}");
        let campaign = self.call(Method::GET, &path, &Value::Null).await?;
        let reason = campaign["pauseReason"].as_str().map(str::to_owned);
        let open = campaign["counts"]["pending"].as_u64();
        let open = open.context("counts.pending is missing")?;
        Ok((text(&campaign, "status")?, reason, open))
    }

    /// Does something to a campaign that is drawn, and notes it down.
    pub(crate) async fn meddle(&self, dice: &mut Dice, campaigns: &mut [Campaign]) -> String {
        let at = dice.place(campaigns.len());
        let draw = dice.between(0, 24);
        let rate = u32::try_from(dice.between(200, 900)).unwrap_or(200);
        let campaign = &mut campaigns[at];
        let action = match draw {
            0..6 => "pause",
            6..14 => "resume",
            14..18 => "rate",
            18 | 19 => "cancel",
            20 | 21 => "retry-failed",
            _ => "resend-uncertain",
        };
        let action = if campaign.is_started { action } else { "start" };
        let is_done = self.attempt(campaign, action, rate).await;
        let no = if is_done { "" } else { " (no)" };
        format!("{action}{no}: {}", campaign.name)
    }

    /// Tries something, and notes it down; gives whether the API said that it was done.
    pub(crate) async fn attempt(
        &self,
        campaign: &mut Campaign,
        action: &'static str,
        rate: u32,
    ) -> bool {
        let asked = now();
        let answer = if action == "rate" {
            let path = format!("/api/campaigns/{}", campaign.id);
            let patch = json!({"deliveryRate": rate});
            self.call(Method::PATCH, &path, &patch).await
        } else {
            self.act(&campaign.id, action).await
        };
        let refused = |error: &anyhow::Error| error.to_string().contains("409");
        let is_refused = answer.as_ref().is_err_and(refused);
        if !is_refused {
            campaign.deeds.push(Deed {
                action,
                rate: (action == "rate").then_some(rate),
                asked,
                done: answer.is_ok().then(now),
            });
        }
        // It was started before, and the answer was lost.
        campaign.is_started |= action == "start" && (answer.is_ok() || is_refused);
        answer.is_ok()
    }
}

fn text(value: &Value, name: &str) -> Result<String> {
    let text = value[name].as_str();
    text.map(str::to_owned)
        .with_context(|| format!("{name} is missing in {value}"))
}

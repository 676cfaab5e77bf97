//! A campaign through the public API.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::process::PASSWORD;

/// Somebody signed in.
pub(crate) struct Api {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Api {
    /// Signs in as the admin.
    pub(crate) async fn sign_in(url: &str) -> Self {
        // Fails where an earlier test of this process installed it.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let mut api = Self {
            http: reqwest::Client::new(),
            url: url.to_owned(),
            token: String::new(),
        };
        let login = json!({"username": "admin", "password": PASSWORD});
        let (status, answer) = api.call(Method::POST, "/api/auth/login", &login).await;
        assert_eq!(status, 200, "{answer}");
        api.token = answer["token"].as_str().unwrap().to_owned();
        api
    }

    /// Status and body of a call.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let response = self
            .http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.token)
            .json(body)
            .send()
            .await
            .unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Imports a CSV, and gives the report.
    pub(crate) async fn import(&self, csv: String) -> Value {
        let response = self
            .http
            .post(format!("{}/api/channels/import", self.url))
            .bearer_auth(&self.token)
            .header("content-type", "text/csv")
            .body(csv)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    /// Makes something, and gives its id.
    pub(crate) async fn create(&self, path: &str, body: Value) -> String {
        let (status, answer) = self.call(Method::POST, path, &body).await;
        assert_eq!(status, 201, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }

    /// Makes a campaign to all channels, starts it, and gives its path.
    pub(crate) async fn start_campaign(&self, rate: u32) -> String {
        let batch = self
            .create(
                "/api/batches",
                json!({"name": "all", "add": {"filter": {}}}),
            )
            .await;
        let template =
            json!({"name": "hello", "text": "Hello <b>{{title}}</b>", "parseMode": "HTML"});
        let template = self.create("/api/templates", template).await;
        let campaign = json!({
            "name": "hello", "batchId": batch, "templateId": template, "deliveryRate": rate,
        });
        let id = self.create("/api/campaigns", campaign).await;
        let path = format!("/api/campaigns/{id}");
        let (status, answer) = self
            .call(
                Method::POST,
                &format!("{path}/action"),
                &json!({"action": "start"}),
            )
            .await;
        assert_eq!(status, 200, "{answer}");
        path
    }

    /// Waits until a campaign is completed, and gives its counts. A flood wait is
    /// waited out: on a busy machine messages may bunch up.
    pub(crate) async fn until_completed(&self, path: &str) -> Value {
        loop {
            let (_, campaign) = self.call(Method::GET, path, &Value::Null).await;
            match (
                campaign["status"].as_str(),
                campaign["pauseReason"].as_str(),
            ) {
                (Some("COMPLETED"), _) => return campaign["counts"].clone(),
                (Some("QUEUED" | "RUNNING"), _) | (Some("PAUSED"), Some("FLOOD_WAIT")) => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                _ => panic!("{campaign}"),
            }
        }
    }
}

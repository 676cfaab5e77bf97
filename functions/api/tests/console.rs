//! The console, as a browser without JavaScript uses it.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use axum::http::{Request, StatusCode, header};
use common::{Answer, Api, PASSWORD};
use serde_json::json;
use telecast_core::users::Role;

/// A browser that is signed in.
struct Browser<'a> {
    api: &'a Api,
    cookie: String,
}

impl<'a> Browser<'a> {
    async fn sign_in(api: &'a Api, username: &str) -> Self {
        let answer = form(
            api,
            "",
            "/console/sign-in",
            &[("username", username), ("password", PASSWORD)],
        )
        .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        let set = answer.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(
            set.contains("HttpOnly") && set.contains("SameSite=Lax"),
            "{set}"
        );
        let cookie = set.split(';').next().unwrap().to_owned();
        Self { api, cookie }
    }

    async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header(header::COOKIE, &self.cookie);
        self.api
            .send(request.body(axum::body::Body::empty()).unwrap())
            .await
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
        answer.body.as_str().unwrap().to_owned()
    }

    /// Posts a form as one of our pages would, with its token.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.page("/console").await;
        let token = page.split("name=\"csrf\" value=\"").nth(1).unwrap();
        let token = token.split('"').next().unwrap();
        let mut fields = fields.to_vec();
        fields.push(("csrf", token));
        form(self.api, &self.cookie, path, &fields).await
    }

    /// Posts a form, and gives where it leads.
    async fn done(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(path, fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: {answer:?}");
        answer.headers[header::LOCATION]
            .to_str()
            .unwrap()
            .to_owned()
    }
}

async fn form(api: &Api, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let encode = |text: &str| {
        text.bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect::<String>()
    };
    let body: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::COOKIE, cookie)
        .body(body.join("&").into())
        .unwrap();
    api.send(request).await
}

const PAGES: [&str; 11] = [
    "/console",
    "/console/campaigns",
    "/console/campaigns/new",
    "/console/channels",
    "/console/batches",
    "/console/templates",
    "/console/templates/new",
    "/console/bots",
    "/console/users",
    "/console/audit",
    "/console/queues/send-message",
];

#[tokio::test]
async fn every_page_is_small_and_holds_nothing_inline() {
    let api = Api::start().await;
    let browser = Browser::sign_in(&api, "admin").await;
    for path in PAGES {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
        let policy = answer.headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(!policy.contains("unsafe"), "{policy}");
        let page = answer.body.as_str().unwrap();
        assert!(page.len() < 60_000, "{path} has {} bytes", page.len());
        for forbidden in [" style=", "<style", "onclick", "javascript:"] {
            assert!(!page.contains(forbidden), "{path} holds {forbidden}");
        }
    }
}

#[tokio::test]
async fn who_is_not_signed_in_is_led_to_the_sign_in() {
    let api = Api::start().await;
    for path in PAGES {
        let answer = api
            .send(Request::get(path).body(axum::body::Body::empty()).unwrap())
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(answer.headers[header::LOCATION], "/console/sign-in");
    }
    let wrong = [("username", "admin"), ("password", "wrong")];
    let answer = form(&api, "", "/console/sign-in", &wrong).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.headers.get(header::SET_COOKIE).is_none());
}

#[tokio::test]
async fn a_form_without_the_tokens_of_our_pages_does_nothing() {
    let api = Api::start().await;
    let browser = Browser::sign_in(&api, "admin").await;
    let fields = [("name", "stolen"), ("csrf", "guess")];
    let answer = form(&api, &browser.cookie, "/console/batches/new", &fields).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(
        api.get("/api/batches").await.ok()["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn an_auditor_looks_and_changes_nothing() {
    let api = Api::start().await;
    let browser = Browser::sign_in(&api, "auditor").await;
    assert!(
        !browser
            .page("/console/batches")
            .await
            .contains("/console/batches/new")
    );
    for (path, fields) in [
        ("/console/batches/new", [("name", "x")]),
        ("/console/users", [("username", "x")]),
    ] {
        let answer = browser.post(path, &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(
        browser.get("/console/users").await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let api = Api::start().await;
    let browser = Browser::sign_in(&api, "operator").await;
    assert_eq!(
        browser.done("/console/sign-out", &[]).await,
        "/console/sign-in"
    );
    assert_eq!(browser.get("/console").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_campaign_is_planned_saved_started_and_paused_by_forms() {
    let api = Api::start().await;
    let bot = json!({"name": "one", "token": common::BOT_TOKEN});
    api.post("/api/bots", bot).await.ok();
    api.import("text/csv", "username,title\nnews_one,One\nnews_two,Two\n")
        .await
        .ok();
    let browser = Browser::sign_in(&api, "operator").await;
    browser
        .done("/console/batches/new", &[("name", "All")])
        .await;
    let text = [
        ("name", "Hello"),
        ("text", "Hello <b>{{title}}</b>"),
        ("parseMode", "HTML"),
    ];
    let template = browser.done("/console/templates/new", &text).await;
    assert!(browser.page(&template).await.contains("Hello <b>"));
    let batch = api.get("/api/batches").await.ok()["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();

    let template = template.rsplit('/').next().unwrap();
    let mut fields = vec![
        ("name", "First"),
        ("batchId", batch.as_str()),
        ("templateId", template),
        ("deliveryRate", "6000"),
        ("quietFrom", "00:00"),
        ("quietTo", "00:01"),
    ];
    let plan = browser.post("/console/campaigns/new", &fields).await;
    let plan = plan.ok().as_str().unwrap().to_owned();
    assert!(
        plan.contains("messages per minute will be at most"),
        "{plan}"
    );
    assert!(
        api.get("/api/campaigns").await.ok()["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );

    fields.push(("start", "yes"));
    let campaign = browser.done("/console/campaigns/new", &fields).await;
    let page = browser.page(&campaign).await;
    assert!(
        page.contains("First") && page.contains("CAMPAIGN_STARTED"),
        "{page}"
    );

    let action = format!("{campaign}/action");
    let asked = browser.post(&action, &[("action", "pause")]).await.ok();
    assert!(asked.as_str().unwrap().contains("Nothing more is sent"));
    browser
        .done(&action, &[("action", "pause"), ("confirmed", "yes")])
        .await;
    let paused = api.get("/api/campaigns").await.ok();
    assert_eq!(paused["items"][0]["status"], json!("PAUSED"));
    assert!(
        browser
            .page(&format!("{campaign}/live"))
            .await
            .contains("data-part")
    );
    assert!(!api.token(Role::Admin).is_empty());
}

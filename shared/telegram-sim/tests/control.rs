//! The control API: what a simulator in a process of its own can be asked and told.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use telecast_telegram_sim::{Config, Limits, Simulator};

const TOKEN: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

struct Http {
    simulator: Simulator,
    client: reqwest::Client,
}

impl Http {
    async fn start(limits: Limits) -> Self {
        let config = Config {
            limits,
            ..Config::default()
        };
        // One test after another asks for it; the first is enough.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        Self {
            simulator: Simulator::start(config).await.unwrap(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.simulator.base_url());
        self.client.request(method, url)
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.request(Method::GET, path).send().await.unwrap();
        answer.json().await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> reqwest::Response {
        let request = self.request(Method::POST, path).json(&body);
        request.send().await.unwrap()
    }

    async fn send(&self, chat: &str, text: &str) -> reqwest::Response {
        let path = format!("/bot{TOKEN}/sendMessage");
        self.post(&path, json!({"chat_id": chat, "text": text}))
            .await
    }
}

#[tokio::test]
async fn chats_are_added_scripted_and_judged_over_http() {
    let http = Http::start(Limits::UNLIMITED).await;
    let added = http
        .post(
            "/sim/chats",
            json!({"count": 2, "chats": [{"username": "news", "kind": "group"}]}),
        )
        .await;
    let added: Value = added.json().await.unwrap();
    assert_eq!(added["ids"].as_array().map(Vec::len), Some(1));
    let steps = json!([{"type": "serverError", "times": 1}]);
    let told = http
        .post("/sim/script", json!({"chat": "@news", "steps": steps}))
        .await;
    assert_eq!(told.status(), StatusCode::NO_CONTENT);

    for chat in ["@news", "@news", "@sim_channel_2", "@sim_channel_2"] {
        http.send(chat, "hello").await;
    }

    let ledger = http.get("/sim/ledger?chat=@news").await;
    assert_eq!(ledger.as_array().map(Vec::len), Some(2));
    assert_eq!(ledger[0]["answer"]["code"], 500);
    assert_eq!(ledger[1]["answer"]["type"], "ok");
    let summary = http.get("/sim/summary").await;
    assert_eq!(summary["accepted"], 3);
    assert_eq!(summary["refused"], json!({"500": 1}));
    assert_eq!(summary["duplicates"].as_array().map(Vec::len), Some(1));
    assert_eq!(summary["duplicates"][0]["text"], "hello");

    http.request(Method::DELETE, "/sim/ledger")
        .send()
        .await
        .unwrap();
    assert_eq!(http.get("/sim/summary").await["calls"], 0);
}

#[tokio::test]
async fn a_script_for_an_unknown_chat_is_refused() {
    let http = Http::start(Limits::UNLIMITED).await;
    let told = http
        .post("/sim/script", json!({"chat": "@nobody", "steps": []}))
        .await;
    assert_eq!(told.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_flood_is_answered_in_telegrams_exact_form() {
    let http = Http::start(Limits::default()).await;
    http.post("/sim/chats", json!({"count": 1})).await;
    http.post("/sim/flood", json!({"bot": "123456", "seconds": 17}))
        .await;
    let answer = http.send("@sim_channel_1", "hello").await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers()["retry-after"], "17");
    assert_eq!(
        answer.json::<Value>().await.unwrap(),
        json!({
            "ok": false,
            "error_code": 429,
            "description": "Too Many Requests: retry after 17",
            "parameters": {"retry_after": 17},
        })
    );
}

#[tokio::test]
async fn refusals_have_telegrams_exact_form() {
    let http = Http::start(Limits::UNLIMITED).await;
    http.post("/sim/chats", json!({"count": 1})).await;
    let good = json!({"chat_id": "@sim_channel_1", "text": "x"});
    let unknown = json!({"chat_id": "@nobody", "text": "x"});
    let empty = json!({"chat_id": "@sim_channel_1", "text": ""});
    for (path, body, code, description) in [
        (
            format!("/bot{TOKEN}/sendMessage"),
            &unknown,
            400,
            "Bad Request: chat not found",
        ),
        (
            format!("/bot{TOKEN}/sendMessage"),
            &empty,
            400,
            "Bad Request: message text is empty",
        ),
        (
            format!("/bot{TOKEN}/sendPigeon"),
            &good,
            404,
            "Not Found: method not found",
        ),
        ("/bot1:x/sendMessage".to_owned(), &good, 401, "Unauthorized"),
        ("/nothing".to_owned(), &good, 404, "Not Found"),
    ] {
        let answer = http.post(&path, body.clone()).await;
        assert_eq!(answer.status().as_u16(), code, "{path}");
        assert_eq!(
            answer.json::<Value>().await.unwrap(),
            json!({"ok": false, "error_code": code, "description": description})
        );
    }
}

#[tokio::test]
async fn a_form_is_as_good_as_json() {
    let http = Http::start(Limits::UNLIMITED).await;
    http.post("/sim/chats", json!({"chats": [{"id": -1007}]}))
        .await;
    let answer = http
        .request(Method::POST, &format!("/bot{TOKEN}/sendMessage"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("chat_id=-1007&text=%3Cb%3Ehi%3C%2Fb%3E&parse_mode=HTML")
        .send()
        .await
        .unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["result"]["text"], "hi", "{answer}");
}

#[tokio::test]
async fn a_call_that_cannot_be_read_is_in_the_ledger() {
    let http = Http::start(Limits::UNLIMITED).await;
    let answer = http
        .request(Method::POST, &format!("/bot{TOKEN}/sendMessage"))
        .header("content-type", "application/json")
        .body("{\"chat_id\": ")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let ledger = http.get("/sim/ledger").await;
    assert_eq!(ledger[0]["method"], "sendMessage");
    assert_eq!(
        ledger[0]["answer"]["description"],
        "Bad Request: can't parse request: JSON object is expected"
    );
}

//! Events reach receivers: signed, once, and only where they may.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use deadpool_postgres::Pool;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use telecast_core::{
    audit::{self, Actor},
    bots::{self, EncryptionKey, Identity},
    campaigns, templates, webhooks,
};
use telecast_queue::{Fetch, Queue};
use telecast_runtime::{
    database::pool,
    handler::{Deadline, Handler, Invocation},
};
use telecast_send_webhook::{Reach, SendWebhook};
use tokio::sync::Mutex;
use tokio_postgres::NoTls;
use uuid::Uuid;

const KEY: [u8; 32] = [7; 32];

/// What came to the receiver, and what it answers.
struct Receiver {
    url: String,
    inbox: Arc<Inbox>,
}

struct Inbox {
    status: StatusCode,
    received: Mutex<Vec<(HeaderMap, String)>>,
}

impl Receiver {
    async fn start(status: StatusCode) -> Self {
        let inbox = Arc::new(Inbox {
            status,
            received: Mutex::default(),
        });
        let take = async |State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: String| {
            inbox.received.lock().await.push((headers, body));
            inbox.status
        };
        let router = Router::new()
            .route("/hook", post(take))
            .with_state(Arc::clone(&inbox));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, inbox }
    }

    async fn events(&self) -> Vec<Value> {
        let received = self.inbox.received.lock().await;
        received
            .iter()
            .map(|(_, body)| serde_json::from_str(body).unwrap())
            .collect()
    }
}

struct Stage {
    pool: Pool,
    campaign: Uuid,
}

async fn migrate(url: String) {
    let (mut lock, first) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let (mut client, second) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let connections = tokio::spawn(async { tokio::join!(first, second) });
    telecast_core::migrate::migrate(&mut lock, &mut client)
        .await
        .unwrap();
    drop((lock, client));
    let (first, second) = connections.await.unwrap();
    first.and(second).unwrap();
}

impl Stage {
    async fn set() -> Self {
        let database = telecast_postgres::testing::database("send_webhook", migrate).await;
        let pool = pool(&database.url().parse().unwrap(), 4).unwrap();
        let mut client = pool.get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        let actor = Actor::system();
        let bot = json!({"name": "b", "token": "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"});
        let identity = Identity {
            telegram_id: 123_456,
            username: None,
        };
        let key = EncryptionKey::new(KEY);
        let bot = serde_json::from_value(bot).unwrap();
        bots::create(&transaction, &actor, &key, bot, &identity)
            .await
            .unwrap();
        let template = serde_json::from_value(json!({"name": "t", "text": "hi"})).unwrap();
        let template = templates::create(&transaction, &actor, template)
            .await
            .unwrap();
        let batch = serde_json::from_value(json!({"name": "b"})).unwrap();
        let batch = telecast_core::batches::create(&transaction, &actor, batch)
            .await
            .unwrap();
        let new = json!({"name": "spring", "batchId": batch.id, "templateId": template.id, "deliveryRate": 60});
        let new = serde_json::from_value(new).unwrap();
        let campaign = campaigns::create(&transaction, &actor, new).await.unwrap();
        transaction.commit().await.unwrap();
        drop(client);
        Self {
            pool,
            campaign: campaign.id,
        }
    }

    async fn webhook(&self, url: &str, events: Value) -> (Uuid, String) {
        let mut client = self.pool.get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        let name = Uuid::now_v7().to_string();
        let new =
            serde_json::from_value(json!({"name": name, "url": url, "events": events})).unwrap();
        let key = EncryptionKey::new(KEY);
        let created = webhooks::create(&transaction, &Actor::system(), &key, new)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        (created.webhook.id, created.secret)
    }

    /// Something befalls the campaign; `commit` tells whether it is not taken back.
    async fn happen(&self, action: &str, commit: bool) {
        let mut client = self.pool.get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        let details = json!({"waitTime": 5});
        audit::record(
            &transaction,
            &Actor::system(),
            action,
            "campaign",
            self.campaign,
            details,
        )
        .await
        .unwrap();
        if commit {
            transaction.commit().await.unwrap();
        }
    }

    /// Tells what is due, and gives how many deliveries there were.
    async fn tell(&self, reach: Reach) -> usize {
        let handler = SendWebhook::new(
            self.pool.clone(),
            Queue::default(),
            EncryptionKey::new(KEY),
            reach,
        )
        .unwrap();
        let client = self.pool.get().await.unwrap();
        let fetch = Fetch {
            batch: 50,
            ..Fetch::from(webhooks::QUEUE)
        };
        let jobs = Queue::default().fetch(&**client, &fetch).await.unwrap();
        drop(client);
        let count = jobs.len();
        let invocation = Invocation {
            queue: webhooks::QUEUE.to_owned(),
            jobs,
        };
        let deadline = Deadline::after(Duration::from_secs(45));
        handler.handle(invocation, deadline).await.unwrap();
        count
    }

    /// State and output of the deliveries, in order.
    async fn jobs(&self) -> Vec<(String, Value)> {
        let client = self.pool.get().await.unwrap();
        let rows = client
            .query_typed(
                "SELECT state::text, output FROM pgboss.job WHERE name = 'send-webhook' ORDER BY id",
                &[],
            )
            .await
            .unwrap();
        rows.iter()
            .map(|row| {
                (
                    row.get(0),
                    row.get::<_, Option<Value>>(1).unwrap_or_default(),
                )
            })
            .collect()
    }
}

#[tokio::test]
async fn who_wants_an_event_is_told_once_with_a_signature() {
    let stage = Stage::set().await;
    let receiver = Receiver::start(StatusCode::NO_CONTENT).await;
    let other = Receiver::start(StatusCode::OK).await;
    let (_, secret) = stage
        .webhook(
            &receiver.url,
            json!(["campaign.completed", "campaign.flood"]),
        )
        .await;
    stage.webhook(&other.url, json!(["campaign.paused"])).await;
    stage.happen("CAMPAIGN_COMPLETED", true).await;
    stage.happen("CAMPAIGN_UPDATED", true).await;
    assert_eq!(stage.tell(Reach::Anywhere).await, 1);
    assert_eq!(stage.tell(Reach::Anywhere).await, 0);

    let received = receiver.inbox.received.lock().await;
    let [(headers, body)] = received.as_slice() else {
        panic!("{received:?}");
    };
    let told: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        (
            &told["event"],
            &told["campaign"]["name"],
            &told["campaign"]["status"]
        ),
        (
            &json!("campaign.completed"),
            &json!("spring"),
            &json!("DRAFT")
        )
    );
    let header = |name: &str| headers[name].to_str().unwrap();
    assert_eq!(told["id"], header("webhook-id"));
    let key = BASE64_STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let signed = format!(
        "{}.{}.{body}",
        header("webhook-id"),
        header("webhook-timestamp")
    );
    mac.update(signed.as_bytes());
    let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(header("webhook-signature"), format!("v1,{signature}"));
    assert_eq!(other.events().await, Vec::<Value>::new());
    assert_eq!(
        stage.jobs().await,
        [("completed".to_owned(), json!({"status": 204}))]
    );
}

#[tokio::test]
async fn what_did_not_happen_is_not_told() {
    let stage = Stage::set().await;
    let receiver = Receiver::start(StatusCode::OK).await;
    stage
        .webhook(&receiver.url, json!(["campaign.completed"]))
        .await;
    stage.happen("CAMPAIGN_COMPLETED", false).await;
    assert_eq!(stage.tell(Reach::Anywhere).await, 0);
}

#[tokio::test]
async fn a_receiver_that_fails_is_told_again_and_a_deleted_one_no_more() {
    let stage = Stage::set().await;
    let broken = Receiver::start(StatusCode::INTERNAL_SERVER_ERROR).await;
    let (id, _) = stage.webhook(&broken.url, json!(["campaign.flood"])).await;
    stage.happen("FLOOD_WAIT_TRIGGERED", true).await;
    stage.tell(Reach::Anywhere).await;
    let (state, output) = stage.jobs().await.remove(0);
    assert_eq!(state, "retry");
    assert!(output["message"].as_str().unwrap().contains("500"));
    assert_eq!(broken.events().await[0]["details"], json!({"waitTime": 5}));

    let mut client = stage.pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    webhooks::delete(&transaction, &Actor::system(), id)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    client
        .batch_execute("UPDATE pgboss.job SET start_after = now() WHERE name = 'send-webhook'")
        .await
        .unwrap();
    drop(client);
    assert_eq!(stage.tell(Reach::Anywhere).await, 1);
    let (state, output) = stage.jobs().await.remove(0);
    assert_eq!(
        (state.as_str(), &output["message"]),
        ("completed", &json!("the webhook was deleted"))
    );
    assert_eq!(broken.events().await.len(), 1);
}

#[tokio::test]
async fn nothing_of_this_network_is_reached() {
    let stage = Stage::set().await;
    let inside = Receiver::start(StatusCode::OK).await;
    let by_name = inside.url.replace("http://127.0.0.1", "https://localhost");
    for url in [
        &inside.url,
        &by_name,
        &inside.url.replace("http:", "https:"),
    ] {
        stage.webhook(url, json!(["campaign.started"])).await;
    }
    stage.happen("CAMPAIGN_STARTED", true).await;
    assert_eq!(stage.tell(Reach::Internet).await, 3);
    assert_eq!(inside.events().await, Vec::<Value>::new());
    let mut problems: Vec<String> = stage
        .jobs()
        .await
        .into_iter()
        .map(|(_, output)| output["message"].as_str().unwrap().to_owned())
        .collect();
    problems.sort();
    assert!(
        problems[0].contains("no address of the Internet"),
        "{problems:?}"
    );
    assert!(problems[1].contains("only https"), "{problems:?}");
    assert!(
        problems[2].contains("not one of the Internet"),
        "{problems:?}"
    );
}

//! A stage: the handler between a real database and the simulator.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

pub mod worker;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use deadpool_postgres::{Object, Pool};
use serde_json::{Value, json};
use telecast_core::{
    audit::Actor,
    bots::{self, EncryptionKey, Identity, NewBot},
    campaigns::{self, Action, Campaign},
    delivery, templates,
};
use telecast_queue::{Job, Queue, limits};
use telecast_runtime::{
    database::{DatabaseUrl, pool},
    handler::{Deadline, Handler, Invocation, InvocationResponse},
};
use telecast_send_message::SendMessage;
use telecast_telegram::{Client, Settings};
use telecast_telegram_sim::{Config, Limits, NewChat, Simulator, Step};
use tokio_postgres::{
    NoTls,
    types::{FromSql, Type},
};
use uuid::Uuid;

/// The key that seals the tokens of these tests' bots.
pub const KEY: [u8; 32] = [7; 32];

/// A database, a simulator without limits, and the handler between them.
pub struct Stage {
    pub pool: Pool,
    pub url: String,
    pub simulator: Simulator,
    pub handler: SendMessage,
    pub bot_id: Uuid,
    bot_rate: u32,
    bots: u32,
    /// As if it were so late: a turn begins when all that waits is due.
    pub now: DateTime<Utc>,
}

/// Brings a database up to date.
pub async fn migrate(url: String) {
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

/// A client of a simulator, as impatient as it may be.
pub fn telegram(base_url: &str) -> Client {
    Client::new(&Settings {
        base_url: base_url.to_owned(),
        timeout: Duration::from_millis(3_100),
        ..Settings::default()
    })
    .unwrap()
}

fn handler(pool: &Pool, simulator: &Simulator) -> SendMessage {
    SendMessage::new(
        pool.clone(),
        Queue::default(),
        telegram(&simulator.base_url()),
        EncryptionKey::new(KEY),
    )
}

impl Stage {
    /// With a simulator that enforces no limits, and bots that know none.
    pub async fn set() -> Self {
        Self::with(Limits::UNLIMITED, 1_000).await
    }

    /// With a simulator that enforces `limits`, and bots that send so many messages a
    /// second.
    pub async fn with(limits: Limits, bot_rate: u32) -> Self {
        let database = telecast_postgres::testing::database("send_message", migrate).await;
        let url: DatabaseUrl = database.url().parse().unwrap();
        let pool = pool(&url, 8).unwrap();
        let simulator = Simulator::start(Config {
            limits,
            ..Config::default()
        })
        .await
        .unwrap();
        let handler = handler(&pool, &simulator);
        let mut stage = Self {
            pool,
            url: database.url().to_owned(),
            simulator,
            handler,
            bot_id: Uuid::nil(),
            bot_rate,
            bots: 0,
            now: Utc::now(),
        };
        stage.bot_id = stage.bot().await;
        stage
    }

    /// A handler that remembers nothing, as in another process.
    pub fn replace_handler(&mut self) {
        self.handler = handler(&self.pool, &self.simulator);
    }

    pub async fn client(&self) -> Object {
        self.pool.get().await.unwrap()
    }

    /// A new bot; the first has the id 1001 at Telegram, the next 1002.
    pub async fn bot(&mut self) -> Uuid {
        self.bots += 1;
        let telegram_id = 1000 + self.bots;
        let new: NewBot = serde_json::from_value(json!({
            "name": format!("bot {telegram_id}"),
            "token": format!("{telegram_id}:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            "ratePerSecond": self.bot_rate,
        }))
        .unwrap();
        let identity = Identity {
            telegram_id: telegram_id.into(),
            username: None,
        };
        let mut client = self.client().await;
        let transaction = client.transaction().await.unwrap();
        let key = EncryptionKey::new(KEY);
        let bot = bots::create(&transaction, &Actor::system(), &key, new, &identity)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        bot.id
    }

    /// A campaign that runs, to new channels of these names.
    pub async fn campaign(&self, chats: &[&str]) -> Uuid {
        self.campaign_with(chats, json!({"text": "Hello {{username}}"}), json!({}))
            .await
    }

    /// The same with a template, and with other fields of the campaign.
    pub async fn campaign_with(&self, chats: &[&str], template: Value, fields: Value) -> Uuid {
        for chat in chats {
            self.simulator.add_chat(NewChat {
                username: Some((*chat).to_owned()),
                ..NewChat::default()
            });
        }
        let mut client = self.client().await;
        let transaction = client.transaction().await.unwrap();
        let batch_id = Uuid::now_v7();
        let name = batch_id.to_string();
        transaction
            .execute_typed(
                "WITH batch AS (INSERT INTO batches (id, name) VALUES ($1, $2)),
                 channel AS (
                   INSERT INTO channels (id, username)
                   SELECT uuid_v7(), username FROM unnest($3::text[]) AS username
                   RETURNING id
                 )
                 INSERT INTO batch_channels (batch_id, channel_id) SELECT $1, id FROM channel",
                &[
                    (&batch_id, Type::UUID),
                    (&name, Type::TEXT),
                    (&chats, Type::TEXT_ARRAY),
                ],
            )
            .await
            .unwrap();
        let mut template = template;
        template["name"] = json!(name);
        let template = serde_json::from_value(template).unwrap();
        let template = templates::create(&transaction, &Actor::system(), template)
            .await
            .unwrap();
        let mut campaign = json!({
            "name": name, "batchId": batch_id, "templateId": template.id,
            "botId": self.bot_id, "deliveryRate": 60_000,
        });
        campaign
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let campaign = serde_json::from_value(campaign).unwrap();
        let campaign = campaigns::create(&transaction, &Actor::system(), campaign)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        self.act(campaign.id, Action::Start).await.unwrap();
        self.plan(campaign.id).await;
        campaign.id
    }

    pub async fn act(&self, id: Uuid, action: Action) -> Result<Campaign, telecast_core::Error> {
        let mut client = self.client().await;
        let transaction = client.transaction().await.unwrap();
        let actor = Actor::system();
        let done = campaigns::act(&transaction, &Queue::default(), &actor, id, action).await;
        if done.is_ok() {
            transaction.commit().await.unwrap();
        }
        done
    }

    async fn plan(&self, id: Uuid) {
        let mut client = self.client().await;
        let transaction = client.transaction().await.unwrap();
        delivery::plan(&transaction, id).await.unwrap();
        transaction.commit().await.unwrap();
    }

    pub fn script(&self, chat: &str, steps: impl IntoIterator<Item = Step>) {
        self.simulator.script(&format!("@{chat}"), steps).unwrap();
    }

    /// What is due a minute later than the last turn.
    pub async fn dispatch(&mut self) -> Vec<Job> {
        self.now += TimeDelta::minutes(1);
        self.dispatch_now().await
    }

    /// What is due at the present time of the stage.
    pub async fn dispatch_now(&self) -> Vec<Job> {
        let client = self.client().await;
        let mut jobs = Vec::new();
        loop {
            let more = limits::dispatch(
                &Queue::default(),
                &**client,
                delivery::QUEUE,
                100,
                Some(self.now),
            )
            .await
            .unwrap();
            if more.is_empty() {
                return jobs;
            }
            jobs.extend(more);
        }
    }

    pub async fn handle(&self, jobs: Vec<Job>) -> InvocationResponse {
        let invocation = Invocation {
            queue: delivery::QUEUE.to_owned(),
            jobs,
        };
        let deadline = Deadline::after(Duration::from_secs(60));
        self.handler.handle(invocation, deadline).await.unwrap()
    }

    /// Dispatches what is due a minute later and has it handled; gives how many jobs.
    pub async fn turn(&mut self) -> usize {
        let jobs = self.dispatch().await;
        let count = jobs.len();
        self.handle(jobs).await;
        count
    }

    /// The same at the present time.
    pub async fn turn_now(&mut self) -> usize {
        self.now = Utc::now();
        let jobs = self.dispatch_now().await;
        let count = jobs.len();
        self.handle(jobs).await;
        count
    }

    pub async fn get(&self, id: Uuid) -> Campaign {
        campaigns::get(&**self.client().await, id).await.unwrap()
    }

    /// The message job of a chat.
    pub async fn job(&self, chat: &str) -> MessageJob {
        let client = self.client().await;
        let row = client
            .query_typed_one(
                "SELECT m.status, m.attempts, m.message_id, m.error_class, m.error,
                   m.recipient->>'chat' AS chat,
                   q.state::text AS queue_state,
                   extract(epoch FROM q.start_after - now())::float8 AS wait,
                   ch.active, ch.error_count, ch.chat_id, ch.inactive_reason
                 FROM jobs AS m
                 JOIN channels AS ch ON ch.id = m.channel_id
                 JOIN pgboss.job AS q ON q.id = m.id
                 WHERE ch.username = $1
                 ORDER BY m.id DESC
                 LIMIT 1",
                &[(&chat, Type::TEXT)],
            )
            .await
            .unwrap();
        MessageJob {
            status: row.get("status"),
            attempts: row.get("attempts"),
            message_id: row.get("message_id"),
            error_class: row.get("error_class"),
            error: row.get("error"),
            chat: row.get("chat"),
            queue_state: row.get("queue_state"),
            wait: row.get("wait"),
            active: row.get("active"),
            error_count: row.get("error_count"),
            chat_id: row.get("chat_id"),
            inactive_reason: row.get("inactive_reason"),
        }
    }

    /// The first column of the first row of a query.
    pub async fn scalar<T: for<'a> FromSql<'a>>(&self, sql: &str) -> T {
        let client = self.client().await;
        client.query_typed_one(sql, &[]).await.unwrap().get(0)
    }

    pub async fn execute(&self, sql: &str) {
        self.client().await.batch_execute(sql).await.unwrap();
    }

    /// How often an action is in the audit log.
    pub async fn audited(&self, action: &str) -> i64 {
        let client = self.client().await;
        client
            .query_typed_one(
                "SELECT count(*) FROM audit_logs WHERE action = $1",
                &[(&action, Type::TEXT)],
            )
            .await
            .unwrap()
            .get(0)
    }

    /// How many calls came for a chat, and how many messages it accepted.
    pub fn calls(&self, chat: &str) -> (usize, usize) {
        let ledger = self.simulator.ledger();
        let calls: Vec<_> = ledger.of_chat(&format!("@{chat}")).collect();
        let accepted = calls.iter().filter(|call| call.message_id.is_some());
        (calls.len(), accepted.count())
    }
}

/// A message job with its queue job and its channel.
#[derive(Debug)]
pub struct MessageJob {
    pub status: String,
    pub attempts: i32,
    pub message_id: Option<i64>,
    pub error_class: Option<String>,
    pub error: Option<String>,
    pub chat: String,
    pub queue_state: String,
    /// Seconds until the queue job may start.
    pub wait: f64,
    pub active: bool,
    pub error_count: i32,
    pub chat_id: Option<i64>,
    pub inactive_reason: Option<String>,
}

impl MessageJob {
    /// Where the message job and its queue job stand, and the attempts charged.
    pub fn stands(&self) -> (&str, &str, i32) {
        (&self.status, &self.queue_state, self.attempts)
    }
}

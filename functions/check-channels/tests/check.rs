//! Channels are asked about at a strict simulator, under told time.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use deadpool_postgres::Pool;
use serde_json::json;
use telecast_check_channels::CheckChannels;
use telecast_core::{
    audit::Actor,
    bots::{self, EncryptionKey, Identity},
    channels::check::{self, ChannelCheck, NewCheck, QUEUE},
};
use telecast_queue::{Job, Queue, limits};
use telecast_runtime::{
    database::pool,
    handler::{Deadline, Handler, Invocation},
};
use telecast_telegram::{Client, Settings};
use telecast_telegram_sim::{Behaviour, Config, Kind, Limits, NewChat, Simulator};
use tokio_postgres::NoTls;

const BOT: &str = "123456";
const TOKEN: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

struct Stage {
    pool: Pool,
    simulator: Simulator,
    handler: CheckChannels,
    now: DateTime<Utc>,
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
        let database = telecast_postgres::testing::database("check_channels", migrate).await;
        let pool = pool(&database.url().parse().unwrap(), 4).unwrap();
        let simulator = Simulator::start(Config {
            limits: Limits::UNLIMITED,
            ..Config::default()
        })
        .await
        .unwrap();
        let telegram = Client::new(&Settings::at(Some(simulator.base_url()))).unwrap();
        let key = EncryptionKey::new([7; 32]);
        let mut client = pool.get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        let bot = serde_json::from_value(json!({"name": "b", "token": TOKEN})).unwrap();
        let identity = Identity {
            telegram_id: BOT.parse().unwrap(),
            username: None,
        };
        bots::create(&transaction, &Actor::system(), &key, bot, &identity)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        Self {
            handler: CheckChannels::new(pool.clone(), Queue::default(), telegram, key),
            pool,
            simulator,
            now: Utc::now(),
        }
    }

    /// A chat of the simulator and a channel of ours, with what its script makes of it.
    async fn channel(&self, name: &str, kind: Kind, behaviour: Option<Behaviour>) {
        self.simulator.add_chat(NewChat {
            username: Some(name.to_owned()),
            id: None,
            kind,
        });
        if let Some(behaviour) = behaviour {
            self.simulator
                .script(&format!("@{name}"), [behaviour.forever()])
                .unwrap();
        }
        self.sql(&format!(
            "INSERT INTO channels (id, username) VALUES (uuid_v7(), '{name}')"
        ))
        .await;
    }

    async fn sql(&self, sql: &str) {
        let client = self.pool.get().await.unwrap();
        client.batch_execute(sql).await.unwrap();
    }

    async fn start(&self, new: serde_json::Value) -> ChannelCheck {
        let new: NewCheck = serde_json::from_value(new).unwrap();
        let mut client = self.pool.get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        let check = check::start(&transaction, &Actor::system(), new)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        check
    }

    /// What is due ten minutes later.
    async fn dispatch(&mut self) -> Vec<Job> {
        self.now += TimeDelta::minutes(10);
        let client = self.pool.get().await.unwrap();
        limits::dispatch(&Queue::default(), &**client, QUEUE, 20, Some(self.now))
            .await
            .unwrap()
    }

    async fn handle(&self, jobs: Vec<Job>) {
        let invocation = Invocation {
            queue: QUEUE.to_owned(),
            jobs,
        };
        let deadline = Deadline::after(Duration::from_secs(45));
        let response = self.handler.handle(invocation, deadline).await.unwrap();
        assert_eq!(response.batch_item_failures, []);
    }

    /// Until nothing is left to check.
    async fn run(&mut self, check: &ChannelCheck) -> ChannelCheck {
        for _ in 0..200 {
            let jobs = self.dispatch().await;
            self.handle(jobs).await;
            let now = self.read(check).await;
            if now.finished_at.is_some() {
                return now;
            }
        }
        panic!("the check does not end: {:?}", self.read(check).await);
    }

    async fn read(&self, check: &ChannelCheck) -> ChannelCheck {
        let client = self.pool.get().await.unwrap();
        check::get(&**client, check.id).await.unwrap()
    }

    /// Username, whether it is active and why not, of every channel.
    async fn channels(&self) -> Vec<(String, bool, Option<String>)> {
        let client = self.pool.get().await.unwrap();
        let rows = client
            .query_typed(
                "SELECT username, active, inactive_reason FROM channels ORDER BY username",
                &[],
            )
            .await
            .unwrap();
        rows.iter()
            .map(|row| (row.get(0), row.get(1), row.get(2)))
            .collect()
    }
}

fn inactive(name: &str, reason: &str) -> (String, bool, Option<String>) {
    (name.to_owned(), false, Some(reason.to_owned()))
}

#[tokio::test]
async fn each_channel_is_active_or_not_and_says_why() {
    let mut stage = Stage::set().await;
    stage.channel("a_fine", Kind::Channel, None).await;
    stage.channel("b_group", Kind::Supergroup, None).await;
    stage
        .channel("c_kicked", Kind::Channel, Some(Behaviour::Kicked))
        .await;
    stage
        .channel("d_no_rights", Kind::Channel, Some(Behaviour::NoRights))
        .await;
    stage
        .sql("INSERT INTO channels (id, username) VALUES (uuid_v7(), 'e_unknown')")
        .await;
    stage.channel("f_by_hand", Kind::Channel, None).await;
    stage.channel("g_revived", Kind::Channel, None).await;
    stage
        .channel("h_opted_out", Kind::Channel, Some(Behaviour::Kicked))
        .await;
    stage
        .sql(
            "UPDATE channels SET active = false, inactive_reason = 'deactivated by hand' WHERE username = 'f_by_hand';
             UPDATE channels SET active = false, inactive_reason = 'TOO_MANY_ERRORS', error_count = 5 WHERE username = 'g_revived';
             UPDATE channels SET opted_out_at = now() WHERE username = 'h_opted_out'",
        )
        .await;

    let check = stage.start(json!({"filter": {}})).await;
    assert_eq!((check.total, check.checked), (7, 0));
    let done = stage.run(&check).await;
    assert_eq!((done.active, done.inactive, done.unclear), (4, 3, 0));
    let fine = |name: &str| (name.to_owned(), true, None);
    assert_eq!(
        stage.channels().await,
        [
            fine("a_fine"),
            fine("b_group"),
            inactive("c_kicked", "CHANNEL_GONE"),
            inactive("d_no_rights", "NO_RIGHT_TO_POST"),
            inactive("e_unknown", "NOT_FOUND"),
            inactive("f_by_hand", "deactivated by hand"),
            fine("g_revived"),
            fine("h_opted_out"),
        ]
    );
    let calls = stage.simulator.ledger();
    assert!(
        calls
            .0
            .iter()
            .all(|call| !call.chat.contains("h_opted_out"))
    );
}

#[tokio::test]
async fn an_invocation_that_comes_twice_counts_nothing_twice() {
    let mut stage = Stage::set().await;
    for n in 0..5 {
        stage
            .channel(&format!("twice_{n}"), Kind::Channel, None)
            .await;
    }
    let check = stage.start(json!({"filter": {"search": "twice"}})).await;
    for checked in 1..=5 {
        let jobs = stage.dispatch().await;
        assert_eq!(jobs.len(), 1);
        tokio::join!(stage.handle(jobs.clone()), stage.handle(jobs));
        assert_eq!(stage.read(&check).await.checked, checked);
    }
    let done = stage.read(&check).await;
    assert!(done.finished_at.is_some() && done.active == 5);
    assert_eq!(stage.dispatch().await, []);
}

#[tokio::test]
async fn a_flood_wait_holds_the_bot_and_charges_nothing() {
    let mut stage = Stage::set().await;
    stage
        .channel("flooded", Kind::Channel, Some(Behaviour::Accept))
        .await;
    let check = stage.start(json!({"filter": {}})).await;
    stage.simulator.flood(BOT, 1);
    let jobs = stage.dispatch().await;
    stage.handle(jobs).await;
    assert_eq!(stage.read(&check).await.checked, 0);
    let client = stage.pool.get().await.unwrap();
    let held = client
        .query_typed(
            "SELECT id FROM limits WHERE held_until > '-infinity' ORDER BY id",
            &[],
        )
        .await
        .unwrap();
    let held: Vec<String> = held.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        held,
        [
            format!("bot/{}", check.bot_id),
            format!("checks/{}", check.bot_id)
        ]
    );
    let charged = client
        .query_typed_one(
            "SELECT retry_count FROM pgboss.job WHERE name = 'check-channels'",
            &[],
        )
        .await
        .unwrap();
    // The next attempt counts itself, as after any fetch.
    assert_eq!(charged.get::<_, i32>(0), 0);
    drop(client);
    // Told time goes on by itself; the simulator's flood is over when it says so.
    while stage.read(&check).await.finished_at.is_none() {
        let jobs = stage.dispatch().await;
        stage.handle(jobs).await;
    }
    assert_eq!(stage.read(&check).await.active, 1);
}

#[tokio::test]
async fn what_stays_unclear_is_tried_again_and_then_left_as_it_was() {
    let mut stage = Stage::set().await;
    stage
        .channel("broken", Kind::Channel, Some(Behaviour::ServerError))
        .await;
    let check = stage.start(json!({"filter": {}})).await;
    let done = stage.run(&check).await;
    assert_eq!((done.active, done.inactive, done.unclear), (0, 0, 1));
    let members = stage.simulator.ledger();
    let asked = members
        .0
        .iter()
        .filter(|call| call.method == "getChatMember");
    assert_eq!(asked.count(), 6);
    assert_eq!(stage.channels().await, [("broken".to_owned(), true, None)]);
}

//! Five campaigns through everything that goes wrong, with a kill -9 in the middle,
//! judged by the simulator's ledger: nothing lost, nothing twice, no call in a hold.
//!
//! Here each campaign has 100 channels. The full run has 500, a flood wait of 30 s and
//! channels whose errors outlast all retries:
//!
//! ```text
//! TELECAST_BIG_RUN=full cargo test -p telecast-send-message --test big_run -- --nocapture
//! ```
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    time::Duration,
};

use common::{Stage, worker::Worker};
use serde_json::json;
use telecast_telegram_sim::{Behaviour, Ledger};

const CAMPAIGNS: usize = 5;

/// How large the run is.
#[derive(Clone, Copy)]
struct Size {
    /// Channels of each campaign.
    channels: usize,
    /// Seconds of the bot's flood wait.
    flood: u64,
    /// Whether some channels answer with errors for longer than is retried.
    lasting_errors: bool,
}

fn size() -> Size {
    match env::var("TELECAST_BIG_RUN").as_deref() {
        Ok("full") => Size {
            channels: 500,
            flood: 30,
            lasting_errors: true,
        },
        _ => Size {
            channels: 100,
            flood: 3,
            lasting_errors: false,
        },
    }
}

/// What a channel does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Accepts,
    Kicked,
    Unknown,
    Moved,
    Error,
    LastingError,
    Drops,
    ChatFlood,
}

/// 92 % accept, 3 % kicked, 2 % not found, 1 % moved, 1 % errors, 0.5 % accept and
/// drop, 0.5 % too busy.
fn fate(number: usize, of: usize, lasting_errors: bool) -> Fate {
    match number * 1000 / of {
        0..920 => Fate::Accepts,
        920..950 => Fate::Kicked,
        950..970 => Fate::Unknown,
        970..980 => Fate::Moved,
        980..985 if lasting_errors => Fate::LastingError,
        980..990 => Fate::Error,
        990..995 => Fate::Drops,
        _ => Fate::ChatFlood,
    }
}

/// Not a test: the program of [`Worker`].
#[tokio::test]
#[ignore = "the process that big runs start and kill"]
async fn worker() {
    common::worker::work().await;
}

/// What the run left behind.
struct Outcome {
    /// Each channel's fate, the status of its message job, and how often its message
    /// was accepted.
    channels: BTreeMap<String, (Fate, String, usize)>,
    /// Channels whose message was under way when the process was killed.
    killed: BTreeSet<String>,
    ledger: Ledger,
}

/// The id of the chat that a channel moves to.
fn moved_to(number: usize) -> i64 {
    -5_000_000 - i64::try_from(number).unwrap()
}

async fn run(on_uncertain: &str) -> Outcome {
    let size = size();
    let total = CAMPAIGNS * size.channels;
    let stage = Stage::set().await;
    // A dead process's messages are taken up after 5 s rather than 60.
    stage
        .execute("UPDATE pgboss.queue SET expire_seconds = 5 WHERE name = 'send-message'")
        .await;
    let mut fates = BTreeMap::new();
    for campaign in 0..CAMPAIGNS {
        let names: Vec<(usize, String)> = (0..size.channels)
            .map(|channel| channel * CAMPAIGNS + campaign)
            .map(|number| (number, format!("channel_{number}")))
            .collect();
        let chats: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
        let fields = json!({"deliveryRate": 6_000, "onUncertain": on_uncertain});
        stage
            .campaign_with(&chats, json!({"text": "Hello {{username}}"}), fields)
            .await;
        for (number, name) in &names {
            let fate = fate(*number, total, size.lasting_errors);
            let step = match fate {
                Fate::Accepts => None,
                Fate::Kicked => Some(Behaviour::Kicked.forever()),
                Fate::Unknown => Some(Behaviour::Unknown.forever()),
                Fate::Moved => {
                    let chat_id = moved_to(*number);
                    Some(Behaviour::Migrated { chat_id }.forever())
                }
                Fate::Error if number % 2 == 0 => Some(Behaviour::ServerError.once()),
                Fate::Error => Some(Behaviour::ServerErrorHtml.once()),
                Fate::LastingError => Some(Behaviour::ServerError.forever()),
                Fate::Drops => Some(Behaviour::AcceptThenDrop.once()),
                Fate::ChatFlood => Some(Behaviour::ChatFlood { seconds: 2 }.once()),
            };
            stage.script(name, step);
            fates.insert(name.clone(), (*number, fate));
        }
    }
    let first = Worker::start(&stage);
    stage.simulator.until_accepted(total / 3).await;
    first.kill();
    let killed = under_way(&stage).await;
    let second = Worker::start(&stage);
    stage.simulator.until_accepted(total / 2).await;
    stage.simulator.flood("1001", size.flood);
    until_completed(&stage).await;
    second.kill();
    let ledger = stage.simulator.ledger();
    let mut channels = BTreeMap::new();
    for (name, (number, fate)) in fates {
        let chat = match fate {
            Fate::Moved => moved_to(number).to_string(),
            _ => format!("@{name}"),
        };
        let accepted = ledger.of_chat(&chat).filter(|e| e.message_id.is_some());
        let accepted = accepted.count();
        let status = stage.job(&name).await.status;
        channels.insert(name, (fate, status, accepted));
    }
    Outcome {
        channels,
        killed,
        ledger,
    }
}

/// The channels of message jobs that are SENDING while nobody sends.
async fn under_way(stage: &Stage) -> BTreeSet<String> {
    let client = stage.client().await;
    Worker::until_gone(stage).await;
    client
        .query_typed(
            "SELECT recipient->>'username' AS name FROM jobs WHERE status = 'SENDING'",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get("name"))
        .collect()
}

async fn until_completed(stage: &Stage) {
    let done = async {
        loop {
            let open: i64 = stage
                .scalar("SELECT count(*) FROM campaigns WHERE status <> 'COMPLETED'")
                .await;
            if open == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let patience = Duration::from_secs(120) + Duration::from_secs(size().flood);
    if tokio::time::timeout(patience, done).await.is_err() {
        let left: String = stage
            .scalar(
                "SELECT string_agg(DISTINCT format('%s %s %s, message job %s, queue job %s', c.status, c.pause_reason, c.resumes_at, m.status, q.state), '; ')
                 FROM campaigns AS c
                 JOIN jobs AS m ON m.campaign_id = c.id
                 JOIN pgboss.job AS q ON q.id = m.id
                 WHERE m.status IN ('PENDING', 'SENDING')",
            )
            .await;
        panic!("not all campaigns end: {left}");
    }
}

impl Outcome {
    /// What holds whatever becomes of uncertain messages.
    fn check_ends(&self) {
        for (name, (fate, status, accepted)) in &self.channels {
            let told = format!("{name}: {fate:?}, {status}, accepted {accepted} times");
            match status.as_str() {
                "SENT" => assert!(*accepted >= 1, "{told}"),
                "FAILED" => {
                    assert!(
                        matches!(fate, Fate::Kicked | Fate::Unknown | Fate::LastingError),
                        "{told}"
                    );
                    assert_eq!(*accepted, 0, "{told}");
                }
                "UNCERTAIN" => {
                    assert!(*fate == Fate::Drops || self.killed.contains(name), "{told}");
                }
                _ => panic!("lost: {told}"),
            }
        }
        let judged = self.ledger.summary();
        assert_eq!(judged.calls_in_hold, 0);
    }

    fn print(&self, title: &str) {
        let mut ends: BTreeMap<(Fate, &str), usize> = BTreeMap::new();
        for (fate, status, _) in self.channels.values() {
            *ends.entry((*fate, status)).or_default() += 1;
        }
        let judged = self.ledger.summary();
        println!(
            "{title}: {} channels, {} under way at the kill; {} calls, {} accepted, {} duplicates, {} calls in a hold",
            self.channels.len(),
            self.killed.len(),
            judged.calls,
            judged.accepted,
            judged.duplicates.len(),
            judged.calls_in_hold,
        );
        for ((fate, status), count) in ends {
            println!("  {fate:?} -> {status}: {count}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_is_sent_twice() {
    let outcome = run("SKIP").await;
    outcome.print("SKIP");
    outcome.check_ends();
    assert_eq!(outcome.ledger.duplicates(), []);
    for (name, (fate, status, accepted)) in &outcome.channels {
        if *fate == Fate::Drops && !outcome.killed.contains(name) {
            assert_eq!((status.as_str(), *accepted), ("UNCERTAIN", 1), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_resent_is_twice_only_where_it_was_uncertain() {
    let outcome = run("RESEND").await;
    outcome.print("RESEND");
    outcome.check_ends();
    for (name, (fate, status, accepted)) in &outcome.channels {
        let was_uncertain = *fate == Fate::Drops || outcome.killed.contains(name);
        assert!(*accepted <= if was_uncertain { 2 } else { 1 }, "{name}");
        // A handler died while it sent, and then Telegram refused: it may have arrived before.
        let is_refused = matches!(fate, Fate::Kicked | Fate::Unknown | Fate::LastingError);
        let stays_uncertain = is_refused && outcome.killed.contains(name);
        assert!(status != "UNCERTAIN" || stays_uncertain, "{name}");
        if *fate == Fate::Drops {
            assert_eq!(*accepted, 2, "{name}");
        }
    }
}

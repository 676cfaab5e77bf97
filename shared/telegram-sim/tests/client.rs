//! What the Telegram client makes of each thing that can befall a message. The client
//! and the simulator know Telegram's rules apart from each other.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::time::Duration;

use telecast_telegram::{
    BotToken, Chat, ChatKind, Client, Failure, FailureKind, Media, MediaKind, Message, ParseMode,
    Sent, Settings,
};
use telecast_telegram_sim::{Behaviour, Config, Kind, Limits, NewChat, SECOND, Simulator, Step};

const TOKEN: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

struct Trial {
    simulator: Simulator,
    client: Client,
    token: BotToken,
}

impl Trial {
    /// Three channels and no limits.
    async fn start() -> Self {
        Self::with(Config {
            chats: 3,
            limits: Limits::UNLIMITED,
            ..Config::default()
        })
        .await
    }

    async fn with(config: Config) -> Self {
        let simulator = Simulator::start(config).await.unwrap();
        let client = Client::new(&Settings {
            base_url: simulator.base_url(),
            // The shortest that is allowed: some tests wait for it.
            timeout: Duration::from_millis(3_100),
            ..Settings::default()
        })
        .unwrap();
        Self {
            simulator,
            client,
            token: TOKEN.parse().unwrap(),
        }
    }

    async fn send(&self, chat: &str, text: &str) -> Result<Sent, Failure> {
        self.send_message(chat, &plain(text)).await
    }

    async fn send_message(&self, chat: &str, message: &Message) -> Result<Sent, Failure> {
        let chat = Chat::Username(chat.to_owned());
        self.client.send(&self.token, &chat, message).await
    }

    /// What becomes of a message to a chat that is told this, and how many messages
    /// the chat accepted.
    async fn told(&self, step: Step) -> (Result<Sent, FailureKind>, usize) {
        self.simulator.script("@sim_channel_1", [step]).unwrap();
        let before = self.simulator.ledger().accepted().count();
        let answer = self.send("@sim_channel_1", "hello").await;
        let after = self.simulator.ledger().accepted().count();
        (answer.map_err(|failure| failure.kind), after - before)
    }
}

fn plain(text: &str) -> Message {
    Message {
        text: text.to_owned(),
        ..Message::default()
    }
}

#[tokio::test]
async fn an_accepted_message_teaches_its_chat() {
    let trial = Trial::start().await;
    let sent = trial.send("@sim_channel_2", "hello").await.unwrap();
    let chat = sent.chat.unwrap();
    assert_eq!(chat.kind, ChatKind::Channel);
    assert_eq!(chat.username.as_deref(), Some("sim_channel_2"));
    let ledger = trial.simulator.ledger();
    let entry = ledger.accepted().next().unwrap();
    assert_eq!(entry.text, "hello");
    assert_eq!(entry.message_id, sent.message_id);
    assert_eq!(entry.chat_id, Some(chat.id));
    let again = trial
        .client
        .send(&trial.token, &Chat::Id(chat.id), &plain("by id"))
        .await;
    assert!(again.is_ok(), "{again:?}");
}

#[tokio::test]
async fn a_bot_and_a_chat_can_be_asked_for() {
    let trial = Trial::start().await;
    let bot = trial.client.get_me(&trial.token).await.unwrap();
    assert_eq!(bot.id, 123_456);
    let ask = |name: &str| Chat::Username(name.to_owned());
    let chat = trial
        .client
        .get_chat(&trial.token, &ask("@SIM_channel_1"))
        .await
        .unwrap();
    assert_eq!(chat.username.as_deref(), Some("sim_channel_1"));
    let failure = trial
        .client
        .get_chat(&trial.token, &ask("@nobody"))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::ChannelUnsure);
}

#[tokio::test]
async fn refusals_are_classified_and_nothing_is_accepted() {
    let trial = Trial::start().await;
    let seconds = Duration::from_secs;
    for (behaviour, kind) in [
        (Behaviour::Kicked, FailureKind::ChannelGone),
        (Behaviour::NotMember, FailureKind::ChannelGone),
        (Behaviour::Deactivated, FailureKind::ChannelGone),
        (Behaviour::NoRights, FailureKind::ChannelRights),
        (Behaviour::Unknown, FailureKind::ChannelUnsure),
        (
            Behaviour::Migrated { chat_id: -1009 },
            FailureKind::Moved { chat_id: -1009 },
        ),
        (
            Behaviour::SlowMode { seconds: 5 },
            FailureKind::WaitChat(seconds(5)),
        ),
        (Behaviour::ServerError, FailureKind::Transient),
        (Behaviour::ServerErrorHtml, FailureKind::Transient),
        (
            Behaviour::Refusal {
                code: 400,
                description: "Bad Request: something new".to_owned(),
            },
            FailureKind::Refused,
        ),
        (
            Behaviour::ChatFlood { seconds: 7 },
            FailureKind::Wait(seconds(7)),
        ),
    ] {
        let told = trial.told(behaviour.clone().once()).await;
        assert_eq!(told, (Err(kind), 0), "{behaviour:?}");
    }
    assert!(
        trial
            .client
            .send(&trial.token, &Chat::Id(-1009), &plain("moved"))
            .await
            .is_ok(),
        "the chat that it moved to is there"
    );
}

#[tokio::test]
async fn what_is_lost_on_the_way_is_uncertain_whether_accepted_or_not() {
    let trial = Trial::start().await;
    for (behaviour, accepted) in [
        (Behaviour::AcceptThenDrop, 1),
        (Behaviour::Refuse, 0),
        (Behaviour::HangBefore, 0),
        (Behaviour::HangAfter, 1),
    ] {
        let told = trial.told(behaviour.clone().once()).await;
        assert_eq!(
            told,
            (Err(FailureKind::Uncertain), accepted),
            "{behaviour:?}"
        );
    }
    let calls = trial.simulator.ledger().0.len();
    assert_eq!(calls, 4, "the client repeats nothing by itself");
}

#[tokio::test]
async fn a_slow_answer_is_an_answer() {
    let trial = Trial::start().await;
    let (sent, accepted) = trial
        .told(Behaviour::SlowAnswer { millis: 300 }.once())
        .await;
    assert!(sent.is_ok());
    assert_eq!(accepted, 1);
}

#[tokio::test]
async fn a_script_ends_and_the_chat_accepts_again() {
    let trial = Trial::start().await;
    trial
        .simulator
        .script("@sim_channel_1", [Behaviour::ServerError.times(2)])
        .unwrap();
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(trial.send("@sim_channel_1", "again").await.is_ok());
    }
    assert_eq!(answers, [false, false, true]);
    assert!(trial.simulator.script("@nobody", []).is_err());
}

#[tokio::test]
async fn a_flood_of_the_bot_holds_all_its_chats_and_no_other_bot() {
    let trial = Trial::start().await;
    trial
        .simulator
        .script(
            "@sim_channel_1",
            [Behaviour::BotFlood { seconds: 30 }.once()],
        )
        .unwrap();
    let wait = FailureKind::Wait(Duration::from_secs(30));
    for chat in ["@sim_channel_1", "@sim_channel_2"] {
        assert_eq!(trial.send(chat, "x").await.unwrap_err().kind, wait);
    }
    let other: BotToken = TOKEN.replace("123456", "654321").parse().unwrap();
    let chat = Chat::Username("@sim_channel_2".to_owned());
    assert!(trial.client.send(&other, &chat, &plain("x")).await.is_ok());
    let ledger = trial.simulator.ledger();
    assert_eq!(ledger.in_hold(0).count(), 1);
    assert_eq!(ledger.in_hold(SECOND).count(), 0);
}

#[tokio::test]
async fn a_chat_takes_one_message_a_second_and_a_bot_thirty() {
    let trial = Trial::with(Config {
        chats: 100,
        limits: Limits {
            bot_per_second: Some(3),
            ..Limits::default()
        },
        ..Config::default()
    })
    .await;
    let wait = FailureKind::Wait(Duration::from_secs(1));
    assert!(trial.send("@sim_channel_1", "one").await.is_ok());
    let second = trial.send("@sim_channel_1", "two").await;
    assert_eq!(second.unwrap_err().kind, wait);
    assert!(trial.send("@sim_channel_2", "one").await.is_ok());
    assert!(trial.send("@sim_channel_3", "one").await.is_ok());
    let fourth = trial.send("@sim_channel_4", "one").await;
    assert_eq!(fourth.unwrap_err().kind, wait);
}

#[tokio::test]
async fn an_unknown_or_revoked_token_is_a_dead_bot() {
    let trial = Trial::start().await;
    assert!(trial.send("@sim_channel_1", "x").await.is_ok());
    trial.simulator.revoke(TOKEN);
    let failure = trial.send("@sim_channel_1", "y").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::BotDead);
    assert_eq!(failure.description, "Unauthorized");
}

#[tokio::test]
async fn a_bad_text_is_refused_in_every_mode() {
    let trial = Trial::start().await;
    for (text, parse_mode) in [
        (" ", ParseMode::None),
        ("<b>x", ParseMode::Html),
        ("<b></b>", ParseMode::Html),
        ("1.", ParseMode::MarkdownV2),
    ] {
        let message = Message {
            parse_mode,
            ..plain(text)
        };
        let failure = trial
            .send_message("@sim_channel_1", &message)
            .await
            .unwrap_err();
        assert_eq!(failure.kind, FailureKind::MessageBad, "{text}");
    }
}

#[tokio::test]
async fn a_file_can_be_sent_again_by_its_id() {
    let trial = Trial::start().await;
    for kind in [MediaKind::Photo, MediaKind::Video, MediaKind::Document] {
        let mut message = Message {
            media: Some(Media {
                kind,
                source: "https://example.com/file".to_owned(),
            }),
            ..plain("a caption")
        };
        let sent = trial.send_message("@sim_channel_1", &message).await;
        let file_id = sent.unwrap().file_id.unwrap();
        message.media = Some(Media {
            kind,
            source: file_id.clone(),
        });
        let again = trial.send_message("@sim_channel_2", &message).await;
        assert_eq!(again.unwrap().file_id, Some(file_id));
    }
}

#[tokio::test]
async fn a_group_is_named_in_its_refusal() {
    let trial = Trial::start().await;
    let id = trial.simulator.add_chat(NewChat {
        username: Some("@talk".to_owned()),
        kind: Kind::Supergroup,
        ..NewChat::default()
    });
    trial
        .simulator
        .script(&id.to_string(), [Behaviour::Kicked.forever()])
        .unwrap();
    let failure = trial.send("@talk", "x").await.unwrap_err();
    assert_eq!(
        failure.description,
        "Forbidden: bot was kicked from the supergroup chat"
    );
}

#[tokio::test]
async fn a_simulator_that_is_gone_certainly_accepts_nothing() {
    let trial = Trial::start().await;
    trial.simulator.shutdown().await;
    let chat = Chat::Username("@sim_channel_1".to_owned());
    let failure = trial
        .client
        .send(&trial.token, &chat, &plain("x"))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Transient);
}

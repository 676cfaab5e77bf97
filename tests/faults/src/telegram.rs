//! The simulator in its own process: what it is told, and its ledger.

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{dice::Dice, operators::Channels};

/// The bot of every campaign.
pub(crate) const TOKEN: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

/// A call in the simulator's ledger.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Call {
    /// Microseconds since 1970.
    pub(crate) at: u64,
    /// What was to be sent: `<campaign> <channel>`.
    pub(crate) text: String,
    /// Set where it was accepted.
    pub(crate) message_id: Option<i64>,
    /// How long a flood wait had lasted when it came in one, in microseconds.
    pub(crate) held_for: Option<u64>,
}

/// A client of its control API.
#[derive(Clone)]
pub(crate) struct Telegram {
    pub(crate) url: String,
    http: reqwest::Client,
}

impl Telegram {
    pub(crate) fn at(port: u16) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy();
        Ok(Self {
            url: format!("http://127.0.0.1:{port}"),
            http: http.timeout(std::time::Duration::from_secs(20)).build()?,
        })
    }

    async fn post(&self, path: &str, body: &Value) -> Result<()> {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// Waits until it answers, and adds these chats.
    pub(crate) async fn add_chats(&self, channels: &Channels) -> Result<()> {
        let chats: Vec<Value> = channels
            .iter()
            .map(|name| json!({"username": name}))
            .collect();
        let body = json!({"chats": chats});
        let mut tries = 0;
        while let Err(error) = self.post("/sim/chats", &body).await {
            tries += 1;
            if tries > 100 {
                return Err(error);
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// What a chat does with the next messages to it.
    pub(crate) async fn script(&self, channel: &str, step: &Value) -> Result<()> {
        let body = json!({"chat": format!("@{channel}"), "steps": [step]});
        self.post("/sim/script", &body).await
    }

    /// Demands a wait of the bot.
    pub(crate) async fn flood(&self, seconds: u64) -> Result<()> {
        let bot = TOKEN.split(':').next();
        let body = json!({"bot": bot, "seconds": seconds});
        self.post("/sim/flood", &body).await
    }

    /// Every call so far, as JSON.
    pub(crate) async fn ledger(&self) -> Result<String> {
        let request = self.http.get(format!("{}/sim/ledger", self.url));
        Ok(request.send().await?.error_for_status()?.text().await?)
    }
}

/// A misbehaviour of a chat: at times lasting, mostly for a call or two.
pub(crate) fn misbehaviour(dice: &mut Dice) -> Value {
    let times = dice.between(1, 3);
    match dice.between(0, 11) {
        0 => json!({"type": "hangBefore", "times": 1}),
        1 => json!({"type": "hangAfter", "times": 1}),
        2 => json!({"type": "acceptThenDrop", "times": 1}),
        3 => json!({"type": "refuse", "times": times}),
        4 => json!({"type": "serverError", "times": times}),
        5 => json!({"type": "serverErrorHtml", "times": times}),
        // Longer than the lease of an attempt, or than the client's patience.
        6 => json!({"type": "slowAnswer", "millis": dice.between(200, 20_000), "times": 1}),
        7 => json!({"type": "chatFlood", "seconds": dice.between(1, 4), "times": 1}),
        8 => json!({"type": "slowMode", "seconds": dice.between(1, 4), "times": 1}),
        9 => json!({"type": "kicked"}),
        _ => json!({"type": "unknown"}),
    }
}

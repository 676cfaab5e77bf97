//! Calls to the Bot API.

use std::{sync::Arc, time::Duration};

use reqwest::{StatusCode, header::RETRY_AFTER};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{Bot, BotToken, Chat, ChatInfo, Failure, FailureKind, Member, Message, Sent, classify};

/// A time-out must be above this. Telegram holds some answers for 3 s, so that a shorter
/// one would turn waits into uncertainty.
pub const SHORTEST_TIMEOUT: Duration = Duration::from_secs(3);

/// A connection that idled longer is not used again: the other side may be closing it,
/// and a message sent into that is uncertain.
const POOL_IDLE: Duration = Duration::from_secs(30);

/// How the Bot API is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its base, without a path: `https://api.telegram.org`, or a server of one's own.
    pub base_url: String,
    /// For a whole call; above [`SHORTEST_TIMEOUT`].
    pub timeout: Duration,
    /// For the connection alone; what fails here was certainly not sent.
    pub connect_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: "https://api.telegram.org".to_owned(),
            timeout: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(5),
        }
    }
}

impl Settings {
    /// The defaults, with this base where there is one.
    pub fn at(base_url: Option<String>) -> Self {
        let default = Self::default();
        Self {
            base_url: base_url.unwrap_or(default.base_url),
            ..default
        }
    }
}

/// A client that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The base is no URL; an example is `https://api.telegram.org`.
    #[error(
        "TELEGRAM_API_URL {0:?} must be an http or https URL, such as https://api.telegram.org"
    )]
    BaseUrl(String),
    /// The time-out is too short.
    #[error(
        "the time-out of {0:?} must be above {SHORTEST_TIMEOUT:?}: Telegram holds some answers for that long"
    )]
    Timeout(Duration),
    /// TLS could not be set up.
    #[error("could not set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The HTTP client could not be set up.
    #[error("could not set up the HTTP client: {0}")]
    Http(#[from] reqwest::Error),
}

/// A client of the Bot API for any number of bots. Cheap to clone; the clones share
/// their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: Arc<str>,
}

impl Client {
    /// Makes a client; it connects when it is used.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        let base_url = settings.base_url.trim_end_matches('/');
        let is_http = reqwest::Url::parse(base_url)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !is_http {
            return Err(SetupError::BaseUrl(settings.base_url.clone()));
        }
        if settings.timeout <= SHORTEST_TIMEOUT {
            return Err(SetupError::Timeout(settings.timeout));
        }
        let roots = rustls::RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(settings.timeout)
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(POOL_IDLE)
            // A send that was redirected or repeated might happen twice.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()?;
        Ok(Self {
            http,
            base_url: base_url.into(),
        })
    }

    /// Sends a message (sendMessage, sendPhoto, sendVideo or sendDocument).
    ///
    /// # Errors
    /// A [`Failure`] whose kind says what to do.
    pub async fn send(
        &self,
        token: &BotToken,
        chat: &Chat,
        message: &Message,
    ) -> Result<Sent, Failure> {
        let result = self
            .call(token, message.method(), &message.parameters(chat))
            .await?;
        Ok(sent(&result))
    }

    /// The bot of this token (getMe).
    ///
    /// # Errors
    /// [`FailureKind::BotDead`] for a token that Telegram does not know.
    pub async fn get_me(&self, token: &BotToken) -> Result<Bot, Failure> {
        read(self.call(token, "getMe", &json!({})).await?)
    }

    /// A chat, as this bot sees it (getChat).
    ///
    /// # Errors
    /// [`FailureKind::ChannelUnsure`] where the bot sees no such chat.
    pub async fn get_chat(&self, token: &BotToken, chat: &Chat) -> Result<ChatInfo, Failure> {
        read(
            self.call(token, "getChat", &json!({"chat_id": chat}))
                .await?,
        )
    }

    /// What a user, such as the bot itself, is in a chat (getChatMember).
    ///
    /// # Errors
    /// [`FailureKind::ChannelUnsure`] where the bot sees no such chat.
    pub async fn get_chat_member(
        &self,
        token: &BotToken,
        chat: &Chat,
        user_id: i64,
    ) -> Result<Member, Failure> {
        let parameters = json!({"chat_id": chat, "user_id": user_id});
        read(self.call(token, "getChatMember", &parameters).await?)
    }

    async fn call(
        &self,
        token: &BotToken,
        method: &str,
        parameters: &Value,
    ) -> Result<Value, Failure> {
        let url = format!("{}/bot{}/{method}", self.base_url, token.expose());
        let response = self
            .http
            .post(url)
            .json(parameters)
            .send()
            .await
            .map_err(lost)?;
        let status = response.status();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let body = match response.text().await {
            Ok(body) => body,
            // The status is known, and a refusal is one without its text.
            Err(_) if status != StatusCode::OK => String::new(),
            Err(error) => return Err(lost(error)),
        };
        classify(status.as_u16(), retry_after, &body)
    }
}

/// A call without an answer. Its URL holds the token, and is taken out of the error.
fn lost(error: reqwest::Error) -> Failure {
    let kind = if error.is_connect() || error.is_builder() {
        FailureKind::Transient
    } else {
        FailureKind::Uncertain
    };
    let error = error.without_url();
    let mut description = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        description = format!("{description}: {cause}");
        source = cause.source();
    }
    Failure { kind, description }
}

fn read<T: DeserializeOwned>(result: Value) -> Result<T, Failure> {
    serde_json::from_value(result).map_err(|error| Failure {
        kind: FailureKind::Refused,
        description: format!("Telegram's answer is not of the documented form: {error}"),
    })
}

/// What is worth keeping of a Message object. A message that Telegram accepted stays
/// accepted, whatever the object looks like.
fn sent(result: &Value) -> Sent {
    let file_id = ["video", "document"]
        .iter()
        .find_map(|kind| result[kind]["file_id"].as_str())
        // The sizes of a photo, the largest last.
        .or_else(|| result["photo"].as_array()?.last()?["file_id"].as_str())
        .map(str::to_owned);
    Sent {
        message_id: result["message_id"].as_i64(),
        chat: ChatInfo::deserialize(&result["chat"]).ok(),
        file_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_that_is_no_url_is_refused() {
        for base_url in ["", "api.telegram.org", "ftp://example.com"] {
            let settings = Settings {
                base_url: base_url.to_owned(),
                ..Settings::default()
            };
            assert!(
                matches!(Client::new(&settings), Err(SetupError::BaseUrl(_))),
                "{base_url}"
            );
        }
    }

    #[test]
    fn a_timeout_that_would_cut_off_telegrams_waits_is_refused() {
        let settings = Settings {
            timeout: SHORTEST_TIMEOUT,
            ..Settings::default()
        };
        assert!(matches!(
            Client::new(&settings),
            Err(SetupError::Timeout(_))
        ));
    }

    #[test]
    fn the_largest_size_of_a_photo_is_the_one_to_keep() {
        let sent = sent(&json!({
            "message_id": 5,
            "chat": {"id": -100, "type": "channel", "title": "News"},
            "photo": [{"file_id": "small"}, {"file_id": "large"}],
        }));
        assert_eq!(sent.file_id.as_deref(), Some("large"));
        assert_eq!(sent.chat.map(|chat| chat.id), Some(-100));
    }

    #[test]
    fn a_message_deleted_at_once_was_sent_without_an_id() {
        assert_eq!(sent(&Value::Null).message_id, None);
    }

    #[tokio::test]
    async fn a_refused_connection_certainly_sent_nothing_and_shows_no_token() {
        let token: BotToken = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11".parse().unwrap();
        let client = Client::new(&Settings {
            base_url: "http://127.0.0.1:1".to_owned(),
            ..Settings::default()
        })
        .unwrap();
        let failure = client.get_me(&token).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Transient);
        assert!(!failure.description.contains("ABC"), "{failure}");
    }
}

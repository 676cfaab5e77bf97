//! A bot's token: a secret, never shown.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de};

/// A bot's token, as Telegram's BotFather gives it: `<bot id>:<secret>`.
#[derive(Clone, PartialEq, Eq)]
pub struct BotToken {
    text: String,
    bot_id: i64,
}

/// A text that is no token. The message does not repeat it.
#[derive(Debug, thiserror::Error)]
#[error(
    "must be a token as BotFather gives it, such as 123456:AbC-dEf… (the bot's number, a colon, 30 or more letters, digits, - or _)"
)]
pub struct BadToken;

impl BotToken {
    /// The secret itself, for the Telegram client alone.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The bot's id at Telegram.
    pub fn bot_id(&self) -> i64 {
        self.bot_id
    }
}

impl FromStr for BotToken {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let (id, secret) = text.split_once(':').ok_or(BadToken)?;
        let id_is_sound = id.bytes().all(|b| b.is_ascii_digit());
        let bot_id = id.parse().map_err(|_| BadToken)?;
        let secret_is_sound = (30..=100).contains(&secret.len())
            && secret
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if id_is_sound && secret_is_sound {
            Ok(Self {
                text: text.to_owned(),
                bot_id,
            })
        } else {
            Err(BadToken)
        }
    }
}

impl fmt::Debug for BotToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BotToken(…)")
    }
}

impl<'de> Deserialize<'de> for BotToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

    #[test]
    fn a_token_is_a_number_and_a_secret() {
        let token: BotToken = TOKEN.parse().unwrap();
        assert_eq!(token.expose(), TOKEN);
        assert_eq!(token.bot_id(), 123_456);
        for bad in [
            "+123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11",
            "99999999999999999999:ABC-DEF1234ghIkl-zyx57W2v1u123ew11",
            "",
            "123456",
            "x:ABC",
            "123456:short",
            "123456:ABC DEF1234ghIkl-zyx57W2v1u123ew11",
        ] {
            assert!(bad.parse::<BotToken>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let token: BotToken = TOKEN.parse().unwrap();
        assert!(!format!("{token:?}").contains("ABC"));
    }
}

//! A channel's public name, in whatever form people write it down.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// A public name, without the @: a letter, then letters, digits and underscores, 4 to 32 in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Username(String);

/// A text that is no public name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadUsername {
    /// It leads into a private channel, which a bot cannot address that way.
    #[error("is a private invite link; a private channel needs its chat_id instead")]
    Private,
    /// It is something else.
    #[error(
        "must be a public name: a Latin letter, then letters, digits or underscores, 4 to 32 in all, as name, @name or https://t.me/name"
    )]
    Malformed,
}

impl Username {
    /// The name, without the @.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What makes two names the same.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for Username {
    type Err = BadUsername;

    fn from_str(text: &str) -> Result<Self, BadUsername> {
        let text = text.trim();
        let name = without_prefix(text, "https://")
            .or_else(|| without_prefix(text, "http://"))
            .unwrap_or(text);
        let link = ["t.me/", "telegram.me/", "www.t.me/"]
            .iter()
            .find_map(|host| without_prefix(name, host));
        let name = match link {
            Some(path) => {
                let path = path.strip_prefix("s/").unwrap_or(path);
                path.split(['?', '#'])
                    .next()
                    .unwrap_or(path)
                    .trim_end_matches('/')
            }
            None => name,
        };
        if name.starts_with('+') || name.starts_with("joinchat/") || name.starts_with("c/") {
            return Err(BadUsername::Private);
        }
        let name = name.strip_prefix('@').unwrap_or(name);
        let sound = (4..=32).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if sound {
            Ok(Self(name.to_owned()))
        } else {
            Err(BadUsername::Malformed)
        }
    }
}

fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Username {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_in_every_usual_form() {
        for text in [
            "durov_news",
            " @durov_news ",
            "https://t.me/durov_news",
            "http://T.me/durov_news/",
            "t.me/s/durov_news?before=5",
            "https://telegram.me/durov_news",
        ] {
            assert_eq!(
                text.parse::<Username>().map(|name| name.0),
                Ok("durov_news".to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn private_links_are_told_from_bad_names() {
        for text in [
            "https://t.me/+AbCdEf",
            "t.me/joinchat/AAAA",
            "+AbCd",
            "https://t.me/c/12345/6",
        ] {
            assert_eq!(
                text.parse::<Username>(),
                Err(BadUsername::Private),
                "{text}"
            );
        }
        for text in [
            "",
            "abc",
            "новости",
            "1abcd",
            "ab cd",
            "a-bcd",
            &"a".repeat(33),
        ] {
            assert_eq!(
                text.parse::<Username>(),
                Err(BadUsername::Malformed),
                "{text}"
            );
        }
    }
}

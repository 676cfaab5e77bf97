//! The chats that the simulator knows.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::script::Script;

/// What a chat is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A channel.
    #[default]
    Channel,
    /// A small group; 20 messages a minute.
    Group,
    /// A large group; 20 messages a minute.
    Supergroup,
    /// A person.
    Private,
}

impl Kind {
    /// As Telegram's refusals name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Group => "group",
            Self::Supergroup => "supergroup",
            Self::Private => "private",
        }
    }

    pub(crate) fn is_group(self) -> bool {
        matches!(self, Self::Group | Self::Supergroup)
    }
}

/// A chat to add.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewChat {
    /// Its public name, with or without the @.
    pub username: Option<String>,
    /// Its id; the next free one where it is absent.
    pub id: Option<i64>,
    /// What it is.
    #[serde(default)]
    pub kind: Kind,
}

pub(crate) struct Chat {
    pub(crate) id: i64,
    pub(crate) kind: Kind,
    pub(crate) username: Option<String>,
    pub(crate) script: Script,
}

impl Chat {
    /// As the Bot API shows it.
    pub(crate) fn to_json(&self) -> Value {
        let title = self.username.as_deref().unwrap_or("A chat");
        match &self.username {
            Some(username) => {
                json!({"id": self.id, "title": title, "username": username, "type": self.kind})
            }
            None => json!({"id": self.id, "title": title, "type": self.kind}),
        }
    }
}

/// Telegram's ids of channels and supergroups lie below this.
const FIRST_ID: i64 = -1_000_000_000_000;

#[derive(Default)]
pub(crate) struct Chats {
    by_id: HashMap<i64, Chat>,
    id_by_name: HashMap<String, i64>,
    numbered: u32,
    next: i64,
    /// A public name that is not known becomes a channel when it is first written to.
    pub(crate) accept_any: bool,
}

impl Chats {
    /// Adds a chat, or replaces the one of that id; gives its id.
    pub(crate) fn add(&mut self, chat: NewChat) -> i64 {
        let id = chat.id.unwrap_or_else(|| {
            self.next += 1;
            FIRST_ID - self.next
        });
        let username = chat
            .username
            .map(|name| name.trim_start_matches('@').to_owned());
        if let Some(name) = &username {
            self.id_by_name.insert(name.to_lowercase(), id);
        }
        self.by_id.insert(
            id,
            Chat {
                id,
                kind: chat.kind,
                username,
                script: Script::default(),
            },
        );
        id
    }

    /// Adds the next `count` channels @sim_channel_1, @sim_channel_2 and so on.
    pub(crate) fn add_numbered(&mut self, count: u32) {
        for _ in 0..count {
            self.numbered += 1;
            self.add(NewChat {
                username: Some(format!("sim_channel_{}", self.numbered)),
                ..NewChat::default()
            });
        }
    }

    /// The chat of an id or @username.
    pub(crate) fn find(&mut self, name: &str) -> Option<&mut Chat> {
        let id = match name.strip_prefix('@') {
            None => name.parse().ok()?,
            Some(username) => match self.id_by_name.get(&username.to_lowercase()) {
                Some(id) => *id,
                None if self.accept_any && !username.is_empty() => self.add(NewChat {
                    username: Some(username.to_owned()),
                    ..NewChat::default()
                }),
                None => return None,
            },
        };
        self.by_id.get_mut(&id)
    }
}

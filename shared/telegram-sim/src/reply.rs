//! What Telegram answers, in its own words.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{chats::Chat, ledger::Answer, script::Behaviour};

/// What is answered, and how.
#[derive(Debug, PartialEq)]
pub(crate) enum Reply {
    /// A result.
    Result(Value, Duration),
    /// A refusal in Telegram's JSON.
    Refusal {
        code: u16,
        description: String,
        parameters: Option<Value>,
    },
    /// A proxy's page.
    Page(u16, &'static str),
    /// Nothing, for ever.
    Hang,
    /// The end of the connection.
    Drop,
}

impl Reply {
    pub(crate) fn refusal(code: u16, description: impl Into<String>) -> Self {
        Self::Refusal {
            code,
            description: description.into(),
            parameters: None,
        }
    }

    pub(crate) fn bad(description: impl std::fmt::Display) -> Self {
        Self::refusal(400, format!("Bad Request: {description}"))
    }

    pub(crate) fn wait(seconds: u64) -> Self {
        Self::Refusal {
            code: 429,
            description: format!("Too Many Requests: retry after {seconds}"),
            parameters: Some(json!({"retry_after": seconds})),
        }
    }

    pub(crate) fn as_answer(&self) -> Answer {
        match self {
            Self::Result(..) => Answer::Ok,
            Self::Refusal {
                code, description, ..
            } => Answer::Refused {
                code: *code,
                description: description.clone(),
            },
            Self::Page(code, page) => Answer::Refused {
                code: *code,
                description: (*page).to_owned(),
            },
            Self::Hang => Answer::Hung,
            Self::Drop => Answer::Dropped,
        }
    }
}

pub(crate) fn not_found() -> Reply {
    Reply::bad("chat not found")
}

/// What a behaviour answers where it accepts nothing.
pub(crate) fn refusal(behaviour: &Behaviour, chat: &Chat) -> Option<Reply> {
    let kind = chat.kind.name();
    Some(match behaviour {
        Behaviour::Kicked if kind == "private" => {
            Reply::refusal(403, "Forbidden: bot was blocked by the user")
        }
        Behaviour::Kicked => Reply::refusal(
            403,
            format!("Forbidden: bot was kicked from the {kind} chat"),
        ),
        Behaviour::NotMember => Reply::refusal(
            403,
            format!("Forbidden: bot is not a member of the {kind} chat"),
        ),
        Behaviour::NoRights => Reply::bad(format!("need administrator rights in the {kind} chat")),
        Behaviour::Unknown => not_found(),
        Behaviour::Deactivated if kind == "private" => {
            Reply::refusal(403, "Forbidden: user is deactivated")
        }
        Behaviour::Deactivated => Reply::refusal(403, "Forbidden: the group chat was deleted"),
        Behaviour::Migrated { chat_id } => Reply::Refusal {
            code: 400,
            description: "Bad Request: group chat was upgraded to a supergroup chat".to_owned(),
            parameters: Some(json!({"migrate_to_chat_id": chat_id})),
        },
        Behaviour::SlowMode { seconds } => Reply::bad(format!("SLOWMODE_WAIT_{seconds}")),
        Behaviour::ServerError => Reply::refusal(500, "Internal Server Error"),
        Behaviour::ServerErrorHtml => Reply::Page(
            502,
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
        ),
        Behaviour::Refusal { code, description } => Reply::refusal(*code, description.clone()),
        Behaviour::HangBefore => Reply::Hang,
        Behaviour::Refuse => Reply::Drop,
        Behaviour::Accept
        | Behaviour::ChatFlood { .. }
        | Behaviour::BotFlood { .. }
        | Behaviour::SlowAnswer { .. }
        | Behaviour::HangAfter
        | Behaviour::AcceptThenDrop => return None,
    })
}

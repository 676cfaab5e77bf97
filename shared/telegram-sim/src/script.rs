//! What a chat is told to do, instead of accepting.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// What happens to a message to a chat. As JSON: `{"type": "slowMode", "seconds": 5}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Behaviour {
    /// It is accepted, if it is sound and in time.
    Accept,
    /// The bot was kicked: 403.
    Kicked,
    /// The bot is not a member: 403.
    NotMember,
    /// The bot may not write: 400.
    NoRights,
    /// The chat is not found: 400.
    Unknown,
    /// The group was deactivated: 403.
    Deactivated,
    /// The group became a supergroup: 400 with `migrate_to_chat_id`. The new chat exists.
    Migrated {
        /// The new chat's id.
        chat_id: i64,
    },
    /// Slow mode: 400 with SLOWMODE_WAIT.
    SlowMode {
        /// How long to wait.
        seconds: u64,
    },
    /// This chat is too busy: 429, and so for every call to it until the time is over.
    ChatFlood {
        /// How long to wait.
        seconds: u64,
    },
    /// The bot is too busy: 429, and so for every call of it until the time is over.
    BotFlood {
        /// How long to wait.
        seconds: u64,
    },
    /// 500 in Telegram's JSON; nothing is accepted.
    ServerError,
    /// 502 with a proxy's HTML page; nothing is accepted.
    ServerErrorHtml,
    /// Any refusal.
    Refusal {
        /// The code, such as 400.
        code: u16,
        /// The text, such as `Bad Request: chat not found`.
        description: String,
    },
    /// Accepted at once, answered later.
    SlowAnswer {
        /// How much later.
        millis: u64,
    },
    /// Never accepted, never answered.
    HangBefore,
    /// Accepted, never answered.
    HangAfter,
    /// Accepted; then the connection closes without an answer.
    AcceptThenDrop,
    /// The connection closes without an answer, and nothing was accepted.
    Refuse,
}

/// A behaviour and how often it happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What happens.
    #[serde(flatten)]
    pub behaviour: Behaviour,
    /// To how many calls; to all from now on where it is absent.
    #[serde(default)]
    pub times: Option<u32>,
}

impl Behaviour {
    /// Happens to one call.
    pub fn once(self) -> Step {
        self.times(1)
    }

    /// Happens to `times` calls.
    pub fn times(self, times: u32) -> Step {
        Step {
            behaviour: self,
            times: Some(times),
        }
    }

    /// Happens to every call from now on.
    pub fn forever(self) -> Step {
        Step {
            behaviour: self,
            times: None,
        }
    }
}

/// The steps that are left for a chat; at their end it accepts.
#[derive(Debug, Default)]
pub(crate) struct Script(VecDeque<Step>);

impl Script {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        Self(steps.into())
    }

    /// The behaviour that the next message would meet.
    pub(crate) fn peek(&self) -> &Behaviour {
        let step = self.0.iter().find(|step| step.times != Some(0));
        step.map_or(&Behaviour::Accept, |step| &step.behaviour)
    }

    /// The behaviour for the next call.
    pub(crate) fn next(&mut self) -> Behaviour {
        loop {
            let Some(step) = self.0.front_mut() else {
                return Behaviour::Accept;
            };
            match &mut step.times {
                None => return step.behaviour.clone(),
                Some(0) => {
                    self.0.pop_front();
                }
                Some(left) => {
                    *left -= 1;
                    return step.behaviour.clone();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_each_other_and_then_it_accepts() {
        let mut script = Script::new(vec![
            Behaviour::ServerError.times(2),
            Behaviour::Kicked.once(),
        ]);
        let taken: Vec<_> = (0..4).map(|_| script.next()).collect();
        assert_eq!(
            taken,
            [
                Behaviour::ServerError,
                Behaviour::ServerError,
                Behaviour::Kicked,
                Behaviour::Accept
            ]
        );
    }

    #[test]
    fn a_step_without_a_number_stays() {
        let step: Step = serde_json::from_str(r#"{"type":"slowMode","seconds":5}"#).unwrap();
        assert_eq!(step, Behaviour::SlowMode { seconds: 5 }.forever());
        let mut script = Script::new(vec![step]);
        for _ in 0..3 {
            assert_eq!(script.next(), Behaviour::SlowMode { seconds: 5 });
        }
    }
}

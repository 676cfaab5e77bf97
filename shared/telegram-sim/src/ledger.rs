//! What the simulator saw: every call, and what became of it.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::limits::Micros;

/// One call of a bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When it came.
    pub at: Micros,
    /// The bot's id: the part of its token before the colon.
    pub bot: String,
    /// The method, such as `sendMessage`.
    pub method: String,
    /// The chat as the call named it.
    pub chat: String,
    /// The chat's id, where there is such a chat.
    pub chat_id: Option<i64>,
    /// The text or caption, as it was sent.
    pub text: String,
    /// The URL or file id of its media.
    pub media: Option<String>,
    /// The message's id, where a message was accepted, whatever was then answered.
    pub message_id: Option<i64>,
    /// What was answered.
    pub answer: Answer,
    /// How long a flood wait had been demanded of this bot or chat, where the call
    /// came in one.
    pub held_for: Option<Micros>,
}

/// What the caller got to see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Answer {
    /// The result.
    Ok,
    /// A refusal.
    Refused {
        /// Its code.
        code: u16,
        /// Its text.
        description: String,
    },
    /// Nothing, on a connection that stays open.
    Hung,
    /// The end of the connection.
    Dropped,
}

/// Accepted messages that are one too many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Duplicate {
    /// The bot's id.
    pub bot: String,
    /// The chat's id.
    pub chat_id: i64,
    /// The text that was accepted more than once.
    pub text: String,
    /// The accepted messages, in the order of their coming.
    pub message_ids: Vec<i64>,
}

/// A judgement of the whole ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// All calls, of any method.
    pub calls: usize,
    /// Messages that were accepted.
    pub accepted: usize,
    /// Refusals by code.
    pub refused: BTreeMap<u16, usize>,
    /// Calls without an answer.
    pub unanswered: usize,
    /// Messages accepted more than once.
    pub duplicates: Vec<Duplicate>,
    /// Calls that came in a flood wait, later than a second after it was demanded.
    pub calls_in_hold: usize,
    /// The most messages accepted in any second.
    pub most_in_a_second: usize,
    /// The most messages accepted in any minute.
    pub most_in_a_minute: usize,
    /// When the first and the last message were accepted.
    pub first_and_last: Option<(Micros, Micros)>,
}

/// Every call, in the order of its coming.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Ledger(pub Vec<Entry>);

impl Ledger {
    /// The accepted messages.
    pub fn accepted(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(|entry| entry.message_id.is_some())
    }

    /// The calls that concern a chat, by its id or as they named it.
    pub fn of_chat(&self, chat: &str) -> impl Iterator<Item = &Entry> {
        let id = chat.parse::<i64>().ok();
        self.0.iter().filter(move |entry| {
            entry.chat.eq_ignore_ascii_case(chat) || (id.is_some() && entry.chat_id == id)
        })
    }

    /// What was accepted more than once from one bot, in one chat, with one text.
    pub fn duplicates(&self) -> Vec<Duplicate> {
        let mut by_message: HashMap<(&str, i64, &str), Vec<i64>> = HashMap::new();
        for entry in &self.0 {
            if let (Some(id), Some(chat_id)) = (entry.message_id, entry.chat_id) {
                by_message
                    .entry((&entry.bot, chat_id, &entry.text))
                    .or_default()
                    .push(id);
            }
        }
        let mut duplicates: Vec<_> = by_message
            .into_iter()
            .filter(|(_, message_ids)| message_ids.len() > 1)
            .map(|((bot, chat_id, text), message_ids)| Duplicate {
                bot: bot.to_owned(),
                chat_id,
                text: text.to_owned(),
                message_ids,
            })
            .collect();
        duplicates.sort_by_key(|duplicate| duplicate.message_ids.first().copied());
        duplicates
    }

    /// The most messages accepted in any span of this length.
    pub fn most_in(&self, span: Micros) -> usize {
        let times: Vec<Micros> = self.accepted().map(|entry| entry.at).collect();
        let mut first = 0;
        let mut most = 0;
        for (last, at) in times.iter().enumerate() {
            while times[first].saturating_add(span) <= *at {
                first += 1;
            }
            most = most.max(last - first + 1);
        }
        most
    }

    /// The calls that came in a flood wait, more than `grace` after it was demanded:
    /// what was on its way at that time is no offence.
    pub fn in_hold(&self, grace: Micros) -> impl Iterator<Item = &Entry> {
        self.0
            .iter()
            .filter(move |entry| entry.held_for.is_some_and(|held| held > grace))
    }

    /// The judgement of the whole.
    pub fn summary(&self) -> Summary {
        use crate::limits::SECOND;

        let mut refused = BTreeMap::new();
        let mut unanswered = 0;
        for entry in &self.0 {
            match &entry.answer {
                Answer::Ok => {}
                Answer::Refused { code, .. } => *refused.entry(*code).or_default() += 1,
                Answer::Hung | Answer::Dropped => unanswered += 1,
            }
        }
        let first = self.accepted().next().map(|entry| entry.at);
        let last = self.accepted().last().map(|entry| entry.at);
        Summary {
            calls: self.0.len(),
            accepted: self.accepted().count(),
            refused,
            unanswered,
            duplicates: self.duplicates(),
            calls_in_hold: self.in_hold(SECOND).count(),
            most_in_a_second: self.most_in(SECOND),
            most_in_a_minute: self.most_in(60 * SECOND),
            first_and_last: first.zip(last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(at: Micros, chat_id: i64, message_id: i64) -> Entry {
        Entry {
            at,
            bot: "1".to_owned(),
            method: "sendMessage".to_owned(),
            chat: "@news".to_owned(),
            chat_id: Some(chat_id),
            text: "hello".to_owned(),
            media: None,
            message_id: Some(message_id),
            answer: Answer::Ok,
            held_for: None,
        }
    }

    #[test]
    fn the_same_text_in_the_same_chat_is_a_duplicate() {
        let ledger = Ledger(vec![
            accepted(0, 1, 10),
            accepted(1, 2, 11),
            accepted(2, 1, 12),
        ]);
        let duplicates = ledger.duplicates();
        assert_eq!(duplicates.len(), 1);
        assert_eq!(duplicates[0].message_ids, [10, 12]);
    }

    #[test]
    fn the_fullest_window_is_found_wherever_it_lies() {
        let ledger = Ledger([0, 5, 6, 7, 14].map(|at| accepted(at, 1, 1)).to_vec());
        assert_eq!(ledger.most_in(3), 3);
        assert_eq!(ledger.most_in(10), 4);
        assert_eq!(ledger.most_in(1), 1);
    }

    #[test]
    fn a_call_in_a_hold_counts_after_the_grace() {
        let held = |held_for| Entry {
            held_for,
            ..accepted(0, 1, 1)
        };
        let ledger = Ledger(vec![held(None), held(Some(5)), held(Some(50))]);
        assert_eq!(ledger.in_hold(10).count(), 1);
    }
}

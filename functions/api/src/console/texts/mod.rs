//! What the console says, one file a language.
//!
//! A language is added as a file like `ru.rs` and a line in [`choose`].

mod en;
mod ru;

use axum::http::{HeaderMap, header::ACCEPT_LANGUAGE};
use telecast_core::{
    campaigns::{Action, PauseReason, Status},
    message_jobs::State,
};

pub(super) use en::Texts;

/// Words that depend on a value; the compiler sees that each value has one.
struct Words {
    status: fn(Status) -> &'static str,
    pause_reason: fn(PauseReason) -> &'static str,
    job_state: fn(State) -> &'static str,
    action: fn(Action) -> &'static str,
    action_means: fn(Action) -> &'static str,
    mode: fn(&str) -> &'static str,
    next_step: fn(&str) -> &'static str,
}

/// The language somebody chose, else the first that their browser asks for.
pub(super) fn choose(chosen: Option<&str>, headers: &HeaderMap) -> &'static Texts {
    let asked = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    match chosen.or(asked) {
        Some(language) if language.starts_with("ru") => &ru::RUSSIAN,
        _ => &en::ENGLISH,
    }
}

impl Texts {
    pub(super) fn status(&self, status: &Status) -> &'static str {
        (self.words.status)(*status)
    }

    pub(super) fn pause_reason(&self, reason: &PauseReason) -> &'static str {
        (self.words.pause_reason)(*reason)
    }

    pub(super) fn job_state(&self, state: &State) -> &'static str {
        (self.words.job_state)(*state)
    }

    /// All states of a message, for a list to choose from.
    pub(super) fn job_states(&self) -> [State; 7] {
        use State::{Cancelled, Failed, Pending, Sending, Sent, Skipped, Uncertain};
        [
            Pending, Sending, Sent, Failed, Skipped, Uncertain, Cancelled,
        ]
    }

    pub(super) fn action(&self, action: &Action) -> &'static str {
        (self.words.action)(*action)
    }

    pub(super) fn action_means(&self, action: &Action) -> &'static str {
        (self.words.action_means)(*action)
    }

    pub(super) fn mode_name(&self, mode: &str) -> &'static str {
        (self.words.mode)(mode)
    }

    /// What to do about an error of the API.
    pub(super) fn next_step(&self, code: &str) -> &'static str {
        (self.words.next_step)(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_goes_before_what_the_browser_asks_for() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, "ru-RU,ru;q=0.9".parse().unwrap());
        assert_eq!(choose(None, &headers).language, "ru");
        assert_eq!(choose(Some("en"), &headers).language, "en");
        assert_eq!(choose(None, &HeaderMap::new()).language, "en");
    }
}

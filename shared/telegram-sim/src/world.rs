//! The state of the simulated Telegram, and its judgement of each call.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    chats::{Chats, NewChat},
    ledger::{Answer, Entry, Ledger},
    limits::{Flood, Held, Micros, SECOND, Window},
    reply::{Reply, not_found, refusal},
    request::{Content, Parameters, file_prefix},
    script::{Behaviour, Script, Step},
};

/// The rates that are enforced; None switches one off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Messages of a bot in any second.
    pub bot_per_second: Option<usize>,
    /// Messages of a bot to a chat in any second.
    pub chat_per_second: Option<usize>,
    /// Messages of a bot to a group in any minute.
    pub group_per_minute: Option<usize>,
    /// A flood wait that is ignored doubles up to so many seconds.
    pub longest_wait: u64,
}

impl Default for Limits {
    /// Telegram's: 30, 1 and 20; an hour at most.
    fn default() -> Self {
        Self {
            bot_per_second: Some(30),
            chat_per_second: Some(1),
            group_per_minute: Some(20),
            longest_wait: 3600,
        }
    }
}

impl Limits {
    /// No limits at all.
    pub const UNLIMITED: Self = Self {
        bot_per_second: None,
        chat_per_second: None,
        group_per_minute: None,
        longest_wait: 3600,
    };
}

/// The pace of one bot, or of one bot in one chat.
struct Pace {
    flood: Flood,
    second: Option<Window>,
    minute: Option<Window>,
}

impl Pace {
    fn new(longest_wait: u64, per_second: Option<usize>, per_minute: Option<usize>) -> Self {
        Self {
            flood: Flood::growing_to(longest_wait),
            second: per_second.map(|max| Window::new(max, SECOND)),
            minute: per_minute.map(|max| Window::new(max, 60 * SECOND)),
        }
    }

    fn windows(&mut self) -> impl Iterator<Item = &mut Window> {
        [&mut self.second, &mut self.minute].into_iter().flatten()
    }

    /// Lets a message pass, or demands a wait of at least a second.
    fn check(&mut self, now: Micros) -> Result<(), u64> {
        let wait = self.windows().find_map(|window| window.has_room(now).err());
        match wait {
            None => Ok(()),
            Some(wait) => {
                let seconds = wait.div_ceil(SECOND).max(1);
                self.flood.begin(now, seconds);
                Err(seconds)
            }
        }
    }

    /// Counts a message that was let pass, and accepted.
    fn count(&mut self, now: Micros) {
        for window in self.windows() {
            // It has room: `check` saw to that.
            window.admit(now).ok();
        }
    }
}

/// Everything that the simulator knows.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) limits: Limits,
    /// The tokens that are known; every well-formed one where this is empty.
    pub(crate) tokens: HashSet<String>,
    pub(crate) revoked: HashSet<String>,
    pub(crate) chats: Chats,
    pub(crate) ledger: Ledger,
    bots: HashMap<String, Pace>,
    pairs: HashMap<(String, i64), Pace>,
    last_message: i64,
}

impl World {
    /// A world without chats; with no tokens, every well-formed one is known.
    pub(crate) fn new(limits: Limits, tokens: Vec<String>) -> Self {
        Self {
            limits,
            tokens: tokens.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Judges a call that came at `now`, and enters it in the ledger. Parameters that
    /// could not be read are the text of their refusal.
    pub(crate) fn receive(
        &mut self,
        now: Micros,
        token: &str,
        method: &str,
        parameters: Result<&Parameters, &str>,
    ) -> Reply {
        let mut entry = Entry {
            at: now,
            bot: token.split(':').next().unwrap_or_default().to_owned(),
            method: method.to_owned(),
            chat: parameters.map_or_else(|_| String::new(), |p| p.text("chat_id")),
            chat_id: None,
            text: parameters.map_or_else(|_| String::new(), Parameters::raw_text),
            media: None,
            message_id: None,
            answer: Answer::Ok,
            held_for: None,
        };
        let reply = if self.knows(token) {
            parameters
                .map_err(Reply::bad)
                .and_then(|parameters| self.judge(&mut entry, parameters))
                .unwrap_or_else(|refusal| refusal)
        } else {
            Reply::refusal(401, "Unauthorized")
        };
        entry.answer = reply.as_answer();
        self.ledger.0.push(entry);
        reply
    }

    /// Tells a chat what to do with the next calls; false where there is no such chat.
    pub(crate) fn script(&mut self, chat: &str, steps: Vec<Step>) -> bool {
        for step in &steps {
            if let Behaviour::Migrated { chat_id } = step.behaviour
                && self.chats.find(&chat_id.to_string()).is_none()
            {
                self.chats.add(NewChat {
                    id: Some(chat_id),
                    kind: crate::chats::Kind::Supergroup,
                    username: None,
                });
            }
        }
        match self.chats.find(chat) {
            Some(chat) => {
                chat.script = Script::new(steps);
                true
            }
            None => false,
        }
    }

    /// Makes a bot wait, whatever it does.
    pub(crate) fn flood(&mut self, now: Micros, bot: &str, seconds: u64) {
        self.bot(bot).flood.begin(now, seconds);
    }

    fn knows(&self, token: &str) -> bool {
        let well_formed = token.split_once(':').is_some_and(|(id, secret)| {
            !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) && secret.len() >= 30
        });
        well_formed
            && !self.revoked.contains(token)
            && (self.tokens.is_empty() || self.tokens.contains(token))
    }

    fn bot(&mut self, bot: &str) -> &mut Pace {
        let limits = self.limits;
        self.bots
            .entry(bot.to_owned())
            .or_insert_with(|| Pace::new(limits.longest_wait, limits.bot_per_second, None))
    }

    fn judge(&mut self, entry: &mut Entry, parameters: &Parameters) -> Result<Reply, Reply> {
        let method = entry.method.to_ascii_lowercase();
        let now = entry.at;
        match method.as_str() {
            "getme" => return Ok(me(&entry.bot)),
            "getchat" => {
                let chat = self.chats.find(&entry.chat).ok_or_else(not_found)?;
                entry.chat_id = Some(chat.id);
                return Ok(Reply::Result(chat.to_json(), Duration::ZERO));
            }
            "getchatmember" => return self.member(entry, parameters),
            _ => {}
        }
        let content = parameters
            .content(&method, &entry.bot)
            .ok_or_else(|| Reply::refusal(404, "Not Found: method not found"))?;
        if let Err(held) = self.bot(&entry.bot).flood.admit(now) {
            return Err(hold(entry, held));
        }
        let content = content.map_err(Reply::bad)?;
        entry.media = content.media.as_ref().map(|media| media.source.clone());
        if entry.chat.is_empty() {
            return Err(Reply::bad("chat_id is empty"));
        }
        let chat = self.chats.find(&entry.chat).ok_or_else(not_found)?;
        entry.chat_id = Some(chat.id);
        let (chat_id, kind) = (chat.id, chat.kind);
        let limits = self.limits;
        let bot = self
            .bots
            .entry(entry.bot.clone())
            .or_insert_with(|| Pace::new(limits.longest_wait, limits.bot_per_second, None));
        let pair = self
            .pairs
            .entry((entry.bot.clone(), chat_id))
            .or_insert_with(|| {
                let per_minute = limits.group_per_minute.filter(|_| kind.is_group());
                Pace::new(limits.longest_wait, limits.chat_per_second, per_minute)
            });
        if let Err(held) = pair.flood.admit(now) {
            return Err(hold(entry, held));
        }
        // A call that comes too soon is not the one that the script is about.
        pair.check(now).map_err(Reply::wait)?;
        bot.check(now).map_err(Reply::wait)?;
        let behaviour = chat.script.next();
        if let Some(refusal) = refusal(&behaviour, chat) {
            return Err(refusal);
        }
        match behaviour {
            Behaviour::ChatFlood { seconds } => {
                pair.flood.begin(now, seconds);
                return Err(Reply::wait(seconds));
            }
            Behaviour::BotFlood { seconds } => {
                bot.flood.begin(now, seconds);
                return Err(Reply::wait(seconds));
            }
            _ => {}
        }
        pair.count(now);
        bot.count(now);
        let message = self.accept(entry, &content);
        Ok(match behaviour {
            Behaviour::SlowAnswer { millis } => {
                Reply::Result(message, Duration::from_millis(millis))
            }
            Behaviour::HangAfter => Reply::Hang,
            Behaviour::AcceptThenDrop => Reply::Drop,
            _ => Reply::Result(message, Duration::ZERO),
        })
    }

    /// What the bot itself is in a chat: what the chat's script would do to its next message
    /// says so, and stays to be done.
    fn member(&mut self, entry: &mut Entry, parameters: &Parameters) -> Result<Reply, Reply> {
        if let Err(held) = self.bot(&entry.bot).flood.admit(entry.at) {
            return Err(hold(entry, held));
        }
        let chat = self.chats.find(&entry.chat).ok_or_else(not_found)?;
        entry.chat_id = Some(chat.id);
        if parameters.text("user_id") != entry.bot {
            return Err(Reply::bad("user not found"));
        }
        let behaviour = chat.script.peek().clone();
        let member = match behaviour {
            Behaviour::Kicked => json!({"status": "kicked"}),
            Behaviour::NotMember => json!({"status": "left"}),
            Behaviour::NoRights if chat.kind.is_group() => {
                json!({"status": "restricted", "can_send_messages": false})
            }
            Behaviour::NoRights => {
                json!({"status": "administrator", "can_post_messages": false})
            }
            Behaviour::Accept if chat.kind.is_group() => json!({"status": "member"}),
            Behaviour::Accept => json!({"status": "administrator", "can_post_messages": true}),
            Behaviour::BotFlood { seconds } => {
                chat.script.next();
                self.bot(&entry.bot).flood.begin(entry.at, seconds);
                return Err(Reply::wait(seconds));
            }
            behaviour => {
                chat.script.next();
                return Err(refusal(&behaviour, chat).unwrap_or_else(not_found));
            }
        };
        Ok(Reply::Result(member, Duration::ZERO))
    }

    fn accept(&mut self, entry: &mut Entry, content: &Content) -> Value {
        self.last_message += 1;
        entry.message_id = Some(self.last_message);
        let chat = self.chats.find(&entry.chat).map(|chat| chat.to_json());
        let mut message = json!({
            "message_id": self.last_message,
            "date": entry.at / SECOND,
            "chat": chat,
        });
        match &content.media {
            None => message["text"] = json!(content.visible),
            Some(media) => {
                let prefix = file_prefix(media.field, &entry.bot);
                let file_id = if media.source.starts_with(&prefix) {
                    media.source.clone()
                } else {
                    format!("{prefix}{}", self.last_message)
                };
                let file = json!({"file_id": file_id, "file_unique_id": file_id});
                message[media.field] = if media.field == "photo" {
                    json!([file])
                } else {
                    file
                };
                if !content.visible.is_empty() {
                    message["caption"] = json!(content.visible);
                }
            }
        }
        message
    }
}

fn me(bot: &str) -> Reply {
    let id: i64 = bot.parse().unwrap_or_default();
    let user = json!({
        "id": id,
        "is_bot": true,
        "first_name": "Simulated",
        "username": format!("sim_{bot}_bot"),
    });
    Reply::Result(user, Duration::ZERO)
}

fn hold(entry: &mut Entry, held: Held) -> Reply {
    entry.held_for = Some(held.held_for);
    Reply::wait(held.retry_after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chats::Kind;

    const TOKEN: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

    fn send(world: &mut World, now: Micros, chat: &str) -> Answer {
        let parameters = json!({"chat_id": chat, "text": "hello"});
        let parameters = Parameters(parameters.as_object().cloned().unwrap_or_default());
        world
            .receive(now, TOKEN, "sendMessage", Ok(&parameters))
            .as_answer()
    }

    fn code(answer: &Answer) -> u16 {
        match answer {
            Answer::Refused { code, .. } => *code,
            _ => 200,
        }
    }

    #[test]
    fn a_call_that_comes_too_soon_takes_no_step_of_the_script() {
        let mut world = World::new(Limits::default(), Vec::new());
        world.chats.add(NewChat {
            id: Some(-7),
            kind: Kind::Channel,
            username: Some("news".to_owned()),
        });
        world.script(
            "@news",
            vec![Behaviour::Accept.once(), Behaviour::Kicked.once()],
        );
        let codes: Vec<u16> = [0, 100_000, 2 * SECOND, 4 * SECOND]
            .map(|now| code(&send(&mut world, now, "@news")))
            .to_vec();
        assert_eq!(codes, [200, 429, 403, 200]);
    }

    #[test]
    fn a_refusal_of_the_script_uses_up_no_rate() {
        let mut world = World::new(Limits::default(), Vec::new());
        world.chats.add_numbered(1);
        world.script("@sim_channel_1", vec![Behaviour::ServerError.once()]);
        assert_eq!(code(&send(&mut world, 0, "@sim_channel_1")), 500);
        assert_eq!(code(&send(&mut world, 1, "@sim_channel_1")), 200);
        assert_eq!(code(&send(&mut world, 2, "@sim_channel_1")), 429);
    }
}

//! A Telegram Bot API simulator that is as strict as Telegram and keeps a ledger.
//!
//! [`Simulator::start`] gives a server on a free port of the loopback address; a chat
//! does what its script says ([`Behaviour`]); the [`Ledger`] tells what was accepted
//! when, and judges it. The binary `telegram-sim` is the same in a process of its own,
//! steered over HTTP under `/sim`.
//!
//! It knows sendMessage, sendPhoto, sendVideo, sendDocument, getMe, getChat and getChatMember.
#![forbid(unsafe_code)]

mod bot_api;
mod chats;
mod control;
mod ledger;
mod limits;
mod markup;
mod reply;
mod request;
mod script;
mod server;
mod world;

pub use chats::{Kind, NewChat};
pub use ledger::{Answer, Duplicate, Entry, Ledger, Summary};
pub use limits::{Flood, Held, Micros, SECOND, Window};
pub use markup::visible_text;
pub use script::{Behaviour, Step};
pub use server::{Config, NoSuchChat, Simulator, StartError};
pub use world::Limits;

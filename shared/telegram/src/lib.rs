//! A Telegram Bot API client that says what each answer means.
//!
//! [`Client`] speaks to the Bot API for any number of bots. An answer is either what
//! was asked for or a [`Failure`], classified by [`classify`]: what to do next,
//! rather than what the server happened to write. [`text`] checks and escapes texts
//! before Telegram sees them.
#![forbid(unsafe_code)]

mod answer;
mod classify;
mod client;
mod message;
pub mod text;
mod token;

pub use answer::{Bot, ChatInfo, ChatKind, Failure, FailureKind, Member, Sent};
pub use classify::classify;
pub use client::{Client, SHORTEST_TIMEOUT, Settings, SetupError};
pub use message::{Button, Chat, LinkPreview, Media, MediaKind, Message, ParseMode};
pub use token::{BadToken, BotToken};

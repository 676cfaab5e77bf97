//! Channels: who gets messages. Opt-out is a hard gate.

pub mod export;
pub mod import;
mod store;
mod username;

pub use store::{Channel, ChannelPatch, Filter, NewChannel, create, get, list, recipient, update};
pub use username::{BadUsername, Username};

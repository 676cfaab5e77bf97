//! Channels: who gets messages. Opt-out is a hard gate.

pub mod check;
pub mod export;
pub mod import;
mod kind;
mod store;
mod username;

pub(crate) use kind::kind_name;
pub use store::{Channel, ChannelPatch, Filter, NewChannel, create, get, list, recipient, update};
pub use username::{BadUsername, Username};

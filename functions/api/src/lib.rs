//! The api function: what operators and programs ask of Telecast over HTTP.
//!
//! [`router`] is the whole of it; `main.rs` runs it on Lambda, the cli behind a socket.
//! Every route stands in `routes/mod.rs`, with the role that may call it beside it.
#![forbid(unsafe_code)]

mod access;
mod answer;
mod client_ip;
mod console;
mod error;
mod extract;
mod openapi;
mod password;
mod routes;
mod settings;
mod state;
mod token;

pub use access::Access;
pub use error::ApiError;
pub use openapi::document;
pub use routes::{Route, router, table};
pub use settings::Settings;
pub use state::{App, Kick};
pub use token::TokenSecret;

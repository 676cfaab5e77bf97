//! Campaigns, channels, batches, templates, users and audit: types and SQL.
#![forbid(unsafe_code)]

pub mod audit;
pub mod batches;
pub mod bots;
pub mod campaigns;
pub mod channels;
mod check;
pub mod delivery;
mod error;
pub mod message_jobs;
pub mod migrate;
pub mod page;
mod row;
pub mod templates;
pub mod users;
pub mod webhooks;

pub use error::{Error, Result};

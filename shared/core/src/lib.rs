//! Campaigns, channels, batches, templates, users and audit: types and SQL.
#![forbid(unsafe_code)]

pub mod audit;
pub mod bots;
mod check;
mod error;
pub mod migrate;
pub mod page;
mod row;

pub use error::{Error, Result};

//! Campaigns, channels, batches, templates, users and audit: types and SQL.
#![forbid(unsafe_code)]

mod error;
pub mod migrate;

pub use error::{Error, Result};

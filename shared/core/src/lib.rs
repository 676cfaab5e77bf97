//! Campaigns, channels, batches, templates, users and audit: types and SQL
#![forbid(unsafe_code)]

//! Configuration, telemetry, database pool, and the ways to run and reach a handler.
#![forbid(unsafe_code)]

pub mod config;
pub mod database;
pub mod handler;
pub mod invoke;
pub mod lambda;
pub mod metrics;
pub mod secret;
pub mod telemetry;

//! Configuration, telemetry, database pool, and the ways to run and reach a handler
#![forbid(unsafe_code)]

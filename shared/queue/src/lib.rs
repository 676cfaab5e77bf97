//! A job queue in PostgreSQL, on pg-boss's own tables
#![forbid(unsafe_code)]

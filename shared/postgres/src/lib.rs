//! Finds, starts and stops a private PostgreSQL server
#![forbid(unsafe_code)]

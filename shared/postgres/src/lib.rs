//! A private PostgreSQL server: found on this machine, started on loopback, stopped
//! with its owner.
//!
//! [`Server::start`] runs one for a program that has no database of its own;
//! [`testing`] runs one for a test process and gives each test a fresh database.
#![forbid(unsafe_code)]

mod account;
mod binaries;
mod cluster;
#[cfg(feature = "download")]
mod download;
mod error;
mod server;
pub mod testing;

pub use binaries::Binaries;
pub use error::Error;
pub use server::{Durability, Server};

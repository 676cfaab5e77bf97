//! Telecast as Lambda functions: the scheduler's own binary and handlers in processes of
//! their own, behind Lambda's simulator, judged by Telegram's.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

#[path = "../../../send-message/tests/common/mod.rs"]
mod common;

mod faults;
mod functions;
mod ticks;
mod url;

//! A strict Telegram Bot API simulator with a ledger
#![forbid(unsafe_code)]

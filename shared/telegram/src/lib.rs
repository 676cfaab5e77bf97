//! A Telegram Bot API client that says what each answer means
#![forbid(unsafe_code)]

//! The send-message function
#![forbid(unsafe_code)]

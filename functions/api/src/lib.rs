//! The api function
#![forbid(unsafe_code)]

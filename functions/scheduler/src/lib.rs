//! The scheduler function
#![forbid(unsafe_code)]

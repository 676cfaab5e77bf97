//! The `telecast` command.
#![forbid(unsafe_code)]

fn main() {}

//! The `start-campaign` function.
#![forbid(unsafe_code)]

fn main() {}

//! What several benches share.
#![forbid(unsafe_code)]

pub mod campaign;
pub mod deliver;
pub mod lambda_load;

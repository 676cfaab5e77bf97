//! A real `telecast` process, a simulator of our own as its judge, and a client of
//! its API.

pub(crate) mod campaign;
pub(crate) mod process;

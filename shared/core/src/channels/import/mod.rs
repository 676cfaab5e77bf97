//! Import of channels from CSV or JSONL: read as a stream, landed in chunks. A bad
//! row is named by its line and left out; the good ones land.

mod land;
mod read;
mod record;
mod report;

pub use land::Importer;
pub use read::{BadHeader, Format, Line, Lines, read};
pub use record::BadRow;
pub use report::{LineReport, Report};

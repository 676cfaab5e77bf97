//! What became of an import, by line.

use schemars::JsonSchema;
use serde::Serialize;

use super::BadRow;

/// How many lines a list of the report names.
const NAMED: usize = 1000;

/// What became of an import. Every row is counted once: inserted, updated,
/// unchanged, duplicate or rejected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// All rows.
    pub rows: u64,
    /// New channels.
    pub inserted: u64,
    /// Channels that were here and learnt something.
    pub updated: u64,
    /// Channels that were here, and nothing is new.
    pub unchanged: u64,
    /// Rows of a channel that an earlier row of this import names.
    pub duplicates: u64,
    /// The lines of the first 1000 duplicates.
    pub duplicate_lines: Vec<u64>,
    /// Bad rows.
    pub rejected: u64,
    /// The first 1000 bad rows.
    pub rejected_lines: Vec<LineReport>,
}

/// A bad row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineReport {
    /// Its line, from 1.
    pub line: u64,
    /// The field at fault; null when it is the row as a whole.
    pub field: Option<String>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Report {
    pub(super) fn reject(&mut self, line: u64, bad: BadRow) {
        self.rejected += 1;
        if self.rejected_lines.len() < NAMED {
            self.rejected_lines.push(LineReport {
                line,
                field: bad.field,
                message: bad.message,
            });
        }
    }

    pub(super) fn duplicate(&mut self, line: u64) {
        self.duplicates += 1;
        if self.duplicate_lines.len() < NAMED {
            self.duplicate_lines.push(line);
        }
    }
}

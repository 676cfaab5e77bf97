//! Reading rows into types.

use std::{fmt::Display, str::FromStr};

use tokio_postgres::Row;

use crate::{Error, Result};

/// A text column that names a variant of an enum.
pub(crate) fn parse<T: FromStr<Err: Display>>(row: &Row, column: &'static str) -> Result<T> {
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|error: T::Err| Error::Corrupt {
        what: column,
        message: format!("{text:?}: {error}"),
    })
}

/// What somebody searches for, a username's @ left out, as a LIKE pattern that means itself.
pub(crate) fn pattern(search: &str) -> String {
    let text = search.trim().trim_start_matches('@');
    let literal = text
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("%{literal}%")
}

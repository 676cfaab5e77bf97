//! Checks that several kinds of things share.

use std::{fmt::Display, ops::RangeInclusive};

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Deserializer};
use tokio_postgres::error::SqlState;

use crate::{Error, Result};

/// A name has 1 to 200 characters, without the spaces around it.
pub(crate) fn name(field: &'static str, name: &str) -> Result<()> {
    if (1..=200).contains(&name.trim().chars().count()) {
        Ok(())
    } else {
        Err(Error::invalid(field, "must have 1 to 200 characters"))
    }
}

/// A number lies within a range.
pub(crate) fn range<T: PartialOrd + Display>(
    field: &'static str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<()> {
    if range.contains(&value) {
        Ok(())
    } else {
        let message = format!("is {value}; must be {} to {}", range.start(), range.end());
        Err(Error::invalid(field, message))
    }
}

/// A time lies where PostgreSQL can keep it, and where people mean it: in the years 1 to 9999.
pub(crate) fn time(field: &'static str, time: Option<DateTime<Utc>>) -> Result<()> {
    match time {
        Some(time) => range(field, time.year(), 1..=9999),
        None => Ok(()),
    }
}

/// The database's refusal of a second row of the same name, in the domain's terms.
pub(crate) fn name_taken(error: tokio_postgres::Error, what: &str, name: &str) -> Error {
    if error.code() == Some(&SqlState::UNIQUE_VIOLATION) {
        Error::conflict(
            "NAME_TAKEN",
            format!("there is a {what} named {name:?} already"),
        )
    } else {
        error.into()
    }
}

/// The database's refusal to delete what something else points to, in the domain's terms.
pub(crate) fn in_use(error: tokio_postgres::Error, what: &str) -> Error {
    if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) {
        let message = format!("the {what} belongs to a campaign and cannot be deleted");
        Error::conflict("IN_USE", message)
    } else {
        error.into()
    }
}

/// A field of a patch that may be taken away: absent is none, `null` is none within.
pub(crate) fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

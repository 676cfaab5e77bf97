//! Names and numbers, checked before they reach the database.

use std::time::Duration;

use chrono::{DateTime, Datelike, Utc};
use serde_json::Value;

use crate::Error;

/// The longest name of a queue, in bytes; an index entry must fit a third of a page.
const MAX_NAME: usize = 512;
/// The longest singleton key or group id, in bytes, for the same reason.
const MAX_KEY: usize = 2_000;

pub(crate) fn queue_name(field: &'static str, name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::invalid(field, "is required"));
    }
    if name.len() > MAX_NAME {
        return Err(Error::invalid(
            field,
            format!("cannot exceed {MAX_NAME} bytes"),
        ));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    if !name.chars().all(allowed) {
        return Err(Error::invalid(
            field,
            "can only contain alphanumeric characters, underscores, hyphens, periods, or forward slashes",
        ));
    }
    Ok(())
}

pub(crate) fn key(field: &'static str, key: Option<&str>) -> Result<(), Error> {
    match key {
        Some(key) if key.len() > MAX_KEY => Err(Error::invalid(
            field,
            format!("cannot exceed {MAX_KEY} bytes"),
        )),
        Some(key) if key.contains('\0') => Err(Error::invalid(field, "cannot contain NUL")),
        _ => Ok(()),
    }
}

/// A time whose text PostgreSQL reads as it is meant: a year of four digits.
pub(crate) fn time(field: &'static str, time: DateTime<Utc>) -> Result<(), Error> {
    if (1..=9999).contains(&time.year()) {
        Ok(())
    } else {
        Err(Error::invalid(field, "must be in the years 1 to 9999"))
    }
}

/// Job data and outputs are objects, so that every client can read them.
pub(crate) fn object(field: &'static str, value: &Value) -> Result<(), Error> {
    if value.is_object() || value.is_null() {
        Ok(())
    } else {
        Err(Error::invalid(field, "must be an object"))
    }
}

/// Whole seconds as the database keeps them.
pub(crate) fn seconds(field: &'static str, value: Option<Duration>) -> Result<Option<i32>, Error> {
    let Some(value) = value else { return Ok(None) };
    i32::try_from(value.as_secs())
        .map(Some)
        .map_err(|_| Error::invalid(field, format!("cannot exceed {} seconds", i32::MAX)))
}

/// Like [`seconds`], of at least `least`.
pub(crate) fn seconds_from(
    least: u64,
    field: &'static str,
    value: Option<Duration>,
) -> Result<Option<i32>, Error> {
    match value {
        Some(value) if value.as_secs() < least => Err(Error::invalid(
            field,
            format!("must be at least {least} seconds"),
        )),
        _ => seconds(field, value),
    }
}

pub(crate) fn count(field: &'static str, value: Option<u32>) -> Result<Option<i32>, Error> {
    let Some(value) = value else { return Ok(None) };
    i32::try_from(value)
        .map(Some)
        .map_err(|_| Error::invalid(field, format!("cannot exceed {}", i32::MAX)))
}

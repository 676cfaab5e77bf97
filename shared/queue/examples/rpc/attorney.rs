//! What the client checks of its arguments, in its words.

use serde_json::Value;

use crate::fault::{Fault, assert};
use crate::options::{Object, is_falsy};

/// The number that JavaScript makes of a value where it compares it.
fn number(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Bool(yes) => f64::from(u8::from(*yes)),
        Value::Number(number) => number.as_f64().unwrap_or(f64::NAN),
        Value::String(text) if text.trim().is_empty() => 0.0,
        Value::String(text) => text.trim().parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}

fn is_integer(value: &Value) -> bool {
    matches!(value, Value::Number(number) if number.as_f64().is_some_and(|n| n.fract() == 0.0))
}

/// Each option that is there must hold.
fn check(
    options: &Object,
    key: &str,
    holds: impl Fn(&Value) -> bool,
    message: &str,
) -> Result<(), Fault> {
    assert(options.get(key).is_none_or(holds), message)
}

fn object_name(value: &str, what: &str) -> Result<(), Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    assert(
        !value.is_empty() && value.chars().all(allowed),
        format!(
            "{what} can only contain alphanumeric characters, underscores, hyphens, periods, or forward slashes"
        ),
    )
}

/// A queue's name, where one is required.
pub(crate) fn queue_name(value: Option<&Value>) -> Result<&str, Fault> {
    assert(!is_falsy(value), "Name is required")?;
    let Some(Value::String(name)) = value else {
        return Err(Fault::assertion("Name must be a string"));
    };
    object_name(name, "Name")?;
    Ok(name)
}

/// A schedule's key, which may be empty.
pub(crate) fn key(value: Option<&Value>) -> Result<&str, Fault> {
    match value {
        _ if is_falsy(value) => Ok(""),
        Some(Value::String(key)) => object_name(key, "Key").map(|()| key.as_str()),
        _ => Err(Fault::assertion("Key must be a string")),
    }
}

/// Options of a job that is sent.
pub(crate) fn send_options(options: &Object) -> Result<(), Fault> {
    check(
        options,
        "priority",
        is_integer,
        "priority must be an integer",
    )?;
    retry(options)?;
    expiration(options)?;
    retention(options)?;
    deletion(options)?;
    group(options)?;
    heartbeat(options)
}

/// Options of an edit.
pub(crate) fn update_options(options: &Object, verb: &str) -> Result<(), Fault> {
    let (id, key) = (options.get("id"), options.get("singletonKey"));
    assert(
        is_falsy(id) != is_falsy(key),
        format!("{verb}() requires exactly one of id or singletonKey"),
    )?;
    assert(
        is_falsy(id) || !options.contains_key("match"),
        "match is only valid when targeting jobs by singletonKey",
    )?;
    let is_match = |value: &Value| matches!(value.as_str(), Some("newest" | "oldest" | "all"));
    check(
        options,
        "match",
        is_match,
        "match must be one of: newest, oldest, all",
    )?;
    check(
        options,
        "priority",
        is_integer,
        "priority must be an integer",
    )?;
    retry(options)?;
    expiration(options)?;
    retention(options)?;
    group(options)?;
    heartbeat(options)
}

/// Options of a queue.
pub(crate) fn queue_options(options: &Object) -> Result<(), Fault> {
    let is_text = |value: &Value| value.is_null() || value.is_string();
    check(
        options,
        "deadLetter",
        is_text,
        "deadLetter must be a string",
    )?;
    check(
        options,
        "notify",
        Value::is_boolean,
        "notify must be a boolean",
    )?;
    if let Some(name) = options.get("deadLetter").and_then(Value::as_str)
        && !name.is_empty()
    {
        object_name(name, "deadLetter")?;
    }
    retry(options)?;
    expiration(options)?;
    retention(options)?;
    deletion(options)?;
    heartbeat(options)
}

/// Options of a fetch.
pub(crate) fn fetch_options(options: &Object) -> Result<(), Fault> {
    let at_least_one = |value: &Value| is_integer(value) && number(value) >= 1.0;
    check(
        options,
        "batchSize",
        at_least_one,
        "batchSize must be an integer > 0",
    )?;
    for key in ["includeMetadata", "priority", "ignoreStartAfter"] {
        check(
            options,
            key,
            Value::is_boolean,
            &format!("{key} must be a boolean"),
        )?;
    }
    for key in ["minPriority", "maxPriority"] {
        check(
            options,
            key,
            is_integer,
            &format!("{key} must be an integer"),
        )?;
    }
    if let (Some(min), Some(max)) = (options.get("minPriority"), options.get("maxPriority")) {
        assert(
            number(min) <= number(max),
            "minPriority must be <= maxPriority",
        )?;
    }
    Ok(())
}

fn retry(options: &Object) -> Result<(), Fault> {
    let natural = |value: &Value| is_integer(value) && number(value) >= 0.0;
    check(
        options,
        "retryDelay",
        natural,
        "retryDelay must be an integer >= 0",
    )?;
    check(
        options,
        "retryLimit",
        natural,
        "retryLimit must be an integer >= 0",
    )?;
    check(
        options,
        "retryBackoff",
        Value::is_boolean,
        "retryBackoff must be either true or false",
    )?;
    let backs_off = options.get("retryBackoff") == Some(&Value::Bool(true));
    check(
        options,
        "retryDelayMax",
        |value| value.is_null() || backs_off,
        "retryDelayMax can only be set if retryBackoff is true",
    )?;
    check(
        options,
        "retryDelayMax",
        |value| value.is_null() || natural(value),
        "retryDelayMax must be an integer >= 0",
    )
}

fn expiration(options: &Object) -> Result<(), Fault> {
    check(
        options,
        "expireInSeconds",
        |value| number(value) >= 1.0,
        "configuration assert: expireInSeconds must be at least every second",
    )?;
    check(
        options,
        "expireInSeconds",
        |value| number(value) <= 86_400.0,
        "configuration assert: expiration cannot exceed 24 hours",
    )
}

fn retention(options: &Object) -> Result<(), Fault> {
    check(
        options,
        "retentionSeconds",
        |value| number(value) >= 1.0,
        "configuration assert: retentionSeconds must be at least every second",
    )
}

fn deletion(options: &Object) -> Result<(), Fault> {
    check(
        options,
        "deleteAfterSeconds",
        |value| number(value) >= 0.0,
        "configuration assert: deleteAfterSeconds must be at least 0 (0 disables deletion)",
    )
}

fn heartbeat(options: &Object) -> Result<(), Fault> {
    check(
        options,
        "heartbeatSeconds",
        |value| value.is_null() || (is_integer(value) && number(value) >= 10.0),
        "heartbeatSeconds must be an integer >= 10",
    )
}

/// A group of one id, and perhaps a tier.
pub(crate) fn group(options: &Object) -> Result<(), Fault> {
    let Some(group) = options.get("group").filter(|group| !group.is_null()) else {
        return Ok(());
    };
    let is_name = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    assert(
        group.is_object() || group.is_array(),
        "group must be an object",
    )?;
    assert(
        group.get("id").is_some_and(is_name),
        "group.id must be a non-empty string",
    )?;
    assert(
        group.get("tier").is_none_or(is_name),
        "group.tier must be a non-empty string if provided",
    )
}

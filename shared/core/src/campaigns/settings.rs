//! What holds for a campaign's settings, when it is made and when it is changed.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use serde_json::Value;
use telecast_queue::occurrences;
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::Mode;
use crate::{Error, Result, check, templates};

/// Checks that a draft's params fill in all placeholders of its template, as the
/// template is now.
pub(super) async fn check_params(transaction: &Transaction<'_>, id: Uuid) -> Result<()> {
    let row = transaction
        .query_typed_one(
            "SELECT template_id, params FROM campaigns WHERE id = $1",
            &[(&id, Type::UUID)],
        )
        .await?;
    let template = templates::get(transaction, row.try_get("template_id")?).await?;
    let Value::Object(params) = row.try_get("params")? else {
        return Err(Error::invalid("params", "must be an object"));
    };
    templates::check_params(&template.content, &params)
}

/// The range of a delivery rate, in messages per minute.
pub(super) const DELIVERY_RATE: RangeInclusive<i32> = 1..=60_000;

/// The range of a retry limit.
pub(super) const RETRY_LIMIT: RangeInclusive<i32> = 0..=20;

/// A campaign can begin at its time, and both times can be kept.
pub(super) fn check_times(
    scheduled_at: Option<DateTime<Utc>>,
    not_after: Option<DateTime<Utc>>,
) -> Result<()> {
    check::time("scheduledAt", scheduled_at)?;
    check::time("notAfter", not_after)?;
    match (scheduled_at, not_after) {
        (Some(begin), Some(end)) if end < begin => Err(Error::invalid(
            "notAfter",
            "must not be earlier than scheduledAt",
        )),
        _ => Ok(()),
    }
}

/// `table` is one of ours, never a user's text.
pub(super) async fn check_exists(
    transaction: &Transaction<'_>,
    table: &str,
    field: &str,
    id: Uuid,
) -> Result<()> {
    let found = transaction
        .query_typed(
            &format!("SELECT FROM {table} WHERE id = $1"),
            &[(&id, Type::UUID)],
        )
        .await?;
    if found.is_empty() {
        return Err(Error::invalid(field, format!("there is none with id {id}")));
    }
    Ok(())
}

/// A test has its chat, and nothing else has one.
pub(super) fn check_mode(mode: Mode, test_chat_id: Option<i64>) -> Result<()> {
    match (mode, test_chat_id) {
        (Mode::Test, None) => Err(Error::invalid(
            "testChatId",
            "must be given for mode TEST: the chat that gets the messages",
        )),
        (Mode::Live | Mode::DryRun, Some(_)) => {
            Err(Error::invalid("testChatId", "is for mode TEST alone"))
        }
        _ => Ok(()),
    }
}

/// A campaign that recurs has an expression that comes due, and no other time to begin.
pub(super) fn check_recurrence(
    cron: Option<&str>,
    timezone: Option<&str>,
    has_times: bool,
) -> Result<()> {
    let Some(cron) = cron else {
        return match timezone {
            Some(_) => Err(Error::invalid(
                "timezone",
                "is the time zone of cron, which is absent",
            )),
            None => Ok(()),
        };
    };
    if has_times {
        return Err(Error::invalid(
            "cron",
            "cannot be combined with scheduledAt or notAfter: it says itself when to begin",
        ));
    }
    let timezone = timezone.unwrap_or(UTC);
    match occurrences(cron, timezone, Utc::now(), 1) {
        Ok(next) if next.is_empty() => Err(Error::invalid("cron", "never comes due")),
        Ok(_) => Ok(()),
        Err(error) if is_timezone(timezone) => Err(Error::invalid("cron", error.to_string())),
        Err(error) => Err(Error::invalid("timezone", error.to_string())),
    }
}

/// The time zone where none is given.
pub(super) const UTC: &str = "UTC";

/// Whether there is such a time zone.
pub(super) fn is_timezone(timezone: &str) -> bool {
    occurrences("0 0 * * *", timezone, Utc::now(), 0).is_ok()
}

/// The rate that is kept for a campaign: all messages of a test go to one chat, which
/// takes 60 in a minute, or 20 where it is a group (core.telegram.org/bots/faq).
pub(super) fn kept_rate(rate: i32, mode: Mode, test_chat_id: Option<i64>) -> i32 {
    match (mode, test_chat_id) {
        (Mode::Test, Some(..0)) => rate.min(20),
        (Mode::Test, _) => rate.min(60),
        (Mode::Live | Mode::DryRun, _) => rate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_goes_no_faster_than_its_one_chat() {
        assert_eq!(kept_rate(1_200, Mode::Test, Some(7)), 60);
        assert_eq!(kept_rate(1_200, Mode::Test, Some(-1_000_000_000_007)), 20);
        assert_eq!(kept_rate(10, Mode::Test, Some(7)), 10);
        assert_eq!(kept_rate(1_200, Mode::Live, None), 1_200);
    }
}

//! When a cron expression comes due.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;

use crate::Error;

fn read(cron: &str, timezone: &str) -> Result<(Cron, Tz), Error> {
    let expression: Cron = cron
        .parse()
        .map_err(|error| Error::Schedule(format!("\"{cron}\" is no cron expression: {error}")))?;
    let timezone = timezone.parse().map_err(|_| {
        Error::Schedule(format!("Unknown or unsupported time zone: \"{timezone}\""))
    })?;
    Ok((expression, timezone))
}

pub(super) fn check(cron: &str, timezone: &str) -> Result<(), Error> {
    read(cron, timezone).map(|_| ())
}

/// The last occurrence in (`after`, `until`].
pub(super) fn last(
    cron: &str,
    timezone: &str,
    after: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Error> {
    let (expression, timezone) = read(cron, timezone)?;
    let until = until.with_timezone(&timezone);
    match expression.find_previous_occurrence(&until, true) {
        Ok(last) if last > after => Ok(Some(last.to_utc())),
        // Or none at all, within the years that the search looks at.
        _ => Ok(None),
    }
}

pub(super) fn after(
    cron: &str,
    timezone: &str,
    from: DateTime<Utc>,
    count: usize,
) -> Result<Vec<DateTime<Utc>>, Error> {
    let (expression, timezone) = read(cron, timezone)?;
    let from = from.with_timezone(&timezone);
    Ok(expression
        .iter_after(from)
        .take(count)
        .map(|next| next.to_utc())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_occurrence_is_due_from_its_moment_on() {
        let minute = |until: &str| {
            last(
                "*/5 * * * *",
                "UTC",
                time("2030-01-01T00:04:30Z"),
                time(until),
            )
            .unwrap()
        };
        assert_eq!(minute("2030-01-01T00:04:59Z"), None);
        assert_eq!(
            minute("2030-01-01T00:05:00Z"),
            Some(time("2030-01-01T00:05:00Z"))
        );
        assert_eq!(
            minute("2030-01-01T00:05:30Z"),
            Some(time("2030-01-01T00:05:00Z"))
        );
    }

    #[test]
    fn it_keeps_to_its_time_zone() {
        let noon = last(
            "0 12 * * *",
            "America/New_York",
            time("2030-07-01T00:00:00Z"),
            time("2030-07-01T23:00:00Z"),
        );
        assert_eq!(noon.unwrap(), Some(time("2030-07-01T16:00:00Z")));
    }

    #[test]
    fn a_bad_expression_and_a_bad_zone_are_told_apart() {
        assert!(
            check("* * *", "UTC")
                .unwrap_err()
                .to_string()
                .contains("no cron expression")
        );
        assert!(
            check("* * * * *", "Mars/Olympus")
                .unwrap_err()
                .to_string()
                .contains("time zone")
        );
    }
}

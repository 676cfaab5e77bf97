//! How numbers and times are written.
//!
//! Each is a filter of the templates: a value, and the template's values, which none needs.

use std::fmt::Display;

use askama::{Result, Values, filter_fn};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// A whole number with thin spaces between thousands.
#[filter_fn]
pub(super) fn number(value: impl Display, _: &dyn Values) -> Result<String> {
    let text = value.to_string();
    Ok(text.parse().map(grouped).unwrap_or(text))
}

/// A time, behind however many references the templates hold it.
pub(super) trait Moment {
    fn at(&self) -> DateTime<Utc>;
}

impl Moment for DateTime<Utc> {
    fn at(&self) -> DateTime<Utc> {
        *self
    }
}

impl<T: Moment> Moment for &T {
    fn at(&self) -> DateTime<Utc> {
        (**self).at()
    }
}

/// A time, as an element that the module turns into local time.
#[filter_fn]
pub(super) fn moment(value: impl Moment, _: &dyn Values) -> Result<String> {
    Ok(format!(
        "<time datetime=\"{}\">{} UTC</time>",
        value.at().to_rfc3339_opts(SecondsFormat::Secs, true),
        value.at().format("%d.%m.%Y %H:%M:%S")
    ))
}

/// How long it is until a time, as an element that the module counts down.
#[filter_fn]
pub(super) fn until(value: impl Moment, _: &dyn Values) -> Result<String> {
    Ok(format!(
        "<span data-until=\"{}\">{}</span>",
        value.at().to_rfc3339_opts(SecondsFormat::Secs, true),
        span((value.at() - Utc::now()).max(TimeDelta::zero()))
    ))
}

/// The fields of a filter as the beginning of a query, for a link to the next page; an
/// empty field is left out.
pub(super) fn query(fields: &[(&str, &str)]) -> String {
    let given = fields.iter().filter(|(_, value)| !value.is_empty());
    let mut query = form_urlencoded::Serializer::new(String::new());
    let mut query = query.extend_pairs(given).finish();
    if !query.is_empty() {
        query.push('&');
    }
    query
}

pub(super) fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = if value < 0 {
        "−".to_owned()
    } else {
        String::new()
    };
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A length of time: 9 s, 2:05, 1:02:05, 3 d 1:02.
pub(super) fn span(length: TimeDelta) -> String {
    let seconds = length.num_seconds();
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes}:{seconds:02}"),
        (0, _, _) => format!("{hours}:{minutes:02}:{seconds:02}"),
        _ => format!("{days} d {hours}:{minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_carried_to_the_next_page() {
        assert_eq!(
            query(&[("search", "a & b"), ("state", "")]),
            "search=a+%26+b&"
        );
        assert_eq!(query(&[("state", "")]), "");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234), "1\u{202f}234");
        assert_eq!(grouped(-100_000), "−100\u{202f}000");
    }

    #[test]
    fn a_length_of_time_has_the_units_it_needs() {
        let spans = [9, 125, 3_725, 262_920].map(|seconds| span(TimeDelta::seconds(seconds)));
        assert_eq!(spans, ["9 s", "2:05", "1:02:05", "3 d 1:02"]);
    }
}

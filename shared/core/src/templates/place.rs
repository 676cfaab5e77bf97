//! Where in a text something is.

use std::fmt;

/// A place in a text, both counted from 1, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    line: usize,
    column: usize,
}

impl Place {
    /// The place of the character that the byte at `offset` belongs to.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let end = (0..=offset.min(text.len()))
            .rev()
            .find(|&end| text.is_char_boundary(end))
            .unwrap_or(0);
        let before = &text[..end];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// Where `name` is first used inside `{{ }}` or `{% %}`.
    pub(super) fn of_name(text: &str, name: &str) -> Option<Self> {
        let part_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        text.match_indices(name)
            .find(|(at, _)| {
                let (before, after) = (&text[..*at], &text[at + name.len()..]);
                let opened = before.rfind("{{").max(before.rfind("{%"));
                let closed = before.rfind("}}").max(before.rfind("%}"));
                opened > closed
                    && !before.ends_with(part_of_name)
                    && !after.starts_with(part_of_name)
            })
            .map(|(at, _)| Self::of(text, at))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_in_characters() {
        assert_eq!(Place::of("тест\nдва x", 0).to_string(), "line 1, column 1");
        let text = "тест\nдва x";
        let x = text.find('x').unwrap();
        assert_eq!(Place::of(text, x).to_string(), "line 2, column 5");
    }

    #[test]
    fn a_name_counts_only_within_braces_and_whole() {
        let text = "foo {{ foobar }} {{ x.foo }} {% if foo %}";
        assert_eq!(
            Place::of_name(text, "foo").map(|place| place.to_string()),
            Some("line 1, column 36".to_owned())
        );
        assert_eq!(Place::of_name(text, "bar"), None);
    }
}

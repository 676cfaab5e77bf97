//! Telegram's MarkdownV2: every special character is markup or escaped.

use super::TextError;

const SPECIAL: &str = "_*[]()~`>#+-=|{}.!\\";

/// A backslash before each special character.
pub(super) fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if SPECIAL.contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Markup that opens and closes with the same mark, the longer marks first.
const PAIRS: [&str; 5] = ["__", "||", "*", "_", "~"];

/// A place that waits for its end.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Open {
    Pair(&'static str),
    /// The text of a link or of a custom emoji.
    Link,
}

/// The visible length, or the first fault.
pub(super) fn validate(text: &str) -> Result<usize, TextError> {
    let mut open: Vec<(Open, usize)> = Vec::new();
    let mut length = 0;
    let mut at = 0;
    let mut line_starts = true;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let starts_line = std::mem::replace(&mut line_starts, c == '\n');
        if c == '\\' {
            let escaped = rest[1..].chars().next();
            match escaped {
                Some(next) if is_escapable(next) => {
                    at += 1 + next.len_utf8();
                    length += 1;
                    line_starts = next == '\n';
                    continue;
                }
                _ => {
                    at += 1;
                    length += 1;
                    continue;
                }
            }
        }
        if let Some(code) = code(text, at)? {
            length += code.length;
            at = code.end;
            continue;
        }
        if let Some(mark) = PAIRS.iter().find(|mark| rest.starts_with(**mark)) {
            match open.last() {
                Some((Open::Pair(opened), _)) if opened == mark => {
                    open.pop();
                }
                _ if open.iter().any(|(opened, _)| *opened == Open::Pair(mark)) => {
                    return Err(TextError::at(
                        at,
                        format!("{mark} closes across other markup: entities must nest"),
                    ));
                }
                _ => open.push((Open::Pair(mark), at)),
            }
            at += mark.len();
            continue;
        }
        match c {
            '[' => {
                open.push((Open::Link, at));
                at += 1;
            }
            '!' if rest.starts_with("![") => {
                open.push((Open::Link, at));
                at += 2;
            }
            ']' => match open.pop() {
                Some((Open::Link, _)) => at = end_of_url(text, at)?,
                _ => return Err(must_be_escaped(at, c)),
            },
            '>' if starts_line => at += 1,
            c if SPECIAL.contains(c) => return Err(must_be_escaped(at, c)),
            c => {
                at += c.len_utf8();
                length += 1;
            }
        }
    }
    match open.pop() {
        Some((Open::Pair(mark), offset)) => Err(TextError::at(
            offset,
            format!("{mark} is never closed; write \\{mark} for a plain one"),
        )),
        Some((Open::Link, offset)) => Err(TextError::at(
            offset,
            "[ is never closed; write \\[ for a plain one",
        )),
        None => Ok(length),
    }
}

/// Telegram takes a backslash before any ASCII character, in code too.
fn is_escapable(c: char) -> bool {
    ('\u{1}'..='~').contains(&c)
}

fn must_be_escaped(offset: usize, c: char) -> TextError {
    TextError::at(
        offset,
        format!("the character {c} is reserved in MarkdownV2; write \\{c}"),
    )
}

/// Code or a code block: nothing inside is markup.
struct Code {
    length: usize,
    end: usize,
}

fn code(text: &str, at: usize) -> Result<Option<Code>, TextError> {
    let rest = &text[at..];
    let mark = match rest {
        rest if rest.starts_with("```") => "```",
        rest if rest.starts_with('`') => "`",
        _ => return Ok(None),
    };
    let mut inside = mark.len();
    let mut length = 0;
    while let Some(c) = rest[inside..].chars().next() {
        if rest[inside..].starts_with(mark) {
            return Ok(Some(Code {
                length,
                end: at + inside + mark.len(),
            }));
        }
        if c == '`' {
            return Err(must_be_escaped(at + inside, c));
        }
        let escaped = c == '\\' && rest[inside + 1..].starts_with(is_escapable);
        inside += if escaped { 2 } else { c.len_utf8() };
        length += 1;
    }
    Err(TextError::at(at, format!("{mark} is never closed")))
}

/// Behind the `(url)` that follows a link's text.
fn end_of_url(text: &str, at: usize) -> Result<usize, TextError> {
    let rest = &text[at + 1..];
    if !rest.starts_with('(') {
        return Err(TextError::at(at, "a link's text must be followed by (url)"));
    }
    let mut escaped = false;
    for (offset, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ')' => return Ok(at + 1 + offset + 1),
            _ => {}
        }
    }
    Err(TextError::at(at + 1, "the ( of a link is never closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_does_not_count() {
        let text =
            "*bold _and italic_* __under__ ~no~ ||hush|| [link](https://example.com/a_b) `c*` 1\\.";
        let seen = "bold and italic under no hush link c* 1.";
        assert_eq!(validate(text), Ok(seen.chars().count()));
    }

    #[test]
    fn blocks_and_quotes_are_known() {
        for text in [
            "```rust\nlet x = [1];\n```",
            ">quoted\n>more",
            "![👍](tg://emoji?id=5)",
        ] {
            assert!(validate(text).is_ok(), "{text}: {:?}", validate(text));
        }
    }

    #[test]
    fn faults_are_found_where_they_are() {
        for (text, offset) in [
            ("hello.", 5),
            ("a *b", 2),
            ("*a _b* c_", 5),
            ("[a]", 2),
            ("x]", 1),
            ("a > b", 2),
            ("`code", 0),
            ("1-2", 1),
        ] {
            assert_eq!(validate(text).unwrap_err().offset, offset, "{text}");
        }
    }
}

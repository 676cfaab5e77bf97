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
    Link(Url),
    /// Lines that begin with `>`. It ends with the first line that does not.
    Quote,
}

/// What the `(url)` behind a text must be.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Url {
    Any,
    EmojiOrTime,
}

/// The visible length, or the first fault.
pub(super) fn validate(text: &str) -> Result<usize, TextError> {
    let mut open: Vec<(Open, usize)> = Vec::new();
    let mut length = 0;
    let mut at = 0;
    // Marks do not show, so a line still starts behind them.
    let mut line_starts = true;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c == '\\' {
            let escaped = rest[1..].chars().next().filter(|next| is_escapable(*next));
            at += 1 + escaped.map_or(0, char::len_utf8);
            length += 1;
            line_starts = escaped == Some('\n');
            continue;
        }
        if let Some(code) = code(text, at)? {
            length += code.length;
            line_starts &= code.length == 0;
            at = code.end;
            continue;
        }
        if let Some(mark) = PAIRS.iter().find(|mark| rest.starts_with(**mark)) {
            match open.last() {
                Some((Open::Pair(opened), _)) if opened == mark => {
                    open.pop();
                }
                _ if is_open_here(&open, mark) => {
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
                open.push((Open::Link(Url::Any), at));
                at += 1;
            }
            '!' if rest.starts_with("![") => {
                open.push((Open::Link(Url::EmojiOrTime), at));
                at += 2;
            }
            ']' => match open.pop() {
                Some((Open::Link(kind), _)) => at = end_of_url(text, at, kind)?,
                _ => return Err(must_be_escaped(at, c)),
            },
            '>' if line_starts => {
                if !is_quoted(&open) {
                    open.push((Open::Quote, at));
                }
                at += 1;
            }
            c if SPECIAL.contains(c) => return Err(must_be_escaped(at, c)),
            c => {
                if c == '\n' && !rest.starts_with("\n>") {
                    end_quote(&mut open, text, at)?;
                }
                at += c.len_utf8();
                length += 1;
                line_starts = c == '\n';
            }
        }
    }
    end_quote(&mut open, text, text.len())?;
    match open.pop() {
        Some(open) => Err(never_closed(open)),
        None => Ok(length),
    }
}

fn is_quoted(open: &[(Open, usize)]) -> bool {
    open.iter().any(|(open, _)| *open == Open::Quote)
}

/// Whether the mark is open in the same quote, or outside of any.
fn is_open_here(open: &[(Open, usize)], mark: &'static str) -> bool {
    open.iter()
        .rev()
        .take_while(|(open, _)| *open != Open::Quote)
        .any(|(open, _)| *open == Open::Pair(mark))
}

/// Ends a quote, if there is one. What it holds must be closed; a `||` as its last
/// characters makes it one that is shown folded.
fn end_quote(open: &mut Vec<(Open, usize)>, text: &str, at: usize) -> Result<(), TextError> {
    if !is_quoted(open) {
        return Ok(());
    }
    if let Some((Open::Pair("||"), offset)) = open.last()
        && text[*offset..at].trim_end_matches('\r') == "||"
    {
        open.pop();
    }
    match open.pop() {
        None | Some((Open::Quote, _)) => Ok(()),
        Some(inside) => Err(never_closed(inside)),
    }
}

fn never_closed((open, offset): (Open, usize)) -> TextError {
    let message = match open {
        Open::Pair(mark) => format!("{mark} is never closed; write \\{mark} for a plain one"),
        Open::Link(_) => "[ is never closed; write \\[ for a plain one".to_owned(),
        Open::Quote => "the quote never ends".to_owned(),
    };
    TextError::at(offset, message)
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
    let (mark, mut inside) = match rest {
        rest if rest.starts_with("```") => ("```", 3 + unseen_in_block(&rest[3..])),
        rest if rest.starts_with('`') => ("`", 1),
        _ => return Ok(None),
    };
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

/// The bytes at the start of a block that do not show: its language, and the end of
/// that line.
fn unseen_in_block(block: &str) -> usize {
    let word = block
        .split(['`', ' ', '\t', '\r', '\n', '\0', '\u{b}'])
        .next()
        .map_or(0, str::len);
    let language = match block[word..].chars().next() {
        None | Some('`') => 0,
        Some(_) => word,
    };
    let mut rest = block[language..].chars();
    let end_of_line = match (rest.next(), rest.next()) {
        (Some('\r'), Some('\n')) | (Some('\n'), Some('\r')) => 2,
        (Some('\r' | '\n'), _) => 1,
        _ => 0,
    };
    language + end_of_line
}

/// Behind the `(url)` that follows a link's text.
fn end_of_url(text: &str, at: usize, kind: Url) -> Result<usize, TextError> {
    let rest = &text[at + 1..];
    if !rest.starts_with('(') {
        return Err(TextError::at(at, "a link's text must be followed by (url)"));
    }
    let mut escaped = false;
    for (offset, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ')' if kind == Url::Any || is_emoji_or_time(&rest[1..offset]) => {
                return Ok(at + 1 + offset + 1);
            }
            ')' => {
                return Err(TextError::at(
                    at + 1,
                    "behind ![…] only (tg://emoji?id=…) or (tg://time?unix=…) may stand; write \\! for a plain !",
                ));
            }
            _ => {}
        }
    }
    Err(TextError::at(at + 1, "the ( of a link is never closed"))
}

fn is_emoji_or_time(url: &str) -> bool {
    let number = |prefix: &str| {
        let digits = url.strip_prefix(prefix)?.split('&').next()?;
        digits.parse::<i64>().ok()
    };
    number("tg://emoji?id=").is_some_and(|id| id > 0)
        || number("tg://time?unix=").is_some_and(|unix| (1..=i32::MAX.into()).contains(&unix))
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
            ">`code\nof two lines`",
            ">quoted\n**>and folded\n>away||\nafter",
            ">windows||\r\nafter",
            "*bold\n>quote *bold*\n*",
            "![👍](tg://emoji?id=5)",
            "![soon](tg://time?unix=1800000000&format=r)",
        ] {
            assert!(validate(text).is_ok(), "{text}: {:?}", validate(text));
        }
    }

    #[test]
    fn the_language_of_a_block_does_not_show() {
        for (text, seen) in [
            ("```rust\nlet x```", "let x"),
            ("```\r\nlet x```", "let x"),
            ("```let x```", " x"),
            ("```letx```", "letx"),
        ] {
            assert_eq!(validate(text), Ok(seen.len()), "{text}");
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
            (">*a\nb*", 1),
            (">a ||b\n>c", 3),
            ("![x](https://e.com/a.png)", 4),
        ] {
            assert_eq!(validate(text).unwrap_err().offset, offset, "{text}");
        }
    }
}

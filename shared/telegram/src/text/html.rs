//! Telegram's HTML: a handful of tags, balanced, and four named entities.

use super::TextError;

/// The tags that Telegram knows; `a`, `span`, `tg-emoji` and `code` have rules of their own.
const TAGS: &[&str] = &[
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "strike",
    "del",
    "span",
    "tg-spoiler",
    "a",
    "tg-emoji",
    "code",
    "pre",
    "blockquote",
];

/// `<`, `>` and `&` as entities, and quotes too, so that values may stand in attributes.
pub(super) fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The visible length, or the first fault.
pub(super) fn validate(text: &str) -> Result<usize, TextError> {
    let mut open: Vec<(&str, usize)> = Vec::new();
    let mut length = 0;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match c {
            '<' => {
                let tag = Tag::read(text, at)?;
                if tag.closes {
                    close(&mut open, &tag, at)?;
                } else {
                    check(&tag, at)?;
                    open.push((tag.name, at));
                }
                at = tag.end;
            }
            '&' => {
                at += entity(&text[at..]);
                length += 1;
            }
            c => {
                at += c.len_utf8();
                length += 1;
            }
        }
    }
    match open.pop() {
        Some((name, offset)) => Err(TextError::at(
            offset,
            format!("<{name}> is never closed; add </{name}>"),
        )),
        None => Ok(length),
    }
}

fn close(open: &mut Vec<(&str, usize)>, tag: &Tag<'_>, at: usize) -> Result<(), TextError> {
    let name = tag.name;
    match open.pop() {
        Some((opened, _)) if opened.eq_ignore_ascii_case(name) => Ok(()),
        Some((opened, _)) => Err(TextError::at(
            at,
            format!("</{name}> where </{opened}> is due: tags must nest"),
        )),
        None => Err(TextError::at(at, format!("</{name}> closes nothing"))),
    }
}

fn check(tag: &Tag<'_>, at: usize) -> Result<(), TextError> {
    let name = tag.name;
    if !TAGS.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Err(TextError::at(
            at,
            format!("Telegram knows no tag <{name}>; write &lt; for a plain <"),
        ));
    }
    if name.eq_ignore_ascii_case("span") && tag.attributes != "class=\"tg-spoiler\"" {
        return Err(TextError::at(
            at,
            "<span> must be <span class=\"tg-spoiler\">",
        ));
    }
    if name.eq_ignore_ascii_case("tg-emoji") && !tag.attributes.starts_with("emoji-id=") {
        return Err(TextError::at(
            at,
            "<tg-emoji> must be <tg-emoji emoji-id=\"…\">",
        ));
    }
    Ok(())
}

/// One tag of a text.
struct Tag<'a> {
    name: &'a str,
    attributes: &'a str,
    closes: bool,
    /// Behind its `>`.
    end: usize,
}

impl<'a> Tag<'a> {
    fn read(text: &'a str, at: usize) -> Result<Self, TextError> {
        let rest = &text[at + 1..];
        let Some(end) = end_of_tag(rest) else {
            return Err(TextError::at(
                at,
                "< begins a tag that does not end; write &lt; for a plain <",
            ));
        };
        let inside = &rest[..end];
        let (closes, inside) = match inside.strip_prefix('/') {
            Some(inside) => (true, inside),
            None => (false, inside),
        };
        let (name, attributes) = inside
            .split_once(|c: char| c.is_ascii_whitespace())
            .unwrap_or((inside, ""));
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(TextError::at(
                at,
                "< is not followed by the name of a tag; write &lt; for a plain <",
            ));
        }
        Ok(Self {
            name,
            attributes: attributes.trim(),
            closes,
            end: at + 1 + end + 1,
        })
    }
}

/// Where the `>` is that is not inside quotes.
fn end_of_tag(rest: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '<') => return None,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

/// The bytes of the entity that `rest` begins with; 1 for a plain `&`, which Telegram
/// lets stand. The semicolon may be missing, and a number is short.
fn entity(rest: &str) -> usize {
    let length_of = |from: usize, belongs: fn(&char) -> bool| {
        rest[from..].chars().take_while(belongs).count() + from
    };
    let (end, known) = if rest.starts_with("&#x") {
        let end = length_of(3, char::is_ascii_hexdigit);
        (end, end < 10 && is_code_point(&rest[3..end], 16))
    } else if rest.starts_with("&#") {
        let end = length_of(2, char::is_ascii_digit);
        (end, end < 10 && is_code_point(&rest[2..end], 10))
    } else {
        let end = length_of(1, char::is_ascii_alphabetic);
        (end, matches!(&rest[1..end], "lt" | "gt" | "amp" | "quot"))
    };
    match known {
        true if rest[end..].starts_with(';') => end + 1,
        true => end,
        false => 1,
    }
}

/// Whether a number names a character.
fn is_code_point(digits: &str, radix: u32) -> bool {
    u32::from_str_radix(digits, radix)
        .ok()
        .and_then(char::from_u32)
        .is_some_and(|c| c != '\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> (usize, String) {
        let error = validate(text).unwrap_err();
        (error.offset, error.message)
    }

    #[test]
    fn markup_does_not_count() {
        let text = "<b>bold</b> <a href=\"https://example.com?a>b\">link</a> &lt;&#1046;";
        assert_eq!(validate(text), Ok("bold link <Ж".chars().count()));
        assert_eq!(validate("a &lt b &#65 &#0;"), Ok("a < b A &#0;".len()));
    }

    #[test]
    fn nested_and_special_tags_are_known() {
        for text in [
            "<b>a <i>b</i></b>",
            "<pre><code class=\"language-rust\">x</code></pre>",
            "<span class=\"tg-spoiler\">x</span>",
            "<tg-emoji emoji-id=\"5368324170671202286\">x</tg-emoji>",
            "<blockquote expandable>x</blockquote>",
            "fish & chips",
            "<B>x</b>",
        ] {
            assert!(validate(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn faults_are_found_where_they_are() {
        assert_eq!(fault("ok <b>bold").0, 3);
        assert_eq!(fault("<b><i>x</b></i>").0, 7);
        assert_eq!(fault("a </b>").0, 2);
        assert_eq!(fault("1 < 2").0, 2);
        assert_eq!(fault("<p>x</p>").0, 0);
        assert_eq!(fault("<span class=\"x\">y</span>").0, 0);
        assert!(fault("<b>x").1.contains("</b>"));
    }
}

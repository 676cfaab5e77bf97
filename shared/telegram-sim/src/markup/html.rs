//! Telegram's HTML.

const TAGS: [&str; 16] = [
    "a",
    "b",
    "strong",
    "i",
    "em",
    "s",
    "strike",
    "del",
    "u",
    "ins",
    "tg-spoiler",
    "tg-emoji",
    "span",
    "pre",
    "code",
    "blockquote",
];

/// The visible text, or what is wrong with it.
pub(super) fn parse(text: &str) -> Result<String, String> {
    let mut reader = Reader { text, at: 0 };
    let mut open: Vec<String> = Vec::new();
    let mut visible = String::new();
    while let Some(c) = reader.peek() {
        let begin = reader.at;
        match c {
            '&' => visible.push(reader.entity()),
            '<' if text[begin + 1..].starts_with('/') => {
                reader.at += 2;
                reader.end_tag(begin, &mut open)?;
            }
            '<' => {
                reader.at += 1;
                let tag = reader.start_tag(begin)?;
                open.push(tag);
            }
            c => {
                visible.push(c);
                reader.at += c.len_utf8();
            }
        }
    }
    match open.pop() {
        Some(tag) => Err(format!(
            "Can't find end tag corresponding to start tag \"{tag}\""
        )),
        None => Ok(visible),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn take_until(&mut self, ends: impl Fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let length = rest.find(ends).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn skip_spaces(&mut self) {
        self.take_until(|c| !c.is_ascii_whitespace());
    }

    /// An entity that Telegram knows, or the `&` itself. Its semicolon may be missing.
    fn entity(&mut self) -> char {
        let begin = self.at;
        self.at += 1;
        let number = self.text[self.at..].starts_with('#');
        let c = if number {
            self.at += 1;
            let hex = self.text[self.at..].starts_with('x');
            let radix = if hex { 16 } else { 10 };
            self.at += usize::from(hex);
            let digits = self.take_until(|c| !c.is_digit(radix));
            let code = u32::from_str_radix(digits, radix).unwrap_or(0);
            char::from_u32(code).filter(|c| *c != '\0' && self.at - begin < 10)
        } else {
            match self.take_until(|c| !c.is_ascii_alphabetic()) {
                "lt" => Some('<'),
                "gt" => Some('>'),
                "amp" => Some('&'),
                "quot" => Some('"'),
                _ => None,
            }
        };
        match c {
            Some(c) => {
                self.at += usize::from(self.peek() == Some(';'));
                c
            }
            None => {
                self.at = begin + 1;
                '&'
            }
        }
    }

    fn start_tag(&mut self, begin: usize) -> Result<String, String> {
        let name = self.take_until(|c| c.is_ascii_whitespace() || c == '>');
        if self.peek().is_none() {
            return Err(format!("Unclosed start tag at byte offset {begin}"));
        }
        let name = name.to_ascii_lowercase();
        if !TAGS.contains(&name.as_str()) {
            return Err(format!(
                "Unsupported start tag \"{name}\" at byte offset {begin}"
            ));
        }
        let unclosed = || format!("Unclosed start tag \"{name}\" at byte offset {begin}");
        let mut class = None;
        loop {
            self.skip_spaces();
            match self.peek() {
                None => return Err(unclosed()),
                Some('>') => break,
                Some(_) => {}
            }
            let attribute =
                self.take_until(|c| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/' | '"'));
            if attribute.is_empty() {
                return Err(format!(
                    "Empty attribute name in the tag \"{name}\" at byte offset {begin}"
                ));
            }
            self.skip_spaces();
            if self.peek() != Some('=') {
                continue;
            }
            self.at += 1;
            self.skip_spaces();
            let value = match self.peek() {
                None => return Err(unclosed()),
                Some(quote @ ('"' | '\'')) => {
                    self.at += 1;
                    let value = self.take_until(|c| c == quote);
                    if self.peek().is_none() {
                        return Err(unclosed());
                    }
                    self.at += 1;
                    value
                }
                Some(_) => self.take_until(|c| c.is_ascii_whitespace() || c == '>'),
            };
            if attribute == "class" {
                class = Some(value);
            }
        }
        self.at += 1;
        if name == "span" && class != Some("tg-spoiler") {
            return Err(format!(
                "Tag \"span\" must have class \"tg-spoiler\" at byte offset {begin}"
            ));
        }
        Ok(name)
    }

    fn end_tag(&mut self, begin: usize, open: &mut Vec<String>) -> Result<(), String> {
        let Some(expected) = open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {begin}"));
        };
        let found = self
            .take_until(|c| c.is_ascii_whitespace() || c == '>')
            .to_ascii_lowercase();
        self.skip_spaces();
        if self.peek() != Some('>') {
            return Err(format!("Unclosed end tag at byte offset {begin}"));
        }
        self.at += 1;
        if !found.is_empty() && found != expected {
            return Err(format!(
                "Unmatched end tag at byte offset {begin}, expected \"</{expected}>\", found \"</{found}>\""
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn tags_and_entities_are_taken_away() {
        for (text, visible) in [
            (
                "<b>a <i>b</i></b> &lt;&#x41;&amp;&nope; & c",
                "a b <A&&nope; & c",
            ),
            ("<a href=\"https://e.com?a>b\">x</a>", "x"),
            ("<span class='tg-spoiler'>x</span><B>y</b >", "xy"),
            ("<blockquote expandable>x</blockquote>", "x"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(visible), "{text}");
        }
    }

    #[test]
    fn faults_are_named_in_telegrams_words() {
        for (text, fault) in [
            (
                "<b>x",
                "Can't find end tag corresponding to start tag \"b\"",
            ),
            ("1 <2", "Unclosed start tag at byte offset 2"),
            ("1 < 2", "Unsupported start tag \"\" at byte offset 2"),
            ("<p>x</p>", "Unsupported start tag \"p\" at byte offset 0"),
            (
                "<b><i>x</b>",
                "Unmatched end tag at byte offset 7, expected \"</i>\", found \"</b>\"",
            ),
            ("x</b>", "Unexpected end tag at byte offset 1"),
            ("<b>x</b", "Unclosed end tag at byte offset 4"),
            (
                "<span>x</span>",
                "Tag \"span\" must have class \"tg-spoiler\" at byte offset 0",
            ),
        ] {
            assert_eq!(parse(text), Err(fault.to_owned()), "{text}");
        }
    }
}

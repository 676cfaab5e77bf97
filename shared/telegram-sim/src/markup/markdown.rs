//! Telegram's MarkdownV2.

/// Characters that must be escaped where they are no markup.
const RESERVED: &str = "_*[]()~`>#+-=|{}.!";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Entity {
    Bold,
    Italic,
    Underline,
    Strikethrough,
    Spoiler,
    TextUrl,
    CustomEmoji,
    Code,
    Pre,
    Quote,
}

impl Entity {
    fn closer(self) -> &'static str {
        match self {
            Self::Bold => "*",
            Self::Italic => "_",
            Self::Underline => "__",
            Self::Strikethrough => "~",
            Self::Spoiler => "||",
            Self::TextUrl | Self::CustomEmoji => "]",
            Self::Code => "`",
            Self::Pre => "```",
            Self::Quote => "\n",
        }
    }

    /// Whether it ends where `rest` begins. `__` is always the mark of underline.
    fn ends(self, rest: &str) -> bool {
        rest.starts_with(self.closer()) && !(self == Self::Italic && rest.starts_with("__"))
    }

    /// What begins where `rest` begins, and the length of its mark.
    fn begins(rest: &str) -> Option<(Self, usize)> {
        [
            ("```", Self::Pre),
            ("`", Self::Code),
            ("__", Self::Underline),
            ("_", Self::Italic),
            ("*", Self::Bold),
            ("~", Self::Strikethrough),
            ("||", Self::Spoiler),
            ("![", Self::CustomEmoji),
            ("[", Self::TextUrl),
        ]
        .into_iter()
        .find(|(mark, _)| rest.starts_with(mark))
        .map(|(mark, entity)| (entity, mark.len()))
    }
}

/// The visible text, or what is wrong with it.
pub(super) fn parse(text: &str) -> Result<String, String> {
    let mut open: Vec<(Entity, usize)> = Vec::new();
    let mut visible = String::new();
    let mut may_quote = true;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c == '\\'
            && let Some(next) = rest[1..]
                .chars()
                .next()
                .filter(|next| ('\u{1}'..='~').contains(next))
        {
            visible.push(next);
            may_quote = next == '\n' || (may_quote && next == '\r');
            at += 2;
            continue;
        }
        let inside_code = matches!(open.last(), Some((Entity::Code | Entity::Pre, _)));
        let reserved = if inside_code {
            c == '`'
        } else {
            c == '\n' || RESERVED.contains(c)
        };
        if !reserved {
            visible.push(c);
            may_quote &= c == '\r';
            at += c.len_utf8();
            continue;
        }
        if c == '\n' {
            if !rest[1..].starts_with('>') {
                end_quote(&mut open, text, at)?;
            }
            visible.push(c);
            may_quote = true;
            at += 1;
            continue;
        }
        if let Some((entity, _)) = open.last()
            && entity.ends(rest)
        {
            at += entity.closer().len();
            match entity {
                Entity::TextUrl => at = url(text, at)?.map_or(at, |url| url.end),
                Entity::CustomEmoji => at = emoji(text, at)?,
                _ => {}
            }
            open.pop();
            continue;
        }
        if c == '>' && may_quote {
            if !quoted(&open) {
                open.push((Entity::Quote, at));
            }
            at += 1;
            continue;
        }
        match Entity::begins(rest) {
            Some((entity, length)) if !inside_code => {
                open.push((entity, at));
                at += length;
                if entity == Entity::Pre {
                    at += before_code(&text[at..]);
                }
            }
            _ => {
                return Err(format!(
                    "Character '{c}' is reserved and must be escaped with the preceding '\\'"
                ));
            }
        }
    }
    end_quote(&mut open, text, text.len())?;
    unclosed(&open)?;
    Ok(visible)
}

fn quoted(open: &[(Entity, usize)]) -> bool {
    open.iter().any(|(entity, _)| *entity == Entity::Quote)
}

/// The end of a quote, if there is one: nothing may be open in it but the mark of
/// a quote that is shown folded, `||` as its last characters.
fn end_quote(open: &mut Vec<(Entity, usize)>, text: &str, at: usize) -> Result<(), String> {
    if !quoted(open) {
        return Ok(());
    }
    if let Some((Entity::Spoiler, offset)) = open.last()
        && matches!(&text[*offset..at], "||" | "||\r")
    {
        open.pop();
    }
    match open.last() {
        Some((Entity::Quote, _)) => {
            open.pop();
            Ok(())
        }
        _ => unclosed(open),
    }
}

fn unclosed(open: &[(Entity, usize)]) -> Result<(), String> {
    match open.last() {
        Some((entity, offset)) => Err(format!(
            "Can't find end of {entity:?} entity at byte offset {offset}"
        )),
        None => Ok(()),
    }
}

/// The length of what a code block begins with and does not show: the name of its
/// language, and one end of line.
fn before_code(rest: &str) -> usize {
    let name = rest
        .find(['`', ' ', '\t', '\r', '\n', '\0', '\u{b}'])
        .filter(|end| !rest[*end..].starts_with('`'))
        .unwrap_or(0);
    let line = &rest[name..];
    let end_of_line = ["\r\n", "\n\r", "\r", "\n"]
        .iter()
        .find(|end| line.starts_with(**end))
        .map_or(0, |end| end.len());
    name + end_of_line
}

/// A URL in parentheses, its escapes taken away.
struct Url {
    url: String,
    /// Behind the closing parenthesis.
    end: usize,
}

/// The `(url)` of a link; a link without one is its own URL.
fn url(text: &str, at: usize) -> Result<Option<Url>, String> {
    let Some(rest) = text[at..].strip_prefix('(') else {
        return Ok(None);
    };
    let mut url = String::new();
    let mut chars = rest.char_indices().peekable();
    while let Some((offset, c)) = chars.next() {
        match c {
            ')' => {
                let end = at + 1 + offset + 1;
                return Ok(Some(Url { url, end }));
            }
            '\\' => {
                let escaped = chars.next_if(|(_, next)| ('\u{1}'..='~').contains(next));
                url.push(escaped.map_or(c, |(_, next)| next));
            }
            c => url.push(c),
        }
    }
    Err(format!("Can't find end of a URL at byte offset {}", at + 1))
}

/// Behind the URL of a custom emoji or of a date, which must name one.
fn emoji(text: &str, at: usize) -> Result<usize, String> {
    let Url { url, end } =
        url(text, at)?.ok_or("The entity must contain a tg://emoji or tg://time URL")?;
    let value = |host: &str, key: &str| {
        let query = url.strip_prefix(host)?;
        query
            .split('&')
            .find_map(|parameter| parameter.strip_prefix(key)?.parse::<i64>().ok())
    };
    let emoji = value("tg://emoji?", "id=").is_some_and(|id| id != 0);
    let time = value("tg://time?", "unix=").is_some_and(|unix| unix > 0 && unix <= i32::MAX.into());
    if emoji || time {
        Ok(end)
    } else {
        Err("Invalid tg://emoji or tg://time URL specified".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn marks_are_taken_away() {
        for (text, visible) in [
            ("*bold _both_* ~no~ ||hush||", "bold both no hush"),
            ("_italic __both___", "italic both"),
            ("[link](https://e.com/a_b\\)c) `c*` 1\\.", "link c* 1."),
            ("```rust\nlet x = [1];\n```", "let x = [1];\n"),
            ("``` a b```", " a b"),
            (">one\n>*two*\nthree", "one\ntwo\nthree"),
            (">`a\nb`", "a\nb"),
            (">a\n**>b\n>c||\nd", "a\nb\nc\nd"),
            ("*a\n>b\n*", "a\nb\n"),
            ("![👍](tg://emoji?id=5)", "👍"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(visible), "{text}");
        }
    }

    #[test]
    fn faults_are_named_in_telegrams_words() {
        for (text, fault) in [
            (
                "hello.",
                "Character '.' is reserved and must be escaped with the preceding '\\'",
            ),
            ("a *b", "Can't find end of Bold entity at byte offset 2"),
            ("`code", "Can't find end of Code entity at byte offset 0"),
            (
                "*a _b*_",
                "Can't find end of Italic entity at byte offset 6",
            ),
            ("[a](b", "Can't find end of a URL at byte offset 4"),
            (">*a\nb*", "Can't find end of Bold entity at byte offset 1"),
            (
                "![x](https://e.com)",
                "Invalid tg://emoji or tg://time URL specified",
            ),
        ] {
            assert_eq!(parse(text), Err(fault.to_owned()), "{text}");
        }
    }
}

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
    let mut in_quote = false;
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let line_starts = at == 0 || text[..at].ends_with('\n');
        if line_starts {
            if let Some(mark) = ["**>", ">"].iter().find(|mark| rest.starts_with(**mark))
                && (in_quote || open.is_empty())
            {
                in_quote = true;
                at += mark.len();
                continue;
            }
            if in_quote {
                unclosed(&open)?;
                in_quote = false;
            }
        }
        let Some(c) = rest.chars().next() else { break };
        if c == '\\'
            && let Some(next) = rest[1..]
                .chars()
                .next()
                .filter(|next| ('\u{1}'..='~').contains(next))
        {
            visible.push(next);
            at += 2;
            continue;
        }
        if in_quote && open.is_empty() && (rest == "||" || rest.starts_with("||\n")) {
            // The mark of a quote that is shown folded.
            at += 2;
            continue;
        }
        match open.last() {
            Some((entity, _)) if entity.ends(rest) => {
                at += entity.closer().len();
                if matches!(entity, Entity::TextUrl | Entity::CustomEmoji) {
                    at = url(text, at)?;
                }
                open.pop();
                continue;
            }
            Some((Entity::Code | Entity::Pre, _)) if c != '`' => {
                visible.push(c);
                at += c.len_utf8();
                continue;
            }
            _ => {}
        }
        if !RESERVED.contains(c) {
            visible.push(c);
            at += c.len_utf8();
            continue;
        }
        let inside_code = matches!(open.last(), Some((Entity::Code | Entity::Pre, _)));
        match Entity::begins(rest) {
            Some((entity, length)) if !inside_code => {
                open.push((entity, at));
                at += length;
            }
            _ => {
                return Err(format!(
                    "Character '{c}' is reserved and must be escaped with the preceding '\\'"
                ));
            }
        }
    }
    unclosed(&open)?;
    Ok(visible)
}

fn unclosed(open: &[(Entity, usize)]) -> Result<(), String> {
    match open.last() {
        Some((entity, offset)) => Err(format!(
            "Can't find end of {entity:?} entity at byte offset {offset}"
        )),
        None => Ok(()),
    }
}

/// Behind the `(url)` of a link; a link without one is its own URL.
fn url(text: &str, at: usize) -> Result<usize, String> {
    let Some(url) = text[at..].strip_prefix('(') else {
        return Ok(at);
    };
    let mut escaped = false;
    for (offset, c) in url.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ')' => return Ok(at + 1 + offset + 1),
            _ => {}
        }
    }
    Err(format!("Can't find end of a URL at byte offset {at}"))
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
            ("```rust\nlet x = [1];\n```", "rust\nlet x = [1];\n"),
            (">one\n>*two*\nthree", "one\ntwo\nthree"),
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
            ("[a](b", "Can't find end of a URL at byte offset 3"),
        ] {
            assert_eq!(parse(text), Err(fault.to_owned()), "{text}");
        }
    }
}

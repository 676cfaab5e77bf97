//! A message as Telegram shows it.

use askama::Template;
use serde_json::Map;
use telecast_core::templates::{self, Content, ParseMode, Recipient};
use telecast_telegram::text::{self, MAX_CAPTION, MAX_TEXT};

use super::texts::Texts;

/// How a message will look, or why it cannot be sent.
#[derive(Template)]
#[template(path = "message_preview.html")]
pub(super) struct Preview {
    t: &'static Texts,
    html: String,
    media: Option<String>,
    buttons: Vec<Vec<String>>,
    fault: Option<String>,
    length: usize,
    longest: usize,
}

/// Fills the template in for `recipient`; what only params could fill stays as it is.
pub(super) fn preview_of(t: &'static Texts, content: &Content, recipient: &Recipient) -> Preview {
    let longest = if content.media.is_some() {
        MAX_CAPTION
    } else {
        MAX_TEXT
    };
    let filled = templates::fill(content, recipient, &Map::new());
    // A parameter is known when there is a campaign: until then its placeholder is shown.
    let needs_params = content.text.contains("params.");
    let (shown, fault) = match filled {
        Ok(filled) => (filled, None),
        Err(_) if needs_params && templates::check(content).is_ok() => (content.clone(), None),
        Err(error) => (content.clone(), Some(error.to_string())),
    };
    let mode = shown.parse_mode.into();
    Preview {
        t,
        html: match fault {
            Some(_) => escape(&shown.text),
            None => html(&shown.text, shown.parse_mode),
        },
        media: shown.media.map(|media| media.source),
        buttons: shown
            .options
            .buttons
            .into_iter()
            .map(|row| row.into_iter().map(|button| button.text).collect())
            .collect(),
        fault,
        length: text::validate(&shown.text, mode).unwrap_or_else(|_| shown.text.chars().count()),
        longest,
    }
}

fn escape(text: &str) -> String {
    text::escape(text, telecast_telegram::ParseMode::Html)
}

/// A text that Telegram would take, as HTML of our own: only tags that are named here.
fn html(text: &str, mode: ParseMode) -> String {
    match mode {
        ParseMode::None => escape(text),
        ParseMode::Html => from_html(text),
        ParseMode::MarkdownV2 => from_markdown(text),
    }
}

fn from_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        html.push_str(&rest[..at]);
        let end = rest[at..].find('>').map_or(rest.len(), |end| at + end + 1);
        html.push_str(&tag(&rest[at..end]));
        rest = &rest[end..];
    }
    html.push_str(rest);
    html
}

fn tag(tag: &str) -> String {
    let inner = tag.trim_start_matches('<').trim_end_matches('>');
    let closes = inner.starts_with('/');
    let name = inner
        .trim_start_matches('/')
        .split(|c: char| c.is_whitespace() || c == '=')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let (name, class) = match name.as_str() {
        "b" | "strong" | "i" | "em" | "u" | "ins" | "s" | "strike" | "del" | "code" | "pre"
        | "blockquote" => (name.as_str(), ""),
        "a" => ("span", " class=\"link\""),
        "span" | "tg-spoiler" => ("span", " class=\"spoiler\""),
        _ => ("span", ""),
    };
    if closes {
        format!("</{name}>")
    } else {
        format!("<{name}{class}>")
    }
}

/// The marks of MarkdownV2, longest first, with their tags.
const MARKS: [(&str, &str); 7] = [
    ("```", "pre"),
    ("||", "mark"),
    ("__", "u"),
    ("*", "b"),
    ("_", "i"),
    ("~", "s"),
    ("`", "code"),
];

fn from_markdown(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let in_code = matches!(open.last(), Some(&"code" | &"pre"));
        let mark = MARKS
            .iter()
            .find(|(mark, tag)| rest.starts_with(mark) && (!in_code || open.last() == Some(tag)));
        if c == '\\' {
            let mut after = rest[1..].chars();
            if let Some(escaped) = after.next() {
                html.push_str(&escape(&escaped.to_string()));
            }
            rest = after.as_str();
        } else if let Some((mark, tag)) = mark {
            if open.last() == Some(tag) {
                open.pop();
                html.push_str(&format!("</{tag}>"));
            } else {
                open.push(tag);
                html.push_str(&format!("<{tag}>"));
            }
            rest = &rest[mark.len()..];
        } else if c == '[' && !in_code {
            html.push_str("<span class=\"link\">");
            rest = &rest[1..];
        } else if c == ']' && !in_code && rest[1..].starts_with('(') {
            html.push_str("</span>");
            rest = rest.find(')').map_or("", |end| &rest[end + 1..]);
        } else {
            html.push_str(&escape(&c.to_string()));
            rest = &rest[c.len_utf8()..];
        }
    }
    while let Some(tag) = open.pop() {
        html.push_str(&format!("</{tag}>"));
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_telegram_shows_are_shown_and_no_attribute_survives() {
        assert_eq!(
            html(
                "<b>a</b> <a href=\"javascript:x\">l</a> &lt;",
                ParseMode::Html
            ),
            "<b>a</b> <span class=\"link\">l</span> &lt;"
        );
        assert_eq!(html("<script>", ParseMode::None), "&lt;script&gt;");
    }

    #[test]
    fn markdown_is_shown_with_its_marks_gone() {
        assert_eq!(
            html("*b* _i_ `c*` \\* [t](https://x) <", ParseMode::MarkdownV2),
            "<b>b</b> <i>i</i> <code>c*</code> * <span class=\"link\">t</span> &lt;"
        );
    }
}

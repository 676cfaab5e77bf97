//! A template's content, checked when it is saved and filled in for a recipient.

use serde_json::{Map, Value};
use telecast_telegram::{
    Message, ParseMode,
    text::{self, MAX_CAPTION, MAX_TEXT},
};

use super::{
    Button, Content, LinkPreview, Media, Options, Recipient,
    engine::{self, Fault},
};
use crate::{Error, Result};

/// A template that cannot be filled in for a recipient: a parameter is missing, or of the wrong kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct RenderError {
    /// The part of the template, such as `text` or `options.buttons[0][1].url`.
    pub field: String,
    /// What is wrong, and where.
    pub message: String,
}

/// The message of a template for one recipient, ready to be sent to `recipient.chat`.
///
/// # Errors
/// [`RenderError`] where a parameter is missing, or what comes out is too long or empty.
pub fn render(
    content: &Content,
    recipient: &Recipient,
    params: &Map<String, Value>,
) -> std::result::Result<Message, RenderError> {
    fill(content, recipient, params).map(Message::from)
}

/// Fills in the placeholders of every part of `content`, and checks what comes out.
///
/// # Errors
/// As [`render`].
pub fn fill(
    content: &Content,
    recipient: &Recipient,
    params: &Map<String, Value>,
) -> std::result::Result<Content, RenderError> {
    let values = engine::values(recipient, params);
    let filled = each_text(content, |_, mode, text| engine::fill(text, mode, &values))?;
    check_text(&filled).map_err(|message| RenderError {
        field: "text".to_owned(),
        message,
    })?;
    Ok(filled)
}

/// Checks a filled-in text, as Telegram will.
fn check_text(filled: &Content) -> std::result::Result<(), String> {
    let length = text::validate(&filled.text, filled.parse_mode.into())
        .map_err(|error| error.to_string())?;
    let longest = longest(filled);
    if length > longest {
        return Err(format!("has {length} characters; Telegram takes {longest}"));
    }
    // Markup around nothing shows nothing.
    let is_empty = length == 0 || filled.text.trim().is_empty();
    if filled.media.is_none() && is_empty {
        return Err("is empty once its placeholders are filled in".to_owned());
    }
    Ok(())
}

fn longest(content: &Content) -> usize {
    match content.media {
        Some(_) => MAX_CAPTION,
        None => MAX_TEXT,
    }
}

/// Applies `f` to every text of `content` that may hold placeholders.
fn each_text(
    content: &Content,
    f: impl Fn(&str, ParseMode, &str) -> std::result::Result<String, Fault>,
) -> std::result::Result<Content, RenderError> {
    let apply = |field: &str, mode: ParseMode, text: &str| {
        f(field, mode, text).map_err(|fault| RenderError {
            field: field.to_owned(),
            message: fault.to_string(),
        })
    };
    let media = content.media.as_ref().map(|media| {
        apply("media.source", ParseMode::None, &media.source)
            .map(|source| Media { source, ..*media })
    });
    let buttons = content.options.buttons.iter().enumerate().map(|(y, row)| {
        let buttons = row.iter().enumerate().map(|(x, button)| {
            let field = |part| format!("options.buttons[{y}][{x}].{part}");
            Ok(Button {
                text: apply(&field("text"), ParseMode::None, &button.text)?,
                url: apply(&field("url"), ParseMode::None, &button.url)?,
            })
        });
        buttons.collect()
    });
    let link_preview = LinkPreview {
        url: match &content.options.link_preview.url {
            Some(url) => Some(apply("options.linkPreview.url", ParseMode::None, url)?),
            None => None,
        },
        ..content.options.link_preview
    };
    Ok(Content {
        text: apply("text", content.parse_mode.into(), &content.text)?,
        parse_mode: content.parse_mode,
        media: media.transpose()?,
        options: Options {
            buttons: buttons.collect::<std::result::Result<_, _>>()?,
            link_preview,
            ..content.options
        },
    })
}

/// Checks a template as it is saved: placeholders, syntax, buttons, media.
///
/// # Errors
/// `Invalid`, with the field, and the line and column where there is one.
pub fn check(content: &Content) -> Result<()> {
    if content.text.trim().is_empty() && content.media.is_none() {
        let message = "must not be empty where there is no media";
        return Err(Error::invalid("text", message));
    }
    each_text(content, |field, mode, source| {
        let samples = engine::check(source, mode)?;
        if field == "media.source" {
            check_start(source, &["http://", "https://"])?;
        } else if field.ends_with(".url") {
            check_start(source, &["http://", "https://", "tg://"])?;
        }
        if field != "text" && source.trim().is_empty() {
            return Err(Fault::of_whole("must not be empty"));
        }
        for sample in samples {
            let length = text::validate(&sample.text, mode).map_err(|error| Fault {
                place: Some(sample.place(source, error.offset)),
                message: error.message,
            })?;
            if field == "text" && length > longest(content) {
                return Err(Fault::of_whole(format!(
                    "has {length} characters even with the shortest values; Telegram takes {}",
                    longest(content)
                )));
            }
        }
        Ok(String::new())
    })
    .map_err(|error| Error::invalid(error.field, error.message))?;
    check_options(content)?;
    check_buttons(&content.options.buttons)
}

/// Checks that `params` fill in all placeholders of `content`.
///
/// # Errors
/// `Invalid` for `params`, naming the one that is missing or of the wrong kind.
pub fn check_params(content: &Content, params: &Map<String, Value>) -> Result<()> {
    let odd = params
        .iter()
        .find(|(_, value)| !(value.is_string() || value.is_number() || value.is_boolean()));
    if let Some((name, _)) = odd {
        let field = format!("params.{name}");
        return Err(Error::invalid(
            field,
            "must be a text, a number or a boolean",
        ));
    }
    let somebody = Recipient {
        chat: super::Chat::Id(1),
        username: Some("channel".to_owned()),
        title: Some("Channel".to_owned()),
        category: Some("category".to_owned()),
    };
    fill(content, &somebody, params)
        .map(drop)
        .map_err(|error| Error::invalid("params", format!("the template's {error}")))
}

/// A link must be one Telegram opens, unless a placeholder makes its beginning.
fn check_start(source: &str, starts: &[&str]) -> std::result::Result<(), Fault> {
    let linked = starts.iter().any(|start| source.starts_with(start));
    // A file id has no colon in it.
    if linked || source.starts_with("{{") || !source.contains(':') && starts.len() == 2 {
        Ok(())
    } else {
        Err(Fault::of_whole(format!(
            "must begin with {}",
            starts.join(" or ")
        )))
    }
}

fn check_options(content: &Content) -> Result<()> {
    let options = &content.options;
    let preview = &options.link_preview;
    if content.media.is_some() && *preview != LinkPreview::default() {
        return Err(Error::invalid(
            "options.linkPreview",
            "must be absent where there is media: Telegram previews no links then",
        ));
    }
    if preview.prefer_small_media && preview.prefer_large_media {
        return Err(Error::invalid(
            "options.linkPreview",
            "must prefer small media or large media, not both",
        ));
    }
    if options.message_thread_id.is_some_and(|thread| thread < 1) {
        return Err(Error::invalid(
            "options.messageThreadId",
            "must be the positive id of a forum's topic",
        ));
    }
    Ok(())
}

/// Telegram's limits: 8 buttons a row, 100 in all.
fn check_buttons(rows: &[Vec<Button>]) -> Result<()> {
    if rows.iter().map(Vec::len).sum::<usize>() > 100 {
        return Err(Error::invalid(
            "options.buttons",
            "must be at most 100 in all",
        ));
    }
    match rows.iter().position(|row| row.is_empty() || row.len() > 8) {
        Some(y) => Err(Error::invalid(
            format!("options.buttons[{y}]"),
            "must have 1 to 8 buttons",
        )),
        None => Ok(()),
    }
}

//! Texts as Telegram reads them: checked before they are sent, and values escaped
//! so that they stay values.
//!
//! The rules are those of the Bot API's "Formatting options"; lengths count Unicode
//! code points after the markup is taken away.

mod html;
mod markdown;

use crate::ParseMode;

/// The longest text of a message, in code points.
pub const MAX_TEXT: usize = 4096;

/// The longest caption of media, in code points.
pub const MAX_CAPTION: usize = 1024;

/// A text that Telegram would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TextError {
    /// Where it goes wrong: a byte offset into the text.
    pub offset: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl TextError {
    fn at(offset: usize, message: impl Into<String>) -> Self {
        Self {
            offset,
            message: message.into(),
        }
    }
}

/// Checks the markup, and gives the length of what readers see, in code points.
///
/// # Errors
/// The first fault, with its place.
pub fn validate(text: &str, mode: ParseMode) -> Result<usize, TextError> {
    match mode {
        ParseMode::None => Ok(text.chars().count()),
        ParseMode::Html => html::validate(text),
        ParseMode::MarkdownV2 => markdown::validate(text),
    }
}

/// A value as it must be written into a text of this mode to be read as it is.
pub fn escape(value: &str, mode: ParseMode) -> String {
    match mode {
        ParseMode::None => value.to_owned(),
        ParseMode::Html => html::escape(value),
        ParseMode::MarkdownV2 => markdown::escape(value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_escaped_value_is_read_as_it_is(value in any::<String>()) {
            for mode in [ParseMode::None, ParseMode::Html, ParseMode::MarkdownV2] {
                let length = validate(&escape(&value, mode), mode);
                prop_assert_eq!(length, Ok(value.chars().count()));
            }
        }

        #[test]
        fn no_text_is_too_strange_to_check(text in any::<String>()) {
            for mode in [ParseMode::Html, ParseMode::MarkdownV2] {
                if let Err(error) = validate(&text, mode) {
                    prop_assert!(error.offset <= text.len());
                    prop_assert!(text.is_char_boundary(error.offset));
                }
            }
        }
    }
}

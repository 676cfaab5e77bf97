//! A secret text.

use std::{convert::Infallible, fmt, str::FromStr};

use subtle::ConstantTimeEq;

/// A text that is never shown, and compared without telling by the time how much of
/// a guess was right.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The text, for those who send it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether a guess is right.
    pub fn is(&self, guess: &str) -> bool {
        self.0.as_bytes().ct_eq(guess.as_bytes()).into()
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_compared_whole_and_not_shown() {
        let secret: Secret = "open sesame".parse().unwrap();
        assert!(secret.is("open sesame"));
        assert!(!secret.is("open sesam"));
        assert!(!secret.is(""));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}

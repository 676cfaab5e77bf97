//! Access tokens: short-lived JWTs that name a session.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How long an access token is good for. Its session is looked up with every
/// request, so a logout or a disabled user does not wait for this.
const LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// The key of access tokens: 32 bytes, from `JWT_SECRET`.
#[derive(Clone)]
pub struct TokenSecret {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    /// The user.
    sub: Uuid,
    /// The session.
    sid: Uuid,
    iat: i64,
    exp: i64,
}

/// An access token, and when it ends.
pub(crate) struct AccessToken {
    pub(crate) text: String,
    pub(crate) expires_at: DateTime<Utc>,
}

impl TokenSecret {
    /// A secret of these bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self {
            encoding: EncodingKey::from_secret(bytes),
            decoding: DecodingKey::from_secret(bytes),
        }
    }

    pub(crate) fn issue(
        &self,
        user: Uuid,
        session: Uuid,
        now: DateTime<Utc>,
    ) -> jsonwebtoken::errors::Result<AccessToken> {
        let expires_at = now + LIFETIME;
        let claims = Claims {
            sub: user,
            sid: session,
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        let text = encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)?;
        Ok(AccessToken { text, expires_at })
    }

    /// The session of a token that this secret signed and that has not ended.
    pub(crate) fn session(&self, token: &str) -> Option<Uuid> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        decode::<Claims>(token, &self.decoding, &validation)
            .ok()
            .map(|token| token.claims.sid)
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: u8) -> TokenSecret {
        TokenSecret::new(&[byte; 32])
    }

    #[test]
    fn a_token_names_its_session_until_it_ends() {
        let session = Uuid::now_v7();
        let issued = |at| secret(1).issue(Uuid::now_v7(), session, at).unwrap().text;
        let now = Utc::now();
        assert_eq!(secret(1).session(&issued(now)), Some(session));
        assert_eq!(
            secret(1).session(&issued(now - LIFETIME - TimeDelta::seconds(1))),
            None
        );
    }

    #[test]
    fn a_token_of_another_secret_or_algorithm_is_worth_nothing() {
        let token = secret(1)
            .issue(Uuid::now_v7(), Uuid::now_v7(), Utc::now())
            .unwrap()
            .text;
        assert_eq!(secret(2).session(&token), None);
        // {"alg":"none"}
        let (_, rest) = token.split_once('.').unwrap();
        let (claims, _) = rest.split_once('.').unwrap();
        assert_eq!(
            secret(1).session(&format!("eyJhbGciOiJub25lIn0.{claims}.")),
            None
        );
        assert_eq!(secret(1).session(""), None);
    }
}

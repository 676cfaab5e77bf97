//! Secrets at rest: sealed by XChaCha20-Poly1305 under the key of the environment.

use std::fmt;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Generate, Payload},
};

/// Bytes of the nonce in front of what is sealed.
const NONCE: usize = 24;

/// The key under which secrets are sealed: 32 bytes, from `ENCRYPTION_KEY`.
#[derive(Clone)]
pub struct EncryptionKey([u8; 32]);

/// A secret that this key did not seal, or that was changed since.
#[derive(Debug, thiserror::Error)]
#[error(
    "a sealed secret cannot be opened: it was sealed under another ENCRYPTION_KEY, or changed since; set the former key, or save the secret again"
)]
pub struct CannotOpen;

/// A secret that is too long for the cipher (256 GiB).
#[derive(Debug, thiserror::Error)]
#[error("the secret is too long to be sealed")]
pub(crate) struct CannotSeal;

impl EncryptionKey {
    /// A key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Seals `secret` for `owner`: 24 bytes of random nonce, then the ciphertext.
    /// It opens for the same owner only, so that rows cannot be swapped.
    pub(crate) fn seal(&self, owner: &[u8], secret: &[u8]) -> Result<Vec<u8>, CannotSeal> {
        let nonce = XNonce::generate();
        let payload = Payload {
            msg: secret,
            aad: owner,
        };
        let mut sealed = nonce.to_vec();
        sealed.extend(
            self.cipher()
                .encrypt(&nonce, payload)
                .map_err(|_| CannotSeal)?,
        );
        Ok(sealed)
    }

    /// Opens what [`EncryptionKey::seal`] made.
    pub(crate) fn open(&self, owner: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE).ok_or(CannotOpen)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| CannotOpen)?;
        let payload = Payload {
            msg: ciphertext,
            aad: owner,
        };
        self.cipher()
            .decrypt(&nonce, payload)
            .map_err(|_| CannotOpen)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_owner_and_key_alone() {
        let key = EncryptionKey::new([7; 32]);
        let sealed = key.seal(b"bot-1", b"secret").unwrap();
        assert_eq!(key.open(b"bot-1", &sealed).unwrap(), b"secret");

        assert!(key.open(b"bot-2", &sealed).is_err());
        assert!(EncryptionKey::new([8; 32]).open(b"bot-1", &sealed).is_err());
        let mut changed = sealed.clone();
        changed[30] ^= 1;
        assert!(key.open(b"bot-1", &changed).is_err());
        assert!(key.open(b"bot-1", &sealed[..10]).is_err());
    }

    #[test]
    fn equal_secrets_are_sealed_differently() {
        let key = EncryptionKey::new([7; 32]);
        let seal = || key.seal(b"bot-1", b"secret").unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn a_key_is_not_shown() {
        let shown = format!("{:?}", EncryptionKey::new([65; 32]));
        assert_eq!(shown, "EncryptionKey(…)");
    }
}

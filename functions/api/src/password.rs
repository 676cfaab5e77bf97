//! Password hashes, slow on purpose, made and compared away from the async tasks.

use telecast_core::users::{BadPassword, Credentials, Password, PasswordHash};

use crate::ApiError;

/// Checks a new password, which stands in `field`, and hashes it.
pub(crate) async fn hash(field: &str, password: Password) -> Result<PasswordHash, ApiError> {
    let password: Password = password
        .expose()
        .parse()
        .map_err(|error: BadPassword| ApiError::invalid(field, error.to_string()))?;
    let hash = tokio::task::spawn_blocking(move || password.hash())
        .await
        .map_err(|error| ApiError::internal(&error))??;
    Ok(hash)
}

/// Whether a password is that of the credentials; takes as long where there are none.
pub(crate) async fn matches(
    password: Password,
    credentials: Option<&Credentials>,
) -> Result<bool, ApiError> {
    let hash = credentials.map(|found| found.password_hash.clone());
    tokio::task::spawn_blocking(move || password.matches(hash.as_ref()))
        .await
        .map_err(|error| ApiError::internal(&error))
}

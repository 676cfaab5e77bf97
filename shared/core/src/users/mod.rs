//! Who may use Telecast, and as what.

mod backoff;
mod password;
mod request_rate;
mod secret;
mod service_token;
mod session;
mod store;

pub use backoff::{LoginKeys, charge, forgive};
pub use password::{BadPassword, Password, PasswordHash};
pub use request_rate::{RequestKey, charge_request};
pub use secret::Secret;
pub use service_token::{
    NewServiceToken, PREFIX as SERVICE_TOKEN_PREFIX, ServiceToken, authenticate_service,
    create_service_token, delete_service_token, list_service_tokens,
};
pub use session::{Session, authenticate, authenticate_secret, close, close_all, open, refresh};
pub use store::{
    Credentials, NewUser, User, UserPatch, change_password, create, credentials, ensure_admin, get,
    list, update,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// What a user may do.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
    JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum Role {
    /// Everything, users included.
    Admin,
    /// Everything but users and bots' tokens.
    Operator,
    /// Reads.
    Auditor,
}

//! Webhooks: programs elsewhere that are told what becomes of campaigns.

mod announce;
mod event;
mod store;

pub use announce::Delivery;
pub(crate) use announce::announce;
pub use event::Event;
pub use store::{
    Created, NewWebhook, Webhook, WebhookPatch, create, delete, get, get_with_secret, list, test,
    update,
};

/// The queue of the handler that tells them.
pub const QUEUE: &str = "send-webhook";

//! Templates: what a message says. Every version is kept, and a campaign pins one.

mod content;
mod engine;
mod place;
mod render;
mod store;

pub use content::{Button, Content, LinkPreview, Media, MediaKind, Options, ParseMode, Recipient};
pub use render::{RenderError, check, check_params, fill, render};
pub use store::{
    NewTemplate, Template, TemplatePatch, Version, create, delete, get, get_version, list, update,
    versions,
};
pub use telecast_telegram::Chat;

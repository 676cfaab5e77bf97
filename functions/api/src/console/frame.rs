//! What every page has around it.

use askama::Template;
use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
    response::{Html, IntoResponse, Response},
};
use telecast_core::users::User;

use super::{assets, texts::Texts};
use crate::{Access, ApiError};

/// Who looks, in which language, and at what.
#[derive(Clone)]
pub(super) struct Frame {
    pub(super) t: &'static Texts,
    pub(super) user: Option<User>,
    /// What proves that a form came from one of our pages; empty for strangers.
    pub(super) csrf: String,
    path: String,
}

#[derive(Template)]
#[template(path = "layout.html")]
struct Layout<'a> {
    t: &'static Texts,
    frame: &'a Frame,
    title: &'a str,
    style: String,
    module: String,
    content: String,
}

#[derive(Template)]
#[template(path = "error.html")]
struct Failed<'a> {
    t: &'static Texts,
    message: String,
    next: &'a str,
}

impl Layout<'_> {
    /// The pages of the menu that the user may see.
    fn menu(&self) -> Vec<(&'static str, &'static str)> {
        let t = self.t;
        let mut menu = vec![
            ("/console", t.overview),
            ("/console/campaigns", t.campaigns),
            ("/console/channels", t.channels),
            ("/console/batches", t.batches),
            ("/console/templates", t.templates),
            ("/console/bots", t.bots),
            ("/console/queues", t.queues),
            ("/console/audit", t.audit),
        ];
        if self.frame.administers() {
            menu.extend([
                ("/console/users", t.users),
                ("/console/webhooks", t.webhooks),
            ]);
        }
        menu
    }
}

impl Frame {
    /// Around a page for somebody who is not signed in.
    pub(super) fn stranger(t: &'static Texts, path: &str) -> Self {
        Self {
            t,
            user: None,
            csrf: String::new(),
            path: path.to_owned(),
        }
    }

    /// A whole page.
    pub(super) fn page(&self, title: &str, content: &impl Template) -> Result<Response, ApiError> {
        let layout = Layout {
            t: self.t,
            frame: self,
            title,
            style: assets::STYLE.path(),
            module: assets::MODULE.path(),
            content: rendered(content)?,
        };
        Ok(Html(rendered(&layout)?).into_response())
    }

    /// A page that says what went wrong, and what to do next.
    pub(super) fn error(&self, error: &ApiError) -> Response {
        let page = self.page(
            self.t.error_title,
            &Failed {
                t: self.t,
                message: error.to_string(),
                next: self.t.next_step(error.code()),
            },
        );
        match page {
            Ok(page) => (error.status(), page).into_response(),
            Err(broken) => broken.into_response(),
        }
    }

    /// Whether forms that change something are offered.
    pub(super) fn operates(&self) -> bool {
        self.admits(Access::Operator)
    }

    /// Whether an administrator looks.
    pub(super) fn administers(&self) -> bool {
        self.admits(Access::Admin)
    }

    fn admits(&self, access: Access) -> bool {
        self.user
            .as_ref()
            .is_some_and(|user| access.admits(user.role))
    }

    /// Whether a page of the menu is the one that is shown, or holds it.
    fn is_at(&self, path: &str) -> bool {
        self.path == path || (path != "/console" && self.path.starts_with(&format!("{path}/")))
    }

    /// The hidden field that every form has, as HTML; the token is hexadecimal.
    pub(super) fn csrf_field(&self) -> String {
        format!(
            "<input type=\"hidden\" name=\"csrf\" value=\"{}\">",
            self.csrf
        )
    }
}

/// A part of a page, for the module.
pub(super) fn part(content: &impl Template) -> Result<Response, ApiError> {
    let html = Html(rendered(content)?);
    Ok(([(header::VARY, "Cookie, Accept-Language")], html).into_response())
}

pub(super) fn rendered(template: &impl Template) -> Result<String, ApiError> {
    template
        .render()
        .map_err(|error| ApiError::internal(&error))
}

impl<S: Sync> FromRequestParts<S> for Frame {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let frame = parts.extensions.get::<Self>().cloned();
        frame.ok_or_else(ApiError::unauthenticated)
    }
}

//! A campaign's report as CSV, a message job a line.

use super::MessageJob;
use crate::{channels::export::csv_line, templates::Chat};

/// The first line.
pub fn csv_header() -> String {
    csv_line([
        "position",
        "chat",
        "username",
        "title",
        "status",
        "attempts",
        "message_id",
        "error_class",
        "error",
        "finished_at",
    ])
}

/// The line of a message job, with its line end.
pub fn csv_row(job: &MessageJob) -> String {
    let chat = match &job.recipient.chat {
        Chat::Id(id) => id.to_string(),
        Chat::Username(name) => name.clone(),
    };
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    csv_line([
        job.position.to_string(),
        chat,
        text(&job.recipient.username),
        text(&job.recipient.title),
        job.status.to_string(),
        job.attempts.to_string(),
        job.message_id.map(|id| id.to_string()).unwrap_or_default(),
        text(&job.error_class),
        text(&job.error),
        job.finished_at
            .map(|at| at.to_rfc3339())
            .unwrap_or_default(),
    ])
}

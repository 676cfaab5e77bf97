//! A file of channels, landed while it arrives, and the report about it.

use std::io;

use askama::Template;
use axum::{
    extract::{
        Multipart, State,
        multipart::{Field, MultipartError},
    },
    response::Response,
};
use bytes::Bytes;
use futures_util::stream;
use telecast_core::channels::import::{Format, Report};
use tokio::sync::mpsc;

use super::{fields::is_ours, filters, frame::Frame, session::foreign_form, texts::Texts};
use crate::{ApiError, App, access::Caller, routes::channels::land};

/// Pieces of the file that wait between the network and the database.
const AHEAD: usize = 16;

#[derive(Template)]
#[template(path = "import_report.html")]
struct Imported {
    t: &'static Texts,
    report: Report,
}

impl Imported {
    fn figures(&self) -> [(&'static str, u64); 6] {
        let (t, report) = (self.t, &self.report);
        [
            (t.rows, report.rows),
            (t.inserted, report.inserted),
            (t.updated, report.updated),
            (t.unchanged, report.unchanged),
            (t.duplicates, report.duplicates),
            (t.rejected, report.rejected),
        ]
    }
}

/// POST /console/channels/import: `csrf` first, then `file`.
pub(super) async fn import(
    State(app): State<App>,
    frame: Frame,
    caller: Caller,
    mut form: Multipart,
) -> Result<Response, ApiError> {
    let mut proved = false;
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("csrf") => proved = is_ours(&frame, &field.text().await.map_err(broken)?),
            Some("file") if proved => {
                let report = land_field(&app, &caller, field).await?;
                let content = Imported { t: frame.t, report };
                return frame.page(frame.t.import_report, &content);
            }
            _ => {}
        }
    }
    Err(if proved {
        ApiError::invalid("file", "choose a file of channels, CSV or JSON lines")
    } else {
        foreign_form()
    })
}

/// Hands the file on piece by piece: it is never in memory as a whole.
async fn land_field(app: &App, caller: &Caller, mut field: Field<'_>) -> Result<Report, ApiError> {
    let format = match field.file_name() {
        Some(name) if name.ends_with(".jsonl") || name.ends_with(".ndjson") => Format::Jsonl,
        _ => Format::Csv,
    };
    let (sender, mut pieces) = mpsc::channel::<io::Result<Bytes>>(AHEAD);
    let arriving = async move {
        loop {
            let piece = match field.chunk().await {
                Ok(Some(piece)) => Ok(piece),
                Ok(None) => break,
                Err(error) => Err(io::Error::other(error)),
            };
            let is_broken = piece.is_err();
            // A file that was refused is still read to its end, so that its browser
            // hears why.
            sender.send(piece).await.ok();
            if is_broken {
                break;
            }
        }
    };
    let bytes = stream::poll_fn(move |context| pieces.poll_recv(context));
    let (report, ()) = tokio::join!(land(app, caller, format, bytes), arriving);
    report
}

fn broken(error: MultipartError) -> ApiError {
    ApiError::invalid("file", error.body_text())
}

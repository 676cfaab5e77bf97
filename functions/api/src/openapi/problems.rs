//! Every problem that the API tells of, by its stable code.

use axum::http::StatusCode;

/// A problem: what a program may meet, and meet again under the same code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    /// When it comes, and what to do.
    pub(crate) about: &'static str,
}

macro_rules! problems {
    ($($status:ident $code:ident $about:literal;)*) => {
        $(
            pub(crate) const $code: Problem = Problem {
                status: StatusCode::$status,
                code: stringify!($code),
                about: $about,
            };
        )*
    };
}

problems! {
    BAD_REQUEST INVALID "A field, a parameter or the body is wrong: `details.field` names it, the message says what would be right.";
    BAD_REQUEST BODY_BROKEN "The body broke off, or is larger than this route takes; nothing was imported.";
    UNAUTHORIZED UNAUTHENTICATED "No token, or one that has ended; log in again or refresh.";
    UNAUTHORIZED BAD_CREDENTIALS "Name or password is wrong.";
    FORBIDDEN FORBIDDEN "The caller's role may not do this.";
    FORBIDDEN USERS_ONLY "This is about a user's own login; a service token has none.";
    NOT_FOUND NOT_FOUND "There is nothing with this id.";
    CONFLICT NAME_TAKEN "There is one of this name already.";
    CONFLICT LAST_ADMIN "Somebody must be able to administrate.";
    CONFLICT CHANNEL_EXISTS "There is a channel of this username or chat id already.";
    CONFLICT IN_USE "It belongs to a campaign and cannot be deleted.";
    CONFLICT ILLEGAL_TRANSITION "The campaign's status does not allow it; the message names both.";
    CONFLICT FLOOD_WAIT "Telegram asked the bot to wait; the campaign resumes by itself.";
    CONFLICT NOT_A_DRAFT "The campaign was started: only its deliveryRate can still change.";
    CONFLICT FINISHED "The campaign is over and cannot change any more.";
    CONFLICT NO_ACTIVE_CHANNELS "The batch has no channel that may be written to.";
    CONFLICT BOT_STOPPED "Telegram rejected the bot; save a valid token first.";
    CONFLICT NOTHING_TO_SEND_AGAIN "No message of the campaign is in that state.";
    FORBIDDEN FOREIGN_FORM "The form does not come from one of our pages.";
    NOT_FOUND NO_ROUTE "There is no such route.";
    METHOD_NOT_ALLOWED NO_METHOD "The route does not take this method.";
    CONFLICT SLOT_TAKEN "The job's slot is taken; the message says from when to send again.";
    CONFLICT QUEUE_REFUSED "The queue's policy allows no other job with this key for now.";
    CONFLICT JOB_EXISTS "There is a job of this id already.";
    PAYLOAD_TOO_LARGE TOO_LARGE "The body is larger than this route takes.";
    UNSUPPORTED_MEDIA_TYPE UNSUPPORTED_MEDIA_TYPE "The Content-Type is not one this route takes.";
    TOO_MANY_REQUESTS TOO_MANY_REQUESTS "The caller asks too often; Retry-After says when to go on.";
    TOO_MANY_REQUESTS TOO_MANY_LOGINS "Too many failed logins of this user or address; Retry-After says when to try again.";
    INTERNAL_SERVER_ERROR INTERNAL "Our fault; the log says why.";
    BAD_GATEWAY TELEGRAM_UNREACHABLE "Telegram could not be asked; try again.";
    BAD_GATEWAY TELEGRAM_REFUSED "Telegram refused the message; the message says why.";
    SERVICE_UNAVAILABLE UNAVAILABLE "The database cannot be reached at the moment; try again.";
    SERVICE_UNAVAILABLE TIMEOUT "The request took too long and was given up; nothing was changed.";
}

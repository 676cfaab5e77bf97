//! What a channel is at Telegram.

use telecast_telegram::ChatKind;

/// As the column `kind` has it.
pub(crate) fn kind_name(kind: ChatKind) -> Option<&'static str> {
    match kind {
        ChatKind::Private => Some("PRIVATE"),
        ChatKind::Group => Some("GROUP"),
        ChatKind::Supergroup => Some("SUPERGROUP"),
        ChatKind::Channel => Some("CHANNEL"),
        ChatKind::Other => None,
    }
}

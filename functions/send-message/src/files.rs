//! File ids of media that this invocation knows, and learns.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use telecast_core::delivery::{FileChanges, MediaUrl};

/// The file ids of an invocation; its messages share what each learns.
#[derive(Debug, Default)]
pub(crate) struct Files(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: HashMap<MediaUrl, String>,
    changes: FileChanges,
}

impl Files {
    pub(crate) fn knowing(known: HashMap<MediaUrl, String>) -> Self {
        Self(Mutex::new(State {
            known,
            changes: FileChanges::default(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file id that stands for this media.
    pub(crate) fn id(&self, media: &MediaUrl) -> Option<String> {
        self.state().known.get(media).cloned()
    }

    /// Telegram gave this file id for it.
    pub(crate) fn learn(&self, media: &MediaUrl, file_id: &str) {
        let mut state = self.state();
        if state.known.contains_key(media) {
            return;
        }
        state.known.insert(media.clone(), file_id.to_owned());
        state
            .changes
            .learned
            .insert(media.clone(), file_id.to_owned());
    }

    /// Telegram takes the file id no more.
    pub(crate) fn forget(&self, media: &MediaUrl) {
        let mut state = self.state();
        state.known.remove(media);
        state.changes.learned.remove(media);
        state.changes.refused.insert(media.clone());
    }

    /// What is to be written down.
    pub(crate) fn into_changes(self) -> FileChanges {
        self.0
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .changes
    }
}

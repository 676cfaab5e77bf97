//! File ids of media that this invocation knows, and learns.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use telecast_core::delivery::{FileChanges, MediaUrl};

/// The file ids of an invocation; its messages share what each learns.
#[derive(Debug, Default)]
pub(crate) struct Files(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: HashMap<MediaUrl, String>,
    refused: HashSet<MediaUrl>,
    changes: FileChanges,
}

impl Files {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These are known from before; what was learnt or refused meanwhile is newer.
    pub(crate) fn know(&self, known: HashMap<MediaUrl, String>) {
        let mut state = self.state();
        for (media, file_id) in known {
            if !state.refused.contains(&media) {
                state.known.entry(media).or_insert(file_id);
            }
        }
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
        state.refused.insert(media.clone());
        state.changes.refused.insert(media.clone());
    }

    /// What is to be written down since the last time.
    pub(crate) fn take_changes(&self) -> FileChanges {
        mem::take(&mut self.state().changes)
    }
}

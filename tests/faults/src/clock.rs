//! Time: the true one, and clocks that are minutes off, by Debian's libfaketime.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::dice::Dice;

/// Microseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as u64)
}

/// A clock of a process that starts with it.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    library: String,
    /// Such as `-7m`.
    pub(crate) offset: String,
}

/// One that is minutes off, half of the time; none where the library is not installed.
pub(crate) fn wrong(dice: &mut Dice) -> Option<Clock> {
    let minutes = dice.between(1, 20);
    let sign = if dice.one_in(2) { '+' } else { '-' };
    let is_wrong = dice.one_in(2);
    let library = library()?;
    is_wrong.then(|| Clock {
        library,
        offset: format!("{sign}{minutes}m"),
    })
}

impl Clock {
    /// What a process needs in its environment. Spans stay true.
    pub(crate) fn variables(&self) -> [(String, String); 3] {
        [
            ("LD_PRELOAD".to_owned(), self.library.clone()),
            ("FAKETIME".to_owned(), self.offset.clone()),
            ("FAKETIME_DONT_FAKE_MONOTONIC".to_owned(), "1".to_owned()),
        ]
    }
}

fn library() -> Option<String> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten();
    folders
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|path| path.exists())
        .map(|path| path.to_string_lossy().into_owned())
}

//! Who runs the server: PostgreSQL refuses to run as root.

use std::{
    fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::Command,
};

use crate::Error;

/// The account of the server's processes and files; none: the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account(Option<(u32, u32)>);

impl Account {
    /// As root: postgres, else nobody. Otherwise: whoever we are.
    pub(crate) fn choose() -> Result<Self, Error> {
        // /proc/self belongs to the effective user; where there is none (macOS),
        // a fresh temporary file does.
        let owner = fs::metadata("/proc/self")
            .or_else(|_| tempfile::tempfile().and_then(|file| file.metadata()))
            .map_err(Error::io("look up the owner of", "/proc/self"))?
            .uid();
        if owner != 0 {
            return Ok(Self(None));
        }
        let accounts =
            fs::read_to_string("/etc/passwd").map_err(Error::io("read", "/etc/passwd"))?;
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| look_up(&accounts, name))
            .map(|ids| Self(Some(ids)))
            .ok_or(Error::NoAccount)
    }

    /// A command run by this account.
    pub(crate) fn command(self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env("LC_ALL", "C");
        if let Some((uid, gid)) = self.0 {
            // Its own home would be root's, which it must not enter.
            command.uid(uid).gid(gid).current_dir("/").env("HOME", "/");
        }
        command
    }

    /// Gives a file or folder to this account.
    pub(crate) fn own(self, path: &Path) -> Result<(), Error> {
        match self.0 {
            Some((uid, gid)) => std::os::unix::fs::chown(path, Some(uid), Some(gid))
                .map_err(Error::io("change the owner of", path)),
            None => Ok(()),
        }
    }
}

/// User and group of a name in the format of /etc/passwd.
fn look_up(accounts: &str, name: &str) -> Option<(u32, u32)> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some((uid, gid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_looked_up_by_its_name() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:103::/var/lib:/bin/sh\n";
        assert_eq!(look_up(accounts, "postgres"), Some((101, 103)));
        assert_eq!(look_up(accounts, "post"), None);
    }
}

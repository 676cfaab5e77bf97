//! A data directory: made once, locked while it is used.
//!
//! It holds `cluster` (PostgreSQL's own files), `password` and `lock`.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    process::Stdio,
};

use crate::{Binaries, Durability, Error, account::Account};

/// The superuser of every cluster made here.
pub(crate) const USER: &str = "postgres";

/// A cluster that is ready to be started. Nobody else can open it meanwhile.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) folder: PathBuf,
    pub(crate) password: String,
    _lock: File,
}

impl Cluster {
    /// Opens the cluster in `data_dir`, made first if there is none. A server that
    /// was left running there by a killed owner is stopped.
    pub(crate) fn open(
        binaries: &Binaries,
        account: Account,
        data_dir: &Path,
        durability: Durability,
    ) -> Result<Self, Error> {
        fs::create_dir_all(data_dir).map_err(Error::io("create", data_dir))?;
        account.own(data_dir)?;
        check_reach(account, data_dir)?;
        let lock = lock(data_dir)?;
        let folder = data_dir.join("cluster");
        let password_file = data_dir.join("password");
        if !folder.exists() {
            create(binaries, account, &folder, &password_file, durability)?;
        }
        let password =
            fs::read_to_string(&password_file).map_err(Error::io("read", &password_file))?;
        stop_orphan(binaries, account, &folder)?;
        Ok(Self {
            folder,
            password: password.trim().to_owned(),
            _lock: lock,
        })
    }
}

/// Root may make a folder where the server's account cannot go.
fn check_reach(account: Account, data_dir: &Path) -> Result<(), Error> {
    let reaches = account
        .command("/bin/sh")
        .args(["-c", "cd \"$0\" && test -w ."])
        .arg(data_dir)
        .stderr(Stdio::null())
        .status()
        .map_err(Error::io("run", "/bin/sh"))?;
    if reaches.success() {
        return Ok(());
    }
    Err(Error::OutOfReach(data_dir.to_owned()))
}

fn lock(data_dir: &Path) -> Result<File, Error> {
    let path = data_dir.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(Error::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Error::InUse(data_dir.to_owned())),
        Err(fs::TryLockError::Error(source)) => Err(Error::io("lock", path)(source)),
    }
}

/// Made beside its place and moved there when whole: a crash in the middle leaves
/// nothing that looks like a cluster.
fn create(
    binaries: &Binaries,
    account: Account,
    folder: &Path,
    password_file: &Path,
    durability: Durability,
) -> Result<(), Error> {
    tracing::info!(folder = %folder.display(), "making a database cluster");
    let unfinished = folder.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(Error::io("remove", &unfinished))?;
    }
    fs::create_dir(&unfinished).map_err(Error::io("create", &unfinished))?;
    fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o700))
        .map_err(Error::io("protect", &unfinished))?;
    account.own(&unfinished)?;
    write_password(account, password_file)?;
    let mut initdb = account.command(binaries.program("initdb"));
    initdb
        .arg("--pgdata")
        .arg(&unfinished)
        .arg("--pwfile")
        .arg(password_file)
        .args(["--username", USER, "--encoding", "UTF8", "--locale", "C"])
        .args(["--auth", "scram-sha-256", "--no-instructions"]);
    if durability == Durability::ThrowAway {
        initdb.arg("--no-sync");
    }
    let output = initdb
        .output()
        .map_err(Error::io("run", binaries.program("initdb")))?;
    if !output.status.success() {
        return Err(Error::Program {
            program: "initdb",
            output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        });
    }
    fs::rename(&unfinished, folder).map_err(Error::io("move into place", folder))
}

fn write_password(account: Account, path: &Path) -> Result<(), Error> {
    let password = hex::encode(rand::random::<[u8; 24]>());
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(password.as_bytes()))
        .map_err(Error::io("write", path))?;
    account.own(path)
}

/// We hold the lock, so whoever started a server here is gone.
fn stop_orphan(binaries: &Binaries, account: Account, folder: &Path) -> Result<(), Error> {
    forget_stranger(folder)?;
    let pg_ctl = |arguments: &[&str]| {
        account
            .command(binaries.program("pg_ctl"))
            .arg("--pgdata")
            .arg(folder)
            .args(arguments)
            .output()
            .map_err(Error::io("run", binaries.program("pg_ctl")))
    };
    if !folder.join("postmaster.pid").exists() || !pg_ctl(&["status"])?.status.success() {
        return Ok(());
    }
    tracing::warn!("stopping a database server that its owner left running");
    let stopped = pg_ctl(&["stop", "--mode", "fast", "--wait"])?;
    // It may have ended by itself between the two commands, which is as good.
    if stopped.status.success() || !pg_ctl(&["status"])?.status.success() {
        return Ok(());
    }
    Err(Error::Program {
        program: "pg_ctl stop",
        output: String::from_utf8_lossy(&stopped.stderr).trim().to_owned(),
    })
}

/// After a crash of the machine, the process id in postmaster.pid may be another
/// program's. pg_ctl would stop that one, and postgres would not start beside it. What
/// may be a server is left to pg_ctl: two on one cluster would ruin it.
fn forget_stranger(folder: &Path) -> Result<(), Error> {
    let pid_file = folder.join("postmaster.pid");
    let Ok(content) = fs::read_to_string(&pid_file) else {
        return Ok(());
    };
    let pid = content.lines().next().unwrap_or_default().trim();
    match command_line(pid) {
        Some(command) if !command.contains("postgres") => {
            tracing::debug!(
                pid,
                command,
                "the last server's process id is another's now"
            );
            fs::remove_file(&pid_file).map_err(Error::io("remove", &pid_file))
        }
        _ => Ok(()),
    }
}

/// From /proc, else (macOS) from ps; none where there is no such process.
fn command_line(pid: &str) -> Option<String> {
    if let Ok(arguments) = fs::read(Path::new("/proc").join(pid).join("cmdline")) {
        return Some(String::from_utf8_lossy(&arguments).replace('\0', " "));
    }
    let output = Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", pid])
        .output()
        .ok()?;
    let command = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!command.is_empty()).then_some(command)
}

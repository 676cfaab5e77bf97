//! A process that can be killed, stopped, and started again.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// How long a process may take to end once it is asked to.
const PATIENCE: Duration = Duration::from_secs(60);

/// One of the processes under test.
pub(crate) struct Part {
    pub(crate) name: String,
    program: PathBuf,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    log: PathBuf,
    child: Option<Child>,
}

impl Part {
    /// A process that is not started yet; it writes to `log`.
    pub(crate) fn new(name: &str, program: PathBuf, arguments: &[&str], log: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            program,
            arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
            variables: Vec::new(),
            log,
            child: None,
        }
    }

    /// With these variables in its environment.
    pub(crate) fn with(mut self, variables: &[(String, String)]) -> Self {
        self.variables.extend_from_slice(variables);
        self
    }

    /// Starts it; what ran before must be gone. `extra` counts for this start alone.
    pub(crate) fn start(&mut self, extra: &[(String, String)]) -> Result<()> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)?;
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap_or_default())
            .envs(self.variables.iter().cloned())
            .envs(extra.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("could not start {}", self.program.display()))?;
        self.child = Some(child);
        Ok(())
    }

    /// Its process id, while it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Whether it ended by itself, which none of them should.
    pub(crate) fn has_died(&mut self) -> Result<bool> {
        match &mut self.child {
            Some(child) => Ok(child.try_wait()?.is_some()),
            None => Ok(false),
        }
    }

    /// SIGTERM: gives what ends now, and keeps what can be started in its place.
    pub(crate) fn retire(&mut self) -> Result<Option<Retired>> {
        let Some(child) = self.child.take() else {
            return Ok(None);
        };
        signal(child.id(), "TERM")?;
        Ok(Some(Retired {
            name: self.name.clone(),
            child,
            asked: Instant::now(),
        }))
    }
}

/// A process that was asked to end.
pub(crate) struct Retired {
    pub(crate) name: String,
    child: Child,
    asked: Instant,
}

impl Retired {
    /// Whether it has ended.
    ///
    /// # Errors
    /// Where it ended without success, or takes too long; then it is killed.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        if let Some(status) = self.child.try_wait()? {
            if status.success() {
                return Ok(true);
            }
            bail!("{} ended with {status}", self.name);
        }
        if self.asked.elapsed() > PATIENCE {
            self.child.kill()?;
            self.child.wait()?;
            bail!("{} did not end in {PATIENCE:?}", self.name);
        }
        Ok(false)
    }
}

impl Drop for Retired {
    fn drop(&mut self) {
        // An error where it has ended, as it should.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What a process uses.
pub(crate) struct Usage {
    pub(crate) resident_mb: u64,
    /// Files, sockets, and the like.
    pub(crate) files: u64,
}

impl Usage {
    /// None where it is gone.
    pub(crate) fn of(id: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kb: u64 = line.split_whitespace().next()?.parse().ok()?;
        let files = std::fs::read_dir(format!("/proc/{id}/fd")).ok()?.count();
        Some(Self {
            resident_mb: kb / 1024,
            files: files as u64,
        })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("could not kill {}: {error:#}", self.name);
        }
    }
}

/// Sends a signal, such as `STOP`; a process that is gone is no error.
pub(crate) fn signal(id: u32, name: &str) -> Result<()> {
    Command::new("kill")
        .args([&format!("-{name}"), &id.to_string()])
        .stderr(Stdio::null())
        .status()?;
    Ok(())
}

/// The processes that this one started and that bear a name.
pub(crate) fn children(name: &str) -> Vec<u32> {
    let own = std::process::id();
    let Ok(folder) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    folder
        .flatten()
        .filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok())
        .filter(|id| {
            std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| {
                let parent = stat
                    .rsplit(") ")
                    .next()
                    .and_then(|rest| rest.split(' ').nth(1));
                stat.contains(&format!("({name})"))
                    && parent.and_then(|id| id.parse().ok()) == Some(own)
            })
        })
        .collect()
}

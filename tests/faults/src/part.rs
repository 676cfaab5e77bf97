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

    /// SIGTERM, and the wait for its end.
    ///
    /// # Errors
    /// Where it does not end in time, or not with success.
    pub(crate) fn terminate(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        signal(child.id(), "TERM")?;
        let asked = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("{} ended with {status}", self.name);
            }
            if asked.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                bail!("{} did not end in {PATIENCE:?}", self.name);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its memory in MB.
    pub(crate) fn resident_mb(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()?)).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kb: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kb / 1024)
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

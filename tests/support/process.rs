//! `telecast up` as a child process.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// The first admin's password of every process here.
pub(crate) const PASSWORD: &str = "correct-horse-battery-staple";

/// The bot of every process here.
pub(crate) const TOKEN: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

/// The binary, with an environment of its own.
pub(crate) fn telecast() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_telecast"));
    for variable in [
        "DATABASE_URL",
        "SUPABASE_DIRECT_URL",
        "TELEGRAM_BOT_TOKEN",
        "RUST_LOG",
    ] {
        command.env_remove(variable);
    }
    command
}

/// A running `telecast up`. It is killed when this is dropped.
pub(crate) struct Up {
    child: Child,
    pub(crate) url: String,
}

impl Up {
    /// Starts it on this data directory, with this Bot API, and waits until it listens.
    pub(crate) fn start(data_dir: &Path, bot_api: &str) -> Self {
        let mut child = telecast()
            .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .env("TELEGRAM_API_URL", bot_api)
            .env("TELEGRAM_BOT_TOKEN", TOKEN)
            .env("TELECAST_ADMIN_PASSWORD", PASSWORD)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.strip_prefix("Telecast listens on ")?.to_owned()))
            .expect("telecast up starts");
        // Keep reading, or the process would stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; gives whether it ended cleanly.
    pub(crate) fn terminate(mut self) -> bool {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        self.child.wait().unwrap().success()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // Both fail where the process is gone already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

//! PostgreSQL that dies, PgBouncer that restarts, a disk that is full.

use std::{
    fs,
    io::Write,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use telecast_postgres::{Binaries, Durability, Server};

use crate::part::{Part, signal};

/// What the disk holds, where it is one that can be filled.
const DISK_MB: u64 = 400;

/// The server, on a small disk where this process may mount one.
pub(crate) struct Postgres {
    binaries: Binaries,
    folder: PathBuf,
    /// Whether the folder is a disk of its own.
    pub(crate) is_small_disk: bool,
    server: Option<Server>,
}

impl Postgres {
    /// Makes a cluster in `folder`, and starts it. Blocks.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let is_small_disk = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={DISK_MB}m"), "faults"])
            .arg(folder)
            .output()
            .is_ok_and(|output| output.status.success());
        let mut postgres = Self {
            binaries: Binaries::find()?,
            folder: folder.to_owned(),
            is_small_disk,
            server: None,
        };
        postgres.revive()?;
        Ok(postgres)
    }

    /// Starts the server again, as soon as what is left of the dead one lets it. On a full
    /// disk it never would.
    pub(crate) fn revive(&mut self) -> Result<()> {
        self.empty_disk()?;
        self.server = None;
        let began = Instant::now();
        loop {
            match Server::start(&self.binaries, &self.folder, Durability::Durable) {
                Ok(server) => {
                    self.server = Some(server);
                    return Ok(());
                }
                Err(error) if began.elapsed() > Duration::from_secs(60) => {
                    return Err(error).context("PostgreSQL does not start again");
                }
                Err(_) => std::thread::sleep(Duration::from_millis(200)),
            }
        }
    }

    /// kill -9 of the postmaster; its backends find out by themselves.
    pub(crate) fn kill(&mut self) -> Result<()> {
        if let Some(id) = self.postmaster() {
            signal(id, "KILL")?;
        }
        Ok(())
    }

    /// A fast shutdown, as an operator's restart begins with: sessions are cut.
    pub(crate) fn stop(&mut self) {
        self.server = None;
    }

    /// Whether the postmaster runs.
    pub(crate) fn is_alive(&self) -> bool {
        self.postmaster()
            .is_some_and(|id| Path::new(&format!("/proc/{id}")).exists())
    }

    fn postmaster(&self) -> Option<u32> {
        let file = fs::read_to_string(self.folder.join("cluster/postmaster.pid")).ok()?;
        file.lines().next()?.parse().ok()
    }

    /// Fills the disk to the last byte.
    pub(crate) fn fill_disk(&self) -> Result<()> {
        let mut ballast = fs::File::create(self.folder.join("ballast"))?;
        let mut block = vec![0; 1024 * 1024];
        while block.len() > 512 {
            if ballast.write_all(&block).is_err() {
                block.truncate(block.len() / 2);
            }
        }
        Ok(())
    }

    /// Gives the space back.
    pub(crate) fn empty_disk(&self) -> Result<()> {
        let ballast = self.folder.join("ballast");
        if ballast.exists() {
            fs::remove_file(ballast)?;
        }
        Ok(())
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        let config = self.server.as_ref().map(|server| server.config("postgres"));
        config
            .and_then(|config| config.get_ports().first().copied())
            .unwrap_or_default()
    }

    /// Writes all that it holds to a file.
    pub(crate) fn dump(&self, file: &Path) -> Result<()> {
        // Beside the server itself, where that is a link.
        let server = fs::canonicalize(self.binaries.program("postgres"))?;
        let program = server.with_file_name("pg_dump");
        let mut command = Command::new(&program);
        let output = command.arg(self.url_at(self.port())).output();
        let output = output.with_context(|| format!("could not run {}", program.display()))?;
        Ok(fs::write(file, output.stdout)?)
    }

    /// A URL of its only database, at another port.
    pub(crate) fn url_at(&self, port: u16) -> String {
        let url = self.server.as_ref().map(|server| server.url("postgres"));
        let own = format!(":{}/", self.port());
        url.unwrap_or_default().replace(&own, &format!(":{port}/"))
    }

    /// Its password.
    fn password(&self) -> Result<String> {
        Ok(fs::read_to_string(self.folder.join("password"))?
            .trim()
            .to_owned())
    }

    /// A PgBouncer in front of `port`, not started yet, and its port.
    pub(crate) fn pooler(&self, folder: &Path, port: u16, pool: u32) -> Result<(Part, u16)> {
        let listen = free_port()?;
        let user = match Command::new("id").arg("-u").output()?.stdout.as_slice() {
            b"0\n" => "user = postgres",
            _ => "",
        };
        let config = format!(
            "[databases]\n\
             postgres = host=127.0.0.1 port={port} user=postgres password={}\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {listen}\n\
             unix_socket_dir =\n\
             auth_type = any\n\
             pool_mode = transaction\n\
             default_pool_size = {pool}\n\
             max_client_conn = 500\n\
             server_login_retry = 1\n\
             server_connect_timeout = 5\n\
             query_wait_timeout = 10\n\
             {user}\n",
            self.password()?
        );
        let file = folder.join("pgbouncer.ini");
        fs::write(&file, config)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644))?;
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"]
            .map(PathBuf::from)
            .into_iter()
            .find(|path| path.exists())
            .context("PgBouncer is not installed (Debian's package pgbouncer)")?;
        let log = folder.join("pgbouncer.log");
        let arguments = [file.to_string_lossy().into_owned()];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Ok((Part::new("pgbouncer", program, &arguments, log), listen))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.server = None;
        if self.is_small_disk {
            let unmounted = Command::new("umount").arg("-l").arg(&self.folder).status();
            if !unmounted.is_ok_and(|status| status.success()) {
                eprintln!("could not unmount {}", self.folder.display());
            }
        }
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

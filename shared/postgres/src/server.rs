//! A running server.

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt,
    path::{self, Path},
    process::{Child, ChildStderr, Stdio},
    sync::mpsc,
    thread,
};

use tokio_postgres::Config;

use crate::{
    Binaries, Error,
    account::Account,
    cluster::{Cluster, USER},
};

/// What a crash of the machine may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: PostgreSQL's defaults.
    Durable,
    /// Everything: for tests. The data directory is removed when the server stops.
    ThrowAway,
}

/// A server on loopback, with a password of its own. It stops when this is dropped,
/// and also when this process dies, however it dies.
#[derive(Debug)]
pub struct Server {
    supervisor: Child,
    port: u16,
    cluster: Cluster,
}

/// Runs the server and waits for its standard input to end: that is the moment our
/// process closes it or is no more. A fast shutdown follows.
///
/// The log is left to the server alone, so that it ends when the server does. A folder
/// is removed only after a server that ran: one that could not start is tried again.
const SUPERVISOR: &str = r#"
clean=$1; shift
"$@" & server=$!
exec 2> /dev/null
cat > /dev/null
kill -INT $server
wait $server && [ -n "$clean" ] && rm -rf "$clean"
"#;

/// Somebody else may take a free port before the server does.
const PORT_TRIES: u32 = 5;

impl Server {
    /// Starts the server of `data_dir`, which is made if it does not exist, and waits
    /// until it accepts connections. Blocks.
    ///
    /// # Errors
    /// Each says what to do; see [`Error`].
    pub fn start(
        binaries: &Binaries,
        data_dir: &Path,
        durability: Durability,
    ) -> Result<Self, Error> {
        let account = Account::choose()?;
        // The server's account works in another folder than we do.
        let data_dir = &path::absolute(data_dir).map_err(Error::io("find", data_dir))?;
        let cluster = Cluster::open(binaries, account, data_dir, durability)?;
        let mut tries = 0;
        loop {
            tries += 1;
            let port = free_port()?;
            match run(binaries, account, data_dir, &cluster, port, durability) {
                Ok(supervisor) => {
                    tracing::debug!(port, "the database server accepts connections");
                    return Ok(Self {
                        supervisor,
                        port,
                        cluster,
                    });
                }
                Err(error) if tries == PORT_TRIES => return Err(error),
                Err(error) => tracing::warn!(%error, "starting the database server again"),
            }
        }
    }

    /// How to connect to a database of this server.
    pub fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config
            .host("127.0.0.1")
            .port(self.port)
            .user(USER)
            .password(&self.cluster.password)
            .dbname(database)
            .ssl_mode(tokio_postgres::config::SslMode::Disable);
        config
    }

    /// The same as a URL. It holds the password.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{USER}:{}@127.0.0.1:{}/{database}?sslmode=disable",
            self.cluster.password, self.port
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closing its standard input tells the supervisor to stop the server.
        drop(self.supervisor.stdin.take());
        if let Err(error) = self.supervisor.wait() {
            tracing::warn!(%error, "could not wait for the database server to stop");
        }
    }
}

fn free_port() -> Result<u16, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Error::io("find a free port on", "127.0.0.1"))
}

fn run(
    binaries: &Binaries,
    account: Account,
    data_dir: &Path,
    cluster: &Cluster,
    port: u16,
    durability: Durability,
) -> Result<Child, Error> {
    let mut command = account.command("/bin/sh");
    command.arg("-c").arg(SUPERVISOR).arg("supervisor");
    match durability {
        Durability::Durable => command.arg(""),
        Durability::ThrowAway => command.arg(data_dir),
    };
    command
        .arg(binaries.program("postgres"))
        .arg("-D")
        .arg(&cluster.folder)
        .args(["-c", &format!("port={port}")])
        .args(["-c", "listen_addresses=127.0.0.1"])
        .args(["-c", "unix_socket_directories="])
        .args(["-c", "max_connections=200"])
        .args(["-c", "log_checkpoints=off"]);
    if durability == Durability::ThrowAway {
        command
            .args(["-c", "fsync=off"])
            .args(["-c", "synchronous_commit=off"])
            .args(["-c", "full_page_writes=off"]);
    }
    let mut supervisor = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Ctrl-C in a terminal goes to the whole group: the server must outlive the
        // moment, until our process has finished its work.
        .process_group(0)
        .spawn()
        .map_err(Error::io("run", "/bin/sh"))?;
    let ready = supervisor.stderr.take().map(wait_until_ready);
    match ready {
        Some(Ok(())) => Ok(supervisor),
        failed => {
            drop(supervisor.stdin.take());
            let output = match failed {
                Some(Err(output)) => output,
                _ => "its standard error could not be read".to_owned(),
            };
            supervisor
                .wait()
                .map_err(Error::io("wait for", "/bin/sh"))?;
            Err(Error::Program {
                program: "postgres",
                output,
            })
        }
    }
}

/// Reads the server's log until it says that it is ready, or gives what it said
/// when it never was. Its log goes on to ours.
fn wait_until_ready(log: ChildStderr) -> Result<(), String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            tracing::debug!(target: "postgres", "{line}");
            // Once the server is ready nobody listens any more, which is no error.
            sender.send(line).ok();
        }
    });
    let mut said = Vec::new();
    for line in receiver {
        if line.contains("database system is ready to accept connections") {
            return Ok(());
        }
        said.push(line);
    }
    Err(said.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_was_taken_in_the_meantime_costs_a_throw_away_server_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let binaries = Binaries::find().unwrap();
        let account = Account::choose().unwrap();
        account.own(folder.path()).unwrap();
        let cluster = Cluster::open(&binaries, account, &data_dir, Durability::ThrowAway).unwrap();
        let start = |port| {
            run(
                &binaries,
                account,
                &data_dir,
                &cluster,
                port,
                Durability::ThrowAway,
            )
        };
        assert!(start(port).is_err());
        drop(taken);
        let mut supervisor = start(port).unwrap();
        drop(supervisor.stdin.take());
        supervisor.wait().unwrap();
        assert!(!data_dir.exists());
    }
}

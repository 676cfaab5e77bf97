//! A TCP proxy that cuts and stalls what goes through it.

use std::{
    io,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// How long a lost connection stays open, and silent.
const LOST: Duration = Duration::from_secs(3600);

/// What befalls the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    /// Nothing moves, nothing is closed: a partition.
    is_stalled: bool,
    /// Connections of an earlier epoch are cut.
    epoch: u64,
    /// Connections of an earlier age are lost: nothing moves on them ever again, and
    /// nobody is told.
    age: u64,
}

/// Forwards connections of a port of the loopback address to another.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    target: Arc<AtomicU16>,
    state: watch::Sender<State>,
    server: JoinHandle<()>,
}

impl Proxy {
    /// Starts it on a free port.
    pub(crate) async fn start(target: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let target = Arc::new(AtomicU16::new(target));
        let state = watch::Sender::new(State {
            is_stalled: false,
            epoch: 0,
            age: 0,
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&target), state.clone()));
        Ok(Self {
            port,
            target,
            state,
            server,
        })
    }

    /// Sends new connections elsewhere.
    pub(crate) fn retarget(&self, port: u16) {
        self.target.store(port, Ordering::Relaxed);
    }

    /// Cuts every connection.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| state.epoch += 1);
    }

    /// Loses every connection, as a firewall does that forgets them: new ones work.
    pub(crate) fn lose(&self) {
        self.state.send_modify(|state| state.age += 1);
    }

    /// Stops or lets flow every byte.
    pub(crate) fn stall(&self, is_stalled: bool) {
        self.state
            .send_modify(|state| state.is_stalled = is_stalled);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
        self.cut();
    }
}

async fn serve(listener: TcpListener, target: Arc<AtomicU16>, state: watch::Sender<State>) {
    while let Ok((client, _)) = listener.accept().await {
        let (target, state) = (target.load(Ordering::Relaxed), state.subscribe());
        tokio::spawn(async move {
            if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await {
                forward(client, server, state).await;
            }
        });
    }
}

async fn forward(client: TcpStream, server: TcpStream, mut state: watch::Receiver<State>) {
    let (epoch, age) = (state.borrow().epoch, state.borrow().age);
    let (stalls, mut losses) = (state.clone(), state.clone());
    let (client_reads, client_writes) = client.into_split();
    let (server_reads, server_writes) = server.into_split();
    let lost = async {
        losses.wait_for(|state| state.age != age).await.ok();
        tokio::time::sleep(LOST).await;
    };
    let mut to_server = (client_reads, server_writes);
    let mut to_client = (server_reads, client_writes);
    tokio::select! {
        () = pump(&mut to_server.0, &mut to_server.1, stalls.clone()) => {}
        () = pump(&mut to_client.0, &mut to_client.1, stalls) => {}
        _ = state.wait_for(|state| state.epoch != epoch) => {}
        () = lost => {}
    }
}

/// Copies until an end closes; what is read in a stall waits for its end.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if state.wait_for(|state| !state.is_stalled).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

//! A proxy of our own between the program and its database server, which cuts the line where it is told to.
//!
//! It counts what the program sends, over all connections, and knows a COMMIT when it sees one: in PostgreSQL's protocol
//! and in MySQL's its text stands in the message as it is.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const COMMIT: &[u8] = b"COMMIT";

/// What is done to the line, and when: packets and COMMITs count from 1.
#[derive(Clone)]
pub(crate) enum Cut {
    Never,
    /// This packet does not arrive any more; its connection is cut, others may be opened.
    AtPacket(usize),
    /// From this packet on nothing arrives, and nobody is let in.
    DownFrom(usize),
    /// This COMMIT does not arrive.
    BeforeCommit(usize),
    /// This COMMIT arrives and is answered; the answer does not.
    AfterCommit(usize),
    /// Connections are taken and nothing is ever said.
    Silence,
    /// Something is done to the server itself, and then the packet arrives, or what is left of it.
    Do(usize, Arc<dyn Fn() + Send + Sync>),
}

impl std::fmt::Debug for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cut::Never => write!(f, "never"),
            Cut::AtPacket(n) => write!(f, "at packet {n}"),
            Cut::DownFrom(n) => write!(f, "down from packet {n}"),
            Cut::BeforeCommit(n) => write!(f, "before COMMIT {n}"),
            Cut::AfterCommit(n) => write!(f, "after COMMIT {n}"),
            Cut::Silence => write!(f, "silence"),
            Cut::Do(n, _) => write!(f, "server killed at packet {n}"),
        }
    }
}

/// What passed.
#[derive(Clone, Default, Debug)]
pub(crate) struct Seen {
    pub(crate) packets: usize,
    pub(crate) commits: usize,
    /// What was to be done was done.
    pub(crate) struck: bool,
    down: bool,
}

enum Next {
    Forward,
    Cut,
    /// The server's answer is waited for, and dropped.
    ForwardAndCut,
}

#[derive(Clone)]
struct Line {
    cut: Cut,
    seen: Arc<Mutex<Seen>>,
    server: u16,
}

/// Runs `work` with the port of a proxy before the server's.
pub(crate) fn between<T>(server: u16, cut: Cut, work: impl FnOnce(u16) -> T) -> (T, Seen) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let line = Line { cut, seen: Arc::default(), server };
    let seen = Arc::clone(&line.seen);
    runtime.spawn(line.serve(listener));
    let done = work(port);
    runtime.shutdown_background();
    let seen = seen.lock().expect("no relay panics").clone();
    (done, seen)
}

impl Line {
    async fn serve(self, listener: TcpListener) {
        // As long as the runtime lives.
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(self.clone().relay(client));
        }
    }

    async fn relay(self, mut client: TcpStream) {
        if matches!(self.cut, Cut::Silence) {
            self.look(|seen| seen.struck = true);
            return std::future::pending().await;
        }
        if self.look(|seen| seen.down) {
            return;
        }
        let Ok(mut server) = TcpStream::connect(("127.0.0.1", self.server)).await else { return };
        client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).ok();
        let (mut asked, mut told) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        loop {
            let carried = tokio::select! {
                read = client.read(&mut asked) => match read {
                    Ok(n @ 1..) => self.carry(&asked[..n], &mut server).await,
                    _ => return,
                },
                read = server.read(&mut told) => match read {
                    Ok(n @ 1..) => client.write_all(&told[..n]).await.is_ok(),
                    _ => return,
                },
            };
            if !carried || self.look(|seen| seen.down) {
                return;
            }
        }
    }

    /// Carries what the program said to the server; false to cut the line.
    async fn carry(&self, said: &[u8], server: &mut TcpStream) -> bool {
        match self.next(said) {
            Next::Cut => false,
            Next::Forward => server.write_all(said).await.is_ok(),
            Next::ForwardAndCut => {
                server.write_all(said).await.ok();
                drop(server.read(&mut [0; 1 << 12]).await);
                false
            }
        }
    }

    fn next(&self, said: &[u8]) -> Next {
        let is_commit = said.windows(COMMIT.len()).any(|window| window == COMMIT);
        let (packet, commit) = self.look(|seen| {
            seen.packets += 1;
            seen.commits += usize::from(is_commit);
            (seen.packets, if is_commit { seen.commits } else { 0 })
        });
        let next = match &self.cut {
            Cut::AtPacket(n) | Cut::DownFrom(n) if packet == *n => Next::Cut,
            Cut::BeforeCommit(n) if commit == *n => Next::Cut,
            Cut::AfterCommit(n) if commit == *n => Next::ForwardAndCut,
            Cut::Do(n, deed) if packet == *n => {
                deed();
                self.look(|seen| seen.struck = true);
                Next::Forward
            }
            _ => return Next::Forward,
        };
        let is_down = matches!(self.cut, Cut::DownFrom(_));
        self.look(|seen| {
            seen.struck = true;
            seen.down = is_down;
        });
        next
    }

    fn look<T>(&self, at: impl FnOnce(&mut Seen) -> T) -> T {
        at(&mut self.seen.lock().expect("no relay panics"))
    }
}

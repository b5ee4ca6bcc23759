//! The real thing: sockets and files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::archive::{Archive, Partial};
use super::{Acquirer, Limits, Reply, Tell, Transport, Trouble, file, http};
use crate::channel::Ask;
use crate::config::HttpSettings;
use crate::domain::{Clock, Failure};

/// A network that is only in this process: what comes back of a request, in place of what a socket would bring. For
/// simulated nights, where sockets would cost more than the night.
#[cfg(feature = "rig")]
pub type Simulated =
    Arc<dyn Fn(&crate::channel::Request, &mut Partial) -> Result<Reply, Trouble> + Send + Sync>;

/// Sockets, and the files of the machine.
pub struct World {
    http: http::Http,
    home: PathBuf,
    bill_bytes_max: u64,
    #[cfg(feature = "rig")]
    simulated: Option<Simulated>,
}

impl Transport for World {
    async fn send(&self, ask: &Ask, into: &mut Partial, tell: Tell<'_>) -> Result<Reply, Trouble> {
        let request = match ask {
            Ask::Http(request) => request,
            Ask::File(ask) => return Ok(self.open(&ask.pattern, into)?),
        };
        #[cfg(feature = "rig")]
        if let Some(simulated) = &self.simulated {
            // Where a socket would wait, others get their turn, and whoever gives up can give up.
            tokio::task::yield_now().await;
            return simulated(request, into);
        }
        self.http.send(request, into, tell).await
    }
}

impl World {
    fn open(&self, pattern: &str, into: &mut Partial) -> Result<Reply, Failure> {
        let mut reply =
            Reply { status: 200, headers: Vec::new(), source: pattern.to_owned(), authenticated: false };
        match file::find(&self.home, pattern)? {
            file::Found::One(path) => {
                reply.source = path.strip_prefix(&self.home).unwrap_or(&path).display().to_string();
                file::copy(&path, &reply.source, into, self.bill_bytes_max)?;
            }
            file::Found::None => reply.status = 404,
            file::Found::Several(names) => {
                reply.status = 300;
                into.write(names.join("\n").as_bytes())?;
            }
        }
        Ok(reply)
    }
}

impl Acquirer<World> {
    /// `home` is the folder that `local_file` patterns are relative to.
    pub fn new(http: &HttpSettings, archive: Arc<Archive>, home: &Path, clock: Clock) -> Acquirer<World> {
        Acquirer::with_limits(Limits::new(http), archive, home, clock)
    }

    pub fn with_limits(limits: Limits, archive: Arc<Archive>, home: &Path, clock: Clock) -> Acquirer<World> {
        let (http, bill_bytes_max) = (http::Http::new(&limits), limits.bill_bytes_max);
        let world = World {
            http,
            home: home.to_path_buf(),
            bill_bytes_max,
            #[cfg(feature = "rig")]
            simulated: None,
        };
        Acquirer::with_transport(world, limits, archive, clock)
    }

    /// From now on requests go to `network` and not to sockets.
    #[cfg(feature = "rig")]
    pub fn simulate(&mut self, network: Simulated) {
        self.transport.simulated = Some(network);
    }
}

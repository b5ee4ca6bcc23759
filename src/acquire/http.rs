//! HTTP, as rooms need it: no redirects, no decoding, no body larger or slower than a bill can be.
//!
//! Certificates and names are always checked, and there is no switch that turns that off. Plain http leaves this
//! machine only for an account that says `allow_plain_http`. Never logs a query, a header or a body.

use std::error::Error;
use std::net::IpAddr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder, Response};
use tokio::time::{Instant, timeout};

use super::archive::Partial;
use super::pace::Pace;
use super::{Limits, Progress, Reply, Tell, Trouble, too_large};
use crate::channel::address::{self, Address};
use crate::channel::{Exhausted, Identity, Request, bare};
use crate::domain::{Exit, Failure};

/// Reply headers that are kept: what rooms and the engine look at. The others may hold cookies and addresses.
const HEADERS_KEPT: [&str; 10] = [
    "content-type",
    "content-length",
    "retry-after",
    "date",
    "digest",
    "wechatpay-nonce",
    "wechatpay-serial",
    "wechatpay-signature",
    "wechatpay-statement-sha1",
    "wechatpay-timestamp",
];

/// Merchant certificates in use at a time; a house with more has outgrown one night's program.
const IDENTITIES_MAX: usize = 1000;

pub(super) struct Http {
    limits: Limits,
    pace: Pace,
    /// For loopback, which no proxy may see.
    near: OnceLock<Client>,
    /// For addresses of the configuration; a proxy of the environment is used.
    own: OnceLock<Client>,
    /// For addresses that a reply gave.
    given: OnceLock<Client>,
    /// For requests with a certificate of ours: one client for each, and for loopback or not.
    known: Mutex<Vec<(Identity, bool, Client)>>,
}

/// Why there was no answer.
enum Silence {
    /// Not connected; nothing was said yet. `forged` = somebody answered with a certificate that is not theirs.
    NoConnection {
        why: String,
        forged: bool,
    },
    Trouble(Trouble),
}

impl From<Failure> for Silence {
    fn from(failure: Failure) -> Silence {
        Silence::Trouble(Trouble::from(failure))
    }
}

impl From<Trouble> for Silence {
    fn from(trouble: Trouble) -> Silence {
        Silence::Trouble(trouble)
    }
}

impl Http {
    pub(super) fn new(limits: &Limits) -> Http {
        if rustls::crypto::ring::default_provider().install_default().is_err() {
            tracing::trace!("a TLS provider is already installed");
        }
        let pace = Pace::new(limits.gap);
        let [near, own, given] = [OnceLock::new(), OnceLock::new(), OnceLock::new()];
        Http { limits: limits.clone(), pace, near, own, given, known: Mutex::default() }
    }

    /// Sends a request and streams the answer's body into `into`.
    pub(super) async fn send(
        &self,
        request: &Request,
        into: &mut Partial,
        tell: Tell<'_>,
    ) -> Result<Reply, Trouble> {
        let (why, forged) = match self.exchange(request, &request.url, into, tell).await {
            Ok(reply) => return Ok(reply),
            Err(Silence::Trouble(trouble)) => return Err(trouble),
            Err(Silence::NoConnection { why, forged }) => (why, forged),
        };
        match &request.plain_url {
            Some(plain) if request.allow_plain_http && !forged => {
                tracing::warn!(url = bare(plain), %why, "https failed; using the provider's plain-http address");
                self.exchange(request, plain, into, tell).await.map_err(|silence| match silence {
                    Silence::Trouble(trouble) => trouble,
                    Silence::NoConnection { why, .. } => passing(why),
                })
            }
            Some(_) if !forged => Err(passing(format!(
                "{why}; the provider's own address is plain http, which is used only with `allow_plain_http = true`"
            ))),
            _ => Err(passing(why)),
        }
    }

    async fn exchange(
        &self,
        request: &Request,
        url: &str,
        into: &mut Partial,
        tell: Tell<'_>,
    ) -> Result<Reply, Silence> {
        let source = format!("{} {}", request.method, bare(url));
        let address = address::parse(url).map_err(|why| {
            Failure::new(Exit::Config, format!("{source}: this address cannot be used: {why}"))
        })?;
        let loopback = address.is_loopback();
        if !address.https && !loopback && !request.allow_plain_http {
            let text =
                format!("{source}: plain http leaves this machine only with `allow_plain_http = true`");
            return Err(Failure::new(Exit::Config, text).into());
        }
        if !loopback {
            self.pace.wait(&address.host).await;
        }
        tell(Progress::Asking { source: &source });
        let bytes_max = if request.bill { self.limits.bill_bytes_max } else { self.limits.reply_bytes_max };
        let intake = Intake { host: &address.host, bytes_max, rate: Rate::new(&self.limits), into, tell };
        let whole = self.answer(request, url, &address, intake);
        let response = match timeout(self.limits.file_total, whole).await {
            Ok(answered) => answered?,
            Err(_) => {
                let total = self.limits.file_total.as_secs();
                return Err(passing(format!("{source} was not done after {total} s")).into());
            }
        };
        Ok(Reply { source, authenticated: address.https || loopback, ..response })
    }

    async fn answer(
        &self,
        request: &Request,
        url: &str,
        address: &Address<'_>,
        intake: Intake<'_>,
    ) -> Result<Reply, Silence> {
        let client = match &request.identity {
            Some(identity) => self.known_client(address, identity)?,
            None => self.client(address, request.given)?.clone(),
        };
        let mut builder = match request.method {
            "POST" => client.post(url).body(request.body.clone()),
            _ => client.get(url),
        };
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let response = builder.send().await.map_err(|error| silence(&address.host, &error))?;
        let status = response.status().as_u16();
        let headers = HEADERS_KEPT
            .iter()
            .filter_map(|name| {
                Some(((*name).to_owned(), response.headers().get(*name)?.to_str().ok()?.to_owned()))
            })
            .collect();
        intake.take(response).await?;
        Ok(Reply { status, headers, source: String::new(), authenticated: false })
    }

    fn client(&self, address: &Address<'_>, given: bool) -> Result<&Client, Failure> {
        let cell = match (address.is_loopback(), given) {
            (true, _) => &self.near,
            (false, false) => &self.own,
            (false, true) => &self.given,
        };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let builder = self.builder(address);
        let builder = if given && !address.is_loopback() { builder.dns_resolver(Outside) } else { builder };
        let client = built(builder)?;
        Ok(cell.get_or_init(|| client))
    }

    /// The client that shows this certificate. Only addresses of the configuration are asked with one.
    fn known_client(&self, address: &Address<'_>, identity: &Identity) -> Result<Client, Failure> {
        let near = address.is_loopback();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((.., client)) = known.iter().find(|(who, place, _)| who == identity && *place == near) {
            return Ok(client.clone());
        }
        let own = reqwest::Identity::from_pem(identity.pem().expose().as_bytes()).map_err(|_| {
            Failure::new(Exit::Config, "the merchant's certificate (`client_p12`) cannot be used for TLS")
        })?;
        let client = built(self.builder(address).identity(own))?;
        if known.len() < IDENTITIES_MAX {
            known.push((identity.clone(), near, client.clone()));
        }
        Ok(client)
    }

    /// What all clients have in common.
    fn builder(&self, address: &Address<'_>) -> ClientBuilder {
        let builder = Client::builder()
            .user_agent(concat!("nightjob/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.limits.connect_timeout)
            .read_timeout(self.limits.idle_timeout)
            // An idle connection that the other side has closed would look like a failure of the next request.
            .pool_max_idle_per_host(0);
        if address.is_loopback() { builder.no_proxy() } else { builder }
    }
}

fn built(builder: ClientBuilder) -> Result<Client, Failure> {
    builder.build().map_err(|error| {
        Failure::new(Exit::Config, format!("TLS cannot be set up: {}", cause(&error)))
            .hint("install the system's CA certificates (package ca-certificates)")
    })
}

/// Names from a reply must lie outside: one that means this machine or its link is a way in, not a provider.
struct Outside;

impl Resolve for Outside {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let all = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let outside: Vec<_> = all.filter(|address| !is_inside(address.ip())).collect();
            if outside.is_empty() {
                return Err(format!("{} means this machine or its own link", name.as_str()).into());
            }
            Ok(Box::new(outside.into_iter()) as Addrs)
        })
    }
}

/// Loopback, link-local (where clouds keep their credentials), unspecified, multicast.
fn is_inside(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.octets()[0] == 0
        }
        IpAddr::V6(v6) => {
            v6.is_loopback() || v6.is_unspecified() || v6.is_multicast() || v6.is_unicast_link_local()
        }
    }
}

/// Where a body goes, and how much of it at which pace is taken.
struct Intake<'a> {
    host: &'a str,
    bytes_max: u64,
    rate: Rate,
    into: &'a mut Partial,
    tell: Tell<'a>,
}

impl Intake<'_> {
    async fn take(mut self, response: Response) -> Result<(), Trouble> {
        let host = self.host;
        let announced = response.content_length();
        if announced.is_some_and(|len| len > self.bytes_max) {
            return Err(too_large(host, self.bytes_max).into());
        }
        let mut stream = response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let got = self.into.len();
            let chunk = chunk
                .map_err(|error| passing(format!("{host} broke off after {got} bytes: {}", cause(&error))))?;
            if got + chunk.len() as u64 > self.bytes_max {
                return Err(too_large(host, self.bytes_max).into());
            }
            self.into.write(&chunk)?;
            if let Some(slow) = self.rate.count(chunk.len() as u64, Instant::now()) {
                return Err(passing(format!("{host} sends too slowly: {slow}")));
            }
            (self.tell)(Progress::Receiving { bytes: self.into.len(), of: announced });
        }
        match announced {
            Some(len) if len != self.into.len() => {
                Err(passing(format!("{host} announced {len} bytes and sent {}", self.into.len())))
            }
            _ => Ok(()),
        }
    }
}

/// The rule against a body that trickles for hours: at least so many bytes in each window.
struct Rate {
    bytes_min: u64,
    window: Duration,
    since: Instant,
    bytes: u64,
}

impl Rate {
    fn new(limits: &Limits) -> Rate {
        let (bytes_min, window) = (limits.window_bytes_min, limits.window);
        Rate { bytes_min, window, since: Instant::now(), bytes: 0 }
    }

    /// What was wrong with the window that this chunk closes.
    fn count(&mut self, len: u64, now: Instant) -> Option<String> {
        self.bytes += len;
        if now.duration_since(self.since) < self.window {
            return None;
        }
        let slow = self.bytes < self.bytes_min;
        let text = format!("{} bytes in {} s", self.bytes, self.window.as_secs());
        (self.since, self.bytes) = (now, 0);
        slow.then_some(text)
    }
}

fn passing(why: String) -> Trouble {
    Trouble::Again { why, when_exhausted: Exhausted::Passing, at_least: Duration::ZERO }
}

/// A request that was not answered.
fn silence(host: &str, error: &reqwest::Error) -> Silence {
    let cause = cause(error);
    if error.is_connect() {
        let why = format!("cannot connect to {host}: {cause}");
        return Silence::NoConnection { why, forged: is_forged(error) };
    }
    let why = if error.is_timeout() {
        format!("{host} did not answer in time")
    } else {
        format!("{host} did not answer: {cause}")
    };
    Silence::Trouble(passing(why))
}

/// The deepest cause: the one a person can act on. It holds no address.
fn cause(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    // Chains of causes are short; the bound only keeps a library's loop from becoming ours.
    for _ in 0..16 {
        match deepest.source() {
            Some(source) => deepest = source,
            None => break,
        }
    }
    crate::channel::shown(&deepest.to_string())
}

/// Whether the other side showed a certificate that is not its own. An `io::Error` does not name what it wraps as its
/// source, so both ways down are walked.
fn is_forged(error: &(dyn Error + 'static)) -> bool {
    let tls = error.downcast_ref::<rustls::Error>();
    if matches!(tls, Some(rustls::Error::InvalidCertificate(_))) {
        return true;
    }
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    wrapped.is_some_and(|inner| is_forged(inner)) || error.source().is_some_and(is_forged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_a_reply_that_mean_this_machine_or_its_link() {
        for (ip, inside) in [
            ("127.0.0.1", true),
            ("127.8.8.8", true),
            ("0.0.0.0", true),
            ("0.1.2.3", true),
            ("169.254.169.254", true),
            ("224.0.0.1", true),
            ("255.255.255.255", true),
            ("::1", true),
            ("::", true),
            ("::ffff:127.0.0.1", true),
            ("::ffff:169.254.169.254", true),
            ("fe80::1", true),
            ("ff02::1", true),
            ("203.0.113.7", false),
            ("10.0.0.7", false),
            ("2001:db8::7", false),
        ] {
            assert_eq!(is_inside(ip.parse().unwrap()), inside, "{ip}");
        }
    }
    #[test]
    fn a_body_that_trickles_is_cut_off_and_a_slow_start_is_not() {
        let start = Instant::now();
        let rate = || Rate { bytes_min: 1000, window: Duration::from_secs(60), since: start, bytes: 0 };
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut trickle = rate();
        assert_eq!(trickle.count(1, at(1)), None);
        assert_eq!(trickle.count(1, at(59)), None);
        assert_eq!(trickle.count(1, at(60)).as_deref(), Some("3 bytes in 60 s"));
        let mut enough = rate();
        assert_eq!(enough.count(999, at(30)), None);
        assert_eq!(enough.count(1, at(60)), None, "exactly the least");
        assert!(enough.count(999, at(120)).is_some(), "every window counts by itself");
    }
}

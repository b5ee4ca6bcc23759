//! The desks without a socket: the same answers, for simulated nights, where sockets would cost more than the night.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::day::SimulatedDay;
use super::desk;
use super::mishap::Rule;
use super::server::House;

/// The providers of a simulated day.
pub struct Desks(House);

/// What a desk said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The line breaks in the middle of the body.
    pub cut: bool,
}

impl Desks {
    /// `addr` is where the addresses that are handed out seem to lead; nobody listens there.
    pub fn new(day: Arc<SimulatedDay>, rules: Vec<Rule>, addr: SocketAddr) -> Desks {
        Desks(House::new(day, rules, addr))
    }

    /// Answers a request to `url`, whose host is not looked at. A pause is not kept.
    pub fn answer(&self, method: &str, url: &str, headers: &[(&'static str, String)], body: &[u8]) -> Said {
        let pairs = headers.iter().filter_map(|(name, value)| {
            Some((HeaderName::try_from(*name).ok()?, HeaderValue::from_str(value).ok()?))
        });
        let headers: HeaderMap = pairs.collect();
        let target = url.split_once("://").map_or(url, |(_, rest)| rest);
        let target = target.find('/').map_or("/", |at| &target[at..]);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let call = desk::Call { method, path, query, headers: &headers, body };
        let (status, headers, body, cut) = desk::answer(&self.0, &call).into_parts();
        Said { status, headers, body: body.to_vec(), cut }
    }
}

//! The providers' desks on loopback: one HTTP server for WeChat Pay, Alipay's gateway and its downloads, and the
//! payment gateway of the malls.
//!
//! It listens on 127.0.0.1 only. Statements are written once and kept; time passes as on the machine's clock, and
//! [`Running::advance`] makes it pass faster.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::day::SimulatedDay;
use super::mishap::{Desk, Mishap, Rule, Spoil, ZipTrouble};
use super::paper::{self, Paper, gzip};
use super::town::{ACCOUNTS, SimAccount};
use super::{desk, numbers};
use crate::domain::BillDate;

/// How long a download address lives: Alipay's, and WeChat's by its older documents (`spec/alipay.md` 1.6,
/// `spec/wechat.md` 3.1).
const ADDRESS_LIFE: Duration = Duration::from_secs(30);
/// How long [`Running::shutdown`] waits for answers under way before it drops them.
const PATIENCE: Duration = Duration::from_secs(2);

/// A running sandbox. Dropping it stops it.
pub struct Running {
    pub addr: SocketAddr,
    house: Arc<House>,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<io::Result<()>>,
}

/// Starts the providers of a simulated day. Port 0 takes a free one.
///
/// # Errors
///
/// If the port cannot be had.
pub async fn start(day: Arc<SimulatedDay>, rules: Vec<Rule>, port: u16) -> io::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let addr = listener.local_addr()?;
    let house = Arc::new(House::new(day, rules, addr));
    let desks = Router::new().fallback(receive).with_state(Arc::clone(&house));
    let (stop, stopped) = oneshot::channel::<()>();
    // A dropped sender means the same as a sent word: the end.
    let until_stopped = async move { drop(stopped.await) };
    let serving = axum::serve(listener, desks).with_graceful_shutdown(until_stopped);
    let task = tokio::spawn(async move { serving.await });
    Ok(Running { addr, house, stop: Some(stop), task })
}

impl Running {
    /// `http://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Lets time pass at the desks: addresses expire sooner.
    pub fn advance(&self, time: Duration) {
        self.house.ahead_seconds.fetch_add(time.as_secs(), Ordering::Relaxed);
    }

    /// Well-signed requests so far at a desk, for an account's bill of a date.
    pub fn tries(&self, desk: Desk, account: &str, date: BillDate) -> u32 {
        let Some(place) = self.house.account(|known| known.name == account) else { return 0 };
        lock(&self.house.tries).get(&(desk, place, date)).copied().unwrap_or(0)
    }

    /// Writes every statement now, so that no later answer waits for it.
    pub async fn prepare(&self) {
        let house = Arc::clone(&self.house);
        let prepared = tokio::task::spawn_blocking(move || house.write_all());
        drop(prepared.await);
    }

    /// Stops listening, and waits shortly for answers under way.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        if tokio::time::timeout(PATIENCE, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn receive(
    State(house): State<Arc<House>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answering = move || {
        let (method, path, query) = (method.as_str(), uri.path(), uri.query().unwrap_or(""));
        desk::answer(&house, &desk::Call { method, path, query, headers: &headers, body: &body })
    };
    let answered = tokio::task::spawn_blocking(answering).await;
    let answer = answered.unwrap_or_else(|_| Answer::status(500, "the sandbox itself failed"));
    if !answer.pause.is_zero() {
        // Not waiting *for* anything: a provider that is slow (`Mishap::Slow`) is what is simulated, so the wait is the answer.
        tokio::time::sleep(answer.pause).await;
    }
    answer.into_response()
}

/// What a desk says.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(header::HeaderName, String)>,
    body: Bytes,
    /// The connection breaks in the middle of the body.
    cut: bool,
    /// The body comes this many times, and says nothing about its length.
    endless: Option<u32>,
    pause: Duration,
}

impl Answer {
    pub(super) fn ok(content_type: &str, body: Bytes) -> Answer {
        let headers = vec![(header::CONTENT_TYPE, content_type.to_owned())];
        Answer { status: 200, headers, body, cut: false, endless: None, pause: Duration::ZERO }
    }

    /// The same answer with another status.
    pub(super) fn with_status(self, status: u16) -> Answer {
        Answer { status, ..self }
    }

    /// The same answer with one more header. The name is in lower case.
    pub(super) fn with_header(mut self, name: &'static str, value: String) -> Answer {
        self.headers.push((header::HeaderName::from_static(name), value));
        self
    }

    pub(super) fn status(status: u16, words: &'static str) -> Answer {
        Answer { status, ..Answer::ok("text/plain; charset=utf-8", Bytes::from_static(words.as_bytes())) }
    }

    /// The answer as it arrives after a mishap of transport.
    pub(super) fn after(self, mishap: Option<Mishap>) -> Answer {
        match mishap {
            Some(Mishap::Status(status)) => Answer::status(status, "the server has a bad day"),
            Some(Mishap::TooMany { retry_after_seconds }) => {
                let mut answer = Answer::status(429, "too many requests");
                answer.headers.push((header::RETRY_AFTER, retry_after_seconds.to_string()));
                answer
            }
            Some(Mishap::Slow(pause)) => Answer { pause, ..self },
            Some(Mishap::CutShort) => Answer { cut: true, ..self },
            Some(Mishap::Html) => {
                let page = "<!DOCTYPE html><html><body><h1>系统繁忙，请稍后再试</h1></body></html>";
                Answer::ok("text/html;charset=utf-8", Bytes::from(page))
            }
            Some(Mishap::ZeroBytes) => Answer { body: Bytes::new(), ..self },
            Some(Mishap::Redirect) => Answer::moved("/elsewhere"),
            Some(Mishap::RedirectTo(address)) => Answer::moved(address),
            other => self.garbled(other),
        }
    }

    /// The answer after a mishap that leaves a status of success.
    fn garbled(self, mishap: Option<Mishap>) -> Answer {
        let half = self.body.slice(..self.body.len() / 2);
        match mishap {
            Some(Mishap::Partial) => Answer { status: 206, body: half, ..self },
            Some(Mishap::Huge { mebibytes }) => {
                Answer { endless: Some(mebibytes), body: Bytes::from(vec![b' '; 1 << 20]), ..self }
            }
            Some(Mishap::StackTrace) => {
                let words = "System.NullReferenceException: 未将对象引用设置到对象的实例。\r\n                                在 TTPay.Service1.Process(String request)\r\n";
                Answer::ok("text/html;charset=utf-8", Bytes::from(words))
            }
            Some(Mishap::JsonError) => {
                let words = "{\"code\":\"SYSTEM_ERROR\",\"message\":\"系统异常，请稍后重试\"}";
                Answer::ok("application/json; charset=utf-8", Bytes::from(words))
            }
            Some(mishap) => match gzip::spoiled(&self.body, mishap) {
                Some(body) => Answer { body: Bytes::from(body), ..self },
                None => self,
            },
            None => self,
        }
    }

    fn moved(address: &str) -> Answer {
        let mut answer = Answer::status(302, "it has moved");
        answer.headers.push((header::LOCATION, address.to_owned()));
        answer
    }

    /// The answer as values, for who asks without a socket: status, headers, body, and whether the line breaks in it.
    pub(super) fn into_parts(self) -> (u16, Vec<(String, String)>, Bytes, bool) {
        let headers =
            self.headers.into_iter().map(|(name, value)| (name.as_str().to_owned(), value)).collect();
        (self.status, headers, self.body, self.cut)
    }

    fn into_response(self) -> Response {
        // No content has no length either.
        let length = if self.status == 204 { None } else { Some(self.body.len()) };
        let body = match (self.endless, length) {
            (Some(times), _) => repeated(&self.body, times),
            (None, None) => Body::empty(),
            (None, Some(_)) if self.cut => broken(&self.body),
            (None, Some(_)) => Body::from(self.body),
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        if let Some(length) = length.filter(|_| self.endless.is_none()) {
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        response
    }
}

/// A piece of a body again and again, as fast as it is taken.
fn repeated(piece: &Bytes, times: u32) -> Body {
    let piece = piece.clone();
    Body::from_stream(stream::iter((0..times).map(move |_| Ok::<Bytes, io::Error>(piece.clone()))))
}

/// Half of a body, and then the end of the connection. In between the server gets its turn to send the half.
fn broken(body: &Bytes) -> Body {
    let half = body.slice(..body.len() / 2);
    let broke = async {
        tokio::task::yield_now().await;
        Err(io::Error::new(io::ErrorKind::ConnectionAborted, "a scripted fault"))
    };
    Body::from_stream(stream::once(async { Ok(half) }).chain(stream::once(broke)))
}

/// Which statement, and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Want {
    pub(super) account: u8,
    pub(super) date: BillDate,
    pub(super) paper: Paper,
    /// All sub-merchants of a service provider.
    pub(super) whole: bool,
    pub(super) content: Content,
    /// WeChat's text in gzip.
    pub(super) gzip: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Content {
    True,
    Emptied,
    OtherMerchant,
    OtherDay,
    TotalsOff,
    Torn,
    TotalsMissing,
    TotalsTwice,
    CountOff,
    UnknownState,
    OddAmount,
    RenamedColumn,
    Utf16,
    BalanceOff,
    Revised,
    LongLine,
    NulByte,
    Spoiled(Spoil),
    Zip(ZipTrouble),
}

impl Content {
    pub(super) fn after(mishap: Option<Mishap>) -> Content {
        match mishap {
            Some(Mishap::OtherMerchant) => Content::OtherMerchant,
            Some(Mishap::OtherDay) => Content::OtherDay,
            Some(Mishap::TotalsOff) => Content::TotalsOff,
            Some(Mishap::Torn) => Content::Torn,
            Some(Mishap::TotalsMissing) => Content::TotalsMissing,
            Some(Mishap::TotalsTwice) => Content::TotalsTwice,
            Some(Mishap::CountOff) => Content::CountOff,
            Some(Mishap::UnknownState) => Content::UnknownState,
            Some(Mishap::OddAmount) => Content::OddAmount,
            Some(Mishap::RenamedColumn) => Content::RenamedColumn,
            Some(Mishap::Utf16) => Content::Utf16,
            Some(Mishap::BalanceOff) => Content::BalanceOff,
            Some(Mishap::Revised) => Content::Revised,
            Some(Mishap::LongLine) => Content::LongLine,
            Some(Mishap::NulByte) => Content::NulByte,
            Some(Mishap::Spoiled(spoil)) => Content::Spoiled(spoil),
            Some(Mishap::Zip(trouble)) => Content::Zip(trouble),
            _ => Content::True,
        }
    }
}

/// An address that was handed out.
#[derive(Debug, Clone, Copy)]
struct Ticket {
    want: Want,
    issued: Instant,
}

/// What all desks share.
pub(super) struct House {
    day: Arc<SimulatedDay>,
    rules: Vec<Rule>,
    addr: SocketAddr,
    ahead_seconds: AtomicU64,
    tickets_issued: AtomicU64,
    tickets: Mutex<HashMap<String, Ticket>>,
    tries: Mutex<HashMap<(Desk, u8, BillDate), u32>>,
    statements: Mutex<HashMap<Want, Option<Bytes>>>,
}

impl House {
    pub(super) fn new(day: Arc<SimulatedDay>, rules: Vec<Rule>, addr: SocketAddr) -> House {
        House {
            day,
            rules,
            addr,
            ahead_seconds: AtomicU64::new(0),
            tickets_issued: AtomicU64::new(0),
            tickets: Mutex::default(),
            tries: Mutex::default(),
            statements: Mutex::default(),
        }
    }

    pub(super) fn day(&self) -> &SimulatedDay {
        &self.day
    }

    /// `127.0.0.1:port`
    pub(super) fn origin(&self) -> String {
        self.addr.to_string()
    }

    /// A simulated account.
    pub(super) fn account(&self, is_it: impl Fn(&SimAccount) -> bool) -> Option<u8> {
        self.day.accounts.iter().copied().find(|&account| is_it(&ACCOUNTS[usize::from(account)]))
    }

    /// Counts a try and says what goes wrong with it.
    pub(super) fn mishap(&self, desk: Desk, account: u8, date: BillDate) -> Option<Mishap> {
        let number = {
            let mut tries = lock(&self.tries);
            let number = tries.entry((desk, account, date)).or_insert(0);
            *number += 1;
            *number
        };
        let name = ACCOUNTS[usize::from(account)].name;
        self.rules.iter().find(|rule| rule.fits(desk, name, date, number)).map(|rule| rule.mishap)
    }

    /// A statement's bytes; `None` for a day without movements. Written on the first request.
    pub(super) fn statement(&self, want: Want) -> Option<Bytes> {
        if let Some(known) = lock(&self.statements).get(&want) {
            return known.clone();
        }
        let written = paper::write(&self.day, want).map(Bytes::from);
        lock(&self.statements).entry(want).or_insert(written).clone()
    }

    fn write_all(&self) {
        for &account in &self.day.accounts {
            let paper = paper::of(&ACCOUNTS[usize::from(account)]);
            let gzip = paper == Paper::WechatBill && ACCOUNTS[usize::from(account)].channel != "ttpay";
            for date in self.day.dates() {
                let want = Want { account, date, paper, whole: false, content: Content::True, gzip };
                self.statement(want);
            }
        }
    }

    /// Hands out an address; returns its token and running number.
    pub(super) fn issue(&self, want: Want) -> (String, u64) {
        let number = self.tickets_issued.fetch_add(1, Ordering::Relaxed);
        let token = format!(
            "{:016x}{:016x}",
            numbers::mix(self.day.seed, number, 11),
            numbers::mix(self.day.seed, number, 12)
        );
        lock(&self.tickets).insert(token.clone(), Ticket { want, issued: self.now() });
        (token, number)
    }

    /// What an address stands for, once and only in time.
    pub(super) fn redeem(&self, token: &str) -> Option<Want> {
        let ticket = lock(&self.tickets).remove(token)?;
        let age = self.now().saturating_duration_since(ticket.issued);
        (age <= ADDRESS_LIFE).then_some(ticket.want)
    }

    /// What an address stands for, as often as it is asked in time.
    pub(super) fn look_up(&self, token: &str) -> Option<Want> {
        let ticket = *lock(&self.tickets).get(token)?;
        let age = self.now().saturating_duration_since(ticket.issued);
        (age <= ADDRESS_LIFE).then_some(ticket.want)
    }

    fn now(&self) -> Instant {
        Instant::now() + Duration::from_secs(self.ahead_seconds.load(Ordering::Relaxed))
    }
}

/// A poisoned lock means that another request panicked; what it guards here is never half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

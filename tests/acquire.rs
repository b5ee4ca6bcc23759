//! The engine against real sockets, files and a real archive: what heals, what does not, and what is left behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must end")]

#[path = "common/wire.rs"]
mod wire;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nightjob::acquire::{
    Acquired, Acquirer, Archive, Limits, Partial, Progress, Received, Reply, Status, Tell, Transport, Trouble,
};
use nightjob::channel::{
    self, ASKS_MAX, Ask, FileAsk, Heard, Inquiry, Judged, Request, Room, Statements, Step, keys, sign,
};
use nightjob::config::HttpSettings;
use nightjob::domain::{
    Account, Bill, BillDate, Clock, Currency, EntryKind, Errand, Exit, Failure, Moment, PayType, Secret,
    Stamp,
};
use nightjob::format::ReadError;
use tempfile::TempDir;
use wire::{Answer, Server, http, raw};

const BILL: &[u8] = include_bytes!("../fixtures/wechat_v2/plain_text/bill.csv");
const ZIP: &[u8] = include_bytes!("../fixtures/alipay_open/ordinary_day/bill.csv.zip");
const PAGE: &[u8] = b"<html><body>busy</body></html>";

fn limits(tries: u32) -> Limits {
    let http = HttpSettings {
        pause: Duration::from_secs(1),
        connect_timeout: Duration::from_secs(5),
        idle_timeout: Duration::from_secs(5),
        tries,
        rate_per_second: 2.0,
    };
    let instant = Duration::from_millis(1);
    Limits { pause_min: instant, pause_max: instant, asked_pause_max: instant, ..Limits::new(&http) }
}

fn clock() -> Clock {
    Clock::Fixed(Moment::parse("2024-05-09 10:30:00").unwrap())
}

fn key(file: &str) -> Secret {
    Secret::new(fs::read_to_string(Path::new("fixtures/test_keys").join(file)).unwrap())
}

fn account(channel: &str, options: &[(&str, &str)]) -> Account {
    let mut account = Account {
        name: "mall".into(),
        pay_type: Some(PayType::Wx),
        channel: channel.into(),
        merchant: "1900012345".into(),
        bills: vec![Bill::Trade],
        ..Account::default()
    };
    account.options = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    for (name, secret) in [
        ("key", Secret::new("a7F3kQ9zT2mX8vB6nC4wL1pR5sJ0hDyE")),
        ("private_key", key("merchant_2048.pkcs8.pem")),
        ("alipay_public_key", key("alipay_2048.spki.pem")),
    ] {
        account.secrets.insert(name.into(), secret);
    }
    account
}

fn errand(account: Account) -> Errand {
    let date = if account.channel == "alipay_open" { "20240502" } else { "20240507" };
    Errand { account: Arc::new(account), date: BillDate::parse(date).unwrap(), bill: Bill::Trade }
}

/// A house with an archive of its own.
struct House {
    home: TempDir,
    archive: Arc<Archive>,
    limits: Limits,
    pauses: Mutex<Vec<Duration>>,
}

impl House {
    fn new(limits: Limits) -> House {
        let home = tempfile::tempdir().unwrap();
        let archive = Arc::new(Archive::open(&home.path().join("archive")).unwrap());
        House { home, archive, limits, pauses: Mutex::default() }
    }

    async fn acquire(&self, room: &Room, errand: &Errand) -> Result<Acquired, Failure> {
        let engine =
            Acquirer::with_limits(self.limits.clone(), Arc::clone(&self.archive), self.home.path(), clock());
        let tell = |progress: Progress<'_>| {
            if let Progress::Pausing { pause, .. } = progress {
                self.pauses.lock().unwrap().push(pause);
            }
        };
        let outcome = engine.acquire(room, errand, &tell).await;
        let left = fs::read_dir(self.home.path().join("archive/partial")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "nothing half-written is left behind");
        outcome
    }

    async fn wechat(&self, server: &Server) -> Result<Acquired, Failure> {
        let account = account("wechat_v2", &[("app_id", "wx0123456789abcdef"), ("url", &server.url())]);
        self.acquire(channel::room("wechat_v2").unwrap(), &errand(account)).await
    }

    fn statuses(&self) -> Vec<Status> {
        self.archive.index().unwrap().into_iter().map(|line| line.status).collect()
    }
}

fn statement(outcome: Result<Acquired, Failure>) -> Received {
    match outcome {
        Ok(Acquired::Statement(received)) => received,
        other => panic!("{other:?}"),
    }
}

fn exit(outcome: &Result<Acquired, Failure>) -> Exit {
    outcome.as_ref().expect_err("a failure").exit
}

#[tokio::test]
async fn what_passes_heals_inside_the_run() {
    let cut = [raw(200, &[], BILL)[..300].to_vec(), Vec::new()].concat();
    for (name, trouble) in [
        ("500", http(500, &[], b"oops")),
        ("502", http(502, &[], PAGE)),
        ("408", http(408, &[], b"")),
        ("429", http(429, &["retry-after: 0"], b"")),
        ("503 without an end", http(503, &["retry-after: Wed, 21 Oct 2095 07:28:00 GMT"], b"")),
        ("a page with 200", http(200, &["content-type: text/html"], PAGE)),
        ("nothing with 200", http(200, &[], b"")),
        ("cut short", Answer::Bytes(cut)),
        ("closed at once", Answer::Bytes(Vec::new())),
        ("not HTTP", Answer::Bytes(b"SSH-2.0-x\r\n".to_vec())),
        (
            "lying chunks",
            Answer::Bytes(b"HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\nff\r\nab".to_vec()),
        ),
    ] {
        let house = House::new(limits(2));
        let server = Server::start(vec![trouble, http(200, &[], BILL)]).await;
        let received = statement(house.wechat(&server).await);
        assert_eq!((received.tries, server.requests()), (2, 2), "{name}");
        assert!(received.authenticated, "{name}: loopback needs no TLS");
        assert_eq!(house.archive.read(&received.sha256).unwrap(), BILL, "{name}");
        assert_eq!(house.statuses().last(), Some(&Status::Statement), "{name}");
        assert_eq!(received.source, format!("POST {}/pay/downloadbill", server.url()));
    }
}

#[tokio::test]
async fn what_does_not_pass_ends_after_all_tries() {
    for (name, make, expected) in [
        ("500", (|| http(500, &[], b"")) as fn() -> Answer, Exit::Passing),
        ("429", || http(429, &["retry-after: 315360000"], b""), Exit::Passing),
        ("cut short", || Answer::Bytes(raw(200, &[], BILL)[..300].to_vec()), Exit::Passing),
        ("a page with 200", || http(200, &[], PAGE), Exit::Rejected),
    ] {
        let house = House::new(limits(3));
        let server = Server::start((0..9).map(|_| make()).collect()).await;
        let outcome = house.wechat(&server).await;
        assert_eq!((exit(&outcome), server.requests()), (expected, 3), "{name}");
        let message = outcome.unwrap_err().message;
        assert!(message.contains("127.0.0.1") && message.ends_with("(3 tries)"), "{name}: {message}");
    }
}

#[tokio::test]
async fn what_is_final_is_not_asked_again() {
    for (name, answer, expected, status) in [
        ("401", http(401, &[], b"who"), Exit::Refused, Status::Refused),
        ("403", http(403, &[], b"no"), Exit::Refused, Status::Refused),
        ("404", http(404, &[], b"no"), Exit::Refused, Status::Refused),
        ("301", http(301, &["location: http://127.0.0.1:9/x"], b"gone"), Exit::Rejected, Status::Rejected),
        ("302", http(302, &["location: https://127.0.0.1/x"], b"gone"), Exit::Rejected, Status::Rejected),
        ("307", http(307, &["location: /x"], b"gone"), Exit::Rejected, Status::Rejected),
    ] {
        let house = House::new(limits(3));
        let server = Server::start(vec![answer, http(200, &[], BILL)]).await;
        let outcome = house.wechat(&server).await;
        assert_eq!((exit(&outcome), server.requests()), (expected, 1), "{name}");
        assert_eq!(house.statuses(), [Status::Received, status], "{name}: it stays, marked");
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left() {
    let half = raw(200, &[], BILL)[..300].to_vec();
    for (name, answer) in
        [("from the start", Answer::Silence(Vec::new())), ("amid the bill", Answer::Silence(half))]
    {
        let idle = Limits { idle_timeout: Duration::from_millis(30), ..limits(1) };
        let house = House::new(idle);
        let server = Server::start(vec![answer]).await;
        assert_eq!(exit(&house.wechat(&server).await), Exit::Passing, "{name}");
    }
    let total = Limits { file_total: Duration::from_millis(30), ..limits(1) };
    let house = House::new(total);
    let server = Server::start(vec![Answer::Silence(Vec::new())]).await;
    let message = house.wechat(&server).await.unwrap_err().message;
    assert!(message.contains("was not done after"), "{message}");
}

#[tokio::test]
async fn no_body_is_larger_than_a_bill_can_be() {
    let size = BILL.len() as u64;
    let chunked = |body: &[u8]| {
        let head = format!("HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n", body.len());
        Answer::Bytes([head.as_bytes(), body, b"\r\n0\r\n\r\n"].concat())
    };
    for (name, bytes_max, answer, fits) in [
        ("one less", size + 1, http(200, &[], BILL), true),
        ("exactly", size, http(200, &[], BILL), true),
        ("one more", size - 1, http(200, &[], BILL), false),
        ("exactly, in chunks", size, chunked(BILL), true),
        ("one more, in chunks", size - 1, chunked(BILL), false),
        (
            "announced only",
            size,
            Answer::Bytes(b"HTTP/1.1 200 x\r\ncontent-length: 50000000000\r\n\r\n".into()),
            false,
        ),
    ] {
        let house = House::new(Limits { bill_bytes_max: bytes_max, ..limits(3) });
        let server = Server::start(vec![answer]).await;
        let outcome = house.wechat(&server).await;
        assert_eq!(outcome.as_ref().err().map(|f| f.exit), (!fits).then_some(Exit::Rejected), "{name}");
        assert_eq!(server.requests(), 1, "{name}");
    }
}

#[tokio::test]
async fn nobody_listens() {
    let house = House::new(limits(2));
    let server = Server::start(vec![]).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let nobody = Server { port: closed, heard: Arc::clone(&server.heard) };
    let failure = house.wechat(&nobody).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Passing);
    assert!(failure.message.starts_with("cannot connect to 127.0.0.1: "), "{}", failure.message);
}

#[tokio::test]
async fn pauses_are_as_long_as_asked_and_no_longer_than_bearable() {
    let asked = Limits { asked_pause_max: Duration::from_millis(7), ..limits(3) };
    let house = House::new(asked);
    let again = || http(429, &["retry-after: 315360000"], b"");
    let server = Server::start(vec![again(), http(500, &[], b""), http(200, &[], BILL)]).await;
    statement(house.wechat(&server).await);
    assert_eq!(*house.pauses.lock().unwrap(), [Duration::from_millis(7), Duration::from_millis(1)]);
}

#[tokio::test]
async fn a_question_about_one_order_waits_as_long_as_it_is_asked_to() {
    let house = House::new(Limits { asked_pause_max: Duration::from_millis(7), ..limits(3) });
    let server =
        Server::start(vec![http(429, &["retry-after: 60"], b""), http(500, &[], b""), http(403, &[], b"")])
            .await;
    let wechat = account("wechat_v2", &[("app_id", "wx0123456789abcdef"), ("url", &server.url())]);
    let Errand { account, date, .. } = errand(wechat);
    let inquiry = Inquiry {
        account,
        date,
        kind: EntryKind::Payment,
        order_no: "A1".into(),
        refund_no: String::new(),
        trade_no: String::new(),
        amount_minor: Some(999),
        currency: Currency::CNY,
        logged_at: date.start(),
        wallet: String::new(),
    };
    let queries = channel::room("wechat_v2").unwrap().queries.unwrap();
    let archive = Arc::clone(&house.archive);
    let engine = Acquirer::with_limits(house.limits.clone(), archive, house.home.path(), clock());
    let tell = |progress: Progress<'_>| {
        if let Progress::Pausing { pause, .. } = progress {
            house.pauses.lock().unwrap().push(pause);
        }
    };
    let answered = engine.inquire(&queries, &inquiry, &tell).await.unwrap();
    assert!(matches!(answered.judged, Judged::Refused(_)), "{:?}", answered.judged);
    assert_eq!(*house.pauses.lock().unwrap(), [Duration::from_millis(7), Duration::from_millis(1)]);
}

/// A reply of the gateway, signed as Alipay signs.
fn address(url: &str) -> Vec<u8> {
    let node =
        format!(r#"{{"code":"10000","msg":"Success","bill_download_url":"{}"}}"#, url.replace('/', "\\/"));
    let key = keys::private(&key("alipay_2048.pkcs8.pem")).unwrap();
    let sign = sign::alipay(node.as_bytes(), &key, sign::AlipaySign::Rsa2).unwrap();
    format!(r#"{{"alipay_data_dataservice_bill_downloadurl_query_response":{node},"sign":"{sign}"}}"#)
        .into_bytes()
}

#[tokio::test]
async fn an_expired_address_is_asked_for_again_and_its_token_is_nowhere() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let first = address(&format!("http://{host}/file?token=first7f3a"));
    let second = address(&format!("http://{host}/file?token=second9c1e"));
    let answers =
        vec![http(200, &[], &first), http(200, &[], PAGE), http(200, &[], &second), http(200, &[], ZIP)];
    let server = Server::on(listener, answers);
    let house = House::new(limits(2));
    let options = [("app_id", "2014900000000011"), ("url", &server.url()), ("download_hosts", &host)];
    let mut account = account("alipay_open", &options);
    account.merchant = "2088900000000018".into();
    let errand = errand(account);
    let room = channel::room("alipay_open").unwrap();
    let received = statement(house.acquire(room, &errand).await);
    assert_eq!((received.tries, server.requests()), (2, 4));
    assert_eq!(received.source, format!("GET http://{host}/file"));
    let heard = server.heard.lock().unwrap();
    assert!(heard[0].starts_with(b"POST /gateway.do?charset=utf-8 "));
    assert!(
        heard[1].starts_with(b"GET /file?token=first7f3a ")
            && heard[3].starts_with(b"GET /file?token=second9c1e ")
    );
    let index = fs::read_to_string(house.home.path().join("archive/index.jsonl")).unwrap();
    assert!(!index.contains("first7f3a") && !index.contains("second9c1e"), "{index}");
    let statement = channel::read(room, &errand, house.archive.read(&received.sha256).unwrap()).unwrap();
    assert_eq!(statement.entries().len(), 4);
}

/// A room whose questions are options of its account.
static ODD: Room = Room {
    code: "odd",
    pay_types: &[],
    bills: &[],
    needs: &[],
    check: |_| Ok(()),
    statements: Some(Statements {
        next: |errand, heard, _| match heard {
            [] => {
                let mut request = Request::new("GET", errand.account.option("url").into(), &errand.account);
                request.plain_url =
                    Some(errand.account.option("plain_url").to_owned()).filter(|url| !url.is_empty());
                request.bill = true;
                request.given = errand.account.option("given") == "true";
                Step::ask(request)
            }
            _ => Step::Statement,
        },
        ..UNREAD
    }),
    queries: None,
};
const UNREAD: Statements = Statements {
    next: |_, _, _| Step::Statement,
    join: None,
    read: |_, _| Err(ReadError::File(String::new())),
    keeps: |_| None,
};

#[tokio::test]
async fn tls_is_never_retried_in_clear() {
    let house = House::new(limits(2));
    let server = Server::start(vec![http(200, &[], BILL), http(200, &[], BILL)]).await;
    let url = format!("https://127.0.0.1:{}/bill", server.port);
    let outcome = house.acquire(&ODD, &errand(account("odd", &[("url", &url)]))).await;
    assert_eq!(exit(&outcome), Exit::Passing);
    let heard = server.heard.lock().unwrap();
    assert_eq!(heard.len(), 2);
    assert!(heard.iter().all(|bytes| bytes.first() == Some(&0x16)), "only TLS greetings were sent");
}

/// Serves TLS with a certificate that nobody trusts, and counts connections.
fn forger() -> (u16, Arc<AtomicUsize>) {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    drop(rustls::crypto::ring::default_provider().install_default());
    let certificate = CertificateDer::from_pem_file("fixtures/test_keys/tls_self_signed.pem").unwrap();
    let key = PrivateKeyDer::from_pem_file("fixtures/test_keys/tls_self_signed.key.pem").unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            drop(connection.complete_io(&mut stream.unwrap()));
        }
    });
    (port, count)
}

#[tokio::test]
async fn the_plain_address_is_for_those_who_allowed_it_and_never_for_a_forger() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let nobody = format!("https://127.0.0.1:{closed}/bill");
    let (port, greeted) = forger();
    let forged = format!("https://127.0.0.1:{port}/bill");
    for (name, url, allow, works) in [
        ("https is not there, plain is allowed", &nobody, "true", true),
        ("https is not there, plain is not allowed", &nobody, "false", false),
        ("https is somebody else's, plain is allowed", &forged, "true", false),
    ] {
        let house = House::new(limits(1));
        let server = Server::start(vec![http(200, &[], BILL)]).await;
        let plain = format!("{}/bill", server.url());
        let options = [("url", url.as_str()), ("plain_url", &plain), ("allow_plain_http", allow)];
        let outcome = house.acquire(&ODD, &errand(account("odd", &options))).await;
        assert_eq!((outcome.is_ok(), server.requests()), (works, usize::from(works)), "{name}");
        if let Err(failure) = outcome {
            assert_eq!(failure.exit, Exit::Passing, "{name}: {failure}");
            assert_eq!(
                failure.message.contains("`allow_plain_http = true`"),
                allow == "false",
                "{name}: {failure}"
            );
        }
    }
    assert_eq!(greeted.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn plain_http_does_not_leave_this_machine() {
    for url in
        ["http://192.0.2.1/bill", "http://localhost.example/bill", "http://127.1/bill", "ftp://127.0.0.1/b"]
    {
        let house = House::new(limits(3));
        let outcome = house.acquire(&ODD, &errand(account("odd", &[("url", url)]))).await;
        assert_eq!(exit(&outcome), Exit::Config, "{url}");
    }
}

/// A provider that always has one more page, in place of the world.
struct Pages;

impl Transport for Pages {
    async fn send(&self, _: &Ask, into: &mut Partial, _: Tell<'_>) -> Result<Reply, Trouble> {
        into.write(b"page")?;
        Ok(Reply { status: 200, headers: Vec::new(), source: "page".into(), authenticated: true })
    }
}

/// Asks `pages` times, then ends.
fn paging(pages: usize, heard: &[Heard]) -> Step {
    if heard.len() < pages {
        Step::Ask(Ask::File(FileAsk { pattern: "page".into() }))
    } else {
        Step::Statement
    }
}

#[tokio::test]
async fn a_conversation_has_an_end() {
    type Next = fn(&Errand, &[Heard], &Stamp) -> Step;
    for (name, next, expected) in [
        ("nothing was asked", (|_, heard, _| paging(0, heard)) as Next, Some(Exit::Bug)),
        ("the last allowed question", |_, heard, _| paging(ASKS_MAX, heard), None),
        ("one more", |_, heard, _| paging(ASKS_MAX + 1, heard), Some(Exit::Rejected)),
    ] {
        let room = odd(next);
        let folder = tempfile::tempdir().unwrap();
        let archive = Arc::new(Archive::open(folder.path()).unwrap());
        let engine = Acquirer::with_transport(Pages, limits(1), archive, clock());
        let outcome = engine.acquire(&room, &errand(account("odd", &[])), &|_| {}).await;
        assert_eq!(outcome.err().map(|f| f.exit), expected, "{name}");
    }
}

fn odd(next: fn(&Errand, &[Heard], &Stamp) -> Step) -> Room {
    Room { statements: Some(Statements { next, ..UNREAD }), code: "odd", ..ODD }
}

/// A provider that lives in another year.
struct LongAgo;

impl Transport for LongAgo {
    async fn send(&self, _: &Ask, into: &mut Partial, _: Tell<'_>) -> Result<Reply, Trouble> {
        into.write(b"page")?;
        let headers = vec![("date".to_owned(), "Sun, 06 Nov 1994 08:49:37 GMT".to_owned())];
        Ok(Reply { status: 200, headers, source: "page".into(), authenticated: true })
    }
}

#[tokio::test]
async fn a_clock_that_is_off_is_configuration_and_a_replay_is_not() {
    for (clock, expected) in [(Clock::System, Some(Exit::Config)), (clock(), None)] {
        let room = odd(|_, heard, _| paging(1, heard));
        let folder = tempfile::tempdir().unwrap();
        let archive = Arc::new(Archive::open(folder.path()).unwrap());
        let engine = Acquirer::with_transport(LongAgo, limits(3), archive, clock);
        let outcome = engine.acquire(&room, &errand(account("odd", &[])), &|_| {}).await;
        assert_eq!(outcome.err().map(|f| f.exit), expected, "{clock:?}");
    }
}

#[tokio::test]
async fn files_of_a_folder() {
    let house = House::new(Limits { bill_bytes_max: BILL.len() as u64, ..limits(1) });
    let inbox = house.home.path().join("in");
    fs::create_dir_all(inbox.join("20240507_folder.csv")).unwrap();
    let room = channel::room("local_file").unwrap();
    let get = async |path: &str| house.acquire(room, &errand(account("local_file", &[("path", path)]))).await;

    assert_eq!(exit(&get("in/{date}*.txt").await), Exit::NotReady);
    assert_eq!(exit(&get("nowhere/{date}.csv").await), Exit::NotReady);
    assert_eq!(house.statuses(), [], "of what is not there, nothing is archived");
    assert_eq!(exit(&get("in/{date}_folder.csv").await), Exit::Rejected);
    fs::write(inbox.join("20240507.txt"), BILL).unwrap();
    let received = statement(get("in/{date}*.txt").await);
    assert_eq!((received.source.as_str(), received.authenticated), ("in/20240507.txt", false));
    assert_eq!(house.archive.read(&received.sha256).unwrap(), BILL);
    fs::write(inbox.join("20240507_2.txt"), BILL).unwrap();
    let several = get("in/{date}*.txt").await;
    assert_eq!(exit(&several), Exit::Rejected);
    assert!(several.unwrap_err().message.contains("20240507.txt, 20240507_2.txt"));
    fs::write(inbox.join("20240507.big"), [BILL, b"x"].concat()).unwrap();
    assert_eq!(exit(&get("in/{date}.big").await), Exit::Rejected);
}

#[tokio::test]
async fn an_archive_that_cannot_be_written_is_storage() {
    let house = House::new(limits(3));
    fs::remove_dir_all(house.home.path().join("archive/partial")).unwrap();
    let server = Server::start(vec![http(200, &[], BILL)]).await;
    let failure = house.wechat(&server).await.unwrap_err();
    assert_eq!((failure.exit, server.requests()), (Exit::Storage, 0));
    assert!(failure.message.contains("archive/partial"), "{failure}");
}

#[tokio::test]
async fn an_interrupted_download_leaves_nothing() {
    let house = House::new(limits(1));
    let half = raw(200, &[], BILL)[..300].to_vec();
    let server = Server::start(vec![Answer::Silence(half)]).await;
    let waiting = tokio::time::timeout(Duration::from_millis(50), house.wechat(&server)).await;
    assert!(waiting.is_err(), "it was still waiting");
    assert_eq!(fs::read_dir(house.home.path().join("archive/partial")).unwrap().count(), 0);
    assert_eq!(house.statuses(), []);
}

/// WeChat's signature over a reply, as headers.
fn signed_by_wechat(body: &str) -> Vec<String> {
    let seconds = Moment::parse("2024-05-09 10:30:00").unwrap().unix();
    let private = keys::private(&key("wechat_2048.pkcs8.pem")).unwrap();
    let signature = sign::wechatpay(format!("{seconds}\nabc\n{body}\n").as_bytes(), &private).unwrap();
    vec![
        format!("Wechatpay-Timestamp: {seconds}"),
        "Wechatpay-Nonce: abc".into(),
        "Wechatpay-Serial: PUB_KEY_ID_1".into(),
        format!("Wechatpay-Signature: {signature}"),
    ]
}

#[tokio::test]
async fn signed_headers_reach_the_room_and_both_questions_are_signed() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let reply = format!(
        r#"{{"hash_type":"SHA1","hash_value":"{}","download_url":"http://{host}/v3/billdownload/file?token=7f3a"}}"#,
        hex::encode(<sha1::Sha1 as sha1::Digest>::digest(BILL))
    );
    let headers = signed_by_wechat(&reply);
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let answers = vec![http(200, &headers, reply.as_bytes()), http(200, &[], BILL)];
    let server = Server::on(listener, answers);
    let options = [
        ("serial_no", "444F4864EA9B3441"),
        ("public_key_id", "PUB_KEY_ID_1"),
        ("url", &server.url()),
        ("download_hosts", &host),
    ];
    let mut account = account("wechat_v3", &options);
    account.secrets.insert("public_key".into(), key("wechat_2048.spki.pem"));
    let house = House::new(limits(1));
    let room = channel::room("wechat_v3").unwrap();
    let received = statement(house.acquire(room, &errand(account)).await);
    assert_eq!(house.archive.read(&received.sha256).unwrap(), BILL, "the file as it came");
    assert_eq!(
        house.statuses(),
        [Status::Received, Status::Received, Status::Received, Status::Statement],
        "the reply, the file, and the file once it was held to the reply"
    );
    let heard = server.heard.lock().unwrap();
    for (request, target) in
        heard.iter().zip(["/v3/bill/tradebill?bill_date=2024-05-07&", "/v3/billdownload/file?token=7f3a "])
    {
        let text = String::from_utf8_lossy(request);
        assert!(text.starts_with(&format!("GET {target}")), "{text}");
        assert!(
            text.to_ascii_lowercase().contains("\r\nauthorization: wechatpay2-sha256-rsa2048 mchid="),
            "{text}"
        );
    }
    assert_eq!(heard.len(), 2);
}

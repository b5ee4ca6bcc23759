//! A server that wants to know who asks: the merchant's certificate is shown to it, to it only, and never printed.
//!
//! The server's own certificate is trusted by nobody, so the test starts itself again with that certificate as the
//! machine's only root (`SSL_CERT_FILE`), which is how the program would find it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must end")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use nightjob::acquire::{Acquired, Acquirer, Archive, Limits};
use nightjob::channel;
use nightjob::config::HttpSettings;
use nightjob::domain::{Account, Bill, BillDate, Clock, Errand, Exit, Moment, PayType, Secret};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

const FLOW: &[u8] = include_bytes!("../fixtures/format/wechat_fundflow.csv");

fn keys(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/test_keys").join(file)
}

/// Starts this test again, in a process that trusts the server.
fn trusting(name: &str) -> bool {
    const INSIDE: &str = "NIGHTJOB_TEST_TRUSTS";
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([name, "--exact", "--nocapture"]);
    command.env(INSIDE, "1").env("SSL_CERT_FILE", keys("tls_self_signed.pem")).env_remove("SSL_CERT_DIR");
    let output = command.output().unwrap();
    let told =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    false
}

/// What a connection showed: the client's certificate, or nothing if the greeting failed.
type Shown = Option<Vec<u8>>;

/// Serves the fund flow to whoever shows a certificate that wechat_platform issued.
fn server() -> (u16, Receiver<Shown>) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(keys("wechat_platform.pem")).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    let certificate = CertificateDer::from_pem_file(keys("tls_server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(keys("tls_server.key.pem")).unwrap();
    let config =
        ServerConfig::builder().with_client_cert_verifier(verifier).with_single_cert(vec![certificate], key);
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = StreamOwned::new(connection, stream.unwrap());
            let heard = hear(&mut tls);
            let shown = tls.conn.peer_certificates().map(|chain| chain[0].to_vec());
            sender.send(shown.filter(|_| heard)).ok();
            let head =
                format!("HTTP/1.1 200 x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", FLOW.len());
            tls.write_all(&[head.as_bytes(), FLOW].concat()).and_then(|()| tls.flush()).ok();
            tls.conn.send_close_notify();
            tls.flush().ok();
        }
    });
    (port, receiver)
}

/// Reads a request to the end of its XML; false if the other side never got so far.
fn hear(tls: &mut StreamOwned<ServerConnection, std::net::TcpStream>) -> bool {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    while !request.ends_with(b"</xml>") {
        match tls.read(&mut buffer) {
            Ok(got) if got > 0 => request.extend_from_slice(&buffer[..got]),
            _ => return false,
        }
    }
    true
}

fn errand(port: u16, bill: Bill) -> Errand {
    let mut account = Account {
        name: "mall".into(),
        pay_type: Some(PayType::Wx),
        channel: "wechat_v2".into(),
        merchant: "1900012345".into(),
        bills: vec![Bill::Trade, Bill::FundFlow],
        ..Account::default()
    };
    account.options.insert("app_id".into(), "wx0123456789abcdef".into());
    account.options.insert("url".into(), format!("https://127.0.0.1:{port}"));
    account.secrets.insert("key".into(), Secret::new("a7F3kQ9zT2mX8vB6nC4wL1pR5sJ0hDyE"));
    let packed = BASE64_STANDARD.encode(fs::read(keys("apiclient_rc2.p12")).unwrap());
    account.secrets.insert("client_p12".into(), Secret::new(packed));
    Errand { account: Arc::new(account), date: BillDate::parse("20240307").unwrap(), bill }
}

#[tokio::test]
async fn the_certificate_is_shown_where_it_is_asked_for() {
    if !trusting("the_certificate_is_shown_where_it_is_asked_for") {
        return;
    }
    let (port, shown) = server();
    let home = tempfile::tempdir().unwrap();
    let archive = Arc::new(Archive::open(home.path()).unwrap());
    let second = Duration::from_secs(1);
    let http = HttpSettings {
        connect_timeout: 5 * second,
        idle_timeout: 5 * second,
        tries: 1,
        pause: second,
        rate_per_second: 2.0,
    };
    let clock = Clock::Fixed(Moment::parse("2024-03-09 10:30:00").unwrap());
    let engine = Acquirer::with_limits(Limits::new(&http), Arc::clone(&archive), home.path(), clock);
    let room = channel::room("wechat_v2").unwrap();
    let told = Mutex::new(String::new());
    let tell = |progress: nightjob::acquire::Progress<'_>| {
        told.lock().unwrap().push_str(&format!("{progress:?}"));
    };
    // Twice: the second time the client is there already.
    for _ in 0..2 {
        let errand = errand(port, Bill::FundFlow);
        let got = match engine.acquire(room, &errand, &tell).await {
            Ok(Acquired::Statement(got)) => got,
            other => panic!("{other:?}"),
        };
        assert!(got.authenticated);
        let statement = channel::read(room, &errand, archive.read(&got.sha256).unwrap()).unwrap();
        assert_eq!(statement.entries().len(), 5);
        let certificate = shown.recv_timeout(5 * second).unwrap().expect("the merchant's certificate");
        let name = b"1900012345";
        assert!(certificate.windows(name.len()).any(|part| part == name), "issued to the merchant");
    }
    // The trade bill is asked for without it; this server then hangs up.
    let failure = engine.acquire(room, &errand(port, Bill::Trade), &tell).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Passing, "{failure}");
    assert_eq!(shown.recv_timeout(5 * second).unwrap(), None);
    assert!(!told.lock().unwrap().contains("BEGIN"));
}

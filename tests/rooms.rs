//! Every room, held to conversations that a person can read: `fixtures/<room>/<case>/talk.txt`.
//!
//! ```text
//! # why this case is here
//! @ date 2024-03-07                   the errand; also `merchant`, `paytype`, `set KEY VALUE`, `secret KEY VALUE`,
//! @ now 2024-03-09 10:30:00           `key KEY FILE` (of fixtures/test_keys), `show body`
//! > POST https://…/pay/downloadbill   what the room says
//! < 200 bill.csv.gz                   what comes back: status, and the file beside it that holds the body
//! = done                              how it ends; what was read stands in entries.txt
//! ```
//!
//! `NIGHTJOB_BLESS=1` rewrites the lines that the room says, the end and entries.txt; read the difference before
//! you commit it. Each talk is held twice: by the bare room, and by the engine over a recording.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must end")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nightjob::acquire::{Acquired, Acquirer, Archive, Limits, Partial, Reply, Tell, Transport, Trouble};
use nightjob::channel::{self, Ask, Exhausted, HEAD_MAX, Heard, Room, Step};
use nightjob::config::HttpSettings;
use nightjob::domain::{
    Account, Bill, BillDate, Cell, Clock, Errand, Exit, Moment, PayType, Secret, Stamp, Statement, money,
};

/// Cases that every room has; one that cannot happen holds `never.txt` instead, saying why.
const CASES: [&str; 5] = ["ordinary_day", "no_movements", "not_ready", "refused", "torn_file"];

const NONCE: &str = "7c1e9b0d4f6a48e2b3d5906f81a2c4e7";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn key(file: &str) -> Secret {
    let path = fixtures().join("test_keys").join(file);
    Secret::new(fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

/// The account of a room that its talks begin with.
fn account(room: &Room) -> Account {
    let mut account = Account {
        name: "mall".into(),
        channel: room.code.into(),
        bills: vec![Bill::Trade],
        ..Account::default()
    };
    let (pay_type, merchant, options, secrets) = match room.code {
        "alipay_open" => (
            PayType::Ali20,
            "2088900000000018",
            vec![("app_id", "2014900000000011")],
            vec![
                ("private_key", key("merchant_2048.pkcs8.pem")),
                ("alipay_public_key", key("alipay_2048.spki.pem")),
            ],
        ),
        "local_file" => {
            (PayType::Wx, "1900012345", vec![("path", "statements/{paytype}/{merchant}/{date}.csv")], vec![])
        }
        _ => (
            PayType::Wx,
            "1900012345",
            vec![("app_id", "wx0123456789abcdef")],
            vec![("key", Secret::new("a7F3kQ9zT2mX8vB6nC4wL1pR5sJ0hDyE"))],
        ),
    };
    account.pay_type = Some(pay_type);
    account.merchant = merchant.into();
    let defaults = room.needs.iter().filter(|n| !n.secret).map(|n| (n.key, n.default));
    account.options = defaults.chain(options).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    account.secrets = secrets.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    account
}

/// One talk.txt.
struct Talk {
    folder: PathBuf,
    /// Lines that the room does not say: comments and settings, kept as they are.
    preamble: Vec<String>,
    errand: Errand,
    now: Moment,
    show_body: bool,
    /// Status, and the name of the file with the body.
    replies: Vec<(u16, String)>,
    text: String,
}

impl Talk {
    fn read(room: &Room, folder: &Path) -> Talk {
        let text = fs::read_to_string(folder.join("talk.txt")).expect("a talk.txt");
        let mut account = account(room);
        let (mut date, mut now, mut show_body) = (None, None, false);
        let (mut preamble, mut replies) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            match words.as_slice() {
                ["<", status, rest @ ..] => {
                    let status = status.parse().unwrap_or_else(|_| panic!("{folder:?}: {line}"));
                    replies.push((status, rest.join(" ")));
                }
                ["#" | "@", ..] => preamble.push(line.to_owned()),
                [">" | ">>" | "=", ..] => {}
                _ => panic!("{folder:?}: {line}"),
            }
            match words.as_slice() {
                ["@", "date", text] => date = BillDate::parse(text),
                ["@", "now", ..] => now = Moment::parse(&line["@ now ".len()..]),
                ["@", "merchant", text] => account.merchant = (*text).into(),
                ["@", "paytype", text] => account.pay_type = PayType::parse(text),
                ["@", "set", key, value] => drop(account.options.insert((*key).into(), (*value).into())),
                ["@", "secret", name, value] => {
                    drop(account.secrets.insert((*name).into(), Secret::new(*value)))
                }
                ["@", "key", name, file] => drop(account.secrets.insert((*name).into(), key(file))),
                ["@", "show", "body"] => show_body = true,
                ["@", ..] => panic!("{folder:?}: {line}"),
                _ => {}
            }
        }
        (room.check)(&account).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
        let date = date.unwrap_or_else(|| panic!("{folder:?}: no `@ date`"));
        let now = now.unwrap_or_else(|| panic!("{folder:?}: no `@ now`"));
        let errand = Errand { account: Arc::new(account), date, bill: Bill::Trade };
        Talk { folder: folder.to_path_buf(), preamble, errand, now, show_body, replies, text }
    }

    fn body(&self, file: &str) -> Vec<u8> {
        if file.is_empty() {
            return Vec::new();
        }
        fs::read(self.folder.join(file)).unwrap_or_else(|e| panic!("{:?}: {file}: {e}", self.folder))
    }

    /// Holds the conversation with the bare room: the lines of talk.txt as they should be, and what was read.
    fn hold(&self, room: &Room) -> (String, Option<String>) {
        let mut lines = self.preamble.clone();
        let mut heard: Vec<Heard> = Vec::new();
        let mut raw = Vec::new();
        loop {
            let stamp = Stamp { now: self.now, nonce: NONCE.into() };
            let ask = match (room.next)(&self.errand, &heard, &stamp) {
                Step::Ask(ask) => ask,
                end => {
                    assert_eq!(
                        heard.len(),
                        self.replies.len(),
                        "{:?}: not all replies were heard",
                        self.folder
                    );
                    let (words, entries) = self.end(room, end, raw);
                    lines.push(format!("= {words}"));
                    return (lines.join("\n") + "\n", entries);
                }
            };
            lines.extend(said(&ask, self.show_body));
            let Some((status, file)) = self.replies.get(heard.len()) else {
                lines.push("= still asking".into());
                return (lines.join("\n") + "\n", None);
            };
            lines.push(format!("< {status} {file}").trim_end().to_owned());
            raw = self.body(file);
            let head = raw[..raw.len().min(HEAD_MAX)].to_vec();
            let source = source(&ask);
            heard.push(Heard { status: *status, head, len: raw.len() as u64, source, ..Heard::default() });
        }
    }

    fn end(&self, room: &Room, end: Step, raw: Vec<u8>) -> (String, Option<String>) {
        match end {
            Step::Statement => match (room.read)(&self.errand, raw) {
                Ok(statement) => ("done".into(), Some(entries(&statement))),
                Err(error) => (format!("rejected {error}"), None),
            },
            Step::NoMovements => ("no movements".into(), None),
            Step::NotReady(why) => (format!("not ready {why}"), None),
            Step::Refused(why) => (format!("refused {why}"), None),
            Step::Rejected(why) => (format!("rejected {why}"), None),
            Step::Again { why, when_exhausted, at_least_seconds } => {
                let finally = match when_exhausted {
                    Exhausted::Passing => "passing",
                    Exhausted::Refused => "refused",
                    Exhausted::NotReady => "not ready",
                    Exhausted::Rejected => "rejected",
                };
                let pause = if at_least_seconds == 0 {
                    String::new()
                } else {
                    format!(", not before {at_least_seconds} s")
                };
                (format!("again, finally {finally}{pause}: {why}"), None)
            }
            Step::Ask(_) => unreachable!("a question is no end"),
        }
    }
}

fn said(ask: &Ask, show_body: bool) -> Vec<String> {
    match ask {
        Ask::File(file) => vec![format!("> FILE {}", file.pattern)],
        Ask::Http(request) => {
            let mut lines = vec![format!("> {request:?}")];
            let plain = request.plain_url.as_deref().map(channel::bare);
            lines.extend(plain.map(|url| format!(">> or, if it may be plain, {url}")));
            if show_body && !request.body.is_empty() {
                lines.push(format!(">> {}", String::from_utf8_lossy(&request.body)));
            }
            lines
        }
    }
}

fn source(ask: &Ask) -> String {
    match ask {
        Ask::File(file) => file.pattern.clone(),
        Ask::Http(request) => format!("{request:?}"),
    }
}

/// What was read, one movement a line, then the totals that the file states.
fn entries(statement: &Statement) -> String {
    let mut lines = Vec::new();
    for entry in statement.entries() {
        let digits = entry.currency.digits();
        let amount = entry.amount_minor.map_or("?".into(), |minor| money::major(minor, digits));
        let settled = money::major(entry.settled_minor, digits);
        let fee = money::major(entry.fee_e5, money::E5_DIGITS);
        let mut line = format!(
            "{:>3} {} {} {amount} {} settled {settled} fee {fee} {}",
            entry.line,
            entry.kind.as_str(),
            entry.state.as_str(),
            entry.currency,
            entry.happened_at,
        );
        for (name, cell) in [
            ("order", Cell::OrderNo),
            ("refund", Cell::RefundNo),
            ("trade", Cell::TradeNo),
            ("merchant", Cell::Merchant),
            ("sub", Cell::SubMerchant),
            ("store", Cell::Store),
            ("till", Cell::Till),
            ("subject", Cell::Subject),
        ] {
            match statement.cell(entry, cell) {
                "" => {}
                text => line.push_str(&format!(" {name}={text}")),
            }
        }
        lines.push(line);
    }
    for control in statement.controls() {
        lines.push(format!("    {} {}", control.title, control.show(control.stated)));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Compares with a golden file, or writes it.
fn golden(path: &Path, actual: &str, failures: &mut Vec<String>) {
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return;
    }
    if std::env::var_os("NIGHTJOB_BLESS").is_some() {
        fs::write(path, actual).expect("a golden can be written");
    } else {
        failures.push(format!("{}\n--- expected\n{expected}--- actual\n{actual}", path.display()));
    }
}

fn cases(room: &Room) -> Vec<PathBuf> {
    let folder = fixtures().join(room.code);
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("room {} has no fixtures ({}): {e}", room.code, folder.display()))
        .map(|item| item.expect("a case").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_room_has_its_cases() {
    for room in channel::ROOMS {
        for case in CASES {
            let folder = fixtures().join(room.code).join(case);
            let never = fs::read_to_string(folder.join("never.txt")).unwrap_or_default();
            let talk = folder.join("talk.txt").exists();
            assert!(
                talk != (never.trim().len() > 20),
                "{}: a talk.txt, or a never.txt that says why",
                folder.display()
            );
        }
    }
}

#[test]
fn every_room_holds_its_conversations() {
    let mut failures = Vec::new();
    for room in channel::ROOMS {
        for folder in cases(room).iter().filter(|folder| folder.join("talk.txt").exists()) {
            let talk = Talk::read(room, folder);
            let (text, entries) = talk.hold(room);
            golden(&folder.join("talk.txt"), &text, &mut failures);
            match entries {
                Some(entries) => golden(&folder.join("entries.txt"), &entries, &mut failures),
                None => assert!(
                    !folder.join("entries.txt").exists(),
                    "{folder:?}: entries.txt, but nothing is read"
                ),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A recording in place of the world.
struct Recording<'a> {
    talk: &'a Talk,
    heard: Mutex<usize>,
}

impl Transport for Recording<'_> {
    async fn send(&self, ask: &Ask, into: &mut Partial, _: Tell<'_>) -> Result<Reply, Trouble> {
        let turn = {
            let mut heard = self.heard.lock().unwrap();
            *heard += 1;
            *heard - 1
        };
        let (status, file) = &self.talk.replies[turn];
        into.write(&self.talk.body(file))?;
        Ok(Reply { status: *status, headers: Vec::new(), source: source(ask), authenticated: true })
    }
}

fn limits() -> Limits {
    let second = Duration::from_secs(1);
    let http = HttpSettings {
        connect_timeout: second,
        idle_timeout: second,
        tries: 1,
        pause: second,
        rate_per_second: 2.0,
    };
    Limits::new(&http)
}

/// How a talk must end when the engine holds it with a single try.
fn exit_of(end: &str) -> Option<Exit> {
    let ends = [
        ("done", None),
        ("no movements", None),
        ("not ready", Some(Exit::NotReady)),
        ("refused", Some(Exit::Refused)),
        ("again, finally passing", Some(Exit::Passing)),
        ("again, finally refused", Some(Exit::Refused)),
        ("again, finally rejected", Some(Exit::Rejected)),
        ("rejected", Some(Exit::Rejected)),
    ];
    ends.iter().find(|(word, _)| end.starts_with(word)).unwrap_or_else(|| panic!("unknown end `{end}`")).1
}

#[tokio::test]
async fn the_engine_ends_every_conversation_as_the_room_says() {
    for room in channel::ROOMS {
        for folder in cases(room).iter().filter(|folder| folder.join("talk.txt").exists()) {
            let talk = Talk::read(room, folder);
            let end =
                talk.text.lines().find_map(|line| line.strip_prefix("= ")).unwrap_or_default().to_owned();
            let home = tempfile::tempdir().unwrap();
            let archive = Arc::new(Archive::open(home.path()).unwrap());
            let recording = Recording { talk: &talk, heard: Mutex::new(0) };
            let clock = Clock::Fixed(talk.now);
            let engine = Acquirer::with_transport(recording, limits(), Arc::clone(&archive), clock);
            let outcome = engine.acquire(room, &talk.errand, &|_| {}).await;
            // What the room took for the statement is read after it was acquired; the reader may still reject it.
            let (exit, proof) = match outcome {
                Ok(Acquired::Statement(got)) => {
                    match (room.read)(&talk.errand, archive.read(&got.sha256).unwrap()) {
                        Ok(_) => (None, "done"),
                        Err(_) => (Some(Exit::Rejected), "rejected"),
                    }
                }
                Ok(Acquired::NoMovements(_)) => (None, "no movements"),
                Err(failure) => (Some(failure.exit), ""),
            };
            assert_eq!(exit, exit_of(&end), "{folder:?}");
            assert!(end.starts_with(proof), "{folder:?}: {end} / {proof}");
            let lines = archive.index().unwrap();
            let bodies = talk.replies.iter().filter(|(_, file)| !talk.body(file).is_empty()).count();
            let received =
                lines.iter().filter(|line| line.status == nightjob::acquire::Status::Received).count();
            assert_eq!(received, bodies, "{folder:?}: every answer is in the archive's index");
            for line in lines {
                assert_eq!(archive.read(&line.sha256).unwrap().len() as u64, line.bytes, "{folder:?}");
            }
        }
    }
}

/// No message, no request and no index line of any talk holds a key or a token.
#[test]
fn nothing_that_is_said_aloud_holds_a_secret() {
    for room in channel::ROOMS {
        for folder in cases(room).iter().filter(|folder| folder.join("talk.txt").exists()) {
            let talk = Talk::read(room, folder);
            let (text, _) = Talk { show_body: false, preamble: Vec::new(), ..talk }.hold(room);
            for secret in ["a7F3kQ9zT2mX8vB6", "202405BBexampletoken", "0123456789abcdef", "PRIVATE", "sign="]
            {
                assert!(!text.contains(secret), "{folder:?}: `{secret}` in\n{text}");
            }
        }
    }
}

//! Every room, held to conversations that a person can read: `fixtures/<room>/<case>/talk.txt`.
//!
//! ```text
//! # why this case is here
//! @ date 2024-03-07                   the errand; also `merchant`, `paytype`, `bill`, `set KEY VALUE`,
//! @ now 2024-03-09 10:30:00           `secret KEY VALUE`, `key KEY FILE` (of fixtures/test_keys; `file` for a binary
//!                                     one), `without KEY`, `show body`, `show query`
//! > POST https://…/pay/downloadbill   what the room says
//! < 200 bill.csv.gz                   what comes back: status, and the file beside it that holds the body
//! << wechatpay-serial: 5157F09E       a header of it
//! = done                              how it ends; what was read stands in entries.txt
//! ```
//!
//! A room that is asked about orders has, in the same talks, one conversation for each order, begun by
//! `? payment A1 9.99 trade=4200…`. The account that the talks begin with stands in `fixtures/<room>/account.txt`, in
//! `@` lines.
//!
//! `{serial}` in a reply becomes the serial of the question, where a room has one that must be echoed.
//!
//! `NIGHTJOB_BLESS=1` rewrites the lines that the room says, the ends and entries.txt; read the difference before
//! you commit it. Each talk is held twice: by the bare room, and by the engine over a recording.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must end")]

mod believed_alipay;
mod believed_wechat;
mod talk;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nightjob::acquire::{Acquired, Acquirer, Archive, Limits, Partial, Reply, Tell, Transport, Trouble};
use nightjob::channel::{self, Ask, Judged, Room};
use nightjob::config::HttpSettings;
use nightjob::domain::{Clock, Exit};

use talk::{Part, Talk, fixtures, source};

/// Cases that every room has; one that cannot happen holds `never.txt` instead, saying why.
const CASES: [&str; 8] = [
    "ordinary_day",
    "no_movements",
    "not_ready",
    "refused",
    "torn_file",
    "wrong_signature",
    "other_account",
    "other_day",
];

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
    part: &'a Part,
    heard: Mutex<usize>,
}

impl Transport for Recording<'_> {
    async fn send(&self, ask: &Ask, into: &mut Partial, _: Tell<'_>) -> Result<Reply, Trouble> {
        let turn = {
            let mut heard = self.heard.lock().unwrap();
            *heard += 1;
            *heard - 1
        };
        let reply = &self.part.replies[turn];
        into.write(&self.talk.answer(&reply.file, ask))?;
        let headers = reply.headers.clone();
        Ok(Reply { status: reply.status, headers, source: source(ask), authenticated: true })
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
        ("one by one", None),
        ("told", None),
        ("not found", None),
        ("unaskable", None),
        ("not ready", Some(Exit::NotReady)),
        ("refused", Some(Exit::Refused)),
        ("again, finally passing", Some(Exit::Passing)),
        ("again, finally refused", Some(Exit::Refused)),
        ("again, finally rejected", Some(Exit::Rejected)),
        ("again, finally not ready", Some(Exit::NotReady)),
        ("rejected", Some(Exit::Rejected)),
    ];
    ends.iter().find(|(word, _)| end.starts_with(word)).unwrap_or_else(|| panic!("unknown end `{end}`")).1
}

/// How the engine ended a conversation: the exit code, and the word that stands for it in a talk.
async fn ended(
    engine: &Acquirer<Recording<'_>>,
    room: &Room,
    talk: &Talk,
    part: &Part,
) -> (Option<Exit>, &'static str) {
    let Some((_, inquiry)) = &part.about else {
        // What the room took for the statement is read after it was acquired; the reader may still reject it.
        return match engine.acquire(room, &talk.errand, &|_| {}).await {
            Ok(Acquired::Statement(got)) => {
                match channel::read(room, &talk.errand, engine.archive().read(&got.sha256).unwrap()) {
                    Ok(_) => (None, "done"),
                    Err(_) => (Some(Exit::Rejected), "rejected"),
                }
            }
            Ok(Acquired::NoMovements(_)) => (None, "no movements"),
            Ok(Acquired::OneByOne(_)) => (None, "one by one"),
            Err(failure) => (Some(failure.exit), ""),
        };
    };
    match engine.inquire(&room.queries.unwrap(), inquiry, &|_| {}).await.map(|answered| answered.judged) {
        Ok(Judged::Told(_)) => (None, "told"),
        Ok(Judged::NotFound) => (None, "not found"),
        Ok(Judged::Unaskable(_)) => (None, "unaskable"),
        Ok(Judged::Refused(_)) => (Some(Exit::Refused), "refused"),
        Ok(Judged::Rejected(_)) => (Some(Exit::Rejected), "rejected"),
        Ok(Judged::Again { .. }) => panic!("the engine gives up or goes on, it does not hand this out"),
        Err(failure) => (Some(failure.exit), ""),
    }
}

#[tokio::test]
async fn the_engine_ends_every_conversation_as_the_room_says() {
    for room in channel::ROOMS {
        for folder in cases(room).iter().filter(|folder| folder.join("talk.txt").exists()) {
            let talk = Talk::read(room, folder);
            for part in &talk.parts {
                let home = tempfile::tempdir().unwrap();
                let archive = Arc::new(Archive::open(home.path()).unwrap());
                let recording = Recording { talk: &talk, part, heard: Mutex::new(0) };
                let clock = Clock::Fixed(talk.now);
                let engine = Acquirer::with_transport(recording, limits(), Arc::clone(&archive), clock);
                let (exit, proof) = ended(&engine, room, &talk, part).await;
                assert_eq!(exit, exit_of(&part.end), "{folder:?}");
                assert!(part.end.starts_with(proof), "{folder:?}: {} / {proof}", part.end);
                every_answer_is_archived(&talk, part, &archive);
            }
        }
    }
}

/// Answers about a statement are in the archive; a file that was joined of several is there beside them.
fn every_answer_is_archived(talk: &Talk, part: &Part, archive: &Archive) {
    let lines = archive.index().unwrap();
    let bodies = part.replies.iter().filter(|reply| !talk.body(&reply.file).is_empty()).count();
    let received = lines.iter().filter(|line| line.status == nightjob::acquire::Status::Received).count();
    if part.about.is_none() {
        assert!((bodies..=bodies + 1).contains(&received), "{:?}: {received} of {bodies}", talk.folder);
    }
    for line in lines {
        assert_eq!(archive.read(&line.sha256).unwrap().len() as u64, line.bytes, "{:?}", talk.folder);
    }
}

/// No message, no request and no index line of any talk holds a key or a token.
#[test]
fn nothing_that_is_said_aloud_holds_a_secret() {
    for room in channel::ROOMS {
        for folder in cases(room).iter().filter(|folder| folder.join("talk.txt").exists()) {
            let talk = Talk::read(room, folder);
            let (text, _) =
                Talk { show_body: false, show_query: false, preamble: Vec::new(), ..talk }.hold(room);
            for secret in [
                "a7F3kQ9zT2mX8vB6",
                "202405BBexampletoken",
                "0123456789abcdef",
                "n0tareal32char",
                "PRIVATE",
                "sign=",
            ] {
                assert!(!text.contains(secret), "{folder:?}: `{secret}` in\n{text}");
            }
        }
    }
}

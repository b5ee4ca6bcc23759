//! The archive: what it promises about bytes, names and its index.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must end")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use nightjob::acquire::{Archive, Kept, Received, Status};
use nightjob::domain::{Account, Bill, BillDate, Errand, Exit, Moment};

fn errand() -> Errand {
    let account = Account { name: "mall".into(), ..Account::default() };
    Errand { account: Arc::new(account), date: BillDate::parse("20240507").unwrap(), bill: Bill::Trade }
}

fn now() -> Moment {
    Moment::parse("2024-05-09 10:30:00").unwrap()
}

fn keep(archive: &Archive, bytes: &[u8]) -> Kept {
    let mut partial = archive.partial().unwrap();
    for piece in bytes.chunks(3) {
        partial.write(piece).unwrap();
    }
    archive.keep(partial).unwrap()
}

fn received(kept: &Kept) -> Received {
    Received {
        sha256: kept.sha256.clone(),
        len: kept.len,
        source: "GET https://provider.example/bill".into(),
        fetched_at: now(),
        authenticated: true,
        tries: 1,
    }
}

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn bytes_are_kept_under_their_hash() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::open(folder.path()).unwrap();
    assert_eq!(keep(&archive, b"abc"), Kept { sha256: ABC.into(), len: 3 });
    assert_eq!(archive.object_path(ABC), folder.path().join("objects/ba").join(ABC));
    assert_eq!(archive.read(ABC).unwrap(), b"abc");
    let large: Vec<u8> = (0u32..400_000).flat_map(u32::to_le_bytes).collect();
    let kept = keep(&archive, &large);
    assert_eq!(archive.read(&kept.sha256).unwrap(), large, "larger than the buffer");
    assert_eq!(fs::read_dir(folder.path().join("partial")).unwrap().count(), 0);
}

#[test]
fn changed_bytes_are_damage_and_heal_when_they_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::open(folder.path()).unwrap();
    let path = archive.object_path(&keep(&archive, b"abc").sha256);
    fs::remove_file(&path).unwrap();
    assert_eq!(archive.read(ABC).unwrap_err().exit, Exit::Storage);
    fs::write(&path, b"abd").unwrap();
    let failure = archive.read(ABC).unwrap_err();
    assert_eq!(failure.exit, Exit::Damage);
    assert!(failure.message.contains(ABC), "{failure}");
    keep(&archive, b"abc");
    assert_eq!(archive.read(ABC).unwrap(), b"abc");
}

#[test]
fn what_an_earlier_run_left_half_written_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::open(folder.path()).unwrap();
    let mut partial = archive.partial().unwrap();
    partial.write(b"half").unwrap();
    std::mem::forget(partial);
    assert_eq!(fs::read_dir(folder.path().join("partial")).unwrap().count(), 1);
    Archive::open_to_read(folder.path());
    assert_eq!(fs::read_dir(folder.path().join("partial")).unwrap().count(), 1, "a reader removes nothing");
    Archive::open(folder.path()).unwrap();
    assert_eq!(fs::read_dir(folder.path().join("partial")).unwrap().count(), 0);
}

#[test]
fn the_index_is_a_history() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::open(folder.path()).unwrap();
    let got = received(&keep(&archive, b"abc"));
    archive.note(&errand(), &got, Status::Received, "").unwrap();
    archive.mark_rejected(&errand(), &got, "line 3: \"odd\"\nfound").unwrap();
    let text = fs::read_to_string(folder.path().join("index.jsonl")).unwrap();
    let expected = format!(
        concat!(
            r#"{{"account":"mall","date":"2024-05-07","bill":"trade","source":"GET https://provider.example/bill","#,
            r#""sha256":"{}","bytes":3,"authenticated":true,"status":"received","at":"2024-05-09 10:30:00"}}"#
        ),
        ABC
    );
    assert_eq!(text.lines().next(), Some(expected.as_str()));
    assert_eq!(text.lines().count(), 2, "one event, one line");
    let lines = Archive::open_to_read(folder.path()).index().unwrap();
    assert_eq!(lines.iter().map(|l| l.status).collect::<Vec<_>>(), [Status::Received, Status::Rejected]);
    assert_eq!(lines[1].reason, "line 3: \"odd\"\nfound");
}

#[test]
fn a_line_that_a_crash_cut_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path().join("index.jsonl");
    let archive = Archive::open(folder.path()).unwrap();
    let got = received(&keep(&archive, b"abc"));
    for _ in 0..2 {
        archive.note(&errand(), &got, Status::Received, "").unwrap();
    }
    let whole = fs::read(&index).unwrap();
    for cut in [1, 2, 30] {
        fs::write(&index, &whole[..whole.len() - cut]).unwrap();
        let torn = Archive::open_to_read(folder.path()).index().unwrap().len();
        let archive = Archive::open(folder.path()).unwrap();
        assert_eq!(archive.index().unwrap().len(), torn, "cut by {cut}");
        assert_eq!(torn, if cut == 1 { 2 } else { 1 }, "cut by {cut}");
        archive.note(&errand(), &got, Status::Statement, "").unwrap();
        assert_eq!(archive.index().unwrap().len(), torn + 1, "cut by {cut}");
    }
    fs::write(&index, [b"not a line\n".as_slice(), &whole].concat()).unwrap();
    let failure = Archive::open(folder.path()).unwrap().index().unwrap_err();
    assert_eq!(failure.exit, Exit::Damage, "a bad line in the middle is no crash of ours");
    assert!(failure.message.ends_with("line 1: this is not an index line"), "{failure}");
}

#[test]
fn a_file_from_a_hand_goes_through_the_same_door() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::open(&folder.path().join("archive")).unwrap();
    let file = folder.path().join("bill.csv");
    fs::write(&file, b"abc").unwrap();
    let got = archive.import(&file, &errand(), now()).unwrap();
    assert_eq!(
        (got.sha256.as_str(), got.authenticated, got.source.as_str()),
        (ABC, false, "import bill.csv")
    );
    assert_eq!(archive.read(ABC).unwrap(), b"abc");
    assert_eq!(archive.index().unwrap().len(), 2);
    assert!(file.exists());
    for (name, exit) in [("missing.csv", Exit::Usage), ("", Exit::Rejected), ("empty.csv", Exit::Rejected)] {
        fs::write(folder.path().join("empty.csv"), b"").unwrap();
        let path = if name.is_empty() { folder.path().to_path_buf() } else { folder.path().join(name) };
        assert_eq!(archive.import(&path, &errand(), now()).unwrap_err().exit, exit, "{name}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), b"").unwrap();
    let failure = Archive::open(&folder.path().join("file/archive")).unwrap_err();
    assert_eq!(failure.exit, Exit::Storage);
    assert!(failure.message.contains(Path::new("file/archive").to_str().unwrap()), "{failure}");
}

#[cfg(unix)]
#[test]
fn only_we_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("archive");
    let archive = Archive::open(&root).unwrap();
    let got = received(&keep(&archive, b"abc"));
    archive.note(&errand(), &got, Status::Received, "").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let object = archive.object_path(ABC);
    for (path, expected) in [
        (root.as_path(), 0o700),
        (&root.join("partial"), 0o700),
        (object.parent().unwrap(), 0o700),
        (&object, 0o400),
        (&root.join("index.jsonl"), 0o600),
    ] {
        assert_eq!(mode(path), expected, "{}", path.display());
    }
}

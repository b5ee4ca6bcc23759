//! Opening: what is made, what is refused, and what the message says.

use super::*;
use crate::domain::Exit;

#[tokio::test]
async fn folders_and_file_are_made_for_this_user_only() {
    let home = Home::new();
    let ledger = home.open().await;
    keep(&ledger, &key("wx", "20161108"), &statement("20161108", LINES), "aa").await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let folder = home.path.parent().unwrap();
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder), 0o700);
        for file in std::fs::read_dir(folder).unwrap().flatten() {
            assert_eq!(mode(&file.path()), 0o600, "{}", file.path().display());
        }
    }
    let mut connection = home.connect().await;
    let journal: String = sqlx::query("PRAGMA journal_mode").fetch_one(&mut connection).await.unwrap().get(0);
    assert_eq!(journal, "wal");
    ledger.close().await;
}

#[tokio::test]
async fn closing_leaves_everything_in_the_file() {
    let home = Home::new();
    let ledger = home.open().await;
    keep(&ledger, &key("wx", "20161108"), &statement("20161108", LINES), "aa").await;
    ledger.close().await;
    let names: Vec<String> = std::fs::read_dir(home.path.parent().unwrap())
        .unwrap()
        .flatten()
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    assert_eq!(names, ["nightjob.db"]);
    assert!(std::fs::metadata(home.path.with_extension("db-wal")).map_or(0, |m| m.len()) == 0);
}

#[tokio::test]
async fn tables_newer_than_this_program_are_left_alone() {
    let home = Home::new();
    home.open().await.close().await;
    home.execute("INSERT INTO schema_version (version) VALUES (99)").await;
    let before = home.dump().await;
    for failure in [Ledger::open(&home.url()).await.err(), Ledger::open_read_only(&home.url()).await.err()] {
        let failure = failure.unwrap();
        assert_eq!(failure.exit, Exit::Config);
        assert!(
            failure.message.contains("version 99") && failure.message.contains("up to 4"),
            "{}",
            failure.message
        );
    }
    assert_eq!(home.dump().await, before);
}

#[tokio::test]
async fn older_tables_are_brought_up_to_date_by_writers_only() {
    let home = Home::new();
    std::fs::create_dir_all(home.path.parent().unwrap()).unwrap();
    home.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)").await;
    let failure = Ledger::open_read_only(&home.url()).await.unwrap_err();
    assert_eq!((failure.exit, failure.hint.as_str()), (Exit::Config, "run `nightjob migrate`"));
    assert_eq!(Ledger::migrate(&home.url()).await.unwrap(), (0, 4));
    assert_eq!(Ledger::migrate(&home.url()).await.unwrap(), (4, 4));
    Ledger::open_read_only(&home.url()).await.unwrap();
    // A ledger of the version before, which had no answers.
    home.execute(
        "DROP TABLE answer; DROP TABLE holder; DROP TABLE mismatch_event; ALTER TABLE unit DROP COLUMN orders_hash;
         ALTER TABLE unit DROP COLUMN section_hash; DELETE FROM schema_version WHERE version > 1",
    )
    .await;
    let failure = Ledger::open_read_only(&home.url()).await.unwrap_err();
    assert_eq!((failure.exit, failure.hint.as_str()), (Exit::Config, "run `nightjob migrate`"));
    Ledger::open(&home.url()).await.unwrap().close().await;
    Ledger::open_read_only(&home.url()).await.unwrap();
}

#[tokio::test]
async fn the_gateways_database_is_not_taken_for_a_ledger() {
    let home = Home::new();
    std::fs::create_dir_all(home.path.parent().unwrap()).unwrap();
    home.execute("CREATE TABLE EB_PAYLOG (REQ_DATE TEXT)").await;
    let before = std::fs::read(&home.path).unwrap();
    let failure = Ledger::open(&home.url()).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Config);
    assert!(failure.message.contains("EB_PAYLOG"), "{}", failure.message);
    let mut connection = home.connect().await;
    let tables: i64 =
        sqlx::query("SELECT count(*) FROM sqlite_master").fetch_one(&mut connection).await.unwrap().get(0);
    assert_eq!(tables, 1, "{} bytes before", before.len());
}

#[tokio::test]
async fn what_cannot_be_opened_says_what_to_do() {
    let home = Home::new();
    let folder = home.path.parent().unwrap();
    let failure = Ledger::open_read_only(&home.url()).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Storage);
    assert!(failure.message.contains("there is no ledger yet") && !folder.exists(), "{}", failure.message);
    std::fs::create_dir_all(&home.path).unwrap();
    let failure = Ledger::open(&home.url()).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Storage);
    assert!(failure.message.contains("is a folder"), "{}", failure.message);
    std::fs::remove_dir(&home.path).unwrap();
    std::fs::write(
        &home.path,
        "<html>this is no database, but long enough to be looked at</html>".repeat(99),
    )
    .unwrap();
    for failure in [Ledger::open(&home.url()).await.err(), Ledger::open_read_only(&home.url()).await.err()] {
        let failure = failure.unwrap();
        assert_eq!(failure.exit, Exit::Storage, "{failure}");
        assert!(failure.message.contains("nightjob.db"), "{}", failure.message);
        assert!(failure.hint.contains("nightjob reconcile"), "{}", failure.hint);
    }
    std::fs::write(folder.join("file"), "").unwrap();
    let below_a_file = format!("sqlite:{}", folder.join("file/x/nightjob.db").display());
    let failure = Ledger::open(&below_a_file).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Storage);
    assert!(!failure.hint.is_empty());
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let home = Home::new();
    let ledger = home.open().await;
    keep(&ledger, &key("wx", "20161108"), &statement("20161108", LINES), "aa").await;
    ledger.close().await;
    let before = home.dump().await;
    let reader = Ledger::open_read_only(&home.url()).await.unwrap();
    assert_eq!(reader.entries_of_order("A1").await.unwrap().len(), 2);
    let failure = reader.put_unclaimed(day("20161108"), "[]").await.unwrap_err();
    assert_eq!(failure.exit, Exit::Storage, "{failure}");
    assert_eq!(home.dump().await, before);
}

#[tokio::test]
async fn what_an_interrupted_load_left_is_removed() {
    let home = Home::new();
    let ledger = home.open().await;
    let folder = home.path.parent().unwrap();
    let (left, other) = (folder.join("nightjob.db.load-77-0"), folder.join("other.db.load-77-0"));
    std::fs::write(&left, "x").unwrap();
    std::fs::write(&other, "x").unwrap();
    home.open().await.close().await;
    assert!(left.exists(), "a load of another process may be under way");
    drop(ledger.begin_unit(key("wx", "20161108")).await.unwrap());
    assert!(!left.exists() && other.exists());
}

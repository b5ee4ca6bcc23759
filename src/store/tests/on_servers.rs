//! What only a server has: users with few rights, a lock between machines, settings that somebody else chose.

use super::servers::{self, Database};
use super::*;
use crate::domain::Exit;

fn both() -> [Database; 2] {
    [servers::postgres(), servers::mysql()]
}

async fn made(server: &Database) -> Ledger {
    Ledger::migrate(&server.url).await.unwrap();
    Ledger::open(&server.url).await.unwrap()
}

#[tokio::test]
async fn the_job_needs_no_right_to_make_tables() {
    for mut server in both() {
        made(&server).await.close().await;
        if server.engine == servers::Engine::Postgres {
            // As a careful administrator has it; PostgreSQL's default lets everybody in.
            server.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC");
        }
        // What `migrate` prints for the job's account.
        let grants = Ledger::grants(&server.url).await.unwrap();
        let grants: Vec<&str> = grants.iter().map(String::as_str).collect();
        let job = server.user(&grants);
        let mut ledger = Ledger::open(&job).await.unwrap();
        ledger.hold("the job").await.unwrap();
        let run = ledger.start_run("run", at("2016-11-10 02:00:00")).await.unwrap();
        let bill = statement("20161108", LINES);
        keep(&ledger, &key("wx", "20161108"), &bill, "aa").await;
        keep(&ledger, &key("wx", "20161108"), &bill, "bb").await;
        ledger.put_unclaimed(day("20161108"), "[]").await.unwrap();
        ledger.finish_run(run, at("2016-11-10 02:01:00"), Exit::Look, "[]").await.unwrap();
        assert!(ledger.verify_unit("wx", day("20161108")).await.unwrap().unwrap().is_intact());
        ledger.close().await;
        // And has none.
        let refused = servers::try_execute(&job, "CREATE TABLE more (id int)").unwrap_err();
        assert!(refused.contains("denied"), "{refused}");
    }
}

#[tokio::test]
async fn a_user_who_may_make_no_tables_is_told_so_by_migrate() {
    for mut server in both() {
        server.execute("CREATE TABLE other (id int)");
        let job = server.user(&["SELECT ON other"]);
        let failure = Ledger::open(&job).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Config);
        assert!(failure.message.contains("no tables of a ledger yet"), "{failure:?}");
        assert!(failure.hint.contains("nightjob migrate"), "{failure:?}");
        let failure = Ledger::migrate(&job).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Config, "{failure:?}");
        assert!(failure.hint.contains("what this user may do"), "{failure:?}");
        assert!(Ledger::open_if_there(&job).await.unwrap().is_none(), "the other table is no ledger");
        // The superuser makes them beside the other table, and once.
        assert_eq!(Ledger::migrate(&server.url).await.unwrap(), (0, 4));
        assert_eq!(Ledger::migrate(&server.url).await.unwrap(), (4, 4));
    }
}

#[tokio::test]
async fn a_user_who_may_use_no_schema_is_told_which_right_is_missing() {
    let mut server = servers::postgres();
    made(&server).await.close().await;
    server.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC");
    let tables: Vec<String> = Ledger::grants(&server.url).await.unwrap();
    assert_eq!(tables[0], "USAGE ON SCHEMA public");
    let tables: Vec<&str> = tables.iter().skip(1).map(String::as_str).collect();
    let job = server.user(&tables);
    for failure in [
        Ledger::open(&job).await.unwrap_err(),
        Ledger::open_read_only(&job).await.unwrap_err(),
        Ledger::open_if_there(&job).await.unwrap_err(),
        Ledger::migrate(&job).await.unwrap_err(),
    ] {
        assert_eq!(failure.exit, Exit::Config);
        assert!(
            failure.message.contains("may use no schema of its search_path (\"$user\", public)"),
            "{failure:?}"
        );
        let grant = format!("GRANT USAGE ON SCHEMA public TO {}_0;", server.name);
        assert!(failure.hint.starts_with(&grant), "{failure:?}");
    }
    server.execute(&format!("ALTER ROLE {}_0 SET search_path = nowhere", server.name));
    let failure = Ledger::open(&job).await.unwrap_err();
    assert!(failure.hint.contains("SET search_path"), "{failure:?}");
}

#[tokio::test]
async fn the_lock_of_the_database_holds_and_is_free_once_its_holder_is_closed() {
    for server in both() {
        let mut first = made(&server).await;
        let mut second = Ledger::open(&server.url).await.unwrap();
        let (reader, beside) = (Ledger::open_read_only(&server.url).await.unwrap(), both());
        assert_eq!(reader.held_by().await.unwrap(), None);
        first.hold("till host, process 7").await.unwrap();
        assert_eq!(reader.held_by().await.unwrap().as_deref(), Some("till host, process 7"));
        for other in &beside {
            assert!(Ledger::open_if_there(&other.url).await.unwrap().is_none(), "nobody has made it");
            assert_eq!(made(other).await.held_by().await.unwrap(), None, "each ledger has a lock of its own");
        }
        let busy = second.hold("another").await.unwrap_err();
        assert_eq!(busy.exit, Exit::Busy);
        assert!(busy.message.contains("held by till host, process 7"), "{busy:?}");
        let busy = Ledger::migrate(&server.url).await.unwrap_err();
        assert!(busy.exit == Exit::Busy && busy.message.contains("till host, process 7"), "{busy:?}");
        first.close().await;
        assert!(server.ask("SELECT name FROM holder").is_empty(), "the next one is not taken for the first");
        second.hold("at once").await.unwrap();
        second.close().await;
        Ledger::migrate(&server.url).await.unwrap();
        let mut third = Ledger::open(&server.url).await.unwrap();
        third.hold("after migrate, at once").await.unwrap();
    }
}

/// The server ends the connection a moment after we have: takes the lock as soon as it is free.
async fn gone(ledger: &mut Ledger) {
    for _ in 0..10_000 {
        match ledger.hold("the next").await {
            Ok(()) => return,
            Err(failure) => assert_eq!(failure.exit, Exit::Busy, "{failure:?}"),
        }
    }
    panic!("the lock is still held");
}

#[tokio::test]
async fn who_lost_the_lock_without_knowing_commits_nothing_more() {
    for server in both() {
        let mut first = made(&server).await;
        first.hold("the first").await.unwrap();
        let bill = statement("20161108", LINES);
        keep(&first, &key("wx", "20161108"), &bill, "aa").await;
        let before = crate::store::ledger::dump::dump(&server.url).await;
        kill_the_lock(&server);
        let mut second = Ledger::open(&server.url).await.unwrap();
        gone(&mut second).await;
        let failure = first.begin_unit(key("wx", "20161108")).await.err().unwrap();
        assert_eq!(failure.exit, Exit::Storage);
        assert!(failure.message.contains("taken over by the next"), "{failure:?}");
        assert!(first.is_taken_over() && !second.is_taken_over());
        let failure = first.put_unclaimed(day("20161108"), "[1]").await.unwrap_err();
        assert_eq!(failure.exit, Exit::Storage);
        assert_eq!(crate::store::ledger::dump::dump(&server.url).await, before);
        keep(&second, &key("wx", "20161108"), &bill, "bb").await;
    }
}

#[tokio::test]
async fn who_asks_while_another_signs_is_not_taken_for_the_holder() {
    for server in both() {
        let mut first = made(&server).await;
        first.hold("the first").await.unwrap();
        let sleep = match server.engine {
            servers::Engine::Postgres => "SELECT pg_sleep(2)",
            servers::Engine::Mysql => "DO sleep(2)",
        };
        let sign = format!(
            "BEGIN; DELETE FROM holder; INSERT INTO holder (id, name, token) VALUES (1, 'the next', 'x'); {sleep}; COMMIT"
        );
        let url = server.url.clone();
        let signing = std::thread::spawn(move || servers::execute(&url, &sign));
        // As soon as the next one is at it.
        let at_it = match server.engine {
            servers::Engine::Postgres => {
                "SELECT query FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'BEGIN; DELETE%'
                                          AND datname = current_database() AND wait_event = 'PgSleep'"
            }
            servers::Engine::Mysql => {
                "SELECT info FROM information_schema.processlist WHERE info LIKE 'DO sleep%' AND db = database()"
            }
        };
        while server.ask(at_it).is_empty() {}
        let failure = first.begin_unit(key("wx", "20161108")).await.err().unwrap();
        assert_eq!(failure.exit, Exit::Storage);
        assert!(failure.message.contains("taken over by"), "{failure:?}");
        signing.join().unwrap();
    }
}

/// Ends the connection that holds the lock, as a broken line would.
fn kill_the_lock(server: &Database) {
    match server.engine {
        servers::Engine::Postgres => {
            let sql = "SELECT cast(pg_terminate_backend(pid) AS text) FROM pg_locks
                       WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
            assert_eq!(server.ask(sql), ["true"]);
        }
        servers::Engine::Mysql => {
            let sql = "SELECT cast(IS_USED_LOCK(concat('nightjob.', left(sha1(database()), 40))) AS char)";
            let id = server.ask(sql).remove(0);
            server.execute(&format!("KILL {id}"));
        }
    }
}

#[tokio::test]
async fn a_table_that_cuts_or_folds_texts_or_knows_no_transactions_is_refused() {
    for (change, words) in [
        ("ALTER TABLE unit ENGINE = MyISAM", "table unit is MyISAM"),
        ("ALTER TABLE mismatch_event ENGINE = Aria", "table mismatch_event is Aria"),
        ("ALTER TABLE answer DEFAULT CHARACTER SET latin1", "table answer is InnoDB in latin1"),
    ] {
        let server = servers::mysql();
        made(&server).await.close().await;
        server.execute(change);
        let failure = Ledger::open(&server.url).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Config);
        assert!(failure.message.contains(words), "{failure:?}");
    }
}

#[tokio::test]
async fn a_session_is_strict_whatever_the_server_says() {
    let server = servers::mysql();
    let ledger = made(&server).await;
    let long = UnitKey { account: "x".repeat(129), ..key("wx", "20161108") };
    let failure = ledger.put_not_compared(&long, "reason", "{}").await.unwrap_err();
    assert!(failure.message.contains("too long"), "{failure:?}");
    assert!(ledger.sections(day("20161108")).await.unwrap().is_empty(), "nothing was cut short");
}

#[tokio::test]
async fn a_wrong_password_and_a_server_that_is_not_there_are_told_apart() {
    for mut server in both() {
        let job = server.user(&[]);
        let failure = Ledger::open(&job.replace("geheim", "falsch")).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Config, "{failure:?}");
        assert!(failure.hint.contains("user and password"), "{failure:?}");
        assert!(!format!("{failure:?}").contains("falsch"), "{failure:?}");
        let (head, _) = server.url.rsplit_once(':').unwrap();
        let nowhere = format!("{head}:1/{}", server.name);
        for failure in [Ledger::open(&nowhere).await, Ledger::open_read_only(&nowhere).await] {
            let failure = failure.unwrap_err();
            assert_eq!(failure.exit, Exit::Storage, "{failure:?}");
            assert!(failure.message.contains("refused"), "{failure:?}");
            assert!(failure.hint.contains("run it again"), "{failure:?}");
        }
    }
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_text_is_refused() {
    let server = servers::postgres();
    server.execute(
        "CREATE DATABASE narrow_ledger_test ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    );
    let url = server.url.replace(&server.name, "narrow_ledger_test");
    Ledger::migrate(&url).await.unwrap();
    let failure = Ledger::open(&url).await.unwrap_err();
    server.execute("DROP DATABASE narrow_ledger_test WITH (FORCE)");
    assert_eq!(failure.exit, Exit::Config);
    assert!(failure.message.contains("LATIN1") && failure.hint.contains("UTF8"), "{failure:?}");
}

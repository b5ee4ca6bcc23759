//! What the account of the job may do and does: it reads, with SELECT on the tables and nothing else.

use nightjob::domain::Exit;
use nightjob::store::PayLog;

use crate::logs::{COLUMNS, Everywhere, fill, odbc, read, row, runtime, table};
use crate::servers::{self, Engine};

const DAY: (&str, &str) = ("2016-11-08 00:00:00", "2016-11-09 00:00:00");

fn refused(url: &str, schema: &str) -> nightjob::domain::Failure {
    runtime().block_on(PayLog::open(url, schema)).expect_err("this log cannot be opened")
}

#[test]
fn a_user_with_select_on_the_table_and_nothing_else_is_enough() {
    for make in [servers::postgres as fn() -> servers::Database, servers::mysql] {
        let mut database = make();
        database.execute(&table(database.engine, "eb_paylog"));
        fill(&database, "eb_paylog", &[row("2016-11-08 10:00:00", "A1"), row("2016-11-08 11:00:00", "A2")]);
        let reader = database.user(&["SELECT ON eb_paylog"]);
        let sum = "SELECT CAST(count(*) AS char(9)) FROM eb_paylog WHERE res_obj = '<xml/>'";
        assert_eq!(read(&reader, DAY, 2).0.len(), 2);
        for write in ["UPDATE eb_paylog SET res_obj = ''", "DELETE FROM eb_paylog", "DROP TABLE eb_paylog"] {
            servers::try_execute(&reader, write).expect_err("the server itself refuses");
        }
        assert_eq!(database.ask(sum)[0].trim(), "2");
        let driver = if database.engine == Engine::Postgres { "postgres" } else { "mariadb" };
        let (user, _) = reader.split_once("://").expect("an address").1.split_once(':').expect("a user");
        assert_eq!(read(&format!("{};uid={user};pwd=geheim", odbc(driver, &database)), DAY, 2).0.len(), 2);
        // Somebody without even that is told whom to ask.
        let nobody = database.user(&[]);
        let failure = runtime()
            .block_on(PayLog::open(&nobody, ""))
            .and_then(|log| runtime().block_on(log.cover(crate::logs::day("20161108"))).map(drop));
        let failure = failure.expect_err("nothing may be read");
        assert_eq!(failure.exit, Exit::Config, "{failure:?}");
        assert!(!format!("{failure:?}").contains("geheim"));
        let wrong = reader.replace("geheim", "falsch");
        let failure = refused(&wrong, "");
        assert_eq!(failure.exit, Exit::Config, "{failure:?}");
        assert!(
            failure.hint.contains("user and password") && !format!("{failure:?}").contains("falsch"),
            "{failure:?}"
        );
    }
}

/// Through the superuser's address, with every question caught by the server's own log: nothing but reading.
#[test]
fn what_is_asked_uses_the_index_of_req_date() {
    let rows: Vec<_> = (0..20_000)
        .map(|n| row(&crate::logs::at("2016-01-01 00:00:00").plus_seconds(n * 1500).to_string(), "A1"))
        .collect();
    let everywhere = Everywhere::new(&rows);
    everywhere.postgres.execute("ANALYZE");
    everywhere.mysql.execute("ANALYZE TABLE EB_PAYLOG");
    for (database, explain) in
        [(&everywhere.postgres, "Index Scan|Bitmap Index Scan"), (&everywhere.mysql, "EB_PAYLOG_date")]
    {
        let log = runtime().block_on(PayLog::open(&database.url, "")).expect("a log");
        let window = crate::logs::at(DAY.0)..crate::logs::at(DAY.1);
        for question in runtime().block_on(log.questions(window, 2)).expect("a plan") {
            let plan = match database.engine {
                Engine::Postgres => database.ask(&format!("EXPLAIN {question}")).join("\n"),
                Engine::Mysql => database.ask(&format!("EXPLAIN FORMAT=JSON {question}")).join("\n"),
            };
            assert!(explain.split('|').any(|words| plan.contains(words)), "{question}\n{plan}");
            assert!(!plan.contains("Seq Scan") && !plan.contains("\"access_type\": \"ALL\""), "{plan}");
        }
    }
}

#[test]
fn a_missing_table_or_column_is_named_and_a_table_elsewhere_too() {
    let postgres = servers::postgres();
    let mysql = servers::mysql();
    for url in [&postgres.url, &odbc("postgres", &postgres)] {
        let failure = refused(url, "");
        assert!(
            failure.exit == Exit::Config && failure.message.contains("there is no table EB_PAYLOG"),
            "{failure:?}"
        );
    }
    postgres.execute(&format!(
        "CREATE SCHEMA ttpay; {}",
        table(Engine::Postgres, "ttpay.EB_PAYLOG").replace("ttpay.EB_PAYLOG_date", "d")
    ));
    for url in [&postgres.url, &odbc("postgres", &postgres)] {
        let failure = refused(url, "");
        assert!(failure.message.contains("one in schema ttpay"), "{failure:?}");
        assert!(failure.hint.contains("schema = \"ttpay\""), "{failure:?}");
        let log = runtime().block_on(PayLog::open(url, "TTPay")).expect("found in its schema");
        assert_eq!(
            runtime().block_on(log.cover(crate::logs::day("20161108"))).expect("bounds").rows_on_day,
            0
        );
    }
    let some: Vec<String> = COLUMNS
        .iter()
        .filter(|c| !["REQ_TILLID", "RES_OBJ"].contains(c))
        .map(|c| format!("{c} varchar(9)"))
        .collect();
    for (database, driver) in [(&postgres, "postgres"), (&mysql, "mariadb")] {
        database.execute(&format!("CREATE TABLE EB_PAYLOG ({})", some.join(", ")));
        for url in [&database.url, &odbc(driver, database)] {
            let failure = refused(url, "");
            assert!(
                failure.exit == Exit::Config
                    && failure.message.ends_with("lacks the columns REQ_TILLID, RES_OBJ"),
                "{failure:?}"
            );
        }
    }
}

#[test]
fn names_in_quotes_and_dates_as_text_are_read_too() {
    let (postgres, mysql) = (servers::postgres(), servers::mysql());
    let quoted = |quote: char| COLUMNS.map(|c| format!("{quote}{c}{quote} varchar(200)")).join(", ");
    postgres.execute(&format!("CREATE TABLE \"EB_PayLog\" ({})", quoted('"')));
    mysql.execute(&format!("CREATE TABLE `EB_PayLog` ({}) CHARACTER SET utf8mb4", quoted('`')));
    for (database, driver, quote) in [(&postgres, "postgres", '"'), (&mysql, "mariadb", '`')] {
        let names = COLUMNS.map(|c| format!("{quote}{c}{quote}")).join(", ");
        for date in [
            "2016-11-08 10:00:00",
            "2016-11-08T23:59:59.999",
            "2016-11-08 ??:??",
            "2016-11-09 00:00:00",
            "today",
        ] {
            let values = COLUMNS
                .map(|c| if c == "REQ_DATE" { format!("'{date}'") } else { "'甲'".to_owned() })
                .join(", ");
            database.execute(&format!("INSERT INTO {quote}EB_PayLog{quote} ({names}) VALUES ({values})"));
        }
        for url in [&database.url, &odbc(driver, database)] {
            let (rows, count) = read(url, DAY, 2);
            let dates: Vec<&str> = rows.iter().map(|row| row.req_date.as_str()).collect();
            assert_eq!(
                dates,
                ["2016-11-08 10:00:00", "2016-11-08 ??:??", "2016-11-08T23:59:59.999"],
                "{url}"
            );
            assert_eq!((count.odd_dates, count.undated, rows[0].res_msg.as_str()), (1, 1, "甲"), "{url}");
        }
    }
}

#[test]
fn a_source_that_is_not_there_is_told_from_a_password_that_is_wrong() {
    for (url, words) in [
        ("odbc:DSN=nobody_knows;uid=a;pwd=geheim", "system DSN"),
        ("odbc:DSN=nightjob_postgres;uid=nobody;pwd=geheim", "user and password"),
        ("odbc:DSN=nightjob_mariadb;uid=nobody;pwd=geheim", "user and password"),
        ("odbc:Driver=/nowhere/driver.so;uid=a;pwd=geheim", "cannot be loaded"),
    ] {
        let failure = refused(url, "");
        assert_eq!(failure.exit, Exit::Config, "{failure:?}");
        assert!(failure.hint.contains(words), "{url}: {failure:?}");
        assert!(!format!("{failure:?}").contains("geheim"), "{failure:?}");
    }
}

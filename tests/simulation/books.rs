//! The books of a life: every row of its ledger on any engine, and every byte of its reports, as text.

use nightjob::config::Settings;
use nightjob::domain::BillDate;
use sqlx::{AssertSqlSafe, Column as _, Connection as _, Row as _};

/// Tables, what is left out of each (what a run and not a result decides), and which rows.
const TABLES: [(&str, &[&str], &str); 7] = [
    ("statement", &["version", "fetched_at"], "state <> 'rejected'"),
    // The section has the version in it; it is compared itself, without it.
    ("unit", &["number", "version", "section_hash"], "1 = 1"),
    ("ledger_entry", &["id"], "1 = 1"),
    ("logged_order", &["id"], "1 = 1"),
    ("mismatch", &[], "standing <> 'gone'"),
    ("unclaimed", &[], "1 = 1"),
    ("answer", &["asked_at"], "1 = 1"),
];

/// Every row that a person or a report could see, and every byte of the reports, line by line.
pub(crate) async fn lines(settings: &Settings, dates: &[BillDate]) -> Vec<String> {
    let mut lines = Vec::new();
    for (table, left_out, which) in TABLES {
        let question = format!("SELECT * FROM {table} WHERE {which}");
        let found = rows(&settings.database, &question, left_out).await;
        lines.extend(found.iter().map(|row| format!("{table} {row}")));
    }
    for date in dates {
        for name in ["report.json", "mismatches.csv"] {
            let text = std::fs::read_to_string(settings.reports.join(date.to_string()).join(name));
            lines.extend(text.unwrap_or_default().lines().map(|line| format!("{date} {name} {line}")));
        }
    }
    lines.iter().map(|line| without_version(line)).collect()
}

/// A bill that was quarantined takes a version, so the one that stands after a storm may have a later one. A version too
/// many for the same bytes would still be seen, by the row that it supersedes.
fn without_version(line: &str) -> String {
    let line = line.replace("\\\"version\\\":", "\"version\":");
    let mut parts = line.split("\"version\":");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text += "\"version\":";
        text += part.trim_start_matches(|sign: char| sign == ' ' || sign.is_ascii_digit());
    }
    text
}

/// Every row that a question finds, as `name=value …`, without the columns that are left out; sorted.
async fn rows(url: &str, question: &str, left_out: &[&str]) -> Vec<String> {
    let question = AssertSqlSafe(question.to_owned());
    // The three rows are three types without a trait for what is done to them here.
    macro_rules! rows {
        ($connection:ty) => {{
            let mut connection = <$connection>::connect(url).await.expect("a ledger");
            let rows = sqlx::query(question).fetch_all(&mut connection).await.expect("sound SQL");
            connection.close().await.expect("closed");
            rows.iter()
                .map(|row| {
                    let shown = row.columns().iter().filter(|column| !left_out.contains(&column.name()));
                    let value = |at: usize, name: &str| {
                        let text = row.try_get::<Option<String>, _>(at);
                        let number = || row.try_get::<Option<i64>, _>(at).map(|n| n.map(|n| n.to_string()));
                        let small = || row.try_get::<Option<i32>, _>(at).map(|n| n.map(|n| n.to_string()));
                        let value = text.or_else(|_| number()).or_else(|_| small());
                        value.unwrap_or_else(|error| panic!("{name}: {error}"))
                    };
                    let shown = shown.map(|column| {
                        let (at, name) = (column.ordinal(), column.name());
                        format!("{name}={:?}", value(at, name))
                    });
                    shown.collect::<Vec<_>>().join(" ")
                })
                .collect::<Vec<String>>()
        }};
    }
    let mut rows = match url.split(':').next() {
        Some("postgres" | "postgresql") => rows!(sqlx::PgConnection),
        Some("mysql") => rows!(sqlx::MySqlConnection),
        _ => rows!(sqlx::SqliteConnection),
    };
    rows.sort_unstable();
    rows
}

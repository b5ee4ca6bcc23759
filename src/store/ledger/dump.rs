//! For tests: every row of every table as text, on any engine.

use super::engine::Session;
use crate::store::place::Place;

const TABLES: [(&str, &str); 10] = [
    ("schema_version", "SELECT * FROM schema_version ORDER BY 1"),
    ("statement", "SELECT * FROM statement ORDER BY 1, 2, 3, 4, 5"),
    ("unit", "SELECT * FROM unit ORDER BY 1"),
    ("ledger_entry", "SELECT * FROM ledger_entry ORDER BY 1"),
    ("logged_order", "SELECT * FROM logged_order ORDER BY 1"),
    ("mismatch", "SELECT * FROM mismatch ORDER BY 1"),
    ("unclaimed", "SELECT * FROM unclaimed ORDER BY 1"),
    ("night_run", "SELECT * FROM night_run ORDER BY 1"),
    ("mismatch_event", "SELECT * FROM mismatch_event ORDER BY 1"),
    ("answer", "SELECT * FROM answer ORDER BY 1, 2, 3, 4, 5, 6"),
];

pub(in crate::store) async fn dump(url: &str) -> String {
    let place = Place::parse(url, "database").unwrap();
    let mut session = Session::open(&place).await.unwrap();
    let mut dump = String::new();
    for (table, sql) in TABLES {
        // A table that is not there yet holds nothing.
        for row in session.link().fetch(sql, &[]).await.unwrap_or_default() {
            dump.push_str(&format!("{table}|{}\n", row.texts().join("|")));
        }
    }
    session.close().await;
    dump
}

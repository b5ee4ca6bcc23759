//! Whether everything of a life belongs together, at any moment: no mixture of old and new, no half file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use nightjob::acquire::{Archive, Status};
use nightjob::config::Settings;
use nightjob::report::json;
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, Row as _, SqliteConnection};

async fn open(settings: &Settings) -> Option<SqliteConnection> {
    let path = settings.database.strip_prefix("sqlite:")?;
    match Path::new(path).exists() {
        true => Some(SqliteConnection::connect(&settings.database).await.expect("a database")),
        false => None,
    }
}

async fn texts(ledger: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(ledger).await;
    rows.unwrap_or_else(|error| panic!("{sql}: {error}")).iter().map(|row| row.get(0)).collect()
}

/// What does not belong together: a unit whose parts are of two states, a mark without what it marks, an object whose
/// bytes are not those of its name, half a report.
pub(crate) async fn parts(settings: &Settings) -> Vec<String> {
    let mut torn = Vec::new();
    let index = archive(settings, &mut torn);
    reports(settings, &mut torn);
    let Some(mut ledger) = open(settings).await else { return torn };
    let tables = "SELECT name FROM sqlite_master WHERE name = 'unit'";
    if texts(&mut ledger, tables).await.is_empty() {
        ledger.close().await.expect("closed");
        return torn;
    }
    let units = Units::read(&mut ledger).await;
    ledger.close().await.expect("closed");
    torn.extend(units.strays());
    for (unit, (state, marked, section)) in &units.marks {
        let wrong = match state.as_str() {
            "done" => units.wrong_if_done(unit, (marked, section), &index),
            _ => units.left_of(unit),
        };
        torn.extend(wrong.into_iter().map(|what| format!("{unit} {state}: {what}")));
    }
    torn
}

/// Everything of every unit, by `account bill_date`.
struct Units {
    /// State, the version that the marker names, and the section.
    marks: BTreeMap<String, (String, String, String)>,
    /// Trade bills that stand: version, rows, sum and fees, and the hash of the bytes.
    statements: BTreeMap<String, Vec<[String; 3]>>,
    /// Rows, sum and fees of the movements.
    entries: BTreeMap<String, String>,
    /// How many logged orders.
    orders: BTreeMap<String, String>,
    /// Open mismatches.
    mismatches: BTreeMap<String, BTreeSet<String>>,
}

impl Units {
    async fn read(ledger: &mut SqliteConnection) -> Units {
        let marks = "SELECT account || ' ' || bill_date, state, version || '', section FROM unit";
        let statements = "SELECT account || ' ' || bill_date, version || '', rows || ' ' || amount_minor || ' ' || fee_e5, sha256
             FROM statement WHERE bill = 'trade' AND state IN ('current', 'empty')";
        // The number in the upper half of an id is the unit's, so a row of another unit's number is a stray.
        let entries = "SELECT account || ' ' || bill_date || CASE WHEN EXISTS (SELECT 1 FROM unit u WHERE u.number = r.id >> 32
             AND u.account = r.account AND u.bill_date = r.bill_date) THEN '' ELSE ' (stray)' END,
             count(*) || ' ' || coalesce(sum(amount_minor), 0) || ' ' || coalesce(sum(fee_e5), 0), '', ''
             FROM ledger_entry r GROUP BY 1";
        let orders = entries.replace("ledger_entry", "logged_order").replace("coalesce(sum(fee_e5), 0)", "0");
        let mismatches =
            "SELECT account || ' ' || bill_date, id, '', '' FROM mismatch WHERE standing <> 'gone'";
        let mut units = Units {
            marks: BTreeMap::new(),
            statements: BTreeMap::new(),
            entries: BTreeMap::new(),
            orders: BTreeMap::new(),
            mismatches: BTreeMap::new(),
        };
        for [unit, state, version, section] in fours(ledger, marks).await {
            units.marks.insert(unit, (state, version, section));
        }
        for [unit, version, sums, hash] in fours(ledger, statements).await {
            units.statements.entry(unit).or_default().push([version, sums, hash]);
        }
        for [unit, sums, ..] in fours(ledger, entries).await {
            units.entries.insert(unit, sums);
        }
        for [unit, sums, ..] in fours(ledger, &orders).await {
            let count = sums.split(' ').next().unwrap_or_default().to_owned();
            units.orders.insert(unit, count);
        }
        for [unit, id, ..] in fours(ledger, mismatches).await {
            units.mismatches.entry(unit).or_default().insert(id);
        }
        units
    }

    /// Rows whose unit has no marker.
    fn strays(&self) -> Vec<String> {
        let named = self.entries.keys().chain(self.orders.keys()).chain(self.mismatches.keys());
        let strays = named.chain(self.statements.keys()).filter(|unit| !self.marks.contains_key(*unit));
        strays.map(|unit| format!("{unit}: rows without their unit")).collect()
    }

    fn wrong_if_done(
        &self,
        unit: &str,
        (marked, section): (&str, &str),
        index: &BTreeMap<String, BTreeSet<String>>,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let kept = self.entries.get(unit).map_or("0 0 0", String::as_str);
        match self.statements.get(unit).map(Vec::as_slice) {
            Some([[version, stated, hash]]) => {
                if (version.as_str(), stated.as_str()) != (marked, kept) {
                    wrong.push(format!(
                        "the marker says {marked}, the statement {version}: {stated}, its lines {kept}"
                    ));
                }
                let marks = index.get(hash);
                if !marks.is_some_and(|marks| marks.contains("received") && marks.contains("statement")) {
                    wrong.push(format!("the archive's index knows {marks:?} of {hash}"));
                }
            }
            other => wrong.push(format!("these statements stand: {other:?}")),
        }
        let section = json::read_section(section).expect("a section");
        let told: BTreeSet<String> = section.mismatches.iter().map(|row| row.id.clone()).collect();
        let open = self.mismatches.get(unit).cloned().unwrap_or_default();
        if told != open {
            wrong.push(format!("the section has {told:?}, the table {open:?}"));
        }
        let orders = self.orders.get(unit).map_or("0", String::as_str);
        if orders != section.conservation.orders.total.count.to_string() {
            wrong.push(format!(
                "{orders} logged orders, {:?} in the section",
                section.conservation.orders.total
            ));
        }
        wrong
    }

    /// What a unit has that was never done.
    fn left_of(&self, unit: &str) -> Vec<String> {
        let has = [
            (self.entries.contains_key(unit), "movements"),
            (self.orders.contains_key(unit), "logged orders"),
            (self.mismatches.contains_key(unit), "mismatches"),
            (self.statements.contains_key(unit), "a statement"),
        ];
        has.iter().filter(|(has, _)| *has).map(|(_, what)| format!("never done, and has {what}")).collect()
    }
}

async fn fours(ledger: &mut SqliteConnection, sql: &str) -> Vec<[String; 4]> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(ledger).await;
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.iter().map(|row| [row.get(0), row.get(1), row.get(2), row.get(3)]).collect()
}

/// What the index says of each object; complaints about objects whose bytes are not those of their names.
fn archive(settings: &Settings, torn: &mut Vec<String>) -> BTreeMap<String, BTreeSet<String>> {
    let mut marks: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    match Archive::open_to_read(&settings.archive).index() {
        Ok(index) => index.into_iter().for_each(|line| {
            let mark = match line.status {
                Status::Received => "received",
                Status::Statement | Status::Empty => "statement",
                _ => "other",
            };
            marks.entry(line.sha256).or_default().insert(mark.to_owned());
        }),
        Err(failure) => torn.push(failure.to_string()),
    }
    for folder in std::fs::read_dir(settings.archive.join("objects")).into_iter().flatten().flatten() {
        for object in std::fs::read_dir(folder.path()).into_iter().flatten().flatten() {
            let bytes = std::fs::read(object.path()).expect("an object");
            let hash = hex::encode(Sha256::digest(&bytes));
            if object.file_name().to_string_lossy() != hash {
                torn.push(format!("{} has the bytes of {hash}", object.path().display()));
            }
        }
    }
    marks
}

/// Finance never opens half a report.
fn reports(settings: &Settings, torn: &mut Vec<String>) {
    for day in std::fs::read_dir(&settings.reports).into_iter().flatten().flatten() {
        let text = |name: &str| std::fs::read_to_string(day.path().join(name)).ok();
        if text("report.json").is_some_and(|text| serde_json::from_str::<serde_json::Value>(&text).is_err()) {
            torn.push(format!("{}: half a report.json", day.path().display()));
        }
        if text("mismatches.csv").is_some_and(|text| !text.ends_with("\r\n")) {
            torn.push(format!("{}: half a mismatches.csv", day.path().display()));
        }
    }
}

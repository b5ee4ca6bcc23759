//! What `verify` asks of the ledger: the chain of events, and each unit with everything that its commit kept of itself.
//!
//! Texts are given as they stand there, whoever wrote them: a word that this program never writes is a finding, and no
//! reason to stop.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::events::{self, Head, StoredEvent};
use super::fingerprint::{self, Fingerprint};
use super::link::{Arg, Record};
use super::load::id_range;
use super::records::{StatementState, StoredMismatch, Sums};
use super::{Ledger, compare};
use crate::domain::{BillDate, Failure, Statement};
use crate::store::place::At;

/// A row of `unit`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptUnit {
    pub number: i64,
    pub account: String,
    pub bill_date: String,
    pub state: String,
    pub verdict: String,
    pub reason: String,
    pub version: i64,
    pub canonical_hash: String,
    /// Empty if the program that wrote the unit kept none; so is `section_hash`.
    pub orders_hash: String,
    pub section_hash: String,
    pub section: String,
}

impl KeptUnit {
    pub fn hash_of_section(&self) -> String {
        fingerprint::hash_of_section(&self.section)
    }
}

/// A row of `statement`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptStatement {
    pub bill: String,
    pub version: i64,
    pub sha256: String,
    pub source: String,
    pub sums: Sums,
    pub fetched_at: String,
    pub state: String,
    pub authenticated: bool,
}

impl KeptStatement {
    pub fn stands(&self) -> bool {
        [StatementState::Current, StatementState::Empty].iter().any(|state| state.as_str() == self.state)
    }
}

/// A row of a big table that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowDamage {
    /// Table, row and column.
    pub place: String,
    pub expected: String,
    pub found: String,
}

const UNITS: &str =
    "SELECT number, account, bill_date, state, verdict, reason, version, canonical_hash, orders_hash,
        section_hash, section
    FROM unit ORDER BY bill_date, account";

const ONE_UNIT: &str =
    "SELECT number, account, bill_date, state, verdict, reason, version, canonical_hash, orders_hash,
        section_hash, section
    FROM unit WHERE account = ?1 AND bill_date = ?2";

const STATEMENTS: &str = r#"SELECT bill, version, sha256, source, "rows", amount_minor, fee_e5, fetched_at, state,
        authenticated
    FROM statement WHERE account = ?1 AND bill_date = ?2 ORDER BY bill, version"#;

impl Ledger {
    /// The last event of the chain.
    pub async fn event_head(&self) -> Result<Head, Failure> {
        events::head(&mut self.lease().await?.link(), &self.place).await
    }

    /// The hash of an event; `None` if there is none of this number.
    pub async fn event_hash(&self, seq: i64) -> Result<Option<String>, Failure> {
        events::hash_of(&mut self.lease().await?.link(), &self.place, seq).await
    }

    /// The next events behind a number, some thousands at most; none at the end of the chain.
    pub async fn events_after(&self, seq: i64) -> Result<Vec<StoredEvent>, Failure> {
        events::page(&mut self.lease().await?.link(), &self.place, seq).await
    }

    /// The last event of each mismatch of a unit, by id.
    pub async fn last_events(
        &self,
        account: &str,
        date: BillDate,
    ) -> Result<BTreeMap<String, StoredEvent>, Failure> {
        let of_unit = (account, &*date.to_string());
        events::last_of_unit(&mut self.lease().await?.link(), &self.place, of_unit).await
    }

    /// Every unit, done or not, by day and account.
    pub async fn kept_units(&self) -> Result<Vec<KeptUnit>, Failure> {
        Ok(self.rows(UNITS, &[]).await?.iter().map(kept_unit).collect())
    }

    pub async fn kept_unit(&self, account: &str, date: BillDate) -> Result<Option<KeptUnit>, Failure> {
        let rows = self.rows(ONE_UNIT, &[account.into(), (&date.to_string()).into()]).await?;
        Ok(rows.first().map(kept_unit))
    }

    /// Every version of every bill of a unit, by bill and version.
    pub async fn kept_statements(
        &self,
        account: &str,
        date: BillDate,
    ) -> Result<Vec<KeptStatement>, Failure> {
        let rows = self.rows(STATEMENTS, &[account.into(), (&date.to_string()).into()]).await?;
        Ok(rows.iter().map(kept_statement).collect())
    }

    /// All mismatches of a unit, open or not, by id.
    pub async fn mismatches_of_unit(
        &self,
        account: &str,
        date: BillDate,
    ) -> Result<Vec<StoredMismatch>, Failure> {
        self.asker(&mut self.lease().await?).mismatches_of_unit(account, date).await
    }

    /// Where a unit's movements differ from its statement's, row by row.
    pub async fn compare_entries(
        &self,
        unit: &KeptUnit,
        statement: Arc<Statement>,
    ) -> Result<Vec<RowDamage>, Failure> {
        let of_unit = [unit.account.clone(), unit.bill_date.clone()];
        compare::entries(self.at(), (unit.number, of_unit), statement).await
    }

    /// Where a unit's logged orders differ from those of its commit.
    pub async fn compare_orders(&self, unit: &KeptUnit) -> Result<Option<RowDamage>, Failure> {
        let damage = |place: &str, expected: String, found: String| {
            Ok(Some(RowDamage { place: place.to_owned(), expected, found }))
        };
        let Some(kept) = Fingerprint::parse(&unit.orders_hash) else {
            return damage("unit, orders_hash", "a fingerprint".to_owned(), unit.orders_hash.clone());
        };
        let found = compare::orders(self.at(), unit.number).await?;
        if found.rows() != kept.rows() {
            return damage("logged_order", format!("{} rows", kept.rows()), format!("{} rows", found.rows()));
        }
        if found.sha256() == kept.sha256() {
            return Ok(None);
        }
        match kept.changed_row(&found) {
            None => damage(
                "logged_order",
                format!("rows with the hash {}", kept.sha256()),
                found.sha256().to_owned(),
            ),
            Some(row) => {
                let text = self.logged_row(unit.number, row).await?;
                damage(&format!("logged_order, row {row}"), "the row of the commit".to_owned(), text)
            }
        }
    }

    /// A logged order of a unit by its number from 1, in words.
    async fn logged_row(&self, unit_number: i64, row: u64) -> Result<String, Failure> {
        let (first, _) = id_range(unit_number);
        let id = first.saturating_add_unsigned(row - 1);
        let sql = "SELECT entry, order_no, refund_no, state, amount_minor FROM logged_order WHERE id = ?1";
        let rows = self.rows(sql, &[id.into()]).await?;
        let said = rows.first().map(|row| {
            let amount = row.integer("amount_minor").map_or("NULL".to_owned(), |minor| minor.to_string());
            let numbers = [row.text("order_no"), row.text("refund_no")].join(" ");
            format!("{} {} {}, amount_minor {amount}", row.text("entry"), numbers.trim(), row.text("state"))
        });
        Ok(said.unwrap_or_else(|| "none".to_owned()))
    }

    /// Rows of the two big tables that have no place among the units of these numbers.
    pub async fn rows_of_nobody(&self, numbers: &BTreeSet<i64>) -> Result<Vec<RowDamage>, Failure> {
        let mut wrong = Vec::new();
        for (table, sql) in [
            ("ledger_entry", "SELECT count(*) AS n FROM ledger_entry WHERE id BETWEEN ?1 AND ?2"),
            ("logged_order", "SELECT count(*) AS n FROM logged_order WHERE id BETWEEN ?1 AND ?2"),
        ] {
            for (first, last) in gaps(numbers) {
                let rows = self.rows(sql, &[first.into(), last.into()]).await?;
                let count = rows.first().map_or(0, |row| row.number("n"));
                if count > 0 {
                    let place = format!("{table}, ids {first} to {last}");
                    let expected = "no rows: they are of no unit that is done".to_owned();
                    wrong.push(RowDamage { place, expected, found: format!("{count} rows") });
                }
            }
        }
        Ok(wrong)
    }

    async fn rows(&self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Record>, Failure> {
        self.lease().await?.link().fetch(sql, args).await.at(&self.place, "reading the ledger")
    }
}

/// The ids between those of the units.
fn gaps(numbers: &BTreeSet<i64>) -> Vec<(i64, i64)> {
    let mut gaps = Vec::new();
    let mut from = Some(i64::MIN);
    for (first, last) in numbers.iter().map(|number| id_range(*number)) {
        gaps.extend(from.filter(|from| *from < first).map(|from| (from, first - 1)));
        from = last.checked_add(1);
    }
    gaps.extend(from.map(|from| (from, i64::MAX)));
    gaps
}

fn kept_unit(row: &Record) -> KeptUnit {
    KeptUnit {
        number: row.number("number"),
        account: row.string("account"),
        bill_date: row.string("bill_date"),
        state: row.string("state"),
        verdict: row.string("verdict"),
        reason: row.string("reason"),
        version: row.number("version"),
        canonical_hash: row.string("canonical_hash"),
        orders_hash: row.string("orders_hash"),
        section_hash: row.string("section_hash"),
        section: row.string("section"),
    }
}

fn kept_statement(row: &Record) -> KeptStatement {
    let sums = Sums {
        rows: row.number("rows").cast_unsigned(),
        amount_minor: row.number("amount_minor"),
        fee_e5: row.number("fee_e5"),
    };
    KeptStatement {
        bill: row.string("bill"),
        version: row.number("version"),
        sha256: row.string("sha256"),
        source: row.string("source"),
        sums,
        fetched_at: row.string("fetched_at"),
        state: row.string("state"),
        authenticated: row.number("authenticated") != 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_the_units_is_every_id_that_none_of_them_has() {
        let unit = |number: i64| number << 32;
        for (numbers, expected) in [
            (vec![], vec![(i64::MIN, i64::MAX)]),
            (vec![1, 2], vec![(i64::MIN, unit(1) - 1), (unit(3), i64::MAX)]),
            (vec![1, 3], vec![(i64::MIN, unit(1) - 1), (unit(2), unit(3) - 1), (unit(4), i64::MAX)]),
            (vec![i64::from(i32::MAX)], vec![(i64::MIN, unit(i64::from(i32::MAX)) - 1)]),
        ] {
            assert_eq!(gaps(&numbers.iter().copied().collect()), expected, "{numbers:?}");
        }
    }
}

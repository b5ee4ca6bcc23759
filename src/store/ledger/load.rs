//! A unit's movements into the two big tables, each engine's fastest safe way, within the unit's transaction.
//!
//! | engine | how |
//! |---|---|
//! | SQLite | a file of the table's shape, attached and moved over (`sqlite/load.rs`) |
//! | PostgreSQL | `COPY`, text, encoded on a thread of its own |
//! | MariaDB | prepared inserts of many rows; LOAD DATA LOCAL is not in the driver, and is no faster by much |
//!
//! The rows of unit `n` have the ids from `n << 32`: they are counted, read and replaced by a range.

use super::link::{Arg, Link};
use super::records::{Sums, UnitKey};
use super::rows::{COLUMNS, Rows};
use super::tx::Tx;
use super::{mysql, postgres, sqlite};
use crate::domain::Failure;
use crate::failpoint::reach;
use crate::store::place::{At, Place};
use crate::store::value::Value;

/// Four billion rows a unit, two billion units.
const UNIT_SHIFT: u32 = 32;

/// First and last id of a unit's rows.
pub(super) fn id_range(unit_number: i64) -> (i64, i64) {
    let first = unit_number << UNIT_SHIFT;
    (first, first | ((1 << UNIT_SHIFT) - 1))
}

/// One table's rows of one unit.
#[derive(Clone)]
pub(super) struct Load {
    pub(super) key: UnitKey,
    pub(super) number: i64,
    pub(super) rows: Rows,
}

impl Load {
    /// Shows each row with its id.
    pub(super) fn each<E: From<std::io::Error>>(
        &self,
        show: impl FnMut(i64, &[Value<'_>; COLUMNS]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.rows.each(&self.key, id_range(self.number).0, show)
    }

    pub(super) fn doing(&self) -> &'static str {
        match self.rows {
            Rows::Entries(_) => "loading `ledger_entry`",
            Rows::Orders(..) => "loading `logged_order`",
        }
    }

    fn clear(&self) -> &'static str {
        match self.rows {
            Rows::Entries(_) => CLEAR_ENTRIES,
            Rows::Orders(..) => "DELETE FROM logged_order WHERE id BETWEEN ?1 AND ?2",
        }
    }
}

const CLEAR_ENTRIES: &str = "DELETE FROM ledger_entry WHERE id BETWEEN ?1 AND ?2";

/// Removes what a crash has left of a load. Only for who holds the right to write.
pub(super) fn remove_leftovers(place: &Place) {
    if let Place::Sqlite(_) = place {
        sqlite::load::remove_leftovers(place);
    }
}

/// Replaces the unit's rows.
pub(super) async fn replace(tx: &mut Tx, load: Load) -> Result<(), Failure> {
    let place = tx.place().clone();
    let incoming = match tx.link() {
        // Before anything is deleted: the file takes as long as the rest, and can fail for want of space.
        Link::Sqlite(_) => Some(sqlite::load::write_file(&place, &load).await?),
        Link::Postgres(_) | Link::Mysql(_) => None,
    };
    reach("ledger: remove the unit's former rows").at(&place, load.doing())?;
    clear(tx, load.clear(), load.number).await?;
    reach("ledger: load the unit's rows").at(&place, load.doing())?;
    if let Some(incoming) = incoming {
        return sqlite::load::fill(&mut tx.link(), &place, &load, incoming).await;
    }
    let loaded = match tx.link() {
        Link::Postgres(connection) => postgres::copy(connection, &load).await,
        Link::Mysql(connection) => mysql::insert(connection, &load).await,
        Link::Sqlite(_) => Ok(()),
    };
    loaded.at(&place, load.doing())
}

/// Removes the unit's movements.
pub(super) async fn clear_entries(tx: &mut Tx, unit_number: i64) -> Result<(), Failure> {
    clear(tx, CLEAR_ENTRIES, unit_number).await
}

async fn clear(tx: &mut Tx, sql: &'static str, unit_number: i64) -> Result<(), Failure> {
    let place = tx.place().clone();
    let (first, last) = id_range(unit_number);
    let doing = "removing the unit's former rows";
    tx.link().execute(sql, &[Arg::from(first), Arg::from(last)]).await.at(&place, doing)?;
    Ok(())
}

/// Rows, Σ amount and Σ fee as they stand in `ledger_entry` now, inside the transaction.
pub(super) async fn sums(tx: &mut Tx, unit_number: i64) -> Result<Sums, Failure> {
    // A sum of 64-bit numbers is a wider type on a server; what does not fit is an error there, as here.
    let sql = match tx.link() {
        Link::Mysql(_) => {
            "SELECT count(*) AS n, cast(coalesce(sum(amount_minor), 0) AS SIGNED) AS amount,
                    cast(coalesce(sum(fee_e5), 0) AS SIGNED) AS fee
             FROM ledger_entry WHERE id BETWEEN ?1 AND ?2"
        }
        _ => {
            "SELECT count(*) AS n, cast(coalesce(sum(amount_minor), 0) AS BIGINT) AS amount,
                    cast(coalesce(sum(fee_e5), 0) AS BIGINT) AS fee
             FROM ledger_entry WHERE id BETWEEN ?1 AND ?2"
        }
    };
    let place = tx.place().clone();
    let (first, last) = id_range(unit_number);
    let row =
        tx.link().fetch_one(sql, &[first.into(), last.into()]).await.at(&place, "adding up the unit")?;
    Ok(row.map_or(Sums::default(), |row| Sums {
        rows: row.number("n").cast_unsigned(),
        amount_minor: row.number("amount"),
        fee_e5: row.number("fee"),
    }))
}

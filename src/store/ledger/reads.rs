//! What the ledger is asked for in small: units, statements, mismatches, one order.

use super::link::{Arg, Link, Record};
use super::records::{
    Neighbour, RunRecord, SectionRecord, StatementMeta, StatementRecord, StatementState, StoredEntry,
    StoredMismatch, StoredOrder, Sums, UnitRecord, UnitState,
};
use crate::domain::{Bill, BillDate, Currency, EntryKind, Failure, Moment, State, Verdict};
use crate::report::MismatchRow;
use crate::store::place::{At, Place, foreign_value};

/// A question to the ledger: over which connection, and where that is.
pub(super) struct Asker<'c> {
    pub(super) link: Link<'c>,
    pub(super) place: &'c Place,
}

impl Asker<'_> {
    async fn all(
        &mut self,
        doing: &str,
        sql: &'static str,
        args: &[Arg<'_>],
    ) -> Result<Vec<Record>, Failure> {
        self.link.fetch(sql, args).await.at(self.place, doing)
    }

    async fn one(
        &mut self,
        doing: &str,
        sql: &'static str,
        args: &[Arg<'_>],
    ) -> Result<Option<Record>, Failure> {
        Ok(self.all(doing, sql, args).await?.into_iter().next())
    }

    /// The bill of a unit that stands: `current` or `empty`.
    pub(super) async fn standing_statement(
        &mut self,
        (account, date, bill): (&str, BillDate, Bill),
    ) -> Result<Option<StatementRecord>, Failure> {
        let row = self
            .one(
                "reading `statement`",
                r#"SELECT version, sha256, source, "rows", amount_minor, fee_e5, fetched_at, state, authenticated
                   FROM statement
                   WHERE account = ?1 AND bill_date = ?2 AND bill = ?3 AND state IN ('current', 'empty')"#,
                &[account.into(), (&date.to_string()).into(), bill.as_str().into()],
            )
            .await?;
        row.map(|row| statement_record(&row, bill, self.place)).transpose()
    }

    pub(super) async fn unit(
        &mut self,
        account: &str,
        date: BillDate,
    ) -> Result<Option<UnitRecord>, Failure> {
        let row = self
            .one(
                "reading `unit`",
                "SELECT account, paytype, bill_date, state, verdict, reason, version, source, canonical_hash
                 FROM unit WHERE account = ?1 AND bill_date = ?2",
                &[account.into(), (&date.to_string()).into()],
            )
            .await?;
        row.map(|row| unit_record(&row, self.place)).transpose()
    }

    /// The units of a day that are done, by account.
    pub(super) async fn done_units(&mut self, date: BillDate) -> Result<Vec<UnitRecord>, Failure> {
        let rows = self
            .all(
                "reading `unit`",
                "SELECT account, paytype, bill_date, state, verdict, reason, version, source, canonical_hash
                 FROM unit WHERE bill_date = ?1 AND state = 'done' ORDER BY account",
                &[(&date.to_string()).into()],
            )
            .await?;
        rows.iter().map(|row| unit_record(row, self.place)).collect()
    }

    /// What the ledger keeps of a day's report, by account.
    pub(super) async fn sections(&mut self, date: BillDate) -> Result<Vec<SectionRecord>, Failure> {
        let sql = "SELECT account, state, section FROM unit WHERE bill_date = ?1 ORDER BY account";
        let rows = self.all("reading `unit`", sql, &[(&date.to_string()).into()]).await?;
        let section = |row: &Record| {
            let state = parsed(row, "state", self.place, UnitState::parse)?;
            Ok(SectionRecord { account: row.string("account"), state, section: row.string("section") })
        };
        rows.iter().map(section).collect()
    }

    pub(super) async fn unclaimed(&mut self, date: BillDate) -> Result<Option<String>, Failure> {
        let sql = r#"SELECT "rows" FROM unclaimed WHERE bill_date = ?1"#;
        let row = self.one("reading `unclaimed`", sql, &[(&date.to_string()).into()]).await?;
        Ok(row.map(|row| row.string("rows")))
    }

    pub(super) async fn run(&mut self, id: i64) -> Result<Option<RunRecord>, Failure> {
        let sql =
            "SELECT id, started_at, finished_at, arguments, exit_code, reasons FROM night_run WHERE id = ?1";
        let row = self.one("reading `night_run`", sql, &[id.into()]).await?;
        row.map(|row| run_record(&row, self.place)).transpose()
    }

    /// Ids of the first and of the last run.
    pub(super) async fn first_and_last_run(&mut self) -> Result<Option<(i64, i64)>, Failure> {
        let sql = "SELECT min(id) AS first, max(id) AS last FROM night_run";
        let row = self.one("reading `night_run`", sql, &[]).await?;
        Ok(row.and_then(|row| row.integer("first").zip(row.integer("last"))))
    }

    /// Each account's first day, done or not.
    pub(super) async fn first_days(&mut self) -> Result<Vec<(String, BillDate)>, Failure> {
        let sql = "SELECT account, min(bill_date) AS bill_date FROM unit GROUP BY account ORDER BY account";
        let rows = self.all("reading `unit`", sql, &[]).await?;
        let first = |row: &Record| {
            Ok((row.string("account"), parsed(row, "bill_date", self.place, BillDate::parse)?))
        };
        rows.iter().map(first).collect()
    }

    pub(super) async fn mismatch(&mut self, id: &str) -> Result<Option<StoredMismatch>, Failure> {
        let row =
            self.one("reading `mismatch`", "SELECT * FROM mismatch WHERE id = ?1", &[id.into()]).await?;
        Ok(row.map(|row| stored_mismatch(&row)))
    }

    /// By order number, newest day first.
    pub(super) async fn mismatches_of_order(&mut self, number: &str) -> Result<Vec<StoredMismatch>, Failure> {
        let sql = "SELECT * FROM mismatch WHERE order_no = ?1 OR refund_no = ?1 OR trade_no = ?1
                   ORDER BY bill_date DESC, account, id";
        let rows = self.all("reading `mismatch`", sql, &[number.into()]).await?;
        Ok(rows.iter().map(stored_mismatch).collect())
    }

    /// All of a unit, open or not, by id.
    pub(super) async fn mismatches_of_unit(
        &mut self,
        account: &str,
        date: BillDate,
    ) -> Result<Vec<StoredMismatch>, Failure> {
        let sql = "SELECT * FROM mismatch WHERE account = ?1 AND bill_date = ?2 ORDER BY id";
        let args = [account.into(), Arg::Text(&date.to_string())];
        let rows = self.all("reading `mismatch`", sql, &args).await?;
        Ok(rows.iter().map(stored_mismatch).collect())
    }

    /// Lines whose order, refund or transaction number is this one, of every day; reads the whole table.
    pub(super) async fn entries_of_order(&mut self, number: &str) -> Result<Vec<StoredEntry>, Failure> {
        let sql = "SELECT * FROM ledger_entry
                   WHERE order_no = ?1 OR refund_no = ?1 OR trade_no = ?1 OR refund_trade_no = ?1
                   ORDER BY bill_date, id";
        let rows = self.all("reading `ledger_entry`", sql, &[number.into()]).await?;
        rows.iter().map(|row| stored_entry(row, self.place)).collect()
    }

    /// Logged orders whose order, refund or transaction number is this one, of every day; reads the whole table.
    pub(super) async fn orders_of_order(&mut self, number: &str) -> Result<Vec<StoredOrder>, Failure> {
        let sql = "SELECT * FROM logged_order WHERE order_no = ?1 OR refund_no = ?1 OR trade_no = ?1
                   ORDER BY bill_date, id";
        let rows = self.all("reading `logged_order`", sql, &[number.into()]).await?;
        rows.iter().map(|row| stored_order(row, self.place)).collect()
    }

    /// The unit's number and kept hash, if it is done.
    pub(super) async fn done_number(
        &mut self,
        account: &str,
        date: BillDate,
    ) -> Result<Option<(i64, String)>, Failure> {
        let sql = "SELECT number, canonical_hash FROM unit
                   WHERE account = ?1 AND bill_date = ?2 AND state = 'done'";
        let args = [account.into(), Arg::Text(&date.to_string())];
        let row = self.one("reading `unit`", sql, &args).await?;
        Ok(row.map(|row| (row.number("number"), row.string("canonical_hash"))))
    }
}

/// A number that fits where it is kept: the ledger holds what was put there.
fn small<T: TryFrom<i64>>(row: &Record, column: &str, place: &Place) -> Result<T, Failure> {
    let number = row.number(column);
    T::try_from(number).map_err(|_| foreign_value(place, column, &number.to_string()))
}

fn run_record(row: &Record, place: &Place) -> Result<RunRecord, Failure> {
    Ok(RunRecord {
        id: row.number("id"),
        started_at: parsed(row, "started_at", place, Moment::parse)?,
        finished_at: Moment::parse(row.text("finished_at")),
        arguments: row.string("arguments"),
        exit_code: row.integer("exit_code").and_then(|code| u8::try_from(code).ok()),
        reasons: row.string("reasons"),
    })
}

fn statement_record(row: &Record, bill: Bill, place: &Place) -> Result<StatementRecord, Failure> {
    let sums = Sums {
        rows: row.number("rows").cast_unsigned(),
        amount_minor: row.number("amount_minor"),
        fee_e5: row.number("fee_e5"),
    };
    let meta = StatementMeta {
        bill,
        sha256: row.string("sha256"),
        source: row.string("source"),
        sums,
        fetched_at: parsed(row, "fetched_at", place, Moment::parse)?,
        state: parsed(row, "state", place, StatementState::parse)?,
        authenticated: row.number("authenticated") != 0,
    };
    Ok(StatementRecord { version: small(row, "version", place)?, meta })
}

/// A text column as a word of the house.
fn parsed<T>(
    row: &Record,
    column: &str,
    place: &Place,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, Failure> {
    let text = row.text(column);
    parse(text).ok_or_else(|| foreign_value(place, column, text))
}

fn unit_record(row: &Record, place: &Place) -> Result<UnitRecord, Failure> {
    Ok(UnitRecord {
        account: row.string("account"),
        pay_type: row.string("paytype"),
        date: parsed(row, "bill_date", place, BillDate::parse)?,
        state: parsed(row, "state", place, UnitState::parse)?,
        verdict: parsed(row, "verdict", place, Verdict::parse)?,
        reason: row.string("reason"),
        version: small(row, "version", place)?,
        source: row.string("source"),
        canonical_hash: row.string("canonical_hash"),
    })
}

fn stored_mismatch(row: &Record) -> StoredMismatch {
    let standing = row.text("standing");
    StoredMismatch {
        open: standing == "open",
        row: MismatchRow {
            id: row.string("id"),
            bill_date: row.string("bill_date"),
            account: row.string("account"),
            paytype: row.string("paytype"),
            kind: row.string("kind"),
            entry: row.string("entry"),
            order_no: row.string("order_no"),
            refund_no: row.string("refund_no"),
            trade_no: row.string("trade_no"),
            gateway_amount_minor: row.integer("gateway_amount_minor"),
            channel_amount_minor: row.integer("channel_amount_minor"),
            difference_minor: row.number("difference_minor"),
            currency: row.string("currency"),
            gateway_state: row.string("gateway_state"),
            channel_state: row.string("channel_state"),
            gateway_time: row.string("gateway_time"),
            channel_time: row.string("channel_time"),
            mall: row.string("mall"),
            store: row.string("store"),
            till: row.string("till"),
            cashier: row.string("cashier"),
            reason: row.string("reason"),
            evidence: row.string("evidence"),
        },
    }
}

fn stored_entry(row: &Record, place: &Place) -> Result<StoredEntry, Failure> {
    let at = parsed(row, "happened_at", place, Moment::parse)?;
    let movement = Neighbour {
        part: small(row, "part", place)?,
        line: small(row, "line", place)?,
        ..movement(row, place, at)?
    };
    Ok(StoredEntry {
        account: row.string("account"),
        movement,
        settled_minor: row.number("settled_minor"),
        fee_e5: row.number("fee_e5"),
        refund_trade_no: row.string("refund_trade_no"),
        merchant: row.string("merchant"),
        sub_merchant: row.string("sub_merchant"),
        store: row.string("store"),
        till: row.string("till"),
        subject: row.string("subject"),
    })
}

fn stored_order(row: &Record, place: &Place) -> Result<StoredOrder, Failure> {
    let logged_at = parsed(row, "logged_at", place, Moment::parse)?;
    let provider_at = Moment::parse(row.text("provider_at"));
    let movement = Neighbour {
        notes: small(row, "notes", place)?,
        ..movement(row, place, provider_at.unwrap_or(logged_at))?
    };
    Ok(StoredOrder {
        account: row.string("account"),
        movement,
        logged_at,
        provider_at,
        business_date: row.string("business_date"),
        req_type: row.string("req_type"),
        seller: row.string("seller"),
        mall: row.string("mall"),
        store: row.string("store"),
        till: row.string("till"),
        cashier: row.string("cashier"),
        log_rows: small(row, "log_rows", place)?,
    })
}

/// The columns that both big tables have.
fn movement(row: &Record, place: &Place, at: Moment) -> Result<Neighbour, Failure> {
    Ok(Neighbour {
        date: parsed(row, "bill_date", place, BillDate::parse)?,
        kind: parsed(row, "entry", place, EntryKind::parse)?,
        state: parsed(row, "state", place, State::parse)?,
        order_no: row.string("order_no"),
        refund_no: row.string("refund_no"),
        trade_no: row.string("trade_no"),
        amount_minor: row.integer("amount_minor"),
        currency: parsed(row, "currency", place, |text| Currency::parse(text).ok())?,
        at,
        part: 0,
        line: 0,
        notes: 0,
    })
}

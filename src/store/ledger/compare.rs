//! Whole units of the two big tables against what they must be: for `verify`. A row that is not as it was is named with
//! its column; a value that this program never writes is a finding like any other.

use std::sync::Arc;

use super::canonical::CELLS;
use super::chain::RowDamage;
use super::engine::Pool;
use super::fingerprint::{Fingerprint, Printer};
use super::load::id_range;
use super::stream::{Shown, fold};
use crate::domain::{Entry, Failure, Statement};
use crate::store::place::Place;
use crate::store::value::Value;

const ENTRIES: &str =
    "SELECT id, part, line, amount_minor, settled_minor, fee_e5, entry, state, currency, happened_at, account, bill_date,
        order_no, refund_no, trade_no, refund_trade_no, merchant, sub_merchant, store, till, subject
    FROM ledger_entry WHERE id BETWEEN ?1 AND ?2 ORDER BY id";

const ENTRY_NUMBERS: [&str; 5] = ["part", "line", "amount_minor", "settled_minor", "fee_e5"];

const ENTRY_TEXTS: [&str; 15] = [
    "entry",
    "state",
    "currency",
    "happened_at",
    "account",
    "bill_date",
    "order_no",
    "refund_no",
    "trade_no",
    "refund_trade_no",
    "merchant",
    "sub_merchant",
    "store",
    "till",
    "subject",
];

/// The columns of `logged_order` in their order, without the id: numbers first.
const ORDERS: &str = "SELECT amount_minor, notes, log_rows, order_no, refund_no, trade_no, entry, state, currency,
        logged_at, provider_at, account, bill_date, business_date, req_type, seller, mall, store, till, cashier
    FROM logged_order WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
const ORDER_NUMBERS: usize = 3;
const ORDER_COLUMNS: usize = 20;

/// What is gathered while rows go by.
struct Comparison {
    statement: Arc<Statement>,
    /// Account and bill date.
    of_unit: [String; 2],
    first_id: i64,
    /// Entries before this one were met.
    next: usize,
    wrong: Vec<RowDamage>,
}

/// Where a unit's movements differ from its statement's.
pub(super) async fn entries(
    at: (&Pool, &Place),
    (unit_number, of_unit): (i64, [String; 2]),
    statement: Arc<Statement>,
) -> Result<Vec<RowDamage>, Failure> {
    let (first_id, _) = id_range(unit_number);
    let comparison = Comparison { statement, of_unit, first_id, next: 0, wrong: Vec::new() };
    let mut done = fold(at, (ENTRIES, unit_number), comparison, Comparison::row).await?;
    let last = done.statement.entries().len();
    done.missing(last);
    Ok(done.wrong)
}

impl Comparison {
    fn row(&mut self, row: &Shown<'_>) -> Result<(), Failure> {
        let number = row.number(0)? - self.first_id;
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        self.missing(index.min(self.statement.entries().len()));
        self.next = index.saturating_add(1);
        let statement = Arc::clone(&self.statement);
        let Some(entry) = statement.entries().get(index) else {
            self.damage(format!("ledger_entry, row {}", number + 1), "no such row".into(), "one".into());
            return Ok(());
        };
        let place = |column: &str| format!("ledger_entry, line {} of the statement, {column}", entry.line);
        let numbers = numbers(entry);
        for (at, (column, expected)) in ENTRY_NUMBERS.iter().zip(numbers).enumerate() {
            let found = row.integer(1 + at)?;
            if found != expected {
                self.damage(place(column), shown(expected), shown(found));
            }
        }
        let texts = self.texts(&statement, entry);
        for (at, (column, expected)) in ENTRY_TEXTS.iter().zip(texts).enumerate() {
            let found = row.bytes(1 + ENTRY_NUMBERS.len() + at)?;
            if found != expected.as_bytes() {
                self.damage(place(column), expected, String::from_utf8_lossy(found).into_owned());
            }
        }
        Ok(())
    }

    /// The entries from the next one up to `index` were not met.
    fn missing(&mut self, index: usize) {
        let statement = Arc::clone(&self.statement);
        for entry in statement.entries().get(self.next..index).unwrap_or_default() {
            self.damage(
                format!("ledger_entry, line {} of the statement", entry.line),
                "a row".into(),
                "none".into(),
            );
        }
    }

    fn damage(&mut self, place: String, expected: String, found: String) {
        self.wrong.push(RowDamage { place, expected, found });
    }

    fn texts(&self, statement: &Statement, entry: &Entry) -> [String; 15] {
        let [account, date] = self.of_unit.clone();
        let words = [entry.kind.as_str(), entry.state.as_str(), entry.currency.as_str()].map(str::to_owned);
        let mut texts = words.into_iter().chain([entry.happened_at.to_string(), account, date]);
        let mut cells = CELLS.iter().map(|cell| statement.cell(entry, *cell).to_owned());
        std::array::from_fn(|_| texts.next().or_else(|| cells.next()).unwrap_or_default())
    }
}

fn numbers(entry: &Entry) -> [Option<i64>; 5] {
    let (part, line) = (i64::from(entry.part), i64::from(entry.line));
    [Some(part), Some(line), entry.amount_minor, Some(entry.settled_minor), Some(entry.fee_e5)]
}

fn shown(number: Option<i64>) -> String {
    number.map_or("NULL".to_owned(), |number| number.to_string())
}

/// The fingerprint of a unit's logged orders as they are now.
pub(super) async fn orders(at: (&Pool, &Place), unit_number: i64) -> Result<Fingerprint, Failure> {
    let printer = fold(at, (ORDERS, unit_number), Printer::default(), |printer, row| {
        let mut values = [Value::Null; ORDER_COLUMNS];
        for (column, value) in values.iter_mut().enumerate() {
            *value = match column < ORDER_NUMBERS {
                true => row.integer(column)?.map_or(Value::Null, Value::Integer),
                false => Value::Text(row.bytes(column)?),
            };
        }
        printer.row(&values);
        Ok(())
    })
    .await?;
    Ok(printer.finish())
}

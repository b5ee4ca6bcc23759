//! The rows of the two big tables as values, in the order of their columns: what each engine's bulk load writes.

use std::io;
use std::sync::Arc;

use super::canonical::CELLS;
use super::records::UnitKey;
use super::schema::{LEDGER_ENTRY, LOGGED_ORDER, Table};
use crate::domain::{Entry, LoggedOrder, LoggedOrders, Statement};
use crate::store::text::MomentText;
use crate::store::value::Value;

/// Columns of `ledger_entry`, and of `logged_order`.
pub(super) const COLUMNS: usize = 21;

/// What is loaded: a statement's entries, or a day's orders of the log.
#[derive(Clone)]
pub(super) enum Rows {
    Entries(Arc<Statement>),
    /// Those at the places.
    Orders(Arc<LoggedOrders>, Vec<u32>),
}

impl Rows {
    /// Shows each row with its id, from `first_id` up.
    pub(super) fn each<E: From<io::Error>>(
        &self,
        key: &UnitKey,
        first_id: i64,
        mut show: impl FnMut(i64, &[Value<'_>; COLUMNS]) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Rows::Entries(statement) => {
                let mut rows = EntryRows::new(key, statement);
                for (id, entry) in (first_id..).zip(statement.entries()) {
                    show(id, &rows.row(id, entry))?;
                }
            }
            Rows::Orders(orders, of_day) => {
                let mut rows = OrderRows::new(key, orders);
                for (id, place) in (first_id..).zip(of_day) {
                    let order = orders.orders.get(*place as usize).ok_or(io::ErrorKind::InvalidInput);
                    show(id, &rows.row(id, order.map_err(io::Error::from)?))?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn table(&self) -> &'static Table {
        match self {
            Rows::Entries(_) => &LEDGER_ENTRY,
            Rows::Orders(..) => &LOGGED_ORDER,
        }
    }
}

fn number(value: Option<i64>) -> Value<'static> {
    value.map_or(Value::Null, Value::Integer)
}

/// Writes a statement's entries as rows of `ledger_entry`.
struct EntryRows<'a> {
    account: &'a str,
    date: String,
    statement: &'a Statement,
    moments: MomentText,
}

impl<'a> EntryRows<'a> {
    fn new(key: &'a UnitKey, statement: &'a Statement) -> EntryRows<'a> {
        EntryRows {
            account: &key.account,
            date: key.date.to_string(),
            statement,
            moments: MomentText::default(),
        }
    }

    fn row(&mut self, id: i64, entry: &'a Entry) -> [Value<'_>; COLUMNS] {
        let statement = self.statement;
        let [order, refund, trade, refund_trade, merchant, sub_merchant, store, till, subject] =
            CELLS.map(|cell| Value::Text(statement.cell(entry, cell).as_bytes()));
        [
            Value::Integer(id),
            number(entry.amount_minor),
            Value::Integer(entry.settled_minor),
            Value::Integer(entry.fee_e5),
            Value::Integer(i64::from(entry.part)),
            Value::Integer(i64::from(entry.line)),
            order,
            refund,
            trade,
            refund_trade,
            Value::Text(entry.kind.as_str().as_bytes()),
            Value::Text(entry.state.as_str().as_bytes()),
            Value::Text(entry.currency.as_str().as_bytes()),
            Value::Text(self.moments.of(entry.happened_at)),
            Value::Text(self.account.as_bytes()),
            Value::Text(self.date.as_bytes()),
            merchant,
            sub_merchant,
            store,
            till,
            subject,
        ]
    }
}

/// Writes orders of the log as rows of `logged_order`.
struct OrderRows<'a> {
    account: &'a str,
    date: String,
    orders: &'a LoggedOrders,
    logged: MomentText,
    provider: MomentText,
}

impl<'a> OrderRows<'a> {
    fn new(key: &'a UnitKey, orders: &'a LoggedOrders) -> OrderRows<'a> {
        OrderRows {
            account: &key.account,
            date: key.date.to_string(),
            orders,
            logged: MomentText::default(),
            provider: MomentText::default(),
        }
    }

    fn row(&mut self, id: i64, order: &'a LoggedOrder) -> [Value<'_>; COLUMNS] {
        let orders = self.orders;
        let name = |name: u32| Value::Text(orders.names.get(name).as_bytes());
        [
            Value::Integer(id),
            number(order.amount_minor),
            Value::Integer(i64::from(order.notes)),
            Value::Integer(i64::from(order.rows)),
            Value::Text(orders.order_no(order).as_bytes()),
            Value::Text(orders.refund_no(order).as_bytes()),
            Value::Text(orders.trade_no(order).as_bytes()),
            Value::Text(order.kind.as_str().as_bytes()),
            Value::Text(order.state.as_str().as_bytes()),
            Value::Text(order.currency.as_str().as_bytes()),
            Value::Text(self.logged.of(order.logged_at)),
            Value::Text(order.provider_at.map_or(b"", |at| self.provider.of(at))),
            Value::Text(self.account.as_bytes()),
            Value::Text(self.date.as_bytes()),
            name(order.business_date),
            name(order.req_type),
            name(order.seller),
            name(order.mall),
            name(order.store),
            name(order.till),
            name(order.cashier),
        ]
    }
}

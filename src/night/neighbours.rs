//! What the neighbouring days hold under the keys that are still open in a unit.

use std::collections::HashSet;
use std::sync::Arc;

use crate::domain::logged_order::is_success;
use crate::domain::{Bill, BillDate, Failure, LoggedOrder, LoggedOrders};
use crate::reconcile::{Neighbour, Neighbours, Origin};
use crate::store::{self, Ledger, UnitState};

/// The days around a unit, to be looked into by key.
pub(super) struct Days {
    pub(super) ledger: Ledger,
    pub(super) account: String,
    pub(super) date: BillDate,
    /// Of every day that the log's window holds.
    pub(super) orders: Arc<LoggedOrders>,
    /// The neighbouring days that the window holds whole.
    pub(super) window: Vec<BillDate>,
    /// The other accounts of the same gateway, with what the log has of each.
    pub(super) others: Vec<(String, Arc<LoggedOrders>)>,
}

impl Days {
    /// What the days before and after hold under the keys that are still open.
    pub(super) async fn look_for(&self, keys: HashSet<String>) -> Result<Neighbours, Failure> {
        let days = [self.date.before(), self.date.after()];
        let tomorrow = self.ledger.current_statement(&self.account, self.date.after(), Bill::Trade).await?;
        let mut found = Neighbours { tomorrow_known: tomorrow.is_some(), ..Neighbours::default() };
        if keys.is_empty() {
            return Ok(found);
        }
        let orders = &self.orders;
        let near = orders.orders.iter().filter(|order| self.window.contains(&order.day));
        let wanted = near.filter(|order| is_among(orders, order, &keys));
        found.orders.extend(wanted.map(|order| logged_neighbour(orders, order)));
        let keys = Arc::new(keys);
        let lines = self.ledger.neighbour_entries(&self.account, &days, &keys).await?;
        found.lines.extend(lines.into_iter().map(|line| kept_neighbour(line, true)));
        // The ledger remembers what the log may have lost since.
        for order in self.ledger.neighbour_orders(&self.account, &days, &keys).await? {
            let success = is_success(order.kind, order.state, order.notes);
            let kept = kept_neighbour(order, success);
            if !found.orders.iter().any(|fresh| is_same_order(fresh, &kept)) {
                found.orders.push(kept);
            }
        }
        for (account, logged) in &self.others {
            self.look_elsewhere((account, logged), &keys, &mut found).await?;
        }
        Ok(found)
    }

    /// What another account has of the same day: lines that its own log does not know, and successes that its own
    /// statement lacks. An account that is not done yet is asked when it is.
    async fn look_elsewhere(
        &self,
        (account, logged): (&str, &LoggedOrders),
        keys: &Arc<HashSet<String>>,
        found: &mut Neighbours,
    ) -> Result<(), Failure> {
        if self.ledger.unit(account, self.date).await?.is_none_or(|unit| unit.state != UnitState::Done) {
            return Ok(());
        }
        // Their own statement of the next day may have what was paid at midnight: that is not what is missing there.
        let days = [self.date.before(), self.date, self.date.after()];
        let lines = self.ledger.neighbour_entries(account, &days, keys).await?;
        let of_day = |order: &&LoggedOrder| order.day == self.date;
        let wanted = |order: &&LoggedOrder| is_among(logged, order, keys);
        let orders: Vec<Neighbour> =
            logged.orders.iter().filter(of_day).filter(wanted).map(|o| logged_neighbour(logged, o)).collect();
        let lines: Vec<Neighbour> = lines.into_iter().map(|line| kept_neighbour(line, true)).collect();
        let named = |item: &Neighbour| Neighbour { account: account.to_owned(), ..item.clone() };
        let today = lines.iter().filter(|line| line.day == self.date);
        let unknown = today.filter(|line| !orders.iter().any(|order| is_same_thing(line, order)));
        found.elsewhere_lines.extend(unknown.map(named));
        let missing = orders.iter().filter(|order| order.success);
        let missing = missing.filter(|order| !lines.iter().any(|line| is_same_thing(line, order)));
        found.elsewhere_orders.extend(missing.map(named));
        Ok(())
    }
}

fn is_among(orders: &LoggedOrders, order: &LoggedOrder, keys: &HashSet<String>) -> bool {
    let numbers = [orders.order_no(order), orders.trade_no(order), orders.refund_no(order)];
    numbers.into_iter().any(|number| keys.contains(number))
}

/// One movement on both sides: the same kind, and the same number of either side.
fn is_same_thing(a: &Neighbour, b: &Neighbour) -> bool {
    let same = |x: &str, y: &str| !x.is_empty() && x == y;
    a.kind == b.kind
        && (same(&a.order_no, &b.order_no)
            || same(&a.trade_no, &b.trade_no)
            || same(&a.refund_no, &b.refund_no) && (a.order_no.is_empty() || b.order_no.is_empty()))
        && (a.refund_no.is_empty() || b.refund_no.is_empty() || a.refund_no == b.refund_no)
}

fn is_same_order(a: &Neighbour, b: &Neighbour) -> bool {
    (a.day, a.kind) == (b.day, b.kind)
        && (&a.order_no, &a.refund_no, &a.trade_no) == (&b.order_no, &b.refund_no, &b.trade_no)
}

fn logged_neighbour(orders: &LoggedOrders, order: &LoggedOrder) -> Neighbour {
    let name = |id| orders.names.get(id).to_owned();
    Neighbour {
        account: String::new(),
        day: order.day,
        kind: order.kind,
        state: order.state,
        success: order.is_success(),
        order_no: orders.order_no(order).to_owned(),
        refund_no: orders.refund_no(order).to_owned(),
        trade_no: orders.trade_no(order).to_owned(),
        amount_minor: order.amount_minor,
        currency: order.currency,
        at: order.provider_at.unwrap_or(order.logged_at),
        origin: Origin {
            req_type: name(order.req_type),
            mall: name(order.mall),
            store: name(order.store),
            till: name(order.till),
            cashier: name(order.cashier),
        },
        log_rows: order.rows,
    }
}

fn kept_neighbour(kept: store::Neighbour, success: bool) -> Neighbour {
    Neighbour {
        account: String::new(),
        day: kept.date,
        kind: kept.kind,
        state: kept.state,
        success,
        order_no: kept.order_no,
        refund_no: kept.refund_no,
        trade_no: kept.trade_no,
        amount_minor: kept.amount_minor,
        currency: kept.currency,
        at: kept.at,
        origin: Origin::default(),
        log_rows: 0,
    }
}

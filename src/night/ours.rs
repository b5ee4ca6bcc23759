//! The gateway's side of a unit: the day's logged orders, from the log, or from what the ledger kept of it.

use std::sync::Arc;

use super::log::NightLog;
use super::{House, pages};
use crate::domain::{BillDate, Claims, Errand, Failure, LogCover, LoggedOrders, Verdict};
use crate::report::{self, Section};

/// The gateway's side of a unit.
pub(super) struct Ours {
    pub(super) orders: Arc<LoggedOrders>,
    pub(super) picked: Vec<u32>,
    pub(super) cover: LogCover,
    /// The log has been purged since; these are the orders that were kept while it had not.
    pub(super) kept: bool,
}

/// The day's logged orders: from the log, or, where it has lost some of them since, those that the ledger kept. A
/// poorer log never replaces a richer result, whatever was deleted from it.
pub(super) async fn our_side(house: &House, errand: &Errand, log: &NightLog) -> Result<Ours, Failure> {
    let orders = log.orders(house.account_index(errand));
    let picked = of_day(&orders, errand.date);
    let cover = log.cover(errand.date).await?;
    let fresh = Ours { orders, picked, cover, kept: false };
    let Some(before) = pages::done(house, errand).await? else { return Ok(fresh) };
    // One that cannot be read does not say how much there was: then the orders themselves do.
    let before = report::json::read_section(&before.section).ok();
    let had = |section: &Section| section.conservation.orders.total.count;
    if before.as_ref().is_some_and(|section| had(section) <= fresh.picked.len() as u64) {
        return Ok(fresh);
    }
    let Some(stored) = house.ledger.logged_orders(&errand.account.name, errand.date).await? else {
        return Ok(fresh);
    };
    // Orders that another account claims by now were lost to the configuration, not to a purge.
    let picked = still_claimed(house, errand, &stored);
    if picked.len() <= fresh.picked.len() {
        return Ok(fresh);
    }
    let whole_day = before.is_some_and(|section| section.verdict() != Verdict::Incomplete);
    let cover = cover_of(&stored, errand.date, whole_day);
    Ok(Ours { orders: Arc::new(stored), picked, cover, kept: true })
}

fn still_claimed(house: &House, errand: &Errand, stored: &LoggedOrders) -> Vec<u32> {
    let claims = Claims::new(&house.settings.accounts, &house.settings.paylog.req_types);
    let (account, customer) = (house.account_index(errand), &errand.account.customer);
    let mut picked = of_day(stored, errand.date);
    picked.retain(|&order| {
        let order = &stored.orders[order as usize];
        let (req_type, seller) = (stored.names.get(order.req_type), stored.names.get(order.seller));
        let owner = claims.pay_type(req_type).and_then(|pay_type| claims.owner(pay_type, seller, customer));
        owner == Some(account)
    });
    picked
}

/// How far the kept orders reach: over the whole day, unless the log did not when they were kept.
fn cover_of(stored: &LoggedOrders, date: BillDate, whole_day: bool) -> LogCover {
    let times = || stored.orders.iter().map(|order| order.logged_at);
    LogCover {
        first: if whole_day { Some(date.start()) } else { times().min() },
        last: if whole_day { Some(date.end()) } else { times().max() },
        rows_on_day: (stored.orders.len() as u64).max(u64::from(whole_day)),
    }
}

fn of_day(orders: &LoggedOrders, day: BillDate) -> Vec<u32> {
    (0u32..).zip(&orders.orders).filter(|(_, order)| order.day == day).map(|(index, _)| index).collect()
}

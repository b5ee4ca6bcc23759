//! EB_PAYLOG around a bill date, read once and folded for all accounts.
//!
//! The window reaches from the day before (which is reconciled again) to the end of the day after (late queries and
//! refunds explain the day). Rows stream from `store` in batches; this only hands them to gatherers on their own
//! threads. What the window itself cannot tell (an earlier refund's cumulative total) is looked up by key in the
//! older log.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::{House, Outcome, notices};
use crate::config::PayLogSettings;
use crate::domain::{BillDate, Claims, Errand, Exit, Failure, Lang, LogCover, LoggedOrders, Moment};
use crate::paylog::{Folded, Gathered, Gatherer, Rules, fold};
use crate::reconcile::TOLERANCE_SECONDS;
use crate::store::PayLog;

/// Threads that read and decode rows.
const GATHERERS: usize = 2;

/// What the log says around one date.
pub(super) struct NightLog {
    date: BillDate,
    paylog: PayLog,
    folded: Folded,
    /// Rows of the whole log without a REQ_DATE.
    undated: u64,
    /// What was looked up in the older log has more rows there than are read.
    cut_off: bool,
    orders: Vec<Arc<LoggedOrders>>,
}

impl NightLog {
    /// Reads and folds the log around `date`.
    pub(super) async fn read(house: &House, date: BillDate) -> Result<NightLog, Failure> {
        let settings = &house.settings;
        let paylog = PayLog::open(&settings.paylog.database, &settings.paylog.schema).await?;
        let reader = Reader {
            look_back_days: settings.paylog.look_back_days,
            settings: &settings.paylog,
            claims: Arc::new(Claims::new(&settings.accounts, &settings.paylog.req_types)),
            rules: Rules { isbase64: settings.paylog.isbase64, amount_unit: settings.paylog.amount_unit },
        };
        let (mut folded, undated, cut_off) = reader.read(&paylog, date).await?;
        let orders = std::mem::take(&mut folded.accounts).into_iter().map(Arc::new).collect();
        Ok(NightLog { date, paylog, folded, undated, cut_off, orders })
    }

    /// How far the log reaches, and whether it has rows on `day`.
    pub(super) async fn cover(&self, day: BillDate) -> Result<LogCover, Failure> {
        self.paylog.cover(day).await
    }

    /// Movements of an account, of all days in the window.
    pub(super) fn orders(&self, account: usize) -> Arc<LoggedOrders> {
        self.orders.get(account).cloned().unwrap_or_default()
    }

    /// The other accounts, each with its movements.
    pub(super) fn others(&self, house: &House, errand: &Errand) -> Vec<(String, Arc<LoggedOrders>)> {
        let named = house.settings.accounts.iter().zip(&self.orders);
        let others = named.filter(|(account, _)| account.name != errand.account.name);
        others.map(|(account, orders)| (account.name.clone(), Arc::clone(orders))).collect()
    }

    pub(super) fn folded(&self) -> &Folded {
        &self.folded
    }

    /// What was read, where a person should know of it: nothing is dropped silently.
    pub(super) fn remarks(&self, lang: Lang) -> Vec<String> {
        let counters = &self.folded.counters;
        let numbers = [
            (
                self.undated + counters.undated,
                "行日志没有可读的时间，未参与对账",
                "log rows without a readable time: not folded",
            ),
            (counters.unparsable, "行日志无法解析", "log rows that cannot be parsed"),
            (counters.truncated, "行日志被截断", "log rows that were cut off"),
            (counters.bad_charset, "行日志编码有误", "log rows in no known encoding"),
            (counters.bad_fees, "行日志的 TotalFee 不是金额", "log rows whose TotalFee is no amount"),
            (counters.orphans, "行日志没有订单号", "log rows without an order number"),
            (
                counters.account_inferred,
                "行日志的商户由门店推断",
                "log rows whose seller was taken from the store",
            ),
            (
                counters.notices_unverified,
                "条通知未通过验签，未采信",
                "stored notices without a proven signature: not believed",
            ),
            (counters.notices_unread, "条通知无法识别", "stored notices that tell nothing of a payment"),
            (
                counters.notices_alone,
                "条已验签的付款通知在日志中没有订单",
                "proven notices of payments of which the log holds no row",
            ),
        ];
        let mut remarks: Vec<String> = numbers
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, zh, en)| format!("{count} {}", lang.pick(zh, en)))
            .collect();
        for (action, count) in &counters.unknown_actions {
            remarks.push(match lang {
                Lang::Zh => format!("{count} 行日志的 REQ_ACTION 未知：{action}"),
                Lang::En => format!("{count} log rows with the unknown REQ_ACTION {action}"),
            });
        }
        remarks
    }

    /// What a person must look at, because money may stand in it that no order tells of.
    pub(super) fn alarms(&self) -> Outcome {
        let mut outcome = Outcome::default();
        let undated = self.undated + self.folded.counters.undated;
        for what in alarms(undated, self.folded.counters.orphans, self.cut_off) {
            tracing::warn!(date = %self.date, "{what}");
            outcome.look(self.date.to_string(), what);
        }
        outcome
    }

    /// The days whose orders the window holds whole.
    pub(super) fn holds(&self, day: BillDate) -> bool {
        day >= self.date.before() && day <= self.date.after()
    }

    /// Refuses a unit whose amounts are off by a factor of 100: every difference would be false.
    pub(super) fn check_unit_of_amounts(&self, errand: &Errand, account: usize) -> Result<(), Failure> {
        let Some(Some(found)) = self.folded.factor_hundred.get(account) else { return Ok(()) };
        let message = format!(
            "{errand}: order {} asks for TotalFee {} and the provider's reply says {} fen: the amounts are off by a \
             factor of 100",
            found.order_no, found.total_fee, found.provider_minor
        );
        Err(Failure::new(Exit::Config, message).hint(
            "set `amount_unit` under [paylog] to the unit of TotalFee (fen or yuan); nothing was compared",
        ))
    }
}

fn alarms(undated: u64, orphans: u64, cut_off: bool) -> Vec<String> {
    let mut alarms = Vec::new();
    for (count, what) in [
        (undated, "log rows without a readable time belong to no day"),
        (orphans, "log rows belong to no order"),
    ] {
        if count > 0 {
            alarms.push(format!("{count} {what}"));
        }
    }
    if cut_off {
        alarms.push(
            "the older log has more rows about what was looked up there than are read: a refund may be told without \
             those before it"
                .to_owned(),
        );
    }
    alarms
}

struct Reader<'r> {
    settings: &'r PayLogSettings,
    look_back_days: u64,
    claims: Arc<Claims>,
    rules: Rules,
}

impl Reader<'_> {
    fn gatherer(&self) -> Gatherer {
        Gatherer::new(self.claims.clone(), self.rules)
    }

    /// From the days that are looked back over (yesterday at least; a row may be logged a little before the
    /// provider's own day began) to tomorrow's last rows.
    fn window(&self, date: BillDate) -> Range<Moment> {
        let first = date.minus_days(self.look_back_days.max(1));
        first.start().plus_seconds(-TOLERANCE_SECONDS)..date.after().end()
    }

    /// What was folded, rows of the whole log without a date, and whether older rows were left out.
    async fn read(&self, paylog: &PayLog, date: BillDate) -> Result<(Folded, u64, bool), Failure> {
        let window = self.window(date);
        let gatherers = (0..GATHERERS).map(|_| self.gatherer()).collect();
        let (gatherers, count) =
            paylog.read(window.clone(), gatherers, |gatherer, row| gatherer.push(row)).await?;
        tracing::info!(%date, rows = count.rows, "{date}: {} log rows read and decoded in {} ms, {} a second", count.rows, count.elapsed.as_millis(), count.rows_per_second());
        let folding = Instant::now();
        let mut gathered: Vec<Gathered> = gatherers.into_iter().map(Gatherer::finish).collect();
        let accounts = self.claims.accounts().to_vec();
        gathered.extend(notices::gather(self.settings, window.clone(), self.gatherer(), accounts).await?);
        let mut folded;
        (folded, gathered) = fold_aside(gathered).await?;
        tracing::debug!(%date, "folded in {} ms", folding.elapsed().as_millis());
        let mut cut_off = false;
        if !folded.look_back.is_empty() {
            let keys: HashSet<String> = folded.look_back.iter().cloned().collect();
            let older = paylog.find(&keys, Moment::from_unix(0)..window.start).await?;
            cut_off = older.cut_off;
            let mut gatherer = self.gatherer();
            older.rows.iter().for_each(|row| gatherer.push(&row.as_row()));
            gathered.push(gatherer.finish());
            folded = fold_aside(gathered).await?.0;
        }
        Ok((folded, count.undated, cut_off))
    }
}

/// Folds on a thread where waiting hurts nobody; gives back what it was given.
async fn fold_aside(gathered: Vec<Gathered>) -> Result<(Folded, Vec<Gathered>), Failure> {
    let work = move || (fold(&gathered), gathered);
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::new(Exit::Bug, format!("folding the log: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_order_tells_of_is_told() {
        assert_eq!(alarms(0, 0, false), Vec::<String>::new());
        let told = alarms(2, 3, true);
        for (what, words) in
            told.iter().zip(["2 log rows without", "3 log rows belong", "older log has more rows"])
        {
            assert!(what.contains(words), "{what}");
        }
        assert_eq!(told.len(), 3);
    }
}

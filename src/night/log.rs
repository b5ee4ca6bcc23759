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

use super::House;
use crate::domain::{BillDate, Claims, Errand, Exit, Failure, LogCover, LoggedOrders, Moment};
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
    orders: Vec<Arc<LoggedOrders>>,
}

impl NightLog {
    /// Reads and folds the log around `date`.
    pub(super) async fn read(house: &House, date: BillDate) -> Result<NightLog, Failure> {
        let settings = &house.settings;
        let paylog = PayLog::open(&settings.paylog.database, &settings.paylog.schema).await?;
        let reader = Reader {
            claims: Arc::new(Claims::new(&settings.accounts, &settings.paylog.req_types)),
            rules: Rules { isbase64: settings.paylog.isbase64, amount_unit: settings.paylog.amount_unit },
        };
        let mut folded = reader.read(&paylog, date).await?;
        let orders = std::mem::take(&mut folded.accounts).into_iter().map(Arc::new).collect();
        Ok(NightLog { date, paylog, folded, orders })
    }

    /// How far the log reaches, and whether it has rows on `day`.
    pub(super) async fn cover(&self, day: BillDate) -> Result<LogCover, Failure> {
        self.paylog.cover(day).await
    }

    /// Movements of an account, of all days in the window.
    pub(super) fn orders(&self, account: usize) -> Arc<LoggedOrders> {
        self.orders.get(account).cloned().unwrap_or_default()
    }

    pub(super) fn folded(&self) -> &Folded {
        &self.folded
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

/// From yesterday's first rows (a row may be logged a little before the provider's own day began) to tomorrow's last.
fn window(date: BillDate) -> Range<Moment> {
    date.before().start().plus_seconds(-TOLERANCE_SECONDS)..date.after().end()
}

struct Reader {
    claims: Arc<Claims>,
    rules: Rules,
}

impl Reader {
    fn gatherer(&self) -> Gatherer {
        Gatherer::new(self.claims.clone(), self.rules)
    }

    async fn read(&self, paylog: &PayLog, date: BillDate) -> Result<Folded, Failure> {
        let gatherers = (0..GATHERERS).map(|_| self.gatherer()).collect();
        let (gatherers, count) =
            paylog.read(window(date), gatherers, |gatherer, row| gatherer.push(row)).await?;
        tracing::debug!(%date, rows = count.rows, "{} log rows read and decoded in {} ms, {} a second", count.rows, count.elapsed.as_millis(), count.rows_per_second());
        let folding = Instant::now();
        let mut gathered: Vec<Gathered> = gatherers.into_iter().map(Gatherer::finish).collect();
        let mut folded;
        (folded, gathered) = fold_aside(gathered).await?;
        tracing::debug!(%date, "folded in {} ms", folding.elapsed().as_millis());
        if !folded.look_back.is_empty() {
            let keys: HashSet<String> = folded.look_back.iter().cloned().collect();
            let older = paylog.find(&keys, Moment::from_unix(0)..window(date).start).await?;
            let mut gatherer = self.gatherer();
            older.rows.iter().for_each(|row| gatherer.push(&row.as_row()));
            gathered.push(gatherer.finish());
            folded = fold_aside(gathered).await?.0;
        }
        Ok(folded)
    }
}

/// Folds on a thread where waiting hurts nobody; gives back what it was given.
async fn fold_aside(gathered: Vec<Gathered>) -> Result<(Folded, Vec<Gathered>), Failure> {
    let work = move || (fold(&gathered), gathered);
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::new(Exit::Bug, format!("folding the log: {error}")))
}

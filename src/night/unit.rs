//! One unit: both books compared, and everything of it kept in one transaction.
//!
//! What is compared is the `Statement` in memory, in the same breath as it is committed. If anything fails on the
//! way, the transaction is dropped and the unit is what it was before. Comparing and keeping are two steps, so that
//! one unit can be compared while the one before it is being written.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use super::book::{self, Book};
use super::log::NightLog;
use super::{House, UnitLine, pages};
use crate::acquire::Acquired;
use crate::domain::logged_order::is_success;
use crate::domain::money::major;
use crate::domain::{
    Bill, BillDate, Claims, Currency, Errand, Exit, Failure, Lang, LogCover, LoggedOrder, LoggedOrders, Note,
    Statement, Verdict,
};
use crate::reconcile::{self, Neighbour, Neighbours, Origin, Reconciliation, Unit};
use crate::report::section::{About, SumPair, Sums, section};
use crate::report::{self, Input, Section};
use crate::store::{
    self, Ledger, StatementMeta, StatementState, UnitEnd, UnitKey, UnitState, canonical_hash,
};

/// The gateway's side of a unit.
pub(super) struct Ours {
    pub(super) orders: Arc<LoggedOrders>,
    pub(super) picked: Vec<u32>,
    cover: LogCover,
    /// The log has been purged since; these are the orders that were kept while it had not.
    kept: bool,
}

pub(super) fn key(errand: &Errand) -> UnitKey {
    UnitKey { account: errand.account.name.clone(), pay_type: errand.account.pay_type(), date: errand.date }
}

/// A unit that was compared and proven, and is not kept yet.
pub(super) struct Compared<'e> {
    errand: &'e Errand,
    book: Book,
    ours: Ours,
    result: Reconciliation,
    canonical_hash: String,
}

/// Reads the statement and compares both books. Nothing is written, except that a refused file is marked.
pub(super) async fn compare<'e>(
    house: &House,
    errand: &'e Errand,
    acquired: Acquired,
    log: &NightLog,
) -> Result<Compared<'e>, Failure> {
    let mut watch = Watch::start(errand);
    log.check_unit_of_amounts(errand, house.account_index(errand))?;
    let book = book::read(house, errand, acquired).await?;
    watch.lap("read");
    let hashed = book.statement.clone();
    let hash = tokio::task::spawn_blocking(move || canonical_hash(&hashed));
    let ours = our_side(house, errand, log).await?;
    let result = reconcile_unit(house, errand, (&book, &ours), log).await?;
    watch.lap("reconciled");
    if !result.is_proven() {
        return Err(Failure::new(Exit::Bug, format!("{errand}: the proofs do not close; nothing was kept"))
            .hint(
                "this is a bug of nightjob, whatever the data: please report it with the report of the day",
            ));
    }
    let canonical_hash = hash.await.map_err(|error| book::bug(errand, &error))?;
    Ok(Compared { errand, book, ours, result, canonical_hash })
}

/// Keeps a compared unit, in one transaction.
pub(super) async fn keep(house: &House, unit: Compared<'_>, log: &NightLog) -> Result<UnitLine, Failure> {
    let Compared { errand, book, ours, result, canonical_hash } = unit;
    let mut watch = Watch::start(errand);
    let before = house.ledger.unit(&errand.account.name, errand.date).await?;
    let mut kept = house.ledger.begin_unit(key(errand)).await?;
    refuse_lost_bill(house, errand, &book).await?;
    let version = kept.statement(meta_of(errand, &book)?).await?;
    let sums = kept.entries(book.statement.clone()).await?;
    watch.lap("lines loaded");
    let section =
        write_section(house, errand, &book, Told { ours: &ours, log, result: &result, sums, version });
    if let Some(open) = report::proofs::open(&section).first() {
        return Err(Failure::new(Exit::Bug, format!("{errand}: {open}; nothing was kept")));
    }
    let line = UnitLine {
        account: errand.account.name.clone(),
        date: errand.date,
        verdict: result.verdict,
        lines: result.lines.total.count,
        orders: result.orders.total.count,
        mismatches: result.mismatches.len(),
        already_done: before.is_some_and(|unit| unit.state == UnitState::Done && unit.version == version),
    };
    kept.orders(ours.orders, ours.picked).await?;
    watch.lap("orders loaded");
    kept.mismatches(&section.mismatches).await?;
    let end = UnitEnd {
        verdict: result.verdict,
        reason: section.reason.clone(),
        section: report::json::write_section(&section),
        canonical_hash,
    };
    kept.finish(end).await?;
    watch.lap("committed");
    Ok(line)
}

/// How long the steps of a unit take, for `-v`.
struct Watch<'e> {
    errand: &'e Errand,
    last: Instant,
}

impl Watch<'_> {
    fn start(errand: &Errand) -> Watch<'_> {
        Watch { errand, last: Instant::now() }
    }

    fn lap(&mut self, step: &str) {
        let now = Instant::now();
        let (errand, took) = (self.errand, now.duration_since(self.last));
        tracing::debug!("{errand}: {step} after {} ms", took.as_millis());
        self.last = now;
    }
}

/// A provider that had lines of this day and now says that there is no bill has not undone the day (a date beyond
/// its window is answered so): what stands is kept.
async fn refuse_lost_bill(house: &House, errand: &Errand, book: &Book) -> Result<(), Failure> {
    let standing = house.ledger.current_statement(&errand.account.name, errand.date, errand.bill).await?;
    let Some(lines) = standing.map(|record| record.meta.sums.rows).filter(|rows| book.no_bill && *rows > 0)
    else {
        return Ok(());
    };
    let message =
        format!("{errand}: the provider now says that there is no bill; it had {lines} lines before");
    Err(Failure::new(Exit::Rejected, message)
        .hint("the earlier statement and its result are kept as they were"))
}

fn meta_of(errand: &Errand, book: &Book) -> Result<StatementMeta, Failure> {
    let sums = store::Sums::of(&book.statement).ok_or_else(|| {
        Failure::new(Exit::Rejected, format!("{errand}: the amounts add up to more than 64 bits can hold"))
    })?;
    Ok(StatementMeta {
        bill: errand.bill,
        sha256: book.received.sha256.clone(),
        source: book.received.source.clone(),
        sums,
        fetched_at: book.received.fetched_at,
        state: if book.no_bill { StatementState::Empty } else { StatementState::Current },
        authenticated: book.received.authenticated,
    })
}

// ---------------------------------------------------------------- our side

/// The day's logged orders: from the log, or, where it has lost some of them since, those that the ledger kept. A
/// poorer log never replaces a richer result, whatever was deleted from it.
pub(super) async fn our_side(house: &House, errand: &Errand, log: &NightLog) -> Result<Ours, Failure> {
    let orders = log.orders(house.account_index(errand));
    let picked = of_day(&orders, errand.date);
    let cover = log.cover(errand.date).await?;
    let fresh = Ours { orders, picked, cover, kept: false };
    let Some(before) = pages::section(house, errand).await? else { return Ok(fresh) };
    if before.conservation.orders.total.count <= fresh.picked.len() as u64 {
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
    let whole_day = before.verdict() != Verdict::Incomplete;
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

// ---------------------------------------------------------------- comparing

/// On a thread where thinking hurts nobody: another unit may be being written meanwhile.
async fn reconcile_unit(
    house: &House,
    errand: &Errand,
    (book, ours): (&Book, &Ours),
    log: &NightLog,
) -> Result<Reconciliation, Failure> {
    let days = Days {
        ledger: house.ledger.clone(),
        account: errand.account.name.clone(),
        date: errand.date,
        orders: log.orders(house.account_index(errand)),
        window: [errand.date.before(), errand.date.after()]
            .into_iter()
            .filter(|day| log.holds(*day))
            .collect(),
    };
    let pay_type = errand.account.pay_type();
    let (statement, no_bill) = (book.statement.clone(), book.no_bill);
    let (orders, picked, cover) = (ours.orders.clone(), ours.picked.clone(), ours.cover);
    let cutoff_seconds = i64::from(house.settings.cutoff_minutes) * 60;
    let runtime = tokio::runtime::Handle::current();
    let think = move || {
        let pairing = reconcile::pair(Unit {
            account: &days.account,
            pay_type: pay_type.as_str(),
            date: days.date,
            statement: &statement,
            no_bill,
            orders: &orders,
            picked: &picked,
            cover,
            cutoff_seconds,
        });
        let neighbours = runtime.block_on(days.look_for(pairing.open_keys()))?;
        Ok(pairing.close(&neighbours))
    };
    tokio::task::spawn_blocking(think).await.map_err(|error| book::bug(errand, &error))?
}

/// The days around a unit, to be looked into by key.
struct Days {
    ledger: Ledger,
    account: String,
    date: BillDate,
    /// Of every day that the log's window holds.
    orders: Arc<LoggedOrders>,
    /// The neighbouring days that the window holds whole.
    window: Vec<BillDate>,
}

impl Days {
    /// What the days before and after hold under the keys that are still open.
    async fn look_for(&self, keys: HashSet<String>) -> Result<Neighbours, Failure> {
        let days = [self.date.before(), self.date.after()];
        let tomorrow = self.ledger.current_statement(&self.account, self.date.after(), Bill::Trade).await?;
        let mut found = Neighbours { tomorrow_known: tomorrow.is_some(), ..Neighbours::default() };
        if keys.is_empty() {
            return Ok(found);
        }
        let orders = &self.orders;
        let near = orders.orders.iter().filter(|order| self.window.contains(&order.day));
        let wanted = near
            .filter(|order| keys.contains(orders.order_no(order)) || keys.contains(orders.trade_no(order)));
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
        Ok(found)
    }
}

fn is_same_order(a: &Neighbour, b: &Neighbour) -> bool {
    (a.day, a.kind) == (b.day, b.kind)
        && (&a.order_no, &a.refund_no, &a.trade_no) == (&b.order_no, &b.refund_no, &b.trade_no)
}

fn logged_neighbour(orders: &LoggedOrders, order: &LoggedOrder) -> Neighbour {
    let name = |id| orders.names.get(id).to_owned();
    Neighbour {
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

// ---------------------------------------------------------------- telling

/// What a section is made of, beside the book.
struct Told<'t> {
    ours: &'t Ours,
    log: &'t NightLog,
    result: &'t Reconciliation,
    sums: store::Sums,
    version: u32,
}

fn write_section(house: &House, errand: &Errand, book: &Book, told: Told<'_>) -> Section {
    let lang = house.settings.report_lang;
    let inputs = [
        Input {
            kind: "statement".into(),
            sha256: book.received.sha256.clone(),
            rows: book.statement.entries().len() as u64,
            version: told.version,
        },
        Input {
            kind: "log".into(),
            sha256: String::new(),
            rows: told.ours.picked.iter().map(|&i| u64::from(told.ours.orders.orders[i as usize].rows)).sum(),
            version: 0,
        },
    ];
    let sums = sums_by_currency(&book.statement, told.sums);
    let remarks = remarks(house, book, &told);
    let about = About {
        authenticated: book.received.authenticated,
        inputs: &inputs,
        controls: book.statement.controls(),
        foreign: book.statement.foreign(),
        sums: &sums,
        remarks: &remarks,
        proof: if book.statement.is_answers() { "query" } else { "statement" },
        ..About::new(&errand.account.name, errand.account.pay_type(), lang)
    };
    section(told.result, &about)
}

/// Parsed lines by currency; the ledger's own sums stand beside them where there is only one.
fn sums_by_currency(statement: &Statement, ledger: store::Sums) -> Vec<SumPair> {
    let mut pairs: BTreeMap<Currency, Sums> = BTreeMap::new();
    for entry in statement.entries() {
        let sums = pairs.entry(entry.currency).or_default();
        sums.rows += 1;
        sums.amount_minor += entry.amount_minor.unwrap_or(0);
        sums.fee_e5 += entry.fee_e5;
    }
    if pairs.is_empty() {
        pairs.insert(Currency::CNY, Sums::default());
    }
    let whole = Sums { rows: ledger.rows, amount_minor: ledger.amount_minor, fee_e5: ledger.fee_e5 };
    let ledger = (pairs.len() == 1).then_some(whole);
    pairs.into_iter().map(|(currency, parsed)| SumPair { currency, parsed, ledger }).collect()
}

/// What a person should hear of, beyond the mismatches.
fn remarks(house: &House, book: &Book, told: &Told<'_>) -> Vec<String> {
    let lang = house.settings.report_lang;
    let mut remarks = book.statement.remarks().to_vec();
    if told.ours.kept {
        remarks.push(lang.pick(
            "网关日志此后已被清理；本次使用当时保存的订单".to_owned(),
            "the log has been purged since; the orders that were kept at the time were used".to_owned(),
        ));
    }
    let orders = || told.ours.picked.iter().map(|&i| &told.ours.orders.orders[i as usize]);
    for (note, zh, en) in [
        (Note::Conflict, "笔订单的日志自相矛盾", "orders about which the log contradicts itself"),
        (
            Note::FeeDiffers,
            "笔订单的请求金额与渠道回复不同",
            "orders whose requested amount differs from the reply",
        ),
        (Note::Salvaged, "笔订单由不完整的日志还原", "orders read from damaged log rows"),
        (
            Note::OutIdReuse,
            "笔订单的订单号被不同商户重复使用",
            "orders whose number was used by several sellers",
        ),
    ] {
        let count = orders().filter(|order| order.has(note)).count();
        if count > 0 {
            remarks.push(format!("{count} {}", lang.pick(zh, en)));
        }
    }
    remarks.extend(resolved_remark(book, told, lang));
    remarks.extend(told.log.remarks(lang));
    remarks.extend(clock_remark(house, told.log));
    remarks
}

/// Lines without an amount of their own: why the bridge's total is not the sum that the file states.
fn resolved_remark(book: &Book, told: &Told<'_>, lang: Lang) -> Option<String> {
    let without = book.statement.entries().iter().filter(|entry| entry.amount_minor.is_none()).count();
    let stated: i64 = book.statement.entries().iter().filter_map(|entry| entry.amount_minor).sum();
    let resolved = major(told.result.lines.total.amount_minor - stated, Currency::CNY.digits());
    (without > 0).then(|| match lang {
        Lang::Zh => format!("{without} 行撤销自身不带金额，按原支付计 {resolved}"),
        Lang::En => format!(
            "{without} reversal lines carry no amount of their own; by their payments they are {resolved}"
        ),
    })
}

/// Clocks of the gateway and the providers further apart than the alarm of `spec/ttpay.md`, R-D45.
fn clock_remark(house: &House, log: &NightLog) -> Option<String> {
    const SKEW_ALARM_SECONDS: u64 = 300;
    let skew = log.folded().skew_seconds.filter(|skew| skew.unsigned_abs() > SKEW_ALARM_SECONDS)?;
    Some(match house.settings.report_lang {
        Lang::Zh => format!("网关时钟与渠道相差 {skew} 秒"),
        Lang::En => format!("the gateway's clock is {skew} s off the providers'"),
    })
}

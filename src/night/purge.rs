//! `purge-plan`: up to which day EB_PAYLOG may be deleted, and with which statements. It executes nothing, opens
//! everything read-only and takes no lock.
//!
//! A day may go when nobody will ever ask its rows again: every configured account has compared all of it and nothing of it
//! is open, the same holds for each day before it since the first recorded one, and the days after it that are still to
//! come do not look back so far. Rows of days before the first recorded one were never compared; the statements leave
//! them alone.

use std::collections::BTreeMap;

use super::talk::counted;
use crate::config::Settings;
use crate::domain::{BillDate, Failure, Lang, Moment, Verdict};
use crate::report::{self, Section};
use crate::store::{Ledger, PayLog, UnitState};

/// Reasons that are told: the rest will show when these are gone.
const REASONS_MAX: usize = 5;
/// Threads that count rows.
const COUNTERS: usize = 2;

/// What may be deleted, and why not more.
#[derive(Clone, Debug, Default)]
pub struct PurgePlan {
    /// First and last day that may be deleted.
    pub days: Option<(BillDate, BillDate)>,
    /// Rows of these days.
    pub rows: u64,
    /// Rows before the first recorded day: never compared, and not part of the statements.
    pub older_rows: u64,
    /// Rows without a REQ_DATE: of no day, and not part of the statements.
    pub undated_rows: u64,
    /// The statements, in their order; none if nothing may be deleted.
    pub statements: Vec<String>,
    /// What keeps the last day from being later.
    pub reasons: Vec<String>,
}

/// Makes the plan.
///
/// # Errors
///
/// [`Exit::Storage`](crate::domain::Exit::Storage), [`Exit::Config`](crate::domain::Exit::Config): the ledger or the
/// log cannot be read.
pub async fn purge_plan(settings: &Settings, lang: Lang) -> Result<PurgePlan, Failure> {
    let ledger = Ledger::open_read_only(&settings.database).await?;
    let book = Book::read(settings, &ledger, lang).await?;
    let mut plan = PurgePlan::default();
    let Some(first) = book.first() else {
        plan.reasons.push(lang.pick("账本还没有任何一天", "the ledger has no day yet").to_owned());
        return Ok(plan);
    };
    let (last_settled, reasons) = book.settled_until(first);
    plan.reasons = reasons;
    let kept = kept_days(settings);
    if let Some(settled) = last_settled {
        let last = settled.minus_days(kept);
        plan.reasons.insert(0, kept_reason(settled, kept, settings.paylog.look_back_days, lang));
        if last >= first {
            plan.days = Some((first, last));
        }
    }
    plan.reasons.truncate(REASONS_MAX);
    if let Some((first, last)) = plan.days {
        count(settings, (first, last), &mut plan).await?;
        plan.statements = statements(settings, first, last);
    }
    Ok(plan)
}

/// Days before the first one to come that its run reads: what it looks back over, and the one before, of whose last
/// rows some belong to the next day by the provider's clock.
fn kept_days(settings: &Settings) -> u64 {
    settings.paylog.look_back_days.max(1) + 1
}

fn kept_reason(settled: BillDate, kept: u64, look_back: u64, lang: Lang) -> String {
    let from = settled.minus_days(kept - 1);
    match lang {
        Lang::Zh => format!(
            "{from} 至 {settled} 保留：次日对账回看 look_back_days = {look_back} 天（退款），另加一天（跨午夜）"
        ),
        Lang::En => format!(
            "{from} to {settled} are kept: the next day looks back over look_back_days = {look_back} (refunds) and one \
             day more (midnight)"
        ),
    }
}

/// What the ledger knows of each day, for this question.
struct Book {
    lang: Lang,
    accounts: Vec<String>,
    /// By day and account: the section of a done unit.
    done: BTreeMap<BillDate, BTreeMap<String, Section>>,
    /// The first recorded day of each account.
    begins: BTreeMap<String, BillDate>,
    /// Orders that no account claims; `None` where nobody looked, or what was kept cannot be read.
    unclaimed: BTreeMap<BillDate, Option<u64>>,
}

impl Book {
    async fn read(settings: &Settings, ledger: &Ledger, lang: Lang) -> Result<Book, Failure> {
        let accounts = settings.accounts.iter().map(|account| account.name.clone()).collect();
        let (done, begins, unclaimed) = Default::default();
        let mut book = Book { lang, accounts, done, begins, unclaimed };
        for unit in ledger.kept_units().await? {
            let Some(date) = BillDate::parse(&unit.bill_date) else { continue };
            book.begins.entry(unit.account.clone()).and_modify(|d| *d = (*d).min(date)).or_insert(date);
            let of_day = book.done.entry(date).or_default();
            if unit.state == UnitState::Done.as_str()
                && let Ok(section) = report::json::read_section(&unit.section)
            {
                of_day.insert(unit.account, section);
            }
        }
        for date in book.done.keys() {
            let rows = ledger.unclaimed(*date).await?;
            book.unclaimed.insert(*date, rows.as_deref().and_then(unclaimed_orders));
        }
        Ok(book)
    }

    fn first(&self) -> Option<BillDate> {
        self.begins.values().min().copied()
    }

    /// The last day before which, and on which, everything is settled; and what is not on the next one.
    fn settled_until(&self, first: BillDate) -> (Option<BillDate>, Vec<String>) {
        let mut settled = None;
        let mut day = first;
        loop {
            let open = self.open(day);
            if !open.is_empty() {
                return (settled, open);
            }
            settled = Some(day);
            day = day.after();
        }
    }

    /// What is open on a day. A day of which the ledger knows nothing is open.
    fn open(&self, day: BillDate) -> Vec<String> {
        let mut open = Vec::new();
        let done = self.done.get(&day);
        for account in &self.accounts {
            match (done.and_then(|done| done.get(account)), self.begins.get(account)) {
                (Some(section), _) => open.extend(self.open_items(day, section)),
                // An account that came later has nothing of the days before: what it had then, nobody claimed.
                (None, Some(begins)) if *begins > day => {}
                (None, Some(_)) => open.push(self.say(account, day, "尚未完成对账", "is not done")),
                (None, None) => open.push(self.say(account, day, "从未对账", "was never compared")),
            }
        }
        let configured = |name: &&String| self.accounts.contains(name);
        let former = done.into_iter().flatten().filter(|(name, _)| !configured(name));
        open.extend(former.flat_map(|(_, section)| self.open_items(day, section)));
        match self.unclaimed.get(&day) {
            Some(Some(0)) => {}
            Some(Some(orders)) => open.push(match self.lang {
                Lang::Zh => format!("{day}：{orders} 笔网关订单不属于任何账户"),
                Lang::En => format!("{day}: {orders} logged orders belong to no account"),
            }),
            Some(None) | None => open.push(match self.lang {
                Lang::Zh => format!("{day}：尚未完成对账"),
                Lang::En => format!("{day}: the day is not done"),
            }),
        }
        open.dedup();
        open
    }

    fn open_items(&self, day: BillDate, section: &Section) -> Vec<String> {
        let mut open = Vec::new();
        // What was not there when it was compared may be in the log by now, and then only a log that is kept tells of it.
        if section.verdict() == Verdict::Incomplete {
            open.push(self.say(
                &section.account,
                day,
                "已对账，但数据不全",
                "is compared, but the data lack something",
            ));
        }
        let mismatches = section.mismatches.len();
        if mismatches > 0 {
            let (zh, en) = (
                format!("有 {mismatches} 项未了结的差异"),
                format!("has {} open", counted(mismatches as u64, "mismatch")),
            );
            open.push(self.say(&section.account, day, &zh, &en));
        }
        let awaiting = section.timing.iter().filter(|row| row.kind == "awaiting").count();
        if awaiting > 0 {
            let (zh, en) = (
                format!("有 {awaiting} 笔等待次日账单"),
                format!("has {} awaiting the next day's statement", counted(awaiting as u64, "item")),
            );
            open.push(self.say(&section.account, day, &zh, &en));
        }
        open
    }

    fn say(&self, account: &str, day: BillDate, zh: &str, en: &str) -> String {
        format!("{account} {day} {}", self.lang.pick(zh, en))
    }
}

/// How many orders nobody claims; `None` if what is kept of them cannot be read, which is no proof that there are none.
fn unclaimed_orders(rows: &str) -> Option<u64> {
    let rows: Vec<report::UnclaimedRow> = serde_json::from_str(rows).ok()?;
    Some(rows.iter().map(|row| row.orders).sum())
}

/// Counts the rows by reading them: the same on every engine, with the same idea of a day as the night's.
async fn count(
    settings: &Settings,
    (first, last): (BillDate, BillDate),
    plan: &mut PurgePlan,
) -> Result<(), Failure> {
    let paylog = PayLog::open(&settings.paylog.database, &settings.paylog.schema).await?;
    let begin = first.start();
    let counters = vec![(0u64, 0u64); COUNTERS];
    let show = move |(older, rows): &mut (u64, u64), row: &crate::paylog::LogRow<'_>| {
        let is_older = Moment::parse(row.req_date).is_some_and(|at| at < begin);
        *(if is_older { older } else { rows }) += 1;
    };
    let (counters, read) = paylog.read(Moment::from_unix(0)..last.end(), counters, show).await?;
    plan.older_rows = counters.iter().map(|(older, _)| older).sum();
    plan.rows = counters.iter().map(|(_, rows)| rows).sum();
    plan.undated_rows = read.undated;
    Ok(())
}

/// How an engine writes an instant beside REQ_DATE.
#[derive(Clone, Copy)]
enum Dialect {
    /// SQLite, MariaDB, MySQL: a text.
    Text,
    /// PostgreSQL.
    Timestamp,
    /// Oracle, behind ODBC.
    Oracle,
}

impl Dialect {
    fn of(database: &str) -> Dialect {
        match database.split(':').next().unwrap_or("").to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" => Dialect::Timestamp,
            "odbc" => Dialect::Oracle,
            _ => Dialect::Text,
        }
    }

    fn instant(self, at: Moment) -> String {
        match self {
            Dialect::Text => format!("'{at}'"),
            Dialect::Timestamp => format!("timestamp '{at}'"),
            Dialect::Oracle => format!("to_date('{at}', 'yyyy-mm-dd hh24:mi:ss')"),
        }
    }
}

/// How many rows it will be, then one DELETE a month, so that no transaction holds years.
fn statements(settings: &Settings, first: BillDate, last: BillDate) -> Vec<String> {
    let dialect = Dialect::of(&settings.paylog.database);
    let schema = &settings.paylog.schema;
    let table = if schema.is_empty() { "EB_PAYLOG".to_owned() } else { format!("{schema}.EB_PAYLOG") };
    let within = |from: Moment, to: Moment| {
        format!(
            "FROM {table} WHERE REQ_DATE >= {} AND REQ_DATE < {}",
            dialect.instant(from),
            dialect.instant(to)
        )
    };
    let mut statements = vec![format!("SELECT count(*) {};", within(first.start(), last.end()))];
    let mut from = first;
    while from <= last {
        let to = last_of_month(from).min(last);
        statements.push(format!("DELETE {};", within(from.start(), to.end())));
        if let Dialect::Oracle = dialect {
            statements.push("COMMIT;".to_owned());
        }
        from = to.after();
    }
    statements
}

fn last_of_month(day: BillDate) -> BillDate {
    let month = |day: BillDate| day.compact()[..6].to_owned();
    let days = std::iter::successors(Some(day), |day| Some(day.after()));
    days.take_while(|next| month(*next) == month(day)).last().unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> BillDate {
        BillDate::parse(text).expect("a day")
    }

    #[test]
    fn each_engine_has_its_own_instants_and_each_month_its_own_statement() {
        let mut settings = settings();
        for (database, schema, expected) in [
            (
                "sqlite:/x/ttpayment.db",
                "",
                "DELETE FROM EB_PAYLOG WHERE REQ_DATE >= '2016-10-30 00:00:00' AND REQ_DATE < '2016-11-01 00:00:00';",
            ),
            (
                "postgres://h/d",
                "pay",
                "DELETE FROM pay.EB_PAYLOG WHERE REQ_DATE >= timestamp '2016-10-30 00:00:00' AND REQ_DATE < timestamp \
                 '2016-11-01 00:00:00';",
            ),
            (
                "odbc:DSN=ttpay",
                "TTPAY",
                "DELETE FROM TTPAY.EB_PAYLOG WHERE REQ_DATE >= to_date('2016-10-30 00:00:00', 'yyyy-mm-dd hh24:mi:ss') \
                 AND REQ_DATE < to_date('2016-11-01 00:00:00', 'yyyy-mm-dd hh24:mi:ss');",
            ),
        ] {
            (settings.paylog.database, settings.paylog.schema) =
                (database.to_owned().into(), schema.to_owned());
            let all = statements(&settings, day("20161030"), day("20161102"));
            assert_eq!(all[1], expected);
            assert_eq!(all.iter().filter(|sql| sql.starts_with("DELETE")).count(), 2, "{all:?}");
            assert_eq!(
                all.iter().filter(|sql| *sql == "COMMIT;").count(),
                if schema == "TTPAY" { 2 } else { 0 }
            );
        }
    }

    fn settings() -> Settings {
        let (request, world) = (crate::config::Request::new(), crate::config::World::default());
        let request = crate::config::Request { secrets: crate::config::SecretUse::Leave, ..request };
        let text = "paytype = \"WX\"\n[[account]]\nname = \"wx\"\npaytype = \"WX\"\nchannel = \"local_file\"\n\
                    merchant = \"1900012345\"\npath = \"x.csv\"\n";
        let loaded =
            crate::config::settle(text, std::path::Path::new("/site"), &request, &world, day("20161110"));
        loaded.expect("a configuration").settings
    }

    /// Two days of two accounts on which nothing is open.
    fn book() -> Book {
        let clean = |account: &str| {
            (account.to_owned(), Section { account: account.to_owned(), ..Section::default() })
        };
        let (first, second) = (day("20161101"), day("20161102"));
        Book {
            lang: Lang::En,
            accounts: vec!["a".into(), "b".into()],
            done: [first, second].map(|day| (day, [clean("a"), clean("b")].into())).into(),
            begins: ["a", "b"].map(|name| (name.to_owned(), first)).into(),
            unclaimed: [first, second].map(|day| (day, Some(0))).into(),
        }
    }

    #[test]
    fn a_day_is_settled_when_every_account_is_done_and_nothing_is_open() {
        type Change = fn(&mut Book);
        let cases: [(Change, &str, &str); 8] = [
            (|_| {}, "20161102", "a 2016-11-03 is not done"),
            (|b| drop(of_second(b).remove("b")), "20161101", "b 2016-11-02 is not done"),
            (
                |b| unit_b(b).mismatches.push(Default::default()),
                "20161101",
                "b 2016-11-02 has 1 mismatch open",
            ),
            (
                |b| unit_b(b).verdict = Verdict::Incomplete.as_str().into(),
                "20161101",
                "b 2016-11-02 is compared, but the data lack something",
            ),
            (
                |b| unit_b(b).timing.push(awaiting()),
                "20161101",
                "b 2016-11-02 has 1 item awaiting the next day's statement",
            ),
            (
                |b| b.unclaimed.extend([(day("20161102"), Some(3))]),
                "20161101",
                "2016-11-02: 3 logged orders belong to no account",
            ),
            (
                |b| {
                    b.begins.extend([("b".to_owned(), day("20161103"))]);
                    of_second(b).remove("b");
                },
                "20161102",
                "a 2016-11-03 is not done",
            ),
            (|b| b.accounts.push("c".into()), "", "c 2016-11-01 was never compared"),
        ];
        for (change, expected, reason) in cases {
            let mut book = book();
            change(&mut book);
            let (settled, open) = book.settled_until(day("20161101"));
            assert_eq!((settled, open[0].as_str()), (BillDate::parse(expected), reason));
        }
    }

    #[test]
    fn unclaimed_orders_that_cannot_be_read_keep_their_day() {
        assert_eq!(unclaimed_orders("[]"), Some(0));
        assert_eq!(unclaimed_orders("[{\"orders\": "), None);
    }

    fn of_second(book: &mut Book) -> &mut BTreeMap<String, Section> {
        book.done.get_mut(&day("20161102")).expect("the day")
    }

    fn unit_b(book: &mut Book) -> &mut Section {
        of_second(book).get_mut("b").expect("the unit")
    }

    fn awaiting() -> report::TimingRow {
        report::TimingRow {
            kind: "awaiting".into(),
            entry: String::new(),
            order_no: String::new(),
            refund_no: String::new(),
            trade_no: String::new(),
            amount_minor: 1,
            currency: "CNY".into(),
            other_day: String::new(),
            gateway_time: String::new(),
            channel_time: String::new(),
        }
    }
}

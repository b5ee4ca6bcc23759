//! A unit's section of the report: what it stands on, its sums, and what a person should hear of.

use std::collections::BTreeMap;

use super::House;
use super::book::Book;
use super::log::NightLog;
use super::ours::Ours;
use crate::domain::money::major;
use crate::domain::{Control, Currency, Errand, Lang, Note, Statement};
use crate::reconcile::Reconciliation;
use crate::report::section::{About, SumPair, Sums, section};
use crate::report::{Input, Section};
use crate::store;

/// What the bills beside the trade bill add to the section.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) inputs: Vec<Input>,
    pub(super) controls: Vec<Control>,
    pub(super) remarks: Vec<String>,
}

/// What a section is made of, beside the book.
pub(super) struct Told<'t> {
    pub(super) ours: &'t Ours,
    pub(super) log: &'t NightLog,
    pub(super) result: &'t Reconciliation,
    pub(super) sums: store::Sums,
    pub(super) version: u32,
    pub(super) beside: &'t Beside,
    /// What the provider said about single items.
    pub(super) answers: &'t [([String; 3], String)],
}

pub(super) fn write_section(house: &House, errand: &Errand, book: &Book, told: Told<'_>) -> Section {
    let lang = house.settings.report_lang;
    let mut inputs = vec![
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
    inputs.extend_from_slice(&told.beside.inputs);
    let controls = [book.statement.controls(), &told.beside.controls].concat();
    let sums = sums_by_currency(&book.statement, told.sums);
    let mut remarks = remarks(house, book, &told);
    remarks.extend_from_slice(&told.beside.remarks);
    let about = About {
        authenticated: book.received.authenticated,
        inputs: &inputs,
        controls: &controls,
        foreign: book.statement.foreign(),
        sums: &sums,
        remarks: &remarks,
        date: Some(errand.date),
        answers: told.answers,
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
        (
            Note::MaybeTwice,
            "笔订单十分钟内同一收银机另有同额订单，可能是一次购买收了两次款",
            "orders have another of the same till and amount within ten minutes, perhaps one purchase charged twice",
        ),
        (Note::ByNotice, "笔订单由保存的渠道通知证实", "orders are proven by a notification that was kept"),
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
    let of_others = told.result.of_others;
    if of_others > 0 {
        remarks.push(match lang {
            Lang::Zh => format!("{of_others} 行属于其他账户的网关订单，由该账户报告"),
            Lang::En => format!("{of_others} lines are orders of other accounts, which report them"),
        });
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

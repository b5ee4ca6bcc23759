//! What providers hand out: one writer for each layout, and what a scripted fault does to it.

pub(super) mod alipay_account_log;
pub(super) mod alipay_bill;
pub(super) mod alipay_forex;
pub(super) mod alipay_ledger;
mod alipay_spoil;
mod zip_trouble;
pub(super) mod movements;
mod taobao_list;
pub(super) mod wechat_bill;
mod zip_file;
pub(super) mod gzip;
mod spoil;
pub(super) mod wechat_fundflow;
pub(super) mod wechat_overseas;

use super::day::SimulatedDay;
use super::server::{Content, Want};
use super::town::{ACCOUNTS, Family, SimAccount};
use crate::domain::PayType;

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Paper {
    WechatBill,
    AlipayBill,
    WechatFundFlow,
    WechatOverseas,
    /// v2, with English titles.
    WechatOverseasEnglish,
    /// 账务明细 of the open platform.
    AlipayLedger,
    /// The old interface's ledger as the CSV of `export_trade_account_report`, in UTF-8.
    AlipayLog,
    /// Transactions of a merchant abroad.
    AlipayForex,
    /// Settlements of a merchant abroad.
    AlipayForexSettled,
    /// What a Taobao seller exports by hand.
    TaobaoList,
    /// A provider that hands out none.
    Nothing,
}

/// The document that an account is reconciled by.
pub(super) fn of(account: &SimAccount) -> Paper {
    match account.family() {
        Family::Wechat => Paper::WechatBill,
        Family::Alipay10 => Paper::AlipayLog,
        Family::AlipayOverseas => Paper::AlipayForex,
        Family::Tianta | Family::Teegon => Paper::Nothing,
        Family::Alipay20 if account.pay_type == PayType::Tb => Paper::TaobaoList,
        Family::Alipay20 => Paper::AlipayBill,
        Family::WechatOverseas if account.api_key.is_empty() => Paper::WechatOverseas,
        Family::WechatOverseas => Paper::WechatOverseasEnglish,
    }
}

/// A document's bytes; `None` for a day without movements.
pub(super) fn write(day: &SimulatedDay, want: Want) -> Option<Vec<u8>> {
    let mut day_number = day.day_number(want.date)?;
    if want.content == Content::OtherDay {
        day_number += if day_number > -1 { -1 } else { 1 };
    }
    let mut bytes = match want.paper {
        Paper::WechatBill => wechat_bill(day, want, day_number)?,
        Paper::AlipayBill => alipay_bill(day, want, day_number)?,
        Paper::WechatFundFlow => wechat_fundflow(day, want, day_number)?,
        Paper::WechatOverseas | Paper::WechatOverseasEnglish => wechat_overseas(day, want, day_number)?,
        Paper::AlipayLedger => alipay_ledger(day, want, day_number)?,
        Paper::AlipayLog => alipay_log(day, want.account, day_number)?,
        Paper::AlipayForex => alipay_forex::compare_file(day, want.account, day_number)?,
        Paper::AlipayForexSettled => alipay_forex::liquidation_file(day, want.account, day_number)?,
        Paper::TaobaoList => taobao_list::write(day, want.account, day_number)?,
        Paper::Nothing => return None,
    };
    if want.content == Content::Torn {
        bytes.truncate(bytes.len() / 3 * 2);
    }
    let account = &ACCOUNTS[usize::from(want.account)];
    let name = format!("{}All{}.csv", account.merchant, want.date);
    Some(if want.gzip { gzip::packed(&bytes, &name) } else { bytes })
}

fn wechat_bill(day: &SimulatedDay, want: Want, day_number: i32) -> Option<Vec<u8>> {
    let make = if want.whole { wechat_bill::Bill::whole } else { wechat_bill::Bill::of };
    let mut bill = make(day, want.account, day_number);
    if bill.is_empty() {
        return None;
    }
    bill.totals_off_fen = i64::from(want.content == Content::TotalsOff);
    if want.content == Content::OtherMerchant {
        bill = bill.of_another_merchant();
    }
    Some(spoil::spoiled(bill.write(), want.content))
}

fn wechat_fundflow(day: &SimulatedDay, want: Want, day_number: i32) -> Option<Vec<u8>> {
    let mut flow = wechat_fundflow::Flow::of(day, want.account, day_number);
    if flow.is_empty() {
        return None;
    }
    flow.totals_off_fen = i64::from(want.content == Content::TotalsOff);
    flow.balance_off_fen = i64::from(want.content == Content::BalanceOff);
    if want.content == Content::OtherMerchant {
        flow = flow.of_another_merchant();
    }
    Some(spoil::spoiled(flow.write(), want.content))
}

fn wechat_overseas(day: &SimulatedDay, want: Want, day_number: i32) -> Option<Vec<u8>> {
    let mut statement = wechat_overseas::Statement::of(day, want.account, day_number);
    if statement.is_empty() {
        return None;
    }
    statement.totals_off_minor = i64::from(want.content == Content::TotalsOff);
    if want.content == Content::OtherMerchant {
        statement = statement.of_another_merchant();
    }
    let english = want.paper == Paper::WechatOverseasEnglish;
    let text = if english { statement.write_english() } else { statement.write() };
    Some(spoil::spoiled(text, want.content))
}

fn alipay_bill(day: &SimulatedDay, want: Want, day_number: i32) -> Option<Vec<u8>> {
    let mut bill = alipay_bill::Bill::of(day, want.account, day_number);
    if want.content == Content::Emptied {
        bill = bill.emptied();
    } else if bill.is_empty() {
        return None;
    }
    bill.totals_off_fen = i64::from(want.content == Content::TotalsOff);
    if want.content == Content::OtherMerchant {
        bill = bill.of_another_merchant();
    }
    match want.content {
        Content::Spoiled(spoil) => bill.spoil = Some(spoil),
        Content::Zip(trouble) => return Some(zip_trouble::made(trouble, &bill)),
        _ => {}
    }
    Some(bill.write())
}

fn alipay_ledger(day: &SimulatedDay, want: Want, day_number: i32) -> Option<Vec<u8>> {
    let mut ledger = alipay_ledger::Ledger::of(day, want.account, day_number);
    if want.content == Content::Emptied {
        ledger = ledger.emptied();
    } else if ledger.is_empty() {
        return None;
    }
    ledger.totals_off_fen = i64::from(want.content == Content::TotalsOff);
    if want.content == Content::OtherMerchant {
        ledger = ledger.of_another_merchant();
    }
    Some(ledger.write())
}

fn alipay_log(day: &SimulatedDay, account: u8, day_number: i32) -> Option<Vec<u8>> {
    let movements = movements::of(day, account, day_number);
    (!movements.is_empty()).then(|| alipay_account_log::csv(day, &movements).into_bytes())
}

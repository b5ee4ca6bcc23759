//! What providers hand out: one writer for each layout, and what a scripted fault does to it.

pub(super) mod alipay_bill;
pub(super) mod wechat_bill;
mod zip_file;
pub(super) mod gzip;
mod spoil;
pub(super) mod wechat_fundflow;
pub(super) mod wechat_overseas;

use super::day::SimulatedDay;
use super::server::{Content, Want};
use super::town::{ACCOUNTS, Family, SimAccount};

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Paper {
    WechatBill,
    AlipayBill,
    WechatFundFlow,
    WechatOverseas,
    /// v2, with English titles.
    WechatOverseasEnglish,
}

/// The document that an account is reconciled by.
pub(super) fn of(account: &SimAccount) -> Paper {
    match account.family() {
        Family::Wechat => Paper::WechatBill,
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
    Some(bill.write())
}

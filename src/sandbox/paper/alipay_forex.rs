//! Writes what a merchant abroad gets: the text of `forex_compare_file` and `forex_liquidation_file`
//! (`spec/alipay.md` 4.1), and the in-store files of the SFTP box (4.3).
//!
//! What is settled when is ours: two thirds of a day's trades are settled at noon of the next day, the rest not yet.

use encoding_rs::GBK;

use crate::sandbox::calendar::DAY_SECONDS;
use crate::sandbox::custom::{currency, push_major};
use crate::sandbox::day::SimulatedDay;
use crate::sandbox::fault::Fault;
use crate::sandbox::lines::{self, Line, What};
use crate::sandbox::numbers::fee_fen;
use crate::sandbox::reply::alipay_overseas::{cny_fen, push_rate};
use crate::sandbox::town::{ACCOUNTS, SimAccount};

const TRANSACTION_HEADER: &str = "Partner_transaction_id|Transaction_id|Transaction_amount|Charge_amount|Currency|\
Payment_time|Transaction_type|Remark|Secondary_merchant_industry|Secondary_merchant_name|Operator_name|Order_scene|\
Trans_currency|Trans_amount|Trans_forex_rate";
const SETTLEMENT_HEADER: &str = "Partner_transaction_id|Transaction_id|Amount|Rmb_amount|Fee|Settlement|Rmb_settlement|\
Currency|Rate|Payment_time|Settlement_time|Type|Status|Remarks|Secondary_merchant_industry|Secondary_merchant_name|\
Operator_name|Order_scene|Trans_currency|Trans_amount|Trans_forex_rate";
/// What stands between the trade and its currency's own fields in both files.
const SHOP: &str = "5311|示例商场|8888|OFFLINE";

/// One trade as every layout needs it.
struct Trade {
    /// Our number: of the payment, or of the refund.
    number: String,
    trade_no: String,
    minor: i64,
    fee_minor: i64,
    currency: &'static str,
    paid: String,
    /// Empty while it is not settled.
    settled: String,
    is_refund: bool,
}

/// The trades of a day, in the order of time.
fn trades(day: &SimulatedDay, account: u8, day_number: i32) -> Vec<Trade> {
    let known = &ACCOUNTS[usize::from(account)];
    lines::of(day, account, day_number).into_iter().map(|line| trade(day, known, line)).collect()
}

fn trade(day: &SimulatedDay, account: &SimAccount, line: Line) -> Trade {
    let story = lines::story(day, line.story);
    let (number, minor, is_refund) = match line.what {
        What::Refund(place) => {
            let refund = lines::refund(day, place);
            (lines::refund_no_in_bill(day, refund), refund.billed(), true)
        }
        _ => (lines::order_no(day, line.story), story.billed(line.story), false),
    };
    let time = |at: i32| {
        let mut out = String::with_capacity(14);
        day.calendar.push_compact_time(&mut out, at);
        out
    };
    let is_settled = !(line.story / 2).is_multiple_of(3);
    let noon = (line.at.div_euclid(DAY_SECONDS) + 1) * DAY_SECONDS + 43_200;
    let currency = currency(account, line.story);
    Trade {
        number,
        trade_no: lines::trade_no(day, line.story, line.what == What::SecondPayment),
        minor,
        fee_minor: if is_refund { 0 } else { fee_fen(minor, account.rate_e4) },
        currency: if story.fault == Some(Fault::Currency) && !is_refund { "USD" } else { currency },
        paid: time(line.at),
        settled: if is_settled { time(noon) } else { String::new() },
        is_refund,
    }
}

/// The transactions of a day in GBK, without a header; `None` on a day without any.
pub(in crate::sandbox) fn compare_file(day: &SimulatedDay, account: u8, day_number: i32) -> Option<Vec<u8>> {
    let trades = trades(day, account, day_number);
    text(trades.iter(), |trade| if trade.settled.is_empty() { "P" } else { "L" })
}

/// What was settled on a day, that is, two thirds of the trades of the day before.
pub(in crate::sandbox) fn liquidation_file(
    day: &SimulatedDay,
    account: u8,
    day_number: i32,
) -> Option<Vec<u8>> {
    let trades = trades(day, account, day_number - 1);
    text(trades.iter().filter(|trade| !trade.settled.is_empty()), |_| "L")
}

fn text<'t>(
    trades: impl Iterator<Item = &'t Trade>,
    status: impl Fn(&Trade) -> &'static str,
) -> Option<Vec<u8>> {
    let mut out = String::new();
    for (place, trade) in trades.enumerate() {
        let kind = if trade.is_refund { "R" } else { "P" };
        let mut cells = vec![trade.number.clone(), major(trade.minor, trade.currency)];
        cells.extend([trade.currency, &trade.paid, &trade.settled, kind].map(str::to_owned));
        cells.extend([major(trade.fee_minor, trade.currency), status(trade).to_owned()]);
        // The last field is missing in some lines and empty in others.
        match place % 3 {
            0 => cells.push("门店收银".to_owned()),
            1 => cells.push(String::new()),
            _ => {}
        }
        out.push_str(&cells.join("|"));
        out.push_str("\r\n");
    }
    (!out.is_empty()).then(|| GBK.encode(&out).0.into_owned())
}

/// `<PID>_transaction_<YYYYMMDD>.txt`: in UTF-8, with the stated count in its first line. The settlement currency is
/// the label's own here.
pub(in crate::sandbox) fn transaction_file(day: &SimulatedDay, account: u8, day_number: i32) -> String {
    let trades = trades(day, account, day_number);
    let mut out = format!(
        "Partner:{}|Payment_time: {}|Total_count:{}\r\n{TRANSACTION_HEADER}\r\n",
        ACCOUNTS[usize::from(account)].merchant,
        day.calendar.date(day_number),
        trades.len()
    );
    for trade in &trades {
        let amount = major(trade.minor, trade.currency);
        let fee = major(trade.fee_minor, trade.currency);
        let kind = if trade.is_refund { "REFUND" } else { "PAYMENT" };
        let paid = dashed(&trade.paid);
        let mut rate = String::new();
        push_rate(&mut rate, trade.currency);
        out.push_str(&format!(
            "{}|{}|{amount}|{fee}|{}|{paid}|{kind}||{SHOP}|{}|{amount}|{rate}\r\n",
            trade.number, trade.trade_no, trade.currency, trade.currency
        ));
    }
    out
}

/// `<PID>_settlement_<YYYYMMDD>.txt`: what was settled on the day.
pub(in crate::sandbox) fn settlement_file(day: &SimulatedDay, account: u8, day_number: i32) -> String {
    let trades = trades(day, account, day_number - 1);
    let mut out = format!("{SETTLEMENT_HEADER}\r\n");
    for trade in trades.iter().filter(|trade| !trade.settled.is_empty()) {
        let settled = trade.minor - trade.fee_minor;
        let amount = major(trade.minor, trade.currency);
        let mut rate = String::new();
        push_rate(&mut rate, trade.currency);
        let cells = [
            trade.number.clone(),
            trade.trade_no.clone(),
            amount.clone(),
            major(cny_fen(trade.minor, trade.currency), "CNY"),
            major(trade.fee_minor, trade.currency),
            major(settled, trade.currency),
            major(cny_fen(settled, trade.currency), "CNY"),
            trade.currency.to_owned(),
            rate.clone(),
            dashed(&trade.paid),
            dashed(&trade.settled),
            if trade.is_refund { "R" } else { "P" }.to_owned(),
            "L".to_owned(),
            String::new(),
            SHOP.to_owned(),
            trade.currency.to_owned(),
            amount,
            rate,
        ];
        out.push_str(&cells.join("|"));
        out.push_str("\r\n");
    }
    out
}

fn major(minor: i64, currency: &str) -> String {
    let mut out = String::new();
    push_major(&mut out, minor, currency);
    out
}

/// `yyyy-MM-dd HH:mm:ss` of `yyyyMMddHHmmss`.
fn dashed(compact: &str) -> String {
    let part = |from: usize, to: usize| compact.get(from..to).unwrap_or("");
    format!("{}-{}-{} {}:{}:{}", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14))
}

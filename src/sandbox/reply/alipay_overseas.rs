//! Alipay's replies abroad as a gateway stores them: `alipay.acquire.overseas.spot.pay`, its query and its refund
//! (`spec/alipay.md` 5.3). Amounts in major units of the order's currency; the misspelt `UNKNOW` is theirs.
//!
//! The refund's reply is documented only by its key (`partner_refund_id`); it repeats the payment's names here and
//! states no time.

use super::alipay_json::push_logon;
use super::xml::{filled, param, text};
use crate::sandbox::custom::push_major;
use crate::sandbox::lines;
use crate::sandbox::log_row::Scene;
use crate::sandbox::numbers::{push_letters, push_padded, push_yuan};
use crate::sandbox::story::{Reply, Step};

const HEX_LOWER: &str = "0123456789abcdef";

/// Writes a reply; returns what the gateway notes beside it in RES_ERR and RES_MSG.
pub(in crate::sandbox) fn write(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?><alipay><is_success>T</is_success><request>");
    param(
        out,
        "service",
        match scene.step {
            Step::Pay(_) => "alipay.acquire.overseas.spot.pay",
            Step::Refund(_) => "alipay.acquire.overseas.spot.refund",
            Step::Query(_) | Step::Reverse(_) => "alipay.acquire.overseas.query",
        },
    );
    param(out, "partner", scene.account.merchant);
    out.push_str("</request><response><alipay>");
    let told = body(out, scene);
    out.push_str("</alipay></response><sign>");
    push_letters(out, HEX_LOWER, 32, scene.luck ^ 0x051D);
    out.push_str("</sign><sign_type>MD5</sign_type></alipay>");
    told
}

fn body(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    match (scene.step, scene.reply()) {
        (Step::Pay(_), Reply::Done | Reply::DoneTorn) => paid(out, scene),
        (Step::Query(_), Reply::Done) => {
            text(out, "alipay_trans_status", "TRADE_SUCCESS");
            paid(out, scene);
        }
        (Step::Pay(_), Reply::Pending) => {
            text(out, "result_code", "UNKNOW");
            order_no(out, scene);
        }
        (Step::Query(_), Reply::Pending) => {
            text(out, "alipay_trans_status", "WAIT_BUYER_PAY");
            text(out, "result_code", "SUCCESS");
            order_no(out, scene);
        }
        (Step::Refund(_), Reply::Done | Reply::Repeated) => refunded(out, scene),
        _ => return failed(out, scene),
    }
    ("0", "")
}

fn failed(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    let (result, error) = match (scene.step, scene.reply()) {
        (_, Reply::Unknown) => ("UNKNOW", "SYSTEM_ERROR"),
        (Step::Refund(_), _) => ("FAILED", "SELLER_BALANCE_NOT_ENOUGH"),
        (_, Reply::AlreadyPaid) => ("FAILED", "TRADE_HAS_SUCCESS"),
        (_, Reply::NotFound) => ("FAILED", "TRADE_NOT_EXIST"),
        _ => ("FAILED", "BUYER_BALANCE_NOT_ENOUGH"),
    };
    text(out, "error", error);
    order_no(out, scene);
    text(out, "result_code", result);
    ("1", error)
}

fn paid(out: &mut String, scene: &Scene<'_>) {
    filled(out, "alipay_buyer_login_id", |out| push_logon(out, scene.day.seed, scene.index));
    let paid_at = scene.story.paid_at().unwrap_or(scene.at);
    filled(out, "alipay_pay_time", |out| scene.day.calendar.push_compact_time(out, paid_at));
    filled(out, "alipay_trans_id", |out| lines::push_trade_no(out, scene.day, scene.index, false));
    text(out, "currency", scene.currency());
    rate(out, scene);
    order_no(out, scene);
    text(out, "result_code", "SUCCESS");
    amount(out, "trans_amount", scene.story.amount(), scene.currency());
    filled(out, "trans_amount_cny", |out| push_yuan(out, cny_fen(scene.story.amount(), scene.currency())));
}

fn refunded(out: &mut String, scene: &Scene<'_>) {
    let Some(refund) = scene.refund else { return };
    filled(out, "alipay_trans_id", |out| lines::push_trade_no(out, scene.day, scene.index, false));
    text(out, "currency", scene.currency());
    rate(out, scene);
    filled(out, "partner_refund_id", |out| lines::push_refund_no(out, scene.day, refund));
    order_no(out, scene);
    amount(out, "refund_amount", refund.amount(), scene.currency());
    filled(out, "refund_amount_cny", |out| push_yuan(out, cny_fen(refund.amount(), scene.currency())));
    text(out, "result_code", "SUCCESS");
}

fn order_no(out: &mut String, scene: &Scene<'_>) {
    filled(out, "partner_trans_id", |out| lines::push_order_no(out, scene.day, scene.index));
}

fn amount(out: &mut String, name: &str, minor: i64, currency: &str) {
    filled(out, name, |out| push_major(out, minor, currency));
}

fn rate(out: &mut String, scene: &Scene<'_>) {
    filled(out, "exchange_rate", |out| push_rate(out, scene.currency()));
}

/// Yuan for one unit of a currency, in 1/100000000.
fn rate_e8(currency: &str) -> i64 {
    match currency {
        "HKD" => 92_150_000,
        "EUR" => 785_230_000,
        _ => 4_850_000,
    }
}

/// Appends the rate with its eight decimals.
pub(in crate::sandbox) fn push_rate(out: &mut String, currency: &str) {
    let rate = rate_e8(currency).unsigned_abs();
    push_padded(out, rate / 100_000_000, 1);
    out.push('.');
    push_padded(out, rate % 100_000_000, 8);
}

/// The amount in fen of the yuan, cut.
pub(in crate::sandbox) fn cny_fen(minor: i64, currency: &str) -> i64 {
    let hundredths = if currency == "JPY" { minor * 100 } else { minor };
    hundredths * rate_e8(currency) / 100_000_000
}

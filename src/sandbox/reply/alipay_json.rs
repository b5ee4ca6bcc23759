//! Alipay's 2.0 replies as a gateway stores them: `trade.pay`, `trade.query`, `trade.refund`, `trade.cancel`
//! (`spec/alipay.md` 5.1). The signature beside the node is of the right length and signs nothing: nobody verifies a
//! log, and a million signatures would take a quarter of an hour.

use crate::sandbox::lines;
use crate::sandbox::log_row::Scene;
use crate::sandbox::numbers::{self, BASE64, NAME_LETTERS, push_letters, push_yuan};
use crate::sandbox::story::{Coupon, Reply, Step};

/// Characters of a signature by a 1024-bit key, as merchants of that time have them.
const SIGNATURE_CHARACTERS: u32 = 171;

/// Writes a reply; returns what the gateway notes beside it in RES_ERR and RES_MSG.
pub(in crate::sandbox) fn write(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    out.push_str("{\"alipay_trade_");
    out.push_str(match scene.step {
        Step::Pay(_) => "pay",
        Step::Query(_) => "query",
        Step::Refund(_) => "refund",
        Step::Reverse(_) => "cancel",
    });
    out.push_str("_response\":{");
    let told = body(out, scene);
    out.push_str("},\"sign\":\"");
    push_letters(out, BASE64, SIGNATURE_CHARACTERS, scene.luck ^ 0x051D);
    out.push_str("=\"}");
    told
}

fn body(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    match (scene.step, scene.reply()) {
        (Step::Pay(_), Reply::Done | Reply::DoneTorn) => paid(out, scene, false),
        (Step::Query(_), Reply::Done) => paid(out, scene, true),
        (Step::Pay(_), Reply::Pending) => {
            out.push_str("\"code\":\"10003\",\"msg\":\"order success pay inprocess\"");
            buyer(out, scene);
            numbers_of_trade(out, scene);
        }
        (Step::Query(_), Reply::Pending) => {
            success(out);
            buyer(out, scene);
            numbers_of_trade(out, scene);
            member(out, "trade_status", "WAIT_BUYER_PAY");
            yuan(out, "total_amount", scene.story.amount());
        }
        (Step::Refund(_), Reply::Done | Reply::Repeated) => refunded(out, scene),
        (Step::Reverse(_), Reply::Done | Reply::Closed) => {
            success(out);
            numbers_of_trade(out, scene);
            member(out, "retry_flag", "N");
            member(out, "action", if scene.reply() == Reply::Done { "refund" } else { "close" });
        }
        _ => return failed(out, scene),
    }
    ("0", "")
}

fn failed(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    const CANNOT_PAY: [(&str, &str); 4] = [
        ("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足"),
        ("ACQ.PAYMENT_AUTH_CODE_INVALID", "支付失败，获取顾客账户信息失败，请顾客刷新付款码后重新收款"),
        ("ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", "买家付款日限额超限"),
        ("ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH", "买家银行卡余额不足"),
    ];
    let (sub_code, words) = match (scene.step, scene.reply()) {
        (Step::Refund(_), Reply::Refused) => ("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"),
        (_, Reply::AlreadyPaid) => ("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"),
        (_, Reply::NotFound) => ("ACQ.TRADE_NOT_EXIST", "交易不存在"),
        (_, Reply::Refused) => CANNOT_PAY[usize::try_from(scene.luck % 4).unwrap_or(0)],
        _ => ("isp.unknow-error", "系统繁忙"),
    };
    if scene.reply() == Reply::Unknown {
        out.push_str("\"code\":\"20000\",\"msg\":\"Service Currently Unavailable\"");
    } else {
        out.push_str("\"code\":\"40004\",\"msg\":\"Business Failed\"");
    }
    member(out, "sub_code", sub_code);
    member(out, "sub_msg", words);
    if matches!(scene.step, Step::Pay(_)) && scene.reply() == Reply::Refused {
        // Amount fields may still be there, as zeros.
        for name in ["buyer_pay_amount", "invoice_amount", "point_amount", "receipt_amount"] {
            yuan(out, name, 0);
        }
    }
    ("1", words)
}

fn paid(out: &mut String, scene: &Scene<'_>, queried: bool) {
    let story = scene.story;
    let from_buyer = story.amount() - i64::from(story.coupon_fen);
    success(out);
    buyer(out, scene);
    yuan(out, "buyer_pay_amount", from_buyer);
    out.push_str(",\"fund_bill_list\":[{\"amount\":\"");
    push_yuan(out, from_buyer);
    out.push_str("\",\"fund_channel\":\"ALIPAYACCOUNT\"}");
    if story.coupon == Coupon::Provider {
        out.push_str(",{\"amount\":\"");
        push_yuan(out, i64::from(story.coupon_fen));
        out.push_str("\",\"fund_channel\":\"COUPON\"}");
    }
    out.push(']');
    if !queried {
        time(out, "gmt_payment", scene, story.paid_at().unwrap_or(scene.at));
    }
    yuan(out, "invoice_amount", from_buyer);
    member_of(out, "out_trade_no", |out| lines::push_order_no(out, scene.day, scene.index));
    yuan(out, "point_amount", 0);
    yuan(out, "receipt_amount", story.settled());
    if queried {
        time(out, "send_pay_date", scene, story.paid_at().unwrap_or(scene.at));
    }
    member(out, "store_name", story.till.store().name);
    yuan(out, "total_amount", story.amount());
    member_of(out, "trade_no", |out| lines::push_trade_no(out, scene.day, scene.index, false));
    if let Some(currency) = scene.foreign_currency() {
        member(out, "trans_currency", currency);
    }
    if queried {
        member(out, "trade_status", "TRADE_SUCCESS");
    }
}

/// `refund_fee` is what was refunded of the trade altogether.
fn refunded(out: &mut String, scene: &Scene<'_>) {
    let Some(refund) = scene.refund else { return };
    success(out);
    buyer(out, scene);
    member(out, "fund_change", if scene.reply() == Reply::Done { "Y" } else { "N" });
    time(out, "gmt_refund_pay", scene, refund.done_at().unwrap_or(scene.at));
    member_of(out, "out_trade_no", |out| lines::push_order_no(out, scene.day, scene.index));
    yuan(out, "refund_fee", i64::from(refund.before_fen) + refund.amount());
    member_of(out, "trade_no", |out| lines::push_trade_no(out, scene.day, scene.index, false));
}

fn success(out: &mut String) {
    out.push_str("\"code\":\"10000\",\"msg\":\"Success\"");
}

fn buyer(out: &mut String, scene: &Scene<'_>) {
    let luck = numbers::mix(scene.day.seed, u64::from(scene.index), 0xA11);
    member_of(out, "buyer_logon_id", |out| push_logon(out, scene.day.seed, scene.index));
    member_of(out, "buyer_user_id", |out| {
        out.push_str("2088");
        numbers::push_padded(out, luck % numbers::E12, 12);
    });
}

/// The buyer's masked name, the same in the reply and in the statement.
pub(in crate::sandbox) fn push_logon(out: &mut String, seed: u64, index: u32) {
    push_letters(out, NAME_LETTERS, 3, numbers::mix(seed, u64::from(index), 0xB0B));
    out.push_str("***@example.test");
}

fn numbers_of_trade(out: &mut String, scene: &Scene<'_>) {
    member_of(out, "out_trade_no", |out| lines::push_order_no(out, scene.day, scene.index));
    member_of(out, "trade_no", |out| lines::push_trade_no(out, scene.day, scene.index, false));
}

fn member(out: &mut String, name: &str, value: &str) {
    member_of(out, name, |out| out.push_str(value));
}

fn yuan(out: &mut String, name: &str, fen: i64) {
    member_of(out, name, |out| push_yuan(out, fen));
}

fn time(out: &mut String, name: &str, scene: &Scene<'_>, at: i32) {
    member_of(out, name, |out| scene.day.calendar.push_time(out, at));
}

fn member_of(out: &mut String, name: &str, value: impl FnOnce(&mut String)) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":\"");
    value(out);
    out.push('"');
}

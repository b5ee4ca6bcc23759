//! WeChat Pay's replies as a gateway stores them: `micropay`, `orderquery`, `refund`, `reverse` (`spec/wechat.md` 5).

use crate::sandbox::log_row::Scene;
use crate::sandbox::numbers::{self, HEX_UPPER, LETTERS, push_letters};
use crate::sandbox::story::{Coupon, Reply, Step};
use crate::sandbox::{currency, fault::Fault, lines};

/// Writes a reply; returns what the gateway notes beside it in RES_ERR and RES_MSG.
pub(in crate::sandbox) fn write(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    out.push_str(
        "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg>",
    );
    text(out, "appid", scene.account.app_id);
    text(out, "mch_id", scene.account.merchant);
    if !scene.account.sub_merchant.is_empty() {
        text(out, "sub_mch_id", scene.account.sub_merchant);
    }
    filled(out, "nonce_str", |out| push_letters(out, LETTERS, 16, scene.luck ^ 0x0A0A));
    let told = body(out, scene);
    filled(out, "sign", |out| push_letters(out, HEX_UPPER, 32, scene.luck ^ 0x051D));
    out.push_str("</xml>");
    told
}

fn body(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    match (scene.step, scene.reply()) {
        (Step::Pay(_), Reply::Done | Reply::DoneTorn) => paid(out, scene, false),
        (Step::Query(_), Reply::Done) => paid(out, scene, true),
        (Step::Query(_), Reply::Pending) => {
            text(out, "result_code", "SUCCESS");
            text(out, "trade_state", "USERPAYING");
            filled(out, "out_trade_no", |out| lines::push_order_no(out, scene.day, scene.index));
            text(out, "trade_state_desc", "需要用户输入支付密码");
        }
        (Step::Refund(_), Reply::Done | Reply::Repeated) => refunded(out, scene),
        (Step::Reverse(_), Reply::Done | Reply::Closed) => {
            text(out, "result_code", "SUCCESS");
            text(out, "recall", "N");
        }
        _ => {
            let (code, words) = failure(scene);
            text(out, "result_code", "FAIL");
            text(out, "err_code", code);
            text(out, "err_code_des", words);
            if matches!(scene.step, Step::Reverse(_)) {
                text(out, "recall", "Y");
            }
            return ("1", words);
        }
    }
    ("0", "")
}

/// `err_code` and `err_code_des` of everything that is not a success.
fn failure(scene: &Scene<'_>) -> (&'static str, &'static str) {
    const CANNOT_PAY: [(&str, &str); 5] = [
        ("AUTHCODEEXPIRE", "二维码已过期，请用户在微信上刷新后再试"),
        ("NOTENOUGH", "用户帐号余额不足，请用户充值或更换支付卡后再支付"),
        ("AUTH_CODE_INVALID", "101 每个二维码仅限使用一次，请刷新再试"),
        ("NOTSUPORTCARD", "该卡不支持当前支付，提示用户换卡支付或绑新卡支付"),
        ("BUYER_MISMATCH", "请确认支付方是否相同"),
    ];
    match (scene.step, scene.reply()) {
        (Step::Refund(_), Reply::Refused) => ("NOTENOUGH", "基本账户余额不足，请充值后重新发起"),
        (_, Reply::Pending) => ("USERPAYING", "需要用户输入支付密码"),
        (_, Reply::AlreadyPaid) => ("ORDERPAID", "该订单已支付"),
        (_, Reply::NotFound) => ("ORDERNOTEXIST", "订单不存在"),
        (_, Reply::Refused) => CANNOT_PAY[usize::try_from(scene.luck % 5).unwrap_or(0)],
        _ => ("SYSTEMERROR", "系统超时"),
    }
}

fn paid(out: &mut String, scene: &Scene<'_>, queried: bool) {
    let story = scene.story;
    text(out, "result_code", "SUCCESS");
    filled(out, "openid", |out| push_openid(out, scene.day.seed, scene.index));
    text(out, "is_subscribe", "N");
    text(out, "trade_type", "MICROPAY");
    if queried {
        text(out, "trade_state", "SUCCESS");
    }
    text(out, "bank_type", bank(scene.index));
    number(out, "total_fee", story.amount());
    if story.coupon == Coupon::Merchant {
        number(out, "settlement_total_fee", story.settled());
    }
    if story.coupon != Coupon::None {
        number(out, "coupon_fee", i64::from(story.coupon_fen));
    }
    text(out, "fee_type", currency::priced(scene.account, scene.index));
    filled(out, "transaction_id", |out| lines::push_trade_no(out, scene.day, scene.index, false));
    filled(out, "out_trade_no", |out| lines::push_order_no(out, scene.day, scene.index));
    let paid_at = story.paid_at().unwrap_or(scene.at);
    filled(out, "time_end", |out| scene.day.calendar.push_compact_time(out, paid_at));
    cash(out, scene);
}

/// What the buyer paid himself; overseas in his own currency.
fn cash(out: &mut String, scene: &Scene<'_>) {
    let amount = scene.story.amount() - i64::from(scene.story.coupon_fen);
    match currency::priced(scene.account, scene.index) {
        "CNY" => number(out, "cash_fee", amount),
        foreign => {
            number(out, "cash_fee", currency::in_fen(amount, foreign));
            text(out, "cash_fee_type", "CNY");
        }
    }
}

fn refunded(out: &mut String, scene: &Scene<'_>) {
    let Some(refund) = scene.refund else { return };
    let story = scene.story;
    text(out, "result_code", "SUCCESS");
    filled(out, "transaction_id", |out| lines::push_trade_no(out, scene.day, scene.index, false));
    filled(out, "out_trade_no", |out| lines::push_order_no(out, scene.day, scene.index));
    filled(out, "out_refund_no", |out| lines::push_refund_no(out, scene.day, refund));
    let date = scene.day.calendar.compact_date(refund.done_at().unwrap_or(scene.at));
    filled(out, "refund_id", |out| numbers::push_wechat_refund_id(out, date, scene.index, refund.part));
    number(out, "refund_fee", refund.amount());
    if story.coupon == Coupon::Merchant {
        number(out, "settlement_refund_fee", refund.amount() - i64::from(story.coupon_fen));
    }
    number(out, "total_fee", story.amount());
    text(out, "fee_type", currency::priced(scene.account, scene.index));
    cash(out, scene);
}

/// 付款银行, the same in the reply and in the statement.
pub(in crate::sandbox) fn bank(index: u32) -> &'static str {
    const BANKS: [&str; 4] = ["OTHERS", "CMB_DEBIT", "ICBC_DEBIT", "CCB_CREDIT"];
    BANKS[usize::try_from(index % 4).unwrap_or(0)]
}

/// 货币种类 in the statement.
pub(in crate::sandbox) fn currency(fault: Option<Fault>) -> &'static str {
    if fault == Some(Fault::Currency) { "HKD" } else { "CNY" }
}

/// The buyer, the same in the reply and in the statement.
pub(in crate::sandbox) fn push_openid(out: &mut String, seed: u64, index: u32) {
    out.push('o');
    push_letters(out, LETTERS, 27, numbers::mix(seed, u64::from(index), 0xB0B));
}

fn text(out: &mut String, name: &str, value: &str) {
    filled(out, name, |out| out.push_str(value));
}

fn filled(out: &mut String, name: &str, value: impl FnOnce(&mut String)) {
    open(out, name);
    out.push_str("<![CDATA[");
    value(out);
    out.push_str("]]>");
    close(out, name);
}

fn number(out: &mut String, name: &str, value: i64) {
    open(out, name);
    numbers::push_integer(out, value);
    close(out, name);
}

fn open(out: &mut String, name: &str) {
    out.push('<');
    out.push_str(name);
    out.push('>');
}

fn close(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

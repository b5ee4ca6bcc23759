//! Alipay's 1.0 replies as a gateway stores them: `alipay.acquire.{createandpay,query,refund,cancel}`
//! (`spec/alipay.md` 3.2, 5.2), and `single_trade_query` for escrow trades (3.5, 6.1, 6.2). Yuan.
//!
//! The declaration names the charset of the wire; the gateway that logs in GBK has it from a GBK wire, and one till's
//! gateway keeps the word GBK over a text that the database holds in its own charset. Signatures have the right length
//! and sign nothing, as in `alipay_json`.

use super::alipay_json::push_logon;
use super::xml::{filled, param, text};
use crate::sandbox::custom::is_escrow;
use crate::sandbox::lines;
use crate::sandbox::log_row::Scene;
use crate::sandbox::numbers::{self, E12, push_letters, push_yuan};
use crate::sandbox::story::{Path, Reply, Step};
use crate::sandbox::town::Writing;

const HEX_LOWER: &str = "0123456789abcdef";
/// A till whose gateway writes what came in GBK as plain text, declaration included.
const TILL_OF_A_GBK_WIRE: u8 = 3;

/// Writes a reply; returns what the gateway notes beside it in RES_ERR and RES_MSG.
pub(in crate::sandbox) fn write(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    let till = scene.story.till;
    let gbk = till.writing() == Writing::Base64Gbk || till.number == TILL_OF_A_GBK_WIRE;
    out.push_str("<?xml version=\"1.0\" encoding=\"");
    out.push_str(if gbk { "GBK" } else { "utf-8" });
    out.push_str("\"?>\n<alipay>");
    if is_refused_at_the_door(scene) {
        // FAQ 2: an old request for a merchant that has only the new interface.
        out.push_str("<is_success>F</is_success><error>ILLEGAL_PARTNER</error></alipay>");
        return ("1", "执行异常，支付通信异常：ILLEGAL_PARTNER，是否重新选择支付方式？");
    }
    out.push_str("<is_success>T</is_success><request>");
    request(out, scene, if gbk { "gbk" } else { "utf-8" });
    out.push_str("</request><response>");
    let told = if is_escrow(scene.story) {
        filled(out, "trade", |out| escrow(out, scene));
        ("0", "")
    } else {
        out.push_str("<alipay>");
        let told = body(out, scene);
        out.push_str("</alipay>");
        told
    };
    out.push_str("</response><sign>");
    push_letters(out, HEX_LOWER, 32, scene.luck ^ 0x051D);
    out.push_str("</sign><sign_type>MD5</sign_type></alipay>");
    told
}

/// Some refusals never reach the payment service.
fn is_refused_at_the_door(scene: &Scene<'_>) -> bool {
    scene.story.path == Path::Declined && scene.story.fault.is_none() && scene.luck.is_multiple_of(6)
}

fn request(out: &mut String, scene: &Scene<'_>, charset: &str) {
    let service = match scene.step {
        _ if is_escrow(scene.story) => "single_trade_query",
        Step::Pay(_) => "alipay.acquire.createandpay",
        Step::Query(_) => "alipay.acquire.query",
        Step::Refund(_) => "alipay.acquire.refund",
        Step::Reverse(_) => "alipay.acquire.cancel",
    };
    param(out, "_input_charset", charset);
    let mut order_no = String::with_capacity(24);
    lines::push_order_no(&mut order_no, scene.day, scene.index);
    param(out, "out_trade_no", &order_no);
    param(out, "partner", scene.account.merchant);
    param(out, "service", service);
}

fn body(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    match (scene.step, scene.reply()) {
        (Step::Pay(_), Reply::Done | Reply::DoneTorn) => {
            text(out, "result_code", "ORDER_SUCCESS_PAY_SUCCESS");
            paid(out, scene, "gmt_payment");
        }
        (Step::Query(_), Reply::Done) => {
            text(out, "result_code", "SUCCESS");
            text(out, "trade_status", "TRADE_SUCCESS");
            paid(out, scene, "send_pay_date");
        }
        (Step::Pay(_), Reply::Pending) => {
            text(out, "result_code", "ORDER_SUCCESS_PAY_INPROCESS");
            numbers_of_trade(out, scene);
        }
        (Step::Query(_), Reply::Pending) => {
            text(out, "result_code", "SUCCESS");
            text(out, "trade_status", "WAIT_BUYER_PAY");
            numbers_of_trade(out, scene);
            yuan(out, "total_fee", scene.story.amount());
        }
        (Step::Refund(_), Reply::Done | Reply::Repeated) => refunded(out, scene),
        (Step::Reverse(_), Reply::Done | Reply::Closed) => {
            text(out, "result_code", "SUCCESS");
            text(out, "action", if scene.reply() == Reply::Done { "refund" } else { "close" });
            text(out, "retry_flag", "N");
            numbers_of_trade(out, scene);
        }
        _ => return failed(out, scene),
    }
    ("0", "")
}

fn failed(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    const CANNOT_PAY: [(&str, &str); 3] = [
        ("BUYER_BALANCE_NOT_ENOUGH", "买家余额不足"),
        ("SOUNDWAVE_PARSER_FAIL", "动态码解析失败"),
        ("BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", "买家付款日限额超限"),
    ];
    let unknown = scene.reply() == Reply::Unknown;
    let (result, code, words) = match (scene.step, scene.reply()) {
        (Step::Query(_), Reply::Unknown) => ("PROCESS_EXCEPTION", "SYSTEM_ERROR", "系统错误"),
        (_, Reply::Unknown) => ("UNKNOWN", "SYSTEM_ERROR", "系统错误"),
        (Step::Refund(_), _) => ("FAIL", "SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"),
        (_, Reply::AlreadyPaid) => ("ORDER_FAIL", "TRADE_HAS_SUCCESS", "交易已经支付"),
        (_, Reply::NotFound) => ("FAIL", "TRADE_NOT_EXIST", "交易不存在"),
        _ => {
            let (code, words) = CANNOT_PAY[usize::try_from(scene.luck % 3).unwrap_or(0)];
            (if scene.luck.is_multiple_of(2) { "ORDER_FAIL" } else { "ORDER_SUCCESS_PAY_FAIL" }, code, words)
        }
    };
    text(out, "result_code", result);
    text(out, "detail_error_code", code);
    text(out, "detail_error_des", words);
    if unknown && matches!(scene.step, Step::Reverse(_)) {
        text(out, "retry_flag", "Y");
    }
    ("1", words)
}

fn paid(out: &mut String, scene: &Scene<'_>, time_name: &str) {
    let story = scene.story;
    buyer(out, scene);
    filled(out, "fund_bill_list", |out| {
        filled(out, "TradeFundBill", |out| {
            yuan(out, "amount", story.amount());
            text(out, "force_use_cash", "F");
            text(out, "fund_channel", "10");
        });
    });
    time(out, time_name, scene, story.paid_at().unwrap_or(scene.at));
    numbers_of_trade(out, scene);
    yuan(out, "total_fee", story.amount());
}

/// `refund_fee` is what was refunded of the trade altogether.
fn refunded(out: &mut String, scene: &Scene<'_>) {
    let Some(refund) = scene.refund else { return };
    text(out, "result_code", "SUCCESS");
    buyer(out, scene);
    text(out, "fund_change", if scene.reply() == Reply::Done { "Y" } else { "N" });
    time(out, "gmt_refund_pay", scene, refund.done_at().unwrap_or(scene.at));
    numbers_of_trade(out, scene);
    yuan(out, "refund_fee", i64::from(refund.before_fen) + refund.amount());
}

/// The answer about an escrow trade, as of the request.
fn escrow(out: &mut String, scene: &Scene<'_>) {
    let (story, paid_at) = (scene.story, scene.story.paid_at().unwrap_or(scene.at));
    let (status, changed_at) = match scene.reply() {
        Reply::Finished => ("TRADE_FINISHED", story.credited_at().unwrap_or(scene.at)),
        Reply::GivenBack => ("TRADE_CLOSED", scene.at - 60),
        _ => ("WAIT_SELLER_SEND_GOODS", paid_at),
    };
    push_trade(out, scene, status, changed_at);
}

/// The leaves of `response/trade`, in the order of their names.
fn push_trade(out: &mut String, scene: &Scene<'_>, status: &str, changed_at: i32) {
    let story = scene.story;
    let closed = matches!(scene.reply(), Reply::Finished | Reply::GivenBack);
    filled(out, "buyer_email", |out| push_logon(out, scene.day.seed, scene.index));
    text(out, "discount", "0.00");
    if closed {
        time(out, "gmt_close", scene, changed_at);
    }
    time(out, "gmt_create", scene, story.asked_at);
    time(out, "gmt_last_modified_time", scene, changed_at);
    time(out, "gmt_payment", scene, story.paid_at().unwrap_or(scene.at));
    if scene.reply() == Reply::GivenBack {
        time(out, "gmt_refund", scene, changed_at);
    }
    text(out, "is_total_fee_adjust", "F");
    filled(out, "out_trade_no", |out| lines::push_order_no(out, scene.day, scene.index));
    text(out, "payment_type", "1");
    yuan(out, "price", story.amount());
    text(out, "quantity", "1");
    if scene.reply() == Reply::GivenBack {
        yuan(out, "refund_fee", story.amount());
        text(out, "refund_status", "REFUND_SUCCESS");
    }
    text(out, "seller_id", scene.account.merchant);
    text(out, "subject", lines::subject(story));
    yuan(out, "total_fee", story.amount());
    filled(out, "trade_no", |out| lines::push_trade_no(out, scene.day, scene.index, false));
    text(out, "trade_status", status);
    text(out, "use_coupon", "F");
}

fn buyer(out: &mut String, scene: &Scene<'_>) {
    let luck = numbers::mix(scene.day.seed, u64::from(scene.index), 0xA11);
    filled(out, "buyer_logon_id", |out| push_logon(out, scene.day.seed, scene.index));
    filled(out, "buyer_user_id", |out| {
        out.push_str("2088");
        numbers::push_padded(out, luck % E12, 12);
    });
}

fn numbers_of_trade(out: &mut String, scene: &Scene<'_>) {
    filled(out, "out_trade_no", |out| lines::push_order_no(out, scene.day, scene.index));
    filled(out, "trade_no", |out| lines::push_trade_no(out, scene.day, scene.index, false));
}

fn yuan(out: &mut String, name: &str, fen: i64) {
    filled(out, name, |out| push_yuan(out, fen));
}

fn time(out: &mut String, name: &str, scene: &Scene<'_>, at: i32) {
    filled(out, name, |out| scene.day.calendar.push_time(out, at));
}

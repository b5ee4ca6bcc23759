//! Notifications as a gateway or a shop keeps them: one JSON line each, `{"at": "yyyy-MM-dd HH:mm:ss", "body": …}`, the
//! body being the raw form.
//!
//! Teegon's carry the documented fields and some that real ones have besides, all of them signed, empty ones too
//! (`spec/ttpay.md` R128 to R130). The old Alipay's tell an escrow trade's states in order, the first of them twice
//! (R143, R145, R146). The lines' form is ours.

use serde_json::json;

use super::calendar::day_of;
use super::custom::is_escrow;
use super::day::SimulatedDay;
use super::desk::{mapi_signature, teegon_signature};
use super::form::encoded;
use super::numbers::fee_fen;
use super::orders::Order;
use super::reply::teegon::yuan;
use super::story::Path;
use super::town::{ACCOUNTS, Family};

type Fields = Vec<(String, String)>;

/// The notifications that arrived on a day, in the order of time.
pub(super) fn of(day: &SimulatedDay, day_number: i32) -> String {
    let mut arrived: Vec<(i32, String)> = Vec::new();
    for &account in &day.accounts {
        for order in Order::all(day, account) {
            match ACCOUNTS[usize::from(account)].family() {
                Family::Teegon => arrived.extend(of_teegon(&order)),
                Family::Alipay10 if is_escrow(order.story) => arrived.extend(of_escrow(&order)),
                _ => {}
            }
        }
    }
    arrived.retain(|(at, _)| day_of(*at) == day_number);
    arrived.sort();
    let mut out = String::new();
    for (at, body) in arrived {
        let mut time = String::new();
        day.calendar.push_time(&mut time, at);
        out.push_str(&json!({ "at": time, "body": body }).to_string());
        out.push('\n');
    }
    out
}

/// A paid charge, two seconds later.
fn of_teegon(order: &Order<'_>) -> Option<(i32, String)> {
    if !order.state()?.was_paid() {
        return None;
    }
    let net = order.amount_minor - fee_fen(order.amount_minor, order.account.rate_e4);
    let paid = order.unix(order.paid_at).to_string();
    let fields = named(&[
        ("amount", &yuan(order.amount_minor)),
        ("bank", ""),
        ("buyer", "buyer@example.test"),
        ("channel", if order.by_wechat { "wxpay" } else { "alipay" }),
        ("charge_id", &order.charge_id),
        ("device_info", ""),
        ("is_success", if order.index.is_multiple_of(5) { "ture" } else { "true" }),
        ("metadata", ""),
        ("order_no", &order.order_no),
        ("pay_time", &paid),
        ("payment_no", &order.trade_no),
        ("real_amount", &yuan(net)),
        ("status", "trade_status_sync"),
        ("timestamp", &paid),
    ]);
    let sign = teegon_signature(&fields, order.account.api_key);
    Some((order.paid_at + 2, form(fields, &[("sign", &sign)])))
}

/// The states of an escrow trade as they were reached.
fn of_escrow(order: &Order<'_>) -> Vec<(i32, String)> {
    let mut told = vec![
        (order.asked_at + 1, "WAIT_BUYER_PAY"),
        (order.paid_at + 1, "WAIT_SELLER_SEND_GOODS"),
        (order.paid_at + 121, "WAIT_SELLER_SEND_GOODS"),
    ];
    match (order.story.path, order.story.credited_at()) {
        (_, Some(at)) => told.extend([(at - 600, "WAIT_BUYER_CONFIRM_GOODS"), (at + 1, "TRADE_FINISHED")]),
        (Path::EscrowGivenBack, None) => told.push((order.asked_at + 10_801, "TRADE_CLOSED")),
        _ => {}
    }
    told.into_iter().map(|(at, status)| (at, escrow(order, at, status))).collect()
}

fn escrow(order: &Order<'_>, at: i32, status: &str) -> String {
    let amount = yuan(order.amount_minor);
    let given_back = status == "TRADE_CLOSED";
    let paid = if status == "WAIT_BUYER_PAY" { String::new() } else { order.time(order.paid_at) };
    let fields = named(&[
        ("gmt_create", &order.time(order.asked_at)),
        ("gmt_payment", &paid),
        ("logistics_fee", "0.00"),
        ("notify_id", &format!("{:032x}", u64::from(order.index) * 8 + u64::from(at.unsigned_abs() % 8))),
        ("notify_time", &order.time(at)),
        ("notify_type", "trade_status_sync"),
        ("out_trade_no", &order.order_no),
        ("price", &amount),
        ("quantity", "1"),
        ("refund_status", if given_back { "REFUND_SUCCESS" } else { "" }),
        ("seller_id", order.account.merchant),
        ("subject", "中央收银"),
        ("total_fee", &amount),
        ("trade_no", &order.trade_no),
        ("trade_status", status),
    ]);
    let sign = mapi_signature(&fields, order.account.api_key);
    form(fields, &[("sign", &sign), ("sign_type", "MD5")])
}

fn named(fields: &[(&str, &str)]) -> Fields {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn form(mut fields: Fields, more: &[(&str, &str)]) -> String {
    fields.extend(named(more));
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::form::fields;

    #[test]
    fn the_documents_notice() {
        // spec/ttpay.md A.10, TG-8.
        let body = "amount=12.34&bank=&buyer=test@test.com&channel=wxpay&charge_id=87diui7y8e687gf&device_info=\
                    &is_success=true&metadata=&order_no=20160101124567878&pay_time=1466057771&real_amount=12.11\
                    &status=trade_status_sync&timestamp=1466057771&sign=930D31C2813B32113D5120C58EBEB081";
        let read = fields(body).expect("a form");
        assert_eq!(teegon_signature(&read, "secret"), "930D31C2813B32113D5120C58EBEB081");
    }
}

//! Teegon's `charge/barcode_pay_status` by signed form, and the calls that its own documents lack but its clients use:
//! `v1/charge/get`, `v1/charge/list`, `v1/account/journal/list` (`spec/ttpay.md` A.7, B.3).
//!
//! The latter are not signed: they carry the secret in the query. Lists filter by the time of creation, which is one of
//! the two readings of `from_time`; their default columns lack what only `cols` brings.

use axum::body::Bytes;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use super::Call;
use crate::sandbox::form::{fields, value};
use crate::sandbox::mishap::{Desk, Mishap};
use crate::sandbox::numbers::fee_fen;
use crate::sandbox::orders::{Order, State};
use crate::sandbox::reply::teegon::{answer as result, charge, error, status, yuan};
use crate::sandbox::server::{Answer, House};
use crate::sandbox::town::ACCOUNTS;

type Fields = [(String, String)];

/// What a list's items have unless `cols` says otherwise.
const COLUMNS: [&str; 8] =
    ["amount", "channel", "created", "order_no", "paid", "subject", "time_paid", "updated"];
/// How many items a list gives at most.
const LIMIT_MAX: usize = 50;

pub(super) fn answer(house: &House, call: &Call<'_>) -> Answer {
    let told = match (call.method, call.path) {
        ("POST", "/charge/barcode_pay_status") => pay_status(house, call.body),
        ("GET", "/v1/charge/get") => extended(house, call, get),
        ("GET", "/v1/charge/list") => extended(house, call, list),
        ("GET", "/v1/account/journal/list") => extended(house, call, journal),
        _ => return Answer::status(404, "the sandbox asks Teegon only what is paid"),
    };
    told.unwrap_or_else(|words| json_answer(error(words)))
}

fn pay_status(house: &House, body: &[u8]) -> Result<Answer, &'static str> {
    let form = std::str::from_utf8(body).ok().and_then(fields).ok_or("参数错误")?;
    let client = value(&form, "client_id");
    let account = house
        .account(|known| known.channel == "teegon" && known.merchant == client)
        .ok_or("client_id不存在")?;
    if signature(&form, ACCOUNTS[usize::from(account)].api_key) != value(&form, "sign") {
        return Err("签名错误");
    }
    let mut order =
        Order::by_charge_id(house.day(), account, value(&form, "charge_id")).ok_or("订单不存在")?;
    let mishap = house.mishap(Desk::Teegon, account, order.date());
    scripted(mishap)?;
    if mishap == Some(Mishap::OtherOrder) {
        order = order.next();
    }
    let state = order.state().ok_or("订单不存在")?;
    Ok(json_answer(result(status(&order, state))).after(mishap))
}

/// MD5 of the secret, each name with its value by name, and the secret again (`spec/ttpay.md` R129, R130). Empty
/// values keep their names.
pub(in crate::sandbox) fn signature(form: &Fields, secret: &str) -> String {
    let mut signed: Vec<&(String, String)> = form.iter().filter(|(name, _)| name != "sign").collect();
    signed.sort();
    let text: String = signed.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
    hex::encode_upper(Md5::digest(format!("{secret}{text}{secret}")))
}

/// A call that carries the secret.
fn extended(
    house: &House,
    call: &Call<'_>,
    ask: fn(&House, u8, &Fields) -> Result<Answer, &'static str>,
) -> Result<Answer, &'static str> {
    let query = fields(call.query).ok_or("参数错误")?;
    let (client, secret) = (value(&query, "client_id"), value(&query, "client_secret"));
    let account = house
        .account(|known| known.channel == "teegon" && known.merchant == client && known.api_key == secret)
        .ok_or("client_id或client_secret错误")?;
    ask(house, account, &query)
}

fn get(house: &House, account: u8, query: &Fields) -> Result<Answer, &'static str> {
    let mut order = Order::by_charge_id(house.day(), account, value(query, "id")).ok_or("订单不存在")?;
    let mishap = house.mishap(Desk::Teegon, account, order.date());
    scripted(mishap)?;
    if mishap == Some(Mishap::OtherOrder) {
        order = order.next();
    }
    let state = order.state().ok_or("订单不存在")?;
    Ok(json_answer(result(charge(&ACCOUNTS[usize::from(account)], &order, state))).after(mishap))
}

/// Orders created in a span, newest first.
fn created<'h>(
    house: &'h House,
    account: u8,
    query: &Fields,
) -> Result<Vec<(Order<'h>, State)>, &'static str> {
    let [from, to] = ["from_time", "to_time"].map(|name| value(query, name).parse::<i64>());
    let (from, to) = (from.map_err(|_| "from_time错误")?, to.map_err(|_| "to_time错误")?);
    let number = value(query, "out_order_no");
    let mut found: Vec<(Order<'_>, State)> = Order::all(house.day(), account)
        .filter(|order| (from..to).contains(&order.unix(order.asked_at)))
        .filter(|order| number.is_empty() || order.order_no == number)
        .filter_map(|order| order.state().map(|state| (order, state)))
        .collect();
    found.sort_by_key(|(order, _)| std::cmp::Reverse((order.asked_at, order.index)));
    Ok(found)
}

fn list(house: &House, account: u8, query: &Fields) -> Result<Answer, &'static str> {
    let mishap = list_mishap(house, account, query)?;
    let wanted = value(query, "status");
    let mut found = created(house, account, query)?;
    found.retain(|(_, state)| match wanted {
        "paid" => state.was_paid(),
        "ready" => *state == State::Waiting,
        "dead" => matches!(state, State::Closed | State::Failed),
        _ => true,
    });
    let known = &ACCOUNTS[usize::from(account)];
    let columns: Vec<&str> = match value(query, "cols") {
        "" => COLUMNS.to_vec(),
        listed => listed.split(',').map(str::trim).collect(),
    };
    let items = page(&found, query)?.iter().map(|(order, state)| {
        let mut whole = charge(known, order, *state);
        whole["order_no"] = Value::from(order.order_no.clone());
        whole["paid"] = Value::from(u8::from(state.was_paid()));
        let kept: Map<String, Value> =
            columns.iter().filter_map(|name| Some(((*name).to_owned(), whole.get(*name)?.clone()))).collect();
        Value::Object(kept)
    });
    Ok(counted(items.collect(), found.len(), mishap))
}

/// What came in and what was kept of it as a fee, two entries for each payment.
fn journal(house: &House, account: u8, query: &Fields) -> Result<Answer, &'static str> {
    let mishap = list_mishap(house, account, query)?;
    let rate_e4 = ACCOUNTS[usize::from(account)].rate_e4;
    let kind = value(query, "journal_type");
    let mut entries: Vec<Value> = Vec::new();
    for (order, _) in created(house, account, query)?.iter().filter(|(_, state)| state.was_paid()) {
        let sides = [("income", order.amount_minor, 0), ("outcome", 0, fee_fen(order.amount_minor, rate_e4))];
        for (name, income, outcome) in sides.into_iter().filter(|(name, ..)| kind.is_empty() || *name == kind)
        {
            entries.push(json!({
                "Account_Id": "main", "Channel": if order.by_wechat { "wxpay" } else { "alipay" },
                "Charge_Id": order.charge_id, "Created": order.unix(order.paid_at),
                "Id": format!("{}{}", order.index, name), "Income": yuan(income), "Outcome": yuan(outcome),
                "Journal_No": format!("J{}{}", order.order_no, u8::from(income > 0)), "Journal_Type": name,
                "Order_No": order.order_no, "Trade_Msg": "", "Transaction_No": order.trade_no, "Message": "",
                "Buyer_Account": "",
            }));
        }
    }
    let items = page(&entries, query)?.to_vec();
    Ok(counted(items, entries.len(), mishap))
}

fn list_mishap(house: &House, account: u8, query: &Fields) -> Result<Option<Mishap>, &'static str> {
    let from = value(query, "from_time").parse::<i64>().map_err(|_| "from_time错误")?;
    let date = crate::domain::Moment::from_unix(from).date();
    let mishap = house.mishap(Desk::Teegon, account, date);
    scripted(mishap)?;
    Ok(mishap)
}

fn counted(items: Vec<Value>, count: usize, mishap: Option<Mishap>) -> Answer {
    let endless = mishap == Some(Mishap::EndlessPages);
    let count = if endless { 1_000_000 } else { count };
    json_answer(result(json!({ "Items": items, "Count": count }))).after(mishap)
}

/// The part of a list from `offset`, at most `limit` of it.
fn page<'i, T>(items: &'i [T], query: &Fields) -> Result<&'i [T], &'static str> {
    let number = |name: &str, default: usize| match value(query, name) {
        "" => Ok(default),
        text => text.parse::<usize>().map_err(|_| "分页参数错误"),
    };
    let from = number("offset", 0)?.min(items.len());
    let to = (from + number("limit", LIMIT_MAX)?.min(LIMIT_MAX)).min(items.len());
    Ok(&items[from..to])
}

fn scripted(mishap: Option<Mishap>) -> Result<(), &'static str> {
    match mishap {
        Some(Mishap::Busy) => Err("系统繁忙"),
        Some(Mishap::Refused) => Err("接口无权限"),
        Some(Mishap::WrongSignature) => Err("签名错误"),
        Some(Mishap::UnknownOrder) => Err("订单不存在"),
        _ => Ok(()),
    }
}

fn json_answer(body: String) -> Answer {
    Answer::ok("application/json;charset=utf-8", Bytes::from(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(text: &str, secret: &str) -> String {
        signature(&fields(text).expect("a form"), secret)
    }

    #[test]
    fn the_specifications_vectors() {
        // spec/ttpay.md A.10: TG-1, TG-2, TG-5, TG-6.
        let four = "foo=1&bar=2&foo_bar=3&foobar=4";
        assert_eq!(sign(four, "secret"), "4B4AC0F2D69BA521FFDE55A2BBEE3025");
        assert_eq!(sign(&format!("{four}&sign=x"), "test_client_secret"), "D3B2096A8E3E1254A5BCA93C179DEA5D");
        assert_eq!(sign(&format!("{four}&empty="), "secret"), "DBF70E49705A65413C50DF821662B7D0");
        let query = "charge_id=e64mwlyzioalveqzs7mmpabs&client_id=x6k7oaqey98uddkl4r4233aq";
        assert_eq!(sign(query, "secret"), "A7309EDB3CB15E0D10CFE93051117190");
    }
}

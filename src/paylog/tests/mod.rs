//! The log as tables of text. Every sample is invented, but for the two requests that the gateway's manual prints.
//!
//! A row is `time | REQ_TYPE REQ_ACTION | RequestParam | reply`. Replies are written short: `wx`, `ali20 NODE` and
//! `ali1` make the provider's own text from `name=value` pairs; `raw` is taken as it stands; `-` is none;
//! `err CODE MESSAGE` is the gateway's own error without a reply.

mod verdicts;
mod worked;
mod fixtures;
mod folding;
mod refunds;
mod gateways;
mod escrow;
mod notices;
mod twice;
mod property;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::*;
use crate::domain::{Account, Claims, LoggedOrder, Note, PayType, money};

/// One row, owning its texts.
#[derive(Clone, Debug, Default)]
struct Sample {
    row_id: i64,
    date: String,
    req_type: String,
    action: String,
    request: String,
    reply: String,
    err: String,
    msg: String,
    cashier: String,
    till: String,
}

impl Sample {
    fn row(&self) -> LogRow<'_> {
        LogRow {
            row_id: self.row_id,
            req_txdate: "20161108",
            req_mallid: "*",
            req_storecode: "8888",
            req_shop_code: "8888",
            req_tillid: if self.till.is_empty() { "01" } else { &self.till },
            req_cashierno: if self.cashier.is_empty() { "7777" } else { &self.cashier },
            req_date: &self.date,
            req_obj: &self.request,
            req_action: &self.action,
            req_type: &self.req_type,
            res_err: &self.err,
            res_msg: &self.msg,
            res_obj: &self.reply,
        }
    }
}

/// A table of rows. Times without a date are those of 2016-11-08.
fn samples(table: &str) -> Vec<Sample> {
    let rows = table.lines().map(str::trim).filter(|line| !line.is_empty());
    (1..).zip(rows).map(|(row_id, line)| sample(row_id, line)).collect()
}

fn sample(row_id: i64, line: &str) -> Sample {
    let mut cells = line.splitn(4, '|').map(str::trim);
    let mut next = || cells.next().unwrap_or_default();
    let (time, asked, params, reply) = (next(), next(), next(), next());
    let (req_type, action) = asked.split_once(' ').unwrap_or((asked, ""));
    let date = if time.len() > 8 { time.to_owned() } else { format!("2016-11-08 {time}") };
    let mut sample = Sample {
        row_id,
        date,
        req_type: req_type.to_owned(),
        action: action.to_owned(),
        request: request(row_id, req_type, params),
        ..Sample::default()
    };
    match reply.split_once(' ').unwrap_or((reply, "")) {
        ("err", said) => {
            let (err, msg) = said.split_once(' ').unwrap_or((said, ""));
            (sample.err, sample.msg) = (err.to_owned(), msg.to_owned());
        }
        _ => sample.reply = self::reply(reply),
    }
    sample
}

/// `OutID=A1 TotalFee=100 seller=8888 crc=…`, or `raw …`.
fn request(row_id: i64, req_type: &str, params: &str) -> String {
    if let Some(raw) = params.strip_prefix("raw ") {
        return raw.to_owned();
    }
    if params == "-" {
        return String::new();
    }
    let (mut seller, mut crc) = ("8888".to_owned(), format!("2016110800000000{row_id:05}"));
    let mut members = Vec::new();
    for (name, value) in pairs(params) {
        match name {
            "seller" => seller = value.to_owned(),
            "crc" => crc = value.to_owned(),
            _ => members.push(format!("\"{name}\":\"{value}\"")),
        }
    }
    format!(
        "{{\"Header\":{{\"TXDate\":\"20161108\",\"MallID\":\"*\",\"StoreCode\":\"8888\",\"TillID\":\"01\",\"CRC\":\"{crc}\",\
         \"Type\":\"{req_type}\",\"SellerID\":\"{seller}\",\"Token\":null,\
         \"ExtParam\":\"{{\\u0027CustomerID\\u0027:\\u0027TECHTRANS\\u0027}}\"}},\"RequestParam\":{{{}}}}}",
        members.join(",")
    )
}

fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split_whitespace().filter_map(|pair| pair.split_once('='))
}

/// The provider's text. `_` in a time stands for the blank.
fn reply(short: &str) -> String {
    let (kind, rest) = short.split_once(' ').unwrap_or((short, ""));
    let leaves = |rest: &str| {
        pairs(rest).fold(String::new(), |mut all, (name, value)| {
            write!(all, "<{name}><![CDATA[{}]]></{name}>", value.replace('~', " "))
                .expect("writing to a String");
            all
        })
    };
    match kind {
        "-" | "" => String::new(),
        "raw" => rest.to_owned(),
        "wx" => {
            let envelope = if rest.contains("return_code=") { "" } else { "return_code=SUCCESS " };
            format!("<xml>{}</xml>", leaves(&format!("{envelope}{rest}")))
        }
        "ali1" if rest.contains("is_success=F") => format!("<alipay>{}</alipay>", leaves(rest)),
        "ali1" => format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><alipay><is_success>T</is_success><request><param name=\"out_trade_no\">\
             other</param></request><response><alipay>{}</alipay></response><sign>00</sign></alipay>",
            leaves(rest)
        ),
        "ali20" => {
            let (node, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let members: Vec<String> = pairs(rest)
                .map(|(name, value)| format!("\"{name}\":\"{}\"", value.replace('~', " ")))
                .collect();
            format!("{{\"alipay_trade_{node}_response\":{{{}}},\"sign\":\"AAAA\"}}", members.join(","))
        }
        other => panic!("a reply of kind {other}"),
    }
}

fn account(name: &str, pay_type: PayType, sellers: Option<&[&str]>) -> Account {
    Account {
        name: name.to_owned(),
        pay_type: Some(pay_type),
        sellers: sellers.map(|list| list.iter().map(|s| (*s).to_owned()).collect()),
        ..Account::default()
    }
}

/// The accounts of most tests: 0 WX, 1 ALI (which takes ALI_20 too), 2 WX_OS, 3 WX of seller 9999, 4 TIANTA, 5 TEEGON,
/// 6 ALI_OS.
fn accounts() -> Vec<Account> {
    vec![
        account("wx", PayType::Wx, Some(&["8888", ""])),
        account("ali", PayType::Ali, None),
        account("wx-os", PayType::WxOs, None),
        account("wx-other", PayType::Wx, Some(&["9999"])),
        account("tianta", PayType::Tianta, None),
        account("teegon", PayType::Teegon, None),
        account("ali-os", PayType::AliOs, None),
    ]
}

fn folded_by(rules: Rules, samples: &[Sample]) -> Folded {
    let accounts = accounts();
    let claims = std::sync::Arc::new(Claims::new(&accounts, &BTreeMap::new()));
    let mut gatherer = Gatherer::new(claims.clone(), rules);
    samples.iter().for_each(|sample| gatherer.push(&sample.row()));
    fold(vec![gatherer.finish()])
}

fn folded(table: &str) -> Folded {
    folded_by(Rules::default(), &samples(table))
}

/// Folds a table and compares its movements, one a line: `account day kind order refund state amount trade notes`.
/// The account is left out where it is the first with movements.
#[track_caller]
fn check(table: &str, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(told(&folded(table)), expected);
}

fn told(folded: &Folded) -> Vec<String> {
    let lines = folded.accounts.iter().flat_map(|orders| orders.orders.iter().map(move |o| (orders, o)));
    lines.map(|(orders, order)| line(orders, order)).collect()
}

fn line(orders: &crate::domain::LoggedOrders, order: &LoggedOrder) -> String {
    let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let amount = order.amount_minor.map_or("?".to_owned(), |m| money::major(m, order.currency.digits()));
    format!(
        "{} {} {} {} {} {amount} {}{}",
        &order.day.to_string()[5..],
        order.kind.as_str(),
        or_dash(orders.order_no(order)),
        or_dash(orders.refund_no(order)),
        order.state.as_str(),
        or_dash(orders.trade_no(order)),
        notes(order)
    )
}

fn notes(order: &LoggedOrder) -> String {
    let names = [
        (Note::DayInferred, "day"),
        (Note::Weak, "weak"),
        (Note::Conflict, "conflict"),
        (Note::AmountVaried, "varied"),
        (Note::EitherWay, "either"),
        (Note::FeeDiffers, "fee"),
        (Note::Salvaged, "salvaged"),
        (Note::HeaderMismatch, "header"),
        (Note::FamilyMismatch, "family"),
        (Note::PartialHistory, "partial"),
        (Note::OutIdReuse, "reuse"),
        (Note::MaybeTwice, "twice"),
        (Note::ByNotice, "notice"),
    ];
    let names = names.iter().filter(|(note, _)| order.has(*note));
    names.fold(String::new(), |all, (_, name)| format!("{all} {name}"))
}

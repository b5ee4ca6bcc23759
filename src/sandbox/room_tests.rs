//! The rooms beside the usual three held to what they promise: the old Alipay, Alipay abroad, TianTa, Teegon, Taobao.

use std::collections::{BTreeMap, BTreeSet};

use encoding_rs::GBK;

use super::form::{fields, value};
use super::orders::{Order, State};
use super::story::Path;
use super::town::ACCOUNTS;
use super::*;
use crate::domain::{BillDate, EntryKind, MismatchKind, PayType, money};

fn date() -> BillDate {
    BillDate::parse("20240307").expect("a date")
}

fn day(seed: u64, faults: Faults) -> SimulatedDay {
    simulate(&DayPlan {
        orders: 1_800,
        faults,
        paytypes: PayType::ALL.to_vec(),
        every_room: true,
        ..DayPlan::new(date(), seed)
    })
}

fn fen(text: &str) -> i64 {
    money::parse_minor(text.trim(), 2).expect(text)
}

fn place(name: &str) -> u8 {
    let place = ACCOUNTS.iter().position(|account| account.name == name).expect(name);
    u8::try_from(place).expect("few")
}

fn planted<'d>(day: &'d SimulatedDay, account: &str) -> Vec<&'d Planted> {
    day.planted().iter().filter(|planted| planted.account == account).collect()
}

#[test]
fn every_room_takes_part_and_is_planted_with_what_fits_it() {
    let day = day(1, Faults::Each(2));
    for account in &ACCOUNTS {
        let rows = day.rows().filter(|row| row.req_type == account.pay_type.as_str()).count();
        assert!(rows > 50, "{}: {rows}", account.name);
        let fitting = Fault::ALL.into_iter().filter(|fault| fault.fits(account)).count();
        assert_eq!(planted(&day, account.name).len(), 2 * fitting, "{}", account.name);
    }
    let kinds = |name: &str| planted(&day, name).iter().map(|p| p.kind).collect::<BTreeSet<_>>();
    assert_eq!(
        kinds("mall-tianta"),
        BTreeSet::from([
            MismatchKind::AmountMismatch,
            MismatchKind::GatewayOnly,
            MismatchKind::LostConfirmation
        ])
    );
    assert_eq!(
        kinds("mall-teegon"),
        BTreeSet::from([MismatchKind::GatewayOnly, MismatchKind::LostConfirmation])
    );
    assert!(!kinds("mall-ali1").contains(&MismatchKind::CurrencyMismatch));
    assert!(kinds("mall-alios").contains(&MismatchKind::CurrencyMismatch));
}

/// Cells of the records of the old interface's CSV.
fn log_rows(day: &SimulatedDay, date: BillDate) -> Vec<Vec<String>> {
    let text = String::from_utf8(day.statement("mall-ali1", date).expect("a ledger")).expect("UTF-8");
    assert!(text.ends_with(",\n"));
    let rows: Vec<Vec<String>> =
        text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    assert!(rows.iter().all(|row| row.len() == 15 && row[14].is_empty()));
    assert_eq!(rows[0][12], "类型");
    rows[1..].to_vec()
}

#[test]
fn the_old_ledgers_balance_runs_through() {
    let day = day(2, Faults::Spread(0));
    for date in day.dates() {
        let rows = log_rows(&day, date);
        let amount = |row: &Vec<String>| fen(&row[8]) - fen(&row[9]);
        for pair in rows.windows(2) {
            assert_eq!(fen(&pair[0][1]) + amount(&pair[1]), fen(&pair[1][1]), "{:?}", pair[1]);
        }
        let kinds: BTreeSet<&str> = rows.iter().map(|row| row[12].as_str()).collect();
        assert!(kinds.contains("提现") && kinds.contains("收费") && kinds.contains("在线支付"), "{kinds:?}");
        let ids: BTreeSet<&String> = rows.iter().map(|row| &row[3]).collect();
        assert_eq!(ids.len(), rows.len(), "ledger numbers are used once");
        assert!(rows.iter().all(|row| row[2].starts_with(&date.to_string())));
        for fee in rows.iter().filter(|row| row[12] == "收费") {
            let of_it = |row: &&Vec<String>| row[4] == fee[4] && row[12] == "在线支付";
            let paid = rows.iter().find(of_it).expect("a fee belongs to a payment");
            assert_eq!(fen(&fee[9]), (fen(&paid[8]) * 55 + 5_000) / 10_000);
        }
    }
}

#[test]
fn planted_amounts_stand_in_the_old_ledger() {
    let day = day(3, Faults::Each(2));
    let rows = log_rows(&day, date());
    for planted in planted(&day, "mall-ali1") {
        let kind = if planted.entry == EntryKind::Payment { "在线支付" } else { "交易退款" };
        let of_it: Vec<i64> = rows
            .iter()
            .filter(|row| row[0] == planted.order_no && row[12] == kind)
            .map(|row| fen(&row[8]) - fen(&row[9]))
            .collect();
        assert_eq!(of_it.is_empty(), planted.channel_amount_minor.is_none(), "{planted:?}");
        assert_eq!(of_it.iter().sum::<i64>(), planted.channel_amount_minor.unwrap_or(0), "{planted:?}");
    }
}

#[test]
fn money_in_escrow_is_in_no_ledger_before_it_is_finished() {
    let day = day(4, Faults::Spread(0));
    let ledgers: BTreeMap<BillDate, BTreeSet<String>> = day
        .dates()
        .map(|date| (date, log_rows(&day, date).into_iter().map(|row| row[0].clone()).collect()))
        .into();
    let held: BTreeSet<&str> = day
        .expected_timing()
        .iter()
        .filter(|timing| timing.moved == Moved::Held)
        .map(|timing| timing.order_no.as_str())
        .collect();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for order in Order::all(&day, place("mall-ali1")) {
        let on = |date: BillDate| ledgers.get(&date).is_some_and(|ledger| ledger.contains(&order.order_no));
        let days: Vec<bool> = day.dates().map(on).to_vec();
        let name = match order.story.path {
            Path::EscrowHeld => "held",
            Path::EscrowGivenBack => "given back",
            Path::EscrowFinished => "finished",
            Path::EscrowNextDay => "next day",
            _ => continue,
        };
        *seen.entry(name).or_default() += 1;
        let credited = match name {
            "finished" => Some(order.date()),
            "next day" => Some(order.date().after()),
            _ => None,
        };
        let expected: Vec<bool> = day.dates().map(|date| credited == Some(date)).to_vec();
        assert_eq!(days, expected, "{name} {}", order.order_no);
        assert_eq!(held.contains(order.order_no.as_str()), name == "held");
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[test]
fn the_old_replies_are_xml_and_say_what_happened() {
    let day = day(5, Faults::Spread(0));
    let mut said = BTreeSet::new();
    for row in day.rows().filter(|row| row.req_type == "ALI" && row.res_obj.starts_with('<')) {
        if !row.res_obj.ends_with("</alipay>") {
            continue;
        }
        let mut reader = quick_xml::Reader::from_str(&row.res_obj);
        while !matches!(reader.read_event().expect("well-formed"), quick_xml::events::Event::Eof) {}
        for name in ["result_code", "trade_status", "error", "action"] {
            let (open, close) = (format!("<{name}>"), format!("</{name}>"));
            if let Some((_, rest)) = row.res_obj.split_once(&open) {
                said.insert(rest.split_once(&close).expect("an end").0.to_owned());
            }
        }
    }
    for word in [
        "ORDER_SUCCESS_PAY_SUCCESS",
        "ORDER_SUCCESS_PAY_INPROCESS",
        "UNKNOWN",
        "TRADE_SUCCESS",
        "WAIT_BUYER_PAY",
        "WAIT_SELLER_SEND_GOODS",
        "TRADE_FINISHED",
        "TRADE_CLOSED",
        "ILLEGAL_PARTNER",
        "SUCCESS",
        "refund",
        "close",
    ] {
        assert!(said.contains(word), "{word}: {said:?}");
    }
}

/// Cells of the lines from abroad.
fn forex_rows(day: &SimulatedDay) -> Vec<Vec<String>> {
    let text = GBK.decode(&day.statement("mall-alios", date()).expect("a file")).0.into_owned();
    assert!(text.ends_with("\r\n"));
    text.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
}

#[test]
fn planted_amounts_stand_in_the_file_from_abroad() {
    let day = day(6, Faults::Each(3));
    let rows = forex_rows(&day);
    assert!(rows.iter().all(|row| (8..=9).contains(&row.len())));
    let currencies: BTreeSet<&str> = rows.iter().map(|row| row[2].as_str()).collect();
    assert_eq!(
        currencies,
        BTreeSet::from(["EUR", "HKD", "JPY", "USD"]),
        "one of them only where it is planted"
    );
    let minor = |row: &Vec<String>| {
        let digits = if row[2] == "JPY" { 0 } else { 2 };
        money::parse_minor(&row[1], digits).expect("an amount") * if row[5] == "R" { -1 } else { 1 }
    };
    for planted in planted(&day, "mall-alios") {
        let number = if planted.entry == EntryKind::Refund { &planted.refund_no } else { &planted.order_no };
        let of_it: Vec<&Vec<String>> = rows.iter().filter(|row| row[0] == *number).collect();
        assert_eq!(of_it.is_empty(), planted.channel_amount_minor.is_none(), "{planted:?}");
        if planted.kind != MismatchKind::CurrencyMismatch {
            let sum: i64 = of_it.into_iter().map(minor).sum();
            assert_eq!(sum, planted.channel_amount_minor.unwrap_or(0), "{planted:?}");
        }
    }
}

#[test]
fn the_log_from_abroad_has_the_currency_twice() {
    let day = day(7, Faults::Spread(0));
    let mut seen = BTreeSet::new();
    for row in day.rows().filter(|row| row.req_type == "ALI_OS" && row.req_obj.starts_with('{')) {
        let (_, asked) = row.req_obj.split_once("Currency\\u0027:\\u0027").expect("a currency");
        let asked = &asked[..3];
        if let Some((_, told)) = row.res_obj.split_once("<currency>") {
            assert_eq!(&told[..3], asked);
            seen.insert(asked.to_owned());
        }
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[test]
fn in_store_files_count_and_settle() {
    let day = day(8, Faults::Spread(0));
    let files: BTreeMap<String, Vec<u8>> = day.files().into_iter().collect();
    let text = |name: &str| String::from_utf8(files.get(name).expect(name).clone()).expect("UTF-8");
    let transactions = text("inbox/2088900000000026_transaction_20240307.txt");
    let lines: Vec<&str> = transactions.lines().collect();
    let stated = format!("Partner:2088900000000026|Payment_time: 2024-03-07|Total_count:{}", lines.len() - 2);
    assert_eq!(lines[0], stated);
    let columns = lines[1].split('|').count();
    assert_eq!(columns, 15);
    assert!(lines[2..].iter().all(|line| line.split('|').count() == columns));
    assert!(lines.iter().any(|line| line.contains("|REFUND|")));
    let settlement = text("inbox/2088900000000026_settlement_20240308.txt");
    let rows: Vec<Vec<&str>> = settlement.lines().map(|line| line.split('|').collect()).collect();
    assert!(rows.len() > 10 && rows.iter().all(|row| row.len() == 21));
    for row in &rows[1..] {
        let digits = if row[7] == "JPY" { 0 } else { 2 };
        let minor = |cell: usize| money::parse_minor(row[cell], digits).expect(row[cell]);
        assert_eq!(minor(2) - minor(4), minor(5), "{row:?}");
        assert!(row[9].starts_with("2024-03-07") && row[10].starts_with("2024-03-08"));
        assert!(lines.iter().any(|line| line.starts_with(row[0])), "what is settled was sold the day before");
    }
}

#[test]
fn planted_amounts_stand_in_the_taobao_list() {
    let day = day(9, Faults::Each(2));
    let files: BTreeMap<String, Vec<u8>> = day.files().into_iter().collect();
    let bytes = files.get("statements/TB/2088900000000042/20240307.csv").expect("a list");
    let text = GBK.decode(bytes).0.into_owned();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.splitn(8, ',').collect()).collect();
    assert_eq!(rows[0][4], "金额（元）");
    for planted in planted(&day, "mall-tb") {
        let kind = if planted.entry == EntryKind::Payment { "支付" } else { "退款" };
        let is_it = |row: &&Vec<&str>| row.len() > 6 && row[1] == planted.order_no && row[3] == kind;
        let of_it: Vec<i64> = rows.iter().filter(is_it).map(|row| fen(row[4])).collect();
        assert_eq!(of_it.is_empty(), planted.channel_amount_minor.is_none(), "{planted:?}");
        assert_eq!(of_it.iter().sum::<i64>(), planted.channel_amount_minor.unwrap_or(0), "{planted:?}");
    }
    assert!(day.rows().any(|row| row.req_type == "TB" && row.res_obj.starts_with("{\"alipay_trade_pay")));
}

#[test]
fn who_is_asked_order_by_order_knows_what_was_planted() {
    let day = day(10, Faults::Each(2));
    for name in ["mall-tianta", "mall-teegon"] {
        assert_eq!(day.statement(name, date()), None);
        for planted in planted(&day, name) {
            let order = Order::by_order_no(&day, place(name), &planted.order_no).expect("an order");
            let paid = order.state().is_some_and(State::was_paid);
            match planted.entry {
                EntryKind::Refund => {
                    let refund = order.refunds().into_iter().find(|one| one.refund_no == planted.refund_no);
                    assert_eq!(
                        refund.map(|one| -one.amount_minor),
                        planted.channel_amount_minor,
                        "{planted:?}"
                    );
                }
                _ => {
                    let known = paid.then_some(order.amount_minor);
                    assert_eq!(known, planted.channel_amount_minor, "{planted:?}");
                    assert_eq!(order.trade_no, planted.trade_no);
                }
            }
        }
    }
}

#[test]
fn tiantas_replies_come_in_both_shapes_and_teegons_errors_as_printed() {
    let day = day(11, Faults::Spread(0));
    let (mut flat, mut wrapped, mut torn) = (0, 0, 0);
    for row in day.rows().filter(|row| row.req_type == "TIANTA" && row.res_obj.starts_with('{')) {
        let read: serde_json::Value = serde_json::from_str(&row.res_obj).expect("JSON");
        match read.get("content").and_then(serde_json::Value::as_str) {
            Some(content) => {
                let inner: serde_json::Value = serde_json::from_str(content).expect("JSON in JSON");
                assert!(inner.get("code").is_some());
                wrapped += 1;
            }
            None => flat += 1,
        }
    }
    for row in day.rows().filter(|row| row.req_type == "TEEGON" && row.res_obj.starts_with('{')) {
        let broken = serde_json::from_str::<serde_json::Value>(&row.res_obj).is_err();
        assert_eq!(broken, row.res_obj.ends_with(",\"result\":\"\",}"), "{}", row.res_obj);
        torn += i32::from(broken);
    }
    assert!(flat > 20 && wrapped > 20 && torn > 0, "{flat} {wrapped} {torn}");
}

#[test]
fn kept_notices_prove_themselves() {
    let day = day(12, Faults::Spread(0));
    let keys: BTreeMap<&str, &str> =
        ACCOUNTS.iter().map(|account| (account.merchant, account.api_key)).collect();
    let (mut charges, mut escrow) = (0, BTreeSet::new());
    let mut last = String::new();
    for line in day.notices().lines() {
        let read: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let at = read["at"].as_str().expect("a time").to_owned();
        assert!(at >= last && at.starts_with("2024-03-07"));
        last = at;
        let form = fields(read["body"].as_str().expect("a body")).expect("a form");
        if value(&form, "charge_id").is_empty() {
            let signed: Vec<(String, String)> =
                form.iter().filter(|(name, _)| name != "sign").cloned().collect();
            let key = keys[value(&form, "seller_id")];
            assert_eq!(desk::mapi_signature(&signed, key), value(&form, "sign"));
            escrow.insert(value(&form, "trade_status").to_owned());
        } else {
            assert_eq!(desk::teegon_signature(&form, keys::TEEGON_SECRET), value(&form, "sign"));
            let order = Order::by_charge_id(&day, place("mall-teegon"), value(&form, "charge_id"));
            assert_eq!(order.expect("an order").amount_minor, fen(value(&form, "amount")));
            charges += 1;
        }
    }
    assert!(charges > 30, "{charges}");
    assert_eq!(escrow.len(), 5, "{escrow:?}");
}

#[test]
fn what_a_provider_lacks_does_not_happen_there() {
    let day = day(13, Faults::Spread(0));
    for row in day.rows() {
        match (row.req_type.as_str(), row.req_action.as_str()) {
            ("TIANTA" | "TEEGON" | "ALI_OS", "cancel" | "reverse") | ("TEEGON", "refund") => {
                panic!("{} has no {}", row.req_type, row.req_action)
            }
            _ => {}
        }
        let named = row.req_obj.contains("RefundID") || !row.req_obj.starts_with('{');
        if row.req_action == "refund" && row.req_type == "TIANTA" && !named {
            let (_, out_id) = row.req_obj.split_once("\"OutID\":\"").expect("an OutID");
            assert!(out_id.starts_with('R'), "every refund has a number");
        }
    }
}

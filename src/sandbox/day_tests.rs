//! The simulated day held to what it promises, without a line of the program's own readers.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::form::{elements, value};
use super::*;
use crate::domain::{BillDate, EntryKind, MismatchKind, Moment, money};

fn date() -> BillDate {
    BillDate::parse("20240307").expect("a date")
}

fn plan(seed: u64) -> DayPlan {
    DayPlan { wild_goods: false, orders: 3_000, ..DayPlan::new(date(), seed) }
}

fn clean(seed: u64) -> SimulatedDay {
    simulate(&DayPlan { faults: Faults::Spread(0), ..plan(seed) })
}

/// Cells of each data row of a WeChat bill, and of its totals, by the obvious split.
fn wechat_rows(day: &SimulatedDay, account: &str, date: BillDate) -> (Vec<Vec<String>>, Vec<String>) {
    let text = String::from_utf8(day.statement(account, date).expect("a statement")).expect("UTF-8");
    let text = text.strip_prefix('\u{feff}').expect("a BOM");
    assert!(text.ends_with("\r\n"));
    let mut rows: Vec<Vec<String>> = text
        .split("\r\n")
        .filter_map(|line| line.strip_prefix('`'))
        .map(|line| line.split(",`").map(str::to_owned).collect())
        .collect();
    let totals = rows.pop().expect("totals");
    (rows, totals)
}

fn fen(text: &str) -> i64 {
    money::parse_minor(text, 2).expect(text)
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    let told = |seed| {
        let day = simulate(&plan(seed));
        let statements: Vec<Option<Vec<u8>>> = day
            .accounts()
            .flat_map(|account| day.dates().map(|date| day.statement(account.name, date)))
            .collect();
        (day.rows().collect::<Vec<_>>(), statements, day.planted().to_vec())
    };
    assert!(told(7) == told(7));
    assert!(told(7) != told(8));
}

/// What people already run by must not move when other accounts join the mall.
#[test]
fn the_three_usual_accounts_keep_their_bytes() {
    use sha2::{Digest, Sha256};
    let day = simulate(&plan(7));
    let mut hash = Sha256::new();
    for row in day.rows() {
        hash.update(format!("{row:?}"));
    }
    for account in ["mall-wx", "mall-wx-sub", "mall-ali"] {
        for date in day.dates() {
            hash.update(day.statement(account, date).expect("a statement"));
        }
    }
    hash.update(format!("{:?}", day.expected_timing()));
    let found = hex::encode(hash.finalize());
    assert_eq!(found, "99bc203b1c9cd1fa2b32c6e70384e1595d75a8f8bac85aef2c2d88cd28e8a40d");
}

#[test]
fn every_kind_and_every_fault_is_planted() {
    let kinds = |day: &SimulatedDay| day.planted().iter().map(|p| p.kind).collect::<BTreeSet<MismatchKind>>();
    let day = simulate(&plan(1));
    assert_eq!(kinds(&day).len(), 8);
    assert_eq!(day.planted().len(), 40);
    let faults: BTreeSet<Fault> = day.planted().iter().map(|p| p.fault).collect();
    assert_eq!(faults.len(), Fault::ALL.len());
    assert_eq!(kinds(&simulate(&DayPlan { faults: Faults::Spread(8), orders: 3, ..plan(1) })).len(), 8);
    let entries: BTreeSet<EntryKind> = day.planted().iter().map(|p| p.entry).collect();
    assert_eq!(entries.len(), 3);
    let each = simulate(&DayPlan { faults: Faults::Each(2), ..plan(1) });
    assert_eq!(each.planted().len(), 2 * (19 * 3 - 3), "Alipay's statement cannot show three of them");
    assert!(clean(1).planted().is_empty());
}

#[test]
fn alipay_alone_is_a_day_too() {
    let day = simulate(&DayPlan { paytypes: vec![crate::domain::PayType::Ali], ..plan(4) });
    assert_eq!(day.accounts().map(|a| a.name).collect::<Vec<_>>(), ["mall-ali"]);
    assert_eq!(day.planted().len(), 40);
    assert!(day.expected_timing().is_empty(), "Alipay's replies state the time");
    assert!(day.rows().all(|row| row.req_type == "ALI_20"));
    assert_eq!(day.statement("mall-wx", date()), None);
}

#[test]
fn a_wechat_bill_adds_up() {
    for account in ["mall-wx", "mall-wx-sub"] {
        for date in simulate(&plan(2)).dates() {
            let (rows, totals) = wechat_rows(&simulate(&plan(2)), account, date);
            assert!(rows.len() > 5, "{account} {date}");
            assert!(rows.iter().all(|row| row.len() == 27));
            let sum = |column: usize| rows.iter().map(|row| fen(&row[column])).sum::<i64>();
            assert_eq!(totals[0], rows.len().to_string());
            for (total, column) in [(1, 12), (2, 16), (3, 17), (5, 24), (6, 25)] {
                assert_eq!(fen(&totals[total]), sum(column), "column {column}");
            }
            let fees: i64 = rows.iter().map(|row| money::parse_e5(&row[22]).expect("a fee")).sum();
            assert_eq!(money::parse_e5(&totals[4]), Ok(fees));
            assert!(rows.iter().all(|row| row[0].starts_with(&date.to_string())));
        }
    }
}

#[test]
fn a_fee_is_charged_on_what_is_settled() {
    let (rows, _) = wechat_rows(&clean(3), "mall-wx", date());
    for row in rows.iter().filter(|row| row[9] == "SUCCESS") {
        let (settled, gross, coupon) = (fen(&row[12]), fen(&row[24]), fen(&row[13]));
        assert!(settled == gross || settled == gross - coupon);
        let fee = money::parse_e5(&row[22]).expect("a fee");
        assert_eq!(fee, (settled * 60 + 5_000) / 10_000 * 1_000);
    }
    assert!(rows.iter().any(|row| row[12] != row[24]), "coupons that lower what is settled");
    assert!(rows.iter().any(|row| row[9] == "REVOKED"));
}

#[test]
fn numbers_are_used_once() {
    let day = simulate(&plan(5));
    let mut seen: HashMap<String, String> = HashMap::new();
    for row in day.rows().filter(|row| row.req_action == "createandpay" && row.req_obj.starts_with('{')) {
        let out_id = between(&row.req_obj, "\"OutID\":\"", "\"");
        let fee = between(&row.req_obj, "\"TotalFee\":\"", "\"");
        let known = seen.entry(out_id.to_owned()).or_insert_with(|| fee.to_owned());
        assert_eq!(known, fee, "order {out_id} stands for one purchase");
    }
    let (rows, _) = wechat_rows(&clean(5), "mall-wx", date());
    let paid: Vec<&Vec<String>> = rows.iter().filter(|row| row[9] == "SUCCESS").collect();
    for column in [5, 6] {
        let numbers: BTreeSet<&String> = paid.iter().map(|row| &row[column]).collect();
        assert_eq!(numbers.len(), paid.len());
    }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).expect(text);
    rest.split_once(after).map_or(rest, |(found, _)| found)
}

/// A JSON text with the content of every string that follows a colon taken out.
fn skeleton(json: &str) -> String {
    let mut out = String::new();
    let mut rest = json;
    while let Some((before, after)) = rest.split_once(":\"") {
        out.push_str(before);
        out.push_str(":\"");
        rest = after.find('"').map_or("", |end| &after[end..]);
    }
    out.push_str(rest);
    out
}

#[test]
fn requests_have_the_shape_of_the_manuals_samples() {
    // FAQ 11 and 12 of the manual, as printed in spec/ttpay.md A.10.
    let pay = r#"{"Header":{"TerminalType":"0","TXDate":"20161108","MallID":"*","StoreCode":"8888","BSStoreCode":"8888","TillID":"01","CashierNO":"8888","CRC":"201611081138149488885","Type":"ALI_20","Key":"","AccountMode":"1","SellerID":"8888","Token":null,"ExtParam":"{\u0027CustomerID\u0027:\u0027TECHTRANS\u0027}"},"RequestParam":{"OutID":"16110811361185933765","DynamicID":"0280833291063996793","TotalFee":"1","Subject":"中央收银","ExtParam":"{\u0027Currency\u0027:\u0027RMB\u0027,\u0027OriginalFee\u0027:\u00271\u0027}"}}"#;
    let query = r#"{"Header":{"TerminalType":"0","TXDate":"20161108","MallID":"*","StoreCode":"8888","BSStoreCode":"8888","TillID":"01","CashierNO":"8888","CRC":"201611081608535251087","Type":"ALI_20","Key":"","AccountMode":"1","SellerID":"8888","Token":null,"ExtParam":"{\u0027CustomerID\u0027:\u0027TECHTRANS\u0027}"},"RequestParam":{"OutID":"1611081606507533777","TradeNO":"","TotalFee":"1","ExtParam":"{\u0027Currency\u0027:\u0027RMB\u0027,\u0027OriginalFee\u0027:\u00271\u0027}"}}"#;
    let day = clean(6);
    let plain = |action: &str| {
        let mut rows = day.rows().filter(|row| row.req_action == action);
        rows.find(|row| row.req_obj.contains("中央收银") || action != "createandpay").expect(action).req_obj
    };
    assert_eq!(skeleton(&plain("createandpay")), skeleton(pay));
    assert_eq!(skeleton(&plain("orderquery")), skeleton(query));
    let request = plain("createandpay");
    let ext = |json: &str| json.rsplit_once("\"ExtParam\"").map(|(_, ext)| ext.len()).expect("ExtParam");
    assert!(ext(&request) >= ext(pay));
    assert!(
        request.contains(r#""ExtParam":"{\u0027CustomerID\u0027:\u0027TECHTRANS\u0027}"},"RequestParam""#)
    );
    assert_eq!(between(&request, "\"CRC\":\"", "\"").len(), 21);
}

#[test]
fn rows_come_in_time_order_and_weigh_what_they_should() {
    let day = simulate(&plan(9));
    let mut last = String::new();
    let (mut bytes, mut count) = (0, 0);
    for row in day.rows() {
        assert!(row.req_date >= last);
        assert!(Moment::parse(&row.req_date).is_some(), "{}", row.req_date);
        bytes += row.req_obj.len() + row.res_obj.len();
        count += 1;
        last = row.req_date;
    }
    assert_eq!(count, day.row_count());
    let average = bytes / count;
    assert!((1_000..1_450).contains(&average), "{average} bytes");
}

#[test]
fn what_the_log_calls_paid_is_what_the_bill_calls_paid() {
    for seed in 0..3 {
        let day = clean(seed);
        let mut logged: BTreeMap<String, i64> = BTreeMap::new();
        let mut excused: BTreeSet<String> = BTreeSet::new();
        for row in day.rows().filter(|row| row.req_type == "WX" && row.res_obj.starts_with('<')) {
            // A torn reply ends within its signature.
            let (xml, _) = row.res_obj.split_once("<sign>").expect("a signature");
            let reply = elements(&format!("{xml}</xml>")).expect("a reply");
            let order_no = between(&row.req_obj, "\"OutID\":\"", "\"").to_owned();
            let at = Moment::parse_compact(value(&reply, "time_end"));
            if at.is_some_and(|at| at.date() == date()) && value(&reply, "result_code") == "SUCCESS" {
                logged.insert(order_no, value(&reply, "total_fee").parse().expect("fen"));
            } else if value(&reply, "err_code") == "ORDERPAID" || row.req_action == "reverse" {
                excused.insert(order_no);
            }
        }
        let mut billed: BTreeMap<String, i64> = BTreeMap::new();
        for account in ["mall-wx", "mall-wx-sub"] {
            let (rows, _) = wechat_rows(&day, account, date());
            for row in rows.iter().filter(|row| row[9] == "SUCCESS") {
                assert_eq!(billed.insert(row[6].clone(), fen(&row[24])), None);
            }
        }
        let readable = |order_no: &String| logged.contains_key(order_no);
        assert!(logged.iter().all(|(order_no, amount)| billed.get(order_no) == Some(amount)), "seed {seed}");
        // Rows in base64 are not read here; what reversals and ORDERPAID prove has no amount in the log.
        let base64: BTreeSet<&String> =
            billed.keys().filter(|no| !readable(no) && !excused.contains(*no)).collect();
        assert!(base64.len() * 20 < billed.len(), "{} of {}", base64.len(), billed.len());
    }
}

#[test]
fn planted_amounts_stand_in_the_bill() {
    let day = simulate(&DayPlan { faults: Faults::Each(1), ..plan(11) });
    for planted in day.planted().iter().filter(|p| p.account != "mall-ali") {
        let (rows, _) = wechat_rows(&day, planted.account, date());
        let state = match planted.entry {
            EntryKind::Payment => "SUCCESS",
            EntryKind::Refund => "REFUND",
            EntryKind::Reversal => "REVOKED",
        };
        let of_it = |row: &&Vec<String>| row[6] == planted.order_no && row[9] == state;
        let of_it: Vec<&Vec<String>> = rows.iter().filter(of_it).collect();
        assert_eq!(of_it.is_empty(), planted.channel_amount_minor.is_none(), "{planted:?}");
        let amount: i64 = of_it.iter().map(|row| fen(&row[24]) - fen(&row[25])).sum();
        if planted.entry != EntryKind::Reversal {
            assert_eq!(amount, planted.channel_amount_minor.unwrap_or(0), "{planted:?}");
        }
        if planted.entry == EntryKind::Refund {
            assert!(of_it.iter().all(|row| row[15] == planted.refund_no), "{planted:?}");
        }
    }
}

#[test]
fn what_moves_over_midnight_has_both_ends() {
    let day = clean(12);
    let on_the_day: Vec<&ExpectedTiming> =
        day.expected_timing().iter().filter(|t| t.bill_date == date() && t.account == "mall-wx").collect();
    let moved: Vec<Moved> = on_the_day.iter().map(|t| t.moved).collect();
    assert_eq!(moved, [Moved::Out, Moved::In, Moved::In]);
    for timing in day.expected_timing() {
        let (rows, _) = wechat_rows(&day, timing.account, timing.bill_date);
        let stands = rows.iter().any(|row| row[15] == timing.refund_no);
        assert_eq!(stands, timing.moved == Moved::In, "{timing:?}");
    }
}

#[test]
fn uncovered_rows_come_only_when_asked_for() {
    let types = |plan: &DayPlan| simulate(plan).rows().filter(|row| row.req_type == "BANKCARD").count();
    assert_eq!(types(&plan(13)), 0);
    assert_eq!(types(&DayPlan { uncovered_rows: 4, ..plan(13) }), 4);
}

#[test]
fn wild_goods_stand_bare_in_the_bill() {
    let day = simulate(&DayPlan { wild_goods: true, ..plan(14) });
    let text = String::from_utf8(day.statement("mall-wx", date()).expect("a statement")).expect("UTF-8");
    assert!(text.contains(",`拼盘,`小份`,`pos="));
    assert!(text.contains(",`便签\n两行,`pos="));
}

#[test]
fn the_usual_accounts_write_what_they_always_wrote() {
    use sha2::{Digest, Sha256};
    let day = simulate(&DayPlan { wild_goods: true, uncovered_rows: 3, ..plan(7) });
    let mut digest = Sha256::new();
    for row in day.rows() {
        digest.update(format!("{row:?}"));
    }
    for account in day.accounts() {
        for date in day.dates() {
            digest.update(day.statement(account.name, date).expect("a statement"));
        }
    }
    digest.update(format!("{:?}{:?}", day.planted(), day.expected_timing()));
    let site = Site::of(&day).config(([127, 0, 0, 1], 80).into(), crate::domain::Lang::Zh);
    digest.update(site);
    let told = hex::encode(digest.finalize());
    assert_eq!(told, "e1e850f6c902eb6ce64dba26d1e6b4c3571f0ffaa48c17b9b2451aee99a06ffd");
}

/// A day with every account, those of the other channels among them.
fn every_room(seed: u64) -> SimulatedDay {
    use crate::domain::PayType;
    let paytypes = vec![PayType::Wx, PayType::WxOs, PayType::Ali];
    simulate(&DayPlan { every_room: true, paytypes, faults: Faults::Each(1), ..plan(seed) })
}

/// Titles, rows and totals of a file in WeChat's style.
fn wechat_file(bytes: Vec<u8>) -> (Vec<String>, Vec<Vec<String>>) {
    let text = String::from_utf8(bytes).expect("UTF-8");
    let text = text.strip_prefix('\u{feff}').expect("a BOM");
    let titles = text.split("\r\n").next().expect("titles").split(',').map(str::to_owned).collect();
    let rows = text.split("\r\n").filter_map(|line| line.strip_prefix('`'));
    (titles, rows.map(|line| line.split(",`").map(str::to_owned).collect()).collect())
}

fn written(day: &SimulatedDay, account: &str, paper: paper::Paper, date: BillDate) -> Vec<u8> {
    let place = (0u8..).zip(&town::ACCOUNTS).find(|(_, known)| known.name == account).expect(account).0;
    let content = server::Content::True;
    let want = server::Want { account: place, date, paper, whole: false, content, gzip: false };
    paper::write(day, want).expect("a file")
}

#[test]
fn the_fund_flow_agrees_with_the_trade_bill() {
    let day = every_room(21);
    for account in ["mall-wx", "mall-wx3"] {
        let mut last_balance = None;
        for date in day.dates() {
            let (titles, mut rows) = wechat_file(written(&day, account, paper::Paper::WechatFundFlow, date));
            assert_eq!(titles.len(), 11);
            let totals = rows.pop().expect("totals");
            let signed = |row: &Vec<String>| if row[5] == "支出" { -fen(&row[6]) } else { fen(&row[6]) };
            for row in &rows {
                assert!(row[0].starts_with(&date.to_string()) && row.len() == 11, "{row:?}");
                let balance = fen(&row[7]);
                assert!(last_balance.is_none_or(|last| last + signed(row) == balance), "{account} {row:?}");
                last_balance = Some(balance);
            }
            let flow_numbers: BTreeSet<&String> = rows.iter().map(|row| &row[2]).collect();
            assert_eq!(flow_numbers.len(), rows.len());
            let of = |sign: &str| -> Vec<i64> {
                rows.iter().filter(|row| row[5] == sign).map(|row| fen(&row[6])).collect()
            };
            assert_eq!(totals[0], rows.len().to_string());
            for (place, sign) in [(1, "收入"), (3, "支出")] {
                assert_eq!(totals[place], of(sign).len().to_string());
                assert_eq!(fen(&totals[place + 1]), of(sign).iter().sum::<i64>());
            }
            let (bill, _) = wechat_rows(&day, account, date);
            let kind = |name: &str| rows.iter().filter(|row| row[4] == name).map(signed).sum::<i64>();
            let paid: i64 = bill.iter().filter(|row| row[9] == "SUCCESS").map(|row| fen(&row[12])).sum();
            let twice = date == day.date();
            // The bill repeats the payment of one planted fault; the money moved once.
            assert_eq!(kind("交易") == paid, !twice, "{account} {date}");
            if twice {
                assert!(kind("扣除交易手续费") < 0 && kind("退款") < 0 && kind("退还交易手续费") > 0);
            }
            assert_eq!(kind("提现"), -50_000);
        }
    }
}

#[test]
fn overseas_statements_have_their_columns_and_currencies() {
    let day = every_room(22);
    let (titles, rows) = wechat_file(day.statement("mall-wxos", date()).expect("a statement"));
    assert_eq!((titles.len(), titles[24].as_str()), (38, "订单金额(标价币种)"));
    let currencies: BTreeSet<&str> = rows.iter().map(|row| row[23].as_str()).collect();
    assert!(currencies.is_superset(&BTreeSet::from(["HKD", "JPY"])), "{currencies:?}");
    for row in &rows {
        assert_eq!(row.len(), 38, "{row:?}");
        let digits = if ["JPY", "KRW"].contains(&row[23].as_str()) { 0 } else { 2 };
        let minor = |place: usize| money::parse_minor(&row[place], digits).expect("an amount");
        assert_eq!(minor(24) > 0, row[9] == "SUCCESS", "{row:?}");
        assert_eq!((minor(24), minor(31)), (minor(28), minor(35)), "settled in the same currency");
        assert!(row[9] != "REFUND" || minor(31) > 0);
    }
    let (titles, mut rows) = wechat_file(day.statement("mall-wxos2", date()).expect("a statement"));
    assert!(titles[0] == "Transaction time" && titles[25] == "Cash payment amount(Cash_fee)");
    let totals = rows.pop().expect("totals");
    assert!(rows.iter().all(|row| row.len() == titles.len() && row[11] != "JPY"));
    assert_eq!(totals[0], rows.len().to_string());
    for (total, column) in [(1, 12), (2, 16)] {
        assert_eq!(fen(&totals[total]), rows.iter().map(|row| fen(&row[column])).sum::<i64>());
    }
}

#[test]
fn what_is_planted_overseas_stands_in_the_statement() {
    let day = every_room(23);
    let (_, rows) = wechat_file(day.statement("mall-wxos", date()).expect("a statement"));
    let planted: Vec<&Planted> = day.planted().iter().filter(|p| p.account == "mall-wxos").collect();
    assert_eq!(planted.len(), Fault::ALL.len());
    for planted in planted {
        let state = match planted.entry {
            EntryKind::Payment => "SUCCESS",
            EntryKind::Refund => "REFUND",
            EntryKind::Reversal => "REVOKED",
        };
        let of_it = rows.iter().filter(|row| row[6] == planted.order_no && row[9] == state);
        let of_it: Vec<&Vec<String>> = of_it.collect();
        assert_eq!(of_it.is_empty(), planted.channel_amount_minor.is_none(), "{planted:?}");
        let digits = |row: &[String]| if ["JPY", "KRW"].contains(&row[23].as_str()) { 0 } else { 2 };
        let minor = |row: &[String], place: usize| money::parse_minor(&row[place], digits(row)).expect("one");
        let amount: i64 = of_it.iter().map(|row| minor(row, 24) - minor(row, 31)).sum();
        if planted.entry != EntryKind::Reversal {
            assert_eq!(amount, planted.channel_amount_minor.unwrap_or(0), "{planted:?}");
        }
    }
}

#[test]
fn the_log_of_an_overseas_order_names_its_currency() {
    let day = every_room(24);
    let mut yen = 0;
    for row in day.rows().filter(|row| row.req_type == "WX_OS" && row.req_obj.starts_with('{')) {
        let asked = between(&row.req_obj, "Currency\\u0027:\\u0027", "\\u0027");
        assert!(["HKD", "JPY"].contains(&asked), "{asked}");
        yen += usize::from(asked == "JPY");
        if row.res_obj.contains("<fee_type>") {
            assert!(row.res_obj.contains(&format!("<fee_type><![CDATA[{asked}]]></fee_type>")));
        }
    }
    assert!(yen > 0);
}

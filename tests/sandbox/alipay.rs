//! The old Alipay, Alipay abroad, orders at the open platform, TianTa and Teegon over loopback, asked by a client that
//! signs from the specification.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use md5::{Digest, Md5};
use nightjob::domain::{BillDate, PayType};
use nightjob::sandbox::mishap::{Desk, Mishap, Rule, Spoil, Tries, ZipTrouble};
use nightjob::sandbox::{DayPlan, Faults, Running, SimulatedDay, Site, keys, simulate, start};

use super::{client, date, escaped, fen, fetch, form, node_of, unzipped, url_in};

const OLD: &str = "2088900000000034";
const ABROAD: &str = "2088900000000026";
const CLIENT: &str = "sandboxclient00000000aaa";
const TOKEN: &str = "900000000000015";

fn day() -> Arc<SimulatedDay> {
    static DAY: OnceLock<Arc<SimulatedDay>> = OnceLock::new();
    DAY.get_or_init(|| {
        Arc::new(simulate(&DayPlan {
            orders: 900,
            faults: Faults::Spread(0),
            wild_goods: false,
            every_room: true,
            paytypes: PayType::ALL.to_vec(),
            ..DayPlan::new(date(), 3)
        }))
    })
    .clone()
}

async fn running(rules: Vec<Rule>) -> Running {
    start(day(), rules, 0).await.expect("a free port")
}

async fn always(desk: Desk, mishap: Mishap) -> Running {
    running(vec![Rule::new(desk, Tries::Always, mishap)]).await
}

/// OutIDs of payments that succeeded at once on the bill date, by REQ_TYPE.
fn paid_orders(req_type: &str, success: &str) -> Vec<String> {
    let of_it = |row: &nightjob::sandbox::SimLogRow| {
        row.req_type == req_type
            && row.req_action == "createandpay"
            && row.req_date.starts_with("2024-03-07 1")
            && row.req_obj.starts_with('{')
            && row.res_obj.contains(success)
    };
    day().rows().filter(of_it).map(|row| between(&row.req_obj, "\"OutID\":\"", "\"").to_owned()).collect()
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{before} in {text}"));
    rest.split_once(after).map_or(rest, |(found, _)| found)
}

// ---------------------------------------------------------------- the old interface

/// A signed query for the old interface, in the charset that it names.
fn old_query(partner: &str, key: &str, pairs: &[(&str, &str)]) -> String {
    let mut fields: BTreeMap<&str, &str> = BTreeMap::from([("partner", partner)]);
    fields.extend(pairs.iter().copied());
    fields.retain(|_, value| !value.is_empty());
    let text: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let sign = hex::encode(Md5::digest(format!("{}{key}", text.join("&"))));
    let mut sent: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    sent.extend([format!("sign={sign}"), "sign_type=MD5".to_owned()]);
    sent.join("&")
}

async fn ask(running: &Running, query: &str) -> Vec<u8> {
    let url = format!("{}/gateway.do?{query}", running.url());
    client().get(url).send().await.expect("an answer").bytes().await.expect("a body").to_vec()
}

async fn ask_text(running: &Running, query: &str) -> String {
    String::from_utf8(ask(running, query).await).expect("UTF-8")
}

fn page_query(page: &str, more: &[(&str, &str)]) -> String {
    let asked = [
        ("_input_charset", "utf-8"),
        ("gmt_start_time", "2024-03-07 00:00:00"),
        ("gmt_end_time", "2024-03-08 00:00:00"),
        ("page_no", page),
        ("page_size", "5000"),
        ("service", "account.page.query"),
    ];
    old_query(OLD, keys::ALIPAY_MAPI_KEY, &[&asked[..], more].concat())
}

/// Whether the signature over the pairs is the merchant's.
fn is_signed(reply: &str, signed: &[(&str, &str)]) -> bool {
    let text: Vec<String> = signed.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let digest = Md5::digest(format!("{}{}", text.join("&"), keys::ALIPAY_MAPI_KEY));
    reply.contains(&format!("<sign>{}</sign><sign_type>MD5</sign_type></alipay>", hex::encode(digest)))
}

/// The rows of a page, if its signature is good.
fn page_rows(reply: &str) -> Option<Vec<String>> {
    let list = between(reply, "<account_page_query_result>", "<has_next_page>");
    let leaf = |name: &str| between(reply, &format!("<{name}>"), "<");
    let signed = [
        ("account_log_list", list),
        ("has_next_page", leaf("has_next_page")),
        ("page_no", leaf("page_no")),
        ("page_size", leaf("page_size")),
    ];
    let rows = list.split("<AccountQueryAccountLogVO>").skip(1).map(str::to_owned).collect();
    is_signed(reply, &signed).then_some(rows)
}

#[tokio::test]
async fn the_old_ledger_comes_in_pages() {
    let running = running(Vec::new()).await;
    let mut ids = BTreeSet::new();
    let (mut pages, mut income, mut outcome) = (0, 0, 0);
    for page in 1..=50 {
        let reply = ask_text(&running, &page_query(&page.to_string(), &[])).await;
        let rows = page_rows(&reply).expect("a good signature");
        pages = page;
        for row in &rows {
            ids.insert(between(row, "<iw_account_log_id>", "<").to_owned());
            income += fen(between(row, "<income>", "<"));
            outcome += fen(between(row, "<outcome>", "<"));
            assert!(row.contains("<trans_date>2024-03-07 ") && row.contains("<currency>156</currency>"));
        }
        assert_eq!(between(&reply, "<page_no>", "<"), page.to_string());
        if reply.contains("<has_next_page>F<") {
            break;
        }
        assert!(!rows.is_empty());
    }
    assert!((2..10).contains(&pages), "{pages} pages");
    let csv = String::from_utf8(day().statement("mall-ali1", date()).expect("a ledger")).expect("UTF-8");
    let rows: Vec<Vec<&str>> = csv.lines().skip(1).map(|line| line.split(',').collect()).collect();
    assert_eq!(ids.len(), rows.len());
    assert_eq!(income, rows.iter().map(|row| fen(row[8])).sum::<i64>());
    assert_eq!(outcome, rows.iter().map(|row| fen(row[9])).sum::<i64>());
    assert_eq!(running.tries(Desk::AlipayMapi, "mall-ali1", date()), pages);
    let only = ask_text(&running, &page_query("1", &[("trans_code", "3012")])).await;
    let rows = page_rows(&only).expect("a good signature");
    assert!(!rows.is_empty() && rows.iter().all(|row| row.contains("<trans_code_msg>收费<")));
    let none = ask_text(
        &running,
        &page_query(
            "1",
            &[("gmt_start_time", "2024-02-01 00:00:00"), ("gmt_end_time", "2024-02-02 00:00:00")],
        ),
    )
    .await;
    assert!(none.contains("<account_log_list></account_log_list><has_next_page>F<"), "{none}");
    running.shutdown().await;
}

#[tokio::test]
async fn the_old_ledger_comes_as_csv_too() {
    let running = running(Vec::new()).await;
    let asked = [
        ("_input_charset", "utf-8"),
        ("gmt_create_start", "2024-03-07 00:00:00"),
        ("gmt_create_end", "2024-03-08 00:00:00"),
        ("no_coupon", "Y"),
        ("service", "export_trade_account_report"),
    ];
    let reply = ask_text(&running, &old_query(OLD, keys::ALIPAY_MAPI_KEY, &asked)).await;
    let (count, csv) = (between(&reply, "<count>", "<"), between(&reply, "<![CDATA[", "]]>"));
    assert!(is_signed(&reply, &[("count", count), ("csv_data", csv)]), "{reply}");
    assert_eq!(count, (csv.lines().count() - 1).to_string());
    assert_eq!(Some(csv.as_bytes().to_vec()), day().statement("mall-ali1", date()));
}

#[tokio::test]
async fn the_old_interface_speaks_gbk_where_it_is_asked_to() {
    let running = running(Vec::new()).await;
    let bytes = ask(&running, &page_query("1", &[("_input_charset", "gbk")])).await;
    assert!(bytes.starts_with(b"<?xml version=\"1.0\" encoding=\"GBK\"?>"));
    assert!(std::str::from_utf8(&bytes).is_err());
    let text = encoding_rs::GBK.decode(&bytes).0;
    assert!(text.contains("<trans_code_msg>在线支付<"));
    let list = between(&text, "<account_page_query_result>", "<page_size>");
    let pairs = list.replacen("<has_next_page>", "&has_next_page=", 1).replacen("<page_no>", "&page_no=", 1);
    let pairs = pairs.replace("</has_next_page>", "").replace("</page_no>", "");
    let signed = format!("account_log_list={pairs}&page_size={}", between(&text, "<page_size>", "<"));
    let signed = encoding_rs::GBK.encode(&signed).0.into_owned();
    let sign = hex::encode(Md5::digest([&signed[..], keys::ALIPAY_MAPI_KEY.as_bytes()].concat()));
    assert!(text.contains(&format!("<sign>{sign}</sign>")), "the signature is over the bytes in GBK");
}

#[tokio::test]
async fn the_old_interface_refuses_in_its_own_words() {
    let running = running(Vec::new()).await;
    let page = page_query("1", &[]);
    let service = |name| old_query(OLD, keys::ALIPAY_MAPI_KEY, &[("service", name), ("out_trade_no", "1")]);
    for (query, error) in [
        (page.replace("page_no=%31", "page_no=%32"), "ILLEGAL_SIGN"),
        (page.replace("sign_type=MD5", "sign_type=md5"), "ILLEGAL_SIGN_TYPE"),
        (old_query(OLD, "anotherkeyanotherkeyanotherkey00", &[("service", "x")]), "ILLEGAL_SIGN"),
        (old_query("2088900000000000", keys::ALIPAY_MAPI_KEY, &[("service", "x")]), "ILLEGAL_PARTNER"),
        (page_query("1", &[("_input_charset", "latin1")]), "ILLEGAL_CHARSET"),
        (page_query("0", &[]), "ILLEGAL_ARGUMENT"),
        (page_query("1", &[("gmt_end_time", "2024-03-08 00:00:01")]), "ILLEGAL_ARGUMENT"),
        (page_query("1", &[("gmt_end_time", "20240308")]), "ILLEGAL_ARGUMENT"),
        (page_query("1", &[("page_size", "5001")]), "ILLEGAL_ARGUMENT"),
        (service("alipay.transfer"), "ILLEGAL_SERVICE"),
        (service("forex_compare_file"), "HAS_NO_PRIVILEGE"),
        (service("single_trade_query"), "TRADE_NOT_EXIST"),
    ] {
        let reply = ask_text(&running, &query).await;
        let words = format!("<alipay><is_success>F</is_success><error>{error}</error></alipay>");
        assert!(reply.ends_with(&words), "{query}: {reply}");
    }
}

#[tokio::test]
async fn one_order_of_the_old_interface() {
    let running = running(Vec::new()).await;
    let order_no = paid_orders("ALI", "ORDER_SUCCESS_PAY_SUCCESS")[0].clone();
    let asked = |pairs: &[(&str, &str)]| {
        let common = [("_input_charset", "utf-8"), ("service", "single_trade_query")];
        old_query(OLD, keys::ALIPAY_MAPI_KEY, &[&common[..], pairs].concat())
    };
    let reply = ask_text(&running, &asked(&[("out_trade_no", &order_no)])).await;
    let trade = between(&reply, "<trade>", "</trade>");
    let leaves: Vec<(&str, String)> = trade
        .split_inclusive('>')
        .filter_map(|piece| piece.strip_suffix('>')?.split_once("</"))
        .map(|(value, name)| (name, value.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")))
        .collect();
    let leaves: Vec<(&str, &str)> = leaves.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert!(is_signed(&reply, &leaves), "{reply}");
    assert!(reply.contains("<trade_status>TRADE_"), "{reply}");
    let trade_no = between(&reply, "<trade_no>", "<").to_owned();
    let again = ask_text(&running, &asked(&[("trade_no", &trade_no)])).await;
    assert_eq!(between(&again, "<trade>", "</trade>"), trade);

    let escrow = day().rows().find(|row| row.req_action == "precreate").expect("an escrow trade");
    assert_eq!((escrow.res_obj.as_str(), escrow.res_err.as_str()), ("", "0"));

    for (mishap, words) in [
        (Mishap::OtherOrder, "<trade_status>"),
        (Mishap::UnknownOrder, "TRADE_NOT_EXIST"),
        (Mishap::Busy, "SYSTEM_ERROR"),
    ] {
        let running = always(Desk::AlipayOrder, mishap).await;
        let reply = ask_text(&running, &asked(&[("out_trade_no", &order_no)])).await;
        assert!(reply.contains(words), "{mishap:?}: {reply}");
        let echoed = format!("<out_trade_no>{order_no}<");
        assert!(!reply.contains(&echoed), "{mishap:?} is not about the order");
    }
}

#[tokio::test]
async fn hostile_pages() {
    let told = async |mishap, page: &str| {
        let running = always(Desk::AlipayMapi, mishap).await;
        ask(&running, &page_query(page, &[])).await
    };
    let text = async |mishap, page| String::from_utf8(told(mishap, page).await).expect("UTF-8");
    let honest = running(Vec::new()).await;
    let first = ask_text(&honest, &page_query("1", &[])).await;
    let rows = page_rows(&first).expect("a good signature");

    for mishap in [Mishap::WrongSignature, Mishap::ChangedAfterSigning, Mishap::Unsigned] {
        assert_eq!(page_rows(&text(mishap, "1").await), None, "{mishap:?}");
    }
    assert!(!text(Mishap::Unsigned, "1").await.contains("<sign>"));
    let repeated = text(Mishap::PageRepeated, "2").await;
    assert_eq!(page_rows(&repeated).expect("well signed"), rows);
    assert!(repeated.contains("<page_no>2<"));
    let endless = text(Mishap::EndlessPages, "900").await;
    assert_eq!(page_rows(&endless).expect("well signed"), Vec::<String>::new());
    assert!(endless.contains("<has_next_page>T<"));
    let other = text(Mishap::OtherMerchant, "1").await;
    assert!(page_rows(&other).is_some() && other.contains("<partner_id>2088900000000099<"));
    let yesterday = text(Mishap::OtherDay, "1").await;
    assert!(page_rows(&yesterday).is_some() && yesterday.contains("<trans_date>2024-03-06 "));
    assert!(text(Mishap::EntityBomb, "1").await.contains("<!DOCTYPE alipay [<!ENTITY a0"));
    assert!(text(Mishap::ExternalEntity, "1").await.contains("SYSTEM \"file://"));
    assert!(text(Mishap::Busy, "1").await.contains("SYSTEM_ERROR"));
    assert!(text(Mishap::Refused, "1").await.contains("HAS_NO_PRIVILEGE"));
    assert!(text(Mishap::Html, "1").await.starts_with("<!DOCTYPE html>"));
    assert!(first.starts_with(text(Mishap::Torn, "1").await.trim_end_matches('\u{fffd}')));
    let lying = told(Mishap::GbkDeclaredUtf8, "1").await;
    assert!(lying.starts_with(b"<?xml version=\"1.0\" encoding=\"utf-8\"?>"));
    assert!(std::str::from_utf8(&lying).is_err());
    let lying = text(Mishap::Utf8DeclaredGbk, "1").await;
    assert!(lying.starts_with("<?xml version=\"1.0\" encoding=\"GBK\"?>"));
}

// ---------------------------------------------------------------- abroad

fn forex(service: &str, from: &str, to: &str) -> String {
    old_query(
        ABROAD,
        keys::ALIPAY_GLOBAL_KEY,
        &[("service", service), ("start_date", from), ("end_date", to)],
    )
}

#[tokio::test]
async fn the_file_from_abroad_and_its_three_ways_of_failing() {
    let running = running(Vec::new()).await;
    let file = ask(&running, &forex("forex_compare_file", "20240307", "20240307")).await;
    assert_eq!(Some(&file), day().statement("mall-alios", date()).as_ref());
    let three = ask(&running, &forex("forex_compare_file", "20240306", "20240308")).await;
    let apart: Vec<u8> =
        day().dates().iter().flat_map(|date| day().statement("mall-alios", *date).expect("a file")).collect();
    assert_eq!(three, apart);
    let settled = ask(&running, &forex("forex_liquidation_file", "20240308", "20240308")).await;
    let settled = encoding_rs::GBK.decode(&settled).0;
    assert!(settled.lines().count() > 10);
    assert!(
        settled.lines().all(|line| line.contains("|20240308120000|") && line.contains("|L")),
        "{settled}"
    );

    let compare = |from, to| forex("forex_compare_file", from, to);
    for (query, words) in [
        (compare("20240201", "20240201"), "No balance account data in the period"),
        (compare("20240307", "20240306"), "Finish date ahead of begin date"),
        (compare("20240301", "20240311"), "Over 10 days to Date period"),
        (compare("2024-03-07", "20240307"), "Date format incorrect YYYYMMDD"),
    ] {
        assert_eq!(ask_text(&running, &query).await, words);
    }
    let wrong = compare("20240307", "20240307").replace("%37", "%36");
    assert!(ask_text(&running, &wrong).await.ends_with("<error>ILLEGAL_SIGN</error></alipay>"));
    for (mishap, words) in [
        (Mishap::Busy, "System exception"),
        (Mishap::NoBill, "No balance account data in the period"),
        (Mishap::NotReady, "Finish date not ahead of today"),
        (Mishap::DownloadFailed, "File download failed"),
        (Mishap::Refused, "<?xml"),
        (Mishap::Html, "<!DOCTYPE html>"),
    ] {
        let running = always(Desk::AlipayForex, mishap).await;
        let reply = ask_text(&running, &compare("20240307", "20240307")).await;
        assert!(reply.starts_with(words), "{mishap:?}: {reply}");
    }
    let other = always(Desk::AlipayForex, Mishap::OtherDay).await;
    let file = ask(&other, &compare("20240307", "20240307")).await;
    assert_eq!(Some(file), day().statement("mall-alios", date().before()));
}

// ---------------------------------------------------------------- the open platform

async fn open(running: &Running, body: String) -> String {
    let url = format!("{}/gateway.do?charset=utf-8", running.url());
    let request =
        client().post(url).header("content-type", "application/x-www-form-urlencoded;charset=utf-8");
    request.body(body).send().await.expect("an answer").text().await.expect("a text")
}

fn bill_form(bill_type: &str) -> String {
    form(
        &[("biz_content", &format!("{{\"bill_type\":\"{bill_type}\",\"bill_date\":\"2024-03-07\"}}"))],
        "RSA2",
    )
}

#[tokio::test]
async fn the_ledger_of_the_open_platform_adds_up() {
    let running = running(Vec::new()).await;
    let (node, good) = node_of(&open(&running, bill_form("signcustomer")).await, "RSA2");
    let url = url_in(&node);
    assert!(good && url.contains("bizType=fnd&userId=20889000000000180156&"), "{node}");
    let files = unzipped(fetch(&url).await.1);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let stem = "20889000000000180156_20240307_账务明细";
    assert_eq!(names, [format!("{stem}_1.csv"), format!("{stem}(汇总)_1.csv")]);
    let detail = &files[0].1;
    assert!(detail.starts_with("#支付宝账务明细查询\r\n#账号：[20889000000000180156]\r\n"));
    let rows: Vec<Vec<&str>> = detail
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    assert!(rows.len() > 20 && rows.iter().all(|row| row.len() == 12));
    let major = |fen: i64| nightjob::domain::money::major(fen, 2);
    for (title, column) in [("支出合计", 7), ("收入合计", 6)] {
        let side: Vec<i64> = rows.iter().map(|row| fen(row[column])).filter(|amount| *amount != 0).collect();
        let line = format!("\r\n#{title}：{}笔，共{}元\r\n", side.len(), major(side.iter().sum()));
        assert!(detail.contains(&line), "{line}");
    }
    let sums: Vec<Vec<&str>> =
        files[1].1.lines().map(|line| line.split("\t,").map(str::trim).collect()).collect();
    let last = sums.iter().find(|cells| cells[0] == "合计").expect("a sum");
    let all: i64 = rows.iter().map(|row| fen(row[6]) + fen(row[7])).sum();
    assert_eq!(fen(last[5]), all);
    for pair in rows.windows(2) {
        let moved = fen(pair[1][6]) + fen(pair[1][7]);
        assert_eq!(fen(pair[0][8]) + moved, fen(pair[1][8]));
    }
    let off = always(Desk::AlipayDownload, Mishap::TotalsOff).await;
    let (node, _) = node_of(&open(&off, bill_form("signcustomer")).await, "RSA2");
    assert_ne!(unzipped(fetch(&url_in(&node)).await.1)[0].1, *detail);
}

fn trade_form(method: &str, content: &str) -> String {
    form(&[("method", method), ("biz_content", content)], "RSA2")
}

#[tokio::test]
async fn one_order_of_the_open_platform() {
    let running = running(Vec::new()).await;
    let order_no = paid_orders("ALI_20", "\"code\":\"10000\"")[0].clone();
    let about =
        |order_no: &str| trade_form("alipay.trade.query", &format!("{{\"out_trade_no\":\"{order_no}\"}}"));
    let reply = open(&running, about(&order_no)).await;
    assert!(reply.starts_with("{\"alipay_trade_query_response\":{\"code\":\"10000\""), "{reply}");
    let (node, good) = node_of(&reply, "RSA2");
    assert!(good && node.contains(&format!("\"out_trade_no\":\"{order_no}\"")));
    let (node, good) = node_of(&open(&running, about("nothing")).await, "RSA2");
    assert!(good && node.contains("ACQ.TRADE_NOT_EXIST"));
    for (mishap, is_good, has_it) in [
        (Mishap::OtherOrder, true, false),
        (Mishap::UnknownOrder, true, false),
        (Mishap::WrongSignature, false, true),
        (Mishap::ChangedAfterSigning, false, false),
    ] {
        let running = always(Desk::AlipayTrade, mishap).await;
        let (node, good) = node_of(&open(&running, about(&order_no)).await, "RSA2");
        assert_eq!((good, node.contains(&order_no)), (is_good, has_it), "{mishap:?}");
    }
    let unsigned = always(Desk::AlipayTrade, Mishap::Unsigned).await;
    assert!(!open(&unsigned, about(&order_no)).await.contains("\"sign\""));
}

#[tokio::test]
async fn one_refund_of_the_open_platform() {
    let running = running(Vec::new()).await;
    let is_done = |row: &nightjob::sandbox::SimLogRow| {
        row.req_type == "ALI_20"
            && row.req_action == "refund"
            && row.res_obj.contains("\"fund_change\":\"Y\"")
            && row.req_obj.contains("RefundID")
    };
    let row = day().rows().find(is_done).expect("a refund");
    let order_no = between(&row.req_obj, "\"OutID\":\"", "\"");
    let refund_no = between(&row.req_obj, "\"RefundID\":\"", "\"");
    let about = |refund_no: &str| {
        let content = format!("{{\"out_trade_no\":\"{order_no}\",\"out_request_no\":\"{refund_no}\"}}");
        trade_form("alipay.trade.fastpay.refund.query", &content)
    };
    let reply = open(&running, about(refund_no)).await;
    let (node, good) = node_of(&reply.replace("_refund_query_response", "_query_response"), "RSA2");
    let read: serde_json::Value = serde_json::from_str(&node).expect("JSON");
    let asked: i64 = between(&row.req_obj, "\"TotalFee\":\"", "\"").parse().expect("fen");
    assert!(good && fen(read["refund_amount"].as_str().expect("an amount")) == asked, "{reply}");
    let none = open(&running, about("R0")).await;
    assert!(
        none.contains("{\"code\":\"10000\",\"msg\":\"Success\"}"),
        "no such refund is no failure: {none}"
    );
}

#[tokio::test]
async fn spoiled_bills_differ_from_the_true_one_where_they_should() {
    let honest = unzipped(day().statement("mall-ali", date()).expect("a zip"));
    for spoil in Spoil::ALL {
        let running = always(Desk::AlipayDownload, Mishap::Spoiled(spoil)).await;
        let (node, _) = node_of(&open(&running, bill_form("trade")).await, "RSA2");
        let files = unzipped(fetch(&url_in(&node)).await.1);
        let differ: Vec<bool> = files.iter().zip(&honest).map(|(a, b)| a.1 != b.1).collect();
        let in_summary = spoil == Spoil::SummaryDisagrees;
        assert_eq!(differ, [!in_summary, in_summary], "{spoil:?}");
        let one_line = [Spoil::UnknownType, Spoil::NotANumber, Spoil::CountOff, Spoil::RefundTotalOff];
        if one_line.contains(&spoil) {
            let lines = files[0].1.lines().zip(honest[0].1.lines()).filter(|(a, b)| a != b);
            assert_eq!(lines.count(), 1, "{spoil:?}");
        }
    }
}

#[tokio::test]
async fn troublesome_zips() {
    for trouble in ZipTrouble::ALL {
        let running = always(Desk::AlipayDownload, Mishap::Zip(trouble)).await;
        let (node, _) = node_of(&open(&running, bill_form("trade")).await, "RSA2");
        let bytes = fetch(&url_in(&node)).await.1;
        assert!(bytes.len() < 16 << 20, "{trouble:?}: {} bytes", bytes.len());
        let opened = zip::ZipArchive::new(std::io::Cursor::new(&bytes));
        match trouble {
            ZipTrouble::NotZipped | ZipTrouble::NoDirectory => assert!(opened.is_err(), "{trouble:?}"),
            ZipTrouble::ManyEntries => assert_eq!(opened.expect("zip64").len(), 100_000),
            ZipTrouble::Bomb => {
                let mut archive = opened.expect("a zip");
                let size = archive.by_index_raw(0).expect("an entry").size();
                assert!(size > 90 << 20 && bytes.len() < 1 << 20, "{size} from {}", bytes.len());
            }
            ZipTrouble::ParentPath => {
                let mut archive = opened.expect("a zip");
                assert_eq!(archive.by_index_raw(0).expect("an entry").name_raw(), b"../../evil.csv");
            }
            ZipTrouble::Encrypted => {
                let mut archive = opened.expect("a zip");
                assert!(archive.by_index_raw(0).expect("an entry").encrypted());
            }
            ZipTrouble::Symlink => {
                let mut archive = opened.expect("a zip");
                assert!(archive.by_index_raw(0).expect("an entry").is_symlink());
            }
            _ => assert_ne!(Some(&bytes), day().statement("mall-ali", date()).as_ref(), "{trouble:?}"),
        }
    }
}

// ---------------------------------------------------------------- TianTa

fn tianta_form(key: &str, pairs: &[(&str, &str)]) -> String {
    let mut fields: BTreeMap<&str, &str> = BTreeMap::from([("user_token", TOKEN), ("version", "V1.0.10")]);
    fields.extend(pairs.iter().copied());
    fields.retain(|_, value| !value.is_empty());
    let text: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let sign = hex::encode_upper(Md5::digest(format!("{}{key}", text.join("&"))));
    format!("{}&sign={sign}", text.join("&"))
}

async fn tianta(running: &Running, name: &str, body: String) -> serde_json::Value {
    let url = format!("{}/scanpay.php/Gateway/{name}", running.url());
    let text = client().post(url).body(body).send().await.expect("an answer").text().await.expect("a text");
    let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    match read.get("content").and_then(serde_json::Value::as_str) {
        Some(content) => serde_json::from_str(content).expect("JSON in JSON"),
        None => read,
    }
}

#[tokio::test]
async fn tianta_answers_about_an_order_as_the_provider_would() {
    let running = running(Vec::new()).await;
    let (mut wechat, mut alipay) = (0, 0);
    for order_no in paid_orders("TIANTA", "pay_date").iter().take(12) {
        let asked = |kind: &str| tianta_form(keys::TIANTA_KEY, &[("pay_no", order_no), ("type", kind)]);
        let as_wechat = tianta(&running, "query", asked("WECHAT")).await;
        let as_alipay = tianta(&running, "query", asked("ALIPAY")).await;
        if as_wechat["code"] == "1" {
            wechat += 1;
            assert!(["SUCCESS", "REFUND"].contains(&as_wechat["trade_state"].as_str().expect("a state")));
            assert!(as_wechat["total_fee"].as_str().expect("fen").parse::<i64>().is_ok());
            assert_eq!(as_alipay["response"]["sub_code"], "ACQ.TRADE_NOT_EXIST");
            let trade_no = as_wechat["transaction_id"].as_str().expect("a number");
            let again = [("pay_no", ""), ("trade_no", trade_no), ("type", "WECHAT")];
            let again = tianta(&running, "query", tianta_form(keys::TIANTA_KEY, &again)).await;
            assert_eq!(again["out_trade_no"], order_no.as_str());
        } else {
            alipay += 1;
            assert!(fen(as_alipay["response"]["total_amount"].as_str().expect("yuan")) > 0);
            assert_eq!(as_wechat["err_code"], "ORDERNOTEXIST");
        }
    }
    assert!(wechat > 0 && alipay > 0, "{wechat} {alipay}");
}

#[tokio::test]
async fn tianta_answers_about_refunds() {
    let running = running(Vec::new()).await;
    let is_done = |row: &nightjob::sandbox::SimLogRow| {
        row.req_type == "TIANTA"
            && row.req_action == "refund"
            && row.req_obj.contains("RefundID")
            && row.res_err == "0"
    };
    let mut found = 0;
    for row in day().rows().filter(is_done) {
        let order_no = between(&row.req_obj, "\"OutID\":\"", "\"");
        let refund_no = between(&row.req_obj, "\"RefundID\":\"", "\"");
        let asked: i64 = between(&row.req_obj, "\"TotalFee\":\"", "\"").parse().expect("fen");
        let by = |kind, refund_no| {
            let pairs = [("pay_no", order_no), ("refund_no", refund_no), ("type", kind)];
            tianta_form(keys::TIANTA_KEY, &pairs)
        };
        let wechat = tianta(&running, "refund_query", by("WECHAT", refund_no)).await;
        let alipay = tianta(&running, "refund_query", by("ALIPAY", refund_no)).await;
        let amount = wechat["refund_fee"].as_str().map(|fen| fen.parse().expect("fen"));
        let amount = amount.or_else(|| alipay["response"]["send_back_fee"].as_str().map(fen));
        assert_eq!(amount, Some(asked), "{wechat} {alipay}");
        let none = tianta(&running, "refund_query", by("WECHAT", "R0")).await;
        assert_eq!(none["err_code"], "REFUNDNOTEXIST");
        found += 1;
    }
    assert!(found > 2, "{found}");
}

#[tokio::test]
async fn tianta_refuses_what_is_not_signed() {
    let running = running(Vec::new()).await;
    let order_no = paid_orders("TIANTA", "pay_date")[0].clone();
    let pairs = [("pay_no", order_no.as_str()), ("type", "WECHAT")];
    let signed = tianta_form(keys::TIANTA_KEY, &pairs);
    for (body, words) in [
        (tianta_form("C3226F16BE", &pairs), "签名错误"),
        (signed.replace("type=WECHAT", "type=ALIPAY"), "签名错误"),
        (signed.replace("&version=V1.0.10", ""), "缺少参数"),
        (tianta_form(keys::TIANTA_KEY, &[pairs[0], ("type", "CASH")]), "type参数错误"),
        (tianta_form(keys::TIANTA_KEY, &[("type", "WECHAT")]), "trade_no和pay_no不能同时为空"),
        (tianta_form(keys::TIANTA_KEY, &[pairs[0], pairs[1], ("user_token", "1")]), "user_token不存在"),
    ] {
        let reply = tianta(&running, "query", body.clone()).await;
        assert_eq!((&reply["code"], &reply["msg"]), (&"0".into(), &words.into()), "{body}");
    }
    let url = format!("{}/tianta/scanpay.php/Gateway/query", running.url());
    let below = client().post(url).body(signed).send().await.expect("an answer");
    assert!(below.text().await.expect("a text").contains("code"), "a base path is allowed");
    for (mishap, word) in
        [(Mishap::Busy, "ERROR"), (Mishap::UnknownOrder, "EXIST"), (Mishap::Refused, "停用")]
    {
        let running = always(Desk::Tianta, mishap).await;
        let mut told = String::new();
        for kind in ["WECHAT", "ALIPAY"] {
            let body = tianta_form(keys::TIANTA_KEY, &[pairs[0], ("type", kind)]);
            told.push_str(&tianta(&running, "query", body).await.to_string());
        }
        assert!(told.contains(word), "{mishap:?}: {told}");
    }
}

// ---------------------------------------------------------------- Teegon

/// Charge ids of payments that succeeded, with their order numbers.
fn charges() -> Vec<(String, String)> {
    let paid = |row: &nightjob::sandbox::SimLogRow| {
        row.req_type == "TEEGON" && row.res_obj.contains("\"paid\":true")
    };
    let ids = |row: nightjob::sandbox::SimLogRow| {
        let read: serde_json::Value = serde_json::from_str(&row.res_obj).expect("JSON");
        let text = |name: &str| read["result"][name].as_str().expect(name).to_owned();
        (text("id"), text("orderno"))
    };
    day().rows().filter(paid).map(ids).collect()
}

fn teegon_form(secret: &str, charge_id: &str) -> String {
    let sign =
        hex::encode_upper(Md5::digest(format!("{secret}charge_id{charge_id}client_id{CLIENT}{secret}")));
    format!("client_id={CLIENT}&charge_id={charge_id}&sign={sign}")
}

async fn pay_status(running: &Running, body: String) -> String {
    let url = format!("{}/charge/barcode_pay_status", running.url());
    client().post(url).body(body).send().await.expect("an answer").text().await.expect("a text")
}

async fn extended(running: &Running, path: &str, query: &str) -> serde_json::Value {
    let secret = keys::TEEGON_SECRET;
    let url = format!("{}{path}?client_id={CLIENT}&client_secret={secret}&{query}", running.url());
    let text = client().get(url).send().await.expect("an answer").text().await.expect("a text");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn teegon_answers_about_a_charge() {
    let running = running(Vec::new()).await;
    let (id, order_no) = charges()[0].clone();
    let reply = pay_status(&running, teegon_form(keys::TEEGON_SECRET, &id)).await;
    let read: serde_json::Value = serde_json::from_str(&reply).expect("JSON");
    assert_eq!(read["result"]["order_no"], order_no.as_str());
    let status = read["result"]["trade_status"].as_str().expect("a status");
    assert!(["SUCCESS", "TRADE_SUCCESS"].contains(&status), "{status}");
    assert!(read["result"].get("amount").is_none(), "the documented answer has no amount");
    for (body, words) in [
        (teegon_form("another", &id), "签名错误"),
        (teegon_form(keys::TEEGON_SECRET, "nothing"), "订单不存在"),
        (teegon_form(keys::TEEGON_SECRET, &id).replace("client_id=s", "client_id=t"), "client_id不存在"),
    ] {
        assert_eq!(pay_status(&running, body).await, format!("{{\"error\":\"{words}\",\"result\":\"\",}}"));
    }
    let other = always(Desk::Teegon, Mishap::OtherOrder).await;
    let reply = pay_status(&other, teegon_form(keys::TEEGON_SECRET, &id)).await;
    assert!(reply.contains("trade_status") && !reply.contains(&order_no));
}

#[tokio::test]
async fn teegons_lists_have_every_charge() {
    let running = running(Vec::new()).await;
    let from = date().before().start().unix();
    let span = format!("from_time={from}&to_time={}", from + 3 * 86_400);
    let (mut offset, mut listed) = (0, BTreeSet::new());
    let count = loop {
        let path = "/v1/charge/list";
        let query =
            format!("{span}&status=paid&cols=id,amount,order_no,paid,time_paid&offset={offset}&limit=20");
        let read = extended(&running, path, &query).await;
        let items = read["result"]["Items"].as_array().expect("items").clone();
        for item in &items {
            assert_eq!(
                (item["paid"].as_i64(), item.as_object().map(serde_json::Map::len)),
                (Some(1), Some(5))
            );
            listed.insert(item["id"].as_str().expect("an id").to_owned());
        }
        offset += items.len();
        let count = read["result"]["Count"].as_u64().expect("a count");
        if items.is_empty() || offset >= usize::try_from(count).expect("few") {
            break count;
        }
    };
    assert_eq!(listed.len(), usize::try_from(count).expect("few"));
    let logged = charges();
    assert!(logged.len() > 20 && logged.iter().all(|(id, _)| listed.contains(id)));
    let (id, order_no) = &logged[0];
    let whole = extended(&running, "/v1/charge/get", &format!("id={id}")).await;
    assert_eq!(whole["result"]["orderno"], order_no.as_str());
    assert!(fen(whole["result"]["amount"].as_str().expect("yuan")) > 0);
    let journal =
        extended(&running, "/v1/account/journal/list", &format!("{span}&out_order_no={order_no}")).await;
    let kinds: Vec<&str> = journal["result"]["Items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|i| i["Journal_Type"].as_str())
        .collect();
    assert!(kinds.contains(&"income"), "{journal}");
    let url = format!("{}/v1/charge/list?client_id={CLIENT}&client_secret=guess&{span}", running.url());
    let refused = client().get(url).send().await.expect("an answer").text().await.expect("a text");
    assert!(refused.contains("client_secret错误"), "{refused}");
}

// ---------------------------------------------------------------- the folder

#[tokio::test]
async fn a_folder_for_every_room() {
    let running = running(Vec::new()).await;
    let dir = tempfile::tempdir().expect("a folder");
    let config = Site::of(&day()).write_files(dir.path(), running.addr, nightjob::domain::Lang::En);
    let text = std::fs::read_to_string(config.expect("files")).expect("a configuration");
    let read: toml::Table = text.parse().expect("TOML");
    let listed: Vec<&str> = read["paytype"].as_str().expect("pay types").split('|').collect();
    for name in ["WX", "ALI", "ALI_OS", "TIANTA", "TEEGON", "TB"] {
        assert!(listed.contains(&name), "{name} in {listed:?}");
    }
    let account = |name: &str| {
        let accounts = read["account"].as_array().expect("accounts");
        let found = accounts.iter().find(|account| account["name"].as_str() == Some(name));
        found.and_then(toml::Value::as_table).expect(name).clone()
    };
    for (name, keys) in [
        ("mall-ali1", &["key", "service", "url"][..]),
        ("mall-alios", &["key", "service", "url"]),
        ("mall-tianta", &["key", "version", "url"]),
        ("mall-teegon", &["client_secret", "extended", "url"]),
        ("mall-tb", &["path", "layout"]),
    ] {
        let account = account(name);
        assert!(keys.iter().all(|key| account.contains_key(*key)), "{account}");
        assert!(!account.contains_key("app_id") && !account.contains_key("sign_type"), "{account}");
        for value in account.values().filter_map(toml::Value::as_str) {
            if let Some(file) = value.strip_prefix("file:") {
                let length = std::fs::metadata(dir.path().join(file)).expect(file).len();
                assert!(length > 5, "{file}");
            }
        }
    }
    for file in [
        "statements/TB/2088900000000042/20240307.csv",
        "inbox/2088900000000026_transaction_20240307.txt",
        "inbox/2088900000000026_settlement_20240308.txt",
        "notices.jsonl",
    ] {
        assert!(std::fs::metadata(dir.path().join(file)).is_ok_and(|file| file.len() > 100), "{file}");
    }
    assert!(!text.contains(keys::TEEGON_SECRET) && !text.contains(keys::ALIPAY_MAPI_KEY));
}

#[test]
fn a_date_of_the_simulated_days() {
    assert_eq!(day().date(), BillDate::parse("20240307").expect("a date"));
}

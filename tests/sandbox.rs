//! The simulated providers, asked over loopback by a client that signs from the specification.

#[path = "sandbox/alipay.rs"]
mod alipay_rooms;
#[path = "sandbox/gateway.rs"]
mod gateway;
#[path = "sandbox/wechat_v3.rs"]
mod wechat_v3;
#[path = "sandbox/wechat_orders.rs"]
mod wechat_orders;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use nightjob::domain::{BillDate, EntryKind, Lang};
use nightjob::sandbox::mishap::{Desk, Mishap, Rule, Tries};
use nightjob::sandbox::{
    DayPlan, Faults, Planted, Running, Scenario, SimulatedDay, Site, keys, simulate, site, start,
};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};
use sha2::Sha256;

const DIRECT: (&str, &str, &str) = ("wx0123456789abcdef", "1900012345", keys::WECHAT_KEY);
const PROVIDER: (&str, &str, &str) = ("wxfedcba9876543210", "1900054321", keys::WECHAT_PROVIDER_KEY);

fn date() -> BillDate {
    BillDate::parse("20240307").expect("a date")
}

fn day() -> Arc<SimulatedDay> {
    let plan =
        DayPlan { orders: 60, faults: Faults::Spread(0), wild_goods: false, ..DayPlan::new(date(), 3) };
    Arc::new(simulate(&plan))
}

async fn running(rules: Vec<Rule>) -> Running {
    start(day(), rules, 0).await.expect("a free port")
}

fn client() -> reqwest::Client {
    // Only the first test of this process installs it; the others find it there.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

fn signed_xml((app_id, merchant, key): (&str, &str, &str), more: &[(&str, &str)]) -> String {
    let mut fields: BTreeMap<&str, &str> = BTreeMap::from([
        ("appid", app_id),
        ("mch_id", merchant),
        ("nonce_str", "7c1e9b0d4f6a48e2b3d5906f81a2c4e7"),
    ]);
    fields.extend(more.iter().copied());
    let text: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let sign = hex::encode_upper(Md5::digest(format!("{}&key={key}", text.join("&"))));
    let elements: String = fields.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
    format!("<xml>{elements}<sign>{sign}</sign></xml>")
}

async fn wechat(running: &Running, body: String) -> reqwest::Response {
    let url = format!("{}/pay/downloadbill", running.url());
    client().post(url).body(body).send().await.expect("an answer")
}

async fn wechat_text(running: &Running, body: String) -> String {
    wechat(running, body).await.text().await.expect("a text")
}

fn fail(code: &str, words: &str) -> String {
    format!(
        "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[{words}]]></return_msg>\
         <error_code><![CDATA[{code}]]></error_code></xml>"
    )
}

#[tokio::test]
async fn wechat_hands_out_the_bill() {
    let running = running(Vec::new()).await;
    let bill = day().statement("mall-wx", date()).expect("a bill");
    let asked = [("bill_date", "20240307"), ("bill_type", "ALL")];
    let plain = wechat(&running, signed_xml(DIRECT, &asked)).await;
    assert_eq!(plain.bytes().await.expect("a body"), bill);

    let zipped = wechat(&running, signed_xml(DIRECT, &[&asked[..], &[("tar_type", "GZIP")]].concat())).await;
    assert_eq!(zipped.headers().get("content-encoding"), None, "the gzip is payload");
    let zipped = zipped.bytes().await.expect("a body");
    let mut reader = flate2::read::GzDecoder::new(&zipped[..]);
    let mut text = Vec::new();
    reader.read_to_end(&mut text).expect("gzip");
    assert_eq!(text, bill);
    let name = reader.header().and_then(|header| header.filename()).expect("a name");
    assert_eq!(name, b"1900012345All2024-03-07.csv");
    assert_eq!(running.tries(Desk::WechatBill, "mall-wx", date()), 2);
    running.shutdown().await;
}

#[tokio::test]
async fn wechat_limits_a_providers_bill_to_the_sub_merchant() {
    let running = running(Vec::new()).await;
    let own = wechat_text(
        &running,
        signed_xml(PROVIDER, &[("bill_date", "20240307"), ("sub_mch_id", "1600098765")]),
    );
    let own = own.await;
    assert!(own.contains(",`1900054321,`1600098765,`") && !own.contains("1600055555"));
    let whole = wechat_text(&running, signed_xml(PROVIDER, &[("bill_date", "20240307")])).await;
    assert!(whole.contains(",`1900054321,`1600098765,`") && whole.contains(",`1900054321,`1600055555,`"));
}

#[tokio::test]
async fn wechat_takes_hmac_too() {
    use hmac::{Hmac, Mac};
    let running = running(Vec::new()).await;
    let text = "appid=wx0123456789abcdef&bill_date=20240307&mch_id=1900012345&nonce_str=n&sign_type=HMAC-SHA256&key=";
    let mut mac = Hmac::<Sha256>::new_from_slice(keys::WECHAT_KEY.as_bytes()).expect("a key");
    mac.update(format!("{text}{}", keys::WECHAT_KEY).as_bytes());
    let body = format!(
        "<xml><appid>wx0123456789abcdef</appid><bill_date>20240307</bill_date><mch_id>1900012345</mch_id>\
         <nonce_str>n</nonce_str><sign_type>HMAC-SHA256</sign_type><sign><![CDATA[{}]]></sign></xml>",
        hex::encode_upper(mac.finalize().into_bytes())
    );
    assert!(wechat_text(&running, body).await.starts_with("\u{feff}交易时间,"));
}

#[tokio::test]
async fn wechat_refuses_in_its_own_words() {
    let running = running(Vec::new()).await;
    let asked = ("bill_date", "20240307");
    let wrong_key = (DIRECT.0, DIRECT.1, "00000000000000000000000000000000");
    let cases = [
        (String::new(), fail("20001", "empty post data")),
        ("{}".to_owned(), fail("20001", "data format error")),
        ("<xml><appid>x</appid></xml>".to_owned(), fail("20001", "missing parameter")),
        (signed_xml(wrong_key, &[asked]), fail("20001", "sign error")),
        (signed_xml(("wx0", DIRECT.1, DIRECT.2), &[asked]), fail("20001", "invalid appid")),
        (signed_xml((DIRECT.0, "1900000000", DIRECT.2), &[asked]), fail("20001", "invalid parameter")),
        (signed_xml(DIRECT, &[asked, ("sub_mch_id", "1")]), fail("20001", "invalid parameter")),
        (signed_xml(DIRECT, &[asked, ("bill_type", "all")]), fail("20001", "invalid bill_type")),
        (
            signed_xml(DIRECT, &[asked, ("tar_type", "ZIP")]),
            fail("20001", "invalid tar_type, Only GZIP supported"),
        ),
        (signed_xml(DIRECT, &[("bill_date", "2024-03-07")]), fail("20001", "invalid bill_date")),
        (
            signed_xml(DIRECT, &[asked, ("nonce_str", "123456789012345678901234567890123")]),
            fail("20001", "nonce_str too long"),
        ),
        (
            signed_xml(DIRECT, &[("bill_date", "20240301"), ("tar_type", "GZIP")]),
            fail("20002", "No Bill Exist"),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(wechat_text(&running, body).await, expected);
    }
    let got = client().get(format!("{}/pay/downloadbill", running.url())).send().await.expect("an answer");
    assert_eq!(got.text().await.expect("a text"), fail("20001", "require POST method"));
}

/// A signed form for Alipay's gateway.
fn form(changes: &[(&str, &str)], sign_type: &str) -> String {
    let mut fields = BTreeMap::from([
        ("app_id", "2014900000000011"),
        ("method", "alipay.data.dataservice.bill.downloadurl.query"),
        ("format", "JSON"),
        ("charset", "utf-8"),
        ("sign_type", sign_type),
        ("timestamp", "2024-03-09 10:31:07"),
        ("version", "1.0"),
        ("biz_content", "{\"bill_type\":\"trade\",\"bill_date\":\"2024-03-07\"}"),
    ]);
    fields.extend(changes.iter().copied());
    fields.retain(|_, value| !value.is_empty());
    let text: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let text = text.join("&");
    let key = RsaPrivateKey::from_pkcs8_pem(keys::MERCHANT_PRIVATE_PEM).expect("a key");
    let sign = match sign_type {
        "RSA" => key.sign(Pkcs1v15Sign::new::<sha1::Sha1>(), &sha1::Sha1::digest(&text)),
        _ => key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(&text)),
    };
    let sign = STANDARD.encode(sign.expect("a signature"));
    let sign = if fields.contains_key("sign") { String::new() } else { sign };
    let mut pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    if !sign.is_empty() {
        pairs.push(format!("sign={}", escaped(&sign)));
    }
    pairs.join("&")
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn alipay(running: &Running, body: String) -> String {
    let url = format!("{}/gateway.do?charset=utf-8", running.url());
    let request =
        client().post(url).header("content-type", "application/x-www-form-urlencoded;charset=utf-8");
    request.body(body).send().await.expect("an answer").text().await.expect("a text")
}

/// The node's raw text, and whether the signature beside it is Alipay's.
fn node_of(reply: &str, sign_type: &str) -> (String, bool) {
    let (_, rest) = reply.split_once("_query_response\":").expect("a node");
    let (node, rest) = rest.rsplit_once(",\"sign\":\"").expect("a signature");
    let sign = STANDARD.decode(rest.trim_end_matches("\"}")).expect("base64");
    let key = RsaPublicKey::from_public_key_pem(keys::ALIPAY_PUBLIC_PEM).expect("a key");
    let good = match sign_type {
        "RSA" => key.verify(Pkcs1v15Sign::new::<sha1::Sha1>(), &sha1::Sha1::digest(node), &sign),
        _ => key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(node), &sign),
    };
    (node.to_owned(), good.is_ok())
}

fn url_in(node: &str) -> String {
    let read: serde_json::Value = serde_json::from_str(node).expect("JSON");
    read["bill_download_url"].as_str().expect("an address").to_owned()
}

async fn fetch(url: &str) -> (u16, Vec<u8>) {
    let got = client().get(url).send().await.expect("an answer");
    (got.status().as_u16(), got.bytes().await.expect("a body").to_vec())
}

#[tokio::test]
async fn alipay_hands_out_an_address_that_works_once() {
    let running = running(Vec::new()).await;
    for sign_type in ["RSA2", "RSA"] {
        let reply = alipay(&running, form(&[], sign_type)).await;
        let (node, good) = node_of(&reply, sign_type);
        assert!(good, "{reply}");
        assert!(
            node.starts_with(
                "{\"code\":\"10000\",\"msg\":\"Success\",\"bill_download_url\":\"http:\\/\\/127."
            )
        );
        let url = url_in(&node);
        assert!(url.contains("userId=20889000000000180156&fileType=csv.zip&bizDates=20240307&"));
        let (status, zip) = fetch(&url).await;
        assert_eq!((status, Some(zip)), (200, day().statement("mall-ali", date())));
        let (status, again) = fetch(&url).await;
        assert_eq!(status, 200);
        assert!(String::from_utf8(again).expect("text").contains("下载超时，请重新下载"));
    }
}

#[tokio::test]
async fn an_address_lives_thirty_seconds() {
    let running = running(Vec::new()).await;
    for (seconds, alive) in [(29, true), (31, false)] {
        let url = url_in(&node_of(&alipay(&running, form(&[], "RSA2")).await, "RSA2").0);
        running.advance(Duration::from_secs(seconds));
        let (status, body) = fetch(&url).await;
        assert_eq!((status, body.starts_with(b"PK\x03\x04")), (200, alive), "after {seconds} seconds");
    }
}

#[tokio::test]
async fn alipay_refuses_in_its_own_words() {
    let running = running(Vec::new()).await;
    let month = "{\"bill_type\":\"trade\",\"bill_date\":\"2024-03\"}";
    let ledger = "{\"bill_type\":\"merchant_act\",\"bill_date\":\"2024-03-07\"}";
    let old = "{\"bill_type\":\"trade\",\"bill_date\":\"2024-02-01\"}";
    type Case<'c> = (&'c [(&'c str, &'c str)], &'c str, &'c str);
    let cases: [Case<'_>; 9] = [
        (&[("sign", "AAAA")], "40002", "isv.invalid-signature"),
        (&[("charset", "gbk")], "40002", "isv.invalid-charset"),
        (&[("method", "alipay.trade.pay")], "40002", "isv.invalid-method"),
        (&[("timestamp", "now")], "40002", "isv.invalid-timestamp"),
        (&[("app_auth_token", "unknown")], "20001", "aop.invalid-app-auth-token"),
        (&[("biz_content", "")], "40001", "isv.missing-biz-content"),
        (&[("biz_content", month)], "40004", "INVAILID_ARGUMENTS"),
        (&[("biz_content", ledger)], "40004", "TYPE_NOT_SUPPORTED"),
        (&[("biz_content", old)], "40004", "NO_BILL_DATA"),
    ];
    for (changes, code, sub_code) in cases {
        let reply = alipay(&running, form(changes, "RSA2")).await;
        let (node, good) = node_of(&reply, "RSA2");
        assert!(good, "a refusal is signed: {reply}");
        let read: serde_json::Value = serde_json::from_str(&node).expect("JSON");
        assert_eq!((read["code"].as_str(), read["sub_code"].as_str()), (Some(code), Some(sub_code)));
    }
    let wrong = alipay(&running, form(&[("sign", "AAAA")], "RSA2")).await;
    assert!(
        wrong.contains("网关生成的验签字符串为：app_id=2014900000000011&biz_content={\\\"bill_type\\\""),
        "{wrong}"
    );
    for (changes, sub_code) in [
        ([("app_id", "2014000000000000")], "isv.invalid-app-id"),
        ([("timestamp", "")], "isv.missing-timestamp"),
    ] {
        let reply = alipay(&running, form(&changes, "RSA2")).await;
        assert!(reply.starts_with("{\"error_response\":{") && !reply.contains("\"sign\""), "{reply}");
        assert!(reply.contains(sub_code), "{reply}");
    }
}

#[tokio::test]
async fn an_isv_fetches_the_bill_of_the_merchant_that_authorised_it() {
    let running = running(Vec::new()).await;
    let isv = ("app_id", site::ISV_APP_ID);
    let (node, _) = node_of(&alipay(&running, form(&[isv], "RSA2")).await, "RSA2");
    assert!(node.contains("NO_BILL_DATA"), "it has none of its own");
    let (node, _) =
        node_of(&alipay(&running, form(&[isv, ("app_auth_token", site::ISV_TOKEN)], "RSA2")).await, "RSA2");
    assert!(url_in(&node).contains("userId=20889000000000180156"));
    let (node, _) =
        node_of(&alipay(&running, form(&[("app_auth_token", site::ISV_TOKEN)], "RSA2")).await, "RSA2");
    assert!(node.contains("aop.invalid-app-auth-token"), "the token is another application's");
}

/// Names and decoded texts of a zip's entries.
fn unzipped(bytes: Vec<u8>) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip");
    (0..archive.len())
        .map(|place| {
            let mut entry = archive.by_index(place).expect("an entry");
            let name = encoding_rs::GBK.decode(entry.name_raw()).0.into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("content with a right CRC");
            (name, encoding_rs::GBK.decode(&content).0.into_owned())
        })
        .collect()
}

fn fen(text: &str) -> i64 {
    nightjob::domain::money::parse_minor(text.trim(), 2).expect(text)
}

#[test]
fn alipays_file_adds_up() {
    let day = simulate(&DayPlan { orders: 1_500, ..DayPlan::new(date(), 5) });
    let files = unzipped(day.statement("mall-ali", date()).expect("a zip"));
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let stem = "20889000000000180156_20240307_业务明细";
    assert_eq!(names, [format!("{stem}.csv"), format!("{stem}(汇总).csv")]);
    let detail = &files[0].1;
    let frame = "#支付宝业务明细查询\r\n#账号：[20889000000000180156]\r\n\
                 #起始日期：[2024年03月07日 00:00:00]   终止日期：[2024年03月08日 00:00:00]\r\n";
    assert!(detail.starts_with(frame), "{}", &detail[..300]);
    let dashes = "-".repeat(41);
    assert!(detail.contains(&format!("\r\n#{dashes}业务明细列表结束{}\r\n", &dashes[..36])));
    let rows: Vec<Vec<&str>> = detail
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    assert!(rows.iter().all(|row| row.len() == 25), "a comma in a name is written full-width");
    let of_type = |wanted: &str, column: usize| -> i64 {
        rows.iter().filter(|row| row[2] == wanted).map(|row| fen(row[column])).sum()
    };
    let count = |wanted: &str| rows.iter().filter(|row| row[2] == wanted).count();
    let major = |fen: i64| nightjob::domain::money::major(fen, 2);
    for (title, wanted, received, coupons) in [
        ("交易合计", "交易\t", "商家实收共", "商家优惠共"),
        ("退款合计", "退款\t", "商家实收退款共", "商家优惠退款共"),
    ] {
        let line = format!(
            "\r\n#{title}：{}笔，{received}{}元，{coupons}{}元\r\n",
            count(wanted),
            major(of_type(wanted, 12)),
            major(of_type(wanted, 16))
        );
        assert!(detail.contains(&line), "{line}");
    }
    let last = files[1].1.lines().find(|line| line.starts_with("合计")).expect("a sum");
    let cells: Vec<&str> = last.split(',').collect();
    assert_eq!(fen(cells[5]), of_type("交易\t", 12) + of_type("退款\t", 12));
    assert_eq!(fen(cells[11]), fen(cells[5]) + fen(cells[9]));
    assert!(rows.iter().any(|row| row[2] == "退款\t" && row[21] == row[1]), "a cancellation names no refund");
}

#[test]
fn planted_amounts_stand_in_alipays_file() {
    let day = simulate(&DayPlan { faults: Faults::Each(2), ..DayPlan::new(date(), 6) });
    let files = unzipped(day.statement("mall-ali", date()).expect("a zip"));
    let rows: Vec<Vec<&str>> = files[0].1.lines().map(|line| line.split(',').collect()).collect();
    let planted: Vec<&Planted> = day.planted().iter().filter(|p| p.account == "mall-ali").collect();
    assert_eq!(planted.len(), 32);
    for planted in planted {
        let wanted = if planted.entry == EntryKind::Payment { "交易\t" } else { "退款\t" };
        let is_it = |row: &&Vec<&str>| {
            row.len() == 25
                && row[1].trim() == planted.order_no
                && row[2] == wanted
                && [planted.refund_no.as_str(), &planted.order_no].contains(&row[21].trim())
        };
        let of_it: Vec<&Vec<&str>> = rows.iter().filter(is_it).collect();
        assert_eq!(of_it.is_empty(), planted.channel_amount_minor.is_none(), "{planted:?}");
        let amount: i64 = of_it.iter().map(|row| fen(row[11])).sum();
        assert_eq!(amount, planted.channel_amount_minor.unwrap_or(0), "{planted:?}");
        assert!(of_it.is_empty() || of_it.iter().any(|row| row[0].trim() == planted.trade_no), "{planted:?}");
    }
}

#[tokio::test]
async fn transport_goes_wrong_as_scripted_and_heals() {
    let only = |number, mishap| Rule::new(Desk::WechatBill, Tries::Only(number), mishap);
    let running = running(vec![
        only(1, Mishap::Status(503)),
        only(2, Mishap::TooMany { retry_after_seconds: 7 }),
        only(3, Mishap::CutShort),
        only(4, Mishap::Html),
        only(5, Mishap::ZeroBytes),
        only(6, Mishap::Redirect),
        only(7, Mishap::Slow(Duration::from_millis(1))),
    ])
    .await;
    let body = signed_xml(DIRECT, &[("bill_date", "20240307")]);
    assert_eq!(wechat(&running, body.clone()).await.status(), 503);
    let limited = wechat(&running, body.clone()).await;
    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["retry-after"], "7");
    let cut = wechat(&running, body.clone()).await;
    assert_eq!(cut.status(), 200);
    assert!(cut.bytes().await.is_err(), "the connection broke in the body");
    assert!(wechat_text(&running, body.clone()).await.starts_with("<!DOCTYPE html>"));
    assert_eq!(wechat_text(&running, body.clone()).await, "");
    assert_eq!(wechat(&running, body.clone()).await.status(), 302);
    let bill = day().statement("mall-wx", date()).expect("a bill");
    for _ in 0..2 {
        assert_eq!(wechat(&running, body.clone()).await.bytes().await.expect("a body"), bill);
    }
    // Another account has tries of its own.
    let other = signed_xml(PROVIDER, &[("bill_date", "20240307"), ("sub_mch_id", "1600098765")]);
    assert_eq!(wechat(&running, other).await.status(), 503);
}

#[tokio::test]
async fn providers_answer_as_scripted() {
    for (mishap, words, sub_code) in [
        (Mishap::NotReady, fail("20002", "Bill Creating"), "isp.bill_not_exist"),
        (Mishap::NoBill, fail("20002", "No Bill Exist"), "NO_BILL_DATA"),
        (Mishap::Busy, fail("100", "SYSTEMERROR"), "isp.unknow-error"),
        (Mishap::Refused, fail("20007", "当前商户号账单API权限已经关闭"), "isv.insufficient-isv-permissions"),
    ] {
        let at = |desk| Rule::new(desk, Tries::First(1), mishap).on(date());
        let running = running(vec![at(Desk::WechatBill), at(Desk::AlipayGateway)]).await;
        let body = signed_xml(DIRECT, &[("bill_date", "20240307")]);
        assert_eq!(wechat_text(&running, body.clone()).await, words);
        assert!(wechat_text(&running, body).await.contains("`SUCCESS,`"), "it heals");
        let (node, good) = node_of(&alipay(&running, form(&[], "RSA2")).await, "RSA2");
        assert!(good && node.contains(sub_code), "{node}");
        let (node, _) = node_of(&alipay(&running, form(&[], "RSA2")).await, "RSA2");
        assert!(node.contains("\"10000\""), "it heals");
    }
}

#[tokio::test]
async fn hostile_answers() {
    let always = |desk, mishap| Rule::new(desk, Tries::Always, mishap);
    let body = || signed_xml(DIRECT, &[("bill_date", "20240307")]);
    let true_bill = String::from_utf8(day().statement("mall-wx", date()).expect("a bill")).expect("UTF-8");
    let told =
        async |mishap| wechat_text(&running(vec![always(Desk::WechatBill, mishap)]).await, body()).await;

    let other = told(Mishap::OtherMerchant).await;
    assert_eq!(other.replace("`1900099999,", "`1900012345,"), true_bill);
    let yesterday =
        String::from_utf8(day().statement("mall-wx", date().before()).expect("a bill")).expect("UTF-8");
    assert_eq!(told(Mishap::OtherDay).await, yesterday);
    let off = told(Mishap::TotalsOff).await;
    let differing = off.lines().zip(true_bill.lines()).filter(|(a, b)| a != b).count();
    assert_eq!(differing, 1, "only the line of totals");
    assert!(true_bill.starts_with(told(Mishap::Torn).await.trim_end_matches('\u{fffd}')));

    let wrong = running(vec![always(Desk::AlipayGateway, Mishap::WrongSignature)]).await;
    assert!(!node_of(&alipay(&wrong, form(&[], "RSA2")).await, "RSA2").1);
    let foreign = running(vec![always(Desk::AlipayGateway, Mishap::ForeignHost)]).await;
    let (node, good) = node_of(&alipay(&foreign, form(&[], "RSA2")).await, "RSA2");
    assert!(good && url_in(&node).starts_with("http://download.example.test/"));
}

#[tokio::test]
async fn alipays_file_of_an_empty_day() {
    let running = running(vec![Rule::new(Desk::AlipayGateway, Tries::Always, Mishap::EmptyFile)]).await;
    let (node, _) = node_of(&alipay(&running, form(&[], "RSA2")).await, "RSA2");
    assert!(node.contains("\"bill_file_code\":\"EMPTY_DATA_WITH_BILL_FILE\""));
    let files = unzipped(fetch(&url_in(&node)).await.1);
    assert!(files[0].1.contains("#交易合计：0笔，商家实收共0.00元，商家优惠共0.00元\r\n"), "{}", files[0].1);
}

#[tokio::test]
async fn hostile_downloads() {
    for mishap in [Mishap::OtherMerchant, Mishap::OtherDay, Mishap::TotalsOff, Mishap::Torn] {
        let running = running(vec![Rule::new(Desk::AlipayDownload, Tries::Always, mishap)]).await;
        let (node, _) = node_of(&alipay(&running, form(&[], "RSA2")).await, "RSA2");
        let (status, body) = fetch(&url_in(&node)).await;
        assert_eq!(status, 200);
        assert_ne!(Some(&body), day().statement("mall-ali", date()).as_ref(), "{mishap:?}");
        if mishap == Mishap::OtherMerchant {
            assert!(unzipped(body)[0].1.contains("#账号：[20889000000000990156]"));
        }
    }
}

#[tokio::test]
async fn a_folder_to_run_in() {
    let running = running(Scenario::Flaky.rules()).await;
    let dir = tempfile::tempdir().expect("a folder");
    let site = Site::of(&day());
    let config = site.write_files(dir.path(), running.addr, Lang::Zh).expect("files");
    let text = std::fs::read_to_string(&config).expect("a configuration");
    let read: toml::Table = text.parse().expect("TOML");
    let accounts = read["account"].as_array().expect("accounts");
    let names: Vec<&str> = accounts.iter().filter_map(|account| account["name"].as_str()).collect();
    assert_eq!(names, ["mall-wx", "mall-wx-sub", "mall-ali"]);
    assert_eq!(accounts[1]["sub_merchant"].as_str(), Some("1600098765"));
    assert!(!text.contains("PRIVATE KEY") && !text.contains(keys::WECHAT_KEY), "secrets are references");
    for account in accounts {
        for value in ["key", "private_key", "alipay_public_key"].iter().filter_map(|key| account.get(*key)) {
            let path =
                dir.path().join(value.as_str().and_then(|v| v.strip_prefix("file:")).expect("a reference"));
            assert!(std::fs::metadata(&path).is_ok_and(|file| file.len() > 0), "{}", path.display());
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{}", path.display());
            }
        }
    }
    site.write_files(dir.path(), running.addr, Lang::Zh).expect("written again");
    let nowhere = dir.path().join("nightjob.toml/below");
    let message =
        site.write_files(&nowhere, running.addr, Lang::Zh).expect_err("a file is no folder").to_string();
    assert!(message.contains("nightjob.toml"), "{message}");
}

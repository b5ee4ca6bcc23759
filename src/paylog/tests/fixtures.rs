//! The two requests that the gateway's manual prints (`spec/ttpay.md`, A.10), and the fixtures of D.9.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::*;

const FAQ_11: &str = r#"{"Header":{"TerminalType":"0","TXDate":"20161108","MallID":"*","StoreCode":"8888","BSStoreCode":"8888","TillID":"01","CashierNO":"8888","CRC":"201611081138149488885","Type":"ALI_20","Key":"","AccountMode":"1","SellerID":"8888","Token":null,"ExtParam":"{\u0027CustomerID\u0027:\u0027TECHTRANS\u0027}"},"RequestParam":{"OutID":"16110811361185933765","DynamicID":"0280833291063996793","TotalFee":"1","Subject":"中央收银","ExtParam":"{\u0027Currency\u0027:\u0027RMB\u0027,\u0027OriginalFee\u0027:\u00271\u0027}"}}"#;
const FAQ_12: &str = r#"{"Header":{"TerminalType":"0","TXDate":"20161108","MallID":"*","StoreCode":"8888","BSStoreCode":"8888","TillID":"01","CashierNO":"8888","CRC":"201611081608535251087","Type":"ALI_20","Key":"","AccountMode":"1","SellerID":"8888","Token":null,"ExtParam":"{\u0027CustomerID\u0027:\u0027TECHTRANS\u0027}"},"RequestParam":{"OutID":"1611081606507533777","TradeNO":"","TotalFee":"1","ExtParam":"{\u0027Currency\u0027:\u0027RMB\u0027,\u0027OriginalFee\u0027:\u00271\u0027}"}}"#;

const PAID: &str = r#"{"alipay_trade_pay_response":{"code":"10000","msg":"Success","buyer_logon_id":"158****1562","out_trade_no":"16110811361185933765","trade_no":"2016110821001004","total_amount":"0.01","gmt_payment":"2016-11-08 11:38:16","fund_bill_list":[{"amount":"0.01","fund_channel":"ALIPAYACCOUNT"}]},"sign":"AAAA"}"#;

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

fn faq_11(request: &str, reply: &str) -> Sample {
    Sample {
        row_id: 1,
        date: "2016-11-08 11:38:14".into(),
        req_type: "ALI_20".into(),
        action: "createandpay".into(),
        request: request.into(),
        reply: reply.into(),
        cashier: "8888".into(),
        ..Sample::default()
    }
}

fn tell(samples: &[Sample]) -> Vec<String> {
    told(&folded_by(Rules::default(), samples))
}

#[test]
fn the_printed_requests_are_the_printed_requests() {
    for (text, chars, bytes, hash, base64_length, base64_hash) in [
        (
            FAQ_11,
            505,
            513,
            "e716c4597531cac28aeef6f8ab8da836fb72db46cb0608ad4ae7d0a6c0579a8e",
            684,
            "101196752e197e759771bfe2753ae52ab40d6c41d11fc9dc0c30acc9f632b494",
        ),
        (
            FAQ_12,
            466,
            466,
            "04263a7c1df791aee830a4c642effbf480dbafdfebaec59a0337c45dd1647053",
            624,
            "70e156055fd4158debf41d10bc715450b223b436b5979061db9ba2a29fcf0d92",
        ),
    ] {
        assert_eq!((text.chars().count(), text.len()), (chars, bytes));
        assert_eq!(sha256(text), hash);
        let encoded = STANDARD.encode(text);
        assert_eq!((encoded.len(), sha256(&encoded).as_str()), (base64_length, base64_hash));
    }
}

#[test]
fn the_printed_payment_in_every_dress() {
    let expected = ["11-08 payment 16110811361185933765 - paid 0.01 2016110821001004"];
    let gbk = |text: &str| STANDARD.encode(encoding_rs::GBK.encode(text).0);
    for (what, request, reply) in [
        ("plain", FAQ_11.to_owned(), PAID.to_owned()),
        ("a blank before it", format!(" {FAQ_11}"), format!("\u{feff}{PAID}\0")),
        ("base64", STANDARD.encode(FAQ_11), STANDARD.encode(PAID)),
        ("base64 of GBK", gbk(FAQ_11), gbk(PAID)),
        ("base64 in lines", STANDARD.encode(FAQ_11).replace("ey", "ey\r\n"), PAID.to_owned()),
        ("lenient", FAQ_11.replace("\"}}", "\",},}"), PAID.replace('"', "'")),
        (
            "a line break inside",
            FAQ_11.replace("中央收银", "中央\n收银"),
            PAID.replace("Success", "Suc\tcess"),
        ),
    ] {
        assert_eq!(tell(&[faq_11(&request, &reply)]), expected, "{what}");
    }
}

#[test]
fn how_rows_were_read_is_counted() {
    let counted =
        |request: &str, reply: &str| folded_by(Rules::default(), &[faq_11(request, reply)]).counters;
    let clean = Counters { rows: 1, ..Counters::default() };
    assert_eq!(counted(FAQ_11, PAID), clean);
    assert_eq!(counted(&STANDARD.encode(FAQ_11), PAID), Counters { base64: 1, ..clean.clone() });
    assert_eq!(counted(FAQ_11, &PAID.replace("]}", "],}")), Counters { lenient: 1, ..clean.clone() });
    assert_eq!(counted(FAQ_11, &PAID[..80]), Counters { truncated: 1, ..clean.clone() });
    assert_eq!(counted(FAQ_11, "no idea"), Counters { unparsable: 1, ..clean.clone() });
    let html = "<html><head><title>502 Bad Gateway</title></head></html>";
    assert_eq!(counted(FAQ_11, html), Counters { not_acquirer_text: 1, ..clean.clone() });
    let twice = PAID.replace("\"code\":\"10000\"", "\"code\":\"10000\",\"code\":\"40004\"");
    assert_eq!(counted(FAQ_11, &twice), Counters { lenient: 1, ..clean });
    assert!(tell(&[faq_11(FAQ_11, &twice)])[0].contains(" paid "), "the first of a repeated key is kept");
}

#[test]
fn a_request_that_was_cut() {
    let cut = |text: &str, chars: usize| text.chars().take(chars).collect::<String>();
    // After 300 characters the seller is known, the order is not; the reply knows it.
    assert!(cut(FAQ_11, 300).contains("SellerID") && !cut(FAQ_11, 300).contains("OutID"));
    for (chars, order_known) in [(300, false), (500, true)] {
        let request = cut(FAQ_11, chars);
        assert_eq!(
            tell(&[faq_11(&request, PAID)]),
            ["11-08 payment 16110811361185933765 - paid 0.01 2016110821001004 salvaged"]
        );
        let lost = folded_by(Rules::default(), &[faq_11(&request, "")]);
        let unknown = "11-08 payment 16110811361185933765 - unknown 0.01 - day salvaged";
        assert_eq!(told(&lost), if order_known { vec![unknown] } else { vec![] });
        assert_eq!(lost.counters.orphans, u64::from(!order_known), "not dropped silently");
        let base64 = cut(&STANDARD.encode(FAQ_11), chars);
        assert_eq!(folded_by(Rules::default(), &[faq_11(&base64, PAID)]).counters.truncated, 1);
    }
}

#[test]
fn a_request_that_cannot_be_read_belongs_to_its_stores_seller() {
    let accounts =
        [account("one", PayType::Ali20, Some(&["8888"])), account("two", PayType::Ali20, Some(&["7"]))];
    let claims = std::sync::Arc::new(Claims::new(&accounts, &BTreeMap::new()));
    for request in ["", "garbage", &FAQ_11[..60]] {
        let mut gatherer = Gatherer::new(claims.clone(), Rules::default());
        gatherer.push(&faq_11(request, PAID).row());
        let folded = fold(vec![gatherer.finish()]);
        assert_eq!(folded.accounts[0].orders.len(), 1, "{request}");
        assert_eq!(folded.counters.account_inferred, 1);
    }
}

#[test]
fn the_printed_query_that_failed_for_its_key() {
    let mut sample = faq_11(FAQ_12, "");
    sample.action = "orderquery".into();
    sample.err = "1".into();
    sample.msg = "您使用的私钥格式错误，请检查RSA私钥配置,charset = utf-8".into();
    assert_eq!(tell(&[sample.clone()]), ["11-08 payment 1611081606507533777 - unknown 0.01 - day partial"]);
    sample.action = "createandpay".into();
    assert_eq!(tell(&[sample]), ["11-08 payment 1611081606507533777 - failed 0.01 - day"]);
}

#[test]
fn an_sdk_object_and_the_raw_text_in_it() {
    let flat = r#"{"Code":"10000","Msg":"Success","OutTradeNo":"16110811361185933765","TradeNo":"2016110821001004","TotalAmount":"0.01","GmtPayment":"2016-11-08 11:38:16","FundBillList":[{"Amount":"0.01"}],"IsError":false}"#;
    let expected = ["11-08 payment 16110811361185933765 - paid 0.01 2016110821001004"];
    assert_eq!(tell(&[faq_11(FAQ_11, flat)]), expected);
    let escaped = PAID.replace('\\', "\\\\").replace('"', "\\\"");
    let with_body = format!("{{\"Body\":\"{escaped}\",\"Code\":\"40004\",\"IsError\":false}}");
    assert_eq!(tell(&[faq_11(FAQ_11, &with_body)]), expected, "the raw text is preferred");
}

#[test]
fn what_lies_deeper_than_the_answer_is_not_the_answer() {
    let deeper = PAID
        .replace(":{\"code\"", ":{\"risk_response\":{\"code\":\"40004\",\"total_amount\":\"9.99\"},\"code\"");
    assert!(deeper.contains("risk_response"));
    assert_eq!(
        tell(&[faq_11(FAQ_11, &deeper)]),
        ["11-08 payment 16110811361185933765 - paid 0.01 2016110821001004"]
    );
}

#[test]
fn answers_of_nobody_prove_nothing() {
    for reply in [
        "<html><body>502 Bad Gateway</body></html>",
        "System.Net.WebException: 操作已超时。",
        "\"\"",
        "{}",
        "[]",
    ] {
        let lines = tell(&[faq_11(FAQ_11, reply)]);
        assert_eq!(lines, ["11-08 payment 16110811361185933765 - unknown 0.01 - day"], "{reply}");
    }
}

#[test]
fn a_dtd_is_refused() {
    let mut sample =
        faq_11(FAQ_11, "<!DOCTYPE x [<!ENTITY e 'SUCCESS'>]><xml><return_code>&e;</return_code></xml>");
    sample.req_type = "WX".into();
    assert!(tell(&[sample])[0].contains(" unknown "));
}

#[test]
fn a_story_tells_no_secrets() {
    let request =
        FAQ_11.replace("\"Key\":\"\"", "\"Key\":\"s3cret\"").replace("\"Token\":null", "\"Token\":\"t0ken\"");
    let reply = PAID
        .replace("158****1562", "13800138000")
        .replace("\"sign\"", "\"buyer_user_id\":\"2088123456789012\",\"sign\"");
    let story = describe(&faq_11(&request, &reply).row(), Rules::default());
    assert_eq!(
        story.summary,
        "OutID=16110811361185933765 TotalFee=1 CRC=201611081138149488885 DynamicID=***6793 Key=*** Token=*** → \
         code=10000 0.01 CNY"
    );
    assert_eq!(
        (story.order_no.as_str(), story.trade_no.as_str()),
        ("16110811361185933765", "2016110821001004")
    );
    assert_eq!(story.finding, Finding::Paid);
    for secret in ["s3cret", "t0ken", "0280833291063996793", "13800138000", "2088123456789012", "AAAA"] {
        assert!(!format!("{story:?}").contains(secret), "{secret}");
    }
}

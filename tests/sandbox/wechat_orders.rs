//! WeChat Pay's word about single orders: v2 in signed XML, v3 in JSON, and the gateway's copy of it.

use super::wechat_v3::{ask, every_room, everything, signed_hmac};
use super::*;
use nightjob::sandbox::Fault;

const SUB: &[(&str, &str)] = &[("sub_mch_id", "1600098765"), ("sign_type", "HMAC-SHA256")];

async fn asked(running: &Running, path: &str, body: String) -> String {
    let got = client().post(format!("{}{path}", running.url())).body(body).send().await.expect("an answer");
    got.text().await.expect("a text")
}

/// Elements of a flat reply, by the obvious search.
fn element(xml: &str, name: &str) -> String {
    let Some((_, rest)) = xml.split_once(&format!("<{name}>")) else { return String::new() };
    let (value, _) = rest.split_once(&format!("</{name}>")).expect("an end");
    value.trim_start_matches("<![CDATA[").trim_end_matches("]]>").to_owned()
}

/// Whether a reply is signed with a key, by MD5 over everything in it.
fn is_signed(xml: &str, key: &str) -> bool {
    let inner = xml.strip_prefix("<xml>").and_then(|rest| rest.strip_suffix("</xml>")).expect("a document");
    let mut pairs = BTreeMap::new();
    let mut rest = inner;
    while let Some((name, after)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        let (_, next) = after.split_once(&format!("</{name}>")).expect("an end");
        pairs.insert(name.to_owned(), element(inner, name));
        rest = next;
    }
    let sign = pairs.remove("sign").unwrap_or_default();
    let text: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    sign == hex::encode_upper(Md5::digest(format!("{}&key={key}", text.join("&"))))
}

fn planted(account: &str, fault: Fault) -> Planted {
    let day = every_room();
    let mut all = day.planted().iter().filter(|p| p.account == account && p.fault == fault);
    all.next().expect("a planted fault").clone()
}

#[tokio::test]
async fn v2_tells_the_truth_of_the_statement() {
    let running = everything(Vec::new()).await;
    for (fault, state) in [
        (Fault::LostPending, "SUCCESS"),
        (Fault::LostNoReply, "SUCCESS"),
        (Fault::GatewayOnlyPayment, "NOTPAY"),
        (Fault::ChannelReversed, "REVOKED"),
        (Fault::LostRefund, "REFUND"),
        (Fault::LogReversed, "SUCCESS"),
        (Fault::AmountPayment, "SUCCESS"),
    ] {
        let planted = planted("mall-wx", fault);
        let body = signed_xml(DIRECT, &[("out_trade_no", planted.order_no.as_str())]);
        let reply = asked(&running, "/pay/orderquery", body).await;
        assert_eq!(element(&reply, "trade_state"), state, "{fault:?}: {reply}");
        assert_eq!(element(&reply, "out_trade_no"), planted.order_no);
        assert!(is_signed(&reply, keys::WECHAT_KEY) && !is_signed(&reply, keys::WECHAT_PROVIDER_KEY));
        if state == "SUCCESS" && fault != Fault::LogReversed {
            assert_eq!(element(&reply, "total_fee").parse().ok(), planted.channel_amount_minor);
            assert_eq!(element(&reply, "transaction_id"), planted.trade_no);
            assert!(element(&reply, "time_end").starts_with("20240307"));
        }
    }
    let planted = planted("mall-wx-sub", Fault::LostFailed);
    let by_trade_no = [&[("transaction_id", planted.trade_no.as_str())], SUB].concat();
    let reply = asked(&running, "/pay/orderquery", signed_hmac(PROVIDER, &by_trade_no)).await;
    assert_eq!(element(&reply, "out_trade_no"), planted.order_no, "{reply}");
    assert_eq!(element(&reply, "sub_mch_id"), "1600098765");
    assert_eq!(element(&reply, "sign").len(), 64);
}

#[tokio::test]
async fn v2_tells_of_refunds() {
    let running = everything(Vec::new()).await;
    let planted = planted("mall-wx", Fault::LostRefund);
    for asked_by in [("out_refund_no", &planted.refund_no), ("out_trade_no", &planted.order_no)] {
        let body = signed_xml(DIRECT, &[(asked_by.0, asked_by.1.as_str())]);
        let reply = asked(&running, "/pay/refundquery", body).await;
        assert!(is_signed(&reply, keys::WECHAT_KEY), "{reply}");
        assert_eq!(element(&reply, "out_refund_no_0"), planted.refund_no);
        assert_eq!(element(&reply, "refund_status_0"), "SUCCESS");
        let fen: i64 = element(&reply, "refund_fee_0").parse().expect("fen");
        assert_eq!(Some(-fen), planted.channel_amount_minor);
        assert_eq!(element(&reply, "refund_count"), "1");
    }
    let lost = self::planted("mall-wx", Fault::GatewayOnlyRefund);
    let body = signed_xml(DIRECT, &[("out_refund_no", lost.refund_no.as_str())]);
    let reply = asked(&running, "/pay/refundquery", body).await;
    assert_eq!(element(&reply, "err_code"), "REFUNDNOTEXIST");
}

#[tokio::test]
async fn v2_refuses_who_may_not_ask() {
    let running = everything(Vec::new()).await;
    let wrong = (DIRECT.0, DIRECT.1, "00000000000000000000000000000000");
    let no = ("out_trade_no", "1");
    for (body, words) in [
        (signed_xml(wrong, &[no]), "签名错误"),
        (signed_xml(DIRECT, &[]), "缺少参数"),
        (signed_xml(("wx0", DIRECT.1, DIRECT.2), &[no]), "不匹配"),
        (signed_hmac(PROVIDER, &[no, ("sign_type", "HMAC-SHA256")]), "不匹配"),
        ("<xml></xml>".to_owned(), "data format error"),
    ] {
        for path in ["/pay/orderquery", "/pay/refundquery"] {
            let reply = asked(&running, path, body.clone()).await;
            assert_eq!(element(&reply, "return_code"), "FAIL");
            assert!(reply.contains(words), "{path}: {reply}");
        }
    }
    let reply = asked(&running, "/pay/orderquery", signed_xml(DIRECT, &[no])).await;
    assert_eq!(element(&reply, "err_code"), "ORDERNOTEXIST");
    for (mishap, good) in
        [(Mishap::WrongSignature, false), (Mishap::MissingSignature, false), (Mishap::Busy, true)]
    {
        let running = everything(vec![Rule::new(Desk::WechatOrder, Tries::Only(1), mishap)]).await;
        let reply = asked(&running, "/pay/orderquery", signed_xml(DIRECT, &[no])).await;
        assert_eq!(is_signed(&reply, keys::WECHAT_KEY), good, "{mishap:?}");
        assert_eq!(running.tries(Desk::WechatOrder, "mall-wx", date()), 1);
    }
}

#[tokio::test]
async fn v3_tells_the_same() {
    let running = everything(Vec::new()).await;
    let planted = planted("mall-wx3", Fault::AmountPayment);
    let merchant = "1900023456";
    for number in [format!("out-trade-no/{}", planted.order_no), format!("id/{}", planted.trade_no)] {
        let target = format!("/v3/pay/transactions/{number}?mchid={merchant}");
        let reply = ask(&running, &target, merchant, "").await.json();
        assert_eq!(reply["trade_state"], "SUCCESS");
        assert_eq!(reply["amount"]["total"].as_i64(), planted.channel_amount_minor);
        assert!(reply["success_time"].as_str().is_some_and(|time| time.ends_with("+08:00")));
    }
    let refund = self::planted("mall-wx3", Fault::AmountRefund);
    let target = format!("/v3/refund/domestic/refunds/{}", refund.refund_no);
    let reply = ask(&running, &target, merchant, "").await.json();
    assert_eq!(reply["amount"]["refund"].as_i64().map(|fen| -fen), refund.channel_amount_minor);
    assert_eq!(reply["out_trade_no"], refund.order_no);
    for (target, status, code) in [
        ("/v3/pay/transactions/out-trade-no/1?mchid=1900023456", 404, "ORDER_NOT_EXIST"),
        ("/v3/pay/transactions/out-trade-no/1?mchid=1900012345", 400, "PARAM_ERROR"),
        ("/v3/refund/domestic/refunds/1", 404, "RESOURCE_NOT_EXISTS"),
    ] {
        let reply = ask(&running, target, merchant, "").await;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (status, Some(code)), "{target}");
    }
}

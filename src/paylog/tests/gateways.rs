//! Replies of the gateways behind the gateway (TianTa, Teegon) and of the overseas products: both shapes, every verdict of
//! `spec/ttpay.md` D.5, the printed samples, and what they fold to.

use super::verdicts::verdicts;
use super::*;

/// A whole pay answer of Teegon, as long as the document prints it.
const CHARGE: &str = r#"{"result":{"id":"ch_7hq","domain_id":"d1","orderno":"A1","channel":"barcode_pay","amount":12.34,"real_amount":"12.30","client_ip":"127.0.0.1","currency":"RMB","subject":"cup","paid":PAID,"livemode":true,"refunded":false,"amountsettle":0,"time_paid":TIME,"time_settle":0,"created":1478566800,"transaction_no":"4200","amount_refunded":BACK,"failure_code":"","failure_msg":"","metadata":{"a":"b"},"action":{"type":"","url":"","params":""},"pay_rate":0.3}}"#;

fn charge(paid: &str, time: &str, back: &str) -> String {
    CHARGE.replace("PAID", paid).replace("TIME", time).replace("BACK", back)
}

#[test]
fn teegon_charges_are_paid_or_still_open_however_the_truth_is_written() {
    for (paid, finding) in [
        ("true", "paid"),
        ("1", "paid"),
        ("\"true\"", "paid"),
        ("\"1\"", "paid"),
        ("false", "pending"),
        ("0", "pending"),
        ("\"0\"", "pending"),
        ("null", "unknown"),
        ("\"maybe\"", "unknown"),
    ] {
        let reply = charge(paid, "1478566803", "0");
        verdicts(&format!("TEEGON pay | raw {reply} | {finding} 12.34 20161108090003"));
        verdicts(&format!("TEEGON orderquery | raw {reply} | {finding} 12.34 20161108090003"));
    }
    verdicts(&format!("TEEGON pay | raw {} | pending 12.34", charge("false", "0", "0")));
}

#[test]
fn teegon_failures_in_the_printed_form() {
    verdicts(
        r#"TEEGON pay | raw {"error":"auth code expired","result":"",} | not_paid
           TEEGON pay | raw {"error":"auth code expired","result":""} | not_paid
           TEEGON pay | raw {"error":"auth code expired","result":"error"} | not_paid
           TEEGON orderquery | raw {"error":"no such charge","result":"",} | unknown
           TEEGON refund | raw {"error":"no","result":""} | refund_unknown
           TEEGON pay | raw {"error":"","result":""} | unknown
           TEEGON pay | raw {"error":null,"result":{}} | unknown"#,
    );
}

#[test]
fn teegon_states_of_both_wallets() {
    for (state, finding) in [
        ("SUCCESS", "paid"),
        ("REFUND", "paid"),
        ("CLOSED", "not_paid_for_good"),
        ("REVOKED", "reversed"),
        ("USERPAYING", "pending"),
        ("PAYERROR", "not_paid_for_good"),
        ("WAIT_BUYER_PAY", "pending"),
        ("TRADE_CLOSED", "closed_or_refunded"),
        ("TRADE_SUCCESS", "paid"),
        ("TRADE_FINISHED", "paid"),
        ("NEWLY_INVENTED", "unknown"),
    ] {
        verdicts(&format!(
            r#"TEEGON orderquery | raw {{"result":{{"charge_id":"ch_7hq","order_no":"A1","pay_channel":"wxpay","trade_status":"{state}"}}}} | {finding}"#
        ));
    }
}

#[test]
fn a_teegon_charge_is_known_by_its_id_and_keeps_its_amount() {
    let query = r#"raw {"result":{"charge_id":"ch_7hq","order_no":"A1","pay_channel":"wxpay","trade_status":"SUCCESS"}}"#;
    check(
        &format!(
            "09:00:00 | TEEGON createandpay | OutID=A1 TotalFee=1234 | raw {}
             09:00:10 | TEEGON orderquery | OutID=A1 TotalFee=1234 | {query}",
            charge("false", "0", "0")
        ),
        "11-08 payment A1 - paid 12.34 ch_7hq day",
    );
    check(
        &format!("09:00:00 | TEEGON orderquery | OutID=A1 TotalFee=1234 | {query}"),
        "11-08 payment A1 - paid 12.34 ch_7hq day weak partial",
    );
    let other = query.replace("ch_7hq", "ch_other");
    check(
        &format!(
            "09:00:00 | TEEGON createandpay | OutID=A1 TotalFee=1200 | raw {}
             09:00:10 | TEEGON orderquery | OutID=A1 TotalFee=1200 | {other}",
            charge("false", "0", "0")
        ),
        "11-08 payment A1 - paid 12.00 ch_other day weak",
    );
}

#[test]
fn what_teegon_refunded_in_all_is_one_refund_however_often_it_is_told() {
    let told = |back: &str| format!("raw {}", charge("true", "1478566803", back));
    check(
        &format!(
            "09:00:00 | TEEGON createandpay | OutID=A1 TotalFee=1234 | {}
             10:00:00 | TEEGON orderquery | OutID=A1 | {}
             10:00:01 | TEEGON orderquery | OutID=A1 | {}
             11:00:00 | TEEGON orderquery | OutID=A1 | {}",
            told("0"),
            told("1.00"),
            told("1.00"),
            told("3.50"),
        ),
        "11-08 payment A1 - paid 12.34 ch_7hq
         11-08 refund A1 - refunded -1.00 ch_7hq day partial
         11-08 refund A1 - refunded -2.50 ch_7hq day partial",
    );
}

/// The same answer flat, as a text in `content`, and as an object there.
fn dresses(inside: &str) -> [String; 3] {
    let flat = format!("{{\"code\":\"1\",\"msg\":\"ok\",\"respType\":\"Success\",{inside}}}");
    let quoted = format!("{{{inside}}}").replace('"', "\\\"");
    let text = format!("{{\"code\":\"1\",\"resptype\":\"success\",\"content\":\"{quoted}\"}}");
    let object = format!("{{\"code\":\"1\",\"respType\":\"Success\",\"content\":{{{inside}}}}}");
    [flat, text, object]
}

#[test]
fn tianta_answers_with_the_fields_of_wechat() {
    for (asked, inside, finding) in [
        (
            "orderquery",
            r#""trade_state":"SUCCESS","total_fee":"1234","transaction_id":"4200","out_trade_no":"A1","time_end":"20161108090003""#,
            "paid 12.34 20161108090003",
        ),
        ("orderquery", r#""trade_state":"USERPAYING","out_trade_no":"A1""#, "pending"),
        ("orderquery", r#""trade_state":"NOTPAY","out_trade_no":"A1""#, "not_yet_paid"),
        ("orderquery", r#""trade_state":"REVOKED","out_trade_no":"A1""#, "reversed"),
        ("orderquery", r#""result_code":"FAIL","err_code":"ORDERNOTEXIST""#, "not_found"),
        (
            "createandpay",
            r#""return_code":"SUCCESS","result_code":"FAIL","err_code":"NOTENOUGH""#,
            "not_paid",
        ),
        ("createandpay", r#""result_code":"FAIL","err_code":"USERPAYING""#, "pending"),
        ("createandpay", r#""result_code":"FAIL","err_code":"NEWLY_INVENTED""#, "unknown"),
        ("createandpay", r#""return_code":"FAIL","result_code":"SUCCESS","total_fee":"1""#, "unknown 0.01"),
        ("refund", r#""refund_id":"50","refund_fee":"300""#, "refund_done 3.00"),
        ("refund", r#""result_code":"SUCCESS","refund_fee":"300""#, "refund_done 3.00"),
        ("refund", r#""result_code":"FAIL","err_code":"NOTENOUGH""#, "refund_failed"),
        ("refundquery", r#""refund_id":"50","refund_fee":"300","result_code":"SUCCESS""#, "nothing"),
        ("refundquery", r#""refund_id":"50","refund_fee":"300""#, "refund_done 3.00"),
        ("orderquery", r#""out_trade_no":"A1""#, "unknown"),
        ("createandpay", r#""out_trade_no":"A1""#, "unknown"),
    ] {
        for reply in dresses(inside) {
            verdicts(&format!("TIANTA {asked} | raw {reply} | {finding}"));
        }
    }
}

#[test]
fn tianta_answers_with_the_fields_of_alipay() {
    for (asked, inside, finding) in [
        (
            "orderquery",
            r#""trade_status":"TRADE_SUCCESS","total_amount":"12.34","trade_no":"2016","out_trade_no":"A1","send_pay_date":"2016-11-08 09:00:03""#,
            "paid 12.34 20161108090003",
        ),
        ("orderquery", r#""trade_status":"WAIT_BUYER_PAY""#, "pending"),
        ("orderquery", r#""trade_status":"TRADE_CLOSED""#, "closed_or_refunded"),
        ("orderquery", r#""code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST""#, "not_found"),
        ("createandpay", r#""code":"10003","out_trade_no":"A1""#, "pending"),
        ("createandpay", r#""code":"10000","total_amount":"12.34""#, "paid 12.34"),
        ("orderquery", r#""code":"10000","total_amount":"12.34""#, "unknown 12.34"),
        ("createandpay", r#""sub_code":"ACQ.BUYER_BALANCE_NOT_ENOUGH""#, "not_paid"),
        ("createandpay", r#""sub_code":"ACQ.NEWLY_INVENTED""#, "unknown"),
        ("refund", r#""fund_change":"Y","send_back_fee":"3.00""#, "refund_done 3.00"),
        ("refund", r#""fund_change":"N","refund_fee":"3.00""#, "refund_repeated 3.00"),
        ("refund", r#""send_back_fee":"3.00""#, "refund_done 3.00"),
        ("refund", r#""sub_code":"ACQ.SELLER_BALANCE_NOT_ENOUGH""#, "refund_failed"),
        ("reverse", r#""trade_status":"","action":"close","retry_flag":"N""#, "closed_by_us"),
    ] {
        let native = format!("\"response\":{{{inside}}}");
        // Flat, TianTa's own code is the first of two.
        let first = usize::from(inside.contains("\"code\""));
        for reply in dresses(inside).into_iter().skip(first).chain(dresses(&native)) {
            verdicts(&format!("TIANTA {asked} | raw {reply} | {finding}"));
        }
    }
}

#[test]
fn tiantas_own_words() {
    verdicts(
        r#"TIANTA createandpay | raw {"code":"1","msg":"","trade_no":"T9","out_trade_no":"A1","money":"1234","pay_date":"2016-11-08 09:00:03","shopname":"s","mchname":"m","pay_channel":"WECHAT","auth_code":"1"} | paid_weak 12.34 20161108090003
           TIANTA createandpay | raw {"code":1,"respType":"Success","trade_no":"T9","money":1234,"pay_date":"20161108090003","mchname":"m"} | paid_weak 12.34 20161108090003
           TIANTA createandpay | raw {"code":"1","trade_no":"T9","money":"12.34","pay_date":"soon","pay_channel":"x","mchname":"m"} | paid_weak
           TIANTA createandpay | raw {"code":"1","respType":"Success","trade_no":"T9","money":"1234"} | unknown 12.34
           TIANTA createandpay | raw {"code":"0","respType":"Fail","trade_no":"T9","money":"1234","pay_date":"20161108090003"} | unknown 12.34 20161108090003
           TIANTA createandpay | raw {"code":"15","respType":"Fail","msg":"x","status_code":"USERPAYING"} | pending
           TIANTA createandpay | raw {"code":"0","resptype":"Fail","status_code":"WAIT_BUYER_PAY"} | pending
           TIANTA createandpay | raw {"code":"0","content":""} | unknown
           TIANTA orderquery | raw {"code":"1","respType":"Success","trade_no":"T9","money":"1234","pay_date":"20161108090003"} | unknown 12.34 20161108090003
           TIANTA refund | raw {"code":"0","respType":"Fail","refund_fee":"300"} | refund_unknown 3.00
           TIANTA refund | raw {"code":"1","respType":"Success"} | refund_unknown"#,
    );
}

#[test]
fn tiantas_serial_is_not_the_providers_number() {
    let paid = r#"raw {"code":"1","trade_no":"T9","out_trade_no":"A1","money":"1234","pay_date":"2016-11-08 09:00:03","mchname":"m","pay_channel":"WECHAT"}"#;
    check(
        &format!("09:00:00 | TIANTA createandpay | OutID=A1 TotalFee=1234 | {paid}"),
        "11-08 payment A1 - paid 12.34 - weak",
    );
    let asked = r#"raw {"code":"1","respType":"Success","trade_state":"SUCCESS","total_fee":"1234","transaction_id":"4200","out_trade_no":"A1","time_end":"20161108090002"}"#;
    check(
        &format!(
            "09:00:00 | TIANTA createandpay | OutID=A1 TotalFee=1234 | {paid}
             09:00:09 | TIANTA orderquery | OutID=A1 | {asked}"
        ),
        "11-08 payment A1 - paid 12.34 4200",
    );
    let native = r#"raw {"code":"1","respType":"Success","response":{"code":"10000","trade_no":"2016","out_trade_no":"A1","total_amount":"12.34","gmt_payment":"2016-11-08 09:00:03"}}"#;
    check(
        &format!("09:00:00 | TIANTA createandpay | OutID=A1 TotalFee=1234 | {native}"),
        "11-08 payment A1 - paid 12.34 2016",
    );
}

#[test]
fn the_wallet_is_what_the_reply_tells_else_what_the_code_says() {
    let wallet = |table: &str| {
        let folded = folded(table);
        let orders = folded.accounts.iter().find(|a| !a.orders.is_empty()).expect("an order");
        orders.names.get(orders.orders[0].wallet).to_owned()
    };
    let lost = |code: &str| {
        wallet(&format!("09:00:00 | TIANTA createandpay | OutID=A1 DynamicID={code} TotalFee=1 | -"))
    };
    assert_eq!(
        [lost("0280833291063996793"), lost("134567890123456789"), lost("99")],
        ["ALIPAY", "WECHAT", ""]
    );
    let told =
        r#"raw {"code":"1","trade_no":"T9","money":"1","pay_date":"x","mchname":"m","pay_channel":"wxpay"}"#;
    let rows = format!(
        "09:00:00 | TIANTA createandpay | OutID=A1 DynamicID=280833291063996793 TotalFee=1 | -
         09:00:05 | TIANTA orderquery | OutID=A1 | {told}"
    );
    assert_eq!(wallet(&rows), "WECHAT", "the reply knows better than the code");
    assert_eq!(
        wallet("09:00:00 | WX createandpay | OutID=A1 DynamicID=134567890123456789 TotalFee=1 | -"),
        ""
    );
}

#[test]
fn wechat_overseas_counts_in_the_smallest_unit_of_its_currency() {
    let paid = |currency: &str, total: &str| {
        format!(
            "wx result_code=SUCCESS fee_type={currency} total_fee={total} transaction_id=42 time_end=20161108090003"
        )
    };
    for (currency, total, shown) in [
        ("JPY", "1500", "1500"),
        ("KRW", "18000", "18000"),
        ("USD", "1450", "14.50"),
        ("KWD", "1450", "1.450"),
    ] {
        check(
            &format!("09:00:00 | WX_OS createandpay | OutID=A1 TotalFee={total} | {}", paid(currency, total)),
            &format!("11-08 payment A1 - paid {shown} 42"),
        );
        check(
            &format!(
                "09:00:00 | WX_OS refund | OutID=A1 TotalFee={total} RefundID=R1 | wx result_code=SUCCESS fee_type={currency} out_trade_no=A1 out_refund_no=R1 refund_fee={total}"
            ),
            &format!("11-08 refund A1 R1 refunded -{shown} - day"),
        );
    }
}

fn overseas(leaves: &str) -> String {
    format!(
        "raw <?xml version=\"1.0\" encoding=\"GBK\"?><alipay><is_success>T</is_success><request><param name=\"partner_trans_id\">\
         other</param></request><response><alipay>{leaves}</alipay></response><sign>00</sign><sign_type>MD5</sign_type></alipay>"
    )
}

const OWN: &str =
    "<partner_trans_id>A1</partner_trans_id><alipay_trans_id>2016</alipay_trans_id><currency>USD</currency>";

#[test]
fn alipay_overseas_payments_and_queries() {
    let paid = format!(
        "<result_code>SUCCESS</result_code>{OWN}<trans_amount>12.34</trans_amount><trans_amount_cny>84.55</trans_amount_cny>\
         <exchange_rate>6.85</exchange_rate><alipay_pay_time>20161108090003</alipay_pay_time>"
    );
    let state = |state: &str| format!("{paid}<alipay_trans_status>{state}</alipay_trans_status>");
    let failed = |error: &str| {
        format!("<result_code>FAILED</result_code><detail_error_code>{error}</detail_error_code>")
    };
    let told = "12.34 20161108090003";
    for (asked, leaves, finding) in [
        ("createandpay", paid.clone(), format!("paid {told}")),
        ("scan", paid.clone(), format!("paid {told}")),
        ("createandpay", format!("<result_code>UNKNOW</result_code>{OWN}"), "unknown".into()),
        (
            "createandpay",
            "<result_code>UNKNOW</result_code><error>SYSTEM_ERROR</error>".into(),
            "unknown".into(),
        ),
        ("createandpay", failed("SYSTEM_ERROR"), "unknown".into()),
        ("createandpay", failed("BUYER_BALANCE_NOT_ENOUGH"), "not_paid".into()),
        ("createandpay", failed("TRADE_HAS_SUCCESS"), "paid_weak".into()),
        ("createandpay", failed("NEWLY_INVENTED"), "unknown".into()),
        ("orderquery", state("WAIT_BUYER_PAY"), format!("pending {told}")),
        ("orderquery", state("TRADE_SUCCESS"), format!("paid {told}")),
        ("orderquery", state("TRADE_CLOSED"), format!("closed_or_refunded {told}")),
        ("orderquery", state("NEWLY_INVENTED"), format!("unknown {told}")),
        ("orderquery", failed("TRADE_NOT_EXIST"), "not_found".into()),
    ] {
        verdicts(&format!("ALI_OS {asked} | {} | {finding}", overseas(&leaves)));
    }
    verdicts("ALI_OS createandpay | ali1 is_success=F error=ILLEGAL_SIGN | not_sent");
}

#[test]
fn alipay_overseas_refunds_and_reversals() {
    let done = format!("<result_code>SUCCESS</result_code>{OWN}");
    for (asked, leaves, finding) in [
        (
            "refund",
            format!("{done}<partner_refund_id>R1</partner_refund_id><refund_amount>3.00</refund_amount>"),
            "refund_done 3.00",
        ),
        ("refund", "<result_code>UNKNOW</result_code><error>SYSTEM_ERROR</error>".into(), "refund_unknown"),
        (
            "refund",
            "<result_code>FAILED</result_code><error>SELLER_BALANCE_NOT_ENOUGH</error>".into(),
            "refund_failed",
        ),
        ("reverse", done.clone(), "reversed"),
        ("cancel", format!("{done}<action>close</action><retry_flag>N</retry_flag>"), "closed_by_us"),
    ] {
        verdicts(&format!("ALI_OS {asked} | {} | {finding}", overseas(&leaves)));
    }
}

#[test]
fn alipay_overseas_folds_in_its_own_currency() {
    let own = "<partner_trans_id>A1</partner_trans_id><alipay_trans_id>2016</alipay_trans_id>";
    let paid = overseas(&format!(
        "<result_code>SUCCESS</result_code>{own}<trans_amount>1500.00</trans_amount><currency>JPY</currency><alipay_pay_time>20161108090003</alipay_pay_time>"
    ));
    let refund = overseas(&format!(
        "<result_code>SUCCESS</result_code>{own}<partner_refund_id>R1</partner_refund_id><refund_amount>500.00</refund_amount><currency>JPY</currency>"
    ));
    check(
        &format!(
            "09:00:00 | ALI_OS createandpay | OutID=A1 TotalFee=1500 | {paid}
             10:00:00 | ALI_OS refund | OutID=A1 TotalFee=500 | {refund}"
        ),
        "11-08 payment A1 - paid 1500 2016
         11-08 refund A1 R1 refunded -500 2016 day",
    );
    // The gateway's own refusal is Alipay's, in the words of 1.0: no other family.
    check(
        "09:00:00 | ALI_OS createandpay | OutID=A1 TotalFee=1500 | ali1 is_success=F error=ILLEGAL_SIGN",
        "11-08 payment A1 - failed 15.00 - day",
    );
}

#[test]
fn alipay_one_with_two_fund_bills_is_read_without_remark() {
    let reply = "<alipay><is_success>T</is_success><response><alipay><result_code>ORDER_SUCCESS_PAY_SUCCESS</result_code>\
                 <out_trade_no>A1</out_trade_no><trade_no>2016</trade_no><total_fee>1.50</total_fee><fund_bill_list><TradeFundBill>\
                 <amount>1.00</amount><fund_channel>10</fund_channel></TradeFundBill><TradeFundBill><amount>0.50</amount>\
                 </TradeFundBill></fund_bill_list></alipay></response></alipay>";
    let folded = folded(&format!("09:00:00 | ALI createandpay | OutID=A1 TotalFee=150 | raw {reply}"));
    assert_eq!(told(&folded), ["11-08 payment A1 - paid 1.50 2016 day"]);
    assert_eq!(folded.counters, Counters { rows: 1, ..Counters::default() });
}

#[test]
fn every_local_error_of_the_manual_stops_the_request_before_money() {
    for text in [
        "ORA-00942: 表或视图不存在",
        "表或视图不存在",
        "执行异常，支付通信异常：TLLEGAL_PAETNER，是否重新选择支付方式？",
        "ILLEGAL_PARTNER",
        "账号不存在",
        "您使用的私钥格式错误，请检查RSA私钥配置,charset~=~utf-8",
        "ORA-02289",
        "序列EB_OUTID_SEQUENCE不存在",
        "LicenseCheck",
        "HAS_NO_PRIVILEGE",
        "HASH_NO_PRIVILEGE",
        "ILLEGAL_SIGN",
        "ILLEGAL_ARGUMENT",
        "ILLEGAL_SERVICE",
        "ILLEGAL_SIGN_TYPE",
        "ILLEGAL_FEE_PARAM",
        "ILLEGAL_LOGISTICS_FORMAT",
        "ILLEGAL_EXTERFACE",
        "ILLEGAL_CHARSET",
        "ILLEGAL_PAYMENT_TYPE",
        "seller_not_in_specified_sellers",
        "SELLER_NOT_EXIST",
        "BUYER_SELLER_EQUAL",
        "TRADE_DATA_MATCH_ERROR",
        "业务数据被篡改",
    ] {
        verdicts(&format!("ALI createandpay | err 1 {text} | not_sent"));
        verdicts(&format!("ALI createandpay | err 0 {text} | unknown"));
        verdicts(&format!("ALI orderquery | err 1 {text} | unknown"));
    }
    verdicts("ALI createandpay | err 1 TRADE_NOT_ALLOWED_PAY | unknown");
}

#[test]
fn taobao_rows_are_known_by_their_own_name_and_by_the_configured_one() {
    let claims = |names: &[(&str, PayType)]| {
        let accounts = [account("tb", PayType::Tb, None)];
        let names = names.iter().map(|(name, pay)| ((*name).to_owned(), *pay)).collect();
        std::sync::Arc::new(Claims::new(&accounts, &names))
    };
    for (req_type, names) in [("TB", &[][..]), ("tb_code", &[("TB_CODE", PayType::Tb)])] {
        let mut gatherer = Gatherer::new(claims(names), Rules::default());
        let row = format!("09:00:00 | {req_type} createandpay | OutID=A1 TotalFee=100 | raw {{\"x\":1}}");
        gatherer.push(&samples(&row)[0].row());
        let folded = fold(vec![gatherer.finish()]);
        assert_eq!(told(&folded), ["11-08 payment A1 - unknown 1.00 - day"], "{req_type}");
        assert!(folded.counters.unknown_types.is_empty());
    }
}

//! Payments and reversals folded (`spec/ttpay.md`, D.6).

use super::*;

const PAID: &str =
    "wx result_code=SUCCESS out_trade_no=A1 total_fee=100 transaction_id=42 time_end=20161108090003";

#[test]
fn a_payment_and_its_query() {
    check(
        "09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | wx result_code=FAIL err_code=USERPAYING
         09:00:10 | WX orderquery | OutID=A1 TotalFee=100 | wx result_code=SUCCESS trade_state=USERPAYING out_trade_no=A1
         09:00:20 | WX orderquery | OutID=A1 TotalFee=100 | wx result_code=SUCCESS trade_state=SUCCESS out_trade_no=A1 transaction_id=42 total_fee=100 time_end=20161108090015
         09:01:00 | ALI createandpay | OutID=B1 TotalFee=150 | ali1 result_code=ORDER_SUCCESS_PAY_INPROCESS out_trade_no=B1 trade_no=2016
         09:01:10 | ALI orderquery | OutID=B1 | ali1 result_code=SUCCESS trade_status=TRADE_SUCCESS out_trade_no=B1 trade_no=2016 total_fee=1.50
         09:02:00 | ALI_20 createandpay | OutID=C1 TotalFee=100 | ali20 pay code=10003 out_trade_no=C1
         09:02:10 | ALI_20 orderquery | OutID=C1 | ali20 query code=10000 out_trade_no=C1 trade_no=2017 trade_status=TRADE_SUCCESS total_amount=1.00 send_pay_date=2016-11-08~09:02:08",
        "11-08 payment A1 - paid 1.00 42
         11-08 payment B1 - paid 1.50 2016 day
         11-08 payment C1 - paid 1.00 2017",
    );
}

#[test]
fn what_stays_open_is_not_failed() {
    check(
        "09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | wx result_code=FAIL err_code=USERPAYING
         09:00:10 | WX createandpay | OutID=A2 TotalFee=100 | wx result_code=FAIL err_code=SYSTEMERROR
         09:00:20 | ALI_20 createandpay | OutID=A3 TotalFee=100 | ali20 pay code=20000
         09:00:30 | WX createandpay | OutID=A4 TotalFee=100 | -
         09:00:40 | WX createandpay | OutID=A5 TotalFee=100 | wx result_code=FAIL err_code=NOTENOUGH
         09:00:50 | WX createandpay | OutID=A6 TotalFee=100 | wx result_code=FAIL err_code=NEWLY_INVENTED",
        "11-08 payment A1 - pending 1.00 - day
         11-08 payment A2 - unknown 1.00 - day
         11-08 payment A4 - unknown 1.00 - day
         11-08 payment A5 - failed 1.00 - day
         11-08 payment A6 - unknown 1.00 - day
         11-08 payment A3 - unknown 1.00 - day",
    );
}

#[test]
fn a_late_failure_does_not_undo_money() {
    for late in [
        "createandpay | OutID=A1 TotalFee=100 | wx result_code=FAIL err_code=ORDERPAID",
        "createandpay | OutID=A1 TotalFee=100 | wx result_code=FAIL err_code=AUTHCODEEXPIRE",
        "createandpay | OutID=A1 TotalFee=100 | -",
        "orderquery | OutID=A1 | wx result_code=FAIL err_code=ORDERNOTEXIST",
        "orderquery | OutID=A1 | wx result_code=SUCCESS trade_state=NOTPAY",
        "orderquery | OutID=A1 | wx result_code=SUCCESS trade_state=PAYERROR",
    ] {
        for (first, second) in [("09:00:00", "09:05:00"), ("09:05:00", "09:00:00"), ("09:00:00", "09:00:00")]
        {
            check(
                &format!("{first} | WX createandpay | OutID=A1 TotalFee=100 | {PAID}\n{second} | WX {late}"),
                "11-08 payment A1 - paid 1.00 42",
            );
        }
    }
}

#[test]
fn a_retry_that_says_orderpaid() {
    check(
        "09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | -
         09:00:30 | WX createandpay | OutID=A1 TotalFee=100 | wx result_code=FAIL err_code=ORDERPAID",
        "11-08 payment A1 - paid 1.00 - day weak",
    );
}

#[test]
fn not_found_is_believed_a_minute_after_the_last_attempt() {
    for (at, state) in [("09:00:59", "unknown"), ("09:01:00", "failed")] {
        check(
            &format!(
                "09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | -
                 {at} | WX orderquery | OutID=A1 | wx result_code=FAIL err_code=ORDERNOTEXIST"
            ),
            &format!("11-08 payment A1 - {state} 1.00 - day"),
        );
    }
    check(
        "09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | -
         09:05:00 | WX orderquery | OutID=A1 | wx result_code=FAIL err_code=ORDERNOTEXIST
         09:06:00 | WX createandpay | OutID=A1 TotalFee=100 | -",
        "11-08 payment A1 - unknown 1.00 - day",
    );
}

#[test]
fn two_successes_that_differ() {
    let other = PAID.replace("transaction_id=42", "transaction_id=43");
    check(
        &format!(
            "09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | {PAID}
             09:01:00 | WX createandpay | OutID=A1 TotalFee=100 | {other}"
        ),
        "11-08 payment A1 - paid 1.00 42 conflict
         11-08 payment A1 - paid 1.00 43 conflict",
    );
    let more = PAID.replace("total_fee=100", "total_fee=200");
    check(
        &format!(
            "09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | {PAID}
             09:01:00 | WX orderquery | OutID=A1 TotalFee=100 | {more} trade_state=SUCCESS"
        ),
        "11-08 payment A1 - paid 1.00 42 conflict",
    );
}

#[test]
fn one_transaction_under_two_order_numbers() {
    let other = PAID.replace("out_trade_no=A1", "out_trade_no=A2");
    check(
        &format!(
            "09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | {PAID}
             09:01:00 | WX createandpay | OutID=A2 TotalFee=100 | {other}"
        ),
        "11-08 payment A1 - paid 1.00 42 conflict
         11-08 payment A2 - paid 1.00 42 conflict",
    );
}

#[test]
fn a_refund_of_a_transaction_with_two_orders_is_joined_whatever_the_order_of_rows() {
    let other = PAID.replace("out_trade_no=A1", "out_trade_no=A2");
    let rows = [
        format!("WX createandpay | OutID=A1 TotalFee=100 | {PAID}"),
        format!("WX createandpay | OutID=A2 TotalFee=100 | {other}"),
    ];
    for [first, second] in [[0, 1], [1, 0]] {
        let table = format!(
            "09:00:00 | {}\n09:00:00 | {}\n10:00:00 | WX refund | OutID=R1 TradeNO=42 TotalFee=100 | -",
            rows[first], rows[second]
        );
        let refunds: Vec<String> =
            told(&folded(&table)).into_iter().filter(|l| l.contains("refund")).collect();
        assert_eq!(refunds, ["11-08 refund A1 R1 unknown -1.00 42 day"]);
    }
}

#[test]
fn a_row_that_names_nothing_and_is_read_twice_is_one() {
    let row = "09:00:00 | WX createandpay | TotalFee=100 | wx result_code=SUCCESS total_fee=100";
    let once = samples(row);
    let twice = [once.clone(), once].concat();
    assert_eq!(told(&folded_by(Rules::default(), &twice)), ["11-08 payment - - paid 1.00 - day"]);
}

#[test]
fn a_reply_that_is_another_orders() {
    let crossed = PAID.replace("out_trade_no=A1", "out_trade_no=A9");
    check(
        &format!("09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | {crossed}"),
        "11-08 payment A9 - paid 1.00 42 conflict",
    );
}

#[test]
fn amounts_that_differ() {
    check(
        "09:00:00 | WX createandpay | OutID=A1 TotalFee=120 | wx result_code=SUCCESS total_fee=100 transaction_id=42
         09:01:00 | WX createandpay | OutID=A2 TotalFee=100 | -
         09:01:20 | WX createandpay | OutID=A2 TotalFee=130 | wx result_code=FAIL err_code=NOTENOUGH
         09:02:00 | WX createandpay | OutID=A3 TotalFee=100 | wx result_code=SUCCESS transaction_id=43",
        "11-08 payment A1 - paid 1.00 42 day fee
         11-08 payment A2 - unknown 1.00 - day varied
         11-08 payment A3 - paid 1.00 43 day weak",
    );
}

#[test]
fn a_reversal_after_an_unknown_outcome_may_go_either_way() {
    check(
        "09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | wx result_code=FAIL err_code=SYSTEMERROR
         09:00:30 | WX reverse | OutID=A1 | wx result_code=SUCCESS recall=N",
        "11-08 payment A1 - reversed 1.00 - day either
         11-08 reversal A1 - reversed -1.00 - day either",
    );
}

#[test]
fn a_reversal_after_a_failure_returns_nothing() {
    check(
        "09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | wx result_code=FAIL err_code=NOTENOUGH
         09:00:30 | WX reverse | OutID=A1 | wx result_code=SUCCESS recall=N",
        "11-08 payment A1 - closed 1.00 - day",
    );
}

#[test]
fn reversals_of_what_was_paid() {
    let paid = format!("09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | {PAID}");
    for (row, reversal) in [
        ("WX reverse | OutID=A1 | wx result_code=SUCCESS recall=N", "reversed -1.00 42 day"),
        (
            "WX orderquery | OutID=A1 | wx result_code=SUCCESS trade_state=REVOKED total_fee=100 time_end=20161108090003",
            "reversed -1.00 42 day",
        ),
        ("WX reverse | OutID=A1 | wx result_code=SUCCESS recall=Y", "unknown -1.00 42 day"),
        ("WX reverse | OutID=A1 | -", "unknown -1.00 42 day"),
        ("WX reverse | OutID=A1 | err 9 账号不存在", "failed -1.00 42 day"),
        (
            "WX orderquery | OutID=A1 | wx result_code=SUCCESS trade_state=CLOSED",
            "reversed -1.00 42 day either",
        ),
    ] {
        check(
            &format!("{paid}\n10:00:00 | {row}"),
            &format!("11-08 payment A1 - paid 1.00 42\n11-08 reversal A1 - {reversal}"),
        );
    }
    check(
        &format!(
            "{paid}
             10:00:00 | WX reverse | OutID=A1 | wx result_code=SUCCESS recall=Y
             10:00:05 | WX reverse | OutID=A1 | wx result_code=SUCCESS recall=N"
        ),
        "11-08 payment A1 - paid 1.00 42
         11-08 reversal A1 - reversed -1.00 42 day",
    );
}

#[test]
fn alipay_trade_closed() {
    let paid = "09:00:00 | ALI_20 createandpay | OutID=B1 TotalFee=100 | ali20 pay code=10000 out_trade_no=B1 trade_no=2016 total_amount=1.00\n";
    let pending = "09:00:00 | ALI_20 createandpay | OutID=B1 TotalFee=100 | ali20 pay code=10003\n";
    let closed = "10:00:00 | ALI_20 orderquery | OutID=B1 | ali20 query code=10000 trade_status=TRADE_CLOSED";
    check(
        &format!("{paid}{closed}"),
        "11-08 payment B1 - paid 1.00 2016 day
         11-08 reversal B1 - reversed -1.00 2016 day either",
    );
    check(
        &format!("{pending}{closed}"),
        "11-08 payment B1 - reversed 1.00 - day either
         11-08 reversal B1 - reversed -1.00 - day either",
    );
    check(
        &format!("{pending}{closed} trade_no=2016 total_amount=1.00 send_pay_date=2016-11-08~09:00:30"),
        "11-08 payment B1 - paid 1.00 2016
         11-08 reversal B1 - reversed -1.00 2016 day either",
    );
    check(
        &format!("{pending}{closed} additional_trade_status=DAEMON_CONFIRM_CLOSE"),
        "11-08 payment B1 - closed 1.00 - day",
    );
    let refund = "09:30:00 | ALI_20 refund | OutID=B1 TotalFee=100 RefundID=R1 | ali20 refund code=10000 out_trade_no=B1 refund_fee=1.00 fund_change=Y\n";
    check(
        &format!("{paid}{refund}{closed}"),
        "11-08 payment B1 - paid 1.00 2016 day
         11-08 refund B1 R1 refunded -1.00 2016 day",
    );
}

#[test]
fn the_providers_day_is_the_day() {
    check(
        "23:59:58 | WX createandpay | OutID=A1 TotalFee=100 | wx result_code=SUCCESS total_fee=100 transaction_id=42 time_end=20161109000003
         23:59:59 | WX createandpay | OutID=A2 TotalFee=100 | wx result_code=SUCCESS total_fee=100 transaction_id=43",
        "11-08 payment A2 - paid 1.00 43 day
         11-09 payment A1 - paid 1.00 42",
    );
}

#[test]
fn a_query_without_its_payment_asks_for_older_rows() {
    let folded = folded(
        "09:00:00 | WX orderquery | OutID=A1 TotalFee=100 | wx result_code=SUCCESS trade_state=NOTPAY
         09:00:10 | WX orderquery | OutID=A2 TotalFee=100 | wx result_code=SUCCESS trade_state=SUCCESS total_fee=100 transaction_id=42 time_end=20161107235900
         09:00:20 | WX orderquery | OutID=A3 TotalFee=100 | -",
    );
    assert_eq!(
        told(&folded),
        [
            "11-07 payment A2 - paid 1.00 42 partial",
            "11-08 payment A1 - pending 1.00 - day partial",
            "11-08 payment A3 - unknown 1.00 - day partial",
        ]
    );
    assert_eq!(folded.look_back, ["A1", "A3"]);
}

#[test]
fn an_order_number_used_for_two_accounts() {
    let other = PAID.replace("transaction_id=42", "transaction_id=43");
    check(
        &format!(
            "09:00:00 | WX createandpay | OutID=A1 TotalFee=100 seller=8888 | {PAID}
             09:00:10 | WX createandpay | OutID=A1 TotalFee=100 seller=9999 | {other}"
        ),
        "11-08 payment A1 - paid 1.00 42 reuse
         11-08 payment A1 - paid 1.00 43 reuse",
    );
}

#[test]
fn sellers_that_share_an_account_share_its_orders() {
    check(
        "09:00:00 | ALI_20 createandpay | OutID=B1 TotalFee=100 seller=1 | -
         09:00:30 | ALI_20 createandpay | OutID=B1 TotalFee=100 seller=2 | ali20 pay code=40004 sub_code=ACQ.TRADE_HAS_SUCCESS",
        "11-08 payment B1 - paid 1.00 - day weak reuse",
    );
}

#[test]
fn the_same_number_with_wechat_and_alipay_is_no_reuse() {
    check(

            "09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | wx result_code=FAIL err_code=NOTENOUGH
             09:00:30 | ALI_20 createandpay | OutID=A1 TotalFee=100 | ali20 pay code=10000 trade_no=2016 total_amount=1.00",
        "11-08 payment A1 - failed 1.00 - day
         11-08 payment A1 - paid 1.00 2016 day",
    );
}

#[test]
fn a_till_upgraded_from_ali_to_ali_20_has_one_order() {
    check(
        "09:00:00 | ALI createandpay | OutID=A1 TotalFee=100 | ali1 is_success=F error=ILLEGAL_PARTNER
         09:00:30 | ALI_20 createandpay | OutID=A1 TotalFee=100 | ali20 pay code=10000 trade_no=2016 total_amount=1.00",
        "11-08 payment A1 - paid 1.00 2016 day",
    );
}

#[test]
fn rows_without_an_order_number_are_kept_if_they_hold_money() {
    let folded = folded(
        "09:00:00 | WX orderquery | TradeNO=42 | wx result_code=SUCCESS trade_state=SUCCESS total_fee=100 transaction_id=42 time_end=20161108085900
         09:00:10 | WX orderquery | TradeNO=43 | -
         09:00:20 | WX createandpay | TotalFee=100 | wx result_code=SUCCESS total_fee=100
         09:00:30 | WX createandpay | TotalFee=100 | wx result_code=SUCCESS total_fee=100
         09:00:40 | WX createandpay | TotalFee=100 | -
         09:01:00 | WX createandpay | OutID=A1 TotalFee=100 | wx result_code=SUCCESS total_fee=100 transaction_id=44
         09:02:00 | WX reverse | TradeNO=44 | wx result_code=SUCCESS recall=N",
    );
    assert_eq!(
        told(&folded),
        [
            "11-08 payment - - paid 1.00 42 partial",
            "11-08 payment - - paid 1.00 - day",
            "11-08 payment - - paid 1.00 - day",
            "11-08 payment A1 - paid 1.00 44 day",
            "11-08 reversal A1 - reversed -1.00 44 day",
        ]
    );
    assert_eq!(folded.counters.orphans, 5);
}

#[test]
fn rows_that_are_not_orders_are_counted() {
    let mut rows = samples(&format!(
        "09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | {PAID}
         09:00:01 | WX downloadbill | OutID= | raw whatever
         09:00:02 | WX orderquery | OutID=A1 | {PAID} trade_state=SUCCESS
         09:00:03 | QQ createandpay | OutID=Q1 | -
         09:00:04 | QQ createandpay | OutID=Q2 | -
         09:00:05 | WX print_receipt | OutID=A7 | -
         09:00:06 | WX createandpay | OutID=A8 TotalFee=1.00 | -"
    ));
    rows[2].cashier = "NIGHTJOB".into();
    let mut undated = samples("soon | WX createandpay | OutID=A9 crc=none | -");
    undated[0].date = "soon".into();
    rows.append(&mut undated);
    let folded = folded_by(Rules::default(), &rows);
    assert_eq!(told(&folded), ["11-08 payment A1 - paid 1.00 42", "11-08 payment A8 - unknown ? - day"]);
    let expected = Counters {
        rows: 8,
        own_rows: 2,
        unparsable: 1,
        bad_fees: 1,
        undated: 1,
        unknown_actions: vec![("print_receipt".into(), 1)],
        unknown_types: vec![("QQ".into(), 2)],
        ..Counters::default()
    };
    assert_eq!(folded.counters, expected);
    let time = |text: &str| Moment::parse(text);
    assert_eq!((folded.first, folded.last), (time("2016-11-08 09:00:00"), time("2016-11-08 09:00:06")));
}

#[test]
fn orders_that_no_account_claims_are_named() {
    let folded = folded(
        "09:00:00 | WX createandpay | OutID=A1 TotalFee=100 seller=5 | wx result_code=SUCCESS total_fee=100 transaction_id=42
         09:00:01 | WX createandpay | OutID=A2 TotalFee=100 seller=5 | -
         09:00:02 | WX refund | OutID=A1 TotalFee=30 seller=5 RefundID=R1 | wx result_code=SUCCESS out_refund_no=R1 refund_fee=30
         09:00:03 | WX createandpay | OutID=A3 TotalFee=100 seller=6 | wx result_code=SUCCESS total_fee=100 transaction_id=43
         2016-11-09 09:00:00 | WX createandpay | OutID=A4 TotalFee=100 seller=5 | -
         09:00:04 | TB createandpay | OutID=T1 TotalFee=100 seller=5 | raw {\"x\":1}",
    );
    assert_eq!(told(&folded), Vec::<String>::new());
    let named: Vec<String> = folded
        .unclaimed
        .iter()
        .map(|u| format!("{} {} {} {} {}", u.day, u.seller, u.req_type, u.orders, u.successes_minor))
        .collect();
    assert_eq!(
        named,
        ["2016-11-08 5 TB 1 0", "2016-11-08 5 WX 2 70", "2016-11-08 6 WX 1 100", "2016-11-09 5 WX 1 0"]
    );
    assert!(folded.look_back.is_empty());
}

#[test]
fn header_and_columns_that_disagree() {
    let mut rows = samples(&format!("09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | {PAID}"));
    rows[0].request = rows[0].request.replace("\"TillID\":\"01\"", "\"TillID\":\"02\"");
    let folded = folded_by(Rules::default(), &rows);
    assert_eq!(told(&folded), ["11-08 payment A1 - paid 1.00 42 header"]);
    let orders = &folded.accounts[0];
    assert_eq!(orders.names.get(orders.orders[0].till), "01", "the column is kept");
    assert_eq!(orders.names.get(orders.orders[0].seller), "8888");
}

#[test]
fn another_currency() {
    let folded = folded(
        "09:00:00 | WX_OS createandpay | OutID=A1 TotalFee=1000 | wx result_code=SUCCESS total_fee=1000 fee_type=JPY transaction_id=42
         09:00:01 | WX_OS createandpay | OutID=A2 TotalFee=1000 | wx result_code=SUCCESS total_fee=1000 fee_type=HKD transaction_id=43",
    );
    assert_eq!(
        told(&folded),
        ["11-08 payment A1 - paid 1000 42 day", "11-08 payment A2 - paid 10.00 43 day"]
    );
    assert_eq!(folded.accounts[2].orders[0].currency.as_str(), "JPY");
}

/// One paid Alipay order a line: `order TotalFee total_amount`.
fn paid_orders(orders: &str) -> Vec<Sample> {
    let rows = orders.lines().map(|line| {
        let [order, fee, paid] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        format!("09:00:00 | ALI_20 createandpay | OutID={order} TotalFee={fee} | ali20 pay code=10000 trade_no=T{order} total_amount={paid}\n")
    });
    samples(&rows.collect::<String>())
}

#[test]
fn total_fee_in_the_wrong_unit() {
    let fen = Rules::default();
    let yuan = Rules { amount_unit: AmountUnit::Yuan, ..fen };
    let claim = |rules, orders: &str| {
        let claim = folded_by(rules, &paid_orders(orders)).factor_hundred[1].clone();
        claim.map(|c| format!("{} {} {}", c.order_no, c.total_fee, c.provider_minor))
    };
    assert_eq!(claim(fen, "A2 3 3.00\nA1 5 5.00").as_deref(), Some("A1 5 500"));
    assert_eq!(claim(yuan, "A1 300 3.00").as_deref(), Some("A1 300.00 300"));
    assert_eq!(claim(yuan, "A1 3.00 3.00\nA2 4 4.00"), None);
    assert_eq!(claim(fen, "A1 300 3.00\nA2 500 5.00"), None);
    assert_eq!(
        claim(fen, "A1 300 3.00\nA2 500 5.00\nA3 7 7.00"),
        None,
        "one order that is off stops nobody's night"
    );
    assert_eq!(claim(fen, "A1 300 3.00\nA3 7 7.00\nA4 8 8.00").as_deref(), Some("A3 7 700"));
    assert_eq!(claim(fen, "A1 300 3.00\nA2 7 7.00"), None, "as many that agree");
    assert_eq!(claim(fen, "A1 0 0.00"), None);
    assert_eq!(claim(fen, "A1 301 3.00"), None);
}

#[test]
fn the_clocks_are_compared_by_their_median() {
    let folded = folded(
        "09:00:05 | WX createandpay | OutID=A1 TotalFee=1 | wx result_code=SUCCESS total_fee=1 time_end=20161108090003
         09:02:03 | WX createandpay | OutID=A2 TotalFee=1 | wx result_code=SUCCESS total_fee=1 time_end=20161108090200
         09:09:03 | WX createandpay | OutID=A3 TotalFee=1 | wx result_code=SUCCESS total_fee=1 time_end=20161108080000
         09:10:00 | WX orderquery | OutID=A3 TotalFee=1 | wx result_code=SUCCESS trade_state=SUCCESS total_fee=1 time_end=20161107080000",
    );
    assert_eq!(folded.skew_seconds, Some(3));
    assert_eq!(super::folded("09:00:00 | WX createandpay | OutID=A1 | -").skew_seconds, None);
}

#[test]
fn nothing_gathered_is_nothing_folded() {
    let folded = fold(Vec::new());
    assert!(folded.accounts.is_empty() && folded.unclaimed.is_empty() && folded.first.is_none());
    assert_eq!(super::folded("").accounts.len(), accounts().len(), "one list for each account");
}

//! Refunds folded (`spec/ttpay.md`, R-D28 to R-D30).

use super::*;

const WX_PAID: &str = "09:00:00 | WX createandpay | OutID=A1 TotalFee=900 | wx result_code=SUCCESS out_trade_no=A1 total_fee=900 transaction_id=42 time_end=20161108090003\n";
const ALI_PAID: &str = "09:00:00 | ALI_20 createandpay | OutID=B1 TotalFee=900 | ali20 pay code=10000 out_trade_no=B1 trade_no=2016 total_amount=9.00 gmt_payment=2016-11-08~09:00:03\n";
const PAID_A1: &str = "11-08 payment A1 - paid 9.00 42";
const PAID_B1: &str = "11-08 payment B1 - paid 9.00 2016";

#[test]
fn two_partial_refunds_of_wechat() {
    check(
        &format!(
            "{WX_PAID}10:00:00 | WX refund | OutID=A1 TotalFee=300 RefundID=R1 | wx result_code=SUCCESS out_trade_no=A1 out_refund_no=R1 refund_fee=300 total_fee=900
             10:05:00 | WX refund | OutID=A1 TotalFee=200 RefundID=R2 | wx result_code=SUCCESS out_trade_no=A1 out_refund_no=R2 refund_fee=200 total_fee=900"
        ),
        &format!(
            "{PAID_A1}
             11-08 refund A1 R1 refunded -3.00 42 day
             11-08 refund A1 R2 refunded -2.00 42 day"
        ),
    );
}

#[test]
fn one_number_is_one_refund_however_often_it_is_asked_for() {
    let done = "wx result_code=SUCCESS out_trade_no=A1 out_refund_no=R1 refund_fee=300";
    let failed = "wx result_code=FAIL err_code=ERROR";
    for (first, second, state) in [
        (done, done, "refunded"),
        ("-", done, "refunded"),
        (done, "-", "refunded"),
        (done, failed, "refunded"),
        (failed, done, "refunded"),
        (failed, failed, "failed"),
        ("-", failed, "unknown"),
        (failed, "-", "unknown"),
        ("-", "-", "unknown"),
    ] {
        check(
            &format!(
                "{WX_PAID}10:00:00 | WX refund | OutID=A1 TotalFee=300 RefundID=R1 | {first}
                 10:05:00 | WX refund | OutID=A1 TotalFee=300 RefundID=R1 | {second}"
            ),
            &format!("{PAID_A1}\n11-08 refund A1 R1 {state} -3.00 42 day"),
        );
    }
}

#[test]
fn a_request_logged_twice_is_one_refund_and_a_second_request_is_another() {
    let done = "ali20 refund code=10000 out_trade_no=B1 trade_no=2016 fund_change=Y send_back_fee=1.00";
    let both = |first: &str, second: &str| {
        format!(
            "{ALI_PAID}10:00:00 | ALI_20 refund | OutID=B1 TotalFee=100 crc={first} | {done}
             10:05:00 | ALI_20 refund | OutID=B1 TotalFee=100 crc={second} | {done}"
        )
    };
    let refund = "11-08 refund B1 - refunded -1.00 2016 day";
    check(&both("77", "77"), &format!("{PAID_B1}\n{refund}"));
    check(&both("77", "78"), &format!("{PAID_B1}\n{refund}\n{refund}"));
}

#[test]
fn totals_of_alipay_are_never_summed() {
    check(
        &format!(
            "{ALI_PAID}10:00:00 | ALI_20 refund | OutID=B1 TotalFee=100 RefundID=R1 | ali20 refund code=10000 out_trade_no=B1 trade_no=2016 refund_fee=1.00 fund_change=Y gmt_refund_pay=2016-11-08~10:00:01
             10:05:00 | ALI_20 refund | OutID=B1 TotalFee=200 RefundID=R2 | ali20 refund code=10000 out_trade_no=B1 trade_no=2016 refund_fee=3.00 fund_change=Y gmt_refund_pay=2016-11-08~10:05:01
             10:06:00 | ALI_20 refund | OutID=B1 TotalFee=200 RefundID=R2 | ali20 refund code=10000 out_trade_no=B1 trade_no=2016 refund_fee=3.00 fund_change=N gmt_refund_pay=2016-11-08~10:05:01"
        ),
        &format!(
            "{PAID_B1}
             11-08 refund B1 R1 refunded -1.00 2016
             11-08 refund B1 R2 refunded -2.00 2016"
        ),
    );
}

#[test]
fn a_total_without_its_beginning_asks_for_older_rows() {
    let refund = |time: &str, number: &str, fee: &str, total: &str| {
        format!(
            "{time} | ALI_20 refund | OutID=B1 TotalFee={fee} RefundID={number} | ali20 refund code=10000 out_trade_no=B1 trade_no=2016 refund_fee={total} fund_change=Y\n"
        )
    };
    let second = refund("10:05:00", "R2", "200", "3.00");
    let alone = folded(&second);
    assert_eq!(
        told(&alone),
        ["11-08 refund B1 R2 refunded -2.00 2016 day weak"],
        "the request's amount until then"
    );
    assert_eq!(alone.look_back, ["B1"]);
    let history = refund("2016-11-01 10:00:00", "R1", "100", "1.00");
    let known = folded(&format!("{history}{second}"));
    assert_eq!(
        told(&known),
        ["11-01 refund B1 R1 refunded -1.00 2016 day", "11-08 refund B1 R2 refunded -2.00 2016 day"]
    );
    assert_eq!(known.look_back, Vec::<String>::new());
    let first = folded(&refund("10:05:00", "R1", "300", "3.00"));
    assert_eq!(told(&first), ["11-08 refund B1 R1 refunded -3.00 2016 day"]);
    assert_eq!(first.look_back, Vec::<String>::new());
}

#[test]
fn an_unknown_refund_between_two_totals_explains_their_difference() {
    check(
        &format!(
            "{ALI_PAID}10:00:00 | ALI_20 refund | OutID=B1 TotalFee=100 RefundID=R1 | -
             10:05:00 | ALI_20 refund | OutID=B1 TotalFee=200 RefundID=R2 | ali20 refund code=10000 out_trade_no=B1 refund_fee=3.00 fund_change=Y"
        ),
        &format!(
            "{PAID_B1}
             11-08 refund B1 R1 unknown -1.00 2016 day
             11-08 refund B1 R2 refunded -2.00 2016 day"
        ),
    );
}

#[test]
fn refunds_that_moved_no_money() {
    let repeated = "ali20 refund code=10000 out_trade_no=B1 trade_no=2016 refund_fee=1.00 fund_change=N";
    check(
        &format!("{ALI_PAID}10:00:00 | ALI_20 refund | OutID=B1 TotalFee=100 RefundID=R1 | {repeated}"),
        &format!("{PAID_B1}\n11-08 refund B1 R1 unknown -1.00 2016 day"),
    );
    let done = repeated.replace("fund_change=N", "fund_change=Y");
    check(
        &format!(
            "{ALI_PAID}10:00:00 | ALI_20 refund | OutID=B1 TotalFee=100 | {done}
             10:01:00 | ALI_20 refund | OutID=B1 TotalFee=100 | {repeated}"
        ),
        &format!("{PAID_B1}\n11-08 refund B1 - refunded -1.00 2016 day"),
    );
}

#[test]
fn what_became_of_accepted_refunds() {
    let accepted = format!(
        "{WX_PAID}10:00:00 | WX refund | OutID=A1 TotalFee=300 RefundID=R1 | wx result_code=SUCCESS out_trade_no=A1 out_refund_no=R1 refund_fee=300\n"
    );
    let query = "2016-11-09 10:00:00 | WX refundquery | OutID=A1 | wx result_code=SUCCESS out_trade_no=A1 refund_count=1 out_refund_no_0=R1 refund_fee_0=300";
    for (status, refund) in [
        ("SUCCESS refund_success_time_0=2016-11-09~09:00:00", "refunded -3.00 42 day"),
        ("PROCESSING", "refunded -3.00 42 day"),
        ("REFUNDCLOSE", "failed -3.00 42 day"),
        ("CHANGE", "refunded -3.00 42 day conflict"),
    ] {
        check(
            &format!("{accepted}{query} refund_status_0={status}"),
            &format!("{PAID_A1}\n11-08 refund A1 R1 {refund}"),
        );
    }
}

#[test]
fn refunds_that_are_only_asked_about() {
    let folded = folded(
        "10:00:00 | WX refundquery | OutID=A1 | wx result_code=SUCCESS out_trade_no=A1 transaction_id=42 refund_count=2 out_refund_no_0=R1 refund_fee_0=300 refund_status_0=SUCCESS refund_success_time_0=2016-11-07~09:00:00 out_refund_no_1=R2 refund_fee_1=100 refund_status_1=PROCESSING
         10:00:01 | WX refundquery | OutID=A2 | -",
    );
    assert_eq!(
        told(&folded),
        ["11-07 refund A1 R1 refunded -3.00 42 partial", "11-08 refund A1 R2 pending -1.00 42 day partial",]
    );
    assert_eq!(folded.look_back, ["A1"]);
}

#[test]
fn a_list_of_refunds_that_breaks_off_undoes_none() {
    let table = format!(
        "{WX_PAID}10:00:00 | WX refund | OutID=A1 TotalFee=300 RefundID=R1 | wx result_code=SUCCESS out_trade_no=A1 out_refund_no=R1 refund_fee=300
         11:00:00 | WX refundquery | OutID=A1 | wx result_code=SUCCESS out_refund_no_0=R1 refund_fee_0=300 refund_status_0=REFUNDCLOSE"
    );
    let mut rows = samples(&table);
    let whole = rows[2].reply.len();
    rows[2].reply.truncate(whole - "</xml>".len());
    let lines = told(&folded_by(Rules::default(), &rows));
    assert_eq!(lines, [PAID_A1, "11-08 refund A1 R1 refunded -3.00 42 day salvaged"]);
}

#[test]
fn more_refunded_than_paid() {
    check(
        &format!(
            "{WX_PAID}10:00:00 | WX refund | OutID=A1 TotalFee=600 RefundID=R1 | wx result_code=SUCCESS out_trade_no=A1 out_refund_no=R1 refund_fee=600
             10:01:00 | WX refund | OutID=A1 TotalFee=301 RefundID=R2 | wx result_code=SUCCESS out_trade_no=A1 out_refund_no=R2 refund_fee=301"
        ),
        "11-08 payment A1 - paid 9.00 42 conflict
         11-08 refund A1 R1 refunded -6.00 42 day conflict
         11-08 refund A1 R2 refunded -3.01 42 day conflict",
    );
    check(
        "09:00:00 | WX createandpay | OutID=A1 TotalFee=900 | wx result_code=FAIL err_code=NOTENOUGH
         10:00:00 | WX refund | OutID=A1 TotalFee=900 RefundID=R1 | wx result_code=SUCCESS out_trade_no=A1 out_refund_no=R1 refund_fee=900",
        "11-08 payment A1 - failed 9.00 - day conflict
         11-08 refund A1 R1 refunded -9.00 - day conflict",
    );
}

#[test]
fn a_refund_stands_without_its_payment() {
    check(
        "10:00:00 | WX refund | OutID=A1 TotalFee=300 RefundID=R1 | wx result_code=SUCCESS out_trade_no=A1 transaction_id=42 out_refund_no=R1 refund_fee=300",
        "11-08 refund A1 R1 refunded -3.00 42 day",
    );
}

#[test]
fn the_amount_of_a_refund_and_what_was_asked_for() {
    let refund = |fee: &str| {
        format!(
            "{WX_PAID}10:00:00 | WX refund | OutID=A1 TotalFee={fee} RefundID=R1 | wx result_code=SUCCESS out_trade_no=A1 out_refund_no=R1 refund_fee=300"
        )
    };
    check(&refund("200"), &format!("{PAID_A1}\n11-08 refund A1 R1 refunded -3.00 42 day fee"));
    check(&refund("900"), &format!("{PAID_A1}\n11-08 refund A1 R1 refunded -3.00 42 day"));
    check(
        &format!(
            "{WX_PAID}10:00:00 | WX refund | OutID=A1 TotalFee=300 RefundID=R1 | wx result_code=SUCCESS out_trade_no=A1"
        ),
        &format!("{PAID_A1}\n11-08 refund A1 R1 refunded -3.00 42 day weak"),
    );
}

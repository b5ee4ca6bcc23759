//! The worked table of refund and reversal rows (`spec/ttpay.md`, D.8), each with the payment it belongs to.

use super::*;

const WX_PAID: &str = "09:00:00 | WX createandpay | OutID=A1 TotalFee=900 | wx result_code=SUCCESS out_trade_no=A1 total_fee=900 transaction_id=4200 time_end=20161108090003\n";
const ALI_PAID: &str = "09:00:00 | ALI_20 createandpay | OutID=B1 TotalFee=900 | ali20 pay code=10000 out_trade_no=B1 trade_no=2016 total_amount=9.00 gmt_payment=2016-11-08~09:00:03\n";
const WX_REPLY: &str = "wx result_code=SUCCESS out_trade_no=A1 transaction_id=4200 out_refund_no=R1 refund_id=5030 refund_fee=300";
const ALI_REPLY: &str = "ali20 refund code=10000 out_trade_no=B1 trade_no=2016 refund_fee=3.00 fund_change=Y";

#[track_caller]
fn with_and_without_payment(paid: &str, row: &str, payment: &str, alone: &str, together: &str) {
    check(row, alone);
    check(&format!("{paid}{row}"), &format!("{payment}\n{together}"));
}

#[test]
fn wechat_refund_with_a_refund_id_in_the_request() {
    let row = format!("10:00:00 | WX refund | OutID=A1 TradeNO=4200 TotalFee=300 RefundID=R1 | {WX_REPLY}");
    let refund = "11-08 refund A1 R1 refunded -3.00 4200 day";
    with_and_without_payment(WX_PAID, &row, "11-08 payment A1 - paid 9.00 4200", refund, refund);
}

#[test]
fn wechat_refund_whose_out_id_is_the_refunds_own() {
    let row = format!("10:00:00 | WX refund | OutID=R1 TradeNO=4200 TotalFee=300 | {WX_REPLY}");
    let refund = "11-08 refund A1 R1 refunded -3.00 4200 day";
    with_and_without_payment(WX_PAID, &row, "11-08 payment A1 - paid 9.00 4200", refund, refund);
}

#[test]
fn alipay_refund_with_a_refund_id_in_the_request() {
    let row =
        format!("10:00:00 | ALI_20 refund | OutID=B1 TradeNO=2016 TotalFee=300 RefundID=R2 | {ALI_REPLY}");
    let refund = "11-08 refund B1 R2 refunded -3.00 2016 day";
    with_and_without_payment(ALI_PAID, &row, "11-08 payment B1 - paid 9.00 2016", refund, refund);
}

#[test]
fn alipay_refund_whose_out_id_is_the_refunds_own() {
    let row = format!("10:00:00 | ALI_20 refund | OutID=R2 TradeNO=2016 TotalFee=300 | {ALI_REPLY}");
    let refund = "11-08 refund B1 R2 refunded -3.00 2016 day";
    with_and_without_payment(ALI_PAID, &row, "11-08 payment B1 - paid 9.00 2016", refund, refund);
}

#[test]
fn alipay_refund_without_a_number() {
    let row = format!("10:00:00 | ALI_20 refund | OutID=B1 TradeNO=2016 TotalFee=300 | {ALI_REPLY}");
    let refund = "11-08 refund B1 - refunded -3.00 2016 day";
    with_and_without_payment(ALI_PAID, &row, "11-08 payment B1 - paid 9.00 2016", refund, refund);
}

#[test]
fn wechat_reversal() {
    let row = "09:01:00 | WX reverse | OutID=A2 TotalFee=900 | wx result_code=SUCCESS recall=N";
    let paid = WX_PAID.replace("A1", "A2");
    with_and_without_payment(
        &paid,
        row,
        "11-08 payment A2 - paid 9.00 4200",
        "11-08 payment A2 - reversed 9.00 - day either partial
         11-08 reversal A2 - reversed -9.00 - day either partial",
        "11-08 reversal A2 - reversed -9.00 4200 day",
    );
}

#[test]
fn alipay_cancel_that_gave_the_money_back_or_closed() {
    let paid = ALI_PAID.replace("B1", "B2");
    let row = "09:01:00 | ALI_20 cancel | OutID=B2 | ali20 cancel code=10000 out_trade_no=B2 action=refund retry_flag=N";
    check(
        &format!("{paid}{row}"),
        "11-08 payment B2 - paid 9.00 2016
         11-08 reversal B2 - reversed -9.00 2016 day",
    );
    let pending = "09:00:00 | ALI_20 createandpay | OutID=B2 TotalFee=900 | ali20 pay code=10003\n";
    let closed = "09:01:00 | ALI_20 cancel | OutID=B2 | ali20 cancel code=10000 out_trade_no=B2 action=close retry_flag=N";
    check(&format!("{pending}{closed}"), "11-08 payment B2 - closed 9.00 - day");
    check(
        &format!("{pending}{row}"),
        "11-08 payment B2 - reversed 9.00 - day either
         11-08 reversal B2 - reversed -9.00 - day either",
    );
}

#[test]
fn a_refund_whose_reply_is_lost_is_joined_by_its_transaction_number() {
    check(
        &format!("{WX_PAID}10:00:00 | WX refund | OutID=R1 TradeNO=4200 TotalFee=300 | -"),
        "11-08 payment A1 - paid 9.00 4200
         11-08 refund A1 R1 unknown -3.00 4200 day",
    );
    let lost = folded("10:00:00 | WX refund | OutID=R1 TradeNO=4200 TotalFee=300 | -");
    assert_eq!(told(&lost), ["11-08 refund R1 - unknown -3.00 4200 day"]);
    assert_eq!(lost.look_back, ["4200"], "older rows know the order of that transaction");
}

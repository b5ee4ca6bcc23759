//! Escrow (`create_partner_trade_by_buyer`; `spec/ttpay.md` R145, R146; `spec/alipay.md` 6): money that is held is not missing, and it
//! is expected on the day on which it is released.

use super::*;

fn state(at: &str, state: &str) -> String {
    format!(
        "{at} | ALI orderquery | OutID=E1 | ali1 trade_status={state} out_trade_no=E1 trade_no=2016 total_fee=18.80 gmt_payment=2016-11-01~12:00:00\n"
    )
}

#[test]
fn paid_by_the_buyer_and_held() {
    for held in ["WAIT_SELLER_SEND_GOODS", "WAIT_BUYER_CONFIRM_GOODS"] {
        check(&state("2016-11-02 09:00:00", held), "11-01 payment E1 - held 18.80 2016 partial");
    }
    check(
        &format!(
            "{}{}",
            state("2016-11-01 11:59:00", "WAIT_BUYER_PAY").replace("gmt_payment=2016-11-01~12:00:00", ""),
            state("2016-11-02 09:00:00", "WAIT_SELLER_SEND_GOODS")
        ),
        "11-01 payment E1 - held 18.80 2016 partial",
    );
}

#[test]
fn released_on_the_day_of_trade_finished() {
    let held = state("2016-11-02 09:00:00", "WAIT_SELLER_SEND_GOODS");
    let finished = state("2016-11-08 10:00:00", "TRADE_FINISHED");
    // Nobody states when; then it is the day on which it was first heard.
    check(&format!("{held}{finished}"), "11-08 payment E1 - paid 18.80 2016 day partial");
    let stated = finished.replace("total_fee", "gmt_last_modified_time=2016-11-07~23:59:59 total_fee");
    check(&format!("{held}{stated}"), "11-07 payment E1 - paid 18.80 2016 partial");
}

#[test]
fn repeats_and_late_arrivals_change_nothing() {
    let held = state("2016-11-02 09:00:00", "WAIT_SELLER_SEND_GOODS");
    let finished = state("2016-11-08 10:00:00", "TRADE_FINISHED");
    let paid = "11-08 payment E1 - paid 18.80 2016 day partial";
    for late in ["WAIT_BUYER_PAY", "WAIT_SELLER_SEND_GOODS", "WAIT_BUYER_CONFIRM_GOODS", "TRADE_FINISHED"] {
        let late = state("2016-11-09 10:00:00", late);
        check(&format!("{held}{finished}{late}"), paid);
        check(&format!("{finished}{late}{held}"), paid);
    }
    // The held state itself may come too late to be heard first.
    let held_late = state("2016-11-08 11:00:00", "WAIT_BUYER_CONFIRM_GOODS");
    check(&format!("{finished}{held_late}"), paid);
    let back = state("2016-11-03 10:00:00", "WAIT_BUYER_PAY");
    check(&format!("{held}{back}"), "11-01 payment E1 - held 18.80 2016 partial");
}

#[test]
fn a_product_without_escrow_finishes_on_the_day_it_was_paid() {
    let finished = state("2016-11-08 10:00:00", "TRADE_FINISHED");
    let folded = folded(&finished);
    assert_eq!(told(&folded), ["11-01 payment E1 - paid 18.80 2016 partial"]);
    assert_eq!(folded.look_back, ["E1"], "older rows would say whether it was held");
}

#[test]
fn held_money_that_goes_back_was_never_the_merchants() {
    let held = state("2016-11-02 09:00:00", "WAIT_SELLER_SEND_GOODS");
    let closed = state("2016-11-08 10:00:00", "TRADE_CLOSED")
        .replace("total_fee", "refund_status=REFUND_SUCCESS total_fee");
    let gone = "11-01 payment E1 - closed 18.80 2016 partial";
    check(&format!("{held}{closed}"), gone);
    let late = state("2016-11-09 10:00:00", "WAIT_BUYER_CONFIRM_GOODS");
    check(&format!("{held}{closed}{late}"), gone);
}

#[test]
fn a_quarrel_moves_no_money() {
    for quarrel in
        ["WAIT_SELLER_AGREE", "SELLER_REFUSE_BUYER", "WAIT_BUYER_RETURN_GOODS", "WAIT_SELLER_CONFIRM_GOODS"]
    {
        let beside = state("2016-11-02 09:00:00", "WAIT_BUYER_CONFIRM_GOODS")
            .replace("total_fee", &format!("refund_status={quarrel} total_fee"));
        check(&beside, "11-01 payment E1 - held 18.80 2016 partial");
        let alone = beside.replace("trade_status=WAIT_BUYER_CONFIRM_GOODS ", "");
        check(&alone, "11-01 payment E1 - held 18.80 2016 partial");
    }
}

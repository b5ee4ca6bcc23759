//! Defects of peers, each a named test here or where it belongs.
//!
//! | defect | test |
//! |---|---|
//! | 1, 6, 7, 9, 10, 11, 13, 15, 16, 23, 24 | here |
//! | 4, 5, 20 | `tests/program/peers.rs` |
//! | 8, 9, 10, 19, 24 on the file's side | `tests/format` and `src/format` |
//! | 14 floats in amounts | `tests/house.rs`, "no float comes near money" |

use crate::books::{Books, show};

/// The first line after the verdict of each night, or the verdict of a balanced one.
fn found(night: &str) -> String {
    let (books, _) = Books::parse(night);
    let result = books.reconcile();
    assert!(result.is_proven(), "{}", show(&result));
    let text = show(&result);
    let said: Vec<&str> = text
        .lines()
        .filter(|line| !["lines", "orders", "bridge"].iter().any(|word| line.starts_with(word)))
        .collect();
    said.join("; ")
}

#[track_caller]
fn check(night: &str, expected: &str) {
    assert_eq!(found(night), expected, "\n{night}");
}

#[test]
fn peers_1_the_equality_predicate_was_inverted() {
    check("log\n pay A1 5.00 TA1\nbill\n pay A1 5.00 TA1\n", "verdict balanced");
    check(
        "log\n pay A1 5.00 TA1\nbill\n pay A1 5.01 TA1\n",
        "verdict unbalanced; amount_mismatch payment A1 5.00 5.01 0.01 paid>paid",
    );
}

#[test]
fn peers_6_a_carried_row_could_never_meet_a_later_one_of_the_other_side() {
    check(
        "log\n pay A1 5.00 untold 23:59:58\nbill\nbill+1\n pay A1 5.00 00:00:03\n",
        "verdict balanced; timing out payment A1 5.00 2016-11-09",
    );
    check(
        "log\nbill\n pay A1 5.00 23:59:59\nlog+1\n pay A1 5.00 untold 00:00:02\n",
        "verdict balanced; timing in payment A1 5.00 2016-11-09",
    );
    check(
        "log\n pay A1 5.00 untold 00:00:02\nbill\nbill-1\n pay A1 5.00 23:59:59\n",
        "verdict balanced; timing out payment A1 5.00 2016-11-07",
    );
    check(
        "log\nbill\n pay A1 5.00 00:00:02\nlog-1\n pay A1 5.00 untold 23:59:59\n",
        "verdict balanced; timing in payment A1 5.00 2016-11-07",
    );
}

#[test]
fn peers_7_only_one_side_was_carried() {
    let one = "log\n pay A1 5.00\nbill\n pay A2 5.00\n";
    check(
        one,
        "verdict unbalanced; channel_only payment A2 - 5.00 5.00 ->paid; gateway_only payment A1 5.00 - -5.00 paid>-",
    );
}

#[test]
fn peers_9_duplicates_were_collapsed_or_multiplied_by_a_join() {
    check(
        "log\n pay A1 5.00 TA1\nbill\n pay A1 5.00 TA1\n pay A1 5.00 TA1\n pay A1 5.00 TA1\n",
        "verdict unbalanced; duplicate_row payment A1 5.00 15.00 10.00 paid>paid",
    );
}

#[test]
fn peers_10_refunds_were_forced_to_success_or_never_compared() {
    check(
        "log\n refund A1/R1 2.00\nbill\n refund A1/R1 2.00 failed\n",
        "verdict unbalanced; status_mismatch refund A1/R1 -2.00 0.00 2.00 refunded>failed",
    );
    check(
        "log\n refund A1/R1 2.00\nbill\n refund A1/R1 2.50\n",
        "verdict unbalanced; amount_mismatch refund A1/R1 -2.00 -2.50 -0.50 refunded>refunded",
    );
}

#[test]
fn peers_11_ledger_rows_absent_from_the_other_side_were_never_reported() {
    check("log\n pay A1 5.00\nbill\n", "verdict unbalanced; gateway_only payment A1 5.00 - -5.00 paid>-");
    check(
        "log\n pay A9 1.00 failed\nbill\n pay A1 5.00\n",
        "verdict unbalanced; channel_only payment A1 - 5.00 5.00 ->paid",
    );
}

#[test]
fn peers_13_the_result_depended_on_the_order_of_a_map() {
    let (books, _) = Books::parse(
        "log\n pay A1 5.00\n pay A2 6.00 pending\n refund A3/ 2.00\n refund A3/ 2.00\nbill\n pay A2 6.00\n pay A4 7.00\n \
         refund A3/R1 2.00\n refund A3/R2 2.00\n",
    );
    let expected = show(&books.reconcile());
    for seed in 0..100 {
        let mut shuffled = books.clone();
        let mut random = fastrand::Rng::with_seed(seed);
        random.shuffle(&mut shuffled.log);
        random.shuffle(&mut shuffled.bill);
        assert_eq!(show(&shuffled.reconcile()), expected, "seed {seed}");
    }
}

#[test]
fn peers_15_the_sign_was_lost_and_a_surplus_counted_as_right() {
    check(
        "log\n pay A1 5.00\nbill\n pay A1 6.00\n",
        "verdict unbalanced; amount_mismatch payment A1 5.00 6.00 1.00 paid>paid",
    );
    check(
        "log\n pay A1 6.00\nbill\n pay A1 5.00\n",
        "verdict unbalanced; amount_mismatch payment A1 6.00 5.00 -1.00 paid>paid",
    );
}

#[test]
fn peers_16_status_and_amount_gave_two_items_for_one_order() {
    check(
        "log\n pay A1 5.00 closed\nbill\n pay A1 6.00\n",
        "verdict unbalanced; status_mismatch payment A1 - 6.00 6.00 closed>paid",
    );
}

#[test]
fn peers_23_our_own_failed_orders_were_not_consulted() {
    check(
        "log\n pay A1 5.00 failed\nbill\n pay A1 5.00\n",
        "verdict unbalanced; lost_confirmation payment A1 - 5.00 5.00 failed>paid",
    );
}

#[test]
fn peers_24_an_empty_bill_was_an_error() {
    check("no_bill\nlog\nbill\n", "verdict balanced");
    check(
        "no_bill\nlog\n pay A1 5.00\nbill\n",
        "verdict incomplete; lacks no_bill_but_log; gateway_only payment A1 5.00 - -5.00 paid>-",
    );
}

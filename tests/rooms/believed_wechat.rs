//! What must not be believed, one test each: in a build whose verification always succeeds, every one of these turns red.
//!
//! The talks themselves stand in `fixtures/`; here only their ends are looked at.

use crate::talk::Talk;

/// The conversation is rejected, and for this reason.
fn rejected(case: &str, part: usize, why: &str) {
    let end = Talk::ends(case).0.swap_remove(part);
    assert!(end.starts_with("rejected ") && end.contains(why), "{case}: {end}");
}

const FORGED: &str = "does not verify";

#[test]
fn a_forged_v3_reply() {
    rejected("wechat_v3/wrong_signature", 0, FORGED);
}

#[test]
fn a_v3_reply_that_was_changed() {
    rejected("wechat_v3/reply_changed", 0, FORGED);
}

#[test]
fn a_v3_reply_without_a_signature() {
    rejected("wechat_v3/unsigned_success", 0, "is not signed");
}

#[test]
fn a_v3_reply_without_a_serial_number() {
    rejected("wechat_v3/serial_missing", 0, "is not signed");
}

#[test]
fn a_v3_reply_under_an_unknown_serial_number() {
    rejected("wechat_v3/serial_unknown", 0, "neither `public_key_id` nor a platform certificate");
}

#[test]
fn a_v3_reply_with_a_test_signature() {
    rejected("wechat_v3/signature_probe", 0, "test signature");
}

#[test]
fn a_v3_reply_of_five_minutes_ago() {
    rejected("wechat_v3/stale_by_five_minutes", 0, "five minutes");
}

#[test]
fn a_v3_reply_of_the_future() {
    rejected("wechat_v3/from_the_future", 0, "five minutes");
}

#[test]
fn an_empty_day_under_a_forged_signature() {
    rejected("wechat_v3/no_movements_forged", 0, FORGED);
}

#[test]
fn a_bill_that_is_not_the_one_of_the_signed_reply() {
    rejected("wechat_v3/wrong_hash", 0, "SHA-1");
}

#[test]
fn a_platform_certificate_sealed_with_another_key() {
    rejected("wechat_v3/certificate_of_another_key", 0, "`api_v3_key` does not open it");
}

#[test]
fn a_list_of_certificates_that_none_of_them_signed() {
    rejected("wechat_v3/certificate_list_forged", 0, FORGED);
}

#[test]
fn a_reply_forged_under_a_real_certificate() {
    rejected("wechat_v3/forged_under_a_certificate", 0, FORGED);
}

#[test]
fn a_forged_v3_order() {
    rejected("wechat_v3/orders_not_believed", 0, FORGED);
}

#[test]
fn a_v3_order_of_long_ago() {
    rejected("wechat_v3/orders_not_believed", 3, "five minutes");
}

#[test]
fn a_v3_order_that_does_not_exist_says_a_forger() {
    rejected("wechat_v3/orders_not_believed", 5, FORGED);
}

#[test]
fn a_forged_v3_refund() {
    rejected("wechat_v3/refunds", 6, FORGED);
}

#[test]
fn a_v2_order_that_was_changed() {
    rejected("wechat_v2/orders_not_believed", 0, FORGED);
}

#[test]
fn a_v2_order_signed_with_another_key() {
    rejected("wechat_v2/orders_not_believed", 1, FORGED);
}

#[test]
fn a_v2_order_signed_with_another_digest() {
    rejected("wechat_v2/orders_not_believed", 2, FORGED);
}

#[test]
fn a_v2_order_without_a_signature() {
    rejected("wechat_v2/orders_not_believed", 3, FORGED);
}

#[test]
fn a_v2_refund_that_was_changed() {
    rejected("wechat_v2/refunds", 7, FORGED);
}

#[test]
fn a_fund_flow_that_is_not_the_one_of_its_digest() {
    rejected("wechat_v2/fund_flow_wrong_digest", 0, "`Digest`");
}

#[test]
fn a_forged_global_statement() {
    rejected("wechat_global/forged_statement", 0, FORGED);
}

#[test]
fn a_global_statement_signed_by_somebody_else() {
    rejected("wechat_global/wrong_signature", 0, FORGED);
}

#[test]
fn a_global_statement_that_is_not_the_one_of_its_hash() {
    rejected("wechat_global/wrong_hash", 0, "SHA-1");
}

#[test]
fn a_global_statement_with_a_hash_and_no_signature() {
    rejected("wechat_global/unsigned", 0, "is not signed");
}

#[test]
fn a_global_order_that_was_changed() {
    rejected("wechat_global/v2_orders", 1, FORGED);
}

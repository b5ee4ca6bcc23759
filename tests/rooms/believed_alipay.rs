//! What is not believed, one test each, so that a build in which every signature verifies turns each of them red.
//!
//! The forgeries are talks under `fixtures/<room>/<case>`: nothing in them may end as an answer.

use crate::talk::Talk;

/// Every conversation of a talk must end without an answer.
fn not_believed(case: &str) {
    let (ends, entries) = Talk::ends(case);
    assert!(!ends.is_empty() && entries.is_none(), "{case}: {ends:?}");
    for end in ends {
        assert!(end.starts_with("rejected") || end.starts_with("again"), "{case}: {end}");
    }
}

#[test]
fn mapi_page_signed_with_another_key() {
    not_believed("alipay_mapi/wrong_signature");
}

#[test]
fn mapi_row_changed_under_its_old_signature() {
    not_believed("alipay_mapi/row_changed");
}

#[test]
fn mapi_row_taken_away() {
    not_believed("alipay_mapi/row_taken_away");
}

#[test]
fn mapi_page_made_the_last_one() {
    not_believed("alipay_mapi/last_page_forged");
}

#[test]
fn mapi_page_without_a_signature() {
    not_believed("alipay_mapi/success_unsigned");
}

#[test]
fn mapi_empty_day_without_a_signature() {
    not_believed("alipay_mapi/empty_but_unsigned");
}

#[test]
fn mapi_page_of_another_question() {
    not_believed("alipay_mapi/empty_of_another_day");
    not_believed("alipay_mapi/page_twice");
}

#[test]
fn mapi_export_changed() {
    not_believed("alipay_mapi/export_forged");
}

#[test]
fn mapi_orders_changed_unsigned_or_replayed() {
    not_believed("alipay_mapi/orders_forged");
}

#[test]
fn open_address_changed() {
    not_believed("alipay_open/wrong_signature");
}

#[test]
fn open_address_signed_with_another_key() {
    not_believed("alipay_open/signed_with_another_key");
}

#[test]
fn open_empty_day_forged() {
    not_believed("alipay_open/empty_forged");
}

#[test]
fn open_orders_changed_unsigned_or_replayed() {
    not_believed("alipay_open/orders_forged");
}

#[test]
fn open_refund_changed() {
    not_believed("alipay_open/refund_forged");
}

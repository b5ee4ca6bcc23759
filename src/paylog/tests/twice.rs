//! The hint that one purchase may have been paid twice (`spec/ttpay.md`, R-D32).

use super::*;

const FIRST: &str = "09:00:00 | WX createandpay | OutID=A1 TotalFee=900 | wx result_code=FAIL err_code=USERPAYING
    09:01:00 | WX orderquery | OutID=A1 | wx result_code=SUCCESS trade_state=SUCCESS out_trade_no=A1 total_fee=900 transaction_id=41 time_end=20161108090050\n";
const SECOND: &str = "09:00:30 | WX createandpay | OutID=A2 TotalFee=900 | wx result_code=SUCCESS out_trade_no=A2 total_fee=900 transaction_id=42 time_end=20161108090033\n";

#[track_caller]
fn hinted(table: &str, expected: bool) {
    let lines = told(&folded(table));
    assert_eq!(lines.len(), 2, "{lines:?}");
    let hints = lines.iter().filter(|line| line.ends_with(" twice")).count();
    assert_eq!(hints, if expected { 2 } else { 0 }, "{lines:?}");
}

#[test]
fn a_till_that_asked_again_while_the_first_was_open() {
    hinted(&format!("{FIRST}{SECOND}"), true);
    let unknown = FIRST.replace("wx result_code=FAIL err_code=USERPAYING", "-");
    hinted(&format!("{unknown}{SECOND}"), true);
}

#[test]
fn all_of_it_must_hold() {
    let without = |from: &str, to: &str| format!("{FIRST}{}", SECOND.replace(from, to));
    hinted(&without("900", "800"), false);
    hinted(&without("09:00:30 |", "09:01:01 |"), false);
    hinted(&without("09:00:30 |", "08:59:59 |"), false);
    hinted(&without("WX createandpay | ", "WX createandpay | seller=9999 "), false);
    // Paid more than ten minutes apart, though asked for meanwhile.
    let slow = FIRST.replace("09:01:00 |", "09:20:00 |").replace("20161108090050", "20161108091934");
    hinted(&format!("{slow}{SECOND}"), false);
    hinted(&format!("{}{SECOND}", slow.replace("091934", "091033")), true);
    // The first had failed, or was known to be paid at once.
    let failed = FIRST.replace("err_code=USERPAYING", "err_code=NOTENOUGH");
    hinted(&format!("{failed}{SECOND}"), false);
    let paid = FIRST.replace(
        "result_code=FAIL err_code=USERPAYING",
        "result_code=SUCCESS out_trade_no=A1 total_fee=900 transaction_id=41",
    );
    hinted(&format!("{paid}{SECOND}"), false);
}

#[test]
fn another_till_is_another_buyer() {
    let mut rows = samples(&format!("{FIRST}{SECOND}"));
    rows[2].till = "02".to_owned();
    let lines = told(&folded_by(Rules::default(), &rows));
    assert!(lines.iter().all(|line| !line.ends_with("twice")), "{lines:?}");
}

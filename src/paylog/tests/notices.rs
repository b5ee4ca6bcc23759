//! Stored notifications beside the log: what a proven one changes, and that no other changes anything.

use super::*;

fn notice(at: &str, family: NoticeFamily, seal: Seal, fields: &str) -> Notice {
    let fields = pairs(fields).map(|(name, value)| (name.to_owned(), value.replace('~', " "))).collect();
    let at = crate::domain::Moment::parse(&format!("2016-11-{at}"));
    Notice { number: 1, at, family: Some(family), seal, fields }
}

fn folded_with(table: &str, notices: &[Notice]) -> Folded {
    let claims = std::sync::Arc::new(Claims::new(&accounts(), &BTreeMap::new()));
    let mut gatherer = Gatherer::new(claims.clone(), Rules::default());
    samples(table).iter().for_each(|sample| gatherer.push(&sample.row()));
    let mut other = Gatherer::new(claims, Rules::default());
    notices.iter().for_each(|notice| other.push_notice(notice));
    fold(vec![gatherer.finish(), other.finish()])
}

#[track_caller]
fn check_with(table: &str, notices: &[Notice], expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(told(&folded_with(table, notices)), expected);
}

const OPEN: &str = "09:00:00 | TEEGON createandpay | OutID=A1 TotalFee=1234 | raw {\"result\":{\"id\":\"ch1\",\"orderno\":\"A1\",\"amount\":12.34,\"paid\":false}}";
const TEEGON: &str =
    "is_success=true order_no=A1 charge_id=ch1 amount=12.34 real_amount=12.30 pay_time=1478566803";

fn teegon(seal: Seal, fields: &str) -> Notice {
    notice("08 09:00:05", NoticeFamily::Teegon, seal, fields)
}

#[test]
fn a_proven_notice_makes_an_open_order_paid() {
    let paid = "11-08 payment A1 - paid 12.34 ch1 notice";
    check_with(OPEN, &[teegon(Seal::Verified(5), TEEGON)], paid);
    check_with(OPEN, &[teegon(Seal::Verified(5), &TEEGON.replace("=true", "=Ture"))], paid);
    let lost = "09:00:00 | TEEGON createandpay | OutID=A1 TotalFee=1234 | -";
    check_with(lost, &[teegon(Seal::Verified(5), TEEGON)], paid);
    let twice = [teegon(Seal::Verified(5), TEEGON), teegon(Seal::Verified(5), TEEGON)];
    check_with(lost, &twice, paid);
}

#[test]
fn no_other_notice_changes_anything() {
    let open = "11-08 payment A1 - pending 12.34 ch1 day";
    for seal in [Seal::Broken, Seal::Unchecked, Seal::Verified(99)] {
        let folded = folded_with(OPEN, &[teegon(seal, TEEGON)]);
        assert_eq!(told(&folded), [open], "{seal:?}");
        assert_eq!((folded.counters.notices, folded.counters.notices_unverified), (1, 1), "{seal:?}");
        assert_eq!(folded.counters.rows, 1, "a notice is no row of the log");
    }
    // Of another account, or one that does not say that it was paid.
    check_with(OPEN, &[teegon(Seal::Verified(4), TEEGON)], open);
    check_with(OPEN, &[teegon(Seal::Verified(5), &TEEGON.replace("=true", "=false"))], open);
    let mut undated = teegon(Seal::Verified(5), TEEGON);
    undated.at = None;
    let folded = folded_with(OPEN, &[undated]);
    assert_eq!((told(&folded), folded.counters.notices_unread), (vec![open.to_owned()], 1));
}

#[test]
fn a_proven_notice_proves_the_amount() {
    let query = "09:00:09 | TEEGON orderquery | OutID=A1 TotalFee=1234 | raw {\"result\":{\"charge_id\":\"ch1\",\"order_no\":\"A1\",\"trade_status\":\"SUCCESS\"}}";
    check(query, "11-08 payment A1 - paid 12.34 ch1 day weak partial");
    check_with(
        query,
        &[teegon(Seal::Verified(5), TEEGON)],
        "11-08 payment A1 - paid 12.34 ch1 partial notice",
    );
    // The log's own reply knew it already.
    let paid = OPEN.replace("\"paid\":false", "\"paid\":true,\"time_paid\":1478566803");
    check_with(&paid, &[teegon(Seal::Verified(5), TEEGON)], "11-08 payment A1 - paid 12.34 ch1");
    let other = TEEGON.replace("amount=12.34", "amount=12.35");
    check_with(&paid, &[teegon(Seal::Verified(5), &other)], "11-08 payment A1 - paid 12.34 ch1 conflict");
    check_with(
        OPEN,
        &[teegon(Seal::Verified(5), &other)],
        "11-08 payment A1 - paid 12.35 ch1 conflict fee notice",
    );
}

#[test]
fn a_notice_alone_makes_no_order_and_asks_for_older_rows() {
    let folded = folded_with("", &[teegon(Seal::Verified(5), TEEGON)]);
    assert_eq!(told(&folded), Vec::<String>::new());
    assert_eq!((folded.counters.notices_alone, folded.look_back), (1, vec!["A1".to_owned()]));
    assert_eq!((folded.first, folded.last), (None, None), "it does not widen what the log covers");
    assert_eq!(folded.counters.orphans, 0);
}

#[test]
fn escrow_by_notices_in_any_order() {
    let row = "2016-11-01 11:59:00 | ALI createandpay | OutID=E1 TotalFee=1880 | ali1 result_code=ORDER_SUCCESS_PAY_INPROCESS out_trade_no=E1";
    let state = |at: &str, state: &str| {
        let fields = format!(
            "out_trade_no=E1 trade_no=2016 total_fee=18.80 gmt_payment=2016-11-01~12:00:00 trade_status={state} notify_time=2016-11-{}",
            at.replace(' ', "~")
        );
        notice(at, NoticeFamily::Alipay, Seal::Verified(1), &fields)
    };
    let sent = state("01 12:00:02", "WAIT_SELLER_SEND_GOODS");
    let confirm = state("03 12:00:02", "WAIT_BUYER_CONFIRM_GOODS");
    let finished = state("08 10:00:00", "TRADE_FINISHED");
    let mut repeated = state("08 10:00:00", "TRADE_FINISHED");
    repeated.at = crate::domain::Moment::parse("2016-11-09 10:00:00");
    check_with(row, std::slice::from_ref(&sent), "11-01 payment E1 - held 18.80 2016 notice");
    let all = [sent, confirm, finished, repeated];
    for turn in 0..all.len() {
        let mut turned = all.to_vec();
        turned.rotate_left(turn);
        check_with(row, &turned, "11-08 payment E1 - paid 18.80 2016 notice");
    }
    assert!(all[0].is_held() && !all[2].is_held());
}

#[test]
fn a_notice_of_wechat() {
    let row = "09:00:00 | WX createandpay | OutID=A1 TotalFee=900 | wx result_code=FAIL err_code=USERPAYING";
    let fields = "return_code=SUCCESS result_code=SUCCESS mch_id=1900012345 out_trade_no=A1 transaction_id=4200 total_fee=900 time_end=20161108090007";
    let told = |fields: &str| [notice("08 09:00:09", NoticeFamily::Wechat, Seal::Verified(0), fields)];
    check_with(row, &told(fields), "11-08 payment A1 - paid 9.00 4200 notice");
    let open = "11-08 payment A1 - pending 9.00 - day";
    check_with(row, &told(&fields.replace("result_code=SUCCESS", "result_code=FAIL")), open);
}

#[test]
fn the_amount_of_a_notice_is_in_the_currency_that_it_names() {
    let base = "out_trade_no=A1 trade_no=2016 trade_status=TRADE_SUCCESS";
    for (family, fields, told) in [
        (NoticeFamily::Alipay, format!("{base} total_fee=18.80"), "18.80 CNY"),
        (NoticeFamily::Alipay, format!("{base} total_fee=18.80 currency=USD"), "18.80 USD"),
        (NoticeFamily::Alipay, format!("{base} total_fee=1880 currency=JPY"), "1880 JPY"),
        (NoticeFamily::Alipay, format!("{base} total_fee=18.80 currency=dollars"), ""),
        (NoticeFamily::Wechat, format!("{WECHAT} total_fee=900 fee_type=HKD"), "9.00 HKD"),
        (NoticeFamily::Wechat, format!("{WECHAT} total_fee=900 fee_type=?"), ""),
    ] {
        let shown = notice("08 09:00:09", family, Seal::Verified(1), &fields).told();
        let amount = shown.rsplit_once("SUCCESS").map_or("", |(_, behind)| behind.trim());
        assert_eq!(amount, told, "{fields}: {shown}");
    }
}

const WECHAT: &str =
    "return_code=SUCCESS result_code=SUCCESS mch_id=1900012345 out_trade_no=A1 transaction_id=4200";

#[test]
fn what_a_notice_tells_a_person() {
    let shown = teegon(Seal::Broken, &format!("{TEEGON} buyer=somebody sign=ABCDEF"));
    assert_eq!(shown.told(), "order_no=A1 charge_id=ch1 is_success=true 12.34 CNY");
    assert_eq!(shown.says(crate::domain::Lang::En), "paid");
    assert!(shown.names(&["ch1"]) && shown.names(&["x", "A1"]) && !shown.names(&["", "A2"]));
}

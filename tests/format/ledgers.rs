//! The smaller layouts: Alipay's account log, its ledger, its forex files, and tables by a map of titles. What is read of
//! whole files stands in `fixtures/<room>`; here are the remarks and what is counted apart.

use nightjob::domain::Statement;
use nightjob::format::{ReadError, alipay_account_log, alipay_forex, columns};

use super::asked;

const PID: &str = "2088900000000018";
const TITLES: &str = "外部订单号,账户余额（元）,时间,流水号,支付宝交易号,交易对方Email,交易对方,用户编号,收入（元）,支出（元）,交易场所,商品名称,类型,说明,\n";

/// One row of the 14 columns: `income` or `outcome`, the kind, the trade.
fn row(id: u32, trade: &str, income: &str, outcome: &str, kind: &str) -> String {
    format!("A{trade},1.00,2016-03-01 09:33:{id:02},{id},{trade},,,,{income},{outcome},支付宝,茶,{kind},,\n")
}

fn log(rows: &[String]) -> Result<Statement, ReadError> {
    alipay_account_log::read(&asked(PID, "20160301"), format!("{TITLES}{}", rows.concat()).into_bytes())
}

#[test]
fn what_is_no_order_is_counted_and_never_dropped() {
    let statement = log(&[
        row(1, "T1", "18.80", "", "在线支付"),
        row(2, "T1", "", "0.11", "收费"),
        row(3, "T9", "", "0.10", "收费"),
        row(4, "", "", "100.00", "提现"),
        row(5, "", "", "50.00", "提现"),
        row(6, "T8", "", "30.00", "在线支付"),
        row(7, "T7", "9.00", "", "某种新类型"),
        row(8, "T6", "0.00", "0.00", "收费"),
    ])
    .unwrap();
    assert_eq!(
        statement.remarks(),
        [
            "other movements of the account, not compared: 在线支付 (1 lines, -30.00)",
            "other movements of the account, not compared: 提现 (2 lines, -150.00)",
            "other movements of the account, not compared: 收费 (1 lines, 0.00)",
            "other movements of the account, not compared: 收费 without its payment on this day (1 lines, -0.10)",
            "other movements of the account, not compared: 某种新类型 (1 lines, 9.00)",
        ]
    );
    assert_eq!(statement.entries().len(), 1);
    assert_eq!(statement.entries()[0].fee_e5, 11_000);
}

#[test]
fn a_fee_goes_to_the_payment_and_what_was_given_back_to_the_refund() {
    let statement = log(&[
        row(1, "T1", "", "0.11", "收费"),
        row(2, "T1", "0.05", "", "收费"),
        row(3, "T1", "", "8.80", "交易退款"),
        row(4, "T1", "18.80", "", "在线支付"),
    ])
    .unwrap();
    let fees: Vec<_> = statement.entries().iter().map(|e| (e.kind.as_str(), e.fee_e5)).collect();
    assert_eq!(fees, [("refund", -5_000), ("payment", 11_000)]);
}

#[test]
fn rows_that_are_refused() {
    for (rows, why) in [
        (vec![row(1, "T1", "1.00", "2.00", "在线支付")], "money came in and went out"),
        (vec![row(1, "T1", "-1.00", "", "在线支付")], "is signed"),
        (vec![row(1, "T1", "1.005", "", "在线支付")], "below the smallest unit"),
        (vec![row(1, "T1", "1.00", "", "在线支付"), row(1, "T2", "1.00", "", "在线支付")], "there twice"),
        (
            vec![row(1, "T1", "1.00", "", "在线支付").replace("2016-03-01", "2016-03-02")],
            "the bill of 2016-03-02",
        ),
        (vec![row(1, "T1", "1.00", "", "在线支付").replace("茶", "茶,杯")], "has 16 cells"),
        (
            vec![
                row(1, "T1", "1.00", "", "在线支付"),
                row(2, "T2", "1.00", "", "在线支付").replace(",\n", "\n"),
            ],
            "has 14 cells",
        ),
        (vec!["cut".to_owned()], "has 1 cells"),
    ] {
        let said = log(&rows).expect_err(why).to_string();
        assert!(said.contains(why), "{why}: {said}");
    }
}

/// A record without the comma at its end, but with one inside a text, has as many cells as the others.
#[test]
fn a_comma_in_a_text_does_not_move_amounts_into_other_columns() {
    let moved = row(2, "T2", "1.00", "", "在线支付").replace("茶", "茶,杯").replace(",,\n", ",x\n");
    let said = log(&[row(1, "T1", "1.00", "", "在线支付"), moved]).expect_err("moved").to_string();
    assert!(said.contains("a text with a comma"), "{said}");
}

#[test]
fn pages_that_do_not_make_a_day() {
    let page = |no: &str, next: &str| {
        format!(
            "<alipay><is_success>T</is_success><response><account_page_query_result><account_log_list/>\
             <has_next_page>{next}</has_next_page><page_no>{no}</page_no></account_page_query_result></response></alipay>\n"
        )
    };
    let read = |text: String| alipay_account_log::read(&asked(PID, "20160301"), text.into_bytes());
    assert!(read(page("1", "T") + &page("2", "F")).is_ok());
    for (text, why) in [
        (page("1", "T"), "its last page says that another follows"),
        (page("2", "F"), "page 2 stands where page 1 is expected"),
        (page("1", "F") + &page("2", "F"), "a page follows its last one"),
        (page("1", "T") + &page("1", "F"), "page 1 stands where page 2"),
        (page("1", "X"), "`has_next_page` of page 1 is `X`"),
        ("<alipay><is_success>F</is_success><error>ILLEGAL_SIGN</error></alipay>".into(), "ILLEGAL_SIGN"),
        ("<html><body>busy</body></html>".into(), "no page of it"),
        (page("1", "F")[..90].to_owned(), "cut short"),
    ] {
        let said = read(text).expect_err(why).to_string();
        assert!(said.contains(why), "{why}: {said}");
    }
}

fn forex(text: &str) -> Result<Statement, ReadError> {
    alipay_forex::read(&asked("2088900000000026", "20160301"), text.as_bytes().to_vec())
}

#[test]
fn several_currencies_are_summed_apart() {
    let statement = forex(
        "A1|32.20|EUR|20160301093359||P|0.64|P|\r\nA2|1200|JPY|20160301102000||P|24|L\r\nR1|2.20|EUR|20160301150000||R|0.00|P|\r\n",
    )
    .unwrap();
    assert_eq!(statement.remarks(), ["several currencies: EUR 30.00 (2 lines), JPY 1200 (1 lines)"]);
}

#[test]
fn a_settlement_tells_of_which_days_its_payments_are() {
    let statement =
        forex("A1|32.20|EUR|20160226093359|20160301000000|P|0.64|L|\nA2|1.00|EUR|20160229093359|20160301000000|P|0.64|L|\n")
            .unwrap();
    assert_eq!(
        statement.remarks(),
        ["a settlement: its payments are of 2016-02-26 to 2016-02-29, so it cannot meet the log of one day"]
    );
    assert!(
        forex("A1|1.00|EUR|20160226093359|20160301000000|P|0.64|L|\nA2|1.00|EUR|20160301093359||P|0.64|P|\n")
            .is_err()
    );
}

#[test]
fn forex_lines_that_are_refused() {
    for (line, why) in [
        ("A1|32.20|EUR|20160301093359||X|0.64|P|", "no payment, refund, reversal or cancel"),
        ("A1|32.20|EUR|20160301093359||P|0.64|Z|", "none of P, L"),
        ("A1|32.205|EUR|20160301093359||P|0.64|P|", "below the smallest unit"),
        ("A1|12.50|JPY|20160301093359||P|0|P|", "below the smallest unit"),
        ("A1|1.00|EUR|20160301093360||P|0|P|", "not a time"),
        ("A1|1.00|EUR|20160301093359||P|0|P|a|b|c", "has 11 cells"),
    ] {
        let said = forex(&format!("{line}\n")).expect_err(line).to_string();
        assert!(said.contains(why), "{line}: {said}");
    }
    // With titles, a comma in a text must not move the cells behind it.
    let titled = "Partner_transaction_id,Amount,Fee,Currency,Payment_time,Type,Remarks,Transaction_id\nA1,1.00,0,EUR,2016-03-01 09:00:00,P,a,b,\n";
    assert!(forex(titled).expect_err("moved").to_string().contains("has 9 cells"));
}

#[test]
fn the_sign_of_a_fee_follows_from_what_was_settled() {
    let titles = "Partner_transaction_id,Amount,Fee,Settlement,Currency,Payment_time,Type\n";
    for (line, fee_e5, remarks) in [
        ("A1,10.00,0.20,9.80,EUR,2016-03-01 09:00:00,P", 20_000, 0),
        ("A1,10.00,0.20,9.80,EUR,2016-03-01 09:00:00,R", -20_000, 0),
        ("A1,-10.00,0.20,-9.80,EUR,2016-03-01 09:00:00,R", -20_000, 0),
        ("A1,10.00,0.20,10.20,EUR,2016-03-01 09:00:00,R", 20_000, 0),
        ("A1,10.00,0.20,9.00,EUR,2016-03-01 09:00:00,P", 20_000, 1),
    ] {
        let statement = forex(&format!("{titles}{line}\n")).expect(line);
        assert_eq!((statement.entries()[0].fee_e5, statement.remarks().len()), (fee_e5, remarks), "{line}");
    }
}

#[test]
fn a_mapped_table_tells_what_it_left_out() {
    let map = columns::Map::parse(
        "order_no=no; amount=sum; time=at; kind=kind; payment=pay; refund=back; other=closed; merchant=shop",
    )
    .unwrap();
    let table = "exported by a shop\nno,sum,at,kind,shop\nA1,5.00,2016-11-08 09:00:00,pay,s1\nA2,4.00,2016-11-08 09:10:00,closed,s1\nA3,3.00,2016-11-07 09:10:00,pay,s2\nA1,1.00,2016-11-08 10:00:00,back,s1\n";
    let read = |text: &str| columns::read(&asked("s1", "20161108"), &map, text.as_bytes().to_vec());
    let statement = read(table).unwrap();
    assert_eq!(
        statement.remarks(),
        [
            "1 lines before the titles, not read",
            "lines of another kind, not compared: closed (1 lines)",
            "lines of other merchants, not kept: s2 (1 lines)",
        ]
    );
    assert_eq!((statement.foreign().rows, statement.foreign().amount_minor), (1, 300));
    let amounts: Vec<_> = statement.entries().iter().map(|e| e.amount_minor).collect();
    assert_eq!(amounts, [Some(500), Some(-100)]);
    for (old, new, why) in [
        ("pay,s1", "lost,s1", "none of the values"),
        ("5.00", "-5.00", "on a line of pay"),
        ("5.00", "¥5.00", "is not an amount"),
        ("A1,5.00", ",5.00", "without any number"),
        ("2016-11-08 09:00:00", "yesterday", "is not a time"),
    ] {
        let said = read(&super::changed(table, old, new)).expect_err(why).to_string();
        assert!(said.contains(why), "{why}: {said}");
    }
}

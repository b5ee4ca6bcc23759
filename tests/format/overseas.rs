//! The overseas statements of WeChat Pay: v2 with English titles, v3 in Chinese and English.

use nightjob::domain::{Cell, Entry, Statement};
use nightjob::format::wechat_overseas::{Generation, read};
use nightjob::format::{Asked, ReadError};

use super::{Case, asked, changed, controls, fixture, listing};

fn ours() -> Asked<'static> {
    asked("1900012345", "2024-03-07")
}

fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).expect("the sample is UTF-8")
}

fn v2(text: impl Into<Vec<u8>>) -> Result<Statement, ReadError> {
    read(&ours(), text.into(), Generation::V2)
}

fn v3(text: impl Into<Vec<u8>>) -> Result<Statement, ReadError> {
    read(&ours(), text.into(), Generation::V3)
}

const V3: &str = "wechat_overseas_v3.csv";
const V3_ENGLISH: &str = "wechat_overseas_v3_en.csv";
const V2: &str = "wechat_overseas_v2.csv";

fn v3_changed(old: &str, new: &str) -> Result<Statement, ReadError> {
    v3(changed(&text(V3), old, new))
}

fn v2_changed(old: &str, new: &str) -> Result<Statement, ReadError> {
    v2(changed(&text(V2), old, new))
}

const NO_TOTALS: &str = "the file states no totals of its own that could be proven";

#[test]
fn each_line_has_its_own_currency_and_its_own_digits() {
    let statement = v3(text(V3)).unwrap();
    assert_eq!(
        listing(&statement),
        "\
2 payment paid OS20240307-0001 - 4200002101202403071111111101 - 38.50 38.50 fee 0.31000 HKD 2024-03-07 08:15:42 1900012345 - - T01 Coffee, large
3 payment paid OS20240307-0002 - 4200002101202403071111111102 - 1200 1200 fee 10.00000 JPY 2024-03-07 09:02:10 1900012345 - - T01 Coffee, large
4 payment paid OS20240307-0003 - 4200002101202403071111111103 - 15000 15000 fee 0.09000 KRW 2024-03-07 09:30:00 1900012345 - - T01 우산
5 refund refunded OS20240307-0001 RF20240307-0001 4200002101202403071111111101 50300008232024030722222222001 -8.50 -8.50 fee -0.07000 HKD 2024-03-07 10:30:05 1900012345 - - T01 Coffee, large
6 refund refunded OS20240307-0002 RF20240307-0002 4200002101202403071111111102 50300008232024030722222222002 -200 -200 fee 0.00000 JPY 2024-03-07 11:00:00 1900012345 - - T01 Coffee, large
"
    );
    assert_eq!(controls(&statement), [""; 0]);
    let converted = "settled in another currency than priced; not converted (1 lines: 4)";
    assert_eq!(statement.remarks(), [NO_TOTALS, converted]);
}

#[test]
fn english_titles_that_are_not_known_are_taken_by_their_documented_place() {
    let (chinese, english) = (v3(text(V3)).unwrap(), v3(text(V3_ENGLISH)).unwrap());
    assert_eq!(listing(&english), listing(&chinese));
    assert!(
        english.remarks()[0].starts_with("titles that are not known, taken by their place: "),
        "{:?}",
        english.remarks()
    );
    let moved = changed(&text(V3_ENGLISH), "Service fee,Rate", "Rate,Service fee");
    let why = v3(moved).unwrap_err().to_string();
    assert!(why.contains("no column `标价币种`") || why.contains("no column"), "{why}");
    let one_more = changed(&text(V3_ENGLISH), "Voucher refund\r", "Voucher refund,New\r");
    assert!(v3(one_more).is_err(), "a column more, and nobody knows which is which");
}

#[test]
fn v2_goes_by_title_and_remarks_what_it_does_not_know() {
    let statement = v2(text(V2)).unwrap();
    assert_eq!(
        listing(&statement),
        "\
2 payment paid OS20240307-0001 - 4200002101202403071111111101 - 38.50 38.50 fee 0.31000 HKD 2024-03-07 08:15:42 1900012345 - - T01 Coffee, large
3 payment paid OS20240307-0002 - 4200002101202403071111111102 - 1200 1200 fee 9.60000 JPY 2024-03-07 09:02:10 1900012345 - - T01 Coffee, large
4 refund refunded OS20240307-0001 RF20240307-0001 4200002101202403071111111101 50300008232024030722222222001 -8.50 -8.50 fee -0.07000 HKD 2024-03-07 10:30:05 1900012345 - - T01 Coffee, large
5 reversal reversed OS20240307-0002 - 4200002101202403071111111102 - open 0 fee 0.00000 JPY 2024-03-07 10:31:05 1900012345 - - T01 Coffee, large
"
    );
    assert_eq!(statement.remarks(), ["unknown columns, not read: A title that nobody knows", NO_TOTALS]);
}

#[test]
fn a_chinese_bill_with_its_summary_is_proven_as_far_as_one_currency_goes() {
    let bill = text("wechat_all.csv");
    let statement = v2(bill.clone()).unwrap();
    assert_eq!(
        controls(&statement),
        [
            "总交易单数 3 3",
            "应结订单总金额 83.00 83.00",
            "退款总金额 8.00 8.00",
            "手续费总金额 0.45000 0.45000"
        ]
    );
    let mixed = changed(&bill, "`CMB_DEBIT,`CNY,`45.00,`5.00", "`CMB_DEBIT,`USD,`45.00,`5.00");
    assert_eq!(controls(&v2(mixed).unwrap()), ["总交易单数 3 3"], "dollars and yuan add up to nothing");
}

#[test]
fn a_summary_with_unknown_titles_proves_nothing_and_is_told() {
    let statement = v2(text(V2) + "Total number,Total of all\r\n`4,`1238.50\r\n").unwrap();
    assert_eq!(statement.entries().len(), 4);
    assert!(
        statement.remarks().contains(&"totals that are not proven: Total number, Total of all".to_owned())
    );
}

/// Of each kind of line in both generations.
#[test]
fn line_breaks_and_the_pair_of_comma_and_backtick_stay_in_their_cell() {
    let pair = "a text holds a comma and a backtick; its cells were told apart by their shapes (1 lines: 2)";
    for (old, new, cell, repaired) in [
        (",`Coffee, large,`pos=3,", ",`Coffee,`small,`pos=3,", "Coffee,`small", true),
        (",`Coffee, large,`pos=3,", ",`,`,`,`,`pos=3,", ",`,`,`", true),
        (",`Coffee, large,`pos=3,", ",`Coffee\r\nlarge,`pos=3,", "Coffee\r\nlarge", false),
        (",`Coffee, large,`pos=3,", ",`Coffee\nsmall,`or\nlarge,`pos=3,", "Coffee\nsmall,`or\nlarge", true),
        (",`T01,`", ",`T,`01,`", "T,`01", true),
    ] {
        for (name, generation) in [(V3, Generation::V3), (V2, Generation::V2), (V3_ENGLISH, Generation::V3)] {
            let good = read(&ours(), text(name).into_bytes(), generation).unwrap();
            let odd = read(&ours(), text(name).replacen(old, new, 1).into_bytes(), generation).unwrap();
            let first = odd.entries()[0];
            let holder = if old.contains("T01") { Cell::Till } else { Cell::Subject };
            assert_eq!(odd.cell(&first, holder), cell, "{name}");
            assert_eq!(odd.remarks().contains(&pair.to_owned()), repaired, "{name} {:?}", odd.remarks());
            let without = |statement: &Statement| -> Vec<String> {
                let amounts =
                    |e: &Entry| format!("{:?} {:?} {} {}", e.kind, e.amount_minor, e.fee_e5, e.happened_at);
                statement.entries().iter().map(amounts).collect()
            };
            assert_eq!(without(&odd), without(&good), "{name}");
        }
    }
}

pub(crate) fn refused() -> Vec<Case> {
    let (two, three) = (text(V2), text(V3));
    let cut = three.trim_end()[..three.trim_end().len() - 9].to_owned();
    vec![
        ("v3 as v2", v2(three.clone())),
        ("v2 as v3", v3(two.clone())),
        ("yen with decimals", v3_changed("`JPY,`1200,`CNY", "`JPY,`1200.50,`CNY")),
        ("a currency that is none", v3_changed("`KRW,`15000,", "`WON?,`15000,")),
        ("a settled currency that is none", v3_changed("`USD,`11.25,", "`$,`11.25,")),
        ("a settled amount that is none", v3_changed("`USD,`11.25,", "`USD,`n/a,")),
        ("no amount", v3_changed("`JPY,`1200,`CNY", "`JPY,`,`CNY")),
        ("a negative amount", v3_changed("`JPY,`1200,`CNY", "`JPY,`-1200,`CNY")),
        ("an unknown state", v2_changed("`MICROPAY,`REVOKED", "`MICROPAY,`CLOSED")),
        ("an unknown state of a refund", v3_changed("`ORIGINAL,`PROCESSING", "`ORIGINAL,`ABNORMAL")),
        ("another merchant", v2(two.replace("1900012345", "1900099999"))),
        ("another day", v3(three.replace("2024-03-07", "2024-03-06"))),
        ("a time that is none", v3_changed("2024-03-07 11:00:00", "11:00:00")),
        ("a column is missing", v3_changed("退款应结订单金额", "退款金额")),
        ("a column twice", v3_changed("付款银行", "交易状态")),
        ("cut inside a line", v3(cut)),
        ("a summary without its values", v2(format!("{two}Total number\r\n"))),
        ("a summary with a value too many", v2(format!("{two}Total number\r\n`4,`5\r\n"))),
        ("goes on behind its summary", v2(format!("{two}Total number\r\n`4\r\n{two}"))),
        ("a total that is off", v2(changed(&text("wechat_all.csv"), "`3,`83.00", "`3,`83.01"))),
        (
            "a cell too many that no text explains",
            v3_changed("`38.50,`CNY,`100.00,", "`38.50,`1,`CNY,`100.00,"),
        ),
        ("a cell too few", v2(two.replacen("`T01,`", "`", 1))),
        ("blank lines inside", v3(three.replacen("\r\n`", "\r\n\r\n`", 1))),
    ]
}

//! The WeChat fund flow.

use nightjob::domain::Statement;
use nightjob::format::wechat_fundflow::read;
use nightjob::format::{Asked, ReadError, wechat_bill};

use super::{Case, asked, changed, controls, fixture, listing};

const DAY: &str = "2024-03-07";

fn sample() -> String {
    String::from_utf8(fixture("wechat_fundflow.csv")).expect("the sample is UTF-8")
}

fn ours() -> Asked<'static> {
    asked("1900012345", DAY)
}

fn read_text(text: impl Into<Vec<u8>>) -> Result<Statement, ReadError> {
    read(&ours(), text.into())
}

fn read_changed(old: &str, new: &str) -> Result<Statement, ReadError> {
    read_text(changed(&sample(), old, new))
}

/// The lines of the sample in another order.
fn shuffled(order: [usize; 5]) -> String {
    let sample = sample();
    let lines: Vec<&str> = sample.split_inclusive('\n').collect();
    let rows: String = order.iter().map(|row| lines[*row]).collect();
    format!("{}{rows}{}{}", lines[0], lines[6], lines[7])
}

#[test]
fn income_is_positive_and_every_fee_a_movement() {
    let statement = read_text(sample()).unwrap();
    assert_eq!(
        listing(&statement),
        "\
2 payment paid SP20240307-0001 - 4200002101202403071111111111 - 38.00 38.00 fee 0.00000 CNY 2024-03-07 08:15:43 - - - - 交易
3 refund refunded SP20240307-0001 - 4200002101202403071111111111 - -0.23 -0.23 fee 0.00000 CNY 2024-03-07 08:15:43 - - - - 扣除交易手续费
4 payment paid SP20240307-0002 - 4200002101202403072222222222 - 45.00 45.00 fee 0.00000 CNY 2024-03-07 09:02:11 - - - - 交易
5 refund refunded SP20240307-0002 - 4200002101202403072222222222 - -0.27 -0.27 fee 0.00000 CNY 2024-03-07 09:02:11 - - - - 扣除交易手续费
6 refund refunded RF20240307-0001 - 50300008232024030733333333333 - -7.95 -7.95 fee 0.00000 CNY 2024-03-07 10:30:05 - - - - 退款
"
    );
    assert_eq!(
        controls(&statement),
        [
            "资金流水总笔数 5 5",
            "收入笔数 2 2",
            "收入金额 83.00 83.00",
            "支出笔数 3 3",
            "支出金额 8.45 8.45",
            "账户结余(元) 1074.55 1074.55",
        ]
    );
    assert_eq!(statement.remarks(), [""; 0]);
}

#[test]
fn spellings_of_the_documents_are_read_too() {
    let sample = sample();
    let expected = listing(&read_text(sample.clone()).unwrap());
    for text in [
        sample.replace('\r', ""),
        sample.trim_start_matches('\u{feff}').to_owned(),
        sample.replace("(元)", "（元）"),
        changed(&sample, "`5,`2,`83.00,`3,`8.45", "`5.0,`2.0,`83.0,`3.0,`8.45"),
        changed(&sample, "`5,`2", "5,`2"),
        changed(&sample, "资金流水总笔数", "\r\n 资金流水总笔数").replace("\n ", "\n"),
    ] {
        let lines = listing(&read_text(text).unwrap());
        assert_eq!(lines.lines().count(), expected.lines().count());
    }
}

#[test]
fn the_balance_is_proven_in_any_order_and_the_order_is_told() {
    for (order, reordered) in
        [([1, 2, 3, 4, 5], false), ([5, 4, 3, 2, 1], false), ([2, 1, 3, 4, 5], true), ([3, 5, 1, 4, 2], true)]
    {
        let statement = read_text(shuffled(order)).unwrap();
        assert_eq!(controls(&statement)[5], "账户结余(元) 1074.55 1074.55", "{order:?}");
        assert_eq!(!statement.remarks().is_empty(), reordered, "{order:?}");
    }
}

#[test]
fn a_note_with_a_separator_in_it_is_put_together() {
    let statement = read_changed("退款总金额8.00元;含手续费0.05元", "退款,`总金额,`8.00元").unwrap();
    assert_eq!(statement.entries().len(), 5);
    assert_eq!(
        statement.remarks(),
        ["a note holds a comma and a backtick; its cells were put together (1 lines: 6)"]
    );
}

#[test]
fn a_flow_that_only_others_asked_for_is_remarked() {
    let statement = read_changed("`1900012345API", "`1900099999API").unwrap();
    assert_eq!(
        statement.remarks(),
        ["no line was asked for by merchant 1900012345, but: 1900099999API (1 lines)"]
    );
}

pub(crate) fn refused() -> Vec<Case> {
    let sample = sample();
    let cut = |at: &str| read_text(sample[..sample.find(at).expect(at)].to_owned());
    vec![
        ("an amount that the balance does not bear out", read_changed("`45.00,`1082.77", "`45.01,`1082.77")),
        ("a balance of its own", read_changed("`1037.77", "`1037.70")),
        (
            "two amounts changed so that the totals hold",
            read_text(changed(&changed(&sample, "`0.23,", "`0.27,"), "`0.27,`1082.50", "`0.23,`1082.50")),
        ),
        ("a balance that is none", read_changed("`1037.77", "`1037.7７")),
        ("a negative amount", read_changed("`收入,`38.00", "`收入,`-38.00")),
        ("neither in nor out", read_changed("`交易,`收入,`38.00", "`交易,`冻结,`38.00")),
        ("a line of another day", read_changed("`2024-03-07 10:30:05", "`2024-03-08 00:00:00")),
        ("a time that is none", read_changed("`2024-03-07 10:30:05", "`2024-03-07")),
        ("a total that is off", read_changed("`3,`8.45", "`3,`8.46")),
        ("a count that is off", read_changed("`5,`2,", "`6,`2,")),
        ("a count that is no whole number", read_changed("`5,`2,", "`5.5,`2,")),
        ("a cell too few", read_changed("`退款,`退款,", "`退款")),
        ("a line without a backtick", read_changed("`2024-03-07 10", "2024-03-07 10")),
        ("a column is missing", read_changed("账户结余(元)", "结余")),
        ("a total is missing", read_changed(",支出金额", ",支出")),
        ("cut before the summary", cut("资金流水总笔数")),
        ("cut inside the summary", cut("`5,`2")),
        ("cut inside a line", cut(",`退款总金额")),
        ("goes on behind its summary", read_text(format!("{sample}{sample}"))),
        ("a trade bill", read_text(fixture("wechat_all.csv"))),
        ("a fund flow as a trade bill", wechat_bill::read(&ours(), fixture("wechat_fundflow.csv"))),
    ]
}

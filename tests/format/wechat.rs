//! The WeChat trade bill.

use nightjob::domain::{BillDate, Statement};
use nightjob::format::wechat_bill::read;
use nightjob::format::{Asked, ReadError};
use sha1::{Digest, Sha1};

use super::{Case, asked, changed, controls, fixture, listing};

const MERCHANT: &str = "1900012345";
const DAY: &str = "2024-03-07";

fn sample() -> String {
    String::from_utf8(fixture("wechat_all.csv")).expect("the sample is UTF-8")
}

fn read_text(text: impl Into<Vec<u8>>) -> Result<Statement, ReadError> {
    read(&asked(MERCHANT, DAY), text.into())
}

fn read_changed(old: &str, new: &str) -> Result<Statement, ReadError> {
    read_text(changed(&sample(), old, new))
}

const SAMPLE: &str = "\
2 payment paid SP20240307-0001 - 4200002101202403071111111111 - 38.00 38.00 fee 0.23000 CNY 2024-03-07 08:15:42 1900012345 - - T01 早餐,豆浆
3 payment paid SP20240307-0002 - 4200002101202403072222222222 - 50.00 45.00 fee 0.27000 CNY 2024-03-07 09:02:10 1900012345 - - T01 午餐
4 refund refunded SP20240307-0001 RF20240307-0001 4200002101202403071111111111 50300008232024030733333333333 -8.00 -8.00 fee -0.05000 CNY 2024-03-07 10:30:05 1900012345 - - T01 早餐,豆浆
";

#[test]
fn the_sample_of_the_specification() {
    let raw = fixture("wechat_all.csv");
    assert_eq!(raw.len(), 1400);
    assert_eq!(hex::encode(Sha1::digest(&raw)), "384693d8f31c5f5d39ada53b25b06388c815dccf");
    let statement = read_text(raw).unwrap();
    assert_eq!(listing(&statement), SAMPLE);
    assert_eq!(
        controls(&statement),
        [
            "总交易单数 3 3",
            "应结订单总金额 83.00 83.00",
            "退款总金额 8.00 8.00",
            "充值券退款总金额 0.00 0.00",
            "手续费总金额 0.45000 0.45000",
            "订单总金额 88.00 88.00",
            "申请退款总金额 8.00 8.00",
        ]
    );
    assert_eq!(statement.remarks(), [""; 0]);
    assert_eq!(statement.foreign().rows, 0);
    let line = statement.line(&statement.entries()[1]);
    assert!(line.starts_with("`2024-03-07 09:02:10,`") && line.ends_with(",`50.00,`0.00,`"), "{line}");
}

#[test]
fn line_ends_blanks_and_byte_order_mark_may_be_missing_or_too_many() {
    let sample = sample();
    for text in [
        sample.replace('\r', ""),
        sample.trim_start_matches('\u{feff}').to_owned(),
        sample.trim_end().to_owned(),
        sample.replace("\r\n", "   \r\n"),
        format!("{sample}\r\n\r\n   \n\r\n"),
        changed(&sample, "\n`3,`", "\n3,`"),
        changed(&sample, "2024-03-07 09:02:10", "2024-03-07 09：02：10"),
    ] {
        assert_eq!(listing(&read_text(text).unwrap()), SAMPLE);
    }
}

#[test]
fn commas_quotes_backticks_and_line_breaks_are_content() {
    for (subject, shown) in [
        ("a,b,,c", "a,b,,c"),
        ("\"a\",\"b", "\"a\",\"b"),
        ("`a`b`", "`a`b`"),
        ("a, `b", "a, `b"),
        ("a\nb\r\n,c", "a\nb\r\n,c"),
        ("a\n\nb", "a\n\nb"),
        ("𠮷🍜\u{202e}", "𠮷🍜\u{202e}"),
        ("=1+1", "=1+1"),
        ("总交易单数", "总交易单数"),
    ] {
        let statement = read_changed("`午餐,", &format!("`{subject},")).unwrap();
        let expected = changed(SAMPLE, "午餐", shown);
        let breaks = subject.matches('\n').count();
        assert_eq!(
            listing(&statement),
            changed(&expected, "\n4 refund", &format!("\n{} refund", 4 + breaks))
        );
        assert_eq!(statement.remarks(), [""; 0]);
    }
}

#[test]
fn a_comma_and_a_backtick_in_a_text_are_told_apart_by_the_shapes_around() {
    for (old, text, shown) in [
        ("`午餐,", "`午,`餐,", "午,`餐"),
        ("`午餐,", "`午,`,`餐,`12.00,", "午,`,`餐,`12.00"),
        (
            "`CMB_DEBIT,`CNY,`45.00,`5.00,`0,`0,`0.00,`0.00,`,`,`午餐,`pos=3,",
            "`CMB_DEBIT,`CNY,`45.00,`5.00,`0,`0,`0.00,`0.00,`,`,`午餐,`pos=3,`x,",
            "午餐,`pos=3",
        ),
    ] {
        let statement = read_changed(old, text).unwrap();
        assert_eq!(listing(&statement), changed(SAMPLE, "午餐", shown));
        assert_eq!(
            statement.remarks(),
            ["a text holds a comma and a backtick; its cells were told apart by their shapes (1 lines: 3)"]
        );
    }
    let till = "`1900012345,`0,`T01,`4200002101202403072222222222";
    let statement = read_changed(till, &till.replace("T01", "T,`01")).unwrap();
    assert!(listing(&statement).contains("- - T,`01 午餐\n"), "{}", listing(&statement));
    let statement = read_changed("`50.00,`0.00,`\r\n", "`50.00,`0.00,`note,`more\r\n").unwrap();
    assert_eq!(listing(&statement), SAMPLE);
}

/// The sample's table with its columns in another order, one of them new.
fn permuted(order: impl Fn(&mut Vec<String>)) -> String {
    let lines: Vec<String> = sample().trim_start_matches('\u{feff}').lines().map(str::to_owned).collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let (separator, first) = if (1..4).contains(&number) { (",`", "`") } else { (",", "") };
        let mut cells: Vec<String> =
            line.strip_prefix(first).unwrap_or(line).split(separator).map(str::to_owned).collect();
        if number < 4 {
            cells.push(if number == 0 { "新栏目".to_owned() } else { "12345.67".to_owned() });
            order(&mut cells);
        }
        text += &format!("{first}{}\r\n", cells.join(separator));
    }
    text
}

#[test]
fn peers_19_columns_permuted_and_added_do_not_shift_amounts() {
    let orders: [fn(&mut Vec<String>); 3] = [|_| (), |cells| cells.reverse(), |cells| cells.rotate_left(5)];
    for order in orders {
        let statement = read_text(permuted(order)).unwrap();
        assert_eq!(listing(&statement), SAMPLE);
        assert_eq!(statement.remarks(), ["unknown columns, not read: 新栏目"]);
    }
}

#[test]
fn a_surplus_cell_that_two_columns_could_own_is_refused() {
    // 商品名称 beside 费率备注, which is free text too.
    let text = permuted(|cells| {
        let subject = cells.remove(20);
        cells.insert(25, subject);
    });
    let error = read_text(changed(&text, "`午餐,`,`", "`午餐,`x,`,`")).unwrap_err();
    assert_eq!(error.to_string(), "line 3: has 29 cells, the titles 28; several columns could own them");
}

#[test]
fn the_number_of_a_trade_tells_a_split_till_from_a_split_product_name() {
    // 设备号, 微信订单号 and 商品名称 at the end, 费率备注 at the beginning: only the number's length can tell.
    let text = permuted(|cells| {
        let note = cells.remove(26);
        let (subject, trade_no, till) = (cells.remove(20), cells.remove(5), cells.remove(4));
        cells.extend([till, trade_no, subject]);
        cells.insert(0, note);
    });
    let split = changed(
        &text,
        "`T01,`4200002101202403072222222222,`午餐",
        "`T,`01,`4200002101202403072222222222,`午餐",
    );
    let statement = read_text(split).unwrap();
    assert_eq!(listing(&statement), changed(SAMPLE, "T01 午餐", "T,`01 午餐"));
}

#[test]
fn peers_9_a_repeated_row_is_kept_as_it_is() {
    let row = sample().lines().nth(2).expect("a row").to_owned();
    let text = changed(&sample(), &row, &format!("{row}\r\n{row}"));
    let text =
        changed(&text, "`3,`83.00,`8.00,`0.00,`0.45000,`88.00", "`4,`128.00,`8.00,`0.00,`0.72000,`138.00");
    let statement = read_text(text).unwrap();
    let twice = statement.entries().iter().filter(|e| e.settled_minor == 4500).count();
    assert_eq!((statement.entries().len(), twice), (4, 2));
}

#[test]
fn peers_24_a_day_without_movements_is_an_empty_statement_with_its_controls() {
    let text = sample();
    let lines: Vec<&str> = text.lines().collect();
    let text = format!("{}\r\n{}\r\n`0,`0.00,`0,`0.0,`0.00000,`0.00,`0.00\r\n", lines[0], lines[4]);
    let statement = read_text(text).unwrap();
    assert_eq!((statement.entries().len(), statement.controls().len()), (0, 7));
}

const OLD_ALL: &str = "交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,总金额,企业红包金额,微信退款单号,商户退款单号,退款金额,企业红包退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率\n\
`2016-11-08 09：33：59,`wx0123456789abcdef,`1900012345,`0,`,`4200002120161108939585584704,`16110809335991735129,`oAbC,`MICROPAY,`SUCCESS,`CFT,`CNY,`1000.99,`0.0,`0,`0,`0,`0,`,`,`茶,`,`6.01000,`0.60%\n\
`2016-11-08 10:00:00,`wx0123456789abcdef,`1900012345,`0,`,`4200002120161108939585584704,`16110809335991735129,`oAbC,`MICROPAY,`REFUND,`CFT,`CNY,`0.00,`0.00,`2003122001201611080000000001,`R-1,`0.99,`0.00,`ORIGINAL,`PROCESSING,`茶,`,`-0.01000,`0.60%\n\
总交易单数,总交易额,总退款金额,总企业红包退款金额,手续费总金额\n\
`2,`1000.99,`0.99,`0.00,`6.00000\n";

#[test]
fn the_old_generation_has_no_gross_amount_but_the_settled_one() {
    let statement = read(&asked(MERCHANT, "20161108"), OLD_ALL.into()).unwrap();
    assert_eq!(
        listing(&statement),
        "2 payment paid 16110809335991735129 - 4200002120161108939585584704 - 1000.99 1000.99 fee 6.01000 CNY 2016-11-08 09:33:59 1900012345 - - - 茶\n\
         3 refund refunded 16110809335991735129 R-1 4200002120161108939585584704 2003122001201611080000000001 -0.99 -0.99 fee -0.01000 CNY 2016-11-08 10:00:00 1900012345 - - - 茶\n"
    );
    assert_eq!(statement.controls().len(), 5);
    let variant = OLD_ALL
        .replace("企业红包金额", "代金券或立减优惠金额")
        .replace("总企业红包退款金额", "总代金券或立减优惠退款金额")
        .replace("企业红包退款金额", " 代金券或立减优惠退款金额")
        .replace("公众账号ID", "服务商的APPID");
    let variant = read(&asked(MERCHANT, "20161108"), variant.into_bytes()).unwrap();
    assert_eq!((variant.controls().len(), variant.remarks().len()), (5, 0));
}

const SUCCESS: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,商品名称,商户数据包,手续费,费率,订单金额,费率备注\n\
`2024-03-07 08:15:42,`wx0123456789abcdef,`1900012345,`0,`T01,`4200002101202403071111111111,`SP-1,`oAbC,`MICROPAY,`SUCCESS,`OTHERS,`CNY,`38.00,`0.00,`茶,`,`0.23000,`0.60%,`38.00,`\n";

#[test]
fn a_bill_of_payments_has_a_summary_of_four_or_seven_columns() {
    for (summary, controls, remarks) in [
        ("总交易单数,应结订单总金额,手续费总金额,订单总金额\n`1,`38.00,`0.23000,`38.00\n", 4, 0),
        (
            "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\n`1,`38.00,`0.00,`0.00,`0.23000,`38.00,`0.00\n",
            7,
            0,
        ),
        (
            "总交易单数,应结订单总金额,退款总金额,手续费总金额,订单总金额,新合计\n`1,`38.00,`8.00,`0.23000,`38.00,`1\n",
            4,
            2,
        ),
    ] {
        let statement = read_text(format!("{SUCCESS}{summary}")).unwrap();
        assert_eq!(statement.entries()[0].amount_minor, Some(3800));
        assert_eq!((statement.controls().len(), statement.remarks().len()), (controls, remarks), "{summary}");
    }
}

/// 交易时间 is the payment's, of an earlier day; the second refund was asked for before midnight and done after.
const REFUNDS: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,退款申请时间,退款成功时间,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\n\
`2024-02-01 08:15:42,`wx0123456789abcdef,`1900012345,`0,`T01,`4200002101202403071111111111,`SP-1,`oAbC,`MICROPAY,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`2024-03-07 10:30:03,`2024-03-09 10:30:05,`50300008232024030733333333333,`RF-1,`7.00,`1.00,`ORIGINAL,`SUCCESS,`茶,`,`-0.04000,`0.60%,`0.00,`8.00,`\n\
`2024-03-06 08:15:42,`wx0123456789abcdef,`1900012345,`0,`T01,`4200002101202403071111111112,`SP-2,`oAbC,`MICROPAY,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`2024-03-06 23:59:59,`2024-03-07 00:00:01,`50300008232024030733333333334,`RF-2,`1.00,`0.00,`ORIGINAL,`FAIL,`茶,`,`-0.01000,`0.60%,`0.00,`1.00,`\n\
总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\n\
`2,`0.00,`8.00,`1.00,`-0.05000,`0.00,`9.00\n";

#[test]
fn a_bill_of_refunds_is_dated_by_the_application_and_not_by_the_payment() {
    let statement = read_text(REFUNDS).unwrap();
    assert_eq!(
        listing(&statement),
        "2 refund refunded SP-1 RF-1 4200002101202403071111111111 50300008232024030733333333333 -8.00 -7.00 fee -0.04000 CNY 2024-03-07 10:30:03 1900012345 - - T01 茶\n\
         3 refund failed SP-2 RF-2 4200002101202403071111111112 50300008232024030733333333334 -1.00 -1.00 fee -0.01000 CNY 2024-03-06 23:59:59 1900012345 - - T01 茶\n"
    );
    let recharge = REFUNDS.replace("特约商户号", "子商户号").replace("手续费,费率", "返还手续费,费率");
    assert_eq!(listing(&read_text(recharge).unwrap()), listing(&statement));
}

#[test]
fn peers_10_a_failed_refund_is_seen_and_a_pending_one_counts() {
    for (state, read_as) in
        [("SUCCESS", "refunded"), ("PROCESSING", "refunded"), ("CHANGE", "refunded"), ("FAIL", "failed")]
    {
        let statement = read_changed("`ORIGINAL,`SUCCESS", &format!("`ORIGINAL,`{state}")).unwrap();
        assert_eq!(statement.entries()[2].state.as_str(), read_as);
    }
}

#[test]
fn a_reversal_keeps_its_amount_open_unless_the_line_states_it() {
    let reversed = |refund: &str, requested: &str| {
        let row = "`REVOKED,`OTHERS,`CNY,`0.00,`0.00,`0,`0,`REFUND,`0.00,`,`,`茶,`,`0.00000,`0.60%,`0.00,`ASKED,`\n";
        let row = row.replace("REFUND", refund).replace("ASKED", requested);
        let head = REFUNDS.lines().next().expect("titles").replace("退款申请时间,退款成功时间,", "");
        let start = "`2024-03-07 11:00:00,`wx0123456789abcdef,`1900012345,`0,`T01,`4200002101202403071111111111,`SP-1,`oAbC,`MICROPAY,";
        let totals = REFUNDS.lines().nth(3).expect("totals");
        let text =
            format!("{head}\n{start}{row}{totals}\n`1,`0.00,`{refund},`0.00,`0.00000,`0.00,`{requested}\n");
        let statement = read_text(text).unwrap();
        let entry = statement.entries()[0];
        assert_eq!((entry.kind.as_str(), entry.state.as_str()), ("reversal", "reversed"));
        (entry.amount_minor, entry.settled_minor)
    };
    assert_eq!(reversed("0.00", "0.00"), (None, 0));
    assert_eq!(reversed("38.00", "0.00"), (Some(-3800), -3800));
    assert_eq!(reversed("0.00", "38.00"), (Some(-3800), 0));
    assert_eq!(reversed("33.00", "38.00"), (Some(-3300), -3300));
}

#[test]
fn peers_8_lines_of_other_sub_merchants_are_counted_and_named_and_not_kept() {
    let text = sample().replace("`1900012345,`0,`T01", "`1900012345,`1600098765,`T01");
    let text = text.replacen("`1900012345,`1600098765,", "`1900012345,`1600000001,", 1);
    let ask = |sub_merchant| {
        let date = BillDate::parse(DAY).expect("a date");
        read(&Asked { merchant: MERCHANT, sub_merchant, date }, text.clone().into_bytes())
    };
    let one = ask("1600098765").unwrap();
    assert_eq!((one.entries().len(), one.controls().len()), (2, 7));
    assert_eq!((one.foreign().rows, one.foreign().amount_minor), (1, 3800));
    assert_eq!(one.remarks(), ["lines of other sub-merchants, not kept: 1600000001 (1 lines)"]);
    assert!(listing(&one).contains(" 1900012345 1600098765 - T01 "));
    let all = ask("").unwrap();
    assert_eq!((all.entries().len(), all.foreign().rows), (3, 0));
    assert_eq!(
        ask("1600000002").unwrap_err().to_string(),
        "this is the bill of merchant 1600000001 (1 lines), 1600098765 (2 lines), not of 1600000002"
    );
}

#[test]
fn other_currencies_have_their_own_decimals() {
    let yen = sample().replace("`CNY,", "`JPY,");
    let yen =
        yen.replace("38.00,", "38,").replace("`45.00", "`45").replace("`5.00", "`5").replace("50.00", "50");
    let statement = read_text(yen.replace("8.00,", "8,")).unwrap();
    assert_eq!(statement.entries()[1].amount_minor, Some(50));
    assert_eq!(controls(&statement)[5], "订单总金额 88 88");
}

#[test]
fn an_odd_line_is_a_remark_and_no_refusal() {
    let statement = read_changed("`0.27000,`0.60%,`50.00,`0.00", "`0.27000,`0.60%,`44.00,`0.00");
    let text = statement.unwrap_err().to_string();
    assert_eq!(
        text,
        "the file's own totals differ from its lines: `订单总金额` states 88.00, its lines add up to 82.00"
    );
    let text = changed(&sample(), "`0.27000,`0.60%,`50.00,`0.00", "`0.27000,`0.60%,`44.00,`0.00");
    let statement = read_text(changed(&text, "`0.45000,`88.00", "`0.45000,`82.00")).unwrap();
    assert_eq!(
        statement.remarks(),
        ["settles more than was paid or refunds more than was asked for (1 lines: 3)"]
    );
}

#[test]
fn a_bill_in_gb18030_is_read_with_a_remark() {
    let text = changed(&sample(), "午餐", "午餐𠮷");
    let raw = encoding_rs::GB18030.encode(text.trim_start_matches('\u{feff}')).0.into_owned();
    let statement = read_text(raw).unwrap();
    assert_eq!(listing(&statement), changed(SAMPLE, "午餐", "午餐𠮷"));
    assert_eq!(statement.remarks(), ["the bill is GB18030 text, not UTF-8"]);
}

/// Files that must be refused, for the golden file.
pub(crate) fn refused() -> Vec<Case> {
    let mut cases = damaged();
    cases.extend(foreign());
    cases.extend(amounts());
    cases.extend(tables());
    cases
}

fn damaged() -> Vec<Case> {
    let sample = sample();
    let until = |mark: &str| sample[..sample.find(mark).expect("a mark")].to_owned();
    let behind = |more: &str| format!("{sample}{more}");
    let mut in_a_character = until("午餐").into_bytes();
    in_a_character.extend(&"午".as_bytes()[..2]);
    let mut broken = until("午餐").into_bytes();
    broken.extend([0xff, b'\n']);
    let first_row = sample.lines().nth(1).expect("a row");
    vec![
        ("cut inside a row", read_text(until(",`午餐"))),
        ("cut behind a row", read_text(until("总交易单数"))),
        ("cut inside the summary's titles", read_text(until(",手续费总金额"))),
        ("cut behind the summary's titles", read_text(until("`3,`83.00"))),
        ("cut inside the summary's values", read_text(until(",`88.00,`8.00\r\n"))),
        ("cut inside a character", read_text(in_a_character)),
        ("a byte that is not UTF-8", read_text(broken)),
        ("bytes of no encoding", read_text(b"\xff\xff\xff,\n1,2\n".to_vec())),
        ("UTF-16", read_text(sample.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())),
        ("a NUL byte", read_changed("午餐", "午\0餐")),
        ("an empty file", read_text("")),
        ("a byte order mark and nothing more", read_text("\u{feff}")),
        ("titles and nothing more", read_text(until("`2024-03-07 08:15:42"))),
        ("a line of 100 MB", read_changed("午餐", &"x".repeat(100_000_000))),
        ("a blank line between rows", read_changed("\r\n`2024-03-07 09", "\r\n\r\n`2024-03-07 09")),
        ("a row without backticks", read_changed("\r\n`2024-03-07 09", "\r\n2024-03-07 09")),
        ("a row behind the summary", read_text(behind(&format!("{first_row}\r\n")))),
        ("a second summary", read_text(behind("总交易单数,总交易额\r\n`3,`83.00\r\n"))),
        ("something behind the summary", read_text(behind("EOF\u{1b}[2J\r\n"))),
        ("a line break behind the last cell", read_changed("`50.00,`0.00,`\r\n", "`50.00,`0.00,`a\r\nb\r\n")),
    ]
}

fn foreign() -> Vec<Case> {
    let sample = sample();
    let other = |merchant, date| read(&asked(merchant, date), sample.clone().into_bytes());
    let row = "`1900012345,`0,`T01,`4200002101202403072222222222";
    let zip =
        super::archive::Zip::new().file("a.csv", sample.as_bytes()).file("b.csv", sample.as_bytes()).build();
    vec![
        ("another merchant's bill", other("1900054321", DAY)),
        ("one row of another merchant", read_changed(row, &row.replace("1900012345", "1900054321"))),
        ("another day's bill", other(MERCHANT, "2024-03-08")),
        ("one row of another day", read_changed("2024-03-07 09:02:10", "2024-03-08 00:00:00")),
        (
            "one refund of another day",
            read_text(REFUNDS.replace("2024-03-07 10:30:03", "2024-03-08 10:30:03")),
        ),
        ("an Alipay bill", read_text("#支付宝业务明细查询\r\n#账号：[20889000000000180156]\r\n")),
        ("a personal export", read_text("\u{feff}微信支付账单明细,,,,,,,,\r\n微信昵称：[x],,,,,,,,\r\n")),
        ("the fund flow", read_text("记账时间,微信支付业务单号,资金流水单号,业务名称\r\n")),
        ("an HTML page", read_text("\r\n<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>")),
        (
            "an XML reply",
            read_text(
                "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[Bill Creating]]></return_msg></xml>",
            ),
        ),
        ("a JSON reply", read_text("{\"code\":\"NO_AUTH\",\"message\":\"no\"}")),
        ("two bills in a zip", read_text(zip)),
    ]
}

fn amounts() -> Vec<Case> {
    let mut cases = vec![
        ("one row too many stated", read_changed("`3,`83.00", "`4,`83.00")),
        ("settled total off by one fen", read_changed("`3,`83.00", "`3,`83.01")),
        ("refund total off by one fen", read_changed("`83.00,`8.00,", "`83.00,`7.99,")),
        ("coupon refund total off by one fen", read_changed("`8.00,`0.00,`0.45000", "`8.00,`0.01,`0.45000")),
        ("fee total off by a thousandth of a fen", read_changed("`0.45000", "`0.45001")),
        ("order total off by one fen", read_changed("`0.45000,`88.00,`8.00\r", "`0.45000,`88.01,`8.00\r")),
        ("requested total off by one fen", read_changed("`88.00,`8.00\r", "`88.00,`8.01\r")),
        ("a malformed total", read_changed("`0.45000,`88.00,`8.00\r", "`0.45000,`88元,`8.00\r")),
        (
            "an amount above 64 bits in sum",
            read_text(
                sample()
                    .replace("`38.00,`0.00,`0,", "`92233720368547758.07,`0.00,`0,")
                    .replace("`45.00,", "`92233720368547758.07,"),
            ),
        ),
    ];
    let malformed = [
        "1,234.50",
        "１２.００",
        "1e3",
        "NaN",
        "45.001",
        "123456789012345678901",
        "",
        "-45.00",
        "+45.00",
        "45.",
        ".5",
        " 45.00",
        "0x2D",
    ];
    for amount in malformed {
        cases.push(("a malformed amount", read_changed("`CNY,`45.00,", &format!("`CNY,`{amount},"))));
    }
    cases.push(("a malformed fee", read_changed("`0.27000", "`0.2700000001")));
    cases.push(("a negative refund", read_changed("`RF20240307-0001,`8.00", "`RF20240307-0001,`-8.00")));
    for time in [
        "2024-03-07 24:00:00",
        "2024-03-07 23:59:60",
        "2024-02-30 09:02:10",
        "2024-03-07",
        "",
        "２０２４-03-07 09:02:10",
    ] {
        cases.push(("a malformed time", read_changed("2024-03-07 09:02:10", time)));
    }
    cases
}

fn tables() -> Vec<Case> {
    let success = "总交易单数,应结订单总金额,手续费总金额,订单总金额\n`1,`38.00,`0.23000,`38.00\n";
    let refund_in_success = SUCCESS.replace("`SUCCESS", "`REFUND");
    let wide: String = (0..257).map(|number| format!("{number},")).collect();
    vec![
        ("an unknown state", read_changed("`SUCCESS,`CMB_DEBIT", "`CLOSED,`CMB_DEBIT")),
        ("an unknown state of a refund", read_changed("`ORIGINAL,`SUCCESS", "`ORIGINAL,`ABNORMAL")),
        ("a refund in a bill of payments", read_text(format!("{refund_in_success}{success}"))),
        ("no currency", read_changed("`CMB_DEBIT,`CNY", "`CMB_DEBIT,`")),
        ("a currency of other decimals", read_changed("`CMB_DEBIT,`CNY,`45.00", "`CMB_DEBIT,`JPY,`45")),
        ("a column is missing", read_changed("商户订单号,", "商家订单号,")),
        ("a refund column is missing", read_changed("退款状态,", "状态,")),
        ("a column twice", read_changed("费率备注", "费率")),
        ("a column under two names", read_changed("费率备注", "总金额")),
        ("257 columns", read_text(wide.trim_end_matches(','))),
        ("a text broken over 40 lines", read_changed("午餐", &"午\n".repeat(40))),
        ("a cell too few", read_changed("`午餐,`pos=3", "`午餐")),
        ("a cell too many that nothing explains", read_changed("`CMB_DEBIT,", "`CMB,`DEBIT,")),
        (
            "cells too many in two places",
            read_changed(
                "`T01,`4200002101202403072222222222,`SP20240307-0002,`oAbCdEfGhIjKlMnOpQrStUvWxYz1,`MICROPAY,`SUCCESS,`CMB_DEBIT,`CNY,`45.00,`5.00,`0,`0,`0.00,`0.00,`,`,`午餐",
                "`T,`01,`4200002101202403072222222222,`SP20240307-0002,`oAbCdEfGhIjKlMnOpQrStUvWxYz1,`MICROPAY,`SUCCESS,`CMB_DEBIT,`CNY,`45.00,`5.00,`0,`0,`0.00,`0.00,`,`,`午,`餐",
            ),
        ),
        ("the summary has a value too few", read_changed("`0.45000,`88.00,`8.00\r", "`0.45000,`88.00\r")),
        ("the summary lacks its sum", read_changed("应结订单总金额", "合计")),
    ]
}

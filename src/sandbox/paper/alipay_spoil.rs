//! What a script does to the texts of Alipay's trade bill: one cell, line or column wrong, all else as it was.

use crate::sandbox::mishap::Spoil;

/// The columns that a spoil is aimed at (`spec/alipay.md` 2.3).
const TYPE: usize = 2;
const SUBJECT: usize = 3;
const FINISHED: usize = 5;
const ORDER_AMOUNT: usize = 11;
const AMOUNT_TITLE: &str = "订单金额（元）";
/// A cell of a megabyte.
const LONG_LETTERS: usize = 1_000_000;

/// Detail and summary, one of them spoiled.
pub(super) fn spoiled(spoil: Spoil, detail: String, summary: String) -> (String, String) {
    if spoil == Spoil::SummaryDisagrees {
        return (detail, more_in_total(&summary));
    }
    let amount = |text: &str| first_row(&detail, |cells| text.clone_into(&mut cells[ORDER_AMOUNT]));
    let detail = match spoil {
        Spoil::UnknownType => first_row(&detail, |cells| "冻结\t".clone_into(&mut cells[TYPE])),
        Spoil::GroupedAmount => amount("1，234.50"),
        Spoil::FullWidthAmount => amount("１２.００"),
        Spoil::ExponentAmount => amount("1e3"),
        Spoil::NotANumber => amount("NaN"),
        Spoil::ThirdDecimal => amount("0.005"),
        Spoil::HugeAmount => amount("12345678901234567890.00"),
        Spoil::ImpossibleTime => first_row(&detail, |cells| cells[FINISHED].replace_range(11.., "24:00:00")),
        Spoil::ImpossibleDate => first_row(&detail, |cells| cells[FINISHED].replace_range(5..10, "02-30")),
        Spoil::RowOfAnotherDay => first_row(&detail, |cells| cells[FINISHED].replace_range(..4, "2001")),
        Spoil::NulByte => first_row(&detail, |cells| cells[SUBJECT].push('\0')),
        Spoil::LongCell => first_row(&detail, |cells| cells[SUBJECT] = "a".repeat(LONG_LETTERS)),
        Spoil::UnclosedQuote => first_row(&detail, |cells| cells[SUBJECT].insert(0, '"')),
        Spoil::ColumnMissing => rows(&detail, |cells| drop(cells.remove(ORDER_AMOUNT))),
        Spoil::ColumnAdded => rows(&detail, |cells| cells.push("新增".to_owned())),
        Spoil::ColumnsSwapped => rows(&detail, |cells| cells.swap(SUBJECT, ORDER_AMOUNT)),
        Spoil::ColumnRenamed => detail.replacen(AMOUNT_TITLE, "订单总额（元）", 1),
        Spoil::OnlyCarriageReturns => detail.replace("\r\n", "\r"),
        Spoil::MonthBill => month(&detail),
        _ => totals(spoil, &detail),
    };
    (detail, summary)
}

/// What is wrong with the lines after the list, or with whole lines.
fn totals(spoil: Spoil, detail: &str) -> String {
    let is_total = |line: &str| line.starts_with("#交易合计") || line.starts_with("#退款合计");
    let lines = detail.split_inclusive("\r\n");
    match spoil {
        Spoil::TotalsMissing => lines.filter(|line| !is_total(line)).collect(),
        Spoil::TotalsTwice => {
            lines.map(|line| if is_total(line) { line.repeat(2) } else { line.to_owned() }).collect()
        }
        Spoil::CountOff => lines
            .map(|line| if line.starts_with("#交易合计") { one_more(line) } else { line.to_owned() })
            .collect(),
        Spoil::RefundTotalOff => lines
            .map(|line| if line.starts_with("#退款合计") { another_fen(line) } else { line.to_owned() })
            .collect(),
        Spoil::RowTwice => {
            let mut seen = false;
            lines
                .map(|line| {
                    let is_first = !seen && is_row(line);
                    seen |= is_first;
                    if is_first { line.repeat(2) } else { line.to_owned() }
                })
                .collect()
        }
        _ => detail.to_owned(),
    }
}

/// With another last digit of the first amount.
fn another_fen(line: &str) -> String {
    let Some(dot) = line.find('.') else { return line.to_owned() };
    let digit = if line.as_bytes().get(dot + 2) == Some(&b'1') { '0' } else { '1' };
    format!("{}{digit}{}", &line[..dot + 2], &line[dot + 3..])
}

/// With one more in its first number.
fn one_more(line: &str) -> String {
    let digits: String =
        line.chars().skip_while(|l| !l.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    let number: u64 = digits.parse().unwrap_or(0);
    line.replacen(&digits, &(number + 1).to_string(), 1)
}

/// A data row begins with the provider's number.
fn is_row(line: &str) -> bool {
    line.starts_with(|letter: char| letter.is_ascii_digit())
}

/// The first data row with its cells changed.
fn first_row(text: &str, change: impl Fn(&mut Vec<String>)) -> String {
    let mut done = false;
    let changed = text.split_inclusive("\r\n").map(|line| {
        if done || !is_row(line) {
            return line.to_owned();
        }
        done = true;
        cells(line, &change)
    });
    changed.collect()
}

/// Header and data rows with their cells changed.
fn rows(text: &str, change: impl Fn(&mut Vec<String>)) -> String {
    let is_header = |line: &str| line.starts_with("支付宝交易号");
    let changed = text
        .split_inclusive("\r\n")
        .map(|line| if is_header(line) || is_row(line) { cells(line, &change) } else { line.to_owned() });
    changed.collect()
}

fn cells(line: &str, change: impl Fn(&mut Vec<String>)) -> String {
    let mut cells: Vec<String> = line.trim_end_matches("\r\n").split(',').map(str::to_owned).collect();
    change(&mut cells);
    format!("{}\r\n", cells.join(","))
}

/// The frame of the whole month around the rows of the day.
fn month(detail: &str) -> String {
    let framed = detail.split_inclusive("\r\n").map(|line| {
        let Some((before, rest)) = line.split_once("#起始日期：[") else { return line.to_owned() };
        let (year_month, _) = rest.split_once('月').unwrap_or((rest, ""));
        format!(
            "{before}#起始日期：[{year_month}月01日 00:00:00]   终止日期：[{year_month}月31日 00:00:00]\r\n"
        )
    });
    framed.collect()
}

/// The summary with one payment more in its last line.
fn more_in_total(summary: &str) -> String {
    let changed = summary
        .split_inclusive("\r\n")
        .map(|line| if line.starts_with("合计") { one_more(line) } else { line.to_owned() });
    changed.collect()
}

//! The lines around the list: account, period, marks, totals (`spec/alipay.md` 2.2 and 2.4).
//!
//! Marks are found by their words, not by their dashes or their place: lines have moved before.

use crate::domain::money;
use crate::domain::{BillDate, Moment};
use crate::format::table::{Cutter, Line};
use crate::format::unpack::Part;
use crate::format::{Asked, ReadError, shown};

/// What Alipay puts behind the PID to name the account.
const ACCOUNT_SUFFIX: &str = "0156";
/// Lines that a head or a foot may have. Four and three are usual.
pub(in crate::format) const LINES_MAX: usize = 32;

/// A frame line without what a spreadsheet leaves behind it (`,,,,`).
pub(in crate::format) fn bare(part: &Part, line: Line) -> &str {
    part.text.get(line.start..line.end).unwrap_or("").trim_end_matches([',', ' ', '\t'])
}

pub(in crate::format) fn is_list_end(text: &str) -> bool {
    text.contains("列表结束")
}

fn is_list_start(text: &str) -> bool {
    text.contains("列表") && !is_list_end(text)
}

pub(in crate::format) fn cut_short(before: &str) -> ReadError {
    ReadError::File(format!("the file ends before {before}; it was cut short"))
}

/// Traces of a spreadsheet: what it leaves is read, but a person should hear of it.
#[derive(Clone, Debug, Default)]
pub(in crate::format) struct Traces {
    first: Option<String>,
}

impl Traces {
    pub(in crate::format) fn add(&mut self, line: u32, what: &str) {
        if self.first.is_none() {
            self.first = Some(format!("line {line}: {what}"));
        }
    }

    pub(in crate::format) fn remark(&self, remarks: &mut Vec<String>) {
        let remark = |trace: &String| format!("not original: a spreadsheet saved this file again ({trace})");
        let told = remarks.iter().any(|r| r.starts_with("not original"));
        remarks.extend(self.first.iter().filter(|_| !told).map(remark));
    }
}

/// What stands before the list.
pub(in crate::format) struct Head {
    account: String,
    account_line: u32,
    start: Moment,
    end: Moment,
    period: String,
    pub(in crate::format) traces: Traces,
}

impl Head {
    /// Reads up to the mark of the list's start.
    pub(in crate::format) fn read(cutter: &mut Cutter<'_, false>, part: &Part) -> Result<Head, ReadError> {
        let mut traces = Traces::default();
        let mut account = None;
        let mut period = None;
        for _ in 0..LINES_MAX {
            let Some(line) = cutter.advance()? else { break };
            let text = bare(part, line);
            if text.len() < line.end - line.start && part.text[..line.end].ends_with(',') {
                traces.add(line.number, "commas behind a line of the frame");
            }
            if is_list_start(text) {
                let (account, account_line) = account.ok_or_else(|| missing(line, "#账号"))?;
                let (start, end, period) = period.ok_or_else(|| missing(line, "#起始日期"))?;
                return Ok(Head { account, account_line, start, end, period, traces });
            }
            if !text.starts_with('#') && !text.is_empty() {
                let found = format!("`{}` before the list; such lines begin with `#`", shown(text));
                return Err(ReadError::at(line.number, found));
            }
            if text.starts_with("#账号") {
                account = Some((bracketed(text).next().unwrap_or("").to_owned(), line.number));
            } else if text.starts_with("#起始日期") {
                period = Some(period_of(text, line)?);
            }
        }
        Err(cut_short("the mark of its list (`列表`)"))
    }

    /// # Errors
    ///
    /// Another merchant's account, or a period that is not exactly the asked day. The end is exclusive.
    pub(in crate::format) fn check(&self, asked: &Asked<'_>) -> Result<(), ReadError> {
        let Some(owner) = self.account.strip_suffix(ACCOUNT_SUFFIX) else {
            let found = format!("`{}` is no account (a PID and {ACCOUNT_SUFFIX})", shown(&self.account));
            return Err(ReadError::at(self.account_line, found));
        };
        if owner != asked.merchant {
            let (asked, found) = (asked.merchant.to_owned(), shown(owner));
            return Err(ReadError::OtherMerchant { asked, found });
        }
        if (self.start, self.end) != (asked.date.start(), asked.date.end()) {
            return Err(ReadError::OtherDay { asked: asked.date, found: self.period_text() });
        }
        Ok(())
    }

    fn period_text(&self) -> String {
        let day: BillDate = self.start.date();
        if (self.start, self.end) == (day.start(), day.end()) { day.to_string() } else { self.period.clone() }
    }
}

fn missing(line: Line, what: &str) -> ReadError {
    ReadError::at(line.number, format!("the list begins, but no line `{what}` came before it"))
}

/// The texts in square brackets.
fn bracketed(text: &str) -> impl Iterator<Item = &str> {
    text.split('[').skip(1).filter_map(|rest| rest.split(']').next())
}

fn period_of(text: &str, line: Line) -> Result<(Moment, Moment, String), ReadError> {
    let mut ends = bracketed(text);
    let (from, to) = (ends.next().unwrap_or(""), ends.next().unwrap_or(""));
    let moment = |written: &str| Moment::parse(&written.replace(['年', '月'], "-").replace('日', ""));
    match (moment(from), moment(to)) {
        (Some(start), Some(end)) => Ok((start, end, format!("{start} to {end}"))),
        _ => Err(ReadError::at(line.number, format!("`{}` states no period", shown(text)))),
    }
}

/// One line of totals, as stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::format) struct Total {
    pub(in crate::format) line: u32,
    pub(in crate::format) count: i64,
    /// What is summed, as written, and its fen.
    pub(in crate::format) sums: Vec<(String, i64)>,
}

/// What stands behind the list.
pub(in crate::format) struct Foot {
    pub(in crate::format) payments: Total,
    pub(in crate::format) refunds: Total,
    exported: bool,
    unknown: Vec<String>,
    traces: Traces,
}

impl Foot {
    /// Reads to the end of the file.
    pub(in crate::format) fn read(cutter: &mut Cutter<'_, false>, part: &Part) -> Result<Foot, ReadError> {
        let (mut payments, mut refunds) = (None, None);
        let mut exported = false;
        let mut unknown = Vec::new();
        let mut traces = Traces::default();
        for _ in 0..LINES_MAX {
            let Some(line) = cutter.advance()? else { break };
            let text = bare(part, line);
            if part.text[..line.end].ends_with(',') {
                traces.add(line.number, "commas behind a line of the frame");
            }
            let words = text.trim_start_matches('#');
            if text.is_empty() {
                continue;
            } else if words.len() == text.len() {
                return Err(ReadError::at(
                    line.number,
                    format!("the file goes on behind its list: {}", shown(text)),
                ));
            } else if words.starts_with("交易合计") {
                once(&mut payments, total_of(words, line)?, line)?;
            } else if words.starts_with("退款合计") {
                once(&mut refunds, total_of(words, line)?, line)?;
            } else if words.starts_with("导出时间") {
                exported = true;
            } else {
                unknown.push(shown(text));
            }
        }
        if cutter.advance()?.is_some() {
            return Err(ReadError::at(
                cutter.line().number,
                format!("more than {LINES_MAX} lines behind the list"),
            ));
        }
        let payments = payments.ok_or_else(|| cut_short("its totals (`#交易合计`)"))?;
        let refunds = refunds.ok_or_else(|| cut_short("its totals (`#退款合计`)"))?;
        Ok(Foot { payments, refunds, exported, unknown, traces })
    }

    pub(in crate::format) fn remark(&self, remarks: &mut Vec<String>) {
        self.traces.remark(remarks);
        if !self.exported {
            remarks.push("the last line (`#导出时间`) is missing".to_owned());
        }
        if !self.unknown.is_empty() {
            remarks.push(format!("unknown lines behind the list: {}", self.unknown.join("; ")));
        }
    }
}

fn once(slot: &mut Option<Total>, total: Total, line: Line) -> Result<(), ReadError> {
    if slot.replace(total).is_some() {
        return Err(ReadError::at(
            line.number,
            "a second line of the same totals; two bills were put together",
        ));
    }
    Ok(())
}

/// Reads `交易合计：3笔，商家实收共133.80元，商家优惠共8.80元`.
pub(in crate::format) fn total_of(words: &str, line: Line) -> Result<Total, ReadError> {
    let wrong = |what: &str| ReadError::at(line.number, format!("{what} in `{}`", shown(words)));
    let (_, clauses) = words.split_once(['：', ':']).ok_or_else(|| wrong("no colon"))?;
    let mut count = None;
    let mut sums = Vec::new();
    for clause in clauses.split('，').map(str::trim) {
        if let Some(number) = clause.strip_suffix('笔') {
            count = Some(money::parse_minor(number, 0).map_err(|e| wrong(&e.to_string()))?);
        } else if let Some((name, amount)) = clause.strip_suffix('元').and_then(|c| c.rsplit_once('共')) {
            let minor = money::parse_minor(&amount.replace(',', ""), 2).map_err(|e| wrong(&e.to_string()))?;
            sums.push((name.to_owned(), minor));
        } else {
            return Err(wrong("neither a count (笔) nor a sum (共…元)"));
        }
    }
    let count = count.ok_or_else(|| wrong("no count (笔)"))?;
    Ok(Total { line: line.number, count, sums })
}

//! A table of text: columns found by their title, cells by their place.
//!
//! Never by a fixed index: a provider that adds or moves a column must not shift amounts into other fields.
//! Where a title has had several names, all are known; a title that is there twice is refused, because then
//! nobody can say which column is meant.

mod cut;
pub mod repair;

pub use cut::{Cutter, Line};

use super::{COLUMNS_MAX, ReadError, shown};
use crate::domain::entry::CellSpan;
use crate::domain::money::{self, MoneyError};

/// A column under all the names it has had. The first is the one used in messages.
pub type Aliases = &'static [&'static str];

/// The title line of a table.
#[derive(Clone, Debug)]
pub struct Titles {
    line: u32,
    /// As in the file, without blanks around.
    written: Vec<String>,
    normal: Vec<String>,
}

impl Titles {
    /// Splits a title line at its commas.
    ///
    /// # Errors
    ///
    /// More than [`COLUMNS_MAX`] columns, or a title twice.
    pub fn read(text: &str, line: u32) -> Result<Titles, ReadError> {
        let written: Vec<String> =
            text.split([',', '，']).take(COLUMNS_MAX + 1).map(|t| t.trim().to_owned()).collect();
        if written.len() > COLUMNS_MAX {
            return Err(ReadError::at(line, format!("more than {COLUMNS_MAX} columns")));
        }
        let normal: Vec<String> = written.iter().map(|title| normalised(title)).collect();
        let mut sorted: Vec<&String> = normal.iter().filter(|title| !title.is_empty()).collect();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            let found = format!("the column `{}` is there twice", shown(twice[0]));
            return Err(ReadError::at(line, found));
        }
        Ok(Titles { line, written, normal })
    }

    /// Number of columns.
    pub fn count(&self) -> usize {
        self.written.len()
    }

    /// The physical line of the titles.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// A title as it stands in the file.
    pub fn name(&self, column: usize) -> &str {
        self.written.get(column).map_or("", String::as_str)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.written.iter().map(String::as_str)
    }

    /// The column with one of these names, if there is one.
    ///
    /// # Errors
    ///
    /// Two columns have one: which is meant is then a guess.
    pub fn find(&self, aliases: Aliases) -> Result<Option<usize>, ReadError> {
        let mut found =
            (0..self.normal.len()).filter(|i| aliases.iter().any(|a| normalised(a) == self.normal[*i]));
        match (found.next(), found.next()) {
            (Some(one), Some(two)) => {
                let (one, two) = (shown(self.name(one)), shown(self.name(two)));
                Err(ReadError::at(self.line, format!("`{one}` and `{two}` are names of the same column")))
            }
            (one, _) => Ok(one),
        }
    }

    /// The column with one of these names.
    ///
    /// # Errors
    ///
    /// There is none (the message lists what there is), or two.
    pub fn need(&self, aliases: Aliases) -> Result<usize, ReadError> {
        self.find(aliases)?.ok_or_else(|| {
            let there = shown_list(self.names());
            ReadError::at(self.line, format!("no column `{}` among {there}", aliases[0]))
        })
    }

    /// The titles that are none of these names.
    pub fn unknown(&self, known: &[Aliases]) -> Vec<&str> {
        let known: Vec<String> = known.iter().flat_map(|a| a.iter()).map(|name| normalised(name)).collect();
        let unknown = |i: &usize| !self.normal[*i].is_empty() && !known.contains(&self.normal[*i]);
        (0..self.normal.len()).filter(unknown).map(|i| self.name(i)).collect()
    }
}

/// A title without blanks and unit, with ASCII brackets and small Latin letters. Copies print `公众账号 ID` and
/// ` 代金券…`, and Alipay has written 服务费 with and without its `（元）`.
pub fn normalised(title: &str) -> String {
    let plain = |c: char| match c {
        '（' => '(',
        '）' => ')',
        other => other.to_ascii_lowercase(),
    };
    let bare: String = title.chars().filter(|c| !c.is_whitespace() && *c != '\u{feff}').map(plain).collect();
    bare.strip_suffix("(元)").unwrap_or(&bare).to_owned()
}

/// A few names for a message.
fn shown_list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const NAMES_MAX: usize = 40;
    const LETTERS_MAX: usize = 20;
    let short = |name: &str| shown(&name.chars().take(LETTERS_MAX).collect::<String>());
    names.take(NAMES_MAX).map(short).collect::<Vec<_>>().join(", ")
}

/// The cells of one line.
#[derive(Clone, Copy, Debug)]
pub struct Row<'t, const TICKS: bool> {
    text: &'t str,
    line: Line,
    fences: &'t [u32],
}

impl<'t, const TICKS: bool> Row<'t, TICKS> {
    /// `fences` as [`Cutter::fences`] gives them.
    #[inline]
    pub fn new(text: &'t str, line: Line, fences: &'t [u32]) -> Row<'t, TICKS> {
        Row { text, line, fences }
    }

    /// Number of cells.
    #[inline]
    pub fn count(&self) -> usize {
        self.fences.len().saturating_sub(1)
    }

    #[inline]
    pub fn line(&self) -> Line {
        self.line
    }

    /// A cell's text: behind its backtick, or between its commas without blanks and TABs. Empty if the line has
    /// no such cell.
    #[inline]
    pub fn cell(&self, column: usize) -> &'t str {
        let (start, end) = self.bounds(column);
        self.text.get(start..end).unwrap_or("")
    }

    /// The bytes of [`Row::cell`], where only equality matters.
    #[inline]
    pub fn bytes(&self, column: usize) -> &'t [u8] {
        let (start, end) = self.bounds(column);
        self.text.as_bytes().get(start..end).unwrap_or_default()
    }

    /// A cell's amount in units of 10 to the power of minus `digits`.
    ///
    /// # Errors
    ///
    /// [`MoneyError`]: the cell is no amount.
    #[inline(always)]
    pub fn amount(&self, column: usize, digits: u32) -> Result<i64, MoneyError> {
        let (start, end) = self.bounds(column);
        money::parse_minor_in(self.text, start, end, digits)
    }

    /// Where a cell lies in its line.
    #[inline]
    pub fn span(&self, column: usize) -> CellSpan {
        let (start, end) = self.bounds(column);
        CellSpan { start: below_line_max(start - self.line.start), len: below_line_max(end - start) }
    }

    #[inline]
    fn bounds(&self, column: usize) -> (usize, usize) {
        let Some([before, behind]) = self.fences.get(column..column + 2) else {
            return (self.line.end, self.line.end);
        };
        let start = before.wrapping_add(1) as usize;
        let end = *behind as usize - usize::from(TICKS);
        if TICKS { (start, end) } else { trimmed(self.text.as_bytes(), start, end) }
    }
}

/// Alipay puts a TAB behind ids so that spreadsheets take them as text; some files are padded with blanks.
fn trimmed(bytes: &[u8], mut start: usize, mut end: usize) -> (usize, usize) {
    while start < end && matches!(bytes[end - 1], b'\t' | b' ') {
        end -= 1;
    }
    while start < end && matches!(bytes[start], b'\t' | b' ') {
        start += 1;
    }
    (start, end)
}

/// A place inside a line. [`Cutter`] gives no line of 64 KiB or more, so the mask takes nothing away.
#[inline]
pub fn below_line_max(place: usize) -> u16 {
    debug_assert!(place < super::LINE_MAX, "the cutter refuses longer lines");
    u16::try_from(place & 0xffff).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_found_under_all_their_names() {
        let titles =
            Titles::read(" 公众账号 ID,服务费（元）,Total Amount(total_fee),退款批次号/请求号,", 1).unwrap();
        assert_eq!(titles.find(&["公众账号ID"]), Ok(Some(0)));
        assert_eq!(titles.find(&["服务费"]), Ok(Some(1)));
        assert_eq!(titles.find(&["总金额", "Total amount(total_fee)"]), Ok(Some(2)));
        assert_eq!(titles.find(&["费率"]), Ok(None));
        assert_eq!(titles.count(), 5);
        assert_eq!(
            titles.unknown(&[&["公众账号ID"], &["服务费", "退款批次号/请求号"]]),
            ["Total Amount(total_fee)"]
        );
    }

    #[test]
    fn a_column_that_is_missing_or_there_twice_is_named() {
        let titles = Titles::read("交易时间,商户号,商家订单号", 1).unwrap();
        let missing = titles.need(&["商户订单号", "out_trade_no"]).unwrap_err();
        assert_eq!(missing.to_string(), "line 1: no column `商户订单号` among 交易时间, 商户号, 商家订单号");
        let twice = Titles::read("费率,手续费,费 率", 4).unwrap_err();
        assert_eq!(twice.to_string(), "line 4: the column `费率` is there twice");
        let both =
            Titles::read("总金额,应结订单金额", 1).unwrap().find(&["应结订单金额", "总金额"]).unwrap_err();
        assert_eq!(both.to_string(), "line 1: `总金额` and `应结订单金额` are names of the same column");
        let wide = Titles::read(&vec!["x"; 300].join(","), 1).unwrap_err();
        assert_eq!(wide.to_string(), "line 1: more than 256 columns");
    }

    #[test]
    fn cells_of_both_layouts() {
        fn cells<const TICKS: bool>(text: &str) -> Vec<String> {
            let mut cutter = Cutter::<TICKS>::new(text, 0);
            let line = cutter.advance().unwrap().unwrap();
            let row = Row::<TICKS>::new(text, line, cutter.fences());
            (0..row.count())
                .map(|i| {
                    let span = row.span(i);
                    let start = line.start + usize::from(span.start);
                    assert_eq!(&text[start..start + usize::from(span.len)], row.cell(i));
                    row.cell(i).to_owned()
                })
                .collect()
        }
        assert_eq!(cells::<true>("`a,`早餐,豆浆,`,`\"x,`  \r\n"), ["a", "早餐,豆浆", "", "\"x", ""]);
        assert_eq!(cells::<true>("3,`83.00"), ["3", "83.00"]);
        assert_eq!(cells::<false>("2024\t, POS 1\t,\t,,-0.15\r\n"), ["2024", "POS 1", "", "", "-0.15"]);
    }
}

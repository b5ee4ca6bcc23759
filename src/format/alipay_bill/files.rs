//! Which file of the zip is what, told by its first line.

use crate::format::unpack::Part;
use crate::format::{ReadError, shown};

const DETAIL: &str = "#支付宝业务明细查询";
const SUMMARY: &str = "#支付宝业务汇总查询";
const LEDGER_DETAIL: &str = "#支付宝账务明细查询";
const LEDGER_SUMMARY: &str = "#支付宝账务汇总查询";

/// What every file of a merchant's bill begins with.
const ANY: &str = "#支付宝";

/// Marks of what a person exports from the app or the website. Its head is of 22 to 24 lines without `#`.
const PERSONAL: [&str; 5] = [
    "支付宝交易记录明细查询",
    "交易时间,交易分类",
    "交易号,商家订单号",
    "电子客户回单",
    "支付宝（中国）网络技术有限公司",
];

/// Lines of a foreign file that are looked at to name it.
const HEAD_LINES_MAX: usize = 40;

/// Places among the parts.
pub(super) struct Files {
    pub(super) detail: usize,
    pub(super) summary: Option<usize>,
    /// Files that were there and not read.
    pub(super) remarks: Vec<String>,
}

impl Files {
    /// # Errors
    ///
    /// Not exactly one trade detail, two summaries, a part of several, or something that is no bill of a merchant.
    pub(super) fn among(parts: &[Part]) -> Result<Files, ReadError> {
        let mut details = Vec::new();
        let mut summaries = Vec::new();
        let mut remarks = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            match part.first_line() {
                DETAIL => details.push(index),
                SUMMARY => summaries.push(index),
                line if line.starts_with(ANY) => remarks.push(format!("not read: {}", described(part, line))),
                line => return Err(stranger(part, line)),
            }
        }
        let detail = match *details {
            [one] => one,
            [] => return Err(no_detail(parts)),
            [..] => return Err(several(parts, &details, "trade details (业务明细)")),
        };
        if summaries.len() > 1 {
            return Err(several(parts, &summaries, "trade summaries (业务汇总)"));
        }
        if let Some(number) = later_part(&parts[detail].name) {
            let found =
                format!("`{}` is part {number} of a bill in several parts", shown(&parts[detail].name));
            return Err(ReadError::File(format!(
                "{found}; the others are missing, and such bills are not read yet"
            )));
        }
        Ok(Files { detail, summary: summaries.first().copied(), remarks })
    }
}

fn described(part: &Part, line: &str) -> String {
    let kind = match line {
        LEDGER_DETAIL => "the ledger detail (账务明细)".to_owned(),
        LEDGER_SUMMARY => "the ledger summary (账务汇总)".to_owned(),
        other => format!("`{}`", shown(other)),
    };
    if part.name.is_empty() { kind } else { format!("{kind} in `{}`", shown(&part.name)) }
}

fn no_detail(parts: &[Part]) -> ReadError {
    let there: Vec<String> = parts.iter().map(|part| described(part, part.first_line())).collect();
    ReadError::File(format!("no trade detail (业务明细) in the file; there is {}", there.join(", ")))
}

fn several(parts: &[Part], places: &[usize], what: &str) -> ReadError {
    let names: Vec<String> = places.iter().map(|place| format!("`{}`", shown(&parts[*place].name))).collect();
    let found = format!("{} {what} in one file: {}; one is expected", places.len(), names.join(", "));
    ReadError::File(found)
}

/// The number in `…_业务明细_2.csv`, if it is not the first part.
fn later_part(name: &str) -> Option<u32> {
    let stem = name.strip_suffix(".csv").or_else(|| name.strip_suffix(".CSV")).unwrap_or(name);
    let (before, number) = stem.rsplit_once('_')?;
    let number: u32 = number.parse().ok()?;
    (before.ends_with("明细") && number > 1).then_some(number)
}

fn stranger(part: &Part, line: &str) -> ReadError {
    let mut head = part.body().lines().take(HEAD_LINES_MAX);
    let whose =
        if part.name.is_empty() { "this".to_owned() } else { format!("the entry `{}`", shown(&part.name)) };
    let found = if head.any(|line| PERSONAL.iter().any(|mark| line.contains(mark))) {
        format!(
            "{whose} is a personal export (个人账单) of Alipay, not a merchant's bill (商家账单, 业务明细)"
        )
    } else if line.starts_with("交易时间,公众账号ID") || line.starts_with("交易时间,公众账号")
    {
        format!("{whose} is a WeChat Pay bill, not one of Alipay")
    } else {
        format!("{whose} is no bill of Alipay: its first line is `{}`, not `{DETAIL}`", shown(line))
    };
    ReadError::File(found)
}

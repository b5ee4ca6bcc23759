//! Every text that a report or the terminal says, Chinese and English side by side.
//!
//! Neutral by side: `channel` (渠道) is the provider and its statement, `gateway` (网关) is us and EB_PAYLOG; 长款 and
//! 短款 point both ways in use and are never written. Codes, keys and JSON fields never pass through here.
//! The Chinese quotes are 「」, not “”: those have another width in a Chinese console than elsewhere.

mod legend;
mod reason;
mod stage;
pub mod title;
mod unit;

pub use legend::{advice, kind, rule, verdict};
pub use reason::mismatch_reason;
pub use stage::{stage, stage_mark};
pub use unit::{exit, lacks, not_run_yet, unit_reason};

use crate::domain::{EntryKind, Lang, State};
use crate::reconcile::TimingKind;

/// A state, as a person says it.
pub fn state(state: State, lang: Lang) -> &'static str {
    match state {
        State::Paid => lang.pick("已支付", "paid"),
        State::Refunded => lang.pick("已退款", "refunded"),
        State::Reversed => lang.pick("已撤销", "reversed"),
        State::Failed => lang.pick("失败", "failed"),
        State::Pending => lang.pick("处理中", "pending"),
        State::Unknown => lang.pick("未知", "unknown"),
        State::Closed => lang.pick("已关闭", "closed"),
        State::Held => lang.pick("冻结", "held"),
    }
}

pub fn entry(kind: EntryKind, lang: Lang) -> &'static str {
    match kind {
        EntryKind::Payment => lang.pick("支付", "payment"),
        EntryKind::Refund => lang.pick("退款", "refund"),
        EntryKind::Reversal => lang.pick("撤销", "reversal"),
    }
}

/// The code of a timing item in `report.json`.
pub fn timing_code(kind: TimingKind) -> &'static str {
    match kind {
        TimingKind::Out => "out",
        TimingKind::In => "in",
        TimingKind::Awaiting => "awaiting",
        // Held money has a list of its own.
        TimingKind::Held => "held",
    }
}

/// What a timing item's code means; an unknown code stands for itself.
pub fn timing(code: &str, lang: Lang) -> &str {
    match code {
        "out" => lang.pick("当日网关，他日账单", "gateway today, statement of another day"),
        "in" => lang.pick("当日账单，他日网关", "statement today, gateway on another day"),
        "awaiting" => lang.pick("等待次日账单", "awaiting the next day's statement"),
        other => other,
    }
}

/// A step of the bridge: a kind of mismatch, or one of the three others; an unknown code stands for itself.
pub fn step(code: &str, lang: Lang) -> &str {
    match code {
        "timing_out" => lang.pick("时间差：转出", "timing, out"),
        "timing_in" => lang.pick("时间差：转入", "timing, in"),
        "excluded" => lang.pick("日志未覆盖，排除", "excluded: the log does not cover it"),
        kind => crate::domain::MismatchKind::parse(kind).map_or(kind, |k| k.label(lang)),
    }
}

/// The title of a control total: the file's own stays as it is, ours are said in the language.
pub fn control(title: &str, lang: Lang) -> String {
    let (word, currency) = title.split_once(' ').unwrap_or((title, ""));
    let said = match word {
        "rows" => lang.pick("行数", "rows"),
        "amount" => lang.pick("金额", "amount"),
        "fee" => lang.pick("手续费", "fee"),
        "foreign_rows" => lang.pick("其他商户行数", "rows of other merchants"),
        "foreign_amount" => lang.pick("其他商户金额", "amount of other merchants"),
        _ => return title.to_owned(),
    };
    format!("{said} {currency}").trim_end().to_owned()
}

/// Between two reasons for one mismatch.
pub fn also(lang: Lang) -> &'static str {
    lang.pick("；", "; also: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_said_in_both_languages_and_unknown_ones_stand_for_themselves() {
        for code in ["out", "in", "awaiting"] {
            assert_ne!(timing(code, Lang::Zh), timing(code, Lang::En));
        }
        assert_eq!(step("gateway_only", Lang::Zh), "网关多账");
        assert_eq!(step("timing_in", Lang::En), "timing, in");
        assert_eq!(step("brand_new", Lang::En), "brand_new");
        assert_eq!(control("rows", Lang::Zh), "行数");
        assert_eq!(control("amount USD", Lang::Zh), "金额 USD");
        assert_eq!(control("总交易单数", Lang::En), "总交易单数");
    }
}

//! Where a unit stands, in a word and in a mark of one or two columns.

use crate::domain::{Lang, Stage};

pub fn stage(stage: Stage, lang: Lang) -> &'static str {
    match stage {
        Stage::Done => lang.pick("已对账", "done"),
        Stage::Empty => lang.pick("无交易", "empty"),
        Stage::Waiting => lang.pick("等待账单", "waiting"),
        Stage::Failed => lang.pick("失败", "failed"),
        Stage::Quarantined => lang.pick("已隔离", "quarantined"),
        Stage::Missing => lang.pick("缺漏", "missing"),
        Stage::NotOwed => lang.pick("启用之前", "before its first day"),
        Stage::NotDue => lang.pick("未到期", "not due yet"),
    }
}

/// For a cell of the grid.
pub fn stage_mark(stage: Stage, lang: Lang) -> &'static str {
    match stage {
        Stage::Done => lang.pick("平", "ok"),
        Stage::Empty => lang.pick("空", "-"),
        Stage::Waiting => lang.pick("等", "w"),
        Stage::Failed => lang.pick("败", "F"),
        Stage::Quarantined => lang.pick("隔", "Q"),
        Stage::Missing => lang.pick("缺", "M"),
        Stage::NotOwed => "",
        Stage::NotDue => ".",
    }
}

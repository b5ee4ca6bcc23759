//! One order: v2's question and answer at the overseas host. What v3 is asked by overseas is not described, so it is not
//! asked.

use super::ask::is_v3;
use crate::channel::{Ask, Heard, Inquiry, Judged, wechat_v2};
use crate::domain::Stamp;

pub(super) fn ask(inquiry: &Inquiry, heard: &[Heard], stamp: &Stamp) -> Option<Ask> {
    if is_v3(&inquiry.account) { None } else { wechat_v2::judge::ask(inquiry, heard, stamp) }
}

pub(super) fn judge(inquiry: &Inquiry, heard: &[Heard]) -> Judged {
    if is_v3(&inquiry.account) {
        return Judged::Unaskable(
            "single orders can be asked about overseas with `api = \"v2\"` only".into(),
        );
    }
    wechat_v2::judge::judge(inquiry, heard)
}

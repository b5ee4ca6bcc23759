//! The text of an overseas statement, of the merchant and the sub-merchant that were asked for.

use super::ask::is_v3;
use crate::domain::{Errand, Statement};
use crate::format::wechat_overseas::{self, Generation};
use crate::format::{Asked, ReadError};

pub(super) fn read(errand: &Errand, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let account = &errand.account;
    let asked = Asked::of(errand);
    let generation = if is_v3(account) { Generation::V3 } else { Generation::V2 };
    wechat_overseas::read(&asked, raw, generation)
}

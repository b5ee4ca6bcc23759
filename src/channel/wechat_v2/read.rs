//! The bytes of a WeChat bill, of the merchant and the sub-merchant that were asked for.

use crate::domain::{Errand, Statement};
use crate::format::{Asked, ReadError, wechat_bill};

pub(super) fn read(errand: &Errand, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let account = &errand.account;
    let asked = Asked {
        merchant: &account.merchant,
        sub_merchant: account.option("sub_merchant"),
        date: errand.date,
    };
    wechat_bill::read(&asked, raw)
}

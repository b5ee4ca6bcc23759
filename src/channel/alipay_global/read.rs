//! The bytes of a forex file, of the partner and the day that were asked for.

use crate::domain::{Errand, Statement};
use crate::format::{Asked, ReadError, alipay_forex};

pub(super) fn read(errand: &Errand, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let asked = Asked { merchant: &errand.account.merchant, sub_merchant: "", date: errand.date };
    alipay_forex::read(&asked, raw)
}

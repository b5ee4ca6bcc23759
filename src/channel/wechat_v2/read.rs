//! The bytes of a WeChat bill or fund flow, of the merchant and the sub-merchant that were asked for.

use crate::domain::{Bill, Errand, Statement};
use crate::format::{Asked, ReadError, wechat_bill, wechat_fundflow};

pub(super) fn read(errand: &Errand, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let asked = Asked::of(errand);
    match errand.bill {
        Bill::FundFlow => wechat_fundflow::read(&asked, raw),
        Bill::Trade | Bill::SignCustomer => wechat_bill::read(&asked, raw),
    }
}

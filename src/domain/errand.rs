//! An errand: one merchant account, one bill date, one kind of bill. Made by `plan` before the night starts.

use std::fmt;
use std::sync::Arc;

use super::{Account, BillDate};

/// The kinds of bill. Only the trade bill meets the log; the others are archived, checked and kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Bill {
    Trade,
    FundFlow,
    SignCustomer,
}

impl Bill {
    pub fn as_str(self) -> &'static str {
        match self {
            Bill::Trade => "trade",
            Bill::FundFlow => "fundflow",
            Bill::SignCustomer => "signcustomer",
        }
    }

    pub fn parse(text: &str) -> Option<Bill> {
        [Bill::Trade, Bill::FundFlow, Bill::SignCustomer].into_iter().find(|b| b.as_str() == text)
    }
}

#[derive(Clone, Debug)]
pub struct Errand {
    pub account: Arc<Account>,
    pub date: BillDate,
    pub bill: Bill,
}

impl fmt::Display for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.account.name, self.date)?;
        if self.bill != Bill::Trade {
            write!(f, " {}", self.bill.as_str())?;
        }
        Ok(())
    }
}

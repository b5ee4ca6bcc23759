//! Scripted faults of the simulated providers: which, at which desk, on which try.
//!
//! A try is one well-signed request for one account and one bill date at one desk, counted from 1; so a fault that is
//! scripted for the first three tries heals on the fourth.

use std::time::Duration;

use crate::domain::BillDate;

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Desk {
    /// `POST /pay/downloadbill`
    WechatBill,
    /// `POST /gateway.do`
    AlipayGateway,
    /// `GET /downloadBillFile.resource`
    AlipayDownload,
}

/// What goes wrong. Where no desk is named, it can happen at all three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    Status(u16),
    /// 429 with `Retry-After`.
    TooMany {
        retry_after_seconds: u32,
    },
    /// The right answer, after this pause.
    Slow(Duration),
    /// The connection breaks in the middle of the body.
    CutShort,
    /// An apology in HTML, with status 200.
    Html,
    ZeroBytes,
    /// 302 to another address of this server.
    Redirect,
    /// `Bill Creating`; `BILL_NOT_EXIST`. (WeChat's desk and Alipay's gateway.)
    NotReady,
    /// `No Bill Exist`; `NO_BILL_DATA`. (WeChat's desk and Alipay's gateway.)
    NoBill,
    /// `EMPTY_DATA_WITH_BILL_FILE` and a file without rows. (Alipay's gateway.)
    EmptyFile,
    /// `SYSTEMERROR`; `isp.unknow-error`. (WeChat's desk and Alipay's gateway.)
    Busy,
    /// 20007, the bill API is closed for this merchant; `isv.insufficient-isv-permissions`. (WeChat's desk and Alipay's
    /// gateway.)
    Refused,
    /// `sign error`, as after a changed key; a reply of Alipay whose signature is not Alipay's. (WeChat's desk and
    /// Alipay's gateway.)
    WrongSignature,
    /// A download address on a host that is not Alipay's. (Alipay's gateway.)
    ForeignHost,
    /// The bill of another merchant. (WeChat's desk and Alipay's download.)
    OtherMerchant,
    /// The bill of the day before, or after if there is none before. (WeChat's desk and Alipay's download.)
    OtherDay,
    /// A stated total is one fen off. (WeChat's desk and Alipay's download.)
    TotalsOff,
    /// The last third of the file is missing, though the transfer was complete. (WeChat's desk and Alipay's download.)
    Torn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tries {
    /// The first `n`.
    First(u32),
    /// Only this one, counted from 1.
    Only(u32),
    Always,
}

impl Tries {
    fn hold(self, number: u32) -> bool {
        match self {
            Tries::First(count) => number <= count,
            Tries::Only(one) => number == one,
            Tries::Always => true,
        }
    }
}

/// One line of a script. The first rule that fits a try decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub desk: Desk,
    /// `None` = every account.
    pub account: Option<&'static str>,
    /// `None` = every bill date.
    pub date: Option<BillDate>,
    pub tries: Tries,
    pub mishap: Mishap,
}

impl Rule {
    /// A rule for every account and date.
    pub fn new(desk: Desk, tries: Tries, mishap: Mishap) -> Rule {
        Rule { desk, account: None, date: None, tries, mishap }
    }

    #[must_use]
    pub fn of(mut self, account: &'static str) -> Rule {
        self.account = Some(account);
        self
    }

    #[must_use]
    pub fn on(mut self, date: BillDate) -> Rule {
        self.date = Some(date);
        self
    }

    pub(super) fn fits(&self, desk: Desk, account: &str, date: BillDate, number: u32) -> bool {
        self.desk == desk
            && self.account.is_none_or(|name| name == account)
            && self.date.is_none_or(|day| day == date)
            && self.tries.hold(number)
    }
}

//! What the gateway's reply means, and the bytes of the bill it leads to.
//!
//! The table of sub-codes is here; `ask.rs` only says the next thing.

use serde::Deserialize;

use super::reply::{Signed, said};
use crate::channel::{Exhausted, Step};
use crate::domain::{Bill, Errand, Statement};
use crate::format::{Asked, ReadError, alipay_bill, alipay_ledger};

pub(super) fn read(errand: &Errand, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let asked = Asked { merchant: &errand.account.merchant, sub_merchant: "", date: errand.date };
    match errand.bill {
        Bill::SignCustomer => alipay_ledger::read(&asked, raw),
        Bill::Trade | Bill::FundFlow => alipay_bill::read(&asked, raw),
    }
}

pub(super) const ROOT: &str = "alipay_data_dataservice_bill_downloadurl_query_response";

/// Seconds between two questions once Alipay throttles: its own documented remedy.
const THROTTLED_SECONDS: u64 = 60;

/// A reply of the gateway, decoded after its signature was checked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reply {
    code: String,
    msg: String,
    sub_code: String,
    sub_msg: String,
    bill_download_url: String,
    bill_file_code: String,
    /// Filled in by [`reply::open`](super::reply::open): false for a failure that came without a signature.
    #[serde(skip)]
    signed: bool,
}

impl Signed for Reply {
    fn code(&self) -> &str {
        &self.code
    }

    fn set_signed(&mut self, signed: bool) {
        self.signed = signed;
    }
}

impl Reply {
    /// The address of the bill, if the reply is a success that has one.
    pub(super) fn address(&self) -> Option<&str> {
        (self.code == "10000" && !self.bill_download_url.is_empty())
            .then_some(self.bill_download_url.as_str())
    }

    /// What a reply without an address means.
    pub(super) fn outcome(&self, errand: &Errand) -> Step {
        let date = errand.date;
        let sub_code = normalised(&self.sub_code);
        match (self.code.as_str(), sub_code.as_str()) {
            ("10000", _) if self.bill_file_code == "EMPTY_DATA_WITH_BILL_FILE" => Step::NoMovements,
            ("10000", _) => Step::NotReady(format!("Alipay gives no address for the bill of {date} yet")),
            (_, "NO_BILL_DATA") if self.signed => Step::NoMovements,
            (_, "NO_BILL_DATA") => Step::Rejected(
                "Alipay's reply says that the day is empty, but without a signature that proves it".into(),
            ),
            (_, "BILL_NOT_EXIST") => {
                Step::NotReady(format!("Alipay has no bill of {date} yet, or never will"))
            }
            (_, "SYSTEM_RATE_LIMIT" | "USER_RATE_LIMIT") | ("40005", _) => self.again(THROTTLED_SECONDS),
            (_, "UNKNOWN_ERROR") | ("20000", _) => self.again(0),
            (_, "INVALID_ARGUMENTS") => self.refused("it also says so for a date it has no bill of"),
            (_, "TYPE_NOT_SUPPORTED") => self.refused("this merchant has no such bill; see its contract"),
            (_, "BILL_DATE_BEFORE_REGISTRATION") => self.refused("the merchant did not exist on that day"),
            (_, "INVALID_SIGNATURE") => self
                .refused("check `private_key`, `sign_type` and the public key uploaded to the open platform"),
            ("20001", _) => self.refused("check `app_auth_token` and what the app was authorised for"),
            ("40006", _) => self.refused("the app lacks the permission for this interface"),
            _ => self.refused(""),
        }
    }

    fn again(&self, at_least_seconds: u64) -> Step {
        Step::Again { why: self.said(), when_exhausted: Exhausted::Passing, at_least_seconds }
    }

    fn refused(&self, advice: &str) -> Step {
        let colon = if advice.is_empty() { "" } else { ": " };
        Step::Refused(format!("{}{colon}{advice}", self.said()))
    }

    fn said(&self) -> String {
        said([&self.code, &self.msg, &self.sub_code, &self.sub_msg], self.signed)
    }
}

/// A sub-code in one spelling: `isp.bill_not_exist`, `aop.unknow-error`, `INVAILID_ARGUMENTS`.
pub(super) fn normalised(sub_code: &str) -> String {
    let upper = sub_code.trim().to_ascii_uppercase().replace(['-', '.'], "_");
    let bare = ["ISP_", "ISV_", "AOP_", "ACQ_"].iter().find_map(|prefix| upper.strip_prefix(prefix));
    let bare = bare.unwrap_or(&upper).replace("INVAILID", "INVALID");
    match bare.as_str() {
        "UNKNOW_ERROR" => "UNKNOWN_ERROR".into(),
        _ => bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_codes_have_one_spelling() {
        for (wire, one) in [
            ("isp.bill_not_exist", "BILL_NOT_EXIST"),
            ("BILL_NOT_EXIST", "BILL_NOT_EXIST"),
            ("isv.invalid_arguments", "INVALID_ARGUMENTS"),
            ("INVAILID_ARGUMENTS", "INVALID_ARGUMENTS"),
            ("aop.unknow-error", "UNKNOWN_ERROR"),
            ("isp.unknow-error", "UNKNOWN_ERROR"),
            ("ACQ.UNKNOWN_ERROR", "UNKNOWN_ERROR"),
            ("isv.invalid-signature", "INVALID_SIGNATURE"),
            ("", ""),
        ] {
            assert_eq!(normalised(wire), one, "{wire}");
        }
    }
}

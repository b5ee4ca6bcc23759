//! What the gateway's reply means, and the bytes of the bill it leads to.
//!
//! The table of sub-codes is here; `ask.rs` only says the next thing.

use rsa::RsaPublicKey;
use serde::Deserialize;

use crate::channel::sign::{AlipaySign, alipay_verifies};
use crate::channel::{Exhausted, Heard, Step, envelope, shown};
use crate::domain::{Errand, Statement};
use crate::format::{Asked, ReadError, alipay_bill, unpack};

pub(super) fn read(errand: &Errand, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let asked = Asked { merchant: &errand.account.merchant, sub_merchant: "", date: errand.date };
    alipay_bill::read(&asked, raw)
}

const ROOT: &str = "alipay_data_dataservice_bill_downloadurl_query_response";

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
    /// Filled in by [`open`]: false for a failure that came without a signature.
    #[serde(skip)]
    signed: bool,
}

/// Checks the signature over the raw bytes, then decodes.
///
/// # Errors
///
/// The step that ends or repeats the conversation: a page instead of a reply is asked again, a wrong or missing
/// signature is rejected at once.
pub(super) fn open(heard: &Heard, key: &RsaPublicKey, how: AlipaySign) -> Result<Reply, Step> {
    let again = |why: String| Step::again(Exhausted::Rejected, format!("{} answered {why}", heard.source));
    let raw = heard.whole().ok_or_else(|| again("more than a reply can be".into()))?;
    if heard.looks_like_markup() {
        return Err(again("a page (HTML or XML) where JSON is expected".into()));
    }
    let envelope = envelope::open(raw, ROOT).map_err(|why| again(format!("no signed reply: {why}")))?;
    let signed = match &envelope.sign {
        Some(sign) if alipay_verifies(envelope.node, sign, key, how) => true,
        Some(_) => {
            return Err(Step::Rejected(format!(
                "the signature of Alipay's reply does not verify: `alipay_public_key` is not the key Alipay shows \
                 for this app, or `sign_type` is not {}, or the reply was changed on the way",
                how.as_str()
            )));
        }
        None => false,
    };
    if envelope.node.starts_with(b"\"") {
        return Err(Step::Rejected(
            "Alipay's reply is encrypted; switch content encryption off for this app".into(),
        ));
    }
    let reply: Reply = serde_json::from_str(&unpack::reply_text(envelope.node))
        .map_err(|_| Step::Rejected("Alipay's reply does not hold the fields of this interface".into()))?;
    if reply.code == "10000" && (!signed || envelope.root == envelope::ERROR_ROOT) {
        return Err(Step::Rejected("Alipay's reply says success without a signature of it".into()));
    }
    Ok(Reply { signed, ..reply })
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
            (_, "TYPE_NOT_SUPPORTED") => self.refused("this merchant has no trade bill; see its contract"),
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

    /// One line. The gateway's own explanation is left out where it repeats what we sent: that holds tokens.
    fn said(&self) -> String {
        let echo = ["app_auth_token", "biz_content", "sign"].iter().any(|word| self.sub_msg.contains(word));
        let explanation = if echo { "" } else { self.sub_msg.as_str() };
        let texts = [&self.code, &self.msg, &self.sub_code, explanation].map(shown);
        let words: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
        let unsigned = if self.signed { "" } else { " (unsigned)" };
        format!("Alipay says{unsigned} {}", words.join(" "))
    }
}

/// A sub-code in one spelling: `isp.bill_not_exist`, `aop.unknow-error`, `INVAILID_ARGUMENTS`.
fn normalised(sub_code: &str) -> String {
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

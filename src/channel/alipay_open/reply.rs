//! A reply of the open API: its signature is checked over the raw bytes, then it is decoded.
//!
//! One for all methods; what the fields mean is the business of `read.rs` (bills) and `judge.rs` (orders).

use serde::de::DeserializeOwned;

use super::ask::secret;
use crate::channel::sign::{AlipaySign, alipay_verifies};
use crate::channel::{Exhausted, Heard, Step, envelope, keys, shown};
use crate::domain::Account;
use crate::format::unpack;

/// Why a reply tells nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Not a whole reply; the next one may be.
    Broken(String),
    /// A reply that may not be believed.
    Unbelievable(String),
    /// The configured key cannot be read any more.
    Key(String),
}

impl From<Trouble> for Step {
    fn from(trouble: Trouble) -> Step {
        match trouble {
            Trouble::Broken(why) => Step::again(Exhausted::Rejected, why),
            Trouble::Unbelievable(why) => Step::Rejected(why),
            Trouble::Key(why) => Step::Refused(why),
        }
    }
}

/// The fields of one method's reply.
pub(super) trait Signed: DeserializeOwned {
    fn code(&self) -> &str;
    /// Told once; false only for a failure.
    fn set_signed(&mut self, signed: bool);
}

/// Checks the signature, then decodes. `root` is the name of the method's node.
///
/// # Errors
///
/// A page instead of a reply is [`Trouble::Broken`], a wrong or missing signature [`Trouble::Unbelievable`].
pub(super) fn open<R: Signed>(account: &Account, heard: &Heard, root: &str) -> Result<R, Trouble> {
    let how = AlipaySign::of(account.option("sign_type"));
    let key = keys::public(&secret(account, "alipay_public_key"))
        .map_err(|why| Trouble::Key(format!("`alipay_public_key`: {why}")))?;
    let broken = |why: String| Trouble::Broken(format!("{} answered {why}", heard.source));
    let raw = heard.whole().ok_or_else(|| broken("more than a reply can be".into()))?;
    if heard.looks_like_markup() {
        return Err(broken("a page (HTML or XML) where JSON is expected".into()));
    }
    let envelope = envelope::open(raw, root).map_err(|why| broken(format!("no signed reply: {why}")))?;
    let signed = match &envelope.sign {
        Some(sign) if alipay_verifies(envelope.node, sign, &key, how) => true,
        Some(_) => {
            return Err(Trouble::Unbelievable(format!(
                "the signature of Alipay's reply does not verify: `alipay_public_key` is not the key Alipay shows \
                 for this app, or `sign_type` is not {}, or the reply was changed on the way",
                how.as_str()
            )));
        }
        None => false,
    };
    let unbelievable = |why: &str| Trouble::Unbelievable(format!("Alipay's reply {why}"));
    if envelope.node.starts_with(b"\"") {
        return Err(unbelievable("is encrypted; switch content encryption off for this app"));
    }
    let mut reply: R = serde_json::from_str(&unpack::reply_text(envelope.node))
        .map_err(|_| unbelievable("does not hold the fields of this interface"))?;
    if reply.code() == "10000" && (!signed || envelope.root == envelope::ERROR_ROOT) {
        return Err(unbelievable("says success without a signature of it"));
    }
    reply.set_signed(signed);
    Ok(reply)
}

/// Code, message, sub-code and explanation in one line. The gateway's own explanation is left out where it repeats what
/// we sent: that holds tokens.
pub(super) fn said([code, msg, sub_code, sub_msg]: [&str; 4], signed: bool) -> String {
    let echo = ["app_auth_token", "biz_content", "sign"].iter().any(|word| sub_msg.contains(word));
    let explanation = if echo { "" } else { sub_msg };
    let texts = [code, msg, sub_code, explanation].map(shown);
    let words: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    let unsigned = if signed { "" } else { " (unsigned)" };
    format!("Alipay says{unsigned} {}", words.join(" "))
}

//! The fund flow (`pay/downloadfundflow`): a question with our certificate and HMAC-SHA256 only, and failures in other
//! words than the trade bill's.
//!
//! Asked for without compression, so that the reply's `Digest` is that of what came. Never asks for the operation and
//! fees accounts: the basic account is the one that payments go to. Source: `spec/wechat.md` 2.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};

use super::ask::post;
use crate::channel::sign::WechatSign;
use crate::channel::{Exhausted, Heard, Identity, Step, unless_ok, wechat, xml};
use crate::domain::{Account, Bill, BillDate, Errand, Failure, Secret, Stamp};
use crate::format::unpack;

const PATH: &str = "/pay/downloadfundflow";

/// WeChat has fund flows since this day.
const FIRST_DAY: &str = "20170601";

/// The whole of a fund flow must be seen, because its digest stands in a header: as much as a bill may have.
const SEEN_MAX: usize = 512 << 20;

/// The certificate is needed for this bill only.
pub(super) fn check(account: &Account) -> Result<(), Failure> {
    match identity(account) {
        _ if account.secret("client_p12").is_none() && !account.bills.contains(&Bill::FundFlow) => Ok(()),
        Ok(_) => Ok(()),
        Err(why) => Err(wechat::wrong_key(account, "client_p12", &why)),
    }
}

/// The platform's password of the file is the merchant number, if no other is given.
fn identity(account: &Account) -> Result<Identity, String> {
    let packed = account.secret("client_p12").ok_or(
        "the fund flow is given out against the merchant's certificate: write client_p12 = \
         \"file:apiclient_cert.p12\"",
    )?;
    let merchant = Secret::new(account.merchant.as_str());
    Identity::read(packed, account.secret("client_p12_password").unwrap_or(&merchant))
}

pub(super) fn next(errand: &Errand, heard: &[Heard], stamp: &Stamp) -> Step {
    match heard {
        [] if BillDate::parse(FIRST_DAY).is_some_and(|first| errand.date < first) => {
            Step::Refused("WeChat has fund flows since 2017-06-01 only".into())
        }
        [] => wechat::out_of_window(errand, stamp, None).unwrap_or_else(|| question(errand, stamp)),
        [.., last] => unless_ok(last).unwrap_or_else(|| answer(errand, last, stamp)),
    }
}

fn question(errand: &Errand, stamp: &Stamp) -> Step {
    let account = &errand.account;
    let identity = match identity(account) {
        Ok(identity) => identity,
        // `check` has opened it before the night began; a file that changed since then ends here.
        Err(why) => return Step::Refused(format!("`client_p12`: {why}")),
    };
    let date = errand.date.compact();
    let params = vec![("account_type", "Basic"), ("bill_date", date.as_str())];
    let mut request = post(account, PATH, stamp, (params, WechatSign::HmacSha256));
    request.identity = Some(identity);
    request.bill = true;
    request.head_max = SEEN_MAX;
    Step::ask(request)
}

fn answer(errand: &Errand, heard: &Heard, stamp: &Stamp) -> Step {
    if wechat::begins_like_a_bill(heard, wechat::FLOW_TITLES) {
        return match digest_differs(heard) {
            Some(why) => Step::Rejected(why),
            None => Step::Statement,
        };
    }
    let fields = heard.whole().and_then(xml::flat).unwrap_or_default();
    let field = |name| xml::field(&fields, name);
    match (field("return_code"), field("err_code")) {
        ("", _) => wechat::not_a_bill(heard),
        (_, "NO_BILL_EXIST") => wechat::no_bill(errand, stamp),
        (_, "BILL_CREATING") => wechat::creating(errand),
        (_, code @ ("SYSTEMERROR" | "FREQUENCY_LIMITED")) | (code @ "SYSTEMERROR", "") => {
            Step::again(Exhausted::Passing, wechat::said(code, field("err_code_des")))
        }
        ("SUCCESS", code) => Step::Refused(wechat::said(code, field("err_code_des"))),
        (_, code) => {
            let words =
                [field("err_code_des"), field("return_msg")].into_iter().find(|text| !text.is_empty());
            let hint = ": check `key`, `app_id`, `merchant` and `client_p12`";
            Step::Refused(format!("{}{hint}", wechat::said(code, words.unwrap_or(""))))
        }
    }
}

/// Why the body is not the one that `Digest: SHA=…` (RFC 3230: base64; WeChat's manual: hex) was made of; nothing to say
/// where there is no such header.
fn digest_differs(heard: &Heard) -> Option<String> {
    let stated = heard.header("digest")?.trim();
    let (name, stated) = stated.split_once('=').unwrap_or(("", stated));
    let Some(raw) = heard.whole() else {
        return Some("the fund flow is larger than any bill; its digest cannot be checked".into());
    };
    if !matches!(name.to_ascii_uppercase().as_str(), "SHA" | "SHA-1" | "SHA1") {
        return Some(format!(
            "the reply's `Digest` is of a kind that is not known here: {}",
            crate::channel::shown(name)
        ));
    }
    let is_of = |bytes: &[u8]| {
        let sha1 = Sha1::digest(bytes);
        stated.eq_ignore_ascii_case(&hex::encode(sha1)) || stated == BASE64_STANDARD.encode(sha1)
    };
    let fits = is_of(raw) || unpack::plain(raw).is_ok_and(|plain| is_of(&plain));
    (!fits).then(|| {
        "the fund flow is not the one that the reply's `Digest` states; it was changed on the way".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_in_either_spelling() {
        let heard = |digest: &str| {
            let headers = vec![("digest".to_owned(), digest.to_owned())];
            Heard { head: b"abc".to_vec(), len: 3, headers, ..Heard::default() }
        };
        for (digest, fits) in [
            ("SHA=a9993e364706816aba3e25717850c26c9cd0d89d", true),
            ("sha-1=A9993E364706816ABA3E25717850C26C9CD0D89D", true),
            ("SHA=qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", true),
            ("SHA=a9993e364706816aba3e25717850c26c9cd0d89e", false),
            ("SHA=", false),
            ("a9993e364706816aba3e25717850c26c9cd0d89d", false),
            ("MD5=kAFQmDzST7DWlj99KOF/cg==", false),
        ] {
            assert_eq!(digest_differs(&heard(digest)).is_none(), fits, "{digest}");
        }
        assert_eq!(digest_differs(&Heard::default()), None);
    }
}

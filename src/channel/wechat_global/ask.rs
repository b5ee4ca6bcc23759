//! What to ask overseas: as v2 does at home, or v3's statement, whose text is the answer itself.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};

use crate::channel::wechatpay::{self, Keys};
use crate::channel::{Heard, Need, Step, address, shown, unless_ok, wechat, wechat_v2};
use crate::domain::{Account, Errand, Failure, Stamp};

pub(super) const NEEDS: &[Need] = &[
    Need { required: true, ..Need::one_of("api", "", &["v2", "v3"]) },
    Need::option("app_id", ""),
    Need::secret("key", false),
    Need::one_of("sign_type", "MD5", &["MD5", "HMAC-SHA256"]),
    wechatpay::SERIAL_NO,
    wechatpay::PRIVATE_KEY,
    wechatpay::PUBLIC_KEY,
    wechatpay::PUBLIC_KEY_ID,
    wechatpay::API_V3_KEY,
    // The merchant number is that of an institution, which asks for all its sub-merchants or for one.
    Need::one_of("institution", "false", &["false", "true"]),
    Need::option("sub_merchant", ""),
    Need::option("url", wechat::HOST_OVERSEAS),
    Need::one_of("allow_plain_http", "false", &["false", "true"]),
];

const PATH: &str = "/v3/global/statements";

/// For so long WeChat keeps a statement of v3 overseas.
const WINDOW_DAYS: i64 = 180;

/// The whole statement must be seen, because its hash stands in a header: as much as a bill may have.
const SEEN_MAX: usize = 512 << 20;

pub(super) fn is_v3(account: &Account) -> bool {
    account.option("api") == "v3"
}

pub(super) fn keeps(account: &Account) -> Option<i64> {
    if is_v3(account) { Some(WINDOW_DAYS) } else { wechat::keeps(account) }
}

pub(super) fn check(account: &Account) -> Result<(), Failure> {
    if !is_v3(account) {
        return wechat_v2::ask::check(account);
    }
    wechatpay::check(account)?;
    address::check_own(account, wechat::HOST_OVERSEAS)
}

pub(super) fn next(errand: &Errand, heard: &[Heard], stamp: &Stamp) -> Step {
    let account = &errand.account;
    if !is_v3(account) {
        return wechat_v2::ask::next(errand, heard, stamp);
    }
    // A statement must be the last thing heard, so what verifies it is fetched before it.
    let certified = account.secret("public_key").is_none();
    let step = match heard {
        [] => match wechat::out_of_window(errand, stamp, keeps(account)) {
            Some(step) => return step,
            None if certified => wechatpay::ask_certificates(account, stamp).map(Step::Ask),
            None => question(errand, stamp),
        },
        // Certificates that cannot be believed end the conversation before the question.
        [certificates] if certified => {
            Keys::with(account, Some(certificates)).and_then(|_| question(errand, stamp))
        }
        [reply] => answered(errand, reply, None, stamp),
        [certificates, .., reply] => answered(errand, reply, Some(certificates), stamp),
    };
    step.unwrap_or_else(|end| end)
}

fn question(errand: &Errand, stamp: &Stamp) -> Result<Step, Step> {
    let account = &errand.account;
    let (sub, merchant) = (account.option("sub_merchant").trim(), &account.merchant);
    let who = match sub {
        "" if account.option("institution") == "true" => format!("sp_mchid={merchant}"),
        "" => format!("mchid={merchant}"),
        sub => format!("sp_mchid={merchant}&sub_mchid={sub}"),
    };
    let target = format!("{PATH}?date={}&{who}", errand.date.compact());
    let mut request = wechatpay::get(account, &target, stamp)?;
    request.bill = true;
    request.head_max = SEEN_MAX;
    Ok(Step::ask(request))
}

fn answered(
    errand: &Errand,
    reply: &Heard,
    certificates: Option<&Heard>,
    stamp: &Stamp,
) -> Result<Step, Step> {
    let keys = Keys::with(&errand.account, certificates)?;
    if reply.status != 200 {
        let complaint = wechatpay::complaint(reply, &keys).map_err(Step::Rejected)?;
        return Ok(match complaint {
            Some(complaint) => wechatpay::failure(errand, reply, &complaint, stamp),
            None => unless_ok(reply).unwrap_or_else(|| wechat::not_a_bill(reply)),
        });
    }
    if !wechat::begins_like_a_bill(reply, wechat::TRADE_TITLES) {
        return Err(wechat::not_a_bill(reply));
    }
    let raw = reply.whole().ok_or_else(|| Step::Rejected("the statement is larger than any bill".into()))?;
    believe(reply, raw, &keys).map_err(Step::Rejected)?;
    Ok(Step::Statement)
}

/// The header's hash must be that of the text, and the signature one over that hash: `{"sha1":"…"}`, as WeChat's PHP
/// library verifies it.
fn believe(reply: &Heard, raw: &[u8], keys: &Keys) -> Result<(), String> {
    let stated = reply.header("wechatpay-statement-sha1").map(str::trim).unwrap_or_default();
    if stated.is_empty() {
        return Err("the statement came without its hash (`Wechatpay-Statement-Sha1`)".into());
    }
    let sha1 = Sha1::digest(raw);
    let fits = stated.eq_ignore_ascii_case(&hex::encode(sha1)) || stated == BASE64_STANDARD.encode(sha1);
    if !fits {
        return Err(format!(
            "the statement's SHA-1 is {} and WeChat states {}; it was changed on the way",
            hex::encode(sha1),
            shown(stated)
        ));
    }
    let signed = format!("{{\"sha1\":\"{stated}\"}}");
    // The manual speaks of the reply's body as of every other reply's; a signature over it is as good.
    wechatpay::verify(reply, signed.as_bytes(), keys).or_else(|why| {
        match wechatpay::verify(reply, raw, keys) {
            Ok(()) => Ok(()),
            Err(_) => Err(why),
        }
    })
}

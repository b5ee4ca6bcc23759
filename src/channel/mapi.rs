//! Alipay's legacy gateway (`mapi.alipay.com`): what is signed with the MD5 key, and how it is sent.
//!
//! The key is appended directly, without `&key=`; `sign` and `sign_type` are not part of what is signed, and neither is
//! anything empty. Hashed are the bytes of the declared charset. Never sends a request unsigned.
//! Source: `spec/alipay.md` 3.1; the vectors of `spec/ttpay.md` A.10 are its tests.

use md5::{Digest, Md5};

use super::{Request, address, form};
use crate::domain::{Account, Exit, Failure, Secret};
use crate::format::unpack::Charset;

pub(super) const GATEWAY: &str = "https://mapi.alipay.com/gateway.do";

/// Lower-case hex over the sorted parameters and the key; `None` if the charset cannot write one of them.
pub fn sign(params: &[(&str, &str)], key: &Secret, charset: Charset) -> Option<String> {
    let mut bytes = charset.encode(&joined(params))?;
    bytes.extend(charset.encode(key.expose().trim())?);
    Some(hex::encode(Md5::digest(bytes)))
}

/// Every non-empty parameter but `sign` and `sign_type`, sorted by name as bytes, raw `name=value` joined by `&`.
fn joined(params: &[(&str, &str)]) -> String {
    let signed = |(name, value): &&(&str, &str)| !value.is_empty() && !matches!(*name, "sign" | "sign_type");
    let mut kept: Vec<(&str, &str)> = params.iter().filter(signed).copied().collect();
    kept.sort_unstable();
    kept.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// The signed parameters as a form, percent-encoded in their charset.
fn signed_form(params: &[(&str, &str)], key: &Secret, charset: Charset) -> Option<String> {
    let sign = sign(params, key, charset)?;
    let filled = params.iter().copied().filter(|(_, value)| !value.is_empty());
    let all = filled.chain([("sign", sign.as_str()), ("sign_type", "MD5")]);
    let pairs: Option<Vec<String>> = all
        .map(|(name, value)| Some(format!("{name}={}", form::encoded_bytes(&charset.encode(value)?))))
        .collect();
    Some(pairs?.join("&"))
}

/// A signed question by POST, its charset named in the address too, as the gateway wants it.
pub(super) fn post(account: &Account, params: &[(&str, &str)], charset: Charset) -> Result<Request, String> {
    let body = signed_form(params, &key(account)?, charset).ok_or("a parameter cannot be written in GBK")?;
    let name = if charset == Charset::Gbk { "gbk" } else { "utf-8" };
    let url = url(account);
    let between = if url.contains('?') { '&' } else { '?' };
    let mut request = Request::new("POST", format!("{url}{between}_input_charset={name}"), account);
    request.headers.push(("content-type", format!("application/x-www-form-urlencoded; charset={name}")));
    request.body = body.into_bytes();
    Ok(request)
}

/// A signed question by GET; its parameters are ASCII, so no charset is named.
pub(super) fn get(account: &Account, params: &[(&str, &str)]) -> Result<Request, String> {
    let query = signed_form(params, &key(account)?, Charset::Utf8).ok_or("a parameter cannot be written")?;
    let url = url(account);
    let between = if url.contains('?') { '&' } else { '?' };
    Ok(Request::new("GET", format!("{url}{between}{query}"), account))
}

/// The account's address; the path of the gateway is added to a bare host.
fn url(account: &Account) -> String {
    let url = address::own(account, GATEWAY).trim_end_matches('/');
    let bare_host = address::parse(url).is_ok_and(|address| address.rest.is_empty());
    if bare_host { format!("{url}/gateway.do") } else { url.to_owned() }
}

/// The account's MD5 key. `check` has seen it before the night began; a key that is gone since then ends here.
pub(super) fn key(account: &Account) -> Result<Secret, String> {
    account.secret("key").cloned().ok_or_else(|| "`key` is not set".to_owned())
}

/// What both rooms of this gateway ask of an account: R140's common faults are an e-mail address for the partner, stray
/// blanks, and the two fields swapped.
///
/// # Errors
///
/// [`Exit::Config`], naming what it is instead.
pub(super) fn check(account: &Account) -> Result<(), Failure> {
    let fail = |why: &str| Err(Failure::new(Exit::Config, format!("account `{}`: {why}", account.name)));
    check_partner(account)?;
    let key = account.secret("key").map_or("", |key| key.expose().trim());
    if key.starts_with("2088") && key.len() == 16 {
        return fail("`key` holds a partner number; `merchant` and `key` may be swapped");
    }
    if key.len() != 32 || !key.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return fail("`key` must be the MD5 key (安全校验码) of 32 letters and digits");
    }
    address::check_own(account, GATEWAY)
}

/// # Errors
///
/// [`Exit::Config`]: the merchant number is no partner (PID).
pub(super) fn check_partner(account: &Account) -> Result<(), Failure> {
    let partner = &account.merchant;
    let digits = partner.len() == 16 && partner.bytes().all(|b| b.is_ascii_digit());
    if digits && partner.starts_with("2088") {
        return Ok(());
    }
    let instead = if partner.contains('@') { ", not the e-mail address" } else { "" };
    Err(Failure::new(
        Exit::Config,
        format!(
            "account `{}`: `merchant` must be the partner number (PID) of 16 digits that begins with 2088{instead}",
            account.name
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAQ: &str = "1234567890123";
    const WORKED: &str = "n0tareal32charkeyn0tareal32char0";

    fn signed(text: &str, key: &str, charset: Charset) -> String {
        let params: Vec<(&str, &str)> =
            text.split('&').map(|pair| pair.split_once('=').expect("a pair")).rev().collect();
        assert_eq!(joined(&params), text, "the string is in order");
        let with_more = [&params[..], &[("sign", "X"), ("sign_type", "MD5"), ("empty", "")]].concat();
        sign(&with_more, &Secret::new(key), charset).expect("it can be written")
    }

    /// AL-1 to AL-4 of `spec/ttpay.md` A.10.
    #[test]
    fn vectors_of_the_manual() {
        for (email, service, expected) in [
            ("test", "create_direct_pay_by_user", "4cd4483a98cdee333c4db71452546c87"),
            ("test", " create_direct_pay_by_user", "b065bc81629540b23ca89551ee162f6f"),
            ("test@msn.com", "create_direct_pay_by_user", "390649c0eb738757b883f389a178175a"),
            ("testaio@msn.com", "create_direct_pay_by_user", "e49cca22379168dc5338cb02d02913ac"),
            ("testaio@msn.com", " create_direct_pay_by_user", "4ebeacf8304d1faaf2d80be5bcd65dea"),
        ] {
            let text = format!("email={email}&partner=2088006300000000&service={service}");
            assert_eq!(signed(&text, FAQ, Charset::Utf8), expected, "{text}");
        }
    }

    /// AL-5: what a wrong reading of the manual gives, and we do not.
    #[test]
    fn vectors_of_wrong_readings() {
        let md5 = |text: String| hex::encode(Md5::digest(text));
        let rest = "&partner=2088006300000000&service=create_direct_pay_by_user";
        let ours = signed(&format!("email=test@msn.com{rest}"), FAQ, Charset::Utf8);
        for (text, expected) in [
            (format!("email=test%40msn.com{rest}{FAQ}"), "473049c94d83d142301e8e31820d3218"),
            (format!("email=test@msn.com{rest}&key={FAQ}"), "0b25f47bc4bfd280f68bd15f1e198dd9"),
            (format!("email=test@msn.com{rest}{FAQ}2."), "ed6c44a18636f9590e926aeec798b334"),
        ] {
            assert_eq!(md5(text), expected);
            assert_ne!(ours, expected);
        }
    }

    /// AL-6 and AL-7: the same text in both charsets.
    #[test]
    fn vectors_of_charsets() {
        let text = |charset| {
            format!(
                "_input_charset={charset}&partner=2088006300000000&service=create_partner_trade_by_buyer&subject=测试"
            )
        };
        assert_eq!(signed(&text("utf-8"), FAQ, Charset::Utf8), "98b6e031db2e01d8703723f65dc198ef");
        assert_eq!(signed(&text("gbk"), FAQ, Charset::Gbk), "d1bc2d3d33de56de5edfb0693367d40f");
    }

    /// The worked examples of `spec/alipay.md` 3.1.
    #[test]
    fn worked_examples() {
        let escrow = |charset: &str| {
            format!(
                "_input_charset={charset}&logistics_fee=0.00&logistics_payment=SELLER_PAY&logistics_type=EXPRESS&notify_url=https://m.example.test/n&out_trade_no=T20160301-0007&partner=2088900000000018&payment_type=1&price=18.80&quantity=1&seller_email=shop@example.test&service=create_partner_trade_by_buyer&subject=茶杯"
            )
        };
        for (text, charset, expected) in [
            (
                "_input_charset=utf-8&gmt_end_time=2016-03-02 00:00:00&gmt_start_time=2016-03-01 00:00:00&page_no=1&page_size=5000&partner=2088900000000018&service=account.page.query".to_owned(),
                Charset::Utf8,
                "9bac660d4a8bc479b8873dc17dc5e277",
            ),
            (
                "_input_charset=utf-8&gmt_create_end=2016-03-02 00:00:00&gmt_create_start=2016-03-01 00:00:00&no_coupon=Y&partner=2088900000000018&service=export_trade_account_report&trans_code=6001".to_owned(),
                Charset::Utf8,
                "8c8e8c7d84c044ce89ccd9dafacf0dd3",
            ),
            (escrow("utf-8"), Charset::Utf8, "bdf5a9f5091ea2fcc4c8fbd29faaf646"),
            (escrow("gbk"), Charset::Gbk, "dae1b1ef84496be974c7e4690b8f83a9"),
            (
                "end_date=20160301&partner=2088900000000026&service=forex_compare_file&start_date=20160301".to_owned(),
                Charset::Utf8,
                "2271604104762e4aa371861601aa3821",
            ),
        ] {
            assert_eq!(signed(&text, WORKED, charset), expected, "{text}");
        }
    }

    #[test]
    fn accounts_that_cannot_work_are_named() {
        let check = |partner: &str, key: &str| {
            let mut account = Account { name: "shop".into(), merchant: partner.into(), ..Account::default() };
            account.secrets.insert("key".into(), Secret::new(key));
            super::check(&account).map_err(|failure| failure.message)
        };
        assert_eq!(check("2088900000000018", &format!(" {WORKED}\n")), Ok(()));
        for (partner, key, why) in [
            ("shop@example.test", WORKED, "not the e-mail address"),
            ("1088900000000018", WORKED, "begins with 2088"),
            ("2088900000000018", "2088900000000018", "swapped"),
            ("2088900000000018", FAQ, "32 letters"),
        ] {
            let said = check(partner, key).expect_err(key);
            assert!(said.contains(why) && !said.contains(FAQ), "{said}");
        }
    }
}

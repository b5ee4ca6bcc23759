//! Stored notifications of providers: taken apart, and their signatures checked with the keys of the accounts.
//!
//! Never answers one and never listens for one. A notification is believed only if a key proves it: fields are decoded first,
//! and every byte that was signed is hashed as it was sent (GBK stays GBK). A field that stands in it twice, or is empty where
//! the provider leaves empty ones out, is what a forger would write. Sources: `spec/ttpay.md` R128 to R130 and A.10 (Teegon, TG-5,
//! TG-8), R141 to R143 (Alipay MD5); Alipay open platform, "verify asynchronous notifications" (RSA, RSA2); WeChat
//! Pay v2 manual, chapter 4.3 and "payment result notification". TianTa's notifications have no documented
//! signature: they are never proven.

use md5::{Digest, Md5};

use super::sign::{self, AlipaySign, WechatSign};
use super::{keys, xml};
use crate::domain::{Account, Moment, PayType, Secret};
use crate::paylog::{Notice, NoticeFamily, Seal};

/// Fields of one notification that are read; the longest documented one has about forty.
const FIELDS_MAX: usize = 256;

type Field = (Vec<u8>, Vec<u8>);

/// Takes a stored body apart and checks it against every account whose key could have signed it.
pub fn read(number: i64, at: Option<Moment>, body: &str, accounts: &[Account]) -> Notice {
    let mut notice = Notice { number, at, ..Notice::default() };
    let body = body.trim_start_matches('\u{feff}').trim();
    let fields = if body.starts_with('<') { of_xml(body) } else { of_form(body) };
    let Some(fields) = fields.filter(|fields| !has_twins(fields)) else { return notice };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    notice.fields = fields.iter().map(|(name, value)| (text(name), text(value))).collect();
    notice.family = family(&notice, body.starts_with('<'));
    if let Some(family) = notice.family {
        notice.seal = seal(family, &notice, &fields, accounts);
    }
    notice
}

fn of_xml(body: &str) -> Option<Vec<Field>> {
    let fields = xml::flat(body.as_bytes())?;
    Some(fields.into_iter().map(|(name, value)| (name.into_bytes(), value.into_bytes())).collect())
}

/// `a=1&b=%E5%85%83`, decoded to the bytes that were sent.
fn of_form(body: &str) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    for pair in body.split('&') {
        let (name, value) = pair.split_once('=')?;
        if name.is_empty() || fields.len() == FIELDS_MAX {
            return None;
        }
        fields.push((decoded(name), decoded(value)));
    }
    Some(fields)
}

fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|pair| hex::decode(pair).ok());
        match (bytes[at], hex.as_deref()) {
            (b'%', Some([byte])) => {
                out.push(*byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    out
}

/// A name that stands twice could be read in two ways, one of them signed.
fn has_twins(fields: &[Field]) -> bool {
    let mut names: Vec<&[u8]> = fields.iter().map(|(name, _)| name.as_slice()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

fn family(notice: &Notice, is_xml: bool) -> Option<NoticeFamily> {
    let has = |name: &str| notice.fields.iter().any(|(n, _)| n == name);
    match is_xml {
        true => (has("return_code") && has("mch_id")).then_some(NoticeFamily::Wechat),
        false if has("charge_id") && has("is_success") => Some(NoticeFamily::Teegon),
        false if has("trade_status") && has("out_trade_no") => Some(NoticeFamily::Alipay),
        false => None,
    }
}

fn seal(family: NoticeFamily, notice: &Notice, fields: &[Field], accounts: &[Account]) -> Seal {
    let check = match family {
        NoticeFamily::Teegon => teegon,
        NoticeFamily::Alipay => alipay,
        NoticeFamily::Wechat => wechat,
    };
    let mut checked = false;
    for (index, account) in accounts.iter().enumerate() {
        match check(account, notice, fields) {
            Some(true) => return Seal::Verified(index),
            Some(false) => checked = true,
            None => {}
        }
    }
    if checked { Seal::Broken } else { Seal::Unchecked }
}

/// A key that is there: an empty one would let anybody sign.
fn key<'a>(account: &'a Account, name: &str) -> Option<&'a Secret> {
    account.secret(name).filter(|secret| !secret.expose().trim().is_empty())
}

fn same_hex(sign: &str, digest: &str) -> bool {
    !sign.is_empty() && sign.eq_ignore_ascii_case(digest)
}

/// `None`: this account has no key for such a notification, or it is not this account's.
fn teegon(account: &Account, notice: &Notice, fields: &[Field]) -> Option<bool> {
    let secret = key(account, "client_secret").filter(|_| account.pay_type == Some(PayType::Teegon))?;
    Some(same_hex(notice.field("sign"), &teegon_digest(fields, secret)))
}

/// Every field but `sign`, empty ones too, by name; names and values without anything between them, the secret at
/// both ends.
fn teegon_digest(fields: &[Field], secret: &Secret) -> String {
    let mut kept: Vec<&Field> = fields.iter().filter(|(name, _)| name != b"sign").collect();
    kept.sort_unstable();
    let mut hash = Md5::new_with_prefix(secret.expose());
    for (name, value) in kept {
        hash.update(name);
        hash.update(value);
    }
    hash.update(secret.expose());
    hex::encode_upper(hash.finalize())
}

fn alipay(account: &Account, notice: &Notice, fields: &[Field]) -> Option<bool> {
    let ours = matches!(account.pay_type?, PayType::Ali | PayType::Ali20 | PayType::AliOs);
    let (seller, app) = (notice.field("seller_id"), notice.field("app_id"));
    let named = |name: &str, own: &str| name.is_empty() || own.is_empty() || name == own;
    if !ours || !named(seller, &account.merchant) || !named(app, account.option("app_id")) {
        return None;
    }
    let sign = notice.field("sign");
    let how = match notice.field("sign_type") {
        "" | "MD5" => {
            let key = key(account, "key")?;
            return Some(same_hex(sign, &alipay_digest(fields, key)));
        }
        "RSA2" => AlipaySign::Rsa2,
        "RSA" => AlipaySign::Rsa,
        _ => return None,
    };
    let public = keys::public(&Secret::new(account.option("alipay_public_key"))).ok()?;
    // Alipay's own libraries differ in whether an empty field is part of what is signed; it tells nothing either way.
    Some([false, true].into_iter().any(|empty| sign::alipay_verifies(&joined(fields, empty), sign, &public, how)))
}

/// `name=value` by name, joined by `&`, without `sign` and `sign_type`.
fn joined(fields: &[Field], with_empty: bool) -> Vec<u8> {
    let signed = |name: &[u8]| !matches!(name, b"sign" | b"sign_type");
    let mut kept: Vec<&Field> =
        fields.iter().filter(|(name, value)| signed(name) && (with_empty || !value.is_empty())).collect();
    kept.sort_unstable();
    let pairs: Vec<Vec<u8>> =
        kept.into_iter().map(|(name, value)| [name.as_slice(), value.as_slice()].join(&b'=')).collect();
    pairs.join(&b'&')
}

/// The safety code follows directly, without a name of its own.
fn alipay_digest(fields: &[Field], key: &Secret) -> String {
    let mut hash = Md5::new_with_prefix(joined(fields, false));
    hash.update(key.expose().trim());
    hex::encode(hash.finalize())
}

fn wechat(account: &Account, notice: &Notice, _fields: &[Field]) -> Option<bool> {
    let ours = matches!(account.pay_type?, PayType::Wx | PayType::WxOs);
    if !ours || notice.field("mch_id") != account.merchant {
        return None;
    }
    let sub = account.option("sub_merchant");
    if !sub.is_empty() && notice.field("sub_mch_id") != sub {
        return None;
    }
    let key = key(account, "key")?;
    let sign = notice.field("sign");
    let long = notice.field("sign_type") == "HMAC-SHA256" || sign.len() == 64;
    let how = if long { WechatSign::HmacSha256 } else { WechatSign::Md5 };
    let params: Vec<(&str, &str)> = notice.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    Some(same_hex(sign, &sign::wechat(&params, key, how)))
}

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
    Some(
        [false, true]
            .into_iter()
            .any(|empty| sign::alipay_verifies(&joined(fields, empty), sign, &public, how)),
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The notification that Teegon's document prints (TG-8), signed with `secret`.
    const TG_8: &str = "amount=12.34&bank=&buyer=test%40test.com&channel=wxpay&charge_id=87diui7y8e687gf&device_info=&is_success=true&metadata=&order_no=20160101124567878&pay_time=1466057771&real_amount=12.11&status=trade_status_sync&timestamp=1466057771&sign=930D31C2813B32113D5120C58EBEB081";
    const ESCROW: &str = "discount=0.00&gmt_payment=2016-11-01+12%3A00%3A00&notify_id=n1&notify_time=2016-11-08+10%3A00%3A00&out_trade_no=E1&refund_status=&seller_id=2088006300000000&subject=%E8%8C%B6%E6%9D%AF&total_fee=18.80&trade_no=2016&trade_status=TRADE_FINISHED&sign_type=MD5&sign=";
    const SPKI: &str = include_str!("../../fixtures/test_keys/merchant_2048.spki.pem");
    const PKCS8: &str = include_str!("../../fixtures/test_keys/merchant_2048.pkcs8.pem");

    fn account(pay_type: PayType, merchant: &str, secret: (&str, &str)) -> Account {
        let mut account =
            Account { pay_type: Some(pay_type), merchant: merchant.to_owned(), ..Account::default() };
        account.secrets.insert(secret.0.to_owned(), Secret::new(secret.1));
        account
    }

    fn accounts() -> [Account; 3] {
        [
            account(PayType::Teegon, "client", ("client_secret", "secret")),
            account(PayType::Ali, "2088006300000000", ("key", "1234567890123")),
            account(PayType::Wx, "1900012345", ("key", "a7F3kQ9zT2mX8vB6nC4wL1pR5sJ0hDyE")),
        ]
    }

    fn seal_of(body: &str) -> Seal {
        read(1, None, body, &accounts()).seal
    }

    /// Each changed text, which is not the text itself, must be refused.
    #[track_caller]
    fn all_broken(body: &str, changes: &[(&str, &str)]) {
        for (from, to) in changes {
            let changed = body.replacen(from, to, 1);
            assert_ne!(changed, body, "{from}");
            let notice = read(1, None, &changed, &accounts());
            assert!(!matches!(notice.seal, Seal::Verified(_)), "{from} -> {to}: {:?}", notice.seal);
        }
    }

    fn form(fields: &[(&str, &str)]) -> Vec<Field> {
        fields.iter().map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec())).collect()
    }

    #[test]
    fn teegon_vectors() {
        let base = [("foo", "1"), ("bar", "2"), ("foo_bar", "3"), ("foobar", "4")];
        let empty = [&base[..], &[("empty", "")]].concat();
        for (fields, secret, digest) in [
            (&base[..], "secret", "4B4AC0F2D69BA521FFDE55A2BBEE3025"),
            (&base[..], "test_client_secret", "D3B2096A8E3E1254A5BCA93C179DEA5D"),
            (&empty[..], "secret", "DBF70E49705A65413C50DF821662B7D0"),
        ] {
            assert_eq!(teegon_digest(&form(fields), &Secret::new(secret)), digest);
        }
        let notice = read(7, None, TG_8, &accounts());
        assert_eq!(
            (notice.seal, notice.family, notice.number),
            (Seal::Verified(0), Some(NoticeFamily::Teegon), 7)
        );
        assert_eq!((notice.field("buyer"), notice.field("bank")), ("test@test.com", ""));
    }

    #[test]
    fn a_forged_notice_of_teegon_is_not_believed() {
        all_broken(
            TG_8,
            &[
                ("amount=12.34", "amount=12.35"),
                ("amount=12.34", "amount=12.340"),
                ("order_no=20160101124567878", "order_no=20160101124567879"),
                ("charge_id=87diui7y8e687gf", "charge_id=87diui7y8e687gg"),
                ("is_success=true", "is_success=ture"),
            ],
        );
    }

    #[test]
    fn a_notice_of_teegon_that_lost_a_field_is_not_believed() {
        all_broken(
            TG_8,
            &[
                ("&bank=", ""),
                ("&metadata=", ""),
                ("&real_amount=12.11", ""),
                ("bank=", "bank=+"),
                ("&bank=", "&bank=x"),
            ],
        );
        assert_eq!(seal_of(&format!("{TG_8}&added=")), Seal::Broken);
        assert_eq!(seal_of(&format!("{TG_8}&added=1")), Seal::Broken);
    }

    #[test]
    fn a_notice_without_its_own_signature_is_not_believed() {
        all_broken(
            TG_8,
            &[
                ("&sign=930D31C2813B32113D5120C58EBEB081", ""),
                ("sign=930D31C2813B32113D5120C58EBEB081", "sign="),
                ("sign=9", "sign=8"),
                ("sign=", "Sign="),
            ],
        );
    }

    #[test]
    fn a_key_of_another_account_proves_nothing() {
        let mut teegon = accounts();
        teegon[0].secrets.insert("client_secret".to_owned(), Secret::new("another"));
        assert_eq!(read(1, None, TG_8, &teegon).seal, Seal::Broken);
        // With an empty secret anybody could sign.
        let signed = TG_8.replace(
            "930D31C2813B32113D5120C58EBEB081",
            &teegon_digest(&of_form(TG_8).expect("a form"), &Secret::new("")),
        );
        teegon[0].secrets.insert("client_secret".to_owned(), Secret::new(""));
        assert_eq!(read(1, None, &signed, &teegon).seal, Seal::Unchecked);
        assert_eq!(read(1, None, TG_8, &accounts()[1..]).seal, Seal::Unchecked);
    }

    #[test]
    fn a_field_that_stands_twice_is_nobodys() {
        for twin in ["&amount=99.99", "&sign=930D31C2813B32113D5120C58EBEB081", "&bank="] {
            let notice = read(1, None, &format!("{TG_8}{twin}"), &accounts());
            assert_eq!((notice.family, notice.seal), (None, Seal::Unchecked), "{twin}");
        }
    }

    /// AL-1 to AL-4, AL-6 and AL-7 of the specification.
    #[test]
    fn alipay_md5_vectors() {
        let key = Secret::new("1234567890123");
        let digest = |email: &str, service: &str| {
            let fields = [("service", service), ("partner", "2088006300000000"), ("email", email)];
            alipay_digest(&form(&fields), &key)
        };
        let direct = "create_direct_pay_by_user";
        assert_eq!(digest("test", direct), "4cd4483a98cdee333c4db71452546c87");
        assert_eq!(digest("test", &format!(" {direct}")), "b065bc81629540b23ca89551ee162f6f");
        assert_eq!(digest("test@msn.com", direct), "390649c0eb738757b883f389a178175a");
        assert_eq!(digest("testaio@msn.com", direct), "e49cca22379168dc5338cb02d02913ac");
        let escrow = |charset: &str, subject: &str| {
            let text = format!(
                "_input_charset={charset}&partner=2088006300000000&service=create_partner_trade_by_buyer&subject={subject}&sign=x&sign_type=MD5&body="
            );
            alipay_digest(&of_form(&text).expect("a form"), &key)
        };
        assert_eq!(escrow("utf-8", "%E6%B5%8B%E8%AF%95"), "98b6e031db2e01d8703723f65dc198ef");
        assert_eq!(
            escrow("gbk", "%B2%E2%CA%D4"),
            "d1bc2d3d33de56de5edfb0693367d40f",
            "bytes as they were sent"
        );
    }

    fn signed_escrow() -> String {
        let key = Secret::new("1234567890123");
        format!("{ESCROW}{}", alipay_digest(&of_form(ESCROW).expect("a form"), &key))
    }

    #[test]
    fn an_escrow_notice_is_believed_only_as_it_was_signed() {
        let body = signed_escrow();
        assert_eq!(seal_of(&body), Seal::Verified(1));
        assert_eq!(
            seal_of(&body.replace("MD5&sign=", "&sign=")),
            Seal::Verified(1),
            "the type is not signed"
        );
        assert_eq!(
            seal_of(&body.replace("refund_status=&", "")),
            Seal::Verified(1),
            "empty ones are not signed"
        );
        all_broken(
            &body,
            &[
                ("TRADE_FINISHED", "WAIT_SELLER_SEND_GOODS"),
                ("total_fee=18.80", "total_fee=18.8"),
                ("out_trade_no=E1", "out_trade_no=E2"),
                ("discount=0.00&", ""),
                ("gmt_payment=2016-11-01", "gmt_payment=2016-11-02"),
                ("refund_status=", "refund_status=REFUND_SUCCESS"),
                ("sign_type=MD5", "sign_type=NONE"),
                ("seller_id=2088006300000000", "seller_id=2088006300000001"),
            ],
        );
        let bare = body.split("&sign=").next().unwrap_or_default();
        assert_ne!(seal_of(bare), Seal::Verified(1), "no signature");
    }

    #[test]
    fn a_notice_of_the_open_api_is_believed_by_alipays_public_key() {
        let private = keys::private(&Secret::new(PKCS8)).expect("a key");
        let text = "app_id=2014900000000011&out_trade_no=B1&passback_params=&total_amount=1.00&trade_status=TRADE_SUCCESS";
        let mut open = account(PayType::Ali20, "", ("private_key", "x"));
        open.options.insert("alipay_public_key".to_owned(), SPKI.to_owned());
        open.options.insert("app_id".to_owned(), "2014900000000011".to_owned());
        let accounts = [open];
        let encode = |sign: String| sign.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        for (signed, how) in
            [(text.replace("passback_params=&", ""), AlipaySign::Rsa2), (text.to_owned(), AlipaySign::Rsa)]
        {
            let sign = encode(sign::alipay(signed.as_bytes(), &private, how).expect("signed"));
            let body = format!("{text}&sign_type={}&sign={sign}", how.as_str());
            assert_eq!(read(1, None, &body, &accounts).seal, Seal::Verified(0), "{signed}");
            for (from, to) in [
                ("total_amount=1.00", "total_amount=9.00"),
                ("out_trade_no=B1", "out_trade_no=B2"),
                ("sign_type=RSA", "sign_type=MD5&x=RSA"),
                ("passback_params=", "passback_params=x"),
                ("&total_amount=1.00", ""),
            ] {
                let seal = read(1, None, &body.replacen(from, to, 1), &accounts).seal;
                assert!(!matches!(seal, Seal::Verified(_)), "{from}");
            }
        }
    }

    fn wechat_body(sign: &str, long: bool) -> String {
        let fields = [
            ("appid", "wx0123456789abcdef"),
            ("mch_id", "1900012345"),
            ("out_trade_no", "A1"),
            ("result_code", "SUCCESS"),
            ("return_code", "SUCCESS"),
            ("total_fee", "900"),
            ("transaction_id", "4200"),
        ];
        let mut fields = fields.to_vec();
        if long {
            fields.push(("sign_type", "HMAC-SHA256"));
        }
        let how = if long { WechatSign::HmacSha256 } else { WechatSign::Md5 };
        let made = sign::wechat(&fields, &Secret::new("a7F3kQ9zT2mX8vB6nC4wL1pR5sJ0hDyE"), how);
        let sign = if sign.is_empty() { &made } else { sign };
        fields.push(("sign", sign));
        let leaf = |(name, value): &(&str, &str)| format!("<{name}><![CDATA[{value}]]></{name}>");
        format!("<xml>{}</xml>", fields.iter().map(leaf).collect::<String>())
    }

    #[test]
    fn a_notice_of_wechat_is_believed_only_as_it_was_signed() {
        for long in [false, true] {
            let body = wechat_body("", long);
            let notice = read(1, None, &body, &accounts());
            assert_eq!((notice.seal, notice.family), (Seal::Verified(2), Some(NoticeFamily::Wechat)));
            all_broken(
                &body,
                &[
                    ("[900]", "[901]"),
                    ("[A1]", "[A2]"),
                    ("<transaction_id><![CDATA[4200]]></transaction_id>", ""),
                    ("</xml>", "<attach>x</attach></xml>"),
                    ("<sign><![CDATA[", "<sign><![CDATA[0"),
                    ("1900012345", "1900012346"),
                    ("</xml>", "<total_fee>1</total_fee></xml>"),
                ],
            );
            assert_eq!(seal_of(&wechat_body("ABCD", long)), Seal::Broken);
        }
        let mut sub = accounts();
        sub[2].options.insert("sub_merchant".to_owned(), "1600098765".to_owned());
        assert_eq!(
            read(1, None, &wechat_body("", false), &sub).seal,
            Seal::Unchecked,
            "another sub-merchant's"
        );
    }

    #[test]
    fn what_is_no_notice_is_nobodys() {
        for body in [
            "",
            "hello",
            "a=1&b",
            "a=1&&b=2",
            "=1",
            "<html><body>x</body></html>",
            "<xml><return_code>SUCCESS</return_code></xml>",
            "<!DOCTYPE x [<!ENTITY e \"x\">]><xml><mch_id>1</mch_id><return_code>&e;</return_code></xml>",
            "return_code=SUCCESS&transaction_id=42&out_trade_no=A1",
            "{\"trade_status\":\"x\"}",
        ] {
            let notice = read(1, None, body, &accounts());
            assert_eq!((notice.family, notice.seal), (None, Seal::Unchecked), "{body}");
        }
        assert_eq!(decoded("a%2Gb%4+%"), b"a%2Gb%4 %");
    }
}

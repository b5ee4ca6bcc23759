//! The scheme of WeChat Pay's v3 interfaces, `WECHATPAY2-SHA256-RSA2048`: requests that are signed, replies that are
//! verified.
//!
//! A reply is verified with the key that its `Wechatpay-Serial` names: WeChat's public key (`PUB_KEY_ID_…`, downloaded
//! by hand), or a platform certificate, fetched by a turn of the conversation and decrypted with the APIv3 key. A
//! success without a signature, or under an unknown key, is never believed. Never reads a clock: a request carries
//! the stamp's time, a reply is held to the time at which it came.
//!
//! Source: `spec/wechat.md` 3.2 to 3.4.

use rsa::RsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use serde::Deserialize;
use x509_cert::der::{DecodePem, Encode};

use super::{Ask, Exhausted, Heard, Need, Request, Step, address, keys, shown, sign, wechat};
use crate::domain::{Account, Errand, Failure, Moment, Secret, Stamp};

/// What an account needs to speak this scheme.
pub(super) const SERIAL_NO: Need = Need::option("serial_no", "");
pub(super) const PRIVATE_KEY: Need = Need::secret("private_key", false);
pub(super) const PUBLIC_KEY: Need = Need::secret("public_key", false);
pub(super) const PUBLIC_KEY_ID: Need = Need::option("public_key_id", "");
pub(super) const API_V3_KEY: Need = Need::secret("api_v3_key", false);

/// How far a reply's time may be off ours.
const OFF_SECONDS_MAX: u64 = 300;

/// What WeChat sends now and then instead of a signature, to see whether anybody looks.
const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// Seconds between two questions once WeChat counts too many: its quota is by the minute.
const THROTTLED_SECONDS: u64 = 60;

const CERTIFICATES: &str = "/v3/certificates";

pub(super) fn secret(account: &Account, key: &str) -> Secret {
    account.secret(key).cloned().unwrap_or_else(|| Secret::new(""))
}

/// What no single key shows.
pub(super) fn check(account: &Account) -> Result<(), Failure> {
    let fail = |key: &str, why: &str| Err(wechat::wrong_key(account, key, why));
    let serial = account.option("serial_no").trim();
    if serial.is_empty() || !serial.bytes().all(|b| b.is_ascii_hexdigit()) {
        return fail("serial_no", "write the serial number of the merchant's API certificate, in hex");
    }
    let private = match keys::private(&secret(account, "private_key")) {
        Ok(key) => key,
        Err(why) => return fail("private_key", &why),
    };
    match (account.secret("public_key"), account.option("public_key_id").trim()) {
        (None, "") if account.secret("api_v3_key").is_none() => {
            return fail(
                "public_key",
                "replies cannot be verified: give `public_key` with `public_key_id`, or `api_v3_key` for platform \
                 certificates (merchant platform, API security)",
            );
        }
        (None, "") => {}
        (None, _) => return fail("public_key", "it is missing beside `public_key_id`"),
        (Some(_), "") => return fail("public_key_id", "it is missing beside `public_key` (PUB_KEY_ID_…)"),
        (Some(key), _) => match keys::public(key) {
            Ok(public) if public == private.public() => {
                return fail("public_key", "this is your own public key; give the one that WeChat shows");
            }
            Ok(_) => {}
            Err(why) => return fail("public_key", &why),
        },
    }
    match account.secret("api_v3_key") {
        Some(key) if key.expose().trim().len() != 32 => {
            fail("api_v3_key", "the APIv3 key has 32 characters (merchant platform, API security)")
        }
        _ => Ok(()),
    }
}

/// A signed GET; `target` is path and query below the account's address.
///
/// # Errors
///
/// [`Step::Refused`] if the account's key cannot sign; `check` has read it before the night began.
pub(super) fn get(account: &Account, target: &str, stamp: &Stamp) -> Result<Request, Step> {
    let base = address::own(account, wechat::host(account)).trim_end_matches('/');
    let mut request = Request::new("GET", format!("{base}{target}"), account);
    authorize(&mut request, account, stamp)?;
    Ok(request)
}

/// Signs a request without a body over what it will ask for, byte for byte.
///
/// # Errors
///
/// As [`get`].
pub(super) fn authorize(request: &mut Request, account: &Account, stamp: &Stamp) -> Result<(), Step> {
    let refused = |why: String| Step::Refused(format!("`private_key`: {why}"));
    let target = address::parse(&request.url).map_err(Step::Refused)?.rest;
    let text = message(request.method, target, stamp);
    let key = keys::private(&secret(account, "private_key")).map_err(refused)?;
    let signature = sign::wechatpay(text.as_bytes(), &key).map_err(refused)?;
    let authorization = format!(
        "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{}\",signature=\"{signature}\",timestamp=\"{}\",serial_no=\"{}\"",
        account.merchant,
        stamp.nonce,
        stamp.now.unix(),
        account.option("serial_no").trim(),
    );
    request.headers.push(("authorization", authorization));
    request.headers.push(("accept", "application/json".into()));
    if account.secret("public_key").is_some() {
        request.headers.push(("wechatpay-serial", account.option("public_key_id").trim().into()));
    }
    Ok(())
}

/// What is signed of a request without a body: five lines, each with its end.
fn message(method: &str, target: &str, stamp: &Stamp) -> String {
    format!("{method}\n{target}\n{}\n{}\n\n", stamp.now.unix(), stamp.nonce)
}

/// The keys that replies may be signed with.
pub(super) struct Keys(Vec<(String, RsaPublicKey)>);

impl Keys {
    /// Those that stand in the configuration.
    pub(super) fn own(account: &Account) -> Keys {
        let key = account.secret("public_key").and_then(|key| keys::public(key).ok());
        let id = account.option("public_key_id").trim().to_owned();
        Keys(key.map(|key| (id, key)).into_iter().collect())
    }

    /// Those of the configuration and, if they were fetched, the platform certificates.
    ///
    /// # Errors
    ///
    /// The step that ends the conversation, if the certificates cannot be believed.
    pub(super) fn with(account: &Account, certificates: Option<&Heard>) -> Result<Keys, Step> {
        let Keys(mut all) = Keys::own(account);
        if let Some(heard) = certificates {
            all.extend(opened(account, heard)?);
        }
        Ok(Keys(all))
    }

    fn find(&self, serial: &str) -> Option<&RsaPublicKey> {
        let same = |known: &str| plain_serial(known).eq_ignore_ascii_case(plain_serial(serial));
        self.0.iter().find(|(known, _)| same(known)).map(|(_, key)| key)
    }
}

/// A serial number in hex may be written with leading zeros.
fn plain_serial(serial: &str) -> &str {
    serial.trim().trim_start_matches('0')
}

/// Whether the platform certificates must be fetched before this reply can be verified.
pub(super) fn lacks_certificate(account: &Account, heard: &Heard) -> bool {
    let unknown = |serial: &str| Keys::own(account).find(serial).is_none();
    account.secret("api_v3_key").is_some() && heard.header("wechatpay-serial").is_some_and(unknown)
}

/// The question for the platform certificates.
pub(super) fn ask_certificates(account: &Account, stamp: &Stamp) -> Result<Ask, Step> {
    get(account, CERTIFICATES, stamp).map(Ask::from)
}

/// Whether a reply carries a signature at all. WeChat promises one for successes only.
pub(super) fn is_signed(heard: &Heard) -> bool {
    heard.header("wechatpay-signature").is_some()
}

/// Verifies a reply's signature over `body`.
///
/// # Errors
///
/// Why it is not believed.
pub(super) fn verify(heard: &Heard, body: &[u8], keys: &Keys) -> Result<(), String> {
    let header = |name: &str| {
        let value = heard.header(name).map(str::trim).filter(|value| !value.is_empty());
        value.ok_or_else(|| format!("WeChat's reply is not signed: it has no `{name}`"))
    };
    let serial = header("wechatpay-serial")?;
    let (timestamp, nonce) = (header("wechatpay-timestamp")?, header("wechatpay-nonce")?);
    let signature = header("wechatpay-signature")?;
    if signature.starts_with(PROBE) {
        return Err("WeChat's reply carries a test signature, which must not be believed".into());
    }
    if !is_fresh(timestamp, heard.at) {
        return Err("WeChat's reply carries a time that is five minutes or more off ours".into());
    }
    let key = keys.find(serial).ok_or_else(|| {
        format!(
            "WeChat's reply is signed with `{}`, which is neither `public_key_id` nor a platform certificate",
            shown(serial)
        )
    })?;
    let text = [format!("{timestamp}\n{nonce}\n").as_bytes(), body, b"\n"].concat();
    if sign::wechatpay_verifies(&text, signature, key) {
        return Ok(());
    }
    Err("the signature of WeChat's reply does not verify: `public_key` is not the key of that `public_key_id`, or the \
         reply was changed on the way"
        .into())
}

fn is_fresh(timestamp: &str, at: Option<Moment>) -> bool {
    let (Ok(seconds), Some(at)) = (timestamp.parse::<i64>(), at) else { return false };
    at.unix().abs_diff(seconds) < OFF_SECONDS_MAX
}

/// The reply to the question for the certificates.
#[derive(Deserialize)]
struct Certificates {
    data: Vec<Packed>,
}

#[derive(Deserialize)]
struct Packed {
    serial_no: String,
    encrypt_certificate: Sealed,
}

#[derive(Deserialize)]
struct Sealed {
    algorithm: String,
    nonce: String,
    #[serde(default)]
    associated_data: String,
    ciphertext: String,
}

/// The certificates of a reply, which one of them must have signed.
fn opened(account: &Account, heard: &Heard) -> Result<Vec<(String, RsaPublicKey)>, Step> {
    if heard.status != 200 {
        let end = super::unless_ok(heard);
        return Err(end.unwrap_or_else(|| Step::Rejected("no platform certificates".into())));
    }
    let again = |why: &str| Step::again(Exhausted::Rejected, format!("{} answered {why}", heard.source));
    let raw = heard.whole().ok_or_else(|| again("more than certificates can be"))?;
    let list: Certificates = serde_json::from_slice(raw).map_err(|_| again("no list of certificates"))?;
    let now = heard.at.unwrap_or(Moment::from_unix(0));
    let mut found = Vec::new();
    for packed in &list.data {
        let key = certified(account, packed, now).map_err(|why| {
            Step::Rejected(format!("platform certificate {}: {why}", shown(&packed.serial_no)))
        })?;
        found.extend(key.map(|key| (packed.serial_no.clone(), key)));
    }
    verify(heard, raw, &Keys(found.clone())).map_err(Step::Rejected)?;
    Ok(found)
}

/// The public key of a certificate; `None` if it is not valid now.
fn certified(account: &Account, packed: &Packed, now: Moment) -> Result<Option<RsaPublicKey>, String> {
    let text = unsealed(&secret(account, "api_v3_key"), &packed.encrypt_certificate)?;
    let certificate = x509_cert::Certificate::from_pem(text).map_err(|_| "it is no X.509 certificate")?;
    let certificate = certificate.tbs_certificate;
    if !plain_serial(&hex::encode(certificate.serial_number.as_bytes()))
        .eq_ignore_ascii_case(plain_serial(&packed.serial_no))
    {
        return Err("it carries another serial number inside".into());
    }
    let seconds = |time: x509_cert::time::Time| time.to_unix_duration().as_secs();
    let valid = seconds(certificate.validity.not_before)..=seconds(certificate.validity.not_after);
    if !u64::try_from(now.unix()).is_ok_and(|now| valid.contains(&now)) {
        return Ok(None);
    }
    let spki = certificate.subject_public_key_info.to_der().map_err(|_| "its key cannot be read")?;
    RsaPublicKey::from_public_key_der(&spki).map(Some).map_err(|_| "its key is not an RSA key".into())
}

/// AES-256-GCM with the APIv3 key; the tag stands behind the ciphertext.
fn unsealed(key: &Secret, sealed: &Sealed) -> Result<Vec<u8>, String> {
    use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    if sealed.algorithm != "AEAD_AES_256_GCM" {
        return Err(format!("it is sealed by {}, which is not known here", shown(&sealed.algorithm)));
    }
    let key = UnboundKey::new(&AES_256_GCM, key.expose().trim().as_bytes());
    let key = LessSafeKey::new(key.map_err(|_| "`api_v3_key` must have 32 characters")?);
    let nonce = Nonce::try_assume_unique_for_key(sealed.nonce.as_bytes()).map_err(|_| "its nonce is none")?;
    let mut bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, sealed.ciphertext.trim())
        .map_err(|_| "it is not base64")?;
    let plain = key.open_in_place(nonce, Aad::from(sealed.associated_data.as_bytes()), &mut bytes);
    let length = plain.map_err(|_| "`api_v3_key` does not open it")?.len();
    bytes.truncate(length);
    Ok(bytes)
}

/// A failure in v3's words.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Complaint {
    pub(super) code: String,
    pub(super) message: String,
}

/// Reads `{"code","message"}`.
///
/// # Errors
///
/// It is signed, and the signature is wrong; an unsigned one may be believed, because WeChat signs successes only.
pub(super) fn complaint(heard: &Heard, keys: &Keys) -> Result<Option<Complaint>, String> {
    let Some(raw) = heard.whole() else { return Ok(None) };
    if is_signed(heard) {
        verify(heard, raw, keys)?;
    }
    Ok(serde_json::from_slice(raw).ok().filter(|c: &Complaint| !c.code.is_empty()))
}

/// What a failure about a bill means (`spec/wechat.md` 3.5).
pub(super) fn failure(errand: &Errand, reply: &Heard, complaint: &Complaint, stamp: &Stamp) -> Step {
    let said = wechat::said(&complaint.code, &complaint.message);
    match (reply.status, complaint.code.as_str()) {
        (_, "NO_STATEMENT_EXIST") => wechat::no_bill(errand, stamp),
        (_, "STATEMENT_CREATING") => wechat::creating(errand),
        (429, _) | (_, "FREQUENCY_LIMITED" | "RATELIMIT_EXCEEDED") => {
            Step::Again { why: said, when_exhausted: Exhausted::Passing, at_least_seconds: THROTTLED_SECONDS }
        }
        (408 | 500..=599, _) | (_, "SYSTEM_ERROR") => Step::again(Exhausted::Passing, said),
        _ => Step::Refused(format!("{said}{}", advice(&complaint.code, &errand.account))),
    }
}

/// What a person can do about a permanent refusal.
fn advice(code: &str, account: &Account) -> String {
    let name = &account.name;
    match code {
        "SIGN_ERROR" => {
            format!(": check `serial_no` and `private_key` of account `{name}`, and this machine's clock")
        }
        "NO_AUTH" => format!(
            ": check `merchant` and `sub_merchant` of account `{name}`; the sub-merchant must be yours"
        ),
        "INVALID_REQUEST" => {
            ": the date may be outside the window in which WeChat gives out bills; `nightjob import` \
                              takes a file that was downloaded by hand"
                .into()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    const NONCE: &str = "d41f0a5c7b9e4e6a8c2f103b5d7e9f11";

    /// The check values of the specification, section 3.2.
    #[test]
    fn the_messages_of_the_specification() {
        let stamp = Stamp { now: Moment::from_unix(1_709_863_200), nonce: NONCE.into() };
        assert_eq!(stamp.now.to_string(), "2024-03-08 10:00:00");
        let reply = r#"{"hash_type":"SHA1","hash_value":"0000000000000000000000000000000000000000","download_url":"https://api.mch.weixin.qq.com/v3/billdownload/file?token=AbC-12_xyz&tartype=gzip"}"#;
        for (text, bytes, hash) in [
            (
                message("GET", "/v3/bill/tradebill?bill_date=2024-03-07&bill_type=ALL&tar_type=GZIP", &stamp),
                117,
                "444dcdccf4faae6656c6213e9aadde0f22d53edf2921f48eceaa9338aadb1e82",
            ),
            (
                message("GET", "/v3/billdownload/file?token=AbC-12_xyz&tartype=gzip", &stamp),
                101,
                "fde6d9dbe5034d6dc1e1b12732178e44a87bc511cb0a87937fefe8a7eb9c10f1",
            ),
            (
                format!("1709863200\n{NONCE}\n{reply}\n"),
                219,
                "dcd189401d300c1ebd965100f16b3287eab544c7de6088187074f2b79ccb955d",
            ),
        ] {
            assert_eq!((text.len(), hex::encode(Sha256::digest(&text))), (bytes, hash.to_owned()), "{text}");
        }
    }

    #[test]
    fn five_minutes_are_the_first_that_are_too_many() {
        let at = Some(Moment::from_unix(1_709_863_200));
        for (timestamp, fresh) in [
            ("1709863200", true),
            ("1709862901", true),
            ("1709863499", true),
            ("1709862900", false),
            ("1709863500", false),
            ("-9223372036854775808", false),
            ("soon", false),
            ("", false),
        ] {
            assert_eq!(is_fresh(timestamp, at), fresh, "{timestamp}");
        }
        assert!(!is_fresh("1709863200", None), "when it came is not known");
    }

    #[test]
    fn an_account_that_cannot_sign_or_verify_is_named() {
        let key = |name: &str| Secret::new(name);
        let private = include_str!("../../fixtures/test_keys/merchant_2048.pkcs8.pem");
        let own = include_str!("../../fixtures/test_keys/merchant_2048.spki.pem");
        let theirs = include_str!("../../fixtures/test_keys/wechat_2048.spki.pem");
        let certificate = include_str!("../../fixtures/test_keys/wechat_platform.pem");
        let v3 = "b7K2mQ8xT4nV9cL1sD6fG3hJ5pR0wYzA";
        for (serial, private_key, public_key, id, api_v3_key, expected) in [
            ("444F", private, theirs, "PUB_KEY_ID_1", "", ""),
            ("444F", private, "", "", v3, ""),
            ("444F", private, theirs, "PUB_KEY_ID_1", v3, ""),
            ("", private, theirs, "PUB_KEY_ID_1", "", "`serial_no`"),
            ("44:4F", private, theirs, "PUB_KEY_ID_1", "", "`serial_no`"),
            ("444F", own, theirs, "PUB_KEY_ID_1", "", "`private_key`: this is a public key"),
            ("444F", private, "", "", "", "replies cannot be verified"),
            ("444F", private, "", "PUB_KEY_ID_1", "", "`public_key`: it is missing"),
            ("444F", private, theirs, " ", "", "`public_key_id`: it is missing"),
            ("444F", private, own, "PUB_KEY_ID_1", "", "this is your own public key"),
            ("444F", private, certificate, "PUB_KEY_ID_1", "", "this is a certificate"),
            ("444F", private, "", "", "short", "32 characters"),
        ] {
            let mut account = Account { name: "wx".into(), ..Account::default() };
            account.options.insert("serial_no".into(), serial.into());
            account.options.insert("public_key_id".into(), id.into());
            let secrets =
                [("private_key", private_key), ("public_key", public_key), ("api_v3_key", api_v3_key)];
            for (name, text) in secrets.into_iter().filter(|(_, text)| !text.is_empty()) {
                account.secrets.insert(name.into(), key(text));
            }
            let told = check(&account).map_or_else(|failure| failure.message, |()| String::new());
            assert!(told.contains(expected) && told.is_empty() == expected.is_empty(), "{expected}: {told}");
        }
    }
}

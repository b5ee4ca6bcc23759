//! Signatures of WeChat Pay's API v3, both ways (`spec/wechat.md` 3.2, 3.4): requests are verified with the merchant's
//! public key over the exact message, replies are signed with the key that the merchant verifies by.
//!
//! A desk has no clock of its own: a simulated night may be in any year, so a reply bears the request's own timestamp.

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::Pkcs1v15Sign;
use sha2::{Digest, Sha256};

use super::Call;
use crate::sandbox::mishap::Mishap;
use crate::sandbox::server::{Answer, House};
use crate::sandbox::town::ACCOUNTS;
use crate::sandbox::{keys, numbers};

const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048 ";
const JSON: &str = "application/json; charset=utf-8";
/// A serial of no certificate.
const UNKNOWN_SERIAL: &str = "7132D72A03E93CDDF8C03BBD1F37EEDF12345678";
/// How old a stale reply is; clients reject five minutes.
const STALE_SECONDS: i64 = 360;
const DAY_SECONDS: i64 = 86_400;

/// An error reply: status, code, words.
pub(super) type Fail = (u16, &'static str, &'static str);

pub(super) const SIGN_ERROR: Fail = (401, "SIGN_ERROR", "签名错误，请检查签名与证书序列号");
pub(super) const PARAM_ERROR: Fail = (400, "PARAM_ERROR", "参数错误");
pub(super) const NO_STATEMENT: Fail = (400, "NO_STATEMENT_EXIST", "请求的账单文件不存在");
pub(super) const CREATING: Fail = (400, "STATEMENT_CREATING", "请求的账单文件正在生成中，请稍后重试");
pub(super) const NO_AUTH: Fail = (403, "NO_AUTH", "商户无权限");
pub(super) const SYSTEM_ERROR: Fail = (500, "SYSTEM_ERROR", "系统异常，请稍后重试");

/// Which key a merchant verifies replies by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    PlatformCertificate,
    PublicKey,
}

/// A merchant who proved who it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller {
    pub(super) account: u8,
    /// Unix seconds, as the request states them.
    timestamp: i64,
    mode: Mode,
}

/// Verifies a request.
pub(super) fn caller(house: &House, call: &Call<'_>) -> Result<Caller, Fail> {
    let header = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    if header("accept").is_empty() || header("user-agent").is_empty() {
        return Err((400, "PARAM_ERROR", "Http头缺少Accept或User-Agent"));
    }
    let named = authorization(header("authorization")).ok_or(SIGN_ERROR)?;
    let [merchant, nonce, signature, stamp, serial] =
        ["mchid", "nonce_str", "signature", "timestamp", "serial_no"].map(|name| value(&named, name));
    let timestamp: i64 = stamp.parse().map_err(|_| SIGN_ERROR)?;
    let is_it = |account: &crate::sandbox::SimAccount| {
        ["wechat_v3", "wechat_global"].contains(&account.channel) && account.merchant == merchant
    };
    let account = house.account(is_it).ok_or(SIGN_ERROR)?;
    if nonce.is_empty() || serial != keys::WECHAT_MERCHANT_SERIAL {
        return Err(SIGN_ERROR);
    }
    let message = message(call, stamp, nonce);
    let good = STANDARD.decode(signature).is_ok_and(|signature| {
        let digest = Sha256::digest(message);
        keys::merchant_public().verify(Pkcs1v15Sign::new::<Sha256>(), &digest, &signature).is_ok()
    });
    let mode = match header("wechatpay-serial") {
        "" | keys::WECHAT_PLATFORM_SERIAL => Mode::PlatformCertificate,
        keys::WECHAT_PUBLIC_KEY_ID => Mode::PublicKey,
        _ => return Err((400, "PARAM_ERROR", "Wechatpay-Serial 不正确")),
    };
    if good { Ok(Caller { account, timestamp, mode }) } else { Err(SIGN_ERROR) }
}

/// The parts of `Authorization`, in any order. `None` if it has another shape.
fn authorization(text: &str) -> Option<Vec<(&str, &str)>> {
    text.strip_prefix(SCHEME)?
        .split(',')
        .map(|part| {
            let (name, value) = part.split_once('=')?;
            Some((name, value.strip_prefix('"')?.strip_suffix('"')?))
        })
        .collect()
}

fn value<'t>(named: &[(&'t str, &'t str)], wanted: &str) -> &'t str {
    named.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value)
}

/// Method, path with the query exactly as sent, timestamp, nonce, body: each on a line.
fn message(call: &Call<'_>, stamp: &str, nonce: &str) -> Vec<u8> {
    let mark = if call.query.is_empty() { "" } else { "?" };
    let mut text =
        format!("{}\n{}{mark}{}\n{stamp}\n{nonce}\n", call.method, call.path, call.query).into_bytes();
    text.extend_from_slice(call.body);
    text.push(b'\n');
    text
}

/// An error in JSON. Where nobody is known to sign for, it comes unsigned.
pub(super) fn failed((status, code, words): Fail, caller: Option<Caller>) -> Answer {
    let body = format!("{{\"code\":\"{code}\",\"message\":\"{words}\"}}");
    let answer = Answer::ok(JSON, Bytes::from(body.clone())).with_status(status);
    match caller {
        Some(caller) => signed(answer, caller, body.as_bytes(), None),
        None => answer,
    }
}

/// A signed reply in JSON.
pub(super) fn reply(caller: Caller, body: &str, mishap: Option<Mishap>) -> Answer {
    let answer = Answer::ok(JSON, Bytes::from(body.to_owned()));
    signed(answer, caller, body.as_bytes(), mishap).after(mishap)
}

/// Puts the signature headers on an answer.
pub(super) fn signed(answer: Answer, caller: Caller, body: &[u8], mishap: Option<Mishap>) -> Answer {
    if mishap == Some(Mishap::MissingSignature) {
        return answer;
    }
    let stamp = match mishap {
        Some(Mishap::StaleTimestamp) => caller.timestamp - STALE_SECONDS,
        Some(Mishap::Replayed) => caller.timestamp - DAY_SECONDS,
        _ => caller.timestamp,
    };
    let nonce = nonce(body, stamp);
    let signature = signature(caller.mode, &format!("{stamp}\n{nonce}\n"), body, mishap);
    let serial = match (mishap, caller.mode) {
        (Some(Mishap::UnknownSerial), _) => UNKNOWN_SERIAL,
        (_, Mode::PlatformCertificate) => keys::WECHAT_PLATFORM_SERIAL,
        (_, Mode::PublicKey) => keys::WECHAT_PUBLIC_KEY_ID,
    };
    answer
        .with_header("wechatpay-timestamp", stamp.to_string())
        .with_header("wechatpay-nonce", nonce)
        .with_header("wechatpay-signature", signature)
        .with_header("wechatpay-serial", serial.to_owned())
        .with_header("request-id", format!("08{:016x}", caller.timestamp))
}

/// A nonce that the same reply always has.
fn nonce(body: &[u8], stamp: i64) -> String {
    let length = u64::try_from(body.len()).unwrap_or(0);
    let mut out = String::new();
    numbers::push_letters(&mut out, numbers::HEX_UPPER, 32, numbers::mix(stamp.unsigned_abs(), length, 5));
    out
}

fn signature(mode: Mode, head: &str, body: &[u8], mishap: Option<Mishap>) -> String {
    let pem = match (mishap, mode) {
        (Some(Mishap::WrongSignature), _) => keys::ALIPAY_PRIVATE_PEM,
        (_, Mode::PlatformCertificate) => keys::WECHAT_PLATFORM_PRIVATE_PEM,
        (_, Mode::PublicKey) => keys::WECHAT_PUBLIC_MODE_PRIVATE_PEM,
    };
    let mut digest = Sha256::new();
    digest.update(head);
    digest.update(body);
    digest.update(b"\n");
    let signed = keys::private(pem).sign(Pkcs1v15Sign::new::<Sha256>(), &digest.finalize());
    let text = STANDARD.encode(signed.expect("a 2048-bit key is long enough for the digest"));
    if mishap == Some(Mishap::ProbeSignature) { format!("WECHATPAY/SIGNTEST/{text}") } else { text }
}

/// The name of the account's merchant, for what a reply repeats.
pub(super) fn merchant(caller: Caller) -> &'static str {
    ACCOUNTS[usize::from(caller.account)].merchant
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;

    #[test]
    fn the_specifications_messages() {
        let headers = HeaderMap::new();
        for (path, query, bytes, hash) in [
            (
                "/v3/bill/tradebill",
                "bill_date=2024-03-07&bill_type=ALL&tar_type=GZIP",
                117,
                "444dcdccf4faae6656c6213e9aadde0f22d53edf2921f48eceaa9338aadb1e82",
            ),
            (
                "/v3/billdownload/file",
                "token=AbC-12_xyz&tartype=gzip",
                101,
                "fde6d9dbe5034d6dc1e1b12732178e44a87bc511cb0a87937fefe8a7eb9c10f1",
            ),
        ] {
            let call = Call { method: "GET", path, query, headers: &headers, body: b"" };
            let message = message(&call, "1709863200", "d41f0a5c7b9e4e6a8c2f103b5d7e9f11");
            assert_eq!((message.len(), hex::encode(Sha256::digest(&message)).as_str()), (bytes, hash));
        }
    }

    #[test]
    fn an_authorization_in_any_order() {
        let read = authorization("WECHATPAY2-SHA256-RSA2048 serial_no=\"AB\",signature=\"a+/=\",mchid=\"1\"");
        let read = read.expect("an authorization");
        assert_eq!(["mchid", "signature", "nonce_str"].map(|name| value(&read, name)), ["1", "a+/=", ""]);
        for bad in
            ["", "Bearer x", "WECHATPAY2-SHA256-RSA2048 mchid=1", "WECHATPAY2-SM2-WITH-SM3 mchid=\"1\""]
        {
            assert_eq!(authorization(bad), None, "{bad}");
        }
    }
}

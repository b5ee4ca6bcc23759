//! Signatures of the providers, over strings that are built the same way on both sides.
//!
//! Never reads a clock or makes a nonce: both come with the stamp, so that a signature test is exact. Sources:
//! WeChat Pay v2 manual, chapter 4.3; Alipay open platform, "sign and verify" (api_15).

use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use rsa::RsaPublicKey;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::signature::{RandomizedSigner, SignatureEncoding, Verifier};
use sha1::Sha1;
use sha2::Sha256;

use super::keys::PrivateKey;
use crate::domain::Secret;

/// How WeChat's v2 interfaces are signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WechatSign {
    Md5,
    HmacSha256,
}

/// How Alipay's open API is signed; both PKCS#1 v1.5.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AlipaySign {
    /// `RSA2`: SHA-256.
    Rsa2,
    /// `RSA`: SHA-1, as the merchants of before 2016 still use it.
    Rsa,
}

impl AlipaySign {
    /// `RSA2` or `RSA`; anything else is `RSA2`, because `config` lets no other pass.
    pub fn of(name: &str) -> AlipaySign {
        if name == "RSA" { AlipaySign::Rsa } else { AlipaySign::Rsa2 }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            AlipaySign::Rsa2 => "RSA2",
            AlipaySign::Rsa => "RSA",
        }
    }
}

/// The string both providers sign: every non-empty parameter but `sign`, sorted by name as bytes, raw
/// `name=value` joined by `&`.
pub fn joined(params: &[(&str, &str)]) -> String {
    let mut kept: Vec<(&str, &str)> =
        params.iter().filter(|(name, value)| !value.is_empty() && *name != "sign").copied().collect();
    kept.sort_unstable();
    kept.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// WeChat v2: upper-case hex over the joined string and `&key=…`, which the HMAC covers as well.
pub fn wechat(params: &[(&str, &str)], key: &Secret, how: WechatSign) -> String {
    let text = format!("{}&key={}", joined(params), key.expose());
    match how {
        WechatSign::Md5 => hex::encode_upper(Md5::digest(text.as_bytes())),
        WechatSign::HmacSha256 => {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
                .expect("an HMAC key may have any length");
            mac.update(text.as_bytes());
            hex::encode_upper(mac.finalize().into_bytes())
        }
    }
}

/// Alipay: the signature of `text`, standard base64. The blinding's random numbers leave no trace in it.
pub fn alipay(text: &[u8], key: &PrivateKey, how: AlipaySign) -> Result<String, String> {
    let key = key.inner().clone();
    let mut random = rsa::rand_core::OsRng;
    let signature = match how {
        AlipaySign::Rsa2 => SigningKey::<Sha256>::new(key).try_sign_with_rng(&mut random, text),
        AlipaySign::Rsa => SigningKey::<Sha1>::new(key).try_sign_with_rng(&mut random, text),
    };
    let signature = signature.map_err(|_| "the private key is too short to sign with".to_owned())?;
    Ok(base64::Engine::encode(&base64::prelude::BASE64_STANDARD, signature.to_bytes()))
}

/// Whether `sign` (base64) is the key's signature of exactly these bytes.
pub fn alipay_verifies(raw: &[u8], sign: &str, key: &RsaPublicKey, how: AlipaySign) -> bool {
    let Ok(bytes) = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, sign.trim()) else {
        return false;
    };
    let Ok(signature) = Signature::try_from(bytes.as_slice()) else { return false };
    match how {
        AlipaySign::Rsa2 => VerifyingKey::<Sha256>::new(key.clone()).verify(raw, &signature).is_ok(),
        AlipaySign::Rsa => VerifyingKey::<Sha1>::new(key.clone()).verify(raw, &signature).is_ok(),
    }
}

/// WeChat v3 (`WECHATPAY2-SHA256-RSA2048`): the signature of `text`, standard base64. PKCS#1 v1.5 with SHA-256, as RSA2.
pub fn wechatpay(text: &[u8], key: &PrivateKey) -> Result<String, String> {
    alipay(text, key, AlipaySign::Rsa2)
}

/// Whether `sign` (base64) is WeChat's signature of exactly these bytes.
pub fn wechatpay_verifies(text: &[u8], sign: &str, key: &RsaPublicKey) -> bool {
    alipay_verifies(text, sign, key, AlipaySign::Rsa2)
}

/// Whether a v2 reply's `sign` is the one that the account's key makes of its other fields.
pub fn wechat_verifies(fields: &[(String, String)], key: &Secret, how: WechatSign) -> bool {
    let params: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let mut signs = params.iter().filter(|(name, _)| *name == "sign");
    match (signs.next(), signs.next()) {
        (Some((_, sign)), None) => wechat(&params, key, how).eq_ignore_ascii_case(sign.trim()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: (&str, &str) = ("nonce_str", "7c1e9b0d4f6a48e2b3d5906f81a2c4e7");
    const APP: (&str, &str) = ("appid", "wx0123456789abcdef");
    const MCH: (&str, &str) = ("mch_id", "1900012345");
    const DATE: (&str, &str) = ("bill_date", "20240307");

    fn key() -> Secret {
        Secret::new("a7F3kQ9zT2mX8vB6nC4wL1pR5sJ0hDyE")
    }

    /// The vectors of the specification, section 1.2. Order of the parameters is shuffled on purpose.
    #[test]
    fn wechat_vectors() {
        use WechatSign::*;
        let hmac = ("sign_type", "HMAC-SHA256");
        let all = ("bill_type", "ALL");
        let gzip = ("tar_type", "GZIP");
        let sub = ("sub_mch_id", "1600098765");
        let body = ("body", "早餐 豆浆&油条");
        for (params, how, expected) in [
            (vec![NONCE, MCH, all, DATE, APP], Md5, "527DE128B4A1340997A44FEEE8D98694"),
            (vec![gzip, APP, DATE, all, MCH, NONCE], Md5, "A96BBE12128FBF61525B359474077DED"),
            (
                vec![sub, ("sub_appid", ""), hmac, gzip, NONCE, MCH, all, DATE, APP, ("sign", "X")],
                HmacSha256,
                "4B9146C44923558527A012195F88895AB31F22429E48712B82B45342FE22F892",
            ),
            (
                vec![("account_type", "Basic"), APP, DATE, MCH, NONCE, hmac],
                HmacSha256,
                "8CA70BBAB8DC2FC0343C0CAB9501B52B0C012AC201C6801D589C8C4A790C53D8",
            ),
            (vec![APP, body, MCH, NONCE], Md5, "004B8A95A3B723BB91668F17166831EF"),
        ] {
            assert_eq!(wechat(&params, &key(), how), expected, "{params:?}");
        }
    }

    #[test]
    fn wechat_public_vector() {
        let key = Secret::new("192006250b4c09247ec02edce69f6a2d");
        let params = [
            ("appid", "wxd930ea5d5a258f4f"),
            ("mch_id", "10000100"),
            ("device_info", "1000"),
            ("body", "test"),
            ("nonce_str", "ibuaiVcKdpRxkhJA"),
        ];
        assert_eq!(wechat(&params, &key, WechatSign::Md5), "9A0A8659F005D6984697E2CA0A9CF3B7");
        assert_eq!(
            wechat(&params, &key, WechatSign::HmacSha256),
            "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6"
        );
    }

    /// The canonicalisation vector of the specification, section 1.3.
    #[test]
    fn alipay_canonical_string() {
        let text = joined(&[
            ("version", "1.0"),
            ("timestamp", "2024-05-03 10:31:07"),
            ("sign_type", "RSA2"),
            ("sign", "not part of it"),
            ("method", "alipay.data.dataservice.bill.downloadurl.query"),
            ("format", "JSON"),
            ("charset", "utf-8"),
            ("biz_content", r#"{"bill_type":"trade","bill_date":"2024-05-02"}"#),
            ("app_id", "2014900000000011"),
            ("app_auth_token", "202405BBexampletokenexampletoken00X11"),
            ("app_cert_sn", ""),
        ]);
        assert_eq!(text.len(), 272);
        assert_eq!(
            hex::encode(Sha256::digest(text.as_bytes())),
            "ea14b04ecc9072c8a422bc22b80434dd4b61094d2c4800b65bc5649440f592cf"
        );
    }
}

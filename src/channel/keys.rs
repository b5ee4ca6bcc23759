//! RSA keys as they stand in configurations: PEM or one bare line of base64, PKCS#1 or PKCS#8, SPKI.
//!
//! Never prints a key. A mix-up (the public key for the private one, a certificate, one's own key for Alipay's)
//! is named, because each of them otherwise shows as a signature that "does not verify".

use std::fmt;

use rsa::pkcs1::{DecodeRsaPrivateKey, DecodeRsaPublicKey};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::{RsaPrivateKey, RsaPublicKey};

use crate::domain::Secret;

/// A private key that cannot be printed.
pub struct PrivateKey(RsaPrivateKey);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl PrivateKey {
    pub fn public(&self) -> RsaPublicKey {
        self.0.to_public_key()
    }

    pub(super) fn inner(&self) -> &RsaPrivateKey {
        &self.0
    }
}

/// What one block of key text says about itself.
struct Block {
    /// Between the dashes of the PEM armour (`RSA PRIVATE KEY`); empty for bare base64.
    label: String,
    der: Vec<u8>,
}

/// Reads a private key.
///
/// # Errors
///
/// What the text is instead, without any of it.
pub fn private(text: &Secret) -> Result<PrivateKey, String> {
    let block = block(text.expose())?;
    if block.label == "ENCRYPTED PRIVATE KEY" || text.expose().contains("Proc-Type: 4,ENCRYPTED") {
        return Err("the private key is encrypted; write it without a password (`openssl pkey`)".into());
    }
    let der = &block.der;
    let key = RsaPrivateKey::from_pkcs8_der(der).ok().or_else(|| RsaPrivateKey::from_pkcs1_der(der).ok());
    key.map(PrivateKey).ok_or_else(|| match what(&block) {
        What::Public => "this is a public key where the private key belongs".into(),
        What::Certificate => "this is a certificate where the private key belongs".into(),
        _ => "this is not an RSA private key (PKCS#8 or PKCS#1)".into(),
    })
}

/// Reads a public key.
///
/// # Errors
///
/// What the text is instead, without any of it.
pub fn public(text: &Secret) -> Result<RsaPublicKey, String> {
    let block = block(text.expose())?;
    parse_public(&block.der).ok_or_else(|| match what(&block) {
        What::Private => "this is a private key where a public key belongs".into(),
        What::Certificate => "this is a certificate; give the public key that the open platform shows".into(),
        _ => "this is not an RSA public key (SPKI or PKCS#1)".into(),
    })
}

fn parse_public(der: &[u8]) -> Option<RsaPublicKey> {
    RsaPublicKey::from_public_key_der(der).ok().or_else(|| RsaPublicKey::from_pkcs1_der(der).ok())
}

enum What {
    Private,
    Public,
    Certificate,
    Unknown,
}

fn what(block: &Block) -> What {
    let der = &block.der;
    if block.label.ends_with("CERTIFICATE") {
        What::Certificate
    } else if block.label.ends_with("PUBLIC KEY") || parse_public(der).is_some() {
        What::Public
    } else if block.label.ends_with("PRIVATE KEY")
        || RsaPrivateKey::from_pkcs8_der(der).is_ok()
        || RsaPrivateKey::from_pkcs1_der(der).is_ok()
    {
        What::Private
    } else {
        What::Unknown
    }
}

/// Takes off the armour, if there is one. Line ends may have become blanks on the way through a form or an
/// environment variable; a literal `\n` is one of them.
fn block(text: &str) -> Result<Block, String> {
    let text = text.trim().trim_start_matches('\u{feff}').replace("\\n", "\n");
    let (label, body) = match text.split_once("-----BEGIN ") {
        None => (String::new(), text.as_str()),
        Some((_, rest)) => {
            let (label, rest) = rest.split_once("-----").ok_or("the PEM armour is cut")?;
            let (body, _) = rest.split_once("-----END").ok_or("the PEM armour has no end; the key is cut")?;
            (label.trim().to_owned(), body)
        }
    };
    let packed: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    if packed.is_empty() {
        return Err("the key is empty".into());
    }
    match base64::Engine::decode(&base64::prelude::BASE64_STANDARD, &packed) {
        Ok(der) => Ok(Block { label, der }),
        Err(_) if body.contains("ENCRYPTED") => Ok(Block { label, der: Vec::new() }),
        Err(_) => Err("the key is neither PEM nor base64 (a binary DER file must be converted: \
                       `openssl pkey -inform DER`)"
            .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::sign::{AlipaySign, alipay, alipay_verifies};

    const PKCS8: &str = include_str!("../../fixtures/test_keys/merchant_2048.pkcs8.pem");
    const PKCS1: &str = include_str!("../../fixtures/test_keys/merchant_2048.pkcs1.pem");
    const SPKI: &str = include_str!("../../fixtures/test_keys/merchant_2048.spki.pem");
    const RSAPUB: &str = include_str!("../../fixtures/test_keys/merchant_2048.rsapub.pem");
    const SMALL: &str = include_str!("../../fixtures/test_keys/merchant_1024.pkcs8.pem");
    const SMALL_PUBLIC: &str = include_str!("../../fixtures/test_keys/merchant_1024.spki.pem");

    /// `printf 'signed text' | openssl dgst -sha256 -sign merchant_2048.pkcs8.pem | base64 -w0`
    const RSA2_BY_OPENSSL: &str = "a9rHkp4BLSh9LpSrxfI8iuCEwZS2AtkxEzV7TiPGBcGSdOSsFqtl9SvlTF9IU+0V4YvF2zx4qZzfeaPgHxA6DDgGZkd/7Dm6qhcrWh1go9U7TiSMvv8z6TEubo01wsXpbMwqSnsnz49gvZeTKhBmXFPG6nWEz+ituu18yRMyOi5V2c4PQLoaJOfplpTFXVYHmdwxZORNlatKNrv4JtDsG9QQMV51I4Avyr58XeNh6kk+EVWPQTs9gG8cRW6bYkY5oCxYDs222NTrh50O++D3DrLU3hhLmQp5ouavkwEcLILJs4F9tc+TlWZUAvm7qLCrvq7i37citbp/1ObUO0wpsw==";
    /// `printf 'signed text' | openssl dgst -sha1 -sign merchant_1024.pkcs8.pem | base64 -w0`
    const RSA_BY_OPENSSL: &str = "nLfvwdI+1xgsw1jgxXF2HpMvEonO27yxuEtIftRR+2LE1Mz8r6ospgKgxb3qeqEuMyl7M07lzuXKL+nr6s4xvGtZZEubsYcC8FYt1cwxwCKIJs/lyymxDIF9GNA7aqvxW6N5wzKQaLVFYV1P29qctlhccOqIpO55+n21FKORBFM=";

    fn bare(pem: &str) -> String {
        pem.lines().filter(|line| !line.starts_with("-----")).collect()
    }

    #[test]
    fn every_form_of_a_private_key_signs_as_openssl_does() {
        let one_line = PKCS1.replace('\n', " ");
        let escaped = PKCS8.replace('\n', "\\n");
        for text in [PKCS8, PKCS1, &bare(PKCS8), &bare(PKCS1), &one_line, &escaped] {
            let key = private(&Secret::new(text)).expect("a key");
            assert_eq!(alipay(b"signed text", &key, AlipaySign::Rsa2).as_deref(), Ok(RSA2_BY_OPENSSL));
        }
        let small = private(&Secret::new(bare(SMALL))).expect("an old 1024-bit key");
        assert_eq!(alipay(b"signed text", &small, AlipaySign::Rsa).as_deref(), Ok(RSA_BY_OPENSSL));
    }

    #[test]
    fn every_form_of_a_public_key_verifies() {
        for text in [SPKI, RSAPUB, &bare(SPKI), &bare(RSAPUB)] {
            let key = public(&Secret::new(text)).expect("a key");
            assert!(alipay_verifies(b"signed text", RSA2_BY_OPENSSL, &key, AlipaySign::Rsa2));
            assert!(!alipay_verifies(b"signed tExt", RSA2_BY_OPENSSL, &key, AlipaySign::Rsa2), "other bytes");
            assert!(!alipay_verifies(b"signed text", RSA2_BY_OPENSSL, &key, AlipaySign::Rsa), "other digest");
            for sign in ["", "!", "AAAA", &RSA2_BY_OPENSSL[4..]] {
                assert!(!alipay_verifies(b"signed text", sign, &key, AlipaySign::Rsa2), "{sign}");
            }
        }
        let small = public(&Secret::new(SMALL_PUBLIC)).expect("a key");
        assert!(alipay_verifies(b"signed text", RSA_BY_OPENSSL, &small, AlipaySign::Rsa));
        assert!(!alipay_verifies(b"signed text", RSA2_BY_OPENSSL, &small, AlipaySign::Rsa2), "other key");
    }

    #[test]
    fn a_mix_up_is_named() {
        for (text, said) in [
            (SPKI, "this is a public key where"),
            (&bare(RSAPUB), "this is a public key where"),
            ("-----BEGIN CERTIFICATE-----\nMAAB\n-----END CERTIFICATE-----", "this is a certificate where"),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAAB\n-----END ENCRYPTED PRIVATE KEY-----",
                "is encrypted",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMAAB\n-----END RSA PRIVATE KEY-----",
                "is encrypted",
            ),
            ("-----BEGIN PRIVATE KEY-----\nMAAB", "the key is cut"),
            ("MAAB", "not an RSA private key"),
            ("0\u{82}\u{1}\"", "neither PEM nor base64"),
            (" ", "the key is empty"),
        ] {
            let why = private(&Secret::new(text)).expect_err(text);
            assert!(why.contains(said), "{why}");
        }
        for (text, said) in
            [(PKCS8, "this is a private key"), (&bare(PKCS1), "this is a private key"), ("MAAB", "not an")]
        {
            assert!(public(&Secret::new(text)).expect_err(text).contains(said));
        }
    }
}

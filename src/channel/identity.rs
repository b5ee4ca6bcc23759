//! A client certificate with its key: what WeChat's merchant platform gives out as `apiclient_cert.p12` (PKCS#12).
//!
//! Old files are packed with RC2-40 and 3DES, new ones with AES; both are read. Never prints a key, and never asks
//! whether the certificate is still valid: the server does. Format: RFC 7292.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use p12_keystore::KeyStore;

use crate::domain::Secret;

/// What is shown to a server that asks who we are; it cannot be printed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity(Secret);

/// The widest line of PEM armour (RFC 7468).
const LINE: usize = 64;

impl Identity {
    /// Opens a PKCS#12 file: `packed` is its bytes in base64. The platform's password for it is the merchant number.
    ///
    /// # Errors
    ///
    /// What is wrong with file or password, without any of either.
    pub fn read(packed: &Secret, password: &Secret) -> Result<Identity, String> {
        let bytes = unpacked(packed)?;
        if !bytes.starts_with(&[0x30]) {
            return Err("this is not a PKCS#12 file (`apiclient_cert.p12`)".into());
        }
        let store = KeyStore::from_pkcs12(&bytes, password.expose().trim()).map_err(|error| match error {
            p12_keystore::error::Error::MacError(_) => "the password does not open it".to_owned(),
            other => format!("this PKCS#12 file cannot be opened: {}", super::shown(&other.to_string())),
        })?;
        let (_, chain) = store.private_key_chain().ok_or("it holds no key with its certificate")?;
        let mut pem = armoured("PRIVATE KEY", chain.key());
        for certificate in chain.chain() {
            pem.push_str(&armoured("CERTIFICATE", certificate.as_der()));
        }
        Ok(Identity(Secret::new(pem)))
    }

    /// Key and certificates, as PEM. For the TLS client only.
    pub fn pem(&self) -> &Secret {
        &self.0
    }
}

/// The bytes; a file that was itself base64 text (as an environment variable must be) is taken as what it holds.
fn unpacked(packed: &Secret) -> Result<Vec<u8>, String> {
    let decoded = |text: &[u8]| {
        let bare: Vec<u8> = text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
        BASE64_STANDARD.decode(bare).ok()
    };
    let bytes = decoded(packed.expose().as_bytes()).ok_or("the certificate file is empty or damaged")?;
    match decoded(&bytes) {
        Some(inner) if inner.starts_with(&[0x30]) => Ok(inner),
        _ => Ok(bytes),
    }
}

fn armoured(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for (place, letter) in BASE64_STANDARD.encode(der).chars().enumerate() {
        if place > 0 && place % LINE == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text + &format!("\n-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[u8] = include_bytes!("../../fixtures/test_keys/apiclient_rc2.p12");
    const NEW: &[u8] = include_bytes!("../../fixtures/test_keys/apiclient_aes.p12");
    const KEY: &str = include_str!("../../fixtures/test_keys/merchant_2048.pkcs8.pem");

    fn read(bytes: &[u8], password: &str) -> Result<Identity, String> {
        Identity::read(&Secret::new(BASE64_STANDARD.encode(bytes)), &Secret::new(password))
    }

    #[test]
    fn old_and_new_packing_hold_the_same_key_and_certificate() {
        let old = read(OLD, "1900012345").expect("RC2-40 and 3DES");
        assert_eq!(old, read(NEW, " 1900012345\n").expect("AES"));
        let text = BASE64_STANDARD.encode(OLD);
        assert_eq!(old, read(text.as_bytes(), "1900012345").expect("base64 text, as of a variable"));
        let pem = old.pem().expose();
        assert!(pem.starts_with(KEY), "the key is the merchant's");
        assert_eq!(pem.matches("-----BEGIN CERTIFICATE-----").count(), 1);
        assert!(pem.lines().all(|line| line.len() <= LINE));
        assert_eq!(format!("{old:?}"), "Identity(***)");
    }

    #[test]
    fn what_is_wrong_is_said_without_the_secret() {
        let cut = &OLD[..OLD.len() / 2];
        for (bytes, password, words) in [
            (OLD, "1900012346", "the password does not open it"),
            (OLD, "", "the password does not open it"),
            (NEW, "secret7", "the password does not open it"),
            (KEY.as_bytes(), "1900012345", "not a PKCS#12 file"),
            (b"", "1900012345", "not a PKCS#12 file"),
            (cut, "1900012345", "cannot be opened"),
        ] {
            let why = read(bytes, password).expect_err(words);
            assert!(why.contains(words) && !why.contains("19000") && !why.contains("secret7"), "{why}");
        }
    }
}

//! Keys of invented merchants, fixed so that a day can be told again byte by byte. They protect nothing.
//!
//! Generating RSA keys takes seconds in a debug build; these four files were made once with `openssl genpkey`.

use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::{RsaPrivateKey, RsaPublicKey};

/// The merchant's own key (PKCS#8 PEM): signs requests to Alipay.
pub const MERCHANT_PRIVATE_PEM: &str = include_str!("test_keys/merchant_private_test_only.pem");
/// Its public half, as uploaded to Alipay.
pub const MERCHANT_PUBLIC_PEM: &str = include_str!("test_keys/merchant_public_test_only.pem");
/// Alipay's key in this sandbox: signs replies.
pub(super) const ALIPAY_PRIVATE_PEM: &str = include_str!("test_keys/alipay_private_test_only.pem");
/// What a merchant configures to verify Alipay's replies.
pub const ALIPAY_PUBLIC_PEM: &str = include_str!("test_keys/alipay_public_test_only.pem");

/// APIv2 key of the direct merchant: 32 characters.
pub const WECHAT_KEY: &str = "sandboxDirectMerchantKey00000001";
/// APIv2 key of the service provider.
pub const WECHAT_PROVIDER_KEY: &str = "sandboxServiceProviderKey0000002";

/// MD5 key of the merchant with the old interface: 32 characters.
pub const ALIPAY_MAPI_KEY: &str = "sandboxalipayoldinterfacekey0003";
/// MD5 key of the overseas merchant.
pub const ALIPAY_GLOBAL_KEY: &str = "sandboxalipayoverseaskey00000004";
/// Signing key of the TianTa merchant.
pub const TIANTA_KEY: &str = "SANDBOX5TT";
/// `client_secret` of the Teegon merchant.
pub const TEEGON_SECRET: &str = "sandboxTeegonClientSecret0000006";

/// The merchant's public key, for verifying requests.
///
/// # Panics
///
/// Never: the file is part of the program and a test reads it.
pub(super) fn merchant_public() -> RsaPublicKey {
    RsaPublicKey::from_public_key_pem(MERCHANT_PUBLIC_PEM).expect("a committed test key")
}

/// Alipay's private key, for signing replies.
///
/// # Panics
///
/// Never: the file is part of the program and a test reads it.
pub(super) fn alipay_private() -> RsaPrivateKey {
    RsaPrivateKey::from_pkcs8_pem(ALIPAY_PRIVATE_PEM).expect("a committed test key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_keys_belong_together() {
        let merchant = RsaPrivateKey::from_pkcs8_pem(MERCHANT_PRIVATE_PEM).expect("a key");
        assert_eq!(merchant.to_public_key(), merchant_public());
        let alipay = RsaPublicKey::from_public_key_pem(ALIPAY_PUBLIC_PEM).expect("a key");
        assert_eq!(alipay_private().to_public_key(), alipay);
        assert_eq!((WECHAT_KEY.len(), WECHAT_PROVIDER_KEY.len()), (32, 32));
    }
}

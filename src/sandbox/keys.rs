//! Keys of invented merchants, fixed so that a day can be told again byte by byte. They protect nothing.
//!
//! Generating RSA keys takes seconds in a debug build; these files were made once with `openssl genpkey`.

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

/// WeChat Pay's platform key: signs replies for merchants that verify by platform certificate.
pub(super) const WECHAT_PLATFORM_PRIVATE_PEM: &str =
    include_str!("test_keys/wechat_platform_private_test_only.pem");
/// The certificate over it, as `GET /v3/certificates` hands it out; good from 2015 to 2098.
pub const WECHAT_PLATFORM_CERTIFICATE_PEM: &str =
    include_str!("test_keys/wechat_platform_certificate_test_only.pem");
/// Serial number of that certificate.
pub const WECHAT_PLATFORM_SERIAL: &str = "15B97ED84947C49F93652EB8FAFECD0A22753F23";
/// WeChat Pay's other key: signs replies for merchants that verify by public key.
pub(super) const WECHAT_PUBLIC_MODE_PRIVATE_PEM: &str =
    include_str!("test_keys/wechat_public_mode_private_test_only.pem");
/// What such a merchant configures, downloaded by hand from the merchant platform.
pub const WECHAT_PUBLIC_KEY_PEM: &str = include_str!("test_keys/wechat_public_mode_public_test_only.pem");
/// The id of that key.
pub const WECHAT_PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000234562024030700000000000001";
/// Serial number of the merchants' own API certificate; the key is [`MERCHANT_PRIVATE_PEM`].
pub const WECHAT_MERCHANT_SERIAL: &str = "3775B6A45ACD588826D15E583A95F5DD4A2C61E1";
/// APIv3 key: 32 bytes, the key of AES-256-GCM for platform certificates.
pub const WECHAT_API_V3_KEY: &str = "sandboxApiV3KeyOfInventedShops01";

/// APIv2 key of the direct merchant: 32 characters.
pub const WECHAT_KEY: &str = "sandboxDirectMerchantKey00000001";
/// APIv2 key of the service provider.
pub const WECHAT_PROVIDER_KEY: &str = "sandboxServiceProviderKey0000002";

/// APIv2 key of the overseas merchant that still uses it.
pub const WECHAT_OVERSEAS_KEY: &str = "sandboxOverseasMerchantKey000003";
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

/// The private half of one of the keys above.
///
/// # Panics
///
/// Never with them: the files are part of the program and a test reads them.
pub(super) fn private(pem: &str) -> RsaPrivateKey {
    RsaPrivateKey::from_pkcs8_pem(pem).expect("a committed test key")
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
        assert_eq!((WECHAT_API_V3_KEY.len(), WECHAT_OVERSEAS_KEY.len()), (32, 32));
        let public = RsaPublicKey::from_public_key_pem(WECHAT_PUBLIC_KEY_PEM).expect("a key");
        assert_eq!(private(WECHAT_PUBLIC_MODE_PRIVATE_PEM).to_public_key(), public);
        assert_ne!(private(WECHAT_PLATFORM_PRIVATE_PEM).to_public_key(), public);
    }
}

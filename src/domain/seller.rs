//! What the gateway keeps of its merchant accounts: rows of EB_SELLER, EB_SELLER_WX, EB_SELLER_ALI_20, or one
//! web.config worth of the same keys.
//!
//! Plain values as they stand there; nothing is judged here. The names drift between the tables and web.config
//! (`certpwd` and `cerpwd`, `ali_isundertt` and `isundertt_ali`), so both readers ask by the same lists of names.
//! Source: `spec/ttpay.md`, R030 to R044.

use super::{PayType, Secret};

/// A merchant of the gateway: a row of EB_SELLER.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seller {
    /// EB_SELLER_ID, usually the store code.
    pub id: String,
    /// Must equal `Header.ExtParam.CustomerID`, or the gateway answers "账号不存在".
    pub customer: String,
}

impl Seller {
    /// Reads a row; `find` gives the value of the first of several names (any case) that is there.
    pub fn read(find: impl Fn(&[&str]) -> Option<String>) -> Seller {
        Seller { id: trimmed(&find, ID), customer: trimmed(&find, &["xf_customerid"]) }
    }
}

/// A WeChat account of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WechatSeller {
    /// Where it stands: `EB_SELLER_WX`, or the name of the file.
    pub place: String,
    /// EB_SELLER_ID; empty in web.config, which has one account only.
    pub seller: String,
    pub key: Secret,
    pub app_id: String,
    pub certificate: String,
    pub certificate_password: Secret,
    pub user_id: String,
    /// The merchant's number, or with the flag set the sub-merchant's (R037).
    pub merchant: String,
    pub flag: Option<String>,
}

impl WechatSeller {
    /// As [`Seller::read`].
    pub fn read(place: &str, find: impl Fn(&[&str]) -> Option<String>) -> WechatSeller {
        WechatSeller {
            place: place.to_owned(),
            seller: trimmed(&find, ID),
            key: secret(&find, &["partnerkey"]),
            app_id: trimmed(&find, &["appid"]),
            certificate: trimmed(&find, &["cerpath", "certpath"]),
            certificate_password: secret(&find, &["certpwd", "cerpwd"]),
            user_id: trimmed(&find, &["user_id"]),
            merchant: trimmed(&find, &["mch_id"]),
            flag: find(&["isundertt"]).map(|flag| flag.trim().to_owned()),
        }
    }

    pub fn is_blank(&self) -> bool {
        self.key.is_blank() && self.app_id.is_empty() && self.merchant.is_empty()
    }
}

/// An Alipay 2.0 account of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlipaySeller {
    pub place: String,
    pub seller: String,
    pub app_id: String,
    pub private_key: Secret,
    pub shop_id: String,
    /// The merchant's authorisation, Alipay's `app_auth_token`.
    pub token: Secret,
    /// `0` Alipay store, `1` Koubei store.
    pub koubei: String,
    pub flag: Option<String>,
    /// The merchant's number (PID): only web.config has one beside it, and it is that of Alipay 1.0.
    pub partner: String,
}

impl AlipaySeller {
    /// As [`Seller::read`].
    pub fn read(place: &str, find: impl Fn(&[&str]) -> Option<String>) -> AlipaySeller {
        AlipaySeller {
            place: place.to_owned(),
            seller: trimmed(&find, ID),
            app_id: trimmed(&find, &["appid_ali", "ali_appid"]),
            private_key: secret(&find, &["merchant_private_key"]),
            shop_id: trimmed(&find, &["ali_shopid", "shopid_ali"]),
            token: secret(&find, &["ali_token", "token_ali"]),
            koubei: trimmed(&find, &["ali_iskoubei", "iskoubei_ali"]),
            flag: find(&["ali_isundertt", "isundertt_ali"]).map(|flag| flag.trim().to_owned()),
            partner: String::new(),
        }
    }

    pub fn is_blank(&self) -> bool {
        let blank = self.app_id.is_empty() && self.shop_id.is_empty();
        blank && self.private_key.is_blank() && self.token.is_blank()
    }
}

/// An account of Alipay 1.0 or overseas: web.config only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerSeller {
    pub place: String,
    pub pay_type: PayType,
    /// The partner number (PID).
    pub partner: String,
    /// The MD5 key.
    pub key: Secret,
}

/// Everything that one place says of the gateway's accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SellerTables {
    /// Rows of EB_SELLER; empty for web.config, whose account has no seller.
    pub sellers: Vec<Seller>,
    pub wechat: Vec<WechatSeller>,
    pub alipay: Vec<AlipaySeller>,
    pub partners: Vec<PartnerSeller>,
    /// Alipay's public key, where it stands beside the accounts (web.config).
    pub alipay_public_key: Option<Secret>,
    /// What was seen and left alone, in sentences.
    pub remarks: Vec<String>,
}

/// Names of the column that ties the tables together.
const ID: &[&str] = &["eb_seller_id"];

fn trimmed(find: &impl Fn(&[&str]) -> Option<String>, names: &[&str]) -> String {
    find(names).map_or(String::new(), |value| value.trim().to_owned())
}

fn secret(find: &impl Fn(&[&str]) -> Option<String>, names: &[&str]) -> Secret {
    Secret::new(trimmed(find, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_drift_between_the_tables_and_the_file() {
        let row = |pairs: &'static [(&'static str, &'static str)]| {
            move |names: &[&str]| {
                let found = names.iter().find_map(|name| pairs.iter().find(|(key, _)| key == name));
                found.map(|(_, value)| (*value).to_owned())
            }
        };
        let table = WechatSeller::read("t", row(&[("certpwd", "p"), ("isundertt", " 1 ")]));
        let file = WechatSeller::read("f", row(&[("cerpwd", "p")]));
        assert_eq!(table.certificate_password, file.certificate_password);
        assert_eq!(
            (table.flag.as_deref(), file.flag),
            (Some("1"), None),
            "a missing flag is not an empty one"
        );
        let table = AlipaySeller::read("t", row(&[("ali_isundertt", "")]));
        let file = AlipaySeller::read("f", row(&[("isundertt_ali", "")]));
        assert_eq!(table.flag, file.flag);
        assert_eq!(table.flag.as_deref(), Some(""));
    }

    #[test]
    fn nothing_that_is_printed_shows_a_key() {
        let row = WechatSeller::read("t", |_| Some("CANARY".to_owned()));
        let printed = format!("{:?} {:?}", row.key, row.certificate_password);
        assert!(!printed.contains("CANARY"), "{printed}");
    }
}

//! The mall: merchant accounts, stores, tills, cashiers and goods. All invented.

use super::keys;
use crate::domain::PayType;

/// Providers by what they answer a till (RES_OBJ).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// XML, fen.
    Wechat,
    /// XML of the old interface, yuan.
    Alipay10,
    /// XML of the old interface's services abroad, major units of several currencies.
    AlipayOverseas,
    /// JSON around what WeChat or Alipay said; fen outside, inside as they have it.
    Tianta,
    /// JSON, yuan, seconds since 1970.
    Teegon,
    /// JSON of the open platform, yuan.
    Alipay20,
    /// The same XML as WeChat's, in minor units of several currencies.
    WechatOverseas,
}

/// One merchant account as its provider knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimAccount {
    pub name: &'static str,
    pub pay_type: PayType,
    /// Code of the channel room that a configuration names.
    pub channel: &'static str,
    /// mch_id, or Alipay's PID.
    pub merchant: &'static str,
    /// Of a service provider's account; else empty.
    pub sub_merchant: &'static str,
    pub app_id: &'static str,
    /// The key of signatures with one shared key; empty where requests are signed with RSA keys, or by the gateway.
    pub api_key: &'static str,
    pub sign_type: &'static str,
    /// Whether it takes part in an ordinary day; the others only where every room is shown.
    pub usual: bool,
    /// Fee in 1/10000 of the settled amount.
    pub rate_e4: i64,
    /// Indices into [`STORES`]: the EB_SELLER_IDs logged for this account are their codes.
    pub(super) stores: &'static [usize],
}

impl SimAccount {
    /// EB_SELLER_IDs logged for this account.
    pub fn sellers(&self) -> Vec<&'static str> {
        self.stores.iter().map(|&store| STORES[store].code).collect()
    }

    /// Whose replies the gateway logs for it.
    pub(super) fn family(&self) -> Family {
        match self.pay_type {
            PayType::Wx => Family::Wechat,
            PayType::Ali => Family::Alipay10,
            PayType::AliOs => Family::AlipayOverseas,
            PayType::Tianta => Family::Tianta,
            PayType::Teegon => Family::Teegon,
            PayType::WxOs => Family::WechatOverseas,
            _ => Family::Alipay20,
        }
    }

    pub(super) fn is_wechat(&self) -> bool {
        matches!(self.family(), Family::Wechat | Family::WechatOverseas)
    }

    /// What stands in REQ_ACTION when a cashier undoes a payment.
    pub(super) fn reverse_action(&self) -> &'static str {
        if self.is_wechat() { "reverse" } else { "cancel" }
    }
}

/// A direct WeChat merchant, a sub-merchant of a WeChat service provider, and an Alipay 2.0 merchant; beside these
/// usual three the merchants of the other rooms, which are only
/// simulated where every room is shown.
pub static ACCOUNTS: [SimAccount; 12] = [
    SimAccount {
        name: "mall-wx",
        pay_type: PayType::Wx,
        channel: "wechat_v2",
        merchant: "1900012345",
        sub_merchant: "",
        app_id: "wx0123456789abcdef",
        api_key: keys::WECHAT_KEY,
        sign_type: "MD5",
        usual: true,
        rate_e4: 60,
        stores: &[0, 1],
    },
    SimAccount {
        name: "mall-wx-sub",
        pay_type: PayType::Wx,
        channel: "wechat_v2",
        merchant: "1900054321",
        sub_merchant: "1600098765",
        app_id: "wxfedcba9876543210",
        api_key: keys::WECHAT_PROVIDER_KEY,
        sign_type: "HMAC-SHA256",
        usual: true,
        rate_e4: 38,
        stores: &[2, 3],
    },
    SimAccount {
        name: "mall-ali1",
        pay_type: PayType::Ali,
        channel: "alipay_mapi",
        merchant: "2088900000000034",
        sub_merchant: "",
        app_id: "",
        api_key: keys::ALIPAY_MAPI_KEY,
        sign_type: "MD5",
        usual: false,
        rate_e4: 55,
        stores: &[1, 3],
    },
    SimAccount {
        name: "mall-alios",
        pay_type: PayType::AliOs,
        channel: "alipay_global",
        merchant: "2088900000000026",
        sub_merchant: "",
        app_id: "",
        api_key: keys::ALIPAY_GLOBAL_KEY,
        sign_type: "MD5",
        usual: false,
        rate_e4: 120,
        stores: &[0, 3],
    },
    SimAccount {
        name: "mall-tianta",
        pay_type: PayType::Tianta,
        channel: "tianta",
        merchant: "900000000000015",
        sub_merchant: "",
        app_id: "",
        api_key: keys::TIANTA_KEY,
        sign_type: "MD5",
        usual: false,
        rate_e4: 60,
        stores: &[0, 1],
    },
    SimAccount {
        name: "mall-teegon",
        pay_type: PayType::Teegon,
        channel: "teegon",
        merchant: "sandboxclient00000000aaa",
        sub_merchant: "",
        app_id: "",
        api_key: keys::TEEGON_SECRET,
        sign_type: "MD5",
        usual: false,
        rate_e4: 60,
        stores: &[2, 3],
    },
    SimAccount {
        name: "mall-tb",
        pay_type: PayType::Tb,
        channel: "local_file",
        merchant: "2088900000000042",
        sub_merchant: "",
        app_id: "",
        api_key: "",
        sign_type: "",
        usual: false,
        rate_e4: 100,
        stores: &[1, 2],
    },
    SimAccount {
        name: "mall-ali",
        pay_type: PayType::Ali20,
        channel: "alipay_open",
        merchant: "2088900000000018",
        sub_merchant: "",
        app_id: "2014900000000011",
        api_key: "",
        sign_type: "RSA2",
        usual: true,
        rate_e4: 60,
        stores: &[0, 1, 2, 3],
    },
    SimAccount {
        name: "mall-wx3",
        pay_type: PayType::Wx,
        channel: "wechat_v3",
        merchant: "1900023456",
        sub_merchant: "",
        app_id: "wx00112233445566aa",
        api_key: "",
        sign_type: "",
        usual: false,
        rate_e4: 60,
        stores: &[4],
    },
    SimAccount {
        name: "mall-wxos",
        pay_type: PayType::WxOs,
        channel: "wechat_global",
        merchant: "1900045678",
        sub_merchant: "",
        app_id: "wx99887766554433bb",
        api_key: "",
        sign_type: "",
        usual: false,
        rate_e4: 80,
        stores: &[0, 1],
    },
    SimAccount {
        name: "mall-gw",
        pay_type: PayType::Wx,
        channel: "ttpay",
        merchant: "1900067890",
        sub_merchant: "",
        app_id: "wx0a1b2c3d4e5f60cc",
        api_key: "",
        sign_type: "",
        usual: false,
        rate_e4: 60,
        stores: &[5],
    },
    SimAccount {
        name: "mall-wxos2",
        pay_type: PayType::WxOs,
        channel: "wechat_global",
        merchant: "1900078901",
        sub_merchant: "",
        app_id: "wxabcdefabcdef0123",
        api_key: keys::WECHAT_OVERSEAS_KEY,
        sign_type: "HMAC-SHA256",
        usual: false,
        rate_e4: 80,
        stores: &[2, 3],
    },
];

/// Another sub-merchant of the same service provider: its trades stand in the provider's whole bill.
pub(super) const OTHER_SUB_MERCHANT: &str = "1600055555";
/// A merchant number that no account has, for bills of the wrong merchant. As long as the real ones.
pub(super) const OTHER_WECHAT_MERCHANT: &str = "1900099999";
pub(super) const OTHER_ALIPAY_MERCHANT: &str = "2088900000000099";

#[derive(Debug, Clone, Copy)]
pub(super) struct Store {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    /// The contract store that sales belong to; the central cash desk sells for another.
    pub(super) contract: &'static str,
    pub(super) mall: &'static str,
}

pub(super) static STORES: [Store; 6] = [
    Store { code: "8888", name: "中央收银", contract: "A0123", mall: "*" },
    Store { code: "8801", name: "一楼超市", contract: "8801", mall: "M001" },
    Store { code: "8802", name: "二楼龘食府", contract: "8802", mall: "M001" },
    Store { code: "8803", name: "三楼“书与茶”", contract: "8803", mall: "*" },
    Store { code: "8804", name: "四楼影城", contract: "8804", mall: "M001" },
    Store { code: "8805", name: "地下车库", contract: "A0123", mall: "*" },
];

/// Tills of one store. The last two belong to gateways that log in base64, one of them in GBK.
pub(super) const TILLS_PER_STORE: u8 = 6;

/// How the gateway of a till writes message texts into the log (`isbase64`, `spec/ttpay.md` FAQ 6, R-D2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    Plain,
    Base64,
    Base64Gbk,
}

/// How a till's program fills the request of a refund (`spec/ttpay.md` D.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefundShape {
    /// OutID is the order, RefundID the refund.
    Both,
    /// OutID is the refund; the order is in the reply.
    RefundAsOutId,
    /// OutID is the order, and nothing names the refund.
    OrderOnly,
}

/// A till: a store and a number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Till {
    pub(super) store: u8,
    pub(super) number: u8,
}

impl Till {
    pub(super) fn store(self) -> &'static Store {
        &STORES[usize::from(self.store) % STORES.len()]
    }

    pub(super) fn code(self) -> &'static str {
        const CODES: [&str; TILLS_PER_STORE as usize] = ["01", "02", "03", "04", "11", "12"];
        CODES[usize::from(self.number) % CODES.len()]
    }

    pub(super) fn cashier(self) -> &'static str {
        const CODES: [&str; TILLS_PER_STORE as usize] = ["8888", "1001", "1002", "1003", "2001", "2002"];
        CODES[usize::from(self.number) % CODES.len()]
    }

    pub(super) fn writing(self) -> Writing {
        match self.number {
            4 => Writing::Base64,
            5 => Writing::Base64Gbk,
            _ => Writing::Plain,
        }
    }

    pub(super) fn refund_shape(self) -> RefundShape {
        match self.number {
            1 => RefundShape::RefundAsOutId,
            2 => RefundShape::OrderOnly,
            _ => RefundShape::Both,
        }
    }

    /// Seconds that the till's clock is ahead of the gateway's (`spec/ttpay.md` R065).
    pub(super) fn clock_ahead_seconds(self) -> i32 {
        i32::from(self.number) * 41 - 37
    }
}

/// What is sold. Names with everything that breaks a careless reader: commas, quotes, backticks, tags, formula bait,
/// characters outside the BMP (which GBK does not have).
pub(super) static GOODS: [&str; 16] = [
    "中央收银",
    "早餐,豆浆",
    "午餐",
    "茶",
    "伞",
    "拿铁☕",
    "生日蛋糕🎂一只",
    "披萨 12\" 双拼",
    "零食 `三只` 装",
    "洗衣液<2kg>&柔顺剂",
    "O'Brien 饼干",
    "=1+1 特价",
    "龘牌镕金茶具，礼盒装",
    "A\\B 套餐",
    "@会员日 -5 元券",
    "书, 笔, 尺",
];

/// Names that even a careful reader may stumble over: the pair of comma and backtick, and a line break.
pub(super) static WILD_GOODS: [&str; 2] = ["拼盘,`小份`", "便签\n两行"];

pub(super) static CUSTOMER_ID: &str = "TECHTRANS";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_seller_belongs_to_two_accounts_of_one_pay_type() {
        for (index, account) in ACCOUNTS.iter().enumerate() {
            for other in ACCOUNTS.iter().skip(index + 1).filter(|o| o.pay_type == account.pay_type) {
                assert!(account.sellers().iter().all(|s| !other.sellers().contains(s)));
            }
        }
    }

    #[test]
    fn wrong_merchants_are_as_long_as_right_ones() {
        assert_eq!(OTHER_WECHAT_MERCHANT.len(), ACCOUNTS[0].merchant.len());
        let alipay = ACCOUNTS.iter().find(|account| account.name == "mall-ali").expect("the Alipay merchant");
        assert_eq!(OTHER_ALIPAY_MERCHANT.len(), alipay.merchant.len());
    }
}

//! Which column is where, in the layouts of 22, 25, 27 and 29 columns (`spec/alipay.md` 2.3). Units are ignored.

use crate::format::ReadError;
use crate::format::table::{Aliases, Titles, normalised};

const TRADE_NO: Aliases = &["支付宝交易号"];
const ORDER_NO: Aliases = &["商户订单号"];
const KIND: Aliases = &["业务类型"];
const SUBJECT: Aliases = &["商品名称"];
const CREATED_AT: Aliases = &["创建时间"];
const DONE_AT: Aliases = &["完成时间"];
const STORE: Aliases = &["门店编号", "交易门店"];
const STORE_NAME: Aliases = &["门店名称"];
const CASHIER: Aliases = &["操作员"];
const TILL: Aliases = &["终端号"];
const BUYER: Aliases = &["对方账户", "对账账户"];
const GROSS: Aliases = &["订单金额"];
/// 22 columns had 交易金额 in this place.
const SETTLED: Aliases = &["商家实收", TRADE_AMOUNT];
pub(super) const TRADE_AMOUNT: &str = "交易金额";
const RED_PACKET: Aliases = &["支付宝红包", "红包抵扣"];
const POINTS: Aliases = &["集分宝", "集分宝抵扣"];
const ALIPAY_DISCOUNT: Aliases = &["支付宝优惠"];
const MERCHANT_DISCOUNT: Aliases = &["商家优惠"];
/// 22 columns had one for all discounts.
const ALL_DISCOUNTS: Aliases = &["优惠汇总"];
const COUPON: Aliases = &["券核销金额", "卷核销金额"];
const COUPON_NAME: Aliases = &["券名称"];
const MERCHANT_RED_PACKET: Aliases = &["商家红包消费金额", "商家红包"];
const CARD: Aliases = &["卡消费金额"];
const REFUND_NO: Aliases = &["退款批次号/请求号", "退款批次号"];
const FEE: Aliases = &["服务费"];
const SHARED: Aliases = &["分润"];
const NET: Aliases = &["实收净额"];
const SUB_MERCHANT: Aliases = &["商户识别号"];
const METHOD: Aliases = &["交易方式"];
const INSTALMENT_FEE: Aliases = &["花呗分期手续费"];
const INSTALMENTS: Aliases = &["花呗分期数"];
const NOTE: Aliases = &["备注"];

/// Every column that is known, read or not.
const KNOWN: &[Aliases] = &[
    TRADE_NO,
    ORDER_NO,
    KIND,
    SUBJECT,
    CREATED_AT,
    DONE_AT,
    STORE,
    STORE_NAME,
    CASHIER,
    TILL,
    BUYER,
    GROSS,
    SETTLED,
    RED_PACKET,
    POINTS,
    ALIPAY_DISCOUNT,
    MERCHANT_DISCOUNT,
    ALL_DISCOUNTS,
    COUPON,
    COUPON_NAME,
    MERCHANT_RED_PACKET,
    CARD,
    REFUND_NO,
    FEE,
    SHARED,
    NET,
    SUB_MERCHANT,
    METHOD,
    INSTALMENT_FEE,
    INSTALMENTS,
    NOTE,
];

/// Places of the columns that are read.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) count: usize,
    pub(super) trade_no: usize,
    pub(super) order_no: usize,
    pub(super) kind: usize,
    pub(super) done_at: usize,
    pub(super) gross: usize,
    pub(super) settled: usize,
    /// Whether the settled amount is titled 交易金额, which the totals of wording B may mean.
    pub(super) settled_is_trade_amount: bool,
    pub(super) refund_no: usize,
    pub(super) fee: usize,
    pub(super) subject: Option<usize>,
    pub(super) store: Option<usize>,
    pub(super) till: Option<usize>,
    pub(super) sub_merchant: Option<usize>,
    pub(super) merchant_discount: Option<usize>,
    pub(super) alipay_discount: Option<usize>,
    pub(super) all_discounts: Option<usize>,
}

impl Columns {
    /// # Errors
    ///
    /// A column that is needed and missing, or there under two names.
    pub(super) fn find(titles: &Titles) -> Result<Columns, ReadError> {
        let settled = titles.need(SETTLED)?;
        Ok(Columns {
            count: titles.count(),
            trade_no: titles.need(TRADE_NO)?,
            order_no: titles.need(ORDER_NO)?,
            kind: titles.need(KIND)?,
            done_at: titles.need(DONE_AT)?,
            gross: titles.need(GROSS)?,
            settled,
            settled_is_trade_amount: normalised(titles.name(settled)) == TRADE_AMOUNT,
            refund_no: titles.need(REFUND_NO)?,
            fee: titles.need(FEE)?,
            subject: titles.find(SUBJECT)?,
            store: titles.find(STORE)?,
            till: titles.find(TILL)?,
            sub_merchant: titles.find(SUB_MERCHANT)?,
            merchant_discount: titles.find(MERCHANT_DISCOUNT)?,
            alipay_discount: titles.find(ALIPAY_DISCOUNT)?,
            all_discounts: titles.find(ALL_DISCOUNTS)?,
        })
    }

    /// The sub-merchant's column, where the errand is one sub-merchant's.
    ///
    /// # Errors
    ///
    /// The bill cannot tell sub-merchants apart.
    pub(super) fn asked_sub_merchant(
        &self,
        titles: &Titles,
        asked: &str,
    ) -> Result<Option<usize>, ReadError> {
        if asked.is_empty() { Ok(None) } else { titles.need(SUB_MERCHANT).map(Some) }
    }

    /// Titles that this program has never heard of.
    pub(super) fn unknown<'t>(&self, titles: &'t Titles) -> Vec<&'t str> {
        titles.unknown(KNOWN)
    }
}

//! Which column is where, under all the names it has had (`spec/wechat.md` 1.7 and 4.1).

use crate::format::ReadError;
use crate::format::table::{Aliases, Titles};

const TIME: Aliases = &["交易时间", "Transaction time"];
const APP: Aliases = &["公众账号ID", "服务商的APPID", "Official account ID(appid)"];
const MERCHANT: Aliases = &["商户号", "Vendor ID(mch_id)"];
const SUB_MERCHANT: Aliases = &["特约商户号", "子商户号", "Sub vendor ID(sub_mch_id)"];
const TILL: Aliases = &["设备号", "Device ID(Device_info)"];
const TRADE_NO: Aliases = &["微信订单号", "Wechat order number(transaction_id)"];
const ORDER_NO: Aliases = &["商户订单号", "Vendor order number(out_transaction_id)"];
const BUYER: Aliases = &["用户标识", "User tag(openid)"];
const TRADE_TYPE: Aliases = &["交易类型", "Transaction type(trade_type)"];
const STATUS: Aliases = &["交易状态", "Transaction status(trade_state)"];
const BANK: Aliases = &["付款银行", "Payment bank(bank_type)"];
const CURRENCY: Aliases = &["货币种类", "Currency type(fee_type)"];
const SETTLED: Aliases = &["应结订单金额", "总金额", "Total amount(total_fee)"];
const COUPON: Aliases = &["代金券金额", "企业红包金额", "代金券或立减优惠金额", "Coupon amount"];
const REFUND_ASKED_AT: Aliases = &["退款申请时间"];
const REFUND_DONE_AT: Aliases = &["退款成功时间"];
const REFUND_TRADE_NO: Aliases = &["微信退款单号", "Wechat refund number(refund_id)"];
const REFUND_NO: Aliases = &["商户退款单号", "Vendor refund number(out_refund_no)"];
const REFUND: Aliases = &["退款金额", "Refund amount(refund_fee)"];
const COUPON_REFUND: Aliases =
    &["充值券退款金额", "企业红包退款金额", "代金券或立减优惠退款金额", "Coupon refund amount"];
const REFUND_KIND: Aliases = &["退款类型", "Refund type"];
const REFUND_STATE: Aliases = &["退款状态", "Refund status(refund_status_$n)"];
const SUBJECT: Aliases = &["商品名称", "Product name"];
const ATTACH: Aliases = &["商户数据包", "Vendor's data package(attach)"];
const FEE: Aliases = &["手续费", "返还手续费", "Fee"];
const RATE: Aliases = &["费率", "Rate"];
const GROSS: Aliases = &["订单金额"];
const REQUESTED: Aliases = &["申请退款金额"];
const RATE_NOTE: Aliases = &["费率备注"];

/// Every column that is known, read or not.
const KNOWN: &[Aliases] = &[
    TIME,
    APP,
    MERCHANT,
    SUB_MERCHANT,
    TILL,
    TRADE_NO,
    ORDER_NO,
    BUYER,
    TRADE_TYPE,
    STATUS,
    BANK,
    CURRENCY,
    SETTLED,
    COUPON,
    REFUND_ASKED_AT,
    REFUND_DONE_AT,
    REFUND_TRADE_NO,
    REFUND_NO,
    REFUND,
    COUPON_REFUND,
    REFUND_KIND,
    REFUND_STATE,
    SUBJECT,
    ATTACH,
    FEE,
    RATE,
    GROSS,
    REQUESTED,
    RATE_NOTE,
];

/// Places of the columns that are read.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) count: usize,
    pub(super) time: usize,
    pub(super) merchant: usize,
    pub(super) sub_merchant: usize,
    pub(super) trade_no: usize,
    pub(super) order_no: usize,
    pub(super) status: usize,
    pub(super) currency: usize,
    pub(super) settled: usize,
    pub(super) fee: usize,
    pub(super) till: Option<usize>,
    pub(super) subject: Option<usize>,
    pub(super) attach: Option<usize>,
    pub(super) rate: Option<usize>,
    pub(super) rate_note: Option<usize>,
    /// New generation only; the old one has no amount but the settled one.
    pub(super) gross: Option<usize>,
    pub(super) refunds: Option<RefundColumns>,
    /// Present in bills of refunds only.
    pub(super) refund_asked_at: Option<usize>,
    pub(super) refund_done_at: Option<usize>,
}

/// The columns of bills that may hold refunds: all or none.
#[derive(Clone, Debug)]
pub(super) struct RefundColumns {
    pub(super) trade_no: usize,
    pub(super) refund_no: usize,
    pub(super) amount: usize,
    pub(super) coupon: usize,
    pub(super) state: usize,
    /// New generation only.
    pub(super) requested: Option<usize>,
}

impl Columns {
    /// # Errors
    ///
    /// A column that is needed and missing, or there under two names.
    pub(super) fn find(titles: &Titles) -> Result<Columns, ReadError> {
        Ok(Columns {
            count: titles.count(),
            time: titles.need(TIME)?,
            merchant: titles.need(MERCHANT)?,
            sub_merchant: titles.need(SUB_MERCHANT)?,
            trade_no: titles.need(TRADE_NO)?,
            order_no: titles.need(ORDER_NO)?,
            status: titles.need(STATUS)?,
            currency: titles.need(CURRENCY)?,
            settled: titles.need(SETTLED)?,
            fee: titles.need(FEE)?,
            till: titles.find(TILL)?,
            subject: titles.find(SUBJECT)?,
            attach: titles.find(ATTACH)?,
            rate: titles.find(RATE)?,
            rate_note: titles.find(RATE_NOTE)?,
            gross: titles.find(GROSS)?,
            refunds: RefundColumns::find(titles)?,
            refund_asked_at: titles.find(REFUND_ASKED_AT)?,
            refund_done_at: titles.find(REFUND_DONE_AT)?,
        })
    }

    /// Titles that this program has never heard of.
    pub(super) fn unknown<'t>(&self, titles: &'t Titles) -> Vec<&'t str> {
        titles.unknown(KNOWN)
    }
}

impl RefundColumns {
    fn find(titles: &Titles) -> Result<Option<RefundColumns>, ReadError> {
        let any = [REFUND_TRADE_NO, REFUND_NO, REFUND, COUPON_REFUND, REFUND_KIND, REFUND_STATE, REQUESTED];
        let mut present = false;
        for aliases in any {
            present |= titles.find(aliases)?.is_some();
        }
        if !present {
            return Ok(None);
        }
        Ok(Some(RefundColumns {
            trade_no: titles.need(REFUND_TRADE_NO)?,
            refund_no: titles.need(REFUND_NO)?,
            amount: titles.need(REFUND)?,
            coupon: titles.need(COUPON_REFUND)?,
            state: titles.need(REFUND_STATE)?,
            requested: titles.find(REQUESTED)?,
        }))
    }
}

//! Which column is where, under the names of both layouts and languages (`spec/wechat.md` 4.1 and 4.2).

use super::Generation;
use crate::format::table::{Aliases, Titles, normalised};
use crate::format::{ReadError, shown};

const TIME: Aliases = &["交易时间", "Transaction time"];
const APP: Aliases = &["公众账号ID", "Official account ID(appid)", "Official Account ID"];
const MERCHANT: Aliases = &["商户号", "Vendor ID(mch_id)", "Vendor ID"];
const SUB_MERCHANT: Aliases = &["子商户号", "特约商户号", "Sub vendor ID(sub_mch_id)", "Sub vendor ID"];
const TILL: Aliases = &["设备号", "Device ID(Device_info)", "Device No."];
const TRADE_NO: Aliases = &["微信订单号", "Wechat order number(transaction_id)", "WeChat order No."];
const ORDER_NO: Aliases = &["商户订单号", "Vendor order number(out_transaction_id)", "Vendor order No."];
const BUYER: Aliases = &["用户标识", "User tag(openid)", "User identifier"];
const TRADE_TYPE: Aliases = &["交易类型", "Transaction type(trade_type)", "Transaction type"];
const STATUS: Aliases = &["交易状态", "Transaction status(trade_state)", "Transaction status"];
const BANK: Aliases = &["付款银行", "Payment bank(bank_type)", "Payment bank"];
const REFUND_TRADE_NO: Aliases = &["微信退款单号", "Wechat refund number(refund_id)", "WeChat refund No."];
const REFUND_NO: Aliases = &["商户退款单号", "Vendor refund number(out_refund_no)", "Merchant refund No."];
const REFUND_KIND: Aliases = &["退款类型", "Refund type"];
const REFUND_STATE: Aliases = &["退款状态", "Refund status(refund_status_$n)", "Refund status"];
const SUBJECT: Aliases = &["商品名称", "Product name", "Commodity name"];
const ATTACH: Aliases = &["商户数据包", "Vendor's data package(attach)", "Merchant data package"];
const FEE: Aliases = &["手续费", "Fee", "Service fee"];
const RATE: Aliases = &["费率", "Rate"];

// v2 only.
const CURRENCY: Aliases = &["货币种类", "Currency type(fee_type)"];
const TOTAL: Aliases = &["应结订单金额", "总金额", "Total amount(total_fee)"];
const COUPON: Aliases = &["代金券金额", "企业红包金额", "代金券或立减优惠金额", "Coupon amount"];
const REFUND: Aliases = &["退款金额", "Refund amount(refund_fee)"];
const COUPON_REFUND: Aliases =
    &["充值券退款金额", "企业红包退款金额", "代金券或立减优惠退款金额", "Coupon refund amount"];
const GROSS: Aliases = &["订单金额"];
const REQUESTED_V2: Aliases = &["申请退款金额"];
const RATE_NOTE: Aliases = &["费率备注"];
const CASH_CURRENCY: Aliases = &["Payment Currency type(Cash_fee_type)"];
const CASH: Aliases = &["Cash payment amount(Cash_fee)"];

// v3 only.
const PRICED_CURRENCY: Aliases = &["标价币种", "Priced currency"];
const PRICED: Aliases = &["订单金额(标价币种)", "Order amount (priced currency)"];
const SETTLED_CURRENCY: Aliases = &["结算币种"];
const SETTLED: Aliases = &["应结订单金额"];
const REQUESTED: Aliases = &["申请退款金额"];
const REFUND_SETTLED_CURRENCY: Aliases = &["退款结算币种"];
const REFUND_SETTLED: Aliases = &["退款应结订单金额"];

const V2_KNOWN: &[Aliases] = &[
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
    TOTAL,
    COUPON,
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
    REQUESTED_V2,
    RATE_NOTE,
    CASH_CURRENCY,
    CASH,
];

/// The columns of v3 in the documented order.
const V3_ORDER: [Aliases; 38] = [
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
    &["充值券币种", "Top-up voucher currency"],
    &["充值券金额", "Top-up voucher amount"],
    &["优惠券币种", "Voucher currency"],
    &["优惠券金额", "Voucher amount"],
    REFUND_TRADE_NO,
    REFUND_NO,
    REFUND_KIND,
    REFUND_STATE,
    SUBJECT,
    ATTACH,
    FEE,
    RATE,
    PRICED_CURRENCY,
    PRICED,
    &["用户支付币种", "User payment currency"],
    &["用户支付金额"],
    SETTLED_CURRENCY,
    SETTLED,
    &["支付汇率", "Exchange Rate"],
    &["退款汇率", "Refund Exchange Rate"],
    REQUESTED,
    &["用户退款币种"],
    &["用户退款金额"],
    REFUND_SETTLED_CURRENCY,
    REFUND_SETTLED,
    &["充值券退款金额"],
    &["优惠券退款金额"],
];

/// How many of v3's titles must be known before the others are taken by their place.
const TITLES_KNOWN_MIN: usize = 20;

/// An amount that may be in a currency of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    /// `None`: in the currency of the line.
    pub(super) currency: Option<usize>,
    pub(super) amount: usize,
}

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
    /// What was paid, in the currency of the line.
    pub(super) gross: usize,
    pub(super) settled: Settled,
    pub(super) refund_trade_no: usize,
    pub(super) refund_no: usize,
    pub(super) refund_state: usize,
    /// What was asked to be refunded, in the currency of the line.
    pub(super) refund: usize,
    pub(super) refund_settled: Settled,
    pub(super) fee: usize,
    pub(super) rate: Option<usize>,
    pub(super) till: Option<usize>,
    pub(super) subject: Option<usize>,
    pub(super) attach: Option<usize>,
    pub(super) rate_note: Option<usize>,
}

/// How a column is found: by its title or, in v3's English file, by the place of its title.
struct Finder<'t> {
    titles: &'t Titles,
    placed: bool,
}

impl Finder<'_> {
    fn need(&self, aliases: Aliases) -> Result<usize, ReadError> {
        let place = || V3_ORDER.iter().position(|known| known[0] == aliases[0]).filter(|_| self.placed);
        match self.titles.find(aliases)?.or_else(place) {
            Some(column) => Ok(column),
            None => self.titles.need(aliases),
        }
    }
}

impl Columns {
    /// # Errors
    ///
    /// A column that is needed and missing, or there under two names; the titles of the other layout.
    pub(super) fn find(
        titles: &Titles,
        generation: Generation,
        remarks: &mut Vec<String>,
    ) -> Result<Columns, ReadError> {
        let is_v3 = titles.find(PRICED_CURRENCY)?.is_some();
        if is_v3 != (generation == Generation::V3) {
            let (found, asked) = if is_v3 { ("v3", "v2") } else { ("v2", "v3") };
            let text = format!(
                "these are the titles of an overseas statement of {found}, or of none, not of {asked}"
            );
            return Err(ReadError::at(titles.line(), text));
        }
        let placed = is_v3 && stands_as_documented(titles);
        let finder = Finder { titles, placed };
        let columns = if is_v3 { Columns::v3(&finder) } else { Columns::v2(&finder) }?;
        let known: &[Aliases] = if is_v3 { &V3_ORDER } else { V2_KNOWN };
        let unknown = titles.unknown(known);
        if !unknown.is_empty() {
            let how = if placed {
                "titles that are not known, taken by their place"
            } else {
                "unknown columns, not read"
            };
            remarks.push(format!("{how}: {}", shown(&unknown.join(", "))));
        }
        Ok(columns)
    }

    fn v2(finder: &Finder<'_>) -> Result<Columns, ReadError> {
        let total = finder.need(TOTAL)?;
        let refund = finder.need(REFUND)?;
        let requested = finder.titles.find(REQUESTED_V2)?.unwrap_or(refund);
        let gross = finder.titles.find(GROSS)?.unwrap_or(total);
        let own = |amount| Settled { currency: None, amount };
        Columns::with(finder, (CURRENCY, gross, requested), (own(total), own(refund)))
    }

    fn v3(finder: &Finder<'_>) -> Result<Columns, ReadError> {
        let settled = |currency, amount| -> Result<Settled, ReadError> {
            Ok(Settled { currency: Some(finder.need(currency)?), amount: finder.need(amount)? })
        };
        let both = (settled(SETTLED_CURRENCY, SETTLED)?, settled(REFUND_SETTLED_CURRENCY, REFUND_SETTLED)?);
        Columns::with(finder, (PRICED_CURRENCY, finder.need(PRICED)?, finder.need(REQUESTED)?), both)
    }

    fn with(
        finder: &Finder<'_>,
        (currency, gross, refund): (Aliases, usize, usize),
        (settled, refund_settled): (Settled, Settled),
    ) -> Result<Columns, ReadError> {
        Ok(Columns {
            count: finder.titles.count(),
            time: finder.need(TIME)?,
            merchant: finder.need(MERCHANT)?,
            sub_merchant: finder.need(SUB_MERCHANT)?,
            trade_no: finder.need(TRADE_NO)?,
            order_no: finder.need(ORDER_NO)?,
            status: finder.need(STATUS)?,
            currency: finder.need(currency)?,
            gross,
            settled,
            refund_trade_no: finder.need(REFUND_TRADE_NO)?,
            refund_no: finder.need(REFUND_NO)?,
            refund_state: finder.need(REFUND_STATE)?,
            refund,
            refund_settled,
            fee: finder.need(FEE)?,
            rate: finder.titles.find(RATE)?,
            till: finder.titles.find(TILL)?,
            subject: finder.titles.find(SUBJECT)?,
            attach: finder.titles.find(ATTACH)?,
            rate_note: finder.titles.find(RATE_NOTE)?,
        })
    }
}

/// Whether these are v3's columns in English, with every title that is known at its documented place. The Chinese ones
/// are all documented: there, another title is another column.
fn stands_as_documented(titles: &Titles) -> bool {
    let mut known = 0;
    if !titles.names().all(str::is_ascii) {
        return false;
    }
    for (place, name) in titles.names().enumerate() {
        let name = normalised(name);
        let is_it = |aliases: &Aliases| aliases.iter().any(|alias| normalised(alias) == name);
        match V3_ORDER.iter().position(is_it) {
            Some(at) if at != place => return false,
            Some(_) => known += 1,
            None => {}
        }
    }
    titles.count() == V3_ORDER.len() && known >= TITLES_KNOWN_MIN
}

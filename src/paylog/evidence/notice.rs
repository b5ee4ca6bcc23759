//! What a provider's stored notification proves. Whether it may be believed was settled before (`channel::notice`).
//!
//! Sources: `spec/ttpay.md` R128 (Teegon), R143 to R146 (Alipay); `spec/wechat.md` 5 (WeChat v2). A notification is the provider's
//! own answer to no question, so the states are those of its order query.

use std::borrow::Cow;

use super::wechat::smallest_unit;
use super::{Evidence, Finding, alipay, epoch};
use crate::domain::{Currency, Moment, money};
use crate::paylog::notice::{Notice, NoticeFamily};

/// `None` where it tells nothing of a payment.
pub(in crate::paylog) fn of_notice(notice: &Notice) -> Option<Evidence<'_>> {
    let evidence = match notice.family? {
        NoticeFamily::Teegon => teegon(notice),
        NoticeFamily::Alipay => alipay(notice),
        NoticeFamily::Wechat => wechat(notice),
    };
    let known = !evidence.order_no.is_empty() || !evidence.trade_no.is_empty();
    (known && !matches!(evidence.finding, Finding::Nothing | Finding::Unknown)).then_some(evidence)
}

/// An amount in major units.
fn major(text: &str, currency: Currency) -> Option<i64> {
    money::parse_minor(text, currency.digits()).ok().filter(|minor| *minor >= 0)
}

/// Yuan where none is named. `None`: a name that is no currency's; an amount in it proves nothing.
fn currency(name: &str) -> Option<Currency> {
    match name {
        "" | "156" => Some(Currency::CNY),
        name => Currency::parse(name).ok(),
    }
}

/// `amount` is gross; `real_amount` lacks Teegon's fee. `ture` is how the document writes it.
fn teegon(notice: &Notice) -> Evidence<'_> {
    let said = notice.field("is_success");
    let success = ["true", "ture"].into_iter().any(|word| said.eq_ignore_ascii_case(word));
    let finding = if success { Finding::Paid } else { Finding::Nothing };
    let mut evidence = Evidence::new(finding, Currency::CNY);
    evidence.order_no = Cow::Borrowed(notice.field("order_no"));
    evidence.trade_no = Cow::Borrowed(notice.field("charge_id"));
    evidence.amount_minor = major(notice.field("amount"), Currency::CNY);
    evidence.provider_at = epoch(notice.field("pay_time"));
    evidence
}

fn alipay(notice: &Notice) -> Evidence<'_> {
    let state = notice.field("trade_status");
    // Orders from abroad are notified in the same way, with their currency.
    let currency = currency(notice.field("currency"));
    let mut evidence = Evidence::new(alipay::named_state(state), currency.unwrap_or(Currency::CNY));
    let total = ["total_amount", "total_fee"].map(|name| notice.field(name));
    evidence.order_no = Cow::Borrowed(notice.field("out_trade_no"));
    evidence.trade_no = Cow::Borrowed(notice.field("trade_no"));
    evidence.amount_minor =
        currency.and_then(|currency| total.into_iter().find_map(|text| major(text, currency)));
    evidence.provider_at = Moment::parse(notice.field("gmt_payment"));
    evidence.finished = state == alipay::FINISHED;
    evidence.finished_at = Moment::parse(notice.field("notify_time"));
    evidence
}

fn wechat(notice: &Notice) -> Evidence<'_> {
    let success = ["return_code", "result_code"].into_iter().all(|name| notice.field(name) == "SUCCESS");
    let paid = success && !notice.field("total_fee").is_empty();
    let currency = currency(notice.field("fee_type"));
    let finding = if paid { Finding::Paid } else { Finding::Nothing };
    let mut evidence = Evidence::new(finding, currency.unwrap_or(Currency::CNY));
    evidence.order_no = Cow::Borrowed(notice.field("out_trade_no"));
    evidence.trade_no = Cow::Borrowed(notice.field("transaction_id"));
    evidence.amount_minor = currency.and_then(|_| smallest_unit(notice.field("total_fee")));
    evidence.provider_at = Moment::parse_compact(notice.field("time_end"));
    evidence
}

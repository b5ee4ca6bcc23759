//! Why something is a mismatch, in one sentence.

use super::{also, state};
use crate::domain::{EntryKind, Lang, MismatchKind, Reason, money};
use crate::reconcile::Mismatch;

/// `金额不符：渠道比网关多 1.00`: the kind, the reason it names, then whatever else also applies.
pub fn mismatch_reason(mismatch: &Mismatch, lang: Lang) -> String {
    let label = mismatch.kind.label(lang);
    let said: Vec<String> = mismatch.reasons.iter().map(|reason| phrase(reason, mismatch, lang)).collect();
    if said.is_empty() {
        return label.to_owned();
    }
    format!("{label}{}{}", lang.pick("：", ": "), said.join(also(lang)))
}

fn phrase(reason: &Reason, mismatch: &Mismatch, lang: Lang) -> String {
    match reason {
        Reason::DuplicateRow { .. } | Reason::DoublePayment { .. } | Reason::MaybeTwice { .. } => {
            twice(reason, lang)
        }
        Reason::OtherTrade { gateway, channel } => match lang {
            Lang::Zh => format!("渠道交易号是 {channel}，网关记录的是 {gateway}"),
            Lang::En => format!("the channel's transaction is {channel}, the gateway's {gateway}"),
        },
        Reason::Currency { gateway, channel } => match lang {
            Lang::Zh => format!("网关记为 {gateway}，渠道记为 {channel}"),
            Lang::En => format!("the gateway has {gateway}, the channel {channel}"),
        },
        Reason::LostConfirmation { gateway } => {
            let logged = state(*gateway, lang);
            match lang {
                Lang::Zh => format!("渠道账单有此笔，网关只记录为「{logged}」"),
                Lang::En => format!("the channel has it, the gateway logged only \"{logged}\""),
            }
        }
        Reason::Status { gateway, channel } => {
            let (ours, theirs) = (state(*gateway, lang), state(*channel, lang));
            match lang {
                Lang::Zh => format!("网关为「{ours}」，渠道为「{theirs}」"),
                Lang::En => format!("the gateway says {ours}, the channel says {theirs}"),
            }
        }
        Reason::Amount => amount(mismatch, lang),
        Reason::OtherDay { day } => match lang {
            Lang::Zh => format!("在 {day} 的账单中找到"),
            Lang::En => format!("found in the statement of {day}"),
        },
        Reason::OtherAccount { account } => match lang {
            Lang::Zh => format!("在账户 {account} 的账单中找到"),
            Lang::En => format!("found in the statement of account {account}"),
        },
        Reason::ChannelOnly
        | Reason::GatewayOnly
        | Reason::NoBill
        | Reason::LogConflict
        | Reason::LogFeeDiffers => plain(reason, lang).to_owned(),
    }
}

fn twice(reason: &Reason, lang: Lang) -> String {
    match (reason, lang) {
        (Reason::DuplicateRow { rows }, Lang::Zh) => format!("同一笔交易在渠道账单中占 {rows} 行"),
        (Reason::DuplicateRow { rows }, Lang::En) => {
            format!("the same transaction stands in {rows} lines of the channel's statement")
        }
        (Reason::DoublePayment { trades }, Lang::Zh) => format!("渠道在同一订单号下有 {trades} 笔交易"),
        (Reason::DoublePayment { trades }, Lang::En) => {
            format!("the channel has {trades} transactions under one order number")
        }
        (Reason::MaybeTwice { other }, Lang::Zh) => {
            format!("十分钟内同一收银机另有同额订单 {other}，可能重复收款")
        }
        (Reason::MaybeTwice { other }, Lang::En) => format!(
            "order {other} has the same till and amount within ten minutes, perhaps one purchase charged twice"
        ),
        _ => plain(reason, lang).to_owned(),
    }
}

/// Sentences that name nothing but the sides.
fn plain(reason: &Reason, lang: Lang) -> &'static str {
    match reason {
        Reason::ChannelOnly => lang
            .pick("渠道账单有此笔，网关日志没有", "the channel has it, the gateway's log has nothing of it"),
        Reason::GatewayOnly => lang.pick(
            "网关记录成功，渠道账单没有此笔",
            "the gateway logged a success, the channel's statement lacks it",
        ),
        Reason::NoBill => {
            lang.pick("渠道称当日没有账单", "the channel says that there is no bill for the day")
        }
        Reason::LogConflict => {
            lang.pick("网关日志对此单自相矛盾", "the gateway's log contradicts itself about it")
        }
        Reason::LogFeeDiffers => lang.pick(
            "网关日志中请求金额与渠道应答的金额不同",
            "in the gateway's log the requested amount differs from the channel's reply",
        ),
        _ => lang.pick("两边不同", "the sides differ"),
    }
}

/// Who has more. Exact only where the difference is one of amounts: with a side missing, several lines summed or two
/// currencies, the figure would be of something else.
fn amount(mismatch: &Mismatch, lang: Lang) -> String {
    let both = mismatch.gateway_amount_minor.is_some() && mismatch.channel_amount_minor.is_some();
    let alike = matches!(mismatch.kind, MismatchKind::AmountMismatch | MismatchKind::StatusMismatch);
    let difference = mismatch.difference_minor();
    if !both || !alike || difference == 0 {
        return lang.pick("两边金额不同", "the amounts differ").to_owned();
    }
    // Refunds and reversals are negative: a lower sum means that the channel gave more back.
    let more = (difference > 0) == (mismatch.entry == EntryKind::Payment);
    let size = money::major(difference, mismatch.currency.digits());
    let size = size.trim_start_matches('-');
    match (mismatch.entry, lang) {
        (EntryKind::Payment, Lang::Zh) => format!("渠道比网关{} {size}", if more { "多" } else { "少" }),
        (EntryKind::Refund, Lang::Zh) => format!("渠道比网关{} {size}", if more { "多退" } else { "少退" }),
        (EntryKind::Reversal, Lang::Zh) => {
            format!("渠道比网关{} {size}", if more { "多撤" } else { "少撤" })
        }
        (EntryKind::Payment, Lang::En) => format!("the channel has {size} {}", more_or_less(more)),
        (EntryKind::Refund, Lang::En) => format!("the channel refunded {size} {}", more_or_less(more)),
        (EntryKind::Reversal, Lang::En) => format!("the channel reversed {size} {}", more_or_less(more)),
    }
}

fn more_or_less(more: bool) -> &'static str {
    if more { "more" } else { "less" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::EntryKind::{Payment, Refund, Reversal};
    use crate::domain::MismatchKind::{AmountMismatch, CurrencyMismatch, DuplicateRow};
    use crate::domain::{BillDate, Currency, State};

    fn mismatch(kind: MismatchKind, entry: EntryKind, sides: [Option<i64>; 2], currency: &str) -> Mismatch {
        Mismatch {
            id: "0".repeat(16),
            bill_date: BillDate::parse("20161108").expect("a date"),
            account: "wx".into(),
            pay_type: "WX".into(),
            kind,
            entry,
            order_no: "A1".into(),
            refund_no: String::new(),
            trade_no: String::new(),
            gateway_amount_minor: sides[0],
            channel_amount_minor: sides[1],
            currency: Currency::parse(currency).expect("a currency"),
            gateway_state: None,
            channel_state: None,
            gateway_time: None,
            channel_time: None,
            mall: String::new(),
            store: String::new(),
            till: String::new(),
            cashier: String::new(),
            reasons: vec![Reason::Amount],
            lines: Vec::new(),
            log_rows: 0,
        }
    }

    /// Kind, entry, gateway's and channel's amount, currency, and what is said in both languages.
    type Row = (MismatchKind, EntryKind, [Option<i64>; 2], &'static str, &'static str, &'static str);

    #[rustfmt::skip] // a table is read by its columns
    const WHO_HAS_MORE: [Row; 8] = [
        (AmountMismatch, Payment, [Some(99_999), Some(100_099)], "CNY", "渠道比网关多 1.00", "the channel has 1.00 more"),
        (AmountMismatch, Payment, [Some(500), Some(495)], "CNY", "渠道比网关少 0.05", "the channel has 0.05 less"),
        (AmountMismatch, Refund, [Some(-300), Some(-400)], "CNY", "渠道比网关多退 1.00", "the channel refunded 1.00 more"),
        (AmountMismatch, Refund, [Some(-300), Some(-200)], "CNY", "渠道比网关少退 1.00", "the channel refunded 1.00 less"),
        (AmountMismatch, Reversal, [Some(-300), Some(-200)], "JPY", "渠道比网关少撤 100", "the channel reversed 100 less"),
        (CurrencyMismatch, Payment, [Some(5), Some(6)], "CNY", "两边金额不同", "the amounts differ"),
        (DuplicateRow, Payment, [Some(5), Some(10)], "CNY", "两边金额不同", "the amounts differ"),
        (AmountMismatch, Payment, [None, Some(10)], "CNY", "两边金额不同", "the amounts differ"),
    ];

    #[test]
    fn who_has_more() {
        for (kind, entry, sides, currency, zh, en) in WHO_HAS_MORE {
            let mismatch = mismatch(kind, entry, sides, currency);
            assert_eq!(amount(&mismatch, Lang::Zh), zh);
            assert_eq!(amount(&mismatch, Lang::En), en);
        }
    }

    #[test]
    fn the_kind_first_and_further_reasons_after_it() {
        let mut it =
            mismatch(MismatchKind::StatusMismatch, EntryKind::Payment, [Some(500), Some(600)], "CNY");
        it.reasons = vec![
            Reason::Status { gateway: State::Paid, channel: State::Reversed },
            Reason::Amount,
            Reason::LogConflict,
        ];
        assert_eq!(
            mismatch_reason(&it, Lang::Zh),
            "状态不符：网关为「已支付」，渠道为「已撤销」；渠道比网关多 1.00；网关日志对此单自相矛盾"
        );
        assert_eq!(
            mismatch_reason(&it, Lang::En),
            "status mismatch: the gateway says paid, the channel says reversed; also: the channel has 1.00 more; \
             also: the gateway's log contradicts itself about it"
        );
        it.reasons.clear();
        assert_eq!(mismatch_reason(&it, Lang::En), "status mismatch");
    }

    #[test]
    fn every_reason_has_its_own_sentence() {
        let it = mismatch(MismatchKind::AmountMismatch, EntryKind::Payment, [Some(500), Some(600)], "CNY");
        let reasons = [
            Reason::DuplicateRow { rows: 2 },
            Reason::DoublePayment { trades: 2 },
            Reason::OtherTrade { gateway: "T1".into(), channel: "T2".into() },
            Reason::Currency { gateway: "CNY".into(), channel: "USD".into() },
            Reason::LostConfirmation { gateway: State::Pending },
            Reason::Status { gateway: State::Paid, channel: State::Closed },
            Reason::Amount,
            Reason::ChannelOnly,
            Reason::GatewayOnly,
            Reason::NoBill,
            Reason::OtherDay { day: BillDate::parse("20161109").expect("a date") },
            Reason::LogConflict,
            Reason::LogFeeDiffers,
            Reason::OtherAccount { account: "mall-b".into() },
            Reason::MaybeTwice { other: "A2".into() },
        ];
        for lang in [Lang::Zh, Lang::En] {
            let mut said: Vec<String> = reasons.iter().map(|r| phrase(r, &it, lang)).collect();
            assert!(said.iter().all(|s| *s != plain(&Reason::Amount, lang)), "one fell through: {said:?}");
            said.sort();
            said.dedup();
            assert_eq!(said.len(), reasons.len());
        }
    }
}

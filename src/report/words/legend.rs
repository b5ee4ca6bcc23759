//! What the kinds and verdicts mean, by what rule a kind is chosen, and what a person does about it.

use crate::domain::{Lang, MismatchKind, Verdict};

/// What a kind means: the legend under a report.
pub fn kind(kind: MismatchKind, lang: Lang) -> &'static str {
    match kind {
        MismatchKind::DuplicateRow => lang
            .pick("同一笔交易在一份账单中出现多次", "the same transaction more than once in one statement"),
        MismatchKind::DoublePayment => {
            lang.pick("同一订单号下有两笔渠道交易", "two channel transactions under one order number")
        }
        MismatchKind::CurrencyMismatch => lang.pick("同一订单，币种不同", "same order, other currency"),
        MismatchKind::LostConfirmation => lang.pick(
            "账单有此笔；网关发起过，但只记为失败、处理中、未知或没有结果",
            "the statement has it; the gateway asked for it but logged failed, pending, unknown or nothing",
        ),
        MismatchKind::StatusMismatch => {
            lang.pick("两边都有此笔，状态不同", "both sides know it, in another state")
        }
        MismatchKind::AmountMismatch => lang.pick("同一订单，金额不同", "same order, other amount"),
        MismatchKind::AccountMismatch => {
            lang.pick("在另一个商户的账单中找到", "found, but in another account's statement")
        }
        MismatchKind::FeeMismatch => lang.pick("手续费与合同费率不同", "the fee differs from the contract"),
        MismatchKind::ChannelOnly => {
            lang.pick("账单有此笔，网关日志完全没有", "the statement has it, the log has nothing of it")
        }
        MismatchKind::GatewayOnly => {
            lang.pick("网关记录成功，账单没有此笔", "the log holds a success, the statement lacks it")
        }
    }
}

/// What a verdict means.
pub fn verdict(verdict: Verdict, lang: Lang) -> &'static str {
    match verdict {
        Verdict::Balanced => lang.pick("两边逐笔相符", "every item agrees on both sides"),
        Verdict::Confirmed => lang.pick(
            "渠道没有账单，网关订单已逐笔查询且相符",
            "the channel has no statements; every logged order was asked for and agrees",
        ),
        Verdict::Unbalanced => lang.pick("已对完，有差异待人处理", "compared, and a person must look"),
        Verdict::Incomplete => lang.pick("已对账，但数据不全", "compared, but the data lack something"),
        Verdict::NotCompared => lang.pick("未对账，原因见说明", "not compared, for the reason given"),
    }
}

/// The rule that gives a pair its kind. The kinds are tried in the order of [`MismatchKind::ALL`].
pub fn rule(kind: MismatchKind, lang: Lang) -> String {
    let place = MismatchKind::ALL.iter().position(|k| *k == kind).map_or(0, |at| at + 1);
    let all = MismatchKind::ALL.len();
    let meaning = self::kind(kind, lang);
    match lang {
        Lang::Zh => format!("规则 {place}/{all}（按序取第一条成立者）{}：{meaning}", kind.label(lang)),
        Lang::En => format!("rule {place} of {all}, the first that applies: {}: {meaning}", kind.label(lang)),
    }
}

/// What a person does next. The program itself never books, refunds or alters an order.
pub fn advice(kind: MismatchKind, lang: Lang) -> &'static str {
    match kind {
        MismatchKind::DuplicateRow => {
            lang.pick("向渠道确认是否重复入账", "ask the channel whether it booked the money twice")
        }
        MismatchKind::DoublePayment => lang.pick(
            "核对是否只交付一次；若是，退还其中一笔",
            "check whether the goods were handed over once; if so, refund one of the payments",
        ),
        MismatchKind::CurrencyMismatch => {
            lang.pick("核对收银台的收款币种", "check which currency the till asked for")
        }
        MismatchKind::LostConfirmation => lang.pick(
            "核对是否已交付：已交付则补记，未交付则退款",
            "check whether the goods were handed over: if so book the payment, if not refund it",
        ),
        MismatchKind::StatusMismatch => lang.pick(
            "在渠道后台查询此单，以渠道状态为准核对门店记录",
            "look the order up at the channel and correct the store's record accordingly",
        ),
        MismatchKind::AmountMismatch => lang.pick(
            "核对小票与渠道后台的金额，差额由财务处理",
            "compare the receipt with the channel's amount; finance settles the difference",
        ),
        MismatchKind::AccountMismatch => {
            lang.pick("核对门店的商户配置", "check the store's merchant configuration")
        }
        MismatchKind::FeeMismatch => {
            lang.pick("与渠道核对合同费率", "check the contract rate with the channel")
        }
        MismatchKind::ChannelOnly => lang.pick(
            "查找此款来源：是否绕过网关收款，或日志被清理",
            "find where the money came from: taken past the gateway, or the log was cleared",
        ),
        MismatchKind::GatewayOnly => lang.pick(
            "向渠道查询此单；若渠道没有，则这笔钱没有收到",
            "ask the channel for the order; if it has none, the money was never received",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_its_own_words_in_both_languages() {
        for lang in [Lang::Zh, Lang::En] {
            for say in [kind, advice] {
                let said: BTreeSet<&str> = MismatchKind::ALL.into_iter().map(|k| say(k, lang)).collect();
                assert_eq!(said.len(), MismatchKind::ALL.len(), "two kinds are explained alike: {said:?}");
            }
        }
        assert_eq!(
            rule(MismatchKind::AmountMismatch, Lang::En),
            "rule 6 of 10, the first that applies: amount mismatch: same order, other amount"
        );
    }
}

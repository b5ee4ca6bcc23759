//! Why a unit, or a run, ended as it did.

use crate::domain::{Exit, Lang, Verdict, money};
use crate::reconcile::{Bridge, Reconciliation};

/// Why a unit is not balanced, in one sentence; empty if it is.
pub fn unit_reason(of: &Reconciliation, lang: Lang) -> String {
    let found = (!of.mismatches.is_empty()).then(|| mismatches(of, lang));
    let lacking = of.lacks.iter().map(|lack| lacks(lack, lang).to_owned());
    let parts: Vec<String> = match of.verdict {
        Verdict::Balanced => return String::new(),
        Verdict::Confirmed => vec![confirmed(lang).to_owned()],
        Verdict::Unbalanced | Verdict::Incomplete => lacking.chain(found).collect(),
        Verdict::NotCompared => vec![super::verdict(of.verdict, lang).to_owned()],
    };
    parts.join(lang.pick("；", "; "))
}

fn confirmed(lang: Lang) -> &'static str {
    lang.pick(
        "每笔网关订单都已查询且相符，只有渠道知道的交易看不到",
        "every logged order was asked for and agrees; what only the channel knows cannot be seen",
    )
}

fn mismatches(of: &Reconciliation, lang: Lang) -> String {
    let count = of.mismatches.len();
    let head = match (lang, count) {
        (Lang::Zh, _) => format!("{count} 笔差异"),
        (Lang::En, 1) => "1 mismatch".to_owned(),
        (Lang::En, _) => format!("{count} mismatches"),
    };
    let nets: Vec<String> = of.bridges.iter().filter_map(|b| net(b, of.bridges.len() > 1, lang)).collect();
    match (lang, nets.is_empty()) {
        (Lang::Zh, true) => format!("{head}，金额合计相抵"),
        (Lang::En, true) => format!("{head}, without a net difference"),
        (Lang::Zh, false) => format!("{head}，渠道比网关{}", nets.join("、")),
        (Lang::En, false) => format!("{head}, the channel has {}", nets.join(" and ")),
    }
}

/// What the mismatches of one currency add up to; `None` if they cancel out.
fn net(bridge: &Bridge, named: bool, lang: Lang) -> Option<String> {
    let sum: i64 = bridge.mismatches.iter().map(|(_, tally)| tally.amount_minor).sum();
    if sum == 0 {
        return None;
    }
    let size = money::major(sum, bridge.currency.digits());
    let size = size.trim_start_matches('-');
    let currency = if named { format!(" {}", bridge.currency) } else { String::new() };
    Some(match (lang, sum > 0) {
        (Lang::Zh, true) => format!("多 {size}{currency}"),
        (Lang::Zh, false) => format!("少 {size}{currency}"),
        (Lang::En, true) => format!("{size}{currency} more"),
        (Lang::En, false) => format!("{size}{currency} less"),
    })
}

/// What the data lack; an unknown word stands for itself.
pub fn lacks(word: &str, lang: Lang) -> &str {
    match word {
        "log_does_not_cover" => {
            lang.pick("网关日志未覆盖当日全部账单", "the gateway's log does not cover the whole day")
        }
        "no_bill_but_log" => lang.pick(
            "渠道称当日没有账单，网关日志却有成功订单",
            "the channel says there is no bill, yet the gateway logged successes",
        ),
        "not_answered" => lang.pick(
            "有订单无法向渠道查询，或渠道未给出明确结果",
            "some orders could not be asked about, or the channel has no clear answer",
        ),
        other => other,
    }
}

/// The reason of a configured unit that no run has come to.
pub fn not_run_yet(lang: Lang) -> &'static str {
    lang.pick("当日尚未对过此账户", "no run has compared this account for the day")
}

/// What an exit code says (contract, section 3).
pub fn exit(exit: Exit, lang: Lang) -> &'static str {
    match exit {
        Exit::Done => lang.pick("全部完成，没有差异", "everything is done and nothing disagrees"),
        Exit::Bug => lang.pick("程序自身的错误，请报告", "a bug of ours; please report it"),
        Exit::Usage => lang.pick("命令用法不对", "wrong usage"),
        Exit::Config => lang.pick("配置有误", "the configuration is wrong"),
        Exit::Busy => lang.pick("另一个实例正在运行", "another instance is running"),
        Exit::Passing => {
            lang.pick("暂时性故障，稍后重跑即可", "failed for reasons that may pass; run again later")
        }
        Exit::Refused => lang.pick("渠道拒绝了请求", "the provider refused us"),
        Exit::NotReady => {
            lang.pick("账单尚未就绪，下次运行再取", "a statement is not ready yet; the next run asks again")
        }
        Exit::Rejected => lang.pick(
            "收到的文件未通过检查，已隔离",
            "what came did not pass the checks and is kept in quarantine",
        ),
        Exit::Storage => lang.pick("数据库或磁盘故障", "the database or the disk failed"),
        Exit::Look => lang.pick("全部完成，有事项需要人查看", "everything is done and a person must look"),
        Exit::Undelivered => lang.pick("全部完成，通知未送达", "all done, but a message was not delivered"),
        Exit::Deadline => lang.pick("已到 --max-duration 时限", "--max-duration was reached"),
        Exit::Damage => lang.pick("校验发现损坏", "the check found damage"),
        Exit::Interrupted => lang.pick("被中断", "interrupted"),
        Exit::Terminated => lang.pick("被终止", "terminated"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Currency, MismatchKind};
    use crate::reconcile::Tally;

    fn bridge(currency: &str, differences: &[i64]) -> Bridge {
        let tally = |minor: &i64| Tally { count: 1, amount_minor: *minor };
        Bridge {
            currency: Currency::parse(currency).expect("a currency"),
            gateway_minor: 0,
            mismatches: differences.iter().map(|d| (MismatchKind::AmountMismatch, tally(d))).collect(),
            timing_out: Tally::default(),
            timing_in: Tally::default(),
            elsewhere: Tally::default(),
            excluded: Tally::default(),
            channel_minor: 0,
        }
    }

    #[test]
    fn what_the_mismatches_add_up_to() {
        for (currency, differences, named, said) in [
            ("CNY", &[100, -100][..], false, None),
            ("CNY", &[1], false, Some("0.01 more")),
            ("CNY", &[100, -250], false, Some("1.50 less")),
            ("JPY", &[100], true, Some("100 JPY more")),
        ] {
            assert_eq!(net(&bridge(currency, differences), named, Lang::En).as_deref(), said);
        }
    }

    #[test]
    fn each_exit_code_is_said_in_its_own_words() {
        let all =
            [Exit::Done, Exit::Bug, Exit::Usage, Exit::Config, Exit::Busy, Exit::Passing, Exit::Refused]
                .into_iter()
                .chain([Exit::NotReady, Exit::Rejected, Exit::Storage, Exit::Look, Exit::Undelivered])
                .chain([Exit::Deadline, Exit::Damage, Exit::Interrupted, Exit::Terminated]);
        for lang in [Lang::Zh, Lang::En] {
            let said: std::collections::BTreeSet<&str> = all.clone().map(|code| exit(code, lang)).collect();
            assert_eq!(said.len(), 16);
        }
    }
}

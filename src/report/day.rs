//! A day's report: every configured unit, in the order of the configuration, whichever of them ran.
//!
//! Filters narrow the work, never the report: a unit that nobody has compared yet stands in it as `not_compared`.

use super::section::{About, not_compared};
use super::{Report, Section, UnclaimedRow, words};
use crate::domain::{BillDate, Lang, PayType, Verdict};

/// What a day's report is made of.
#[derive(Clone, Debug)]
pub struct Day<'a> {
    pub bill_date: BillDate,
    pub lang: Lang,
    /// Name and pay type of every configured account, in the order of the configuration.
    pub accounts: &'a [(String, PayType)],
    /// In any order.
    pub sections: Vec<Section>,
    /// In any order.
    pub unclaimed: Vec<UnclaimedRow>,
}

/// Puts the day together. Sections of accounts that are no longer configured follow by name: what was found then is
/// not lost with a line of configuration. A day without any unit was not compared.
pub fn report(day: Day<'_>) -> Report {
    let Day { bill_date, lang, accounts, mut sections, mut unclaimed } = day;
    sections.sort_by(|a, b| a.account.as_bytes().cmp(b.account.as_bytes()));
    let mut units: Vec<Section> = Vec::with_capacity(accounts.len());
    for (name, pay_type) in accounts {
        let found = sections.iter().position(|s| s.account == *name).map(|at| sections.remove(at));
        let missing = || not_compared(words::not_run_yet(lang), &About::new(name, *pay_type, lang));
        units.push(found.unwrap_or_else(missing));
    }
    units.append(&mut sections);
    sort_unclaimed(&mut unclaimed);
    let verdict = units.iter().map(Section::verdict).max().unwrap_or(Verdict::NotCompared);
    Report { bill_date, verdict, units, unclaimed }
}

/// In the order of the report.
pub fn sort_unclaimed(rows: &mut [UnclaimedRow]) {
    rows.sort_by(|a, b| (&a.req_type, &a.seller).cmp(&(&b.req_type, &b.seller)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(account: &str, verdict: Verdict) -> Section {
        Section { account: account.into(), verdict: verdict.as_str().into(), ..Section::default() }
    }

    fn made_of(accounts: &[&str], sections: Vec<Section>) -> Report {
        let accounts: Vec<(String, PayType)> =
            accounts.iter().map(|a| ((*a).to_owned(), PayType::Wx)).collect();
        report(Day {
            bill_date: BillDate::parse("20161108").expect("a date"),
            lang: Lang::En,
            accounts: &accounts,
            sections,
            unclaimed: Vec::new(),
        })
    }

    #[test]
    fn every_configured_unit_in_its_order_and_the_worst_verdict() {
        let sections = vec![
            section("gone", Verdict::Balanced),
            section("a", Verdict::Balanced),
            section("b", Verdict::Unbalanced),
        ];
        let report = made_of(&["b", "never-run", "a"], sections);
        let shown: Vec<(&str, Verdict)> =
            report.units.iter().map(|u| (u.account.as_str(), u.verdict())).collect();
        assert_eq!(
            shown,
            [
                ("b", Verdict::Unbalanced),
                ("never-run", Verdict::NotCompared),
                ("a", Verdict::Balanced),
                ("gone", Verdict::Balanced)
            ]
        );
        assert_eq!(report.verdict, Verdict::NotCompared);
        assert_eq!(report.units[1].reason, "no run has compared this account for the day");
    }

    #[test]
    fn the_order_in_which_units_came_does_not_matter() {
        let sections = vec![section("a", Verdict::Balanced), section("b", Verdict::Unbalanced)];
        let there = made_of(&["a", "b"], sections.clone());
        let back = made_of(&["a", "b"], sections.into_iter().rev().collect());
        assert_eq!(there.units, back.units);
        assert_eq!(there.verdict, Verdict::Unbalanced);
    }

    #[test]
    fn unclaimed_orders_stand_by_type_and_seller() {
        let row = |seller: &str, req_type: &str| UnclaimedRow {
            seller: seller.into(),
            req_type: req_type.into(),
            orders: 1,
            successes_minor: 0,
        };
        let day = Day {
            bill_date: BillDate::parse("20161108").expect("a date"),
            lang: Lang::En,
            accounts: &[],
            sections: Vec::new(),
            unclaimed: vec![row("9", "ALI"), row("", "WX"), row("7", "WX"), row("8", "ALI")],
        };
        let keys: Vec<String> =
            report(day).unclaimed.iter().map(|r| format!("{} {}", r.req_type, r.seller)).collect();
        assert_eq!(keys, ["ALI 8", "ALI 9", "WX ", "WX 7"]);
    }

    #[test]
    fn a_day_without_units_is_not_called_balanced() {
        assert_eq!(made_of(&[], Vec::new()).verdict, Verdict::NotCompared);
    }

    #[test]
    fn a_verdict_nobody_knows_is_the_worst() {
        let unit = Section { verdict: "fine".into(), ..section("a", Verdict::Balanced) };
        assert_eq!(made_of(&["a"], vec![unit]).verdict, Verdict::NotCompared);
    }
}

//! One unit's rows: values of the reconciliation become texts and numbers that every face can write.
//!
//! Nothing is decided here: kinds, amounts and order come from `reconcile`, sums from the reader and the ledger.

use super::{BridgeRow, BridgeStep, Conservation, ControlRow, Input, MismatchRow, PlacesRow, Section};
use super::{HeldRow, TallyRow, TimingRow, words};
use crate::domain::statement::Foreign;
use crate::domain::{BillDate, Control, Currency, Lang, Moment, PayType, State, Verdict, money};
use crate::reconcile::{Bridge, Mismatch, Places, Reconciliation, Tally, Timing};

/// What a unit's section says beyond the reconciliation itself.
#[derive(Clone, Debug)]
pub struct About<'a> {
    pub lang: Lang,
    pub account: &'a str,
    pub pay_type: PayType,
    /// The bill date; what is held has its age by it.
    pub date: Option<BillDate>,
    /// Why it is not balanced, if the caller knows better; empty = said from the reconciliation.
    pub reason: &'a str,
    /// `statement` or `query`.
    pub proof: &'a str,
    /// False if the statement came over plain http or from a hand.
    pub authenticated: bool,
    pub inputs: &'a [Input],
    /// The file's own totals against its lines.
    pub controls: &'a [Control],
    pub foreign: Foreign,
    /// Parsed lines against the ledger, one for each currency.
    pub sums: &'a [SumPair],
    pub remarks: &'a [String],
    /// What the provider said about single items: entry, order and refund number, and its word.
    pub answers: &'a [([String; 3], String)],
    /// Names of the parts of the file *that hold lines*. With more than one, evidence names the part by its place.
    pub parts: &'a [String],
}

impl<'a> About<'a> {
    /// A unit of which nothing else is known yet: a statement that was authenticated, without inputs or remarks.
    pub fn new(account: &'a str, pay_type: PayType, lang: Lang) -> About<'a> {
        About {
            lang,
            account,
            pay_type,
            date: None,
            reason: "",
            proof: "statement",
            authenticated: true,
            inputs: &[],
            controls: &[],
            foreign: Foreign::default(),
            sums: &[],
            remarks: &[],
            answers: &[],
            parts: &[],
        }
    }
}

/// Rows, Σ amount and Σ fee of one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub rows: u64,
    pub amount_minor: i64,
    pub fee_e5: i64,
}

/// The second half of proof 1: the same sums over the parsed lines and over the ledger's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SumPair {
    pub currency: Currency,
    pub parsed: Sums,
    /// `None` where nothing was loaded.
    pub ledger: Option<Sums>,
}

/// The section of a unit that was compared.
pub fn section(of: &Reconciliation, about: &About<'_>) -> Section {
    let reason =
        if about.reason.is_empty() { words::unit_reason(of, about.lang) } else { about.reason.to_owned() };
    Section {
        totals: totals(about),
        conservation: Conservation { lines: places(&of.lines), orders: places(&of.orders) },
        bridge: of.bridges.iter().map(bridge).collect(),
        timing: of.timing.iter().map(timing).collect(),
        held: of.held.iter().map(|item| held(item, about.date)).collect(),
        mismatches: of.mismatches.iter().map(|m| mismatch(m, about)).collect(),
        ..blank(of.verdict, reason, about)
    }
}

/// The section of a unit that could not be compared, with the reason why.
pub fn not_compared(reason: &str, about: &About<'_>) -> Section {
    Section { totals: totals(about), ..blank(Verdict::NotCompared, reason.to_owned(), about) }
}

fn blank(verdict: Verdict, reason: String, about: &About<'_>) -> Section {
    Section {
        account: about.account.to_owned(),
        paytype: about.pay_type.as_str().to_owned(),
        verdict: verdict.as_str().to_owned(),
        reason,
        proof: about.proof.to_owned(),
        authenticated: about.authenticated,
        inputs: about.inputs.to_vec(),
        remarks: about.remarks.to_vec(),
        ..Section::default()
    }
}

fn totals(about: &About<'_>) -> Vec<ControlRow> {
    let mut rows: Vec<ControlRow> = about.controls.iter().map(control).collect();
    let named = about.sums.len() > 1;
    rows.extend(about.sums.iter().flat_map(|pair| sums(pair, named)));
    rows.extend(foreign(about));
    rows
}

fn control(control: &Control) -> ControlRow {
    ControlRow {
        title: control.title.clone(),
        stated: control.show(control.stated),
        parsed: control.show(control.counted),
        ledger: String::new(),
    }
}

/// `rows`, `amount` and `fee`; with the currency where there are several.
fn sums(pair: &SumPair, named: bool) -> [ControlRow; 3] {
    let digits = pair.currency.digits();
    let row = |word: &str, show: &dyn Fn(&Sums) -> String| ControlRow {
        title: if named { format!("{word} {}", pair.currency) } else { word.to_owned() },
        stated: String::new(),
        parsed: show(&pair.parsed),
        ledger: pair.ledger.as_ref().map_or_else(String::new, show),
    };
    [
        row("rows", &|s| s.rows.to_string()),
        row("amount", &|s| money::major(s.amount_minor, digits)),
        row("fee", &|s| money::major(s.fee_e5, money::E5_DIGITS)),
    ]
}

/// Lines of other merchants in a shared file: counted and summed apart, and shown only where there are any.
fn foreign(about: &About<'_>) -> Vec<ControlRow> {
    if about.foreign.rows == 0 {
        return Vec::new();
    }
    let digits = about.sums.first().map_or(Currency::CNY, |pair| pair.currency).digits();
    let row = |title: &str, parsed: String| ControlRow {
        title: title.to_owned(),
        stated: String::new(),
        parsed,
        ledger: String::new(),
    };
    vec![
        row("foreign_rows", about.foreign.rows.to_string()),
        row("foreign_amount", money::major(about.foreign.amount_minor, digits)),
    ]
}

fn tally(tally: Tally) -> TallyRow {
    TallyRow { count: tally.count, amount_minor: tally.amount_minor }
}

fn places(places: &Places) -> PlacesRow {
    PlacesRow {
        total: tally(places.total),
        matched: tally(places.matched),
        mismatched: tally(places.mismatched),
        timing: tally(places.timing),
        excluded: tally(places.excluded),
        nothing_happened: tally(places.nothing_happened),
        rest: tally(places.rest()),
    }
}

/// Steps that moved nothing are left out; the amount of each is what it adds on the way to the channel's total.
fn bridge(bridge: &Bridge) -> BridgeRow {
    let step = |kind: &str, tally: Tally, sign: i64| BridgeStep {
        kind: kind.to_owned(),
        count: tally.count,
        amount_minor: sign * tally.amount_minor,
    };
    let mut steps: Vec<BridgeStep> =
        bridge.mismatches.iter().map(|(kind, tally)| step(kind.as_str(), *tally, 1)).collect();
    steps.push(step("timing_out", bridge.timing_out, -1));
    steps.push(step("timing_in", bridge.timing_in, 1));
    steps.push(step("elsewhere", bridge.elsewhere, -1));
    steps.push(step("excluded", bridge.excluded, 1));
    steps.retain(|s| s.count > 0 || s.amount_minor != 0);
    BridgeRow {
        currency: bridge.currency.to_string(),
        gateway_minor: bridge.gateway_minor,
        steps,
        channel_minor: bridge.channel_minor,
        unexplained_minor: bridge.unexplained_minor(),
    }
}

fn time(moment: Option<Moment>) -> String {
    moment.map_or_else(String::new, |m| m.to_string())
}

fn state(state: Option<State>) -> String {
    state.map_or("", State::as_str).to_owned()
}

fn timing(item: &Timing) -> TimingRow {
    TimingRow {
        kind: words::timing_code(item.kind).to_owned(),
        entry: item.entry.as_str().to_owned(),
        order_no: item.order_no.clone(),
        refund_no: item.refund_no.clone(),
        trade_no: item.trade_no.clone(),
        amount_minor: item.amount_minor,
        currency: item.currency.to_string(),
        other_day: item.other_day.map_or_else(String::new, |day| day.to_string()),
        gateway_time: time(item.gateway_time),
        channel_time: time(item.channel_time),
    }
}

fn held(item: &Timing, date: Option<BillDate>) -> HeldRow {
    let since = item.gateway_time.map(Moment::date);
    HeldRow {
        order_no: item.order_no.clone(),
        trade_no: item.trade_no.clone(),
        amount_minor: item.amount_minor,
        currency: item.currency.to_string(),
        since: time(item.gateway_time),
        age_days: date.zip(since).map_or(0, |(date, since)| date.days_since(since)),
    }
}

fn mismatch(of: &Mismatch, about: &About<'_>) -> MismatchRow {
    MismatchRow {
        id: of.id.clone(),
        bill_date: of.bill_date.to_string(),
        account: of.account.clone(),
        paytype: of.pay_type.clone(),
        kind: of.kind.as_str().to_owned(),
        entry: of.entry.as_str().to_owned(),
        order_no: of.order_no.clone(),
        refund_no: of.refund_no.clone(),
        trade_no: of.trade_no.clone(),
        gateway_amount_minor: of.gateway_amount_minor,
        channel_amount_minor: of.channel_amount_minor,
        difference_minor: of.difference_minor(),
        currency: of.currency.to_string(),
        gateway_state: state(of.gateway_state),
        channel_state: state(of.channel_state),
        gateway_time: time(of.gateway_time),
        channel_time: time(of.channel_time),
        mall: of.mall.clone(),
        store: of.store.clone(),
        till: of.till.clone(),
        cashier: of.cashier.clone(),
        reason: words::mismatch_reason(of, about.lang),
        evidence: evidence(of, about),
    }
}

/// Where to look, and what the provider said when it was asked about it (`query:paid`).
fn evidence(of: &Mismatch, about: &About<'_>) -> String {
    let mut text = lines_and_rows(&of.lines, of.log_rows, about.parts.len() > 1);
    for word in answers_about(about.answers, of.entry.as_str(), [&of.order_no, &of.refund_no, &of.trade_no]) {
        text.push_str(&format!("{}query:{word}", if text.is_empty() { "" } else { " " }));
    }
    text
}

/// What was answered about one item. Without an order number of ours it is named by the provider's: two such items of a
/// day are two.
fn answers_about<'a>(
    answers: &'a [([String; 3], String)],
    entry: &str,
    [order_no, refund_no, trade_no]: [&str; 3],
) -> Vec<&'a str> {
    let names = [entry, if order_no.is_empty() { trade_no } else { order_no }, refund_no];
    let about = |(about, _): &&([String; 3], String)| about.each_ref().map(String::as_str) == names;
    answers.iter().filter(about).map(|(_, word)| word.as_str()).collect()
}

/// `statement:211 log:3`; several lines `statement:12+13`; with several parts `statement:2#13`, the part counted
/// from 1. A side that has nothing is left out.
fn lines_and_rows(lines: &[(u8, u32)], log_rows: u32, name_parts: bool) -> String {
    let places: Vec<String> = lines
        .iter()
        .map(
            |(part, line)| {
                if name_parts { format!("{}#{line}", u32::from(*part) + 1) } else { line.to_string() }
            },
        )
        .collect();
    let statement = (!places.is_empty()).then(|| format!("statement:{}", places.join("+")));
    let log = (log_rows > 0).then(|| format!("log:{log_rows}"));
    statement.into_iter().chain(log).collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Unit, statement::Foreign};

    #[test]
    fn evidence_names_lines_and_rows() {
        for (lines, rows, parts, text) in [
            (&[(0, 211)][..], 3, false, "statement:211 log:3"),
            (&[(0, 12), (0, 13)], 2, false, "statement:12+13 log:2"),
            (&[(1, 7)], 2, false, "statement:7 log:2"),
            (&[(0, 12), (1, 13)], 0, true, "statement:1#12+2#13"),
            (&[], 3, false, "log:3"),
            (&[], 0, false, ""),
        ] {
            assert_eq!(lines_and_rows(lines, rows, parts), text);
        }
    }

    #[test]
    fn an_answer_about_an_item_without_an_order_number_is_not_told_of_another() {
        let answer = |names: [&str; 3], word: &str| (names.map(str::to_owned), word.to_owned());
        let answers = [
            answer(["payment", "A1", ""], "paid"),
            answer(["payment", "4200", ""], "closed"),
            answer(["refund", "A1", "R1"], "refunded"),
        ];
        for (entry, numbers, words) in [
            ("payment", ["A1", "", "4100"], &["paid"][..]),
            ("payment", ["", "", "4200"], &["closed"]),
            ("payment", ["", "", "4300"], &[]),
            ("refund", ["A1", "R1", "4100"], &["refunded"]),
            ("refund", ["A1", "R2", "4100"], &[]),
        ] {
            assert_eq!(answers_about(&answers, entry, numbers), words, "{entry} {numbers:?}");
        }
    }

    #[test]
    fn totals_stand_beside_each_other() {
        let parsed = Sums { rows: 3, amount_minor: 4150, fee_e5: 25_000 };
        let controls = [Control {
            title: "总交易额".into(),
            unit: Unit::Minor { digits: 2 },
            stated: 4150,
            counted: 4150,
        }];
        let yen = SumPair { currency: Currency::parse("JPY").expect("yen"), parsed, ledger: None };
        let yuan = SumPair { currency: Currency::CNY, parsed, ledger: Some(Sums { rows: 2, ..parsed }) };
        let about = About {
            controls: &controls,
            sums: &[yuan, yen],
            foreign: Foreign { rows: 2, amount_minor: 700 },
            ..About::new("a", PayType::Wx, Lang::Zh)
        };
        let shown: Vec<String> = totals(&about)
            .iter()
            .map(|r| format!("{} [{}] [{}] [{}]", r.title, r.stated, r.parsed, r.ledger))
            .collect();
        assert_eq!(
            shown,
            [
                "总交易额 [41.50] [41.50] []",
                "rows CNY [] [3] [2]",
                "amount CNY [] [41.50] [41.50]",
                "fee CNY [] [0.25000] [0.25000]",
                "rows JPY [] [3] []",
                "amount JPY [] [4150] []",
                "fee JPY [] [0.25000] []",
                "foreign_rows [] [2] []",
                "foreign_amount [] [7.00] []",
            ]
        );
    }
}

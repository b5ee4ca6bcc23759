//! Hand-made days. Every figure was worked out on paper; every name and number is invented.

use nightjob::domain::statement::Foreign;
use nightjob::domain::{
    BillDate, Control, Currency, EntryKind, Lang, MismatchKind, Moment, PayType, Reason, State, Unit, Verdict,
};
use nightjob::reconcile::{Bridge, Mismatch, Places, Reconciliation, Tally, Timing, TimingKind};
use nightjob::report::day::{self, Day};
use nightjob::report::explain::{AnswerStory, Explanation, LogStory, Looked, Place, RawLine};
use nightjob::report::section::{About, SumPair, Sums, not_compared as not_compared_section, section};
use nightjob::report::{Input, MismatchRow, Report, Section, UnclaimedRow};

const STATEMENT_SHA: &str = "5f1d7a84db2f64a9d3f0c1e2b3a495867768594a3b2c1d0e0f1a2b3c4d5e6f70";

fn date(text: &str) -> BillDate {
    BillDate::parse(text).expect("a date")
}

fn at(text: &str) -> Option<Moment> {
    Some(Moment::parse(&format!("2016-11-08 {text}")).expect("a time"))
}

fn tally(count: u64, amount_minor: i64) -> Tally {
    Tally { count, amount_minor }
}

fn inputs(lines: u64, log: u64) -> Vec<Input> {
    vec![
        Input { kind: "statement".into(), sha256: STATEMENT_SHA.into(), rows: lines, version: 1 },
        Input { kind: "log".into(), sha256: String::new(), rows: log, version: 0 },
    ]
}

/// What most mismatches below have in common.
fn paid(kind: MismatchKind, order_no: &str, gateway: Option<i64>, channel: Option<i64>) -> Mismatch {
    let digits: u64 = order_no.bytes().fold(kind as u64 + 1, |id, b| id.wrapping_mul(131) + u64::from(b));
    Mismatch {
        id: format!("{digits:016x}"),
        bill_date: date("20161108"),
        account: "mall-wx".into(),
        pay_type: "WX".into(),
        kind,
        entry: EntryKind::Payment,
        order_no: order_no.into(),
        refund_no: String::new(),
        trade_no: channel.map_or_else(String::new, |_| format!("4200002120161108{order_no}")),
        gateway_amount_minor: gateway,
        channel_amount_minor: channel,
        currency: Currency::CNY,
        gateway_state: gateway.map(|_| State::Paid),
        channel_state: channel.map(|_| State::Paid),
        gateway_time: gateway.and_then(|_| at("09:33:59")),
        channel_time: channel.and_then(|_| at("09:34:03")),
        mall: "*".into(),
        store: "8888".into(),
        till: "01".into(),
        cashier: "8888".into(),
        reasons: Vec::new(),
        lines: Vec::new(),
        log_rows: if gateway.is_some() { 3 } else { 0 },
    }
}

fn refund(mismatch: Mismatch, refund_no: &str) -> Mismatch {
    Mismatch {
        entry: EntryKind::Refund,
        refund_no: refund_no.into(),
        gateway_state: mismatch.gateway_state.map(|_| State::Refunded),
        channel_state: mismatch.channel_state.map(|_| State::Refunded),
        ..mismatch
    }
}

fn twice() -> Vec<Mismatch> {
    use MismatchKind::{DoublePayment, DuplicateRow};
    vec![
        Mismatch {
            reasons: vec![Reason::DuplicateRow { rows: 2 }],
            lines: vec![(0, 12), (0, 13)],
            ..paid(DuplicateRow, "16110800000000000001", Some(500), Some(1000))
        },
        Mismatch {
            reasons: vec![Reason::DoublePayment { trades: 2 }, Reason::LogConflict],
            lines: vec![(0, 20), (0, 21)],
            ..paid(DoublePayment, "16110800000000000002", Some(800), Some(1600))
        },
    ]
}

fn states() -> Vec<Mismatch> {
    use MismatchKind::{LostConfirmation, StatusMismatch};
    vec![
        Mismatch {
            reasons: vec![Reason::LostConfirmation { gateway: State::Pending }],
            gateway_state: Some(State::Pending),
            gateway_time: at("10:00:01"),
            lines: vec![(0, 30)],
            log_rows: 4,
            ..paid(LostConfirmation, "16110800000000000003", None, Some(500))
        },
        Mismatch {
            entry: EntryKind::Reversal,
            reasons: vec![Reason::Status { gateway: State::Paid, channel: State::Reversed }],
            gateway_state: Some(State::Paid),
            channel_state: Some(State::Reversed),
            lines: vec![(0, 41)],
            log_rows: 2,
            ..paid(StatusMismatch, "16110800000000000004", None, Some(-2000))
        },
    ]
}

fn amounts() -> Vec<Mismatch> {
    use MismatchKind::{AccountMismatch, AmountMismatch, FeeMismatch};
    let refunded = paid(AmountMismatch, "16110800000000000006", Some(-300), Some(-400));
    vec![
        contract_mismatch(),
        Mismatch {
            reasons: vec![Reason::Amount, Reason::OtherDay { day: date("20161109") }, Reason::LogFeeDiffers],
            lines: vec![(0, 60)],
            ..refund(refunded, "R-0006")
        },
        paid(AccountMismatch, "16110800000000000007", Some(900), None),
        Mismatch {
            lines: vec![(0, 71)],
            ..paid(FeeMismatch, "16110800000000000008", Some(3000), Some(3000))
        },
    ]
}

fn contract_mismatch() -> Mismatch {
    Mismatch {
        id: "3f9a0c61d2b47e58".into(),
        trade_no: "4200002120161108939585584704".into(),
        reasons: vec![Reason::Amount],
        lines: vec![(0, 211)],
        ..paid(MismatchKind::AmountMismatch, "16110809335991735129", Some(99_999), Some(100_099))
    }
}

/// The hostile texts are what a till's name may hold: a formula, and an escape that recolours a screen.
fn one_sided() -> Vec<Mismatch> {
    use MismatchKind::{ChannelOnly, GatewayOnly};
    vec![
        Mismatch {
            reasons: vec![Reason::ChannelOnly, Reason::MaybeTwice { other: "16110800000000000001".into() }],
            lines: vec![(0, 80)],
            mall: String::new(),
            store: "=1+1".into(),
            till: "\u{1b}[31m02".into(),
            cashier: "＠王, \"小\"".into(),
            ..paid(ChannelOnly, "16110800000000000009", None, Some(777))
        },
        Mismatch {
            reasons: vec![Reason::GatewayOnly],
            ..paid(GatewayOnly, "16110800000000000010", Some(500), None)
        },
        Mismatch {
            reasons: vec![Reason::GatewayOnly],
            ..refund(paid(GatewayOnly, "16110800000000000011", Some(-300), None), "R-0011")
        },
    ]
}

fn timing() -> Vec<Timing> {
    let item = |kind, order_no: &str, amount_minor, other_day, gateway_time, channel_time| Timing {
        kind,
        entry: EntryKind::Payment,
        order_no: order_no.into(),
        refund_no: String::new(),
        trade_no: String::new(),
        amount_minor,
        currency: Currency::CNY,
        other_day,
        gateway_time,
        channel_time,
    };
    let (eve, next) = (Some(date("20161107")), Some(date("20161109")));
    let early = Moment::parse("2016-11-07 23:59:58");
    let late = Moment::parse("2016-11-09 00:00:02");
    vec![
        item(TimingKind::Out, "16110823595900000012", 200, next, at("23:59:59"), late),
        item(TimingKind::In, "16110723595800000013", 400, eve, early, at("00:00:01")),
        item(TimingKind::Awaiting, "16110823595900000014", 150, None, at("23:59:30"), None),
    ]
}

/// 200 orders agree over 12,345.67; the rest is one of everything.
///
/// gateway 12345.67 + 5 + 8 + 999.99 - 3 + 9 + 30 + 5 - 3 + timing 3.50                = 13400.16
/// channel 12345.67 + 10 + 16 + 5 - 20 + 1000.99 - 4 + 30 + 7.77 + timing 4.00         = 13395.43
/// between 5 + 8 + 5 - 20 + (1 - 1) - 9 + 0 + 7.77 + (3 - 5) = -5.23, timing - 3.50 + 4.00
fn one_of_everything() -> Reconciliation {
    use MismatchKind::*;
    let kinds = [
        (DuplicateRow, tally(1, 500)),
        (DoublePayment, tally(1, 800)),
        (LostConfirmation, tally(1, 500)),
        (StatusMismatch, tally(1, -2000)),
        (AmountMismatch, tally(2, 0)),
        (AccountMismatch, tally(1, -900)),
        (FeeMismatch, tally(1, 0)),
        (ChannelOnly, tally(1, 777)),
        (GatewayOnly, tally(2, -200)),
    ];
    Reconciliation {
        verdict: Verdict::Unbalanced,
        mismatches: [twice(), states(), amounts(), one_sided()].concat(),
        timing: timing(),
        lines: Places {
            total: tally(211, 1_339_543),
            matched: tally(200, 1_234_567),
            mismatched: tally(10, 104_576),
            timing: tally(1, 400),
            ..Places::default()
        },
        orders: Places {
            total: tally(216, 1_340_016),
            matched: tally(200, 1_234_567),
            mismatched: tally(9, 105_099),
            timing: tally(2, 350),
            nothing_happened: tally(5, 0),
            ..Places::default()
        },
        bridges: vec![Bridge {
            currency: Currency::CNY,
            gateway_minor: 1_340_016,
            mismatches: kinds.to_vec(),
            timing_out: tally(2, 350),
            timing_in: tally(1, 400),
            elsewhere: Tally::default(),
            excluded: Tally::default(),
            channel_minor: 1_339_543,
        }],
        held: Vec::new(),
        of_others: 0,
        lacks: Vec::new(),
    }
}

fn mall_wx(lang: Lang) -> Section {
    let controls = [
        Control { title: "总交易单数".into(), unit: Unit::Count, stated: 211, counted: 211 },
        Control {
            title: "订单总金额".into(),
            unit: Unit::Minor { digits: 2 },
            stated: 1_361_743,
            counted: 1_361_743,
        },
        Control { title: "手续费总金额".into(), unit: Unit::E5, stated: 8_037_000, counted: 8_037_000 },
    ];
    let sums = Sums { rows: 211, amount_minor: 1_339_543, fee_e5: 8_037_000 };
    let about = About {
        inputs: &inputs(211, 633),
        controls: &controls,
        foreign: Foreign { rows: 2, amount_minor: 1_650 },
        sums: &[SumPair { currency: Currency::CNY, parsed: sums, ledger: Some(sums) }],
        ..About::new("mall-wx", PayType::Wx, lang)
    };
    section(&one_of_everything(), &about)
}

/// `matched` orders agree over `minor`; nothing else happened.
fn agreeing(verdict: Verdict, matched: u64, minor: i64) -> Reconciliation {
    let places = Places { total: tally(matched, minor), matched: tally(matched, minor), ..Places::default() };
    let bridge = Bridge {
        currency: Currency::CNY,
        gateway_minor: minor,
        mismatches: Vec::new(),
        timing_out: Tally::default(),
        timing_in: Tally::default(),
        elsewhere: Tally::default(),
        excluded: Tally::default(),
        channel_minor: minor,
    };
    Reconciliation {
        verdict,
        mismatches: Vec::new(),
        timing: Vec::new(),
        held: Vec::new(),
        of_others: 0,
        lines: places,
        orders: places,
        bridges: vec![bridge],
        lacks: Vec::new(),
    }
}

/// The gateway asked for 5.00 CNY, the channel took 5.00 USD; one other order agrees over 100.00 CNY.
fn overseas(lang: Lang) -> Section {
    let usd = Currency::parse("USD").expect("a currency");
    let mut of = agreeing(Verdict::Unbalanced, 1, 10_000);
    of.mismatches = vec![Mismatch {
        account: "mall-os".into(),
        pay_type: "WX_OS".into(),
        currency: usd,
        reasons: vec![Reason::Currency { gateway: "CNY".into(), channel: "USD".into() }],
        lines: vec![(0, 3)],
        ..paid(MismatchKind::CurrencyMismatch, "16110800000000000015", Some(500), Some(500))
    }];
    for side in [&mut of.lines, &mut of.orders] {
        side.total = tally(2, 10_500);
        side.mismatched = tally(1, 500);
    }
    let step = |minor| vec![(MismatchKind::CurrencyMismatch, tally(1, minor))];
    let cny = Bridge { gateway_minor: 10_500, mismatches: step(-500), ..of.bridges[0].clone() };
    let usd =
        Bridge { currency: usd, gateway_minor: 0, channel_minor: 500, mismatches: step(500), ..cny.clone() };
    of.bridges = vec![cny, usd];
    let about = About { inputs: &inputs(2, 4), ..About::new("mall-os", PayType::WxOs, lang) };
    section(&of, &about)
}

/// The log begins at noon: three lines of the morning over 12.00 cannot be compared.
fn purged(lang: Lang) -> Section {
    let mut of = agreeing(Verdict::Incomplete, 2, 3_000);
    of.lines.total = tally(5, 4_200);
    of.lines.excluded = tally(3, 1_200);
    of.bridges[0].excluded = tally(3, 1_200);
    of.bridges[0].channel_minor = 4_200;
    of.lacks = vec!["log_does_not_cover"];
    let remark = lang.pick("账单由人工导入", "the statement was imported by hand").to_owned();
    let about = About {
        inputs: &inputs(5, 6),
        authenticated: false,
        remarks: &[remark],
        ..About::new("old-wx", PayType::Wx, lang)
    };
    section(&of, &about)
}

fn asked_one_by_one(lang: Lang) -> Section {
    let log = Input { kind: "log".into(), sha256: String::new(), rows: 9, version: 0 };
    let about = About { proof: "query", inputs: &[log], ..About::new("tianta", PayType::Tianta, lang) };
    section(&agreeing(Verdict::Confirmed, 4, 8_800), &about)
}

fn mall_ali(lang: Lang) -> Section {
    let sums = Sums { rows: 3, amount_minor: 4_150, fee_e5: 25_000 };
    let about = About {
        inputs: &inputs(3, 6),
        sums: &[SumPair { currency: Currency::CNY, parsed: sums, ledger: Some(sums) }],
        ..About::new("mall-ali", PayType::Ali, lang)
    };
    section(&agreeing(Verdict::Balanced, 3, 4_150), &about)
}

fn day_of(lang: Lang, accounts: &[(&str, PayType)], sections: Vec<Section>) -> Report {
    let accounts: Vec<(String, PayType)> = accounts.iter().map(|(n, p)| ((*n).to_owned(), *p)).collect();
    let bill_date = date("20161108");
    day::report(Day { bill_date, lang, accounts: &accounts, sections, unclaimed: Vec::new() })
}

/// Every kind, every verdict, every block.
pub(crate) fn every_kind(lang: Lang) -> Report {
    let accounts = [
        ("mall-wx", PayType::Wx),
        ("mall-os", PayType::WxOs),
        ("mall-ali", PayType::Ali),
        ("old-wx", PayType::Wx),
        ("tianta", PayType::Tianta),
        ("new-wx", PayType::Wx),
    ];
    let sections = vec![mall_ali(lang), asked_one_by_one(lang), purged(lang), overseas(lang), mall_wx(lang)];
    let unclaimed = |seller: &str, req_type: &str, orders, successes_minor| UnclaimedRow {
        seller: seller.into(),
        req_type: req_type.into(),
        orders,
        successes_minor,
    };
    Report {
        unclaimed: vec![unclaimed("", "ALI", 1, 0), unclaimed("7777", "WX", 2, 1_500)],
        ..day_of(lang, &accounts, sections)
    }
}

pub(crate) fn balanced(lang: Lang) -> Report {
    day_of(lang, &[("mall-ali", PayType::Ali)], vec![mall_ali(lang)])
}

/// What a night usually brings: the report in the README.
///
/// gateway 24815.30 + 999.99 + 5 + timing 12.50 = 25832.79; channel 24815.30 + 1000.99 + 38 = 25854.29;
/// between 1 + 38 - 5 - 12.50 = 21.50.
pub(crate) fn ordinary(lang: Lang) -> Report {
    use MismatchKind::{AmountMismatch, GatewayOnly, LostConfirmation};
    let [lost, _] = <[Mismatch; 2]>::try_from(states()).expect("two mismatches of states");
    let lost = Mismatch {
        id: "61f0b8d2a97c4e13".into(),
        order_no: "16110812084710025417".into(),
        channel_amount_minor: Some(3_800),
        lines: vec![(0, 97)],
        ..lost
    };
    let gone = Mismatch {
        id: "c85d17e04fb2936a".into(),
        reasons: vec![Reason::GatewayOnly],
        ..paid(GatewayOnly, "16110819450360011582", Some(500), None)
    };
    let mut of = agreeing(Verdict::Unbalanced, 310, 2_481_530);
    of.mismatches = vec![lost, contract_mismatch(), gone];
    of.timing = vec![Timing { amount_minor: 1_250, ..timing().swap_remove(0) }];
    of.lines.total = tally(312, 2_585_429);
    of.lines.mismatched = tally(2, 103_899);
    of.orders.total = tally(320, 2_583_279);
    of.orders.mismatched = tally(3, 100_499);
    of.orders.timing = tally(1, 1_250);
    of.orders.nothing_happened = tally(6, 0);
    let steps =
        [(LostConfirmation, tally(1, 3_800)), (AmountMismatch, tally(1, 100)), (GatewayOnly, tally(1, -500))];
    of.bridges = vec![Bridge {
        gateway_minor: 2_583_279,
        mismatches: steps.to_vec(),
        timing_out: tally(1, 1_250),
        channel_minor: 2_585_429,
        ..of.bridges[0].clone()
    }];
    let controls = [
        Control { title: "总交易单数".into(), unit: Unit::Count, stated: 312, counted: 312 },
        Control {
            title: "订单总金额".into(),
            unit: Unit::Minor { digits: 2 },
            stated: 2_585_429,
            counted: 2_585_429,
        },
    ];
    let sums = Sums { rows: 312, amount_minor: 2_585_429, fee_e5: 15_512_000 };
    let about = About {
        inputs: &inputs(312, 655),
        controls: &controls,
        sums: &[SumPair { currency: Currency::CNY, parsed: sums, ledger: Some(sums) }],
        ..About::new("mall-wx", PayType::Wx, lang)
    };
    let sections = vec![mall_ali(lang), section(&of, &about)];
    day_of(lang, &[("mall-wx", PayType::Wx), ("mall-ali", PayType::Ali)], sections)
}

/// One refused, one that no run has come to.
pub(crate) fn not_compared(lang: Lang) -> Report {
    let reason = lang.pick("渠道拒绝了请求：invalid_sign", "the provider refused us: invalid_sign");
    let refused = not_compared_section(reason, &About::new("mall-wx", PayType::Wx, lang));
    day_of(lang, &[("mall-wx", PayType::Wx), ("mall-ali", PayType::Ali)], vec![refused])
}

/// The example line of the contract, section 7.
pub(crate) fn contract_example() -> Report {
    let of = Reconciliation {
        mismatches: vec![Mismatch { account: "wx".into(), ..contract_mismatch() }],
        ..one_of_everything()
    };
    let unit = section(&of, &About::new("wx", PayType::Wx, Lang::Zh));
    day_of(Lang::Zh, &[("wx", PayType::Wx)], vec![unit])
}

fn row(lang: Lang, order_no: &str) -> MismatchRow {
    let rows = mall_wx(lang).mismatches;
    rows.into_iter().find(|m| m.order_no == order_no).expect("an order of the hand-made day")
}

fn story(row_id: i64, at: &str, action: &str, texts: [&str; 3]) -> LogStory {
    LogStory {
        row_id,
        at: format!("2016-11-08 {at}"),
        req_type: "WX".into(),
        action: action.into(),
        request: texts[0].into(),
        reply: texts[1].into(),
        says: texts[2].into(),
    }
}

fn answer(asked_at: &str, outcome: &str, state: &str, amount_minor: Option<i64>) -> AnswerStory {
    AnswerStory {
        asked_at: asked_at.into(),
        source: "POST https://api.example/pay/orderquery".into(),
        outcome: outcome.into(),
        state: state.into(),
        amount_minor,
        currency: "CNY".into(),
        word: state.to_uppercase(),
        authentic: state.is_empty(),
    }
}

/// A mismatch, a lost confirmation without a reply, and an order that agrees.
pub(crate) fn explanations(lang: Lang) -> Vec<Explanation> {
    let asked = "16110809335991735129";
    let amount = Explanation {
        asked: asked.into(),
        place: Place::Mismatched,
        item: row(lang, asked),
        lines: vec![RawLine {
            sha256: STATEMENT_SHA.into(),
            part: String::new(),
            line: 211,
            text: "`2016-11-08 09:34:03,`wx0000000000000001,`1900000001,…,`1000.99,…".into(),
        }],
        log: vec![
            story(101, "09:33:59", "PAY", ["TotalFee 99999", "", "unknown"]),
            story(102, "09:34:05", "QUERY", ["", "SUCCESS total_fee 99999", "paid"]),
        ],
        answers: Vec::new(),
        looked: Vec::new(),
        remarks: Vec::new(),
    };
    let lost = Explanation {
        asked: "16110800000000000003".into(),
        item: row(lang, "16110800000000000003"),
        lines: vec![RawLine { part: "明细.csv".into(), line: 30, ..amount.lines[0].clone() }],
        log: vec![story(110, "10:00:01", "PAY", ["TotalFee 500", "\u{1b}[2JUSERPAYING", "pending"])],
        answers: vec![
            answer("2016-11-10 02:20:00", "not_found", "", None),
            answer("2016-11-11 09:00:00", "told", "paid", Some(500)),
        ],
        looked: vec![
            Looked { place: "2016-11-07".into(), found: String::new() },
            Looked { place: "2016-11-09".into(), found: String::new() },
        ],
        ..amount.clone()
    };
    let matched = Explanation {
        asked: "16110800000000000099".into(),
        place: Place::Matched,
        item: MismatchRow {
            id: String::new(),
            kind: String::new(),
            reason: String::new(),
            channel_amount_minor: Some(99_999),
            difference_minor: 0,
            order_no: "16110800000000000099".into(),
            ..amount.item.clone()
        },
        ..amount.clone()
    };
    vec![amount, lost, matched]
}

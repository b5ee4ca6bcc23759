//! The faults: where, what, how often, and how the night ends. Groups are those of the catalogue (`reliability_ux` 1.7).

use std::time::Duration;

use nightjob::domain::{BillDate, Exit};
use nightjob::sandbox::mishap::{Spoil, ZipTrouble};
use nightjob::sandbox::{Desk, Mishap, Tries};

use super::town::{day_of_the_town, quiet_day};
use Then::{Accepted, Empty, Ends, Heals, Incomplete};

/// How the night of a row ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Then {
    /// Within the run, by asking again: 0, and the day is as it should be.
    Heals,
    /// At once, because it is no fault for us: 0.
    Accepted,
    /// 0, with the provider's own proof of a day without movements.
    Empty,
    /// The provider says "no bill" and the log holds successes: done, and 10.
    Incomplete,
    /// With this code, and nothing of it is believed.
    Ends(Exit),
}

#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) account: &'static str,
    pub(crate) desk: Desk,
    pub(crate) mishap: Mishap,
    pub(crate) tries: Tries,
    pub(crate) date: BillDate,
    pub(crate) then: Then,
}

pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) rows: Vec<Row>,
}

type At = (&'static str, Desk);

const V2: At = ("mall-wx", Desk::WechatBill);
const V2_PROVIDER: At = ("mall-wx-sub", Desk::WechatBill);
const V2_OVERSEAS: At = ("mall-wxos2", Desk::WechatBill);
const APPLY: At = ("mall-wx3", Desk::WechatApply);
const FILE: At = ("mall-wx3", Desk::WechatDownload);
const FLOW: At = ("mall-wx3", Desk::WechatFundFlow);
const OVERSEAS: At = ("mall-wxos", Desk::WechatGlobal);
const ALIPAY: At = ("mall-ali", Desk::AlipayGateway);
const ZIP: At = ("mall-ali", Desk::AlipayDownload);
const LEDGER: At = ("mall-ali1", Desk::AlipayMapi);
const FOREX: At = ("mall-alios", Desk::AlipayForex);
const GATEWAY: At = ("mall-gw", Desk::Gateway);
const TIANTA: At = ("mall-tianta", Desk::Tianta);
const TEEGON: At = ("mall-teegon", Desk::Teegon);

/// Every desk that a night needs.
const ALL: &[At] = &[
    V2, V2_PROVIDER, V2_OVERSEAS, APPLY, FILE, FLOW, OVERSEAS, ALIPAY, ZIP, LEDGER, FOREX, GATEWAY, TIANTA, TEEGON,
];
/// Those that hand out WeChat's layouts.
const WECHAT: &[At] = &[V2, V2_PROVIDER, V2_OVERSEAS, APPLY, FILE, FLOW, OVERSEAS, GATEWAY];

fn at(desks: &[At], tries: Tries, mishap: Mishap, then: Then) -> Vec<Row> {
    let row = |&(account, desk): &At| Row { account, desk, mishap, tries, date: day_of_the_town(), then };
    desks.iter().map(row).collect()
}

fn always(desks: &[At], mishap: Mishap, then: Then) -> Vec<Row> {
    at(desks, Tries::Always, mishap, then)
}

fn once(desks: &[At], mishap: Mishap) -> Vec<Row> {
    at(desks, Tries::First(1), mishap, Heals)
}

/// Passes once, and ends like this if it never does.
fn both(desks: &[At], mishap: Mishap, exit: Exit) -> Vec<Row> {
    [once(desks, mishap), always(desks, mishap, Ends(exit))].concat()
}

fn each(desks: &[At], mishaps: &[Mishap], then: Then) -> Vec<Row> {
    mishaps.iter().flat_map(|mishap| always(desks, *mishap, then)).collect()
}

pub(crate) fn groups() -> Vec<Group> {
    let group = |name, rows: Vec<Vec<Row>>| Group { name, rows: rows.concat() };
    vec![
        group("HTTP status", http_status()),
        group("transport", transport()),
        group("length and encoding", length_and_encoding()),
        group("lies with 200", lies()),
        group("integrity", integrity()),
        group("identity", identity()),
        group("content totals", totals()),
        group("rows", rows()),
        group("archive", archives()),
        group("text", text()),
        group("readiness", readiness()),
        group("gateway path", gateway()),
    ]
}

fn http_status() -> Vec<Vec<Row>> {
    let mut rows: Vec<Vec<Row>> =
        [500, 502, 503, 504].iter().map(|code| both(ALL, Mishap::Status(*code), Exit::Passing)).collect();
    rows.push(both(ALL, Mishap::TooMany { retry_after_seconds: 1 }, Exit::Passing));
    // Ten years: nobody waits that long.
    rows.push(both(ALL, Mishap::TooMany { retry_after_seconds: 315_360_000 }, Exit::Passing));
    for code in [401, 403, 404] {
        rows.push(always(ALL, Mishap::Status(code), Ends(Exit::Refused)));
    }
    for code in [301, 307] {
        rows.push(always(ALL, Mishap::Status(code), Ends(Exit::Rejected)));
    }
    let redirects = [
        Mishap::Redirect,
        Mishap::RedirectTo("https://bills.example.test/bill"),
        Mishap::RedirectTo("http://bills.example.test/bill"),
        Mishap::RedirectTo("http://169.254.169.254/latest/meta-data/"),
    ];
    rows.push(each(ALL, &redirects, Ends(Exit::Rejected)));
    rows.push(both(ALL, Mishap::Status(204), Exit::Rejected));
    rows.push(both(ALL, Mishap::Partial, Exit::Rejected));
    rows
}

fn transport() -> Vec<Vec<Row>> {
    vec![
        both(ALL, Mishap::CutShort, Exit::Passing),
        always(ALL, Mishap::Huge { mebibytes: 6 }, Ends(Exit::Rejected)),
        always(ALL, Mishap::Slow(Duration::from_millis(30)), Accepted),
    ]
}

fn length_and_encoding() -> Vec<Vec<Row>> {
    let zipped = &[V2, V2_PROVIDER, V2_OVERSEAS, FILE];
    let spoilt = [Mishap::TwoGzipMembers, Mishap::GzipTrailerWrong, Mishap::TrailingGarbage];
    vec![
        both(ALL, Mishap::ZeroBytes, Exit::Rejected),
        each(zipped, &spoilt, Ends(Exit::Rejected)),
        // Plain where gzip was asked for is the bill all the same.
        always(zipped, Mishap::NotGzip, Accepted),
    ]
}

fn lies() -> Vec<Vec<Row>> {
    vec![
        both(ALL, Mishap::Html, Exit::Rejected),
        each(ALL, &[Mishap::StackTrace, Mishap::JsonError], Ends(Exit::Rejected)),
    ]
}

fn integrity() -> Vec<Vec<Row>> {
    let signed = &[APPLY, FLOW, OVERSEAS];
    vec![
        each(
            signed,
            &[
                Mishap::WrongHash,
                Mishap::HashOfAnotherDay,
                Mishap::WrongSignature,
                Mishap::MissingSignature,
                Mishap::UnknownSerial,
                Mishap::Replayed,
                Mishap::StaleTimestamp,
                Mishap::ProbeSignature,
            ],
            Ends(Exit::Rejected),
        ),
        always(&[OVERSEAS], Mishap::HashInBase64, Accepted),
        always(&[APPLY, FLOW, OVERSEAS], Mishap::SignError, Ends(Exit::Refused)),
        each(&[V2, V2_PROVIDER, V2_OVERSEAS], &[Mishap::WrongSignature, Mishap::SignError], Ends(Exit::Refused)),
        each(
            &[ALIPAY, LEDGER],
            &[Mishap::WrongSignature, Mishap::Unsigned, Mishap::ChangedAfterSigning],
            Ends(Exit::Rejected),
        ),
        always(&[FOREX, TIANTA, TEEGON], Mishap::WrongSignature, Ends(Exit::Refused)),
        each(&[GATEWAY], &[Mishap::WrongHash, Mishap::HashOfAnotherDay], Ends(Exit::Rejected)),
        always(&[ALIPAY, APPLY, FLOW], Mishap::ForeignHost, Ends(Exit::Rejected)),
        always(&[LEDGER], Mishap::PageRepeated, Ends(Exit::Rejected)),
    ]
}

fn identity() -> Vec<Vec<Row>> {
    let all = &[V2, V2_PROVIDER, V2_OVERSEAS, APPLY, FILE, FLOW, OVERSEAS, ZIP, FOREX, GATEWAY, LEDGER];
    vec![
        each(all, &[Mishap::OtherMerchant, Mishap::OtherDay], Ends(Exit::Rejected)),
        // The lines of other sub-merchants are counted apart.
        always(&[V2_PROVIDER], Mishap::SubMerchantsMixed, Accepted),
        always(&[TIANTA, TEEGON], Mishap::OtherOrder, Ends(Exit::Rejected)),
        always(
            &[ZIP],
            Mishap::Spoiled(Spoil::MonthBill),
            Ends(Exit::Rejected),
        ),
        always(&[ZIP], Mishap::Spoiled(Spoil::RowOfAnotherDay), Ends(Exit::Rejected)),
    ]
}

fn totals() -> Vec<Vec<Row>> {
    // WeChat's file abroad (v3) has no totals.
    let wechat = &[V2, V2_PROVIDER, V2_OVERSEAS, APPLY, FILE, FLOW, GATEWAY];
    let off = [
        Mishap::TotalsOff,
        Mishap::TotalsMissing,
        Mishap::TotalsTwice,
        Mishap::CountOff,
        Mishap::Torn,
    ];
    let spoilt = [
        Spoil::TotalsMissing,
        Spoil::TotalsTwice,
        Spoil::CountOff,
        Spoil::RefundTotalOff,
        Spoil::SummaryDisagrees,
    ];
    vec![
        each(wechat, &off, Ends(Exit::Rejected)),
        always(&[OVERSEAS, ZIP, LEDGER, FOREX], Mishap::Torn, Ends(Exit::Rejected)),
        always(&[ZIP], Mishap::TotalsOff, Ends(Exit::Rejected)),
        always(&[FLOW], Mishap::BalanceOff, Ends(Exit::Rejected)),
        spoilt.iter().flat_map(|spoil| always(&[ZIP], Mishap::Spoiled(*spoil), Ends(Exit::Rejected))).collect(),
    ]
}

fn rows() -> Vec<Vec<Row>> {
    let spoilt = [
        Spoil::UnknownType,
        Spoil::GroupedAmount,
        Spoil::FullWidthAmount,
        Spoil::ExponentAmount,
        Spoil::NotANumber,
        Spoil::ThirdDecimal,
        Spoil::HugeAmount,
        Spoil::ImpossibleTime,
        Spoil::ImpossibleDate,
        Spoil::ColumnMissing,
        Spoil::ColumnRenamed,
        Spoil::RowTwice,
    ];
    let fine = [Spoil::ColumnAdded, Spoil::ColumnsSwapped];
    vec![
        each(WECHAT, &[Mishap::UnknownState, Mishap::OddAmount, Mishap::RenamedColumn], Ends(Exit::Rejected)),
        spoilt.iter().flat_map(|spoil| always(&[ZIP], Mishap::Spoiled(*spoil), Ends(Exit::Rejected))).collect(),
        fine.iter().flat_map(|spoil| always(&[ZIP], Mishap::Spoiled(*spoil), Accepted)).collect(),
        always(&[LEDGER], Mishap::EndlessPages, Ends(Exit::Rejected)),
    ]
}

fn archives() -> Vec<Vec<Row>> {
    ZipTrouble::ALL
        .iter()
        .map(|trouble| {
            let then = match trouble {
                // Never a path: only the text of the entry counts, whatever it is called.
                ZipTrouble::NoSummary => Accepted,
                _ => Ends(Exit::Rejected),
            };
            always(&[ZIP], Mishap::Zip(*trouble), then)
        })
        .collect()
}

fn text() -> Vec<Vec<Row>> {
    let spoilt = [Spoil::NulByte, Spoil::LongCell];
    vec![
        each(WECHAT, &[Mishap::Utf16, Mishap::LongLine, Mishap::NulByte], Ends(Exit::Rejected)),
        spoilt.iter().flat_map(|spoil| always(&[ZIP], Mishap::Spoiled(*spoil), Ends(Exit::Rejected))).collect(),
        [Spoil::UnclosedQuote, Spoil::OnlyCarriageReturns]
            .iter()
            .flat_map(|spoil| always(&[ZIP], Mishap::Spoiled(*spoil), Accepted))
            .collect(),
        each(
            &[LEDGER],
            &[Mishap::EntityBomb, Mishap::ExternalEntity, Mishap::GbkDeclaredUtf8, Mishap::Utf8DeclaredGbk],
            Ends(Exit::Rejected),
        ),
    ]
}

fn readiness() -> Vec<Vec<Row>> {
    let not_ready = &[V2, V2_PROVIDER, V2_OVERSEAS, APPLY, FLOW, OVERSEAS, ALIPAY, FOREX, GATEWAY];
    let no_bill = &[V2, V2_PROVIDER, V2_OVERSEAS, APPLY, OVERSEAS, ALIPAY, LEDGER, FOREX, GATEWAY];
    let quiet = always(no_bill, Mishap::NoBill, Empty);
    vec![
        always(not_ready, Mishap::NotReady, Ends(Exit::NotReady)),
        always(no_bill, Mishap::NoBill, Incomplete),
        always(&[ALIPAY], Mishap::EmptyFile, Incomplete),
        quiet.into_iter().map(|row| Row { date: quiet_day(), ..row }).collect(),
        both(&[V2, V2_PROVIDER, V2_OVERSEAS, APPLY, FLOW, OVERSEAS, ALIPAY, LEDGER, FOREX, GATEWAY, TIANTA, TEEGON], Mishap::Busy, Exit::Passing),
        both(&[FOREX], Mishap::DownloadFailed, Exit::Passing),
        always(
            &[V2, V2_PROVIDER, V2_OVERSEAS, APPLY, FLOW, OVERSEAS, ALIPAY, LEDGER, FOREX, GATEWAY, TIANTA, TEEGON],
            Mishap::Refused,
            Ends(Exit::Refused),
        ),
    ]
}

fn gateway() -> Vec<Vec<Row>> {
    vec![
        each(
            &[GATEWAY],
            &[Mishap::CrossedCrc, Mishap::OtherSeller, Mishap::OtherEcho, Mishap::MissingChunk],
            Ends(Exit::Rejected),
        ),
        both(&[GATEWAY], Mishap::EmptyResult, Exit::Rejected),
        each(&[GATEWAY], &[Mishap::WrongSignature, Mishap::SignError], Ends(Exit::Refused)),
        each(&[GATEWAY], &[Mishap::Base64Mismatch, Mishap::PassedThrough, Mishap::Alert], Accepted),
    ]
}

//! The faults: where, what, how often, and how the night ends. Groups are those of the catalogue (`reliability_ux` 1.7).

use std::time::Duration;

use nightjob::domain::{BillDate, Exit};
use nightjob::sandbox::mishap::{Spoil, ZipTrouble};
use nightjob::sandbox::{Desk, Mishap, Tries};

use super::town::{day_of_the_town, quiet_day};
use Then::{Accepted, Differs, Empty, Ends, Heals, Incomplete, Remarked, Unclear};

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
    /// 0, and the report says so in these words.
    Remarked(&'static str),
    /// An order-by-order channel gave answers that name no state: kept as unknown, incomplete, 10.
    Unclear,
    /// A file that proves itself and has no rows, on a day with logged successes: unbalanced, 10.
    Differs,
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

impl Row {
    /// Whether it is enough to hold the conversation and read what came: such faults end before a ledger is touched,
    /// and `mall-wx` shows the whole night for each of them.
    pub(crate) fn ends_on_the_way(&self) -> bool {
        let by_asking = matches!(self.desk, Desk::Tianta | Desk::Teegon);
        let on_the_way = matches!(
            self.mishap,
            Mishap::Status(_)
                | Mishap::TooMany { .. }
                | Mishap::Redirect
                | Mishap::RedirectTo(_)
                | Mishap::Partial
                | Mishap::Huge { .. }
                | Mishap::CutShort
                | Mishap::ZeroBytes
                | Mishap::Html
                | Mishap::StackTrace
                | Mishap::JsonError
                | Mishap::Slow(_)
        );
        on_the_way && !by_asking && self.account != "mall-wx"
    }
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
    V2,
    V2_PROVIDER,
    V2_OVERSEAS,
    APPLY,
    FILE,
    FLOW,
    OVERSEAS,
    ALIPAY,
    ZIP,
    LEDGER,
    FOREX,
    GATEWAY,
    TIANTA,
    TEEGON,
];
/// Those that hand out WeChat's bills.
const BILLS: &[At] = &[V2, V2_PROVIDER, V2_OVERSEAS, APPLY, FILE, OVERSEAS, GATEWAY];

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
    // What WeChat signs is refused at once: half a body does not verify.
    rows.push(always(&[APPLY, FLOW, OVERSEAS], Mishap::Partial, Ends(Exit::Rejected)));
    rows.push(both(
        &[V2, V2_PROVIDER, V2_OVERSEAS, FILE, ALIPAY, ZIP, LEDGER, FOREX, GATEWAY, TIANTA, TEEGON],
        Mishap::Partial,
        Exit::Rejected,
    ));
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
    let statements =
        &[V2, V2_PROVIDER, V2_OVERSEAS, APPLY, FILE, FLOW, OVERSEAS, ALIPAY, ZIP, LEDGER, FOREX, GATEWAY];
    vec![
        both(ALL, Mishap::Html, Exit::Rejected),
        always(ALL, Mishap::StackTrace, Ends(Exit::Rejected)),
        always(statements, Mishap::JsonError, Ends(Exit::Rejected)),
        both(&[TIANTA], Mishap::JsonError, Exit::Passing),
        always(&[TEEGON], Mishap::JsonError, Unclear),
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
        each(
            &[V2, V2_PROVIDER, V2_OVERSEAS],
            &[Mishap::WrongSignature, Mishap::SignError],
            Ends(Exit::Refused),
        ),
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
    let named = &[V2, V2_PROVIDER, V2_OVERSEAS, APPLY, FILE, OVERSEAS, ZIP, GATEWAY];
    vec![
        always(named, Mishap::OtherMerchant, Ends(Exit::Rejected)),
        // A fund flow and a file of Alipay abroad name no merchant; of the old ledger only some rows do.
        always(named, Mishap::OtherDay, Ends(Exit::Rejected)),
        always(&[FLOW, FOREX, LEDGER], Mishap::OtherDay, Ends(Exit::Rejected)),
        // The lines of other sub-merchants are counted apart.
        always(&[V2_PROVIDER], Mishap::SubMerchantsMixed, Accepted),
        always(&[TIANTA, TEEGON], Mishap::OtherOrder, Ends(Exit::Rejected)),
        always(&[ZIP], Mishap::Spoiled(Spoil::MonthBill), Ends(Exit::Rejected)),
        always(&[ZIP], Mishap::Spoiled(Spoil::RowOfAnotherDay), Ends(Exit::Rejected)),
    ]
}

fn totals() -> Vec<Vec<Row>> {
    // WeChat's file abroad (v3) has no totals.
    let wechat = &[V2, V2_PROVIDER, APPLY, FILE, FLOW, GATEWAY];
    let off = [Mishap::TotalsOff, Mishap::TotalsMissing, Mishap::TotalsTwice, Mishap::CountOff, Mishap::Torn];
    let spoilt = [
        Spoil::TotalsMissing,
        Spoil::TotalsTwice,
        Spoil::CountOff,
        Spoil::RefundTotalOff,
        Spoil::SummaryDisagrees,
    ];
    vec![
        each(wechat, &off, Ends(Exit::Rejected)),
        // The titles of v2's totals abroad stand in no document: they are told and prove nothing.
        each(&[V2_OVERSEAS], &[Mishap::TotalsOff, Mishap::CountOff], Remarked("totals that are not proven")),
        always(&[V2_OVERSEAS], Mishap::TotalsMissing, Remarked("states no totals of its own")),
        each(&[V2_OVERSEAS], &[Mishap::TotalsTwice, Mishap::Torn], Ends(Exit::Rejected)),
        always(&[OVERSEAS, ZIP, LEDGER, FOREX], Mishap::Torn, Ends(Exit::Rejected)),
        always(&[ZIP], Mishap::TotalsOff, Ends(Exit::Rejected)),
        always(&[FLOW], Mishap::BalanceOff, Ends(Exit::Rejected)),
        spoilt
            .iter()
            .flat_map(|spoil| always(&[ZIP], Mishap::Spoiled(*spoil), Ends(Exit::Rejected)))
            .collect(),
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
        each(BILLS, &[Mishap::UnknownState, Mishap::RenamedColumn], Ends(Exit::Rejected)),
        always(
            &[V2, V2_PROVIDER, V2_OVERSEAS, APPLY, FILE, GATEWAY],
            Mishap::OddAmount,
            Ends(Exit::Rejected),
        ),
        // There it is the buyer's amount in the buyer's currency, which nobody reads.
        always(&[OVERSEAS], Mishap::OddAmount, Accepted),
        each(&[FLOW], &[Mishap::OddAmount, Mishap::RenamedColumn], Ends(Exit::Rejected)),
        spoilt
            .iter()
            .flat_map(|spoil| always(&[ZIP], Mishap::Spoiled(*spoil), Ends(Exit::Rejected)))
            .collect(),
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
    let spoilt = [Spoil::NulByte, Spoil::LongCell, Spoil::UnclosedQuote, Spoil::OnlyCarriageReturns];
    vec![
        each(BILLS, &[Mishap::Utf16, Mishap::LongLine, Mishap::NulByte], Ends(Exit::Rejected)),
        always(&[FLOW], Mishap::Utf16, Ends(Exit::Rejected)),
        spoilt
            .iter()
            .flat_map(|spoil| always(&[ZIP], Mishap::Spoiled(*spoil), Ends(Exit::Rejected)))
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
        always(&[ALIPAY], Mishap::EmptyFile, Differs),
        quiet.into_iter().map(|row| Row { date: quiet_day(), ..row }).collect(),
        both(
            &[V2, V2_PROVIDER, V2_OVERSEAS, APPLY, FLOW, OVERSEAS, ALIPAY, LEDGER, FOREX, GATEWAY, TIANTA],
            Mishap::Busy,
            Exit::Passing,
        ),
        both(&[FOREX], Mishap::DownloadFailed, Exit::Passing),
        always(
            &[V2, V2_PROVIDER, V2_OVERSEAS, APPLY, FLOW, OVERSEAS, ALIPAY, LEDGER, FOREX, GATEWAY],
            Mishap::Refused,
            Ends(Exit::Refused),
        ),
        // No document lists these errors: an answer without a state proves nothing, and is asked for again.
        each(&[TEEGON], &[Mishap::Busy, Mishap::Refused], Unclear),
        always(&[TIANTA], Mishap::Refused, Unclear),
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
        each(&[GATEWAY], &[Mishap::PassedThrough, Mishap::Alert], Accepted),
        // Named exactly: which of the two sides must change its `isbase64`.
        always(&[GATEWAY], Mishap::Base64Mismatch, Ends(Exit::Refused)),
    ]
}

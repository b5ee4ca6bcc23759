//! Every fault of a provider that a channel can meet, scripted at the sandbox's desks, and how the night ends.
//!
//! The catalogue is `background/reliability_ux.md` 1.7. Not here, and why:
//!
//! | case | why, or where |
//! |---|---|
//! | DNS failure, a name that turns to a private address | no resolver is simulated; `acquire/http.rs` holds addresses to the rule |
//! | TLS expired, wrong name, self-signed, 1.0; no close_notify | the sandbox speaks plain http; `tests/acquire.rs`, `tests/mutual_tls.rs` |
//! | refused port, silence, bodies longer or shorter than stated, chunk sizes that lie, `Retry-After` as a date | bytes that a well-behaved server cannot send; `tests/acquire.rs`, by a server that writes them itself |
//! | a nonce used twice | WeChat chooses it; a replayed reply is caught by its time and its hash |
//! | a clock that is off | the clock of these nights is fixed; `tests/acquire.rs` |
//! | order of columns, exact duplicates, one number for pay and refund, amounts and times in all spellings | a reader's matter; `tests/format/`, and Alipay's are here too |
//! | zip64, GBK names, wrong extension | `tests/format/archive.rs` |
//! | lone surrogates, bidi, zero-width, mojibake, formula bait | legal texts: stored as they are, made harmless on export; `tests/reports/` |
//! | wrong AccountMode, `WX` for `ALI_20` | the program writes these itself from its configuration, which is checked |

mod doubts;
mod tables;
mod town;

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use nightjob::domain::{Bill, Exit, Verdict};
use nightjob::sandbox::{Desk, Mishap, Rule, Running, Tries};
use nightjob::store::StatementState;

use doubts::doubts;
use tables::{Group, Row, Then, groups};
use town::{Seen, Town};

/// Nights that are run side by side.
const TOGETHER: usize = 4;

fn bill(row: &Row) -> Bill {
    if row.desk == Desk::WechatFundFlow { Bill::FundFlow } else { Bill::Trade }
}

/// What is wrong with how a row ended.
async fn complaint(town: &Town, row: &Row) -> Option<String> {
    let rule = Rule::new(row.desk, row.tries, row.mishap).of(row.account);
    let providers = town.providers(vec![rule]).await;
    let what = (row.account, row.date, bill(row));
    let seen = if row.ends_on_the_way() {
        town.fetch(providers.addr, what).await
    } else {
        town.house(providers.addr).await.night(what).await
    };
    let tries = tries(&providers, row);
    let what = judged(row, &seen, tries)?;
    Some(format!(
        "{} {:?} {:?} {:?}: expected {:?}, {what}; ended {:?} after {tries} tries, {:?} {:?}\n{}",
        row.account,
        row.desk,
        row.mishap,
        row.tries,
        row.then,
        seen.exit,
        seen.verdict,
        seen.state,
        seen.causes
    ))
}

/// Tries at the row's desk. Orders that are asked about count on their own days.
fn tries(providers: &Running, row: &Row) -> u32 {
    match row.desk {
        Desk::Tianta | Desk::Teegon => {
            // A refund's order may be some days old.
            let days = std::iter::successors(Some(row.date.after()), |day| Some(day.before()));
            days.take(10).map(|date| providers.tries(row.desk, row.account, date)).sum()
        }
        _ => providers.tries(row.desk, row.account, row.date),
    }
}

fn judged(row: &Row, seen: &Seen, tries: u32) -> Option<&'static str> {
    let by_asking = matches!(row.desk, Desk::Tianta | Desk::Teegon);
    let fair = if by_asking { Verdict::Confirmed } else { Verdict::Balanced };
    let (exit, state, verdict) = match row.then {
        Then::Heals | Then::Accepted => (Exit::Done, Some(StatementState::Current), Some(fair)),
        Then::Remarked(_) => (Exit::Done, Some(StatementState::Current), Some(fair)),
        Then::Unclear => (Exit::Look, Some(StatementState::Current), Some(Verdict::Incomplete)),
        Then::Differs => (Exit::Look, Some(StatementState::Current), Some(Verdict::Unbalanced)),
        Then::Empty => (Exit::Done, Some(StatementState::Empty), Some(Verdict::Balanced)),
        Then::Incomplete => (Exit::Look, Some(StatementState::Empty), Some(Verdict::Incomplete)),
        Then::Ends(exit) => (exit, None, seen.verdict),
    };
    let done = seen.done || bill(row) == Bill::FundFlow;
    match row.then {
        _ if seen.exit != exit => Some("another exit"),
        _ if seen.state != state => Some("something else stands in the ledger"),
        _ if seen.verdict != verdict => Some("another verdict"),
        _ if tries == 0 => Some("nobody came to the desk"),
        Then::Remarked(words) if !seen.section.contains(words) => Some("the report does not say so"),
        Then::Heals if tries < 2 => Some("it was not asked again"),
        Then::Ends(_) if seen.done && bill(row) == Bill::Trade => Some("the unit is done"),
        Then::Ends(_) if seen.believed() > 0 => Some("the archive holds it as good"),
        Then::Ends(_) => None,
        _ if !done => Some("the unit is not done"),
        _ => None,
    }
}

async fn complaints(town: &Arc<Town>, group: &Group) -> Vec<String> {
    let nights = group.rows.iter().map(|&row| {
        let town = Arc::clone(town);
        let night = tokio::spawn(async move { Box::pin(complaint(&town, &row)).await });
        async move { night.await.expect("a night does not panic") }
    });
    stream::iter(nights).buffer_unordered(TOGETHER).filter_map(|found| async { found }).collect().await
}

/// What changes after the day was done: each row is the mishap of the second night.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_changes_or_goes_after_it_was_done() {
    let town = Town::build().await;
    let nights = [
        ("revised: the next version", Mishap::Revised, Exit::Done, 2),
        ("vanished: no bill any more", Mishap::NoBill, Exit::Rejected, 1),
        ("vanished: not made yet", Mishap::NotReady, Exit::NotReady, 1),
        ("vanished: older than is kept", Mishap::Refused, Exit::Refused, 1),
        ("spoilt the second time", Mishap::TotalsOff, Exit::Rejected, 1),
    ];
    for (case, mishap, exit, version) in nights {
        let rule = Rule::new(Desk::WechatBill, Tries::Only(2), mishap).of("mall-wx");
        let providers = town.providers(vec![rule]).await;
        let place = town.house(providers.addr).await;
        let what = ("mall-wx", town::day_of_the_town(), Bill::Trade);
        assert_eq!(place.night(what).await.version, 1, "{case}");
        let second = place.night(what).await;
        assert_eq!(
            (second.exit, second.version, second.done),
            (exit, version, true),
            "{case}: {}",
            second.causes
        );
        let third = place.night(what).await;
        assert_eq!((third.exit, third.done), (Exit::Done, true), "{case}: {}", third.causes);
    }
    println!("{} statements that changed or went, each with its outcome", nights.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_question_about_one_order_has_its_outcome() {
    let town = Town::build().await;
    let (mut wrong, all) = (Vec::new(), doubts());
    for doubt in &all {
        let found = town.doubt(doubt).await;
        if found != doubt.then {
            wrong.push(format!("{doubt:?}: {found:?}"));
        }
    }
    println!("{} faults of questions about one order, each with its outcome", all.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_provider_has_its_outcome() {
    let town = Arc::new(Town::build().await);
    let (mut count, mut wrong) = (0, Vec::new());
    for group in groups() {
        count += group.rows.len();
        wrong.extend(complaints(&town, &group).await);
        println!("{:<22} {:>4}", group.name, group.rows.len());
    }
    println!("{count} provider faults, each with its outcome");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

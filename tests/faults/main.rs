//! Every fault of a provider that a channel can meet, scripted at the sandbox's desks, and how the night ends.

mod tables;
mod town;

use futures_util::{StreamExt as _, stream};
use nightjob::domain::{Bill, Exit, Verdict};
use nightjob::sandbox::{Desk, Rule};
use nightjob::store::StatementState;

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
    let place = town.house(providers.addr, |_| {}).await;
    let seen = place.night(row.account, row.date, bill(row)).await;
    let tries = providers.tries(row.desk, row.account, row.date);
    let what = judged(row, &seen, tries)?;
    Some(format!(
        "{} {:?} {:?} {:?}: expected {:?}, {what}; ended {:?} after {tries} tries, {:?} {:?}\n{}",
        row.account, row.desk, row.mishap, row.tries, row.then, seen.exit, seen.verdict, seen.state, seen.causes
    ))
}

fn judged(row: &Row, seen: &Seen, tries: u32) -> Option<&'static str> {
    let by_asking = matches!(row.desk, Desk::Tianta | Desk::Teegon);
    let fair = if by_asking { Verdict::Confirmed } else { Verdict::Balanced };
    let (exit, state, verdict) = match row.then {
        Then::Heals | Then::Accepted => (Exit::Done, Some(StatementState::Current), Some(fair)),
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
        Then::Heals if tries < 2 => Some("it was not asked again"),
        Then::Ends(_) if seen.done && bill(row) == Bill::Trade => Some("the unit is done"),
        Then::Ends(_) if seen.believed() > 0 => Some("the archive holds it as good"),
        Then::Ends(_) => None,
        _ if !done => Some("the unit is not done"),
        _ => None,
    }
}

async fn complaints(town: &Town, group: &Group) -> Vec<String> {
    let nights = group.rows.iter().map(|row| complaint(town, row));
    stream::iter(nights).buffer_unordered(TOGETHER).filter_map(|found| async { found }).collect().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_provider_has_its_outcome() {
    let town = Town::build().await;
    let (mut count, mut wrong) = (0, Vec::new());
    for group in groups() {
        println!("{:<22} {:>4}", group.name, group.rows.len());
        count += group.rows.len();
        wrong.extend(complaints(&town, &group).await);
    }
    println!("{count} provider faults, each with its outcome");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

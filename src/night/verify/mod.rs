//! `verify`: proves that archive, ledger, events and reports are what this program wrote, or says where they are not.
//!
//! It only reads, takes no lock, and may run beside a night. What the index seals was committed before, so the index is
//! read first and the ledger after it; and a unit that was replaced while it was being held against the archive is
//! looked at again ([`LOOKS_MAX`]), and then left to the next time, which is said.
//!
//! | file | what it holds against what |
//! |---|---|
//! | `archive` | lines of the index against their seals, objects against their names |
//! | `chain` | each event against its predecessor, and the chain against the seals |
//! | `unit` | a unit's rows against its statement, read again from the archive, and against what its commit kept |
//! | `answers` | answers about single orders against the book that was made of them |
//! | `pages` | the reports on the disk against the ledger |
//! | `damage` | what is found, with its place |

mod answers;
mod archive;
mod chain;
mod damage;
mod pages;
mod unit;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use damage::{Damage, UnitProof, Verified};

use super::Talk;
use crate::acquire::Archive;
use crate::config::Settings;
use crate::domain::{BillDate, Failure};
use crate::plan::{Dates, Selection};
use crate::store::{KeptUnit, Ledger, RowDamage, UnitState};

/// How often a unit is looked at that a run replaces meanwhile.
const LOOKS_MAX: usize = 3;

/// Which units were asked for.
pub(super) struct Scope {
    days: Option<(BillDate, BillDate)>,
    accounts: Vec<String>,
}

impl Scope {
    fn of(selection: &Selection) -> Scope {
        let days = match selection.dates {
            Dates::Nightly => None,
            Dates::Day(date) => Some((date, date)),
            Dates::Range { from, to } => Some((from, to)),
        };
        Scope { days, accounts: selection.accounts.clone() }
    }

    fn is_all(&self) -> bool {
        self.days.is_none() && self.accounts.is_empty()
    }

    /// Whether a unit is among them. A date that is none, which nobody asks for, belongs to the whole.
    fn holds(&self, account: &str, date: &str) -> bool {
        let day = BillDate::parse(date);
        let in_days = |(from, to)| day.is_some_and(|day| from <= day && day <= to);
        self.days.is_none_or(in_days)
            && (self.accounts.is_empty() || self.accounts.iter().any(|a| a == account))
    }
}

/// What the parts work with.
struct Verifier<'v> {
    settings: &'v Settings,
    ledger: Ledger,
    archive: Arc<Archive>,
    scope: Scope,
    talk: &'v Talk,
}

/// Verifies what was asked for; everything, if nothing was.
///
/// # Errors
///
/// [`Exit::Storage`](crate::domain::Exit::Storage), [`Exit::Config`](crate::domain::Exit::Config): ledger or archive
/// cannot be read at all. What is damaged is no error here; it is in the result.
pub async fn verify(settings: &Settings, selection: &Selection, talk: &Talk) -> Result<Verified, Failure> {
    let verifier = Verifier {
        settings,
        ledger: Ledger::open_read_only(&settings.database).await?,
        archive: Arc::new(Archive::open_to_read(&settings.archive)),
        scope: Scope::of(selection),
        talk,
    };
    let mut found = Verified::default();
    let index = verifier.archive.read_index()?;
    archive::index(&verifier.archive, &index, &mut found);
    chain::walk(&verifier, &index, &mut found).await?;
    let objects = archive::objects(&verifier, &index, &mut found).await?;
    let units = verifier.ledger.kept_units().await?;
    let units: Vec<KeptUnit> =
        units.into_iter().filter(|unit| verifier.scope.holds(&unit.account, &unit.bill_date)).collect();
    archive::unkept(&verifier, &index, &units, &mut found);
    if units.is_empty() && !verifier.scope.is_all() {
        let nothing = "the ledger holds nothing of what was asked for; `nightjob status` shows its days";
        found.unproven.push(nothing.to_owned());
    }
    for unit in &units {
        unit::prove(&verifier, unit, (&index, &objects), &mut found).await?;
    }
    if verifier.scope.is_all() {
        of_nobody(&verifier, numbers(&units), &mut found).await?;
    }
    pages::hold(&verifier, &units, &mut found).await?;
    Ok(found)
}

/// Movements and orders that are there and belong to no unit: `explain` would tell of them.
async fn of_nobody(
    verifier: &Verifier<'_>,
    mut done: BTreeSet<i64>,
    found: &mut Verified,
) -> Result<(), Failure> {
    for _ in 0..LOOKS_MAX {
        let rows = verifier.ledger.rows_of_nobody(&done).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let now = numbers(&verifier.ledger.kept_units().await?);
        if now == done {
            let damage = |row: RowDamage| Damage::new("rows", row.place, (row.expected, row.found));
            rows.into_iter().for_each(|row| found.damage(damage(row)));
            return Ok(());
        }
        // A run has done more of them since.
        done = now;
    }
    found.unproven.push("a run was doing units while rows of none were looked for; verify again".to_owned());
    Ok(())
}

/// Of the units that are done.
fn numbers(units: &[KeptUnit]) -> BTreeSet<i64> {
    units.iter().filter(|unit| unit.state == UnitState::Done.as_str()).map(|unit| unit.number).collect()
}

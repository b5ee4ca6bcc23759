//! `status`: where every account stands on each of the last days. It reads, takes no lock, and exits 0 whatever it shows:
//! it is an answer, and the run that failed has had its own exit code. Scripts look at the JSON.

use std::collections::BTreeMap;

use super::answer::Answer;
use super::lost;
use super::start::Start;
use super::work::settings;
use crate::cli::Cli;
use crate::config::{SecretUse, Settings};
use crate::domain::{BillDate, Exit, Failure, Stage};
use crate::night;
use crate::plan::{self, Dates, Known};
use crate::report::status::{AccountRow, LastRun, Standing, Status};
use crate::report::{json, terminal};
use crate::store::{Ledger, RunLock, UnitState};

/// Without `--last` or named days: two weeks, which fit on any screen.
const DAYS: u64 = 14;

pub(super) async fn status(start: &Start, cli: &Cli, last: Option<u64>) -> Result<Answer, Failure> {
    let selection = cli.global.selection()?;
    let settings = settings(start, cli, SecretUse::Databases).await?;
    let today = start.today;
    let plan = plan::plan(&settings, &selection, today)?;
    let days = match (selection.dates, last) {
        (Dates::Nightly, last) => {
            (1..=last.unwrap_or(DAYS)).rev().map(|days| today.minus_days(days)).collect()
        }
        (_, None) => plan.dates.clone(),
        (_, Some(_)) => {
            return Err(Failure::new(
                Exit::Usage,
                "--last is the last days, --date, --from and --to name them",
            )
            .hint("give one of the two"));
        }
    };
    let ledger = Ledger::open_if_there(&settings.database).await?;
    let found = match &ledger {
        Some(ledger) => Found::read(ledger, settings.lag_days, &days).await?,
        None => Found::default(),
    };
    let holder = holder(&settings, ledger.as_ref()).await?;
    let mut names: Vec<(String, String)> = Vec::new();
    for account in plan.errands.iter().map(|errand| &errand.account) {
        names.push((account.name.clone(), account.pay_type().as_str().to_owned()));
    }
    let is_narrowed = cli.global.paytype.is_some() || !selection.accounts.is_empty();
    names.extend(
        found
            .units
            .iter()
            .filter(|_| !is_narrowed)
            .map(|((_, name), (pay_type, _))| (name.clone(), pay_type.clone())),
    );
    let status = Status {
        accounts: found.rows(names, &days, today.minus_days(settings.lag_days)),
        days,
        last_run: found.last_run,
        holder,
        has_ledger: ledger.is_some(),
        is_on_server: lost::is_on_server(&settings),
        lost: if ledger.is_some() { None } else { lost::archived(&settings)? },
    };
    let text = terminal::status(&status, &start.style(start.lang));
    Ok(Answer { fields: vec![("status", status.json())], ..Answer::text(text) })
}

/// Who is at work: on this machine, or on any that the ledger's database knows of.
async fn holder(settings: &Settings, ledger: Option<&Ledger>) -> Result<Option<String>, Failure> {
    let on_this_machine = RunLock::held_by(&RunLock::path_of(&settings.database, &settings.archive)?);
    match (on_this_machine, ledger) {
        (None, Some(ledger)) => ledger.held_by().await,
        (holder, _) => Ok(holder),
    }
}

/// What a ledger told.
#[derive(Default)]
struct Found {
    known: Known,
    /// Pay type and standing of the units that a run has come to.
    units: BTreeMap<(BillDate, String), (String, Standing)>,
    last_run: Option<LastRun>,
}

impl Found {
    async fn read(ledger: &Ledger, lag_days: u64, days: &[BillDate]) -> Result<Found, Failure> {
        let mut found = Found { known: night::known(ledger, lag_days, &[]).await?, ..Found::default() };
        for &date in days {
            for record in ledger.sections(date).await? {
                let section = json::read_section(&record.section).unwrap_or_default();
                let standing = Standing::of(&section, record.state == UnitState::Done);
                found.units.insert((date, record.account), (section.paytype, standing));
            }
        }
        let last = match ledger.first_and_last_run().await? {
            Some((_, last)) => ledger.run(last).await?,
            None => None,
        };
        found.last_run = last.map(|run| LastRun {
            started_at: run.started_at,
            finished_at: run.finished_at,
            exit: run.exit_code,
            arguments: run.arguments,
        });
        Ok(found)
    }

    /// A row for each name, the first time that it comes. `due` is the newest day whose night is over.
    fn rows(&self, names: Vec<(String, String)>, days: &[BillDate], due: BillDate) -> Vec<AccountRow> {
        let mut rows: Vec<AccountRow> = Vec::new();
        for (account, paytype) in names {
            if rows.iter().any(|row| row.account == account) {
                continue;
            }
            let unit = |day: &BillDate| match self.units.get(&(*day, account.clone())) {
                Some((_, standing)) => standing.clone(),
                None if *day > due => Standing::untouched(Stage::NotDue),
                None if self.known.is_owed(&account, *day) => Standing::untouched(Stage::Missing),
                None => Standing::untouched(Stage::NotOwed),
            };
            rows.push(AccountRow { units: days.iter().map(unit).collect(), account, paytype });
        }
        rows
    }
}

//! Where every account stands on each of the last days: the value behind `nightjob status`, and its JSON. The screen is
//! [`terminal::status`](super::terminal::status).

use serde_json::{Value, json};

use super::Section;
use crate::domain::{BillDate, Lang, Moment, Stage, Verdict};

/// One unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    pub stage: Stage,
    pub verdict: Verdict,
    /// Mismatches that are open.
    pub mismatches: usize,
    /// Of the statement that was compared; 0 without one.
    pub version: u32,
    /// Of what kept it from being compared.
    pub exit: Option<u8>,
    /// In the language of the reports.
    pub reason: String,
}

impl Standing {
    /// Of a unit that a run has come to.
    pub fn of(section: &Section, is_done: bool) -> Standing {
        let failure = section.exit.and_then(crate::domain::Exit::of_code);
        let nothing = section.conservation.lines.total.count == 0 && section.mismatches.is_empty();
        let is_proven = matches!(section.verdict(), Verdict::Balanced | Verdict::Confirmed);
        let stage = match (is_done, failure) {
            (true, _) if nothing && is_proven => Stage::Empty,
            (true, _) => Stage::Done,
            (false, Some(exit)) => Stage::after(exit),
            (false, None) => Stage::Failed,
        };
        let statement = section.inputs.iter().find(|input| input.kind == "statement");
        Standing {
            stage,
            verdict: section.verdict(),
            mismatches: section.mismatches.len(),
            version: statement.map_or(0, |input| input.version),
            exit: section.exit.filter(|_| !is_done),
            reason: section.reason.clone(),
        }
    }

    /// Of a unit that no run has come to.
    pub fn untouched(stage: Stage) -> Standing {
        let reason = String::new();
        Standing { stage, verdict: Verdict::NotCompared, mismatches: 0, version: 0, exit: None, reason }
    }
}

/// Accounts times days.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Ascending.
    pub days: Vec<BillDate>,
    /// Those of the configuration in its order, then by name those that only the ledger still knows.
    pub accounts: Vec<AccountRow>,
    pub last_run: Option<LastRun>,
    /// Who holds the lock.
    pub holder: Option<String>,
    /// The ledger is there.
    pub has_ledger: bool,
    /// It is kept on a server, whose tables `migrate` makes.
    pub is_on_server: bool,
    /// What the archive holds, where there is no ledger of it any more.
    pub lost: Option<Lost>,
}

/// Statements of the archive of which no ledger knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    pub statements: usize,
    pub first: BillDate,
    pub last: BillDate,
}

impl Lost {
    /// What has happened, and what to do about it.
    pub fn words(&self, is_on_server: bool, lang: Lang) -> (String, String) {
        let Lost { statements, first, last } = self;
        let again = format!("nightjob reconcile --from {first} --to {last}");
        let made = if is_on_server {
            lang.pick("先 `nightjob migrate`，再", "`nightjob migrate` and then ")
        } else {
            ""
        };
        lang.pick(
            (
                format!("账本不见了，而归档中有 {first} 至 {last} 的对账单 {statements} 份"),
                format!("请检查 `database`，恢复备份；或{made}用 `{again}` 由归档重建账本"),
            ),
            (
                format!(
                    "the ledger is gone, and the archive holds statements of {first} to {last} ({statements})"
                ),
                format!("check `database`, put a backup back in its place, or {made}`{again}` builds it anew from the archive"),
            ),
        )
    }
}

#[derive(Clone, Debug)]
pub struct AccountRow {
    pub account: String,
    pub paytype: String,
    /// One for each day.
    pub units: Vec<Standing>,
}

#[derive(Clone, Debug)]
pub struct LastRun {
    pub started_at: Moment,
    /// `None` while it runs, and for ever if it was killed.
    pub finished_at: Option<Moment>,
    pub exit: Option<u8>,
    pub arguments: String,
}

impl Status {
    /// Every unit with its account and day, day by day from the oldest.
    pub fn units(&self) -> impl Iterator<Item = (&AccountRow, BillDate, &Standing)> {
        self.days.iter().enumerate().flat_map(move |(at, day)| {
            self.accounts.iter().filter_map(move |row| Some((row, *day, row.units.get(at)?)))
        })
    }

    pub fn count(&self, stage: Stage) -> usize {
        self.units().filter(|(_, _, unit)| unit.stage == stage).count()
    }

    pub fn open_mismatches(&self) -> usize {
        self.units().map(|(_, _, unit)| unit.mismatches).sum()
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let unit = |(row, day, unit): (&AccountRow, BillDate, &Standing)| {
            json!({
                "account": row.account, "paytype": row.paytype, "bill_date": day.to_string(),
                "stage": unit.stage.as_str(), "verdict": unit.verdict.as_str(), "mismatches": unit.mismatches,
                "statement_version": unit.version, "exit_code": unit.exit, "reason": unit.reason,
            })
        };
        let counts = Stage::ALL.map(|stage| (stage.as_str().to_owned(), json!(self.count(stage))));
        let last_run = self.last_run.as_ref().map(|run| {
            json!({
                "started_at": run.started_at.to_string(),
                "finished_at": run.finished_at.map(|at| at.to_string()),
                "exit_code": run.exit, "arguments": run.arguments,
            })
        });
        let lost = self.lost.map(|lost| {
            json!({ "statements": lost.statements, "from": lost.first.to_string(), "to": lost.last.to_string() })
        });
        json!({
            "has_ledger": self.has_ledger,
            "lost_ledger": lost,
            "from": self.days.first().map(ToString::to_string),
            "to": self.days.last().map(ToString::to_string),
            "units": self.units().map(unit).collect::<Vec<Value>>(),
            "stages": counts.into_iter().collect::<serde_json::Map<String, Value>>(),
            "mismatches": self.open_mismatches(),
            "last_run": last_run,
            "lock": { "held": self.holder.is_some(), "holder": self.holder },
        })
    }
}

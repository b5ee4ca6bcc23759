//! A hand-made `status`: three accounts, a month, one unit of each kind.

use nightjob::domain::{BillDate, Moment, Stage, Verdict};
use nightjob::report::status::{AccountRow, LastRun, Standing, Status};

pub(crate) fn month() -> Status {
    let first = BillDate::parse("20161015").expect("a day");
    let days: Vec<BillDate> = (0..30).map(|number| first.plus_days(number)).collect();
    let row = |account: &str, special: &dyn Fn(u32) -> Option<Standing>| {
        let unit = |number: u32| special(number).unwrap_or_else(|| done(Verdict::Balanced, 0));
        AccountRow { account: account.into(), paytype: "WX".into(), units: (0..30).map(unit).collect() }
    };
    let accounts = vec![
        row("wx-1900012345", &|number| match number {
            3 => Some(done(Verdict::Unbalanced, 4)),
            17 => Some(done(Verdict::Unbalanced, 1_204)),
            20 => {
                Some(undone(Stage::Waiting, 7, "a statement is not ready yet: there is no file 20161104.csv"))
            }
            26 | 27 => Some(Standing::untouched(Stage::Missing)),
            28.. => Some(Standing::untouched(Stage::NotDue)),
            _ => None,
        }),
        row("mall-ali", &|number| match number {
            5 => Some(Standing { stage: Stage::Empty, ..done(Verdict::Balanced, 0) }),
            18 => Some(done(Verdict::Incomplete, 0)),
            19 => Some(undone(Stage::Failed, 5, "failed for reasons that may pass: connection refused")),
            21 => Some(undone(Stage::Quarantined, 8, "what came is kept in quarantine: \u{1b}[31mHTML")),
            26 | 27 => Some(Standing::untouched(Stage::Missing)),
            28.. => Some(Standing::untouched(Stage::NotDue)),
            _ => None,
        }),
        row("late", &|number| match number {
            ..24 => Some(Standing::untouched(Stage::NotOwed)),
            26 | 27 => Some(Standing::untouched(Stage::Missing)),
            28.. => Some(Standing::untouched(Stage::NotDue)),
            _ => None,
        }),
    ];
    let at = |text: &str| Moment::parse(text).expect("a moment");
    let last_run = Some(LastRun {
        started_at: at("2016-11-12 02:17:00"),
        finished_at: Some(at("2016-11-12 02:18:31")),
        exit: Some(8),
        arguments: "-q".into(),
    });
    Status { days, accounts, last_run, holder: None, has_ledger: true, is_on_server: false, lost: None }
}

/// The last two weeks of it, while a run is at work.
pub(crate) fn at_work() -> Status {
    let mut status = month();
    status.days.drain(..16);
    status.accounts.iter_mut().for_each(|row| drop(row.units.drain(..16)));
    status.last_run = status.last_run.map(|run| LastRun { finished_at: None, exit: None, ..run });
    status.holder = Some("process 4711 on till-1, since 2016-11-12 02:17:00: -q".into());
    status
}

fn done(verdict: Verdict, mismatches: usize) -> Standing {
    Standing { stage: Stage::Done, verdict, mismatches, version: 1, ..Standing::untouched(Stage::Done) }
}

fn undone(stage: Stage, exit: u8, reason: &str) -> Standing {
    Standing { exit: Some(exit), reason: reason.into(), ..Standing::untouched(stage) }
}

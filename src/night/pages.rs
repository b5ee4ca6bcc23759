//! The reports of a day, written from what the ledger keeps of every unit: filters narrow the work, never the report.
//!
//! Each file is written beside its place, synced, and renamed: finance never opens half a report.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::log::NightLog;
use super::unit::key;
use super::{House, Outcome};
use crate::domain::{BillDate, Currency, EntryKind, Errand, Exit, Failure, Moment, PayType, is_full};
use crate::failpoint::{planted, reach};
use crate::reconcile::{Timing, TimingKind};
use crate::report::section::{About, not_compared};
use crate::report::{self, HeldRow, Report, Section, UnclaimedRow};
use crate::store::{SectionRecord, UnitState};

/// Writes `report.json` and `mismatches.csv` of a day.
pub(super) async fn write(house: &House, date: BillDate, outcome: &mut Outcome) {
    let report = match report(house, date).await {
        Ok(report) => report,
        Err(failure) => return outcome.fail(date.to_string(), failure),
    };
    let folder = house.settings.reports.join(date.to_string());
    for (name, text) in
        [("report.json", report::json::write(&report)), ("mismatches.csv", report::csv::write(&report))]
    {
        let path = folder.join(name);
        match publish(&path, text.as_bytes()) {
            Ok(()) => outcome.wrote(shown(house, &path)),
            Err(error) => outcome.fail(date.to_string(), unwritable(&path, &error)),
        }
    }
}

/// The path as a person below the configuration's folder would write it.
fn shown(house: &House, path: &Path) -> String {
    path.strip_prefix(&house.settings.home).unwrap_or(path).display().to_string()
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let hint = match is_full(error) {
        true => "the ledger has the result; the disk is full: make space and run `nightjob report`",
        false => "the ledger has the result; make the folder writable and run `nightjob report`",
    };
    Failure::new(Exit::Storage, format!("{}: cannot write the report: {error}", path.display())).hint(hint)
}

fn publish(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    reach("report: make the folder")?;
    fs::create_dir_all(folder)?;
    let in_place = planted("report_in_place");
    let partial: PathBuf = if in_place { path.to_owned() } else { path.with_extension("partial") };
    reach("report: make a partial file")?;
    let mut file = File::create(&partial)?;
    reach("report: write")?;
    file.write_all(bytes)?;
    reach("report: sync")?;
    file.sync_all()?;
    drop(file);
    reach("report: rename")?;
    fs::rename(&partial, path)?;
    reach("report: sync the folder")?;
    sync_folder(folder)
}

/// A rename is durable once its folder is.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows has no handle to a folder that could be synced; NTFS journals the rename.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The day as a value: every configured unit, whichever run compared it.
pub(super) async fn report(house: &House, date: BillDate) -> Result<Report, Failure> {
    let settings = &house.settings;
    let mut sections = Vec::new();
    for record in house.ledger.sections(date).await? {
        let section = report::json::read_section(&record.section).map_err(|error| {
            let message =
                format!("the ledger's section of {} {date} cannot be read: {error}", record.account);
            Failure::new(Exit::Bug, message).hint("`nightjob reconcile` of that day writes it again")
        })?;
        sections.push(section);
    }
    let unclaimed = match house.ledger.unclaimed(date).await? {
        Some(rows) => serde_json::from_str(&rows)
            .map_err(|error| Failure::new(Exit::Bug, format!("unclaimed orders of {date}: {error}")))?,
        None => Vec::new(),
    };
    let accounts: Vec<_> = settings.accounts.iter().map(|a| (a.name.clone(), a.pay_type())).collect();
    let lang = settings.report_lang;
    Ok(report::day::report(report::day::Day {
        bill_date: date,
        lang,
        accounts: &accounts,
        sections,
        unclaimed,
    }))
}

/// What the channel held on the last day before this one that was compared (escrow).
pub(super) async fn held_before(house: &House, errand: &Errand) -> Result<Vec<Timing>, Failure> {
    /// A gap of more days than this is not bridged: nobody knows what was released meanwhile.
    const DAYS_BACK: u64 = 31;
    // Only the old gateway of Alipay has escrow trades (`spec/alipay.md` 6).
    if errand.account.pay_type() != PayType::Ali {
        return Ok(Vec::new());
    }
    for days in 1..=DAYS_BACK {
        let date = errand.date.minus_days(days);
        if let Some(before) = section(house, &Errand { date, ..errand.clone() }).await? {
            return Ok(before.held.iter().filter_map(held).collect());
        }
    }
    Ok(Vec::new())
}

fn held(row: &HeldRow) -> Option<Timing> {
    Some(Timing {
        kind: TimingKind::Held,
        entry: EntryKind::Payment,
        order_no: row.order_no.clone(),
        refund_no: String::new(),
        trade_no: row.trade_no.clone(),
        amount_minor: row.amount_minor,
        currency: Currency::parse(&row.currency).ok()?,
        other_day: None,
        gateway_time: Moment::parse(&row.since),
        channel_time: None,
    })
}

/// Keeps which orders of the day no account claims, and says so.
pub(super) async fn keep_unclaimed(house: &House, date: BillDate, log: &NightLog, outcome: &mut Outcome) {
    let of_day = log.folded().unclaimed.iter().filter(|unclaimed| unclaimed.day == date);
    let rows: Vec<UnclaimedRow> = of_day
        .map(|unclaimed| UnclaimedRow {
            seller: unclaimed.seller.clone(),
            req_type: unclaimed.req_type.clone(),
            orders: unclaimed.orders,
            successes_minor: unclaimed.successes_minor,
        })
        .collect();
    for row in &rows {
        let message = format!(
            "{} logged orders of REQ_TYPE {} with seller `{}` belong to no configured account",
            row.orders, row.req_type, row.seller
        );
        tracing::warn!(%date, req_type = row.req_type, seller = row.seller, "{date}: {message}");
        outcome.look(date.to_string(), message);
    }
    for (name, rows) in &log.folded().counters.unknown_types {
        let message = format!("{rows} log rows have the REQ_TYPE `{name}`, which stands for no pay type");
        tracing::warn!(%date, req_type = name, "{date}: {message}; see [paylog.req_types]");
        outcome.look(date.to_string(), message);
    }
    outcome.merge(log.alarms());
    match keeps_richer(house, date, &rows).await {
        Ok(false) => {}
        Ok(true) => {
            return outcome.look(date.to_string(), "orders that no account claims, kept from an earlier run");
        }
        Err(failure) => return outcome.fail(date.to_string(), failure),
    }
    let text = serde_json::to_string(&rows).unwrap_or_else(|_| "[]".to_owned());
    if let Err(failure) = house.ledger.put_unclaimed(date, &text).await {
        outcome.fail(date.to_string(), failure);
    }
}

/// Whether the ledger already knows of more unclaimed orders: the log was purged, or an account now claims them. The
/// second changes the configuration, and then the units' own orders grow; only then is the list made anew.
async fn keeps_richer(house: &House, date: BillDate, rows: &[UnclaimedRow]) -> Result<bool, Failure> {
    let Some(kept) = house.ledger.unclaimed(date).await? else { return Ok(false) };
    let kept: Vec<UnclaimedRow> = serde_json::from_str(&kept).unwrap_or_default();
    let count = |rows: &[UnclaimedRow]| rows.iter().map(|row| row.orders).sum::<u64>();
    let claims = crate::domain::Claims::new(&house.settings.accounts, &house.settings.paylog.req_types);
    let still_unclaimed = |row: &UnclaimedRow| {
        // By the names of the configuration: a REQ_TYPE of the site's own stands for a pay type, too.
        let pay_type = claims.pay_type(&row.req_type);
        pay_type.and_then(|pay_type| claims.owner(pay_type, &row.seller, "")).is_none()
    };
    Ok(count(&kept) > count(rows) && kept.iter().all(still_unclaimed))
}

/// Keeps why a unit was not compared, where no earlier result stands: every account and day has a row.
pub(super) async fn keep_failure(house: &House, errand: &Errand, failure: &Failure) -> Result<(), Failure> {
    let lang = house.settings.report_lang;
    let reason = format!("{}: {}", report::words::exit(failure.exit, lang), failure.message);
    let about = About::new(&errand.account.name, errand.account.pay_type(), lang);
    let section = Section { exit: Some(failure.exit.code()), ..not_compared(&reason, &about) };
    let section = report::json::write_section(&section);
    house.ledger.put_not_compared(&key(errand), &reason, &section).await.map(|_| ())
}

/// What the ledger keeps of a unit's report, if the unit was done.
pub(super) async fn done(house: &House, errand: &Errand) -> Result<Option<SectionRecord>, Failure> {
    let done =
        |record: &SectionRecord| record.account == errand.account.name && record.state == UnitState::Done;
    Ok(house.ledger.sections(errand.date).await?.into_iter().find(done))
}

/// A unit's section, if the unit was done and it can be read.
pub(super) async fn section(house: &House, errand: &Errand) -> Result<Option<Section>, Failure> {
    let record = done(house, errand).await?;
    Ok(record.and_then(|record| report::json::read_section(&record.section).ok()))
}

/// Ids of a unit's mismatches as its section has them.
pub(super) async fn open_ids(house: &House, errand: &Errand) -> Result<BTreeSet<String>, Failure> {
    let section = section(house, errand).await?;
    Ok(section.into_iter().flat_map(|section| section.mismatches).map(|row| row.id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_called_so() {
        let hint = |kind: io::ErrorKind| unwritable(Path::new("x"), &kind.into()).hint;
        assert!(hint(io::ErrorKind::QuotaExceeded).contains("the disk is full"));
        assert!(!hint(io::ErrorKind::PermissionDenied).contains("the disk is full"));
    }
}

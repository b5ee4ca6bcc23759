//! Accounts times dates: what a command will do, decided before anything starts.
//!
//! Pure functions of the settings, what was asked for, today, and (for [`Plan::catching_up`] and [`Plan::choosing`])
//! what a ledger was found to hold. Knows no file and no ledger itself.

mod catch_up;
mod known;
mod reprocess;

use std::sync::Arc;

use crate::config::{Settings, check_past, nearest, read_day};
use crate::domain::{Account, BillDate, Errand, Exit, Failure, PayType};

pub use catch_up::{Owed, keeps_days};
pub use known::{Known, Unit};
pub use reprocess::{Left, Reprocess, check_reprocess};

/// Days of one command. A quarter: no provider keeps more for download, and a slip of the year is caught.
pub const RANGE_DAYS_MAX: i64 = 92;
/// Nights that a set `sqe_date` is warned of.
pub const TRAP_DAYS: u64 = 14;

/// Which days were asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dates {
    /// None: the nightly run's own day.
    Nightly,
    Day(BillDate),
    /// Both ends included.
    Range {
        from: BillDate,
        to: BillDate,
    },
}

/// What the command line asked for, as it was typed.
#[derive(Clone, Debug)]
pub struct Selection {
    pub dates: Dates,
    /// Names; empty = all.
    pub accounts: Vec<String>,
}

impl Selection {
    /// The nightly run.
    pub fn nightly() -> Selection {
        Selection { dates: Dates::Nightly, accounts: Vec::new() }
    }
}

/// Where the bill date came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DateSource {
    /// `--date`, `--from`, `--to`
    CommandLine,
    /// The sticky `sqe_date`, with its trap.
    SqeDate,
    /// Today minus `lag_days`.
    Lag,
}

#[derive(Clone, Debug)]
pub struct Plan {
    /// Dates ascending, accounts in the order of the configuration, bills in the order of the account.
    pub errands: Vec<Errand>,
    /// The days of the errands, ascending.
    pub dates: Vec<BillDate>,
    pub source: DateSource,
    /// With [`DateSource::SqeDate`]: the days that the last [`TRAP_DAYS`] nights would have taken and did not,
    /// ascending; else empty. Those that were done in another way are still among them.
    pub left_out: Vec<BillDate>,
    /// Catch-up: the units of earlier days among the errands.
    pub owed: Vec<Owed>,
    /// Catch-up: undone units that the provider does not keep any more.
    pub out_of_reach: Vec<Owed>,
    /// `--reprocess`: units that are left as they are.
    pub left: Vec<Left>,
}

impl Plan {
    /// The day that the nightly run is for.
    pub fn own_day(&self) -> Option<BillDate> {
        self.dates.last().copied()
    }
}

/// Makes the plan.
///
/// # Errors
///
/// [`Exit::Usage`]: a date that is not over, a range upside down or too long, an account that is not configured
/// or that no listed pay type takes.
pub fn plan(settings: &Settings, selection: &Selection, today: BillDate) -> Result<Plan, Failure> {
    let (dates, source) = dates(settings, selection.dates, today)?;
    let accounts = accounts(settings, &selection.accounts)?;
    let errands =
        dates.iter().flat_map(|date| accounts.iter().flat_map(|account| bills(account, *date))).collect();
    let left_out = match (source, settings.sqe_date) {
        (DateSource::SqeDate, Some(stuck)) => left_out(settings, stuck, today),
        _ => Vec::new(),
    };
    let (owed, out_of_reach, left) = (Vec::new(), Vec::new(), Vec::new());
    Ok(Plan { errands, dates, source, left_out, owed, out_of_reach, left })
}

/// The one unit that `import` is about.
///
/// # Errors
///
/// [`Exit::Usage`]: not exactly one account and one day, and those of [`plan`].
pub fn single(
    settings: &Settings,
    selection: &Selection,
    today: BillDate,
) -> Result<(Arc<Account>, BillDate), Failure> {
    let ([name], Dates::Day(date)) = (selection.accounts.as_slice(), selection.dates) else {
        return Err(usage("an import is one account and one day", "give --account NAME and --date yyyyMMdd"));
    };
    check_day("--date", date, today)?;
    let account = settings.accounts.iter().find(|account| account.name == *name);
    account.map(|a| (Arc::new(a.clone()), date)).ok_or_else(|| no_account(settings, name))
}

/// Whether the accounts that were asked for exist, where any day may be asked for.
///
/// # Errors
///
/// [`Exit::Usage`] naming the one that does not.
pub fn check_selection(settings: &Settings, selection: &Selection) -> Result<(), Failure> {
    let known = |name: &String| settings.accounts.iter().any(|account| account.name == *name);
    let unknown = selection.accounts.iter().find(|name| !known(name));
    unknown.map_or(Ok(()), |name| Err(no_account(settings, name)))
}

/// Reads the texts of `--date`, `--from` and `--to`.
///
/// # Errors
///
/// [`Exit::Usage`]: texts that are no dates, quoted with the reason; flags that do not go together.
pub fn read_dates(date: Option<&str>, from: Option<&str>, to: Option<&str>) -> Result<Dates, Failure> {
    let read = |flag: &str, text: &str| {
        read_day(text).map_err(|reason| usage(format!("{flag}: `{text}` {reason}"), ""))
    };
    match (date, from, to) {
        (None, None, None) => Ok(Dates::Nightly),
        (Some(date), None, None) => read("--date", date).map(Dates::Day),
        (None, Some(from), Some(to)) => {
            Ok(Dates::Range { from: read("--from", from)?, to: read("--to", to)? })
        }
        (Some(_), _, _) => {
            Err(usage("--date is one day, --from and --to are a range", "give one of the two"))
        }
        (None, ..) => Err(usage("a range has two ends", "give both --from and --to, or --date for one day")),
    }
}

fn usage(message: impl Into<String>, hint: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message).hint(hint)
}

fn dates(settings: &Settings, asked: Dates, today: BillDate) -> Result<(Vec<BillDate>, DateSource), Failure> {
    match (asked, settings.sqe_date) {
        (Dates::Nightly, None) => Ok((vec![today.minus_days(settings.lag_days)], DateSource::Lag)),
        (Dates::Nightly, Some(stuck)) => Ok((vec![stuck], DateSource::SqeDate)),
        (Dates::Day(date), _) => {
            check_day("--date", date, today)?;
            Ok((vec![date], DateSource::CommandLine))
        }
        (Dates::Range { from, to }, _) => Ok((range(from, to, today)?, DateSource::CommandLine)),
    }
}

fn range(from: BillDate, to: BillDate, today: BillDate) -> Result<Vec<BillDate>, Failure> {
    let days = to.days_since(from) + 1;
    if days < 1 {
        return Err(usage(format!("--from {from} is after --to {to}"), "exchange them"));
    }
    check_day("--to", to, today)?;
    if days > RANGE_DAYS_MAX {
        let hint = format!("ask for at most {RANGE_DAYS_MAX} at a time");
        return Err(usage(format!("--from {from} --to {to} is {days} days"), hint));
    }
    Ok(std::iter::successors(Some(from), |date| Some(date.after())).take_while(|date| *date <= to).collect())
}

fn check_day(flag: &str, date: BillDate, today: BillDate) -> Result<(), Failure> {
    check_past(date, today)
        .map_err(|reason| usage(format!("{flag}: `{date}` {reason}"), format!("today is {today}")))
}

/// The configured accounts that a listed pay type takes, narrowed by name.
fn accounts(settings: &Settings, names: &[String]) -> Result<Vec<Arc<Account>>, Failure> {
    let listed = |account: &Account| settings.paytypes.iter().any(|p| account.pay_type().covered_by(*p));
    for name in names {
        match settings.accounts.iter().find(|account| account.name == *name) {
            None => return Err(no_account(settings, name)),
            Some(account) if !listed(account) => return Err(not_listed(settings, account)),
            Some(_) => (),
        }
    }
    let named = |account: &Account| names.is_empty() || names.contains(&account.name);
    let wanted = settings.accounts.iter().filter(|account| listed(account) && named(account));
    Ok(wanted.map(|account| Arc::new(account.clone())).collect())
}

fn no_account(settings: &Settings, name: &str) -> Failure {
    let names: Vec<&str> = settings.accounts.iter().map(|account| account.name.as_str()).collect();
    let near = nearest(name, &names).map_or(String::new(), |near| format!("did you mean `{near}`? "));
    usage(format!("--account: `{name}` is no account"), format!("{near}configured: {}", names.join(", ")))
}

fn not_listed(settings: &Settings, account: &Account) -> Failure {
    let list: Vec<&str> = settings.paytypes.iter().map(|p| PayType::as_str(*p)).collect();
    let (name, pay_type) = (&account.name, account.pay_type());
    let message = format!("--account: `{name}` takes {pay_type}, and the pay types are {}", list.join("|"));
    usage(message, format!("add --paytype {pay_type}"))
}

fn bills(account: &Arc<Account>, date: BillDate) -> impl Iterator<Item = Errand> {
    account.bills.iter().map(move |bill| Errand { account: Arc::clone(account), date, bill: *bill })
}

/// The days of the last nights, tonight's last, without the one that they all took instead.
fn left_out(settings: &Settings, stuck: BillDate, today: BillDate) -> Vec<BillDate> {
    let nights = (0..TRAP_DAYS).rev().map(|night| today.minus_days(settings.lag_days + night));
    nights.filter(|date| *date != stuck).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::channel::{Need, Room};
    use crate::config::{Flag, Request, World, settle};
    use crate::domain::{Bill, Stage};

    static FILES: Room = Room {
        code: "files",
        pay_types: &PayType::ALL,
        bills: &[Bill::Trade, Bill::FundFlow],
        needs: &[Need::option("path", "x")],
        check: |_| Ok(()),
        statements: None,
        queries: None,
    };

    const TODAY: &str = "20161110";

    fn day(text: &str) -> BillDate {
        BillDate::parse(text).expect(text)
    }

    /// `wx:WX ali:ALI two:ALI_20+fundflow`
    fn settings(accounts: &str, top: &str, pay_types: &str) -> Settings {
        let account = |text: &str| {
            let (name, pay_type) = text.split_once(':').expect("a pay type");
            let (pay_type, bills) = match pay_type.strip_suffix("+fundflow") {
                Some(pay_type) => (pay_type, "[\"trade\", \"fundflow\"]"),
                None => (pay_type, "[\"trade\"]"),
            };
            format!(
                "[[account]]\nname = \"{name}\"\npaytype = \"{pay_type}\"\nchannel = \"files\"\n\
                 merchant = \"1\"\nseller = \"{name}\"\nbills = {bills}\n"
            )
        };
        let accounts: String = accounts.split_whitespace().map(account).collect();
        let flags = vec![Flag { key: "paytype", name: "--paytype", text: pay_types.to_owned() }];
        let request = Request { rooms: &[&FILES], flags, ..Request::new() };
        let loaded =
            settle(&(top.to_owned() + &accounts), Path::new("h"), &request, &World::default(), day(TODAY));
        loaded.unwrap_or_else(|problems| panic!("{problems}")).settings
    }

    fn asked(line: &str) -> Selection {
        let words: Vec<&str> = line.split_whitespace().collect();
        let of = |flag: &str| words.iter().position(|w| *w == flag).map(|at| words[at + 1]);
        let accounts =
            of("account").map_or(Vec::new(), |names| names.split(',').map(str::to_owned).collect());
        Selection { dates: read_dates(of("date"), of("from"), of("to")).expect(line), accounts }
    }

    fn told(settings: &Settings, line: &str) -> Result<String, Failure> {
        let plan = plan(settings, &asked(line), day(TODAY))?;
        let errands: Vec<String> = plan.errands.iter().map(ToString::to_string).collect();
        Ok(errands.join(", "))
    }

    #[test]
    fn errands_in_order() {
        let all = "wx:WX ali:ALI two:ALI_20+fundflow tb:TB";
        for (pay_types, top, line, expected) in [
            ("WX", "", "", "wx 2016-11-08"),
            ("WX", "lag_days = 1\n", "", "wx 2016-11-09"),
            ("WX", "sqe_date = \"20160301\"\n", "", "wx 2016-03-01"),
            ("WX", "sqe_date = \"20160301\"\n", "date 20161107", "wx 2016-11-07"),
            ("TB|WX", "", "date 20161107", "wx 2016-11-07, tb 2016-11-07"),
            ("ALI", "", "", "ali 2016-11-08, two 2016-11-08, two 2016-11-08 fundflow"),
            ("ALI_20", "", "", "two 2016-11-08, two 2016-11-08 fundflow"),
            ("WX|ALI", "", "account ali,wx", "wx 2016-11-08, ali 2016-11-08"),
            (
                "WX|TB",
                "",
                "from 20160228 to 20160301",
                "wx 2016-02-28, tb 2016-02-28, wx 2016-02-29, tb 2016-02-29, wx 2016-03-01, tb 2016-03-01",
            ),
            ("WX", "", "from 20161109 to 20161109", "wx 2016-11-09"),
        ] {
            let told = told(&settings(all, top, pay_types), line);
            assert_eq!(told.as_deref(), Ok(expected), "{pay_types} {top} {line}");
        }
    }

    #[test]
    fn what_cannot_be_planned_is_wrong_usage() {
        let settings = settings("wx:WX ali:ALI tb:TB", "", "WX|ALI");
        for (line, words, hint) in [
            ("date 20161110", "--date: `2016-11-10` is today", "today is 2016-11-10"),
            ("date 20161111", "--date: `2016-11-11` is in the future", ""),
            ("from 20161101 to 20161110", "--to: `2016-11-10` is today", ""),
            ("from 20161102 to 20161101", "--from 2016-11-02 is after --to 2016-11-01", "exchange"),
            ("from 20160801 to 20161101", "is 93 days", "at most 92"),
            ("account wy", "`wy` is no account", "did you mean `wx`? configured: wx, ali, tb"),
            ("account WXX", "`WXX` is no account", ""),
            ("account wx,tb", "`tb` takes TB, and the pay types are WX|ALI", "add --paytype TB"),
        ] {
            let failure = told(&settings, line).expect_err(line);
            assert_eq!(failure.exit, Exit::Usage, "{line}");
            assert!(failure.message.contains(words), "{line}: {failure}");
            assert!(failure.hint.contains(hint), "{line}: {}", failure.hint);
        }
        assert!(told(&settings, "from 20160802 to 20161101").is_ok(), "92 days");
    }

    #[test]
    fn a_set_sqe_date_names_the_days_it_kept_from_being_done() {
        let stuck = settings("wx:WX", "sqe_date = \"20161101\"\n", "WX");
        let plan_of = |line: &str| plan(&stuck, &asked(line), day(TODAY)).expect(line);
        let trapped = plan_of("");
        assert_eq!(trapped.source, DateSource::SqeDate);
        let expected =
            (26..=31).map(|d| day(&format!("201610{d}"))).chain((2..=8).map(|d| day(&format!("2016110{d}"))));
        assert_eq!(trapped.left_out, expected.collect::<Vec<_>>());
        assert_eq!(trapped.left_out.len(), 13, "14 nights, one of which took its own day");
        let asked_for = plan_of("date 20161101");
        assert_eq!((asked_for.source, asked_for.left_out.len()), (DateSource::CommandLine, 0));
        let free = plan(&settings("wx:WX", "", "WX"), &Selection::nightly(), day(TODAY)).expect("a plan");
        assert_eq!((free.source, free.left_out.len()), (DateSource::Lag, 0));
    }

    /// `05 wx done`: units of November 2016, and the day of the first night.
    fn ledger(first_night: &str, units: &str) -> Known {
        let mut known = Known { first_night: BillDate::parse(first_night), ..Known::default() };
        for unit in units.split(", ").filter(|unit| !unit.is_empty()) {
            let [number, account, stage] = unit.split(' ').collect::<Vec<_>>()[..] else { panic!("{unit}") };
            let date = day(&format!("201611{number}"));
            let stage = Stage::ALL.into_iter().find(|known| known.as_str() == stage).expect(stage);
            known.units.insert((date, account.to_owned()), Unit { stage, version: 2 });
            let first = known.first_days.entry(account.to_owned()).or_insert(date);
            *first = date.min(*first);
        }
        known
    }

    #[test]
    fn a_bare_night_fills_what_was_left_undone_and_nothing_before_the_beginning() {
        let of = |top: &str| settings("wx:WX ali:ALI", top, "WX|ALI");
        for (top, line, first_night, units, expected) in [
            ("", "", "", "", ""),
            ("", "", "20161108", "08 wx failed", ""),
            ("", "", "20161105", "05 wx done", "06 wx missing, 07 wx missing"),
            ("", "", "20161106", "01 wx done", "06 wx missing, 07 wx missing"),
            (
                "",
                "",
                "20161105",
                "05 wx waiting, 06 wx empty, 07 wx quarantined, 07 ali failed",
                "05 wx waiting, 07 wx quarantined, 07 ali failed",
            ),
            ("", "account ali", "20161105", "05 wx done, 06 ali done", "07 ali missing"),
            ("", "", "20161001", "01 wx done", "01 wx missing, 02 wx missing, 03 wx missing, 04 wx missing"),
            ("", "date 20161108", "20161105", "05 wx done", ""),
            ("", "from 20161108 to 20161108", "20161105", "05 wx done", ""),
            ("sqe_date = \"20161108\"\n", "", "20161105", "05 wx done", ""),
        ] {
            let of = of(top);
            let plan = plan(&of, &asked(line), day(TODAY)).expect(line);
            let mut known = ledger(first_night, units);
            let mut expected = expected.to_owned();
            if first_night == "20161001" {
                // A long time ago: the last seven days, and no more.
                known.units.clear();
                expected += ", 05 wx missing, 06 wx missing, 07 wx missing";
            }
            let alone = plan.errands.len();
            let plan = plan.catching_up(7, &known, day(TODAY));
            let owed = plan.owed.iter().map(|unit| {
                format!("{} {} {}", &unit.date.to_string()[8..], unit.account.name, unit.stage.as_str())
            });
            assert_eq!(owed.collect::<Vec<_>>().join(", "), expected, "{top}{line} {units}");
            assert_eq!(plan.errands.len(), alone + plan.owed.len(), "{units}");
            assert!(plan.dates.is_sorted() && plan.own_day() == Some(day("20161108")), "{:?}", plan.dates);
        }
    }

    #[test]
    fn what_is_done_again_of_named_days_is_a_choice() {
        let settings = settings("wx:WX", "", "WX");
        let known =
            ledger("20161101", "04 wx done, 05 wx empty, 06 wx waiting, 07 wx failed, 08 wx quarantined");
        for (which, expected) in [
            (Reprocess::Missing, "03 06"),
            (Reprocess::Failed, "03 06 07 08"),
            (Reprocess::All, "03 04 05 06 07 08"),
        ] {
            let asked = asked("from 20161103 to 20161108");
            let plan = plan(&settings, &asked, day(TODAY)).expect("a plan").choosing(which, &known);
            let days: Vec<String> = plan.errands.iter().map(|e| e.date.to_string()[8..].to_owned()).collect();
            assert_eq!(days.join(" "), expected);
            assert_eq!((plan.dates.len(), plan.left.len()), (days.len(), 6 - days.len()));
        }
        for line in ["date 20161103", "from 20161103 to 20161104"] {
            assert_eq!(check_reprocess(&asked(line), Some(Reprocess::Missing)), Ok(()));
        }
        assert!(check_reprocess(&asked(""), Some(Reprocess::All)).is_err_and(|f| f.exit == Exit::Usage));
        assert_eq!(check_reprocess(&asked(""), None), Ok(()));
    }

    #[test]
    fn an_import_is_one_account_and_one_day() {
        let settings = settings("wx:WX tb:TB", "", "WX");
        let unit =
            |line: &str| single(&settings, &asked(line), day(TODAY)).map(|(a, d)| format!("{} {d}", a.name));
        assert_eq!(unit("account tb date 20161101").as_deref(), Ok("tb 2016-11-01"), "also off the list");
        for line in
            ["", "account wx", "date 20161101", "account wx,tb date 20161101", "account wx date 20161110"]
        {
            assert!(unit(line).is_err_and(|failure| failure.exit == Exit::Usage), "{line}");
        }
        assert!(unit("account xx date 20161101").is_err_and(|f| f.message.contains("`xx` is no account")));
    }
}

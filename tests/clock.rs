//! One clock, in UTC+8, read once for the bill date: forty instants in six host zones with three behaviours of the clock,
//! each by the real program (`background/reliability_ux.md` 1.8).

mod common;
#[allow(dead_code, reason = "a part of it is used here")]
#[path = "common/site.rs"]
mod site;

use std::sync::atomic::{AtomicUsize, Ordering};

use site::{SiteFolder, ran};

/// Now, as a scheduler's machine would write it, and the bill date: two days before in UTC+8.
const INSTANTS: [(&str, &str); 40] = [
    // The minutes around midnight and around ten, when the providers' bills are ready; each in another zone's words.
    ("2016-11-09T23:59:59+08:00", "2016-11-07"),
    ("2016-11-10T00:00:00+08:00", "2016-11-08"),
    ("2016-11-10T00:00:59+08:00", "2016-11-08"),
    ("2016-11-09T15:59:59Z", "2016-11-07"),
    ("2016-11-09T16:00:00Z", "2016-11-08"),
    ("2016-11-09T11:00:00-05:00", "2016-11-08"),
    ("2016-11-10T05:59:59+14:00", "2016-11-07"),
    ("2016-11-10T06:00:00+14:00", "2016-11-08"),
    ("2016-11-10T09:59:59+08:00", "2016-11-08"),
    ("2016-11-10T10:00:00+08:00", "2016-11-08"),
    ("2016-11-10T07:30:00+05:30", "2016-11-08"),
    ("2016-11-10T10:00:59.999+08:00", "2016-11-08"),
    // Leap days, and the years that have none.
    ("2024-02-29T02:17:00+08:00", "2024-02-27"),
    ("2024-03-01T02:17:00+08:00", "2024-02-28"),
    ("2024-03-02T02:17:00+08:00", "2024-02-29"),
    ("2023-03-01T02:17:00+08:00", "2023-02-27"),
    ("2023-03-02T02:17:00+08:00", "2023-02-28"),
    ("2000-03-02T02:17:00+08:00", "2000-02-29"),
    ("2100-03-01T02:17:00+08:00", "2100-02-27"),
    ("2100-03-02T02:17:00+08:00", "2100-02-28"),
    // Ends of years, here and elsewhere, and the 53rd week.
    ("2016-12-31T23:59:59+08:00", "2016-12-29"),
    ("2017-01-01T00:00:00+08:00", "2016-12-30"),
    ("2016-12-31T16:00:00Z", "2016-12-30"),
    ("2017-01-02T02:17:00+08:00", "2016-12-31"),
    ("2017-01-03T02:17:00+08:00", "2017-01-01"),
    ("2021-01-03T23:00:00+08:00", "2021-01-01"),
    // Ends of months.
    ("2016-12-01T02:17:00+08:00", "2016-11-29"),
    ("2017-05-02T02:17:00+08:00", "2017-04-30"),
    // Summer time elsewhere: the gap and the fold of New York and Berlin.
    ("2017-03-12T02:30:00-05:00", "2017-03-10"),
    ("2017-11-05T01:30:00-04:00", "2017-11-03"),
    ("2017-03-26T02:30:00+01:00", "2017-03-24"),
    ("2017-10-29T02:30:00+02:00", "2017-10-27"),
    // China's own summer time of 1986 to 1991 is not in UTC+8: 23:30 by that clock is 22:30 of the same day here.
    ("1988-07-01T23:30:00+09:00", "1988-06-29"),
    ("1988-07-02T00:30:00+09:00", "1988-06-29"),
    ("1986-05-04T02:00:00+08:00", "1986-05-02"),
    ("1991-09-15T01:30:00+08:00", "1991-09-13"),
    // A leap second, and the end of 32 bits.
    ("2016-12-31T23:59:60Z", "2016-12-30"),
    ("2038-01-19T03:14:07Z", "2038-01-17"),
    ("2038-01-19T03:14:08Z", "2038-01-17"),
    // Within the long closure of the new year: days of nothing are days all the same.
    ("2017-01-29T02:17:00+08:00", "2017-01-27"),
];

const ZONES: [&str; 6] =
    ["Asia/Shanghai", "UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Kiritimati"];

/// Seconds by which the clock jumps once it was read: not at all, an hour back, two days ahead.
const JUMPS: [&str; 3] = ["0", "-3600", "172800"];

fn site() -> SiteFolder {
    let site = SiteFolder::with_local_file();
    site.log([]);
    site
}

/// The program's command at an instant, on a machine of a zone.
fn at(site: &SiteFolder, arguments: &[&str], (now, zone, jump): (&str, &str, &str)) -> site::Ran {
    let mut command = site.command(arguments);
    command.env("NIGHTJOB_NOW", now).env("TZ", zone).env("NIGHTJOB_CLOCK", jump);
    ran(command.output().expect("the program"))
}

#[test]
fn the_bill_date_is_the_same_in_every_zone_and_whatever_the_clock_does() {
    let site = site();
    let cases: Vec<_> = INSTANTS
        .iter()
        .flat_map(|(now, date)| {
            ZONES.iter().flat_map(move |zone| JUMPS.map(|jump| (*now, *date, *zone, jump)))
        })
        .collect();
    let held = AtomicUsize::new(0);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |count| count.get()) {
            scope.spawn(|| {
                while let Some((now, date, zone, jump)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let told = at(&site, &["plan", "--json"], (now, zone, jump)).expect(0);
                    let plan: serde_json::Value = serde_json::from_str(&told.out).expect("one document");
                    let dates: Vec<&str> = plan["plan"]
                        .as_array()
                        .expect("units")
                        .iter()
                        .filter_map(|unit| unit["bill_date"].as_str())
                        .collect();
                    assert_eq!(dates, [*date], "{now} in {zone}, jump {jump}");
                    held.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(held.into_inner(), 720);
    println!("clock: 720 of 720");
}

/// A whole night for each instant, zones and behaviours in turn: the folder of the report is the bill date's.
#[test]
fn a_night_is_about_the_day_on_which_it_began() {
    for (number, (now, date)) in INSTANTS.iter().enumerate() {
        let site = site();
        let which = (*now, ZONES[number % ZONES.len()], JUMPS[number % JUMPS.len()]);
        // Nobody has put a statement there: not ready, and the report says so.
        at(&site, &[], which).expect(7);
        let reports = std::fs::read_dir(site.path("reports")).expect("reports").flatten();
        let days: Vec<String> = reports.map(|day| day.file_name().to_string_lossy().into_owned()).collect();
        assert_eq!(days, [*date], "{which:?}");
    }
}

/// Without `NIGHTJOB_NOW` it is the machine's clock, and still not its zone.
#[test]
fn the_machines_clock_is_read_without_its_zone() {
    let site = site();
    let planned = |zone: &str| {
        let mut command = site.command(&["plan", "--json"]);
        ran(command.env_remove("NIGHTJOB_NOW").env("TZ", zone).output().expect("the program")).expect(0).out
    };
    let all = || ZONES.map(planned);
    let same = |told: &[String; 6]| told.iter().all(|one| *one == told[0]);
    // Midnight may come in between, but not twice.
    assert!(same(&all()) || same(&all()));
}

#[test]
fn what_is_no_instant_is_refused() {
    for now in [
        "2016-11-10",
        "2016-11-10 02:17:00",
        "2016-11-10T02:17:00",
        "2016-11-10T24:00:00+08:00",
        "2016-11-10T02:60:00+08:00",
        "2016-02-30T02:17:00+08:00",
        "2016-11-10T02:17:00+24:00",
        "20161110",
        "now",
    ] {
        let site = SiteFolder::with_local_file();
        let told = ran(site.command(&["plan"]).env("NIGHTJOB_NOW", now).output().expect("the program"));
        told.expect(2).says("is no instant");
    }
}

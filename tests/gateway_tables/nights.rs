//! Whole nights whose log is kept elsewhere: the same bytes of report, and no password anywhere.

use nightjob::sandbox::{Faults, Site};
use nightjob::store::OwnedLogRow;

use crate::logs::{fill, odbc, table};
use crate::servers::{self, Database};
use crate::site::Ran;
use crate::town::{self, Town};

/// What a driver manager needs to know; the program is started without anything else.
fn variables() -> Vec<(&'static str, String)> {
    let text = |name: &'static str| (name, std::env::var(name).expect("scripts/with-servers"));
    vec![text("ODBCINI"), text("ODBCSYSINI")]
}

fn run(town: &Town, arguments: &[&str], more: &[(&str, &str)]) -> Ran {
    let own = variables();
    let mut all: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend(more);
    town.run_with(arguments, &all)
}

/// The town's log in a server's database.
fn move_log(town: &Town, database: &Database) {
    database.execute(&table(database.engine, "EB_PAYLOG"));
    let rows: Vec<OwnedLogRow> = town.day.rows().map(nightjob::command::logged).collect();
    fill(database, "EB_PAYLOG", &rows);
}

fn reports(town: &Town) -> [String; 2] {
    [town.text("reports/2016-11-08/report.json"), town.mismatches()]
}

/// An address without its password, which a reference names.
fn referred(database: &Database, reference: &str) -> String {
    format!("{}?password={reference}", database.url.replace(":pw@", "@"))
}

#[test]
fn the_same_night_gives_the_same_report_wherever_the_log_is() {
    let town = Town::new(&town::usual(150, Faults::Spread(25)), Vec::new());
    run(&town, &[], &[]).expect(10);
    let expected = reports(&town);
    let (postgres, mysql) = (servers::postgres(), servers::mysql());
    move_log(&town, &postgres);
    move_log(&town, &mysql);
    std::fs::remove_file(town.path("ttpayment.db")).expect("the file is not needed any more");
    town.write("secrets/paylog.pwd", "pw\n");
    town.write("secrets/paylog.address", &postgres.url);
    for (address, more) in [
        (referred(&postgres, "file:secrets/paylog.pwd"), ("LANG", "en")),
        ("file:secrets/paylog.address".to_owned(), ("LANG", "en")),
        (referred(&mysql, "env:NIGHTJOB_LOG_PASSWORD"), ("NIGHTJOB_LOG_PASSWORD", "pw")),
        (odbc("postgres", &postgres), ("LANG", "en")),
        (format!("{};uid=night;pwd=file:secrets/paylog.pwd;", odbc("mariadb", &mysql)), ("LANG", "en")),
    ] {
        town.forget();
        let config = town.text("nightjob.toml");
        let line =
            config.lines().find(|line| line.contains("ttpayment.db")).expect("the log's address").to_owned();
        town.replace(&line, &format!("database = \"{address}\""));
        run(&town, &[], &[more]).expect(10);
        assert!(reports(&town) == expected, "{address}: another report");
        // Commands without network need the address, too; and nobody prints what it leads to.
        run(&town, &["reconcile", "--date", "20161108"], &[more]).expect(10);
        assert!(reports(&town) == expected, "{address}: another report");
        let shown = run(&town, &["config", "show"], &[]).expect(0);
        assert!(!shown.out.contains(":pw@") && !shown.out.contains("pwd=pw"), "{}", shown.out);
        town.write("nightjob.toml", &config);
    }
}

#[test]
fn a_password_that_is_not_there_stops_the_night_before_it_begins() {
    let town = Town::new(&town::usual(20, Faults::Spread(0)), Vec::new());
    let address = "postgres://u@127.0.0.1:1/x?password=env:NIGHTJOB_NOWHERE";
    let variable = ("NIGHTJOB_PAYLOG__DATABASE", address);
    for arguments in [&["reconcile"][..], &["run"], &["config", "check"]] {
        run(&town, arguments, &[variable]).expect(3).says("NIGHTJOB_NOWHERE is not set");
    }
    run(&town, &["config", "show"], &[variable]).expect(0);
}

/// Nothing but the old program's file, and its DSN.
#[test]
fn a_night_from_the_old_configuration_and_its_data_source() {
    let town = Town::new(&town::usual(80, Faults::Spread(12)), Vec::new());
    let postgres = servers::postgres();
    move_log(&town, &postgres);
    std::fs::remove_file(town.path("ttpayment.db")).expect("the log is in the database");
    let mut sql = "CREATE TABLE EB_SELLER (EB_SELLER_ID varchar(20), EB_DESC varchar(90), XF_CUSTOMERID varchar(20));
        CREATE TABLE EB_SELLER_WX (EB_SELLER_ID varchar(20), PARTNERKEY varchar(64), APPID varchar(64), CERPATH varchar(64),
            CERTPWD varchar(64), USER_ID varchar(64), MCH_ID numeric(12), ISUNDERTT varchar(1));\n"
        .to_owned();
    let site = Site::of(&town.day);
    let own = |channel: &str, sub: &str| channel == "wechat_v2" && sub.is_empty();
    for account in site.accounts.iter().filter(|account| own(account.channel, account.sub_merchant)) {
        for seller in account.sellers() {
            let (app, merchant, key) = (account.app_id, account.merchant, account.api_key);
            sql += &format!(
                "INSERT INTO EB_SELLER VALUES ('{seller}', '店', 'TECHTRANS');
                 INSERT INTO EB_SELLER_WX VALUES ('{seller}', '{key}', '{app}', 'a', 'p', 'u', {merchant}, '');\n"
            );
        }
    }
    postgres.execute(&sql);
    town.write(
        "nightjob.exe.config",
        &format!(
            "<configuration><appSettings><add key=\"PAYTPYE\" value=\"WX\"/><add key=\"SqeDate\" value=\"\"/>\
             <add key=\"DbType\" value=\"ORACLE\"/><add key=\"DbConnectionType\" value=\"ODBC\"/>\
             <add key=\"DbConnectionString\" value=\"\r\nDSN=nightjob_postgres;Database={};uid=night;pwd=pw;\"/>\
             </appSettings></configuration>",
            postgres.name
        ),
    );
    let url = format!("wechat_v2.url=http://{}", town.providers.addr);
    let direct = [("NIGHTJOB_SELLERS__ROUTE", "direct"), ("NIGHTJOB_SELLERS__OPTIONS", url.as_str())];
    let config = ["--config", "nightjob.exe.config"];
    run(&town, &config, &direct).expect(10).says("wx-1900012345 2016-11-08 unbalanced");
    assert!(town.mismatches().lines().count() > 1, "{}", town.mismatches());
    let shown = run(&town, &["--config", "nightjob.exe.config", "config", "show"], &direct).expect(0);
    assert!(
        shown.out.contains("account.wx-1900012345.merchant") && !shown.out.contains("pwd=pw"),
        "{}",
        shown.out
    );
}

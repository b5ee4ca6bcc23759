//! Accounts that stand in no nightjob.toml: from the gateway's tables, and from the old configuration.

use std::path::Path;
use std::sync::Arc;

use nightjob::domain::{BillDate, Lang};
use nightjob::sandbox::{self, DayPlan, Faults, Running, Site};
use nightjob::store::SampleLog;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::site::{Ran, command, ran};

/// A simulated day with its providers; the sandbox's own configuration, and the gateway's tables in the log's database.
struct Town {
    dir: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    providers: Running,
}

impl Town {
    fn new() -> Town {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("threads");
        let date = BillDate::parse("20161108").expect("a day");
        let plan = DayPlan { orders: 120, faults: Faults::Spread(12), ..DayPlan::new(date, 11) };
        let day = Arc::new(sandbox::simulate(&plan));
        let providers = runtime.block_on(sandbox::start(day.clone(), Vec::new(), 0)).expect("a free port");
        let dir = tempfile::tempdir().expect("a folder");
        let site = Site::of(&day);
        site.write_files(dir.path(), providers.addr, Lang::En).expect("files");
        let mut log = SampleLog::create(&dir.path().join("ttpayment.db")).expect("a log");
        log.insert(day.rows().map(nightjob::command::logged)).expect("rows");
        runtime.block_on(log.finish()).expect("a log");
        let tables = tables(&site, dir.path());
        runtime.block_on(execute(&dir.path().join("ttpayment.db"), tables));
        Town { dir, runtime, providers }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).expect("a file");
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = command(self.dir.path(), arguments);
        command.envs(variables.iter().copied());
        ran(command.output().expect("the program"))
    }

    /// The mismatches of the day, without the ids and accounts that differ by name.
    fn mismatches(&self) -> Vec<String> {
        let path = self.dir.path().join("reports/2016-11-08/mismatches.csv");
        let text = std::fs::read_to_string(path).expect("a report");
        let rows = text.lines().skip(1).map(|row| row.splitn(4, ',').nth(3).unwrap_or("").to_owned());
        let mut rows: Vec<String> = rows.collect();
        rows.sort();
        rows
    }

    /// As before the first night.
    fn forget(&self) {
        for folder in ["data", "reports"] {
            std::fs::remove_dir_all(self.dir.path().join(folder)).expect("a folder");
        }
    }

    fn end(self) {
        self.runtime.block_on(self.providers.shutdown());
    }
}

async fn execute(path: &Path, sql: String) {
    let url = format!("sqlite:{}", path.display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("a database");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("sound SQL");
    connection.close().await.expect("closed");
}

/// The sandbox's accounts as rows of EB_SELLER, EB_SELLER_WX and EB_SELLER_ALI_20, as the manual fills them.
fn tables(site: &Site, dir: &Path) -> String {
    let mut sql = String::from(
        "CREATE TABLE EB_SELLER (EB_SELLER_ID TEXT, EB_DESC TEXT, XF_CUSTOMERID TEXT);
         CREATE TABLE EB_SELLER_WX (EB_SELLER_ID TEXT, PARTNERKEY TEXT, APPID TEXT, CERPATH TEXT, CERTPWD TEXT,
             USER_ID TEXT, MCH_ID TEXT, ISUNDERTT TEXT);
         CREATE TABLE EB_SELLER_ALI_20 (EB_SELLER_ID TEXT, APPID_ALI TEXT, MERCHANT_PRIVATE_KEY TEXT, ALI_SHOPID TEXT,
             ALI_TOKEN TEXT, ALI_ISKOUBEI TEXT, ALI_ISUNDERTT TEXT);
         CREATE TABLE EB_SELLER_TT (EB_SELLER_ID TEXT);\n",
    );
    let mut sellers: Vec<&str> = site.accounts.iter().flat_map(|account| account.sellers()).collect();
    sellers.sort_unstable();
    sellers.dedup();
    for seller in sellers {
        sql += &format!("INSERT INTO EB_SELLER VALUES ('{seller}', '店', 'TECHTRANS');\n");
    }
    for account in &site.accounts {
        for seller in account.sellers() {
            let (app, merchant, key) = (account.app_id, account.merchant, account.api_key);
            sql += &if account.channel == "alipay_open" {
                let file = dir.join(format!("secrets/{}.private.pem", account.name));
                let pem = std::fs::read_to_string(file).expect("a key");
                format!(
                    "INSERT INTO EB_SELLER_ALI_20 VALUES ('{seller}', '{app}', '{pem}', 's', '', '0', '0');\n"
                )
            } else if account.sub_merchant.is_empty() {
                format!(
                    "INSERT INTO EB_SELLER_WX VALUES ('{seller}', '{key}', '{app}', 'a', 'p', 'u', '{merchant}', '');\n"
                )
            } else {
                let sub = account.sub_merchant;
                format!(
                    "INSERT INTO EB_SELLER_WX VALUES ('{seller}', '', '', 'a', '{merchant}', '{merchant}', '{sub}', '1');\n"
                )
            };
        }
    }
    sql
}

/// A configuration without an account but the service provider's, which lends its keys.
fn tables_only(town: &Town) -> String {
    let providers = town.providers.addr;
    format!(
        "paytype = \"WX|ALI\"\nreport_lang = \"en\"\n\n[paylog]\ndatabase = \"sqlite:ttpayment.db\"\n\n\
         [sellers]\nfrom_database = true\nroute = \"direct\"\nprovider_wx = \"provider\"\n\
         partners = [\"2014900000000011=2088900000000018\"]\n\
         options = [\n  \"wechat_v2.url=http://{providers}\",\n  \"alipay_open.url=http://{providers}/gateway.do\",\n  \
         \"alipay_open.download_hosts={providers}\",\n  \
         \"alipay_open.alipay_public_key=file:secrets/mall-ali.alipay.pem\",\n]\n\n\
         [[account]]\nname = \"provider\"\npaytype = \"WX\"\nchannel = \"wechat_v2\"\nmerchant = \"1900054321\"\n\
         app_id = \"wxfedcba9876543210\"\nkey = \"file:secrets/mall-wx-sub.key\"\nsign_type = \"HMAC-SHA256\"\n\
         url = \"http://{providers}\"\n"
    )
}

#[test]
fn accounts_only_from_the_gateways_tables_find_what_written_ones_find() {
    let town = Town::new();
    town.run(&[], &[]).expect(10);
    let written = town.mismatches();
    assert!(written.len() >= 10, "{written:?}");
    town.forget();
    town.write("nightjob.toml", &tables_only(&town));
    let night = town
        .run(&[], &[])
        .expect(10)
        .says("EB_SELLER_TT is a table that the gateway's manual does not describe");
    assert!(!night.out.contains("no configured account"), "{}", night.out);
    assert_eq!(town.mismatches(), written);
    town.run(&["plan"], &[]).expect(0).says("wx-1600098765").says("ali-2088900000000018");
    town.run(&["config", "check"], &[]).expect(0).says("3 accounts");
    let shown =
        town.run(&["config", "show"], &[]).expect(0).says("EB_SELLER_WX").says("sellers.from_database");
    let key = wechat_key(&town);
    assert!(!shown.out.contains(&key), "{}", shown.out);
    for command in [&["reconcile"][..], &["report"]] {
        town.run(command, &[]).expect(10);
        assert_eq!(town.mismatches(), written, "{command:?}");
    }
    town.run(&["--account", "wx-1900012345"], &[]).expect(10);
    town.run(&["explain", "NOPE"], &[]).expect(2);
    town.end();
}

/// A key that stands in the tables.
fn wechat_key(town: &Town) -> String {
    std::fs::read_to_string(town.dir.path().join("secrets/mall-wx.key")).expect("a key").trim().to_owned()
}

#[test]
fn a_night_from_the_old_configuration_and_one_variable() {
    let town = Town::new();
    town.run(&["--paytype", "WX", "--account", "mall-wx"], &[]).says("mall-wx");
    town.write(
        "nightjob.exe.config",
        "<?xml version=\"1.0\"?>\r\n<configuration>\r\n  <appSettings>\r\n    <add key=\"PAYTPYE\" value=\"WX\"/>\r\n    \
         <add key=\"SqeDate\" value=\"\"/>\r\n    <add key=\"DbConnectionString\" value=\"\r\nDSN=ttpay;uid=ttpay;pwd=CANARY;\"/>\r\n  \
         </appSettings>\r\n</configuration>\r\n",
    );
    let url = format!("wechat_v2.url=http://{}", town.providers.addr);
    let direct = [("NIGHTJOB_SELLERS__ROUTE", "direct"), ("NIGHTJOB_SELLERS__OPTIONS", url.as_str())];
    let config = ["--config", "nightjob.exe.config"];
    let refused =
        // No such data source here; and without the feature, no ODBC at all.
        town.run(&config, &direct).expect(3).says("odbc:ttpay");
    assert!(!refused.err.contains("CANARY") && !refused.out.contains("CANARY"));
    let log = ("NIGHTJOB_PAYLOG__DATABASE", "sqlite:ttpayment.db");
    let all = [direct[0], direct[1], log];
    town.run(&["--config", "nightjob.exe.config", "config", "show"], &all)
        .expect(0)
        .says("nightjob.exe.config:4:")
        .says("account.wx-1900012345.merchant");
    town.forget();
    // The sub-merchants have no keys: they go through the gateway, and where that is not to be had, the other account
    // goes on.
    let gateway = format!("http://{}/", town.providers.addr);
    let nowhere = ("NIGHTJOB_GATEWAY__URL", "http://127.0.0.1:1/");
    let one_try = ("NIGHTJOB_HTTP__TRIES", "1");
    let night = town.run(&config, &[all[0], all[1], all[2], nowhere, one_try]).expect(5);
    assert!(night.err.contains("wx-1600098765") && night.err.contains("wx-1900012345 2016-11-08 unbalanced"));
    let alone = town.mismatches().len();
    town.run(&config, &[all[0], all[1], all[2], ("NIGHTJOB_GATEWAY__URL", &gateway)]).expect(10);
    assert!(town.mismatches().len() > alone, "those of the sub-merchants too");
    assert!(town.dir.path().join("data/nightjob.db").exists(), "beside the old file");
    town.end();
}

#[test]
fn an_imported_web_config_is_a_sound_configuration() {
    let town = Town::new();
    let pem = std::fs::read_to_string(town.dir.path().join("secrets/mall-ali.private.pem")).expect("a key");
    let public = std::fs::read_to_string(town.dir.path().join("secrets/mall-ali.alipay.pem")).expect("a key");
    let bare = |pem: &str| pem.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    let key = wechat_key(&town);
    let add = |key: &str, value: &str| format!("    <add key=\"{key}\" value=\"{value}\"/>\n");
    let keys = [
        ("DbConnectionString", "DSN=ttpay;uid=ttpay;pwd=CANARY;"),
        ("partnerkey", &key),
        ("appid", "wx0123456789abcdef"),
        ("mch_id", "1900012345"),
        ("isunderTT", "0"),
        ("partner", "2088900000000018"),
        ("appid_ali", "2014900000000011"),
        ("merchant_private_key", &bare(&pem)),
        ("alipay_public_key", &bare(&public)),
        ("isundertt_ali", "0"),
    ];
    let lines: String = keys.iter().map(|(name, value)| add(name, value)).collect();
    town.write(
        "web.config",
        &format!("<configuration>\n  <appSettings>\n{lines}  </appSettings>\n</configuration>\n"),
    );
    let printed = town.run(&["config", "import", "web.config"], &[]).expect(0).says("[[account]]");
    let secrets = ["CANARY".to_owned(), key.clone(), bare(&pem)];
    assert!(!secrets.iter().any(|secret| printed.out.contains(secret) || printed.err.contains(secret)));
    assert!(!town.dir.path().join("new").exists(), "only printed");
    town.run(&["config", "import", "web.config", "--out", "new"], &[]).expect(0).says("nightjob.toml");
    town.run(&["config", "import", "web.config", "--out", "new"], &[]).expect(2).says("is there already");
    let config = ["--config", "new/nightjob.toml", "config", "check"];
    town.run(&config, &[]).expect(0).says("wx-1900012345");
    town.run(&["config", "import", "nightjob.toml"], &[]).expect(2).says("is no XML");
    town.run(&["--config", "web.config", "plan"], &[]).expect(3).says("config import");
    let json = town.run(&["config", "import", "web.config", "--json"], &[]).expect(0);
    let document: serde_json::Value = serde_json::from_str(&json.out).expect("a document");
    assert!(document["findings"].as_array().is_some_and(|findings| !findings.is_empty()), "{document:#}");
    assert!(!secrets.iter().any(|secret| json.out.contains(secret)));
    town.end();
}

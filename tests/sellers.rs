//! Accounts from the gateway's own tables: each case of `fixtures/sellers` is a real SQLite file and a configuration,
//! and its golden is the accounts that come of them, with every warning (`NIGHTJOB_BLESS=1` rewrites them).
//!
//! The rooms are invented, so that these texts do not change with a channel.

mod common;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Connection as _};

use nightjob::channel::{Need, Room};
use nightjob::config::{self, Loaded, Request, World};
use nightjob::domain::{Account, Bill, BillDate, Claims, Exit, Failure, PayType};
use nightjob::store::read_sellers;

const BLANK: Room = Room {
    code: "",
    pay_types: &PayType::ALL,
    bills: &[Bill::Trade],
    needs: &[],
    check: |_| Ok(()),
    statements: None,
    queries: None,
};
static WECHAT: Room = Room {
    code: "wechat_v2",
    needs: &[
        Need::required("app_id"),
        Need::secret("key", true),
        Need::option("sub_merchant", ""),
        Need::one_of("sign_type", "MD5", &["MD5", "HMAC-SHA256"]),
        Need::option("url", "https://api.example.com"),
    ],
    check: key_of_32,
    ..BLANK
};
static ALIPAY: Room = Room {
    code: "alipay_open",
    pay_types: &[PayType::Ali, PayType::Ali20],
    needs: &[
        Need::required("app_id"),
        Need::secret("private_key", true),
        Need::secret("alipay_public_key", true),
        Need::secret("app_auth_token", false),
    ],
    ..BLANK
};
static GATEWAY: Room = Room {
    code: "ttpay",
    needs: &[
        Need::option("sub_merchant", ""),
        Need::shared("gateway.url"),
        Need::shared("gateway.transport"),
    ],
    ..BLANK
};
static FILES: Room = Room { code: "local_file", needs: &[Need::required("path")], ..BLANK };
static ROOMS: &[&Room] = &[&WECHAT, &ALIPAY, &GATEWAY, &FILES];

fn key_of_32(account: &Account) -> Result<(), Failure> {
    match account.secret("key").map(|key| key.expose().len()) {
        Some(32) => Ok(()),
        _ => Err(Failure::new(Exit::Config, "`key` must be of 32 characters")),
    }
}

/// Part of every secret.
const CANARY: &str = "CANARY";

struct Site {
    dir: tempfile::TempDir,
}

impl Site {
    /// A database made by `sql`, and what the fixtures' references name.
    async fn of(sql: &str) -> Site {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("key"), "CANARY0000000000000000000000key9\n").expect("a file");
        std::fs::write(dir.path().join("public.pem"), "CANARYpublic\n").expect("a file");
        let url = format!("sqlite:{}?mode=rwc", dir.path().join("ttpayment.db").display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("a database");
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.expect("sound SQL");
        connection.close().await.expect("closed");
        Site { dir }
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.dir.path().join("ttpayment.db").display())
    }

    fn load(&self, toml: &str) -> Loaded {
        let file = self.dir.path().join("nightjob.toml");
        std::fs::write(&file, toml).expect("a file");
        let request = Request { file: Some(file), rooms: ROOMS, ..Request::new() };
        let today = BillDate::parse("20161110").expect("a date");
        let world = World { here: self.dir.path().to_owned(), ..World::default() };
        config::load(&request, &world, today).unwrap_or_else(|told| panic!("{told}"))
    }

    /// Configuration and tables together.
    async fn settle(&self, toml: &str) -> Result<Loaded, Failure> {
        let mut loaded = self.load(toml);
        let settings = &loaded.settings;
        let tables = read_sellers(&settings.paylog.database, &settings.paylog.schema).await?;
        let shown = config::add_sellers(&mut loaded.settings, &tables, ROOMS)?;
        loaded.shown.extend(shown);
        Ok(loaded)
    }
}

fn told(loaded: &Loaded) -> String {
    let mut text = String::new();
    for account in &loaded.settings.accounts {
        let sellers = account.sellers.as_ref().map_or("all".to_owned(), |sellers| format!("{sellers:?}"));
        writeln!(
            text,
            "{}: {} {} merchant {}",
            account.name,
            account.pay_type(),
            account.channel,
            account.merchant
        )
        .expect("text");
        writeln!(text, "    sellers {sellers} customer {:?}", account.customer).expect("text");
        account
            .options
            .iter()
            .for_each(|(name, value)| writeln!(text, "    {name} = {value:?}").expect("text"));
        account.secrets.keys().for_each(|name| writeln!(text, "    {name} = ***").expect("text"));
    }
    loaded.settings.warnings.iter().for_each(|warning| writeln!(text, "warning: {warning}").expect("text"));
    text
}

fn cases() -> Vec<PathBuf> {
    let folder = common::home().join("fixtures/sellers");
    let files = std::fs::read_dir(folder).expect("the fixtures").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == "sql")).collect();
    files.sort();
    files
}

#[tokio::test]
async fn each_table_becomes_the_same_accounts() {
    let cases = cases();
    assert!(cases.len() >= 6, "{} cases", cases.len());
    for case in cases {
        let site = Site::of(&text(&case)).await;
        let before = std::fs::read(site.dir.path().join("ttpayment.db")).expect("the database");
        let text = match site.settle(&text(&case.with_extension("toml"))).await {
            Ok(loaded) => {
                no_order_has_two_owners(&loaded, &case);
                let table = config::shown_table(&loaded.shown);
                assert!(!table.contains(CANARY), "{table}");
                told(&loaded)
            }
            Err(failure) => format!("exit {}\n{failure}\nhint: {}\n", failure.exit.code(), failure.hint),
        };
        let after = std::fs::read(site.dir.path().join("ttpayment.db")).expect("the database");
        assert!(before == after, "the gateway's tables are never written");
        assert!(!text.contains(CANARY), "{text}");
        // Modes differ between machines; that they are told is another test's matter.
        let lines = text.lines().filter(|line| !line.contains("others may read it"));
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        let name = case.file_stem().expect("a name").to_string_lossy();
        common::golden(format!("fixtures/sellers/{name}.txt"), &text);
    }
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a fixture")
}

/// Every seller of every account is owned by that account.
fn no_order_has_two_owners(loaded: &Loaded, case: &Path) {
    let accounts = &loaded.settings.accounts;
    let claims = Claims::new(accounts, &loaded.settings.paylog.req_types);
    for (index, account) in accounts.iter().enumerate() {
        for seller in account.sellers.iter().flatten() {
            let owner = claims.owner(account.pay_type(), seller, &account.customer);
            assert_eq!(owner, Some(index), "{}: {} {seller}", case.display(), account.name);
        }
    }
    let mut names: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), accounts.len(), "{}", case.display());
}

#[tokio::test]
async fn tables_that_are_not_there_are_named() {
    let url_of = |site: &Site| site.url();
    for (sql, schema, words) in [
        ("CREATE TABLE EB_PAYLOG (x)", "", "there is no table EB_SELLER"),
        ("CREATE TABLE EB_SELLER (EB_SELLER_ID)", "", "there is neither EB_SELLER_WX nor EB_SELLER_ALI_20"),
        (
            "CREATE TABLE EB_SELLER (EB_SELLER_ID); CREATE TABLE EB_SELLER_WX (x)",
            "",
            "table EB_SELLER_WX has no column EB_SELLER_ID",
        ),
        (
            "CREATE TABLE EB_SELLER (x); CREATE TABLE EB_SELLER_WX (EB_SELLER_ID)",
            "",
            "table EB_SELLER has no column",
        ),
        ("CREATE TABLE EB_SELLER (EB_SELLER_ID)", "ttpayment", "there is no schema `ttpayment`"),
    ] {
        let site = Site::of(sql).await;
        let failure = read_sellers(&url_of(&site), schema).await.expect_err(sql);
        assert_eq!(failure.exit, Exit::Config, "{sql}");
        assert!(failure.message.contains(words), "{sql}: {failure}");
    }
    let failure = read_sellers("sqlite:/nowhere/at/all.db", "").await.expect_err("no file");
    assert_eq!(failure.exit, Exit::Storage);
    let failure = read_sellers("odbc:DSN=ttpay;uid=ttpay;pwd=CANARY;", "").await.expect_err("another engine");
    assert_eq!(failure.exit, Exit::Config);
    assert!(failure.message.contains("odbc:ttpay"), "{}", failure.message);
    assert!(!format!("{failure:?}").contains(CANARY));
}

#[tokio::test]
async fn a_schema_is_a_prefix_and_views_are_tables() {
    let sql = "CREATE TABLE s (EB_SELLER_ID, XF_CUSTOMERID); INSERT INTO s VALUES ('1', 'A');
               CREATE VIEW EB_SELLER AS SELECT * FROM s;
               CREATE TABLE EB_SELLER_WX (EB_SELLER_ID, MCH_ID, ISUNDERTT); INSERT INTO EB_SELLER_WX VALUES (1, 19, 1);";
    let site = Site::of(sql).await;
    let tables = read_sellers(&site.url(), "MAIN").await.expect("both");
    assert_eq!(tables.sellers[0].customer, "A");
    assert_eq!(
        (tables.wechat[0].seller.as_str(), tables.wechat[0].merchant.as_str()),
        ("1", "19"),
        "numbers are texts"
    );
    assert_eq!(tables.wechat[0].flag.as_deref(), Some("1"));
}

/// The old single account beside the tables: it keeps the rows without a seller.
#[tokio::test]
async fn the_gateways_single_account_keeps_the_rows_without_a_seller() {
    let site = Site::of(&text(&common::home().join("fixtures/sellers/written_accounts_win.sql"))).await;
    let write = |name: &str, text: &str| std::fs::write(site.dir.path().join(name), text).expect("a file");
    let add = |key: &str, value: &str| format!("<add key=\"{key}\" value=\"{value}\"/>");
    write(
        "nightjob.exe.config",
        &format!("<configuration><appSettings>{}</appSettings></configuration>", add("PAYTPYE", "WX")),
    );
    let own = add("partnerkey", "CANARY0000000000000000000000key8")
        + &add("appid", "wx8")
        + &add("mch_id", "1900000008")
        + &add("isundertt", "0");
    write("web.config", &format!("<configuration><appSettings>{own}</appSettings></configuration>"));
    let mut world = World { here: site.dir.path().to_owned(), ..World::default() };
    let mut set = |name: &str, value: &str| drop(world.env.insert(name.to_owned(), value.to_owned()));
    set("NIGHTJOB_PAYLOG__DATABASE", "sqlite:ttpayment.db");
    set("NIGHTJOB_SELLERS__FROM_DATABASE", "true");
    set("NIGHTJOB_SELLERS__ROUTE", "direct");
    set("NIGHTJOB_SELLERS__PARTNERS", "2016=2088000000000001|2017=2088000000000002");
    let file = Some(PathBuf::from("nightjob.exe.config"));
    let request = Request { file, rooms: ROOMS, ..Request::new() };
    let today = BillDate::parse("20161110").expect("a date");
    let mut loaded = config::load(&request, &world, today).unwrap_or_else(|told| panic!("{told}"));
    let settings = &mut loaded.settings;
    let tables = read_sellers(&settings.paylog.database, &settings.paylog.schema).await.expect("tables");
    config::add_sellers(settings, &tables, ROOMS).expect("accounts");
    let claims = Claims::new(&settings.accounts, &settings.paylog.req_types);
    let owner =
        |seller| claims.owner(PayType::Wx, seller, "A").map(|at| settings.accounts[at].merchant.as_str());
    assert_eq!(owner(""), Some("1900000008"));
    assert_eq!(owner("8801"), Some("1900000001"));
    assert_eq!(owner("7777"), None, "a seller that nobody knows is not the single account's");
}

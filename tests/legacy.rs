//! The old configuration from outside: what is made of each file in `fixtures/legacy`, read as `--config` and as
//! `config import` (goldens beside the input, `NIGHTJOB_BLESS=1` rewrites them), and that no secret is ever printed.
//!
//! The rooms are invented, so that these texts do not change with a channel.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use nightjob::channel::{Need, Room};
use nightjob::config::{self, Problems, Request, SecretUse, Settings, World};
use nightjob::domain::{Account, Bill, BillDate, Exit, Failure, PayType};

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
    needs: &[
        Need::required("app_id"),
        Need::secret("private_key", true),
        Need::secret("alipay_public_key", true),
        Need::secret("app_auth_token", false),
    ],
    ..BLANK
};
static MAPI: Room = Room { code: "alipay_mapi", needs: &[Need::secret("key", true)], ..BLANK };
static GATEWAY: Room =
    Room { code: "ttpay", needs: &[Need::option("layout", "auto"), Need::shared("gateway.url")], ..BLANK };
static ROOMS: &[&Room] = &[&WECHAT, &ALIPAY, &MAPI, &GATEWAY];

fn key_of_32(account: &Account) -> Result<(), Failure> {
    match account.secret("key").map(|key| key.expose().len()) {
        Some(32) => Ok(()),
        _ => Err(Failure::new(Exit::Config, "`key` must be of 32 characters")),
    }
}

/// Part of every secret in the fixtures.
const CANARY: &str = "CANARY";

fn today() -> BillDate {
    BillDate::parse("20161110").expect("a date")
}

fn folder() -> PathBuf {
    common::home().join("fixtures/legacy")
}

/// A case: a folder with an old file, perhaps a second, perhaps variables.
struct Case {
    name: String,
    /// The file that is named; the others lie beside it.
    file: PathBuf,
    world: World,
}

fn cases() -> Vec<Case> {
    let folders =
        std::fs::read_dir(folder()).expect("the fixtures").map(|entry| entry.expect("an entry").path());
    let mut folders: Vec<PathBuf> = folders.collect();
    folders.sort();
    folders.iter().map(|path| case(path)).collect()
}

fn case(path: &Path) -> Case {
    let files = ["nightjob.exe.config", "web.config", "Web.Config"].map(|name| path.join(name));
    let file = files.into_iter().find(|file| file.exists()).expect("an old file");
    let variables = std::fs::read_to_string(path.join("variables.txt")).unwrap_or_default();
    let env = variables.lines().filter_map(|line| line.split_once('='));
    let env: BTreeMap<String, String> = env.map(|(name, value)| (name.into(), value.into())).collect();
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    Case { name, file, world: World { here: path.to_owned(), env, ..World::default() } }
}

fn blind(text: &str, case: &Case) -> String {
    text.replace(&case.world.here.display().to_string(), "HOME").replace("HOME/", "")
}

fn told(problems: &Problems) -> String {
    format!("exit {}\n{problems}\n", problems.exit().code())
}

fn settled(settings: &Settings) -> String {
    let mut text = String::new();
    let paytypes: Vec<&str> = settings.paytypes.iter().map(|p| p.as_str()).collect();
    let mut row = |name: &str, value: String| writeln!(text, "{name}: {value}").expect("text");
    row("paytype", paytypes.join(" "));
    row("sqe_date", settings.sqe_date.map_or("none".to_owned(), |date| date.to_string()));
    row("isbase64", settings.paylog.isbase64.to_string());
    row("from_database", settings.sellers.from_database.to_string());
    for account in &settings.accounts {
        let sellers = account.sellers.as_ref().map_or("all".to_owned(), |sellers| format!("{sellers:?}"));
        let keys: Vec<String> =
            account.options.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let secrets: Vec<&str> = account.secrets.keys().map(String::as_str).collect();
        let what = format!(
            "{} {} merchant {} sellers {sellers} {} [{}]",
            account.pay_type(),
            account.channel,
            account.merchant,
            keys.join(" "),
            secrets.join(" ")
        );
        row(&account.name, what);
    }
    settings.warnings.iter().for_each(|warning| row("warning", warning.clone()));
    text
}

#[test]
fn each_old_file_becomes_the_same_settings() {
    let cases = cases();
    assert!(cases.len() >= 25, "{} cases", cases.len());
    for case in cases {
        let request = Request { file: Some(case.file.clone()), rooms: ROOMS, ..Request::new() };
        let text = match config::load(&request, &case.world, today()) {
            Ok(loaded) => {
                let table = config::shown_table(&loaded.shown);
                assert!(!table.contains(CANARY), "{}: {table}", case.name);
                settled(&loaded.settings)
            }
            Err(problems) => told(&problems),
        };
        assert!(!text.contains(CANARY), "{}: {text}", case.name);
        common::golden(format!("fixtures/legacy/{}/load.txt", case.name), &blind(&text, &case));
    }
}

#[test]
fn each_old_file_is_imported_without_a_secret_in_sight_and_loads() {
    for case in cases() {
        let text = match config::import(&case.file, ROOMS, &case.world, today()) {
            Ok(imported) => {
                let mut text = imported.toml.clone();
                for (title, lines) in [
                    ("taken", &imported.taken),
                    ("not used", &imported.ignored),
                    ("findings", &imported.findings),
                ] {
                    lines.iter().for_each(|line| writeln!(text, "#: {title}: {line}").expect("text"));
                }
                imported.secret_files().for_each(|file| writeln!(text, "#: secret: {file}").expect("text"));
                loads(&imported, &case);
                text
            }
            Err(problems) => told(&problems),
        };
        assert!(!text.contains(CANARY), "{}: {text}", case.name);
        common::golden(format!("fixtures/legacy/{}/import.txt", case.name), &blind(&text, &case));
    }
}

/// What was written, secrets included, is a configuration.
fn loads(imported: &config::Imported, case: &Case) {
    let out = tempfile::tempdir().expect("a folder");
    let target = out.path().join("new");
    let written = imported.write(&target).expect(&case.name);
    assert_eq!(written.len(), 1 + imported.secret_files().count());
    let again = imported.write(&target).expect_err("nothing is overwritten");
    assert!(again.message.contains("is there already"), "{again}");
    let request = Request { file: Some(target.join("nightjob.toml")), rooms: ROOMS, ..Request::new() };
    let world = World { here: target.clone(), ..World::default() };
    let loaded =
        config::load(&request, &world, today()).unwrap_or_else(|told| panic!("{}: {told}", case.name));
    for account in &loaded.settings.accounts {
        assert!(account.secrets.values().all(|secret| secret.expose().contains(CANARY)), "{}", case.name);
    }
    for file in imported.secret_files() {
        let text = std::fs::read_to_string(target.join(file)).expect("a secret");
        assert!(text.contains(CANARY) && text.ends_with('\n'), "{file}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
            assert_eq!((mode(&target.join(file)), mode(&target.join("secrets"))), (0o600, 0o700));
        }
    }
}

#[test]
fn an_import_touches_nothing_if_one_of_its_files_is_there() {
    let case = case(&folder().join("only_the_gateways_file"));
    let imported = config::import(&case.file, ROOMS, &case.world, today()).expect("sound");
    let secret = imported.secret_files().last().expect("a secret").to_owned();
    let out = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(out.path().join("secrets")).expect("a folder");
    std::fs::write(out.path().join(&secret), "mine").expect("a file");
    let failure = imported.write(out.path()).expect_err("it is there");
    assert_eq!(failure.exit, Exit::Usage);
    assert!(failure.message.contains(&secret), "{failure}");
    assert!(!out.path().join("nightjob.toml").exists());
    assert_eq!(std::fs::read_dir(out.path().join("secrets")).expect("a folder").count(), 1);
    assert_eq!(std::fs::read_to_string(out.path().join(&secret)).expect("mine"), "mine");
}

#[test]
fn an_old_file_and_one_variable_are_a_whole_configuration() {
    let case = case(&folder().join("own_keys_by_a_variable"));
    for secrets in [SecretUse::Read, SecretUse::Leave] {
        let request = Request { file: Some(case.file.clone()), rooms: ROOMS, secrets, ..Request::new() };
        let loaded = config::load(&request, &case.world, today()).unwrap_or_else(|told| panic!("{told}"));
        assert_eq!(
            loaded.settings.paylog.database,
            format!("sqlite:{}", case.world.here.join("copy.db").display())
        );
        assert!(!loaded.settings.warnings.iter().any(|warning| warning.contains("ODBC")));
        assert_eq!(loaded.settings.home, case.world.here);
    }
}

/// As `fuzz/configuration` does with ours: cuts and pastes in a sound file, in every encoding.
#[test]
fn no_damaged_file_makes_it_panic() {
    let sound = std::fs::read(folder().join("both_files/web.config")).expect("a fixture");
    let pieces: [&[u8]; 12] =
        [b"<", b">", b"\"", b"'", b"&", b"&#0;", b"<!--", b"-->", b"<![CDATA[", b"=", b"\xff\xfe", b"add"];
    let mut random = fastrand::Rng::with_seed(20_161_108);
    let out = tempfile::tempdir().expect("a folder");
    let file = out.path().join("web.config");
    let world = World { here: out.path().to_owned(), ..World::default() };
    for _ in 0..1_000 {
        let mut bytes = sound.clone();
        for _ in 0..random.usize(1..5) {
            let at = random.usize(..bytes.len());
            let end = (at + random.usize(..12)).min(bytes.len());
            bytes.splice(at..end, random.choice(pieces).unwrap_or(b"").iter().copied());
        }
        std::fs::write(&file, &bytes).expect("a file");
        match config::import(&file, ROOMS, &world, today()) {
            Ok(imported) => assert!(!imported.toml.is_empty()),
            Err(problems) => assert!(problems.to_string().ends_with("nothing was written"), "{problems}"),
        }
    }
}

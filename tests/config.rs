//! Configuration from outside: what it says when it is wrong (goldens beside their input, `NIGHTJOB_BLESS=1`
//! rewrites them), which layer wins, where values came from, and that no secret ever gets out.
//!
//! The rooms here are invented, so that these texts do not change with a channel.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use nightjob::channel::{Need, Room};
use nightjob::config::{self, Flag, Loaded, Problems, Request, SecretUse, World};
use nightjob::domain::{Account, Bill, BillDate, Exit, Failure, Lang, PayType};

static WECHAT: Room = Room {
    code: "wechat_v2",
    pay_types: &[PayType::Wx],
    needs: &[
        Need::required("app_id"),
        Need::secret("key", true),
        Need::option("sub_merchant", ""),
        Need::one_of("sign_type", "MD5", &["MD5", "HMAC-SHA256"]),
        Need::option("url", "https://api.example.com"),
    ],
    check: refuse_one_app,
    ..BLANK
};
static ALIPAY: Room = Room {
    code: "alipay_open",
    pay_types: &[PayType::Ali, PayType::Ali20],
    needs: &[
        Need::required("app_id"),
        Need::secret("private_key", true),
        Need::required("alipay_public_key"),
        Need::option("download_hosts", ""),
    ],
    ..BLANK
};
static FILES: Room = Room {
    code: "local_file",
    pay_types: &PayType::ALL,
    needs: &[Need::required("path"), Need::one_of("layout", "auto", &["auto", "wechat_bill", "alipay_bill"])],
    ..BLANK
};
const BLANK: Room = Room {
    code: "",
    pay_types: &[],
    bills: &[Bill::Trade],
    needs: &[],
    check: |_| Ok(()),
    statements: None,
    queries: None,
};
static ROOMS: &[&Room] = &[&WECHAT, &ALIPAY, &FILES];

fn refuse_one_app(account: &Account) -> Result<(), Failure> {
    match account.option("app_id") {
        "no-app" => Err(Failure::new(Exit::Config, "`app_id` begins with wx").hint("copy it again")),
        _ => Ok(()),
    }
}

/// Marks every secret; it must appear in nothing that is printed.
const CANARY: &str = "CANARY";

struct Bench {
    home: tempfile::TempDir,
    world: World,
    request: Request<'static>,
}

impl Bench {
    fn new() -> Bench {
        let home = tempfile::tempdir().expect("a folder");
        let write = |name: &str, bytes: &[u8]| fs::write(home.path().join(name), bytes).expect(name);
        write("wx.key", b"CANARY-wx\n");
        write("open.key", b"CANARY-open\r\n");
        write("empty.key", b"\n");
        write("binary.key", b"\xff\xfe\x00CANARY");
        write("public.pem", b"public text\n");
        let private = ["wx.key", "empty.key", "binary.key", "public.pem"];
        private.iter().for_each(|name| set_mode(&home.path().join(name), 0o600));
        set_mode(&home.path().join("open.key"), 0o644);
        let world = World { here: home.path().to_path_buf(), ..World::default() };
        Bench { home, world, request: Request { rooms: ROOMS, ..Request::new() } }
    }

    fn load(&self, text: &str) -> Result<Loaded, Problems> {
        fs::write(self.home.path().join("nightjob.toml"), text).expect("the file");
        config::load(&self.request, &self.world, today())
    }

    /// What went wrong, without the path of this machine's temporary folder.
    fn told(&self, text: &str) -> String {
        let problems = self.load(text).expect_err(text);
        self.blind(&format!("exit {}\n{problems}\n", problems.exit().code()))
    }

    fn blind(&self, text: &str) -> String {
        text.replace(&self.home.path().display().to_string(), "HOME")
    }

    /// Lines `#: env NAME=VALUE` and `#: flag KEY=VALUE` in a case.
    fn obey(&mut self, text: &str) {
        for line in text.lines().filter_map(|line| line.strip_prefix("#: ")) {
            let (kind, rest) = line.split_once(' ').expect("a kind");
            let (name, value) = rest.split_once('=').expect("a value");
            match (kind, name) {
                ("env", _) => drop(self.world.env.insert(name.to_owned(), value.to_owned())),
                ("flag", "paytype") => self.request.flags.push(pay_type_flag(value)),
                _ => panic!("{line}"),
            }
        }
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) {}

fn pay_type_flag(text: &str) -> Flag {
    Flag { key: "paytype", name: "--paytype", text: text.to_owned() }
}

fn today() -> BillDate {
    BillDate::parse("20161110").expect("a date")
}

const WX: &str = r#"
[[account]]
name = "wx"
paytype = "WX"
channel = "wechat_v2"
merchant = "1900012345"
app_id = "wx0000000000000001"
key = "file:wx.key"
"#;

fn wx_only(top: &str) -> String {
    format!("paytype = \"WX\"\n{top}\n{WX}")
}

#[test]
fn every_error_reads_as_its_golden() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/errors/config");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(&folder).expect("the fixtures").map(|entry| entry.expect("an entry").path()).collect();
    cases.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    cases.sort();
    assert!(cases.len() >= 80, "{} cases", cases.len());
    let mut differ = String::new();
    for case in cases {
        let text = fs::read_to_string(&case).expect("a case");
        let mut bench = Bench::new();
        bench.obey(&text);
        let told = bench.told(&text);
        assert!(!told.contains(CANARY), "{}: {told}", case.display());
        let golden = case.with_extension("txt");
        if std::env::var_os("NIGHTJOB_BLESS").is_some() {
            fs::write(&golden, &told).expect("a golden");
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if told != expected {
            writeln!(differ, "=== {}\n--- expected\n{expected}--- told\n{told}", case.display())
                .expect("text");
        }
    }
    assert!(differ.is_empty(), "{differ}NIGHTJOB_BLESS=1 rewrites them");
}

#[test]
fn flag_over_environment_over_file_over_default() {
    let mut bench = Bench::new();
    let lag = |bench: &Bench, text: &str| {
        let loaded = bench.load(text).expect("sound");
        (loaded.settings.lag_days, origin(&loaded, "lag_days"))
    };
    assert_eq!(lag(&bench, &wx_only("")), (2, "default".to_owned()));
    assert_eq!(lag(&bench, &wx_only("lag_days = 5")), (5, "nightjob.toml:2:12".to_owned()));
    bench.world.env.insert("NIGHTJOB_LAG_DAYS".into(), "7".into());
    assert_eq!(lag(&bench, &wx_only("lag_days = 5")), (7, "NIGHTJOB_LAG_DAYS".to_owned()));

    bench.world.env.insert("NIGHTJOB_PAYTYPE".into(), "ALI".into());
    bench.request.flags.push(pay_type_flag("wx"));
    let loaded = bench.load(&wx_only("")).expect("sound");
    assert_eq!(loaded.settings.paytypes, [PayType::Wx]);
    assert_eq!(origin(&loaded, "paytype"), "--paytype");
}

fn origin(loaded: &Loaded, key: &str) -> String {
    loaded.shown.iter().find(|row| row.key == key).map(|row| row.origin.clone()).expect(key)
}

#[test]
fn a_bad_value_is_told_even_where_another_layer_wins() {
    let mut bench = Bench::new();
    bench.world.env.insert("NIGHTJOB_LAG_DAYS".into(), "7".into());
    assert!(bench.told(&wx_only("lag_days = 0")).contains("nightjob.toml:2:12"));
}

#[test]
fn pay_types_are_trimmed_repeats_dropped_and_any_case() {
    let bench = Bench::new();
    for (written, expected) in [
        (r#"" WX | wx ||ALI_20|""#, vec![PayType::Wx, PayType::Ali20]),
        (r#"["ali_20", "WX|ALI_20"]"#, vec![PayType::Ali20, PayType::Wx]),
    ] {
        let files = files("wx", "WX") + &files("ali", "ALI_20");
        let loaded = bench.load(&format!("paytype = {written}\n{files}")).expect(written);
        assert_eq!(loaded.settings.paytypes, expected);
    }
}

fn files(name: &str, pay_type: &str) -> String {
    format!(
        "[[account]]\nname = \"{name}\"\npaytype = \"{pay_type}\"\nchannel = \"local_file\"\nmerchant = \"1\"\n\
         path = \"x\"\n"
    )
}

#[test]
fn ali_is_satisfied_by_an_account_of_ali_20_and_the_two_never_overlap() {
    let bench = Bench::new();
    let top = "paytype = \"ALI\"\n";
    assert!(bench.load(&format!("{top}{}", files("a", "ALI_20"))).is_ok());
    assert!(bench.load(&format!("{top}{}{}", files("a", "ALI_20"), files("b", "ALI"))).is_ok());
    assert!(bench.load(&format!("paytype = \"ALI_20\"\n{}", files("b", "ALI"))).is_err());
}

#[test]
fn accounts_told_apart_by_seller_or_customer_do_not_overlap() {
    let bench = Bench::new();
    for (one, other) in [
        ("seller = \"1\"", "seller = [\"2\", \"3\"]"),
        ("seller = \"\"", "seller = \"2\""),
        ("customer = \"A\"", "customer = \"B\""),
        ("seller = \"1\"\ncustomer = \"A\"", "seller = \"1\"\ncustomer = \"B\""),
    ] {
        let text = format!("{}{one}\n{}{other}\n", files("a", "WX"), files("b", "WX"));
        let loaded = bench.load(&format!("paytype = \"WX\"\n{text}"));
        assert!(loaded.is_ok(), "{one} / {other}: {}", loaded.expect_err("told"));
    }
}

#[test]
fn paths_start_in_the_folder_of_the_file_also_inside_sqlite_addresses() {
    let mut bench = Bench::new();
    let folder = bench.home.path().join("etc");
    fs::create_dir(&folder).expect("a folder");
    let text = wx_only("reports = \"out\"").replace("wx.key", "../wx.key");
    fs::write(folder.join("night.toml"), text).expect("a file");
    bench.request.file = Some(PathBuf::from("etc/night.toml"));
    let loaded = config::load(&bench.request, &bench.world, today()).expect("sound");
    let settings = &loaded.settings;
    assert_eq!(settings.home, folder);
    assert_eq!(settings.reports, folder.join("out"));
    assert_eq!(settings.archive, folder.join("data/archive"));
    assert_eq!(settings.database, format!("sqlite:{}", folder.join("data/nightjob.db").display()));
    assert_eq!(settings.paylog.database, format!("sqlite:{}", folder.join("ttpayment.db").display()));
    assert_eq!(settings.accounts[0].secret("key").map(|s| s.expose()), Some("CANARY-wx"));
    assert_eq!(origin(&loaded, "reports"), "etc/night.toml:2:11");
}

#[test]
fn the_file_is_found_in_this_order() {
    let mut bench = Bench::new();
    let folder = |name: &str| {
        let folder = bench.home.path().join(name);
        fs::create_dir(&folder).expect("a folder");
        let text = wx_only(&format!("reports = \"{name}\"")).replace("file:wx.key", "file:../wx.key");
        fs::write(folder.join("nightjob.toml"), text).expect("a file");
        folder
    };
    let (flagged, named, here, beside) =
        (folder("flagged"), folder("named"), folder("here"), folder("beside"));
    let found = |bench: &Bench| {
        let loaded = config::load(&bench.request, &bench.world, today());
        loaded.map(|l| l.settings.reports.file_name().map(|n| n.display().to_string()).unwrap_or_default())
    };
    bench.request.file = Some(flagged.join("nightjob.toml"));
    bench.world.env.insert("NIGHTJOB_CONFIG".into(), named.join("nightjob.toml").display().to_string());
    bench.world.here = here;
    bench.world.beside = Some(beside);
    assert_eq!(found(&bench).as_deref(), Ok("flagged"));
    bench.request.file = None;
    assert_eq!(found(&bench).as_deref(), Ok("named"));
    bench.world.env.clear();
    assert_eq!(found(&bench).as_deref(), Ok("here"));
    bench.world.here = bench.home.path().to_path_buf();
    assert_eq!(found(&bench).as_deref(), Ok("beside"));
    bench.world.beside = None;
    let nowhere = found(&bench).expect_err("no file");
    assert_eq!(nowhere.exit(), Exit::Config);
    assert!(nowhere.to_string().contains("no nightjob.toml in"), "{nowhere}");
    assert!(nowhere.failures()[0].hint.contains("--config"), "{nowhere}");
}

#[test]
fn files_that_are_no_configuration() {
    let mut bench = Bench::new();
    for (bytes, words) in [
        (&b"lag_days = 2\nreports = \"\xb1\xa8\xb1\xed\"\n"[..], "nightjob.toml:2: not UTF-8"),
        (&b"\xef\xbb\xbf<?xml version=\"1.0\"?><configuration/>"[..], "the log's database is not known"),
        (&b"<html></html>"[..], "<html> is not the <configuration>"),
        (&[b' '; 5 << 20][..], "longer than 4 MiB"),
    ] {
        fs::write(bench.home.path().join("nightjob.toml"), bytes).expect("a file");
        let problems = config::load(&bench.request, &bench.world, today()).expect_err(words);
        assert_eq!(problems.exit(), Exit::Config);
        assert!(problems.to_string().contains(words), "{problems}");
    }
    bench.request.file = Some(PathBuf::from("no.toml"));
    let problems = config::load(&bench.request, &bench.world, today()).expect_err("no such file");
    assert!(
        problems.to_string().contains("cannot read the configuration `no.toml` (--config)"),
        "{problems}"
    );
}

#[test]
fn a_byte_order_mark_moves_no_column() {
    let bench = Bench::new();
    assert!(bench.load(&format!("\u{feff}{}", wx_only(""))).is_ok());
    let told = bench.told(&format!("\u{feff}lag_day = 1\n{}", wx_only("")));
    assert!(told.contains("nightjob.toml:1:1\n"), "{told}");
    assert!(told.contains("| ^^^^^^^ did"), "{told}");
}

#[test]
fn secrets_come_from_files_variables_and_commands() {
    let mut rows = vec![
        ("file:wx.key", "CANARY-wx", false),
        ("env:NIGHTJOB_WX_KEY", "CANARY-env", false),
        ("file: open.key", "CANARY-open", cfg!(unix)),
    ];
    if cfg!(unix) {
        rows.push(("cmd:cat wx.key; printf 2", "CANARY-wx\n2", false));
    }
    for (reference, expected, warned) in rows {
        let mut bench = Bench::new();
        if reference.starts_with("env:") {
            // No key of ours: only the reference makes the name known.
            bench.world.env.insert("NIGHTJOB_WX_KEY".into(), "CANARY-env".into());
        }
        let loaded = bench.load(&wx_only("").replace("file:wx.key", reference)).expect(reference);
        let account = &loaded.settings.accounts[0];
        assert_eq!(account.secret("key").map(|s| s.expose()), Some(expected), "{reference}");
        assert_eq!(!loaded.settings.warnings.is_empty(), warned, "{reference}");
        let table = config::shown_table(&loaded.shown);
        assert!(table.contains(reference), "shown as its reference");
        for printed in [format!("{loaded:?}"), table, config::shown_document(&loaded.shown).to_string()] {
            assert!(!printed.contains(CANARY), "{printed}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_may_read_warns_with_the_way_out() {
    let bench = Bench::new();
    let loaded = bench.load(&wx_only("").replace("wx.key", "open.key")).expect("sound");
    let warnings = bench.blind(&loaded.settings.warnings.join("\n"));
    assert_eq!(
        warnings,
        "`HOME/open.key` holds a secret and others may read it (mode 644); chmod 600 `HOME/open.key`"
    );
}

/// Some thirty ways to write a secret where none belongs.
#[test]
fn a_secret_in_the_wrong_place_is_never_repeated() {
    let bench = Bench::new();
    for line in [
        "key = \"CANARY\"",
        "key = 'CANARY'",
        "key = [\"CANARY\"]",
        "key = [\"file:CANARY\", 1]",
        "key = { file = \"CANARY\" }",
        "key = \"CANARY",
        "key = CANARY",
        "key \"CANARY\"",
        "key = \"\"\"\nCANARY\n\"\"\"",
        "key = \"\"\"\nCANARY = 1\n",
        "key = '''CANARY",
        "key = \"CANARY\\q\"",
        "key = \"x\" CANARY",
        "\"key\" = \"CANARY\"",
        "\"ke\\u0079\" = \"CANARY\"",
        "keyy = \"CANARY\"",
        "k3y = \"CANARY\"",
        "foo = \"CANARY\"",
        "bar.key = \"CANARY\"",
        "key.value = \"CANARY\"",
        "KEY = \"CANARY\"",
        "api_v3_key = \"CANARY\"",
        "private_key = \"CANARY\"",
        "client_p12_password = \"CANARY\"",
        "url = \"https://CANARY@h/\"",
        "url = \"https://u:CANARY@h/\"",
        "key = \"sha256:CANARY\"",
        "key = \"cmd:echo CANARY >&2; false\"",
        "key = \"file:wx.key\"\nkey = \"CANARY\"",
        "[account.keys]\nkey = \"CANARY\"",
        "[paylog]\ndatabase = \"mysql://u:CANARY@h/x\"\nschema = 3",
        "[paylog]\ndatabase = [\"odbc:DSN=x;pwd=CANARY;\"]",
    ] {
        let text = wx_only("").replace("key = \"file:wx.key\"", line);
        match bench.load(&text) {
            // A quoted key is a key: only its value counts.
            Ok(loaded) => panic!("{line}: {loaded:?}"),
            Err(problems) => {
                let failures = format!("{:?}", problems.failures());
                for printed in [problems.to_string(), format!("{problems:?}"), failures] {
                    assert!(!printed.contains(CANARY), "{line}\n{printed}");
                }
            }
        }
    }
}

#[test]
fn without_secrets_nothing_is_read_and_no_room_is_asked() {
    let mut bench = Bench::new();
    bench.request.secrets = SecretUse::Leave;
    let text = wx_only("").replace("file:wx.key", "cmd:echo >ran; echo x");
    let loaded = bench.load(&text.replace("wx0000000000000001", "no-app")).expect("only the form counts");
    assert!(loaded.settings.accounts[0].secret("key").is_none());
    assert!(!bench.home.path().join("ran").exists());
    assert!(bench.told(&text.replace("cmd:", "")).contains("not the secret itself"));
}

#[test]
fn an_account_gets_what_its_room_declares() {
    let bench = Bench::new();
    let loaded = bench.load(&wx_only("")).expect("sound");
    let account = &loaded.settings.accounts[0];
    assert_eq!(account.option("sign_type"), "MD5");
    assert_eq!(account.option("url"), "https://api.example.com");
    assert_eq!(account.option("sub_merchant"), "");
    assert_eq!(origin(&loaded, "account.wx.sign_type"), "default");
    assert_eq!(origin(&loaded, "account.wx.app_id"), "nightjob.toml:9:10");

    let proxy = "url = \"http://proxy.example.com\"\nallow_plain_http = true\n";
    let loaded = bench.load(&(wx_only("") + proxy)).expect("allowed");
    assert_eq!(loaded.settings.accounts[0].option("allow_plain_http"), "true");
    assert!(bench.load(&(wx_only("") + &proxy.replace("true", "false"))).is_err());

    let ali = "paytype = \"ALI\"\n".to_owned()
        + &files("a", "ALI").replace("local_file", "alipay_open").replace("path = \"x\"", "app_id = \"1\"")
        + "private_key = \"file:wx.key\"\nalipay_public_key = \"file:public.pem\"\n"
        + "download_hosts = [\"a\", \"b:8\"]\n";
    let loaded = bench.load(&ali).expect("sound");
    let account = &loaded.settings.accounts[0];
    assert_eq!(account.option("alipay_public_key"), "public text", "a long public key may stand in a file");
    assert_eq!(account.option("download_hosts"), "a,b:8");
}

#[test]
fn req_types_of_the_log_come_from_file_and_environment() {
    let mut bench = Bench::new();
    let text = wx_only("[paylog.req_types]\nTEEGON = [\"tg\", \"TEEGON\"]\nTB = \"TBX\"\n");
    let names = |bench: &Bench| bench.load(&text).expect("sound").settings.paylog.req_types;
    let expected = |rows: &[(&str, PayType)]| rows.iter().map(|(n, p)| ((*n).to_owned(), *p)).collect();
    let before: BTreeMap<String, PayType> =
        expected(&[("TBX", PayType::Tb), ("TEEGON", PayType::Teegon), ("TG", PayType::Teegon)]);
    assert_eq!(names(&bench), before);
    bench.world.env.insert("NIGHTJOB_PAYLOG__REQ_TYPES__TEEGON".into(), "TE".into());
    assert_eq!(names(&bench), expected(&[("TBX", PayType::Tb), ("TE", PayType::Teegon)]));
}

#[test]
fn stored_notices_are_a_file_or_a_table() {
    let bench = Bench::new();
    let load = |value: &str| bench.load(&wx_only(&format!("[paylog]\nnotices = \"{value}\"\n")));
    let notices = |value: &str| load(value).expect(value).settings.paylog.notices;
    assert_eq!(notices(" "), "");
    assert_eq!(notices("table:EB_NOTICE"), "table:EB_NOTICE");
    let file = notices("file:kept/notices.jsonl");
    assert!(file.starts_with("file:/") && file.ends_with("/kept/notices.jsonl"), "{file}");
    for wrong in ["notices.jsonl", "file:", "table:", "table:a b", "table:x;drop", "http://x"] {
        assert!(load(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn taobao_is_reconciled_from_an_imported_file() {
    let bench = Bench::new();
    let text = "paytype = \"TB\"\n".to_owned()
        + &files("tb", "TB").replace("local_file", "alipay_open").replace("path = \"x\"", "app_id = \"1\"");
    let Err(problems) = bench.load(&text) else { panic!("alipay_open has no statements of TB") };
    let said = problems.to_string();
    assert!(said.contains("channel `alipay_open` has no statements of TB"), "{said}");
    assert!(said.contains("channel = \"local_file\" and layout = \"columns\""), "{said}");
    bench.load(&("paytype = \"TB\"\n".to_owned() + &files("tb", "TB"))).expect("from a file");
}

#[test]
fn the_defaults_are_those_of_the_manual() {
    let bench = Bench::new();
    let settings = bench.load(&wx_only("")).expect("sound").settings;
    assert_eq!((settings.sqe_date, settings.lag_days, settings.cutoff_minutes), (None, 2, 10));
    assert_eq!(settings.catch_up_days, 7);
    assert_eq!(settings.report_lang, Lang::Zh);
    assert_eq!((settings.paylog.isbase64, settings.paylog.look_back_days), (false, 3));
    assert_eq!(settings.http.tries, 5);
    assert_eq!(settings.http.connect_timeout.as_secs(), 10);
    assert_eq!(settings.http.idle_timeout.as_secs(), 30);
    assert_eq!(format!("{}", settings.http.rate_per_second), "2");
    let sqe = bench.load(&wx_only("sqe_date = \"20161108\"")).expect("sound").settings.sqe_date;
    assert_eq!(sqe, BillDate::parse("20161108"));
    assert_eq!(bench.load(&wx_only("sqe_date = \"  \"")).expect("sound").settings.sqe_date, None);
}

/// Each key that a room shares with the whole file exists; a misspelt one would silently be empty.
#[test]
fn an_account_of_the_gateway_has_the_gateways_keys() {
    let mut bench = Bench::new();
    bench.request.rooms = nightjob::channel::ROOMS;
    let text = "paytype = \"WX\"\n[gateway]\ntill_id = \"77\"\n[[account]]\nname = \"wx\"\npaytype = \"WX\"\n\
                channel = \"ttpay\"\nmerchant = \"1900012345\"\nseller = [\"8888\"]\n";
    let loaded = bench.load(text).unwrap_or_else(|problems| panic!("{problems}"));
    let account = &loaded.settings.accounts[0];
    assert_eq!(account.option("gateway.till_id"), "77");
    assert_eq!(account.option("gateway.action_query"), "orderquery");
    for need in nightjob::channel::room("ttpay").expect("the room").needs.iter().filter(|need| need.shared) {
        assert!(!account.option(need.key).is_empty(), "{}", need.key);
    }
}

#[test]
fn the_example_and_the_manual_are_sound() {
    let mut bench = Bench::new();
    bench.request.secrets = SecretUse::Leave;
    let example = include_str!("../config/nightjob.example.toml");
    let written = example.matches("\n[[account]]\n").count();
    // The example has accounts of every room.
    bench.request.rooms = nightjob::channel::ROOMS;
    assert_eq!(
        bench.load(example).map(|l| l.settings.accounts.len()).map_err(|e| e.to_string()),
        Ok(written)
    );
    bench.request.rooms = ROOMS;
    let manual = include_str!("../fixtures/config/manual.toml");
    bench.request.flags.push(pay_type_flag("WX"));
    let loaded = bench.load(manual).map_err(|e| e.to_string()).expect("sound");
    assert_eq!(loaded.settings.accounts[0].sellers, Some(vec!["8888".to_owned()]));
}

#[test]
fn the_clock_is_fixed_by_one_variable() {
    let mut world = World::default();
    let now = |world: &World| world.clock().map(|clock| clock.now().to_string());
    world.env.insert("NIGHTJOB_NOW".into(), "2016-11-09T18:30:00Z".into());
    assert_eq!(now(&world).as_deref(), Ok("2016-11-10 02:30:00"));
    for bad in ["2016-11-10", "yesterday", "2016-11-10T03:00:00", "2016-11-31T03:00:00+08:00"] {
        world.env.insert("NIGHTJOB_NOW".into(), bad.into());
        let failure = world.clock().expect_err(bad);
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.message.contains(bad), "{failure}");
    }
}

/// A short walk of the fuzz target, in every test run: sound texts with random cuts and pastes.
#[test]
fn no_damaged_text_makes_it_panic() {
    let request = Request { rooms: ROOMS, secrets: SecretUse::Leave, ..Request::new() };
    let sound = include_str!("../fixtures/config/manual.toml").to_owned() + &wx_only("");
    let pieces = [
        "\"",
        "'''",
        "[",
        "]",
        "=",
        "\n",
        "{",
        "报",
        "\u{feff}",
        "\0",
        "key",
        "-1e9",
        "account",
        "[[account]]\n",
    ];
    let mut random = fastrand::Rng::with_seed(20_161_108);
    for _ in 0..2_000 {
        let mut text: Vec<char> = sound.chars().collect();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..text.len());
            let end = (at + random.usize(..12)).min(text.len());
            text.splice(at..end, random.choice(pieces).unwrap_or("").chars());
        }
        let text: String = text.into_iter().collect();
        let told = config::settle(&text, Path::new("home"), &request, &World::default(), today());
        if let Err(problems) = told {
            assert!(!problems.list().is_empty(), "{text}");
            assert!(problems.to_string().ends_with("nothing was written"), "{text}");
        }
    }
}

#[test]
fn a_binary_secret_is_kept_in_base64() {
    static PACKED: Room = Room {
        code: "packed",
        pay_types: &PayType::ALL,
        needs: &[Need::binary("client_p12"), Need::secret("key", false)],
        ..BLANK
    };
    static ONE: &[&Room] = &[&PACKED];
    let mut bench = Bench::new();
    bench.request.rooms = ONE;
    let account = |key: &str, reference: &str| {
        format!(
            "paytype = \"WX\"\n[[account]]\nname = \"wx\"\npaytype = \"WX\"\nchannel = \"packed\"\nmerchant = \"1\"\n{key} = \"{reference}\"\n"
        )
    };
    let loaded = bench.load(&account("client_p12", "file:binary.key")).unwrap_or_else(|e| panic!("{e}"));
    let secret = loaded.settings.accounts[0].secret("client_p12").expect("the secret").expose().to_owned();
    assert_eq!(secret, base64::Engine::encode(&base64::prelude::BASE64_STANDARD, b"\xff\xfe\x00CANARY"));
    let told = bench.told(&account("key", "file:binary.key"));
    assert!(told.contains("holds no text"), "{told}");
    let told = bench.told(&account("client_p12", "CANARY"));
    assert!(told.contains("a reference") && !told.contains("CANARY\n"), "{told}");
}

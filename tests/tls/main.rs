//! TLS to database servers: real ones that speak it, one that does not, and proxies that mean harm. Whatever is not the
//! server that the address names is refused before a user, a password or a question is said. Needs
//! `scripts/with-servers`.

#[path = "../common/servers.rs"]
mod servers;
#[allow(dead_code, reason = "each test binary uses a part of it")]
#[path = "../common/site.rs"]
mod site;

mod proxy;

use std::path::{Path, PathBuf};
use std::process::Command;

use nightjob::domain::{BillDate, Exit, Failure};
use nightjob::store::{Ledger, PayLog};
use proxy::{Deed, Proxy, SSL_REQUEST};
use servers::{Database, Engine};
use site::SiteFolder;

const ENGINES: [Engine; 2] = [Engine::Postgres, Engine::Mysql];
/// Leads to loopback, and is no name of loopback to us: another machine.
const ELSEWHERE: &str = "0.0.0.0";

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// The servers that speak TLS, started if this is the first test that needs them.
fn tls_folder() -> PathBuf {
    let folder = std::env::var("NIGHTJOB_TEST_SERVERS").expect("run it as `scripts/with-servers cargo …`");
    let mut start = Command::new("bash");
    start.args([
        "-euo",
        "pipefail",
        "-c",
        ". scripts/servers.sh; start_tls_servers \"$1\"",
        "start",
        &folder,
    ]);
    assert!(start.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("bash").success());
    Path::new(&folder).join("tls")
}

/// A file of the certificates.
fn pem(name: &str) -> PathBuf {
    tls_folder().join("certificates").join(name)
}

/// The superuser's address of the server that speaks TLS.
fn tls_server(engine: Engine) -> String {
    let name = if engine == Engine::Postgres { "postgres" } else { "mariadb" };
    let text = std::fs::read_to_string(tls_folder().join(format!("{name}.environment"))).expect("an address");
    text.trim().split_once('=').expect("a variable").1.to_owned()
}

/// The port of an address.
fn port(url: &str) -> u16 {
    let (_, place) = url.rsplit_once(':').expect("a port");
    place.split('/').next().and_then(|port| port.parse().ok()).expect("a port")
}

/// `scheme://user:password@host:port/database` with a checked TLS, and an authority if there is one.
fn checked(url: &str, (host, port): (&str, u16), authority: Option<&Path>) -> String {
    let (user, place) = url.split_once('@').expect("a user");
    let (_, database) = place.split_once('/').expect("a database");
    let (mode, ca) = match url.starts_with("postgres") {
        true => ("sslmode=verify-full", "sslrootcert"),
        false => ("ssl-mode=VERIFY_IDENTITY", "ssl-ca"),
    };
    let authority = authority.map(|file| format!("&{ca}={}", file.display())).unwrap_or_default();
    format!("{user}@{host}:{port}/{database}?{mode}{authority}")
}

/// An address whose password would be noticed. Nobody gets as far as finding that it is wrong.
fn with_secret(url: &str) -> String {
    url.replace(":pw@", ":geheim@")
}

/// Each way into a database ends the same: as configuration, with words that help and no password.
#[track_caller]
fn refused(url: &str, words: &str) {
    let log = wait(PayLog::open(url, "")).expect_err("no log");
    let ledger = wait(Ledger::open(url)).expect_err("no ledger");
    let migrate = wait(Ledger::migrate(url)).expect_err("no ledger to make");
    for failure in [log, ledger, migrate] {
        let Failure { exit, .. } = failure;
        assert_eq!(exit, Exit::Config, "{failure:?}");
        assert!(failure.hint.contains(words), "{failure:?}");
        assert!(!format!("{failure:?}").contains("geheim"), "{failure:?}");
    }
}

fn contains(heard: &[u8], words: &str) -> bool {
    heard.windows(words.len()).any(|window| window.eq_ignore_ascii_case(words.as_bytes()))
}

const LOG: &str = "CREATE TABLE EB_PAYLOG (ID int, REQ_TXDATE varchar(20), REQ_MALLID varchar(20), \
     REQ_STORECODE varchar(20), REQ_SHOP_CODE varchar(20), REQ_TILLID varchar(20), REQ_CASHIERNO varchar(20), REQ_DATE varchar(30), \
     REQ_OBJ text, REQ_ACTION varchar(30), REQ_TYPE varchar(10), RES_ERR varchar(20), RES_MSG text, RES_OBJ text)";

/// Makes a ledger and opens it and a log, through a proxy that only listens; what it could read.
fn overheard(engine: Engine, database: &Database, authority: Option<&Path>) -> Vec<u8> {
    let proxy = Proxy::new(engine, port(&database.url), Deed::Listen);
    let url = match authority {
        Some(_) => checked(&database.url, ("localhost", proxy.port), authority),
        None => database.url.replace(&format!(":{}/", port(&database.url)), &format!(":{}/", proxy.port)),
    };
    wait(async {
        Ledger::migrate(&url).await.expect("a ledger");
        let ledger = Ledger::open(&url).await.expect("the ledger");
        PayLog::open(&url, "").await.expect("the log");
        let day = BillDate::parse("20161108").expect("a day");
        assert!(ledger.sections(day).await.expect("no sections").is_empty());
        if authority.is_some() && engine == Engine::Postgres {
            let sessions = "SELECT cast(count(*) filter (where ssl) || ' of ' || count(*) AS text) FROM pg_stat_ssl
                JOIN pg_stat_activity USING (pid) WHERE application_name = 'nightjob' AND datname = current_database()";
            let counted = database.ask(sessions).remove(0);
            let (encrypted, all) = counted.split_once(" of ").expect("two numbers");
            assert!(encrypted == all && all != "0", "{counted}");
        }
        ledger.close().await;
    });
    proxy.heard()
}

#[test]
fn a_server_whose_certificate_is_checked_is_worked_with_and_nobody_can_listen() {
    let authority = pem("ca.pem");
    for engine in ENGINES {
        let open = Database::on(engine, engine.server());
        open.execute(LOG);
        let heard = overheard(engine, &open, None);
        assert!(contains(&heard, "schema_version") && contains(&heard, "eb_paylog"), "the proxy has ears");
        let closed = Database::on(engine, tls_server(engine));
        closed.execute(LOG);
        let heard = overheard(engine, &closed, Some(&authority));
        assert!(heard.len() > 1000);
        for words in ["schema_version", "eb_paylog", "select", "night"] {
            assert!(!contains(&heard, words), "{engine:?}: {words}");
        }
    }
}

#[test]
fn a_user_who_must_use_tls_can() {
    let mut database = Database::on(Engine::Mysql, tls_server(Engine::Mysql));
    let user = database.user(&["ALL ON *"]);
    let name = user.trim_start_matches("mysql://").split(':').next().expect("a user").to_owned();
    database.execute(&format!("ALTER USER {name}@'%' REQUIRE SSL"));
    let url = checked(&user, ("localhost", port(&user)), Some(&pem("ca.pem")));
    wait(Ledger::migrate(&url)).expect("a session that the server knows to be encrypted");
    let failure = wait(Ledger::open(&format!("{user}?ssl-mode=DISABLED"))).expect_err("the server refuses");
    assert!(failure.hint.contains("user and password"), "{failure:?}");
}

#[test]
fn another_name_another_authority_and_none_are_refused() {
    for engine in ENGINES {
        let url = with_secret(&tls_server(engine));
        let port = port(&url);
        refused(&checked(&url, ("127.0.0.1", port), Some(&pem("ca.pem"))), "as the certificate names it");
        refused(&checked(&url, ("localhost", port), Some(&pem("stranger.pem"))), "certificate authority");
        refused(&checked(&url, ("localhost", port), None), "certificate authority");
    }
}

#[test]
fn an_authority_whose_file_is_missing_is_what_is_complained_about() {
    for engine in ENGINES {
        let url = with_secret(&tls_server(engine));
        let missing = checked(&url, ("localhost", port(&url)), Some(Path::new("missing.pem")));
        let failure = wait(Ledger::open(&missing)).expect_err("no authority");
        assert_eq!(failure.exit, Exit::Storage, "{failure:?}");
        assert!(failure.hint.contains("sslrootcert, ssl-ca"), "{failure:?}");
    }
}

#[test]
fn a_certificate_out_of_date_is_refused_before_anything_is_said() {
    for engine in ENGINES {
        let server = tls_server(engine);
        let url = with_secret(&server);
        for (certificate, is_believed) in [("expired.pem", false), ("server.pem", true)] {
            let deed = Deed::Pretend { certificate: pem(certificate), key: pem("server.key") };
            let proxy = Proxy::new(engine, port(&server), deed);
            let url = checked(&url, ("localhost", proxy.port), Some(&pem("ca.pem")));
            if is_believed {
                // Without its date, nothing else is wrong: the user is said to whoever has the certificate.
                wait(Ledger::open(&url)).expect_err("the proxy hangs up");
            } else {
                refused(&url, "certificate renewed");
            }
            assert_eq!(contains(&proxy.heard(), "night"), is_believed, "{engine:?} {certificate}");
        }
    }
}

/// All that a side without TLS may hear: the question whether it has it.
fn hears_nothing(engine: Engine, heard: &[u8]) {
    let asked: &[u8] = if engine == Engine::Postgres { &SSL_REQUEST } else { &[] };
    let rest: Vec<u8> = heard.chunks(8).filter(|part| *part != asked).flatten().copied().collect();
    assert_eq!(rest, b"", "{engine:?}");
}

#[test]
fn where_tls_is_taken_away_or_was_never_there_not_a_byte_is_said() {
    for engine in ENGINES {
        for (server, deed) in [(tls_server(engine), Deed::Strip), (engine.server(), Deed::Listen)] {
            let proxy = Proxy::new(engine, port(&server), deed);
            let url = with_secret(&server);
            let authority = pem("ca.pem");
            refused(&checked(&url, ("localhost", proxy.port), Some(&authority)), "switch TLS on");
            // Another machine, with no word about TLS in the address.
            let url =
                url.replace(&format!("127.0.0.1:{}", port(&server)), &format!("{ELSEWHERE}:{}", proxy.port));
            refused(&url, "switch TLS on");
            hears_nothing(engine, &proxy.heard());
        }
    }
}

/// The program in a folder whose ledger is at `url`.
fn program(site: &SiteFolder, url: &str, arguments: &[&str]) -> Command {
    let mut command = site.command(arguments);
    command.env("NIGHTJOB_DATABASE", url);
    command
}

#[test]
fn the_machines_own_authorities_are_believed_by_commands_that_never_spoke_http() {
    for engine in ENGINES {
        let database = Database::on(engine, tls_server(engine));
        let site = SiteFolder::with_local_file();
        site.log([]);
        let url = checked(&database.url, ("localhost", port(&database.url)), None);
        for arguments in [["migrate"], ["verify"], ["status"]] {
            let mut command = program(&site, &url, &arguments);
            let ran = site::ran(command.env("SSL_CERT_FILE", pem("ca.pem")).output().expect("the program"));
            assert!(ran.code == 0 && !ran.err.contains("panicked"), "{arguments:?}: {ran:?}");
        }
        let ran = site::ran(program(&site, &url, &["verify"]).output().expect("the program"));
        ran.expect(3).says("UnknownIssuer").says("certificate authority");
    }
}

#[test]
fn no_variable_of_libpq_makes_another_machine_believed() {
    let authority = pem("ca.pem");
    let tls = tls_server(Engine::Postgres);
    let plain = Engine::Postgres.server();
    let proxy = Proxy::new(Engine::Postgres, port(&plain), Deed::Listen);
    let site = SiteFolder::with_local_file();
    site.log([]);
    for (url, words) in [
        (format!("postgres://night:geheim@{ELSEWHERE}:{}/postgres", proxy.port), "switch TLS on"),
        (format!("postgres://night:geheim@{ELSEWHERE}:{}/postgres", port(&tls)), "certificate authority"),
        (checked(&with_secret(&tls), ("localhost", port(&tls)), None), "certificate authority"),
    ] {
        for mode in ["disable", "allow", "prefer", "require", "verify-ca"] {
            let mut command = program(&site, &url, &["verify"]);
            command.env("PGSSLMODE", mode).env("PGSSLROOTCERT", &authority);
            command.env("PGHOST", "127.0.0.1").env("PGHOSTADDR", "127.0.0.1").env("PGPASSWORD", "geheim");
            let ran = site::ran(command.output().expect("the program")).expect(3).says(words);
            assert!(!format!("{ran:?}").contains("geheim"), "{ran:?}");
        }
    }
    hears_nothing(Engine::Postgres, &proxy.heard());
}

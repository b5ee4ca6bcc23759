//! A folder to run in: configuration, secrets, and places for the ledger, the archive and the reports.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::day::SimulatedDay;
use super::keys;
use super::town::{CUSTOMER_ID, SimAccount};
use crate::domain::{Lang, PayType};

/// An ISV's application: it signs with the merchant's key too, has no bills of its own, and may fetch those of the
/// merchant that gave it [`ISV_TOKEN`].
pub const ISV_APP_ID: &str = "2014900000000099";
/// `app_auth_token` of the Alipay merchant for [`ISV_APP_ID`].
pub const ISV_TOKEN: &str = "202405BBsandboxtokensandboxtoken00X18";

/// EB_PAYLOG's database, relative to the folder. `store` fills it.
pub const PAYLOG_FILE: &str = "ttpayment.db";
/// Notifications that a gateway kept, relative to the folder; the configuration does not name them.
pub const NOTICES_FILE: &str = "notices.jsonl";
/// The configuration, relative to the folder.
pub const CONFIG_FILE: &str = "nightjob.toml";

/// The accounts of a simulated day, with their secrets.
#[derive(Debug, Clone)]
pub struct Site {
    pub accounts: Vec<&'static SimAccount>,
    /// Files beside the configuration, by their path: what no desk hands out.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Site {
    pub fn of(day: &SimulatedDay) -> Site {
        let mut files = day.files();
        let notices = day.notices();
        if !notices.is_empty() {
            files.push((NOTICES_FILE.to_owned(), notices.into_bytes()));
        }
        Site { accounts: day.accounts().collect(), files }
    }

    /// Writes `nightjob.toml` and the secrets (mode 0600) into a folder; returns the configuration's path.
    ///
    /// # Errors
    ///
    /// Whatever the disk says; the message names the file.
    pub fn write_files(&self, dir: &Path, providers: SocketAddr, lang: Lang) -> io::Result<PathBuf> {
        let secrets = dir.join("secrets");
        std::fs::create_dir_all(&secrets).map_err(|error| named(&secrets, &error))?;
        for account in &self.accounts {
            for (file, text) in secret_files(account) {
                write_secret(&secrets.join(file), text)?;
            }
        }
        for (name, bytes) in &self.files {
            let path = dir.join(name);
            let folder = path.parent().unwrap_or(dir);
            std::fs::create_dir_all(folder).map_err(|error| named(folder, &error))?;
            std::fs::write(&path, bytes).map_err(|error| named(&path, &error))?;
        }
        let path = dir.join(CONFIG_FILE);
        std::fs::write(&path, self.config(providers, lang)).map_err(|error| named(&path, &error))?;
        Ok(path)
    }

    /// The configuration's text; its reports in `lang`.
    pub fn config(&self, providers: SocketAddr, lang: Lang) -> String {
        let mut out = String::from(
            "# Written by the sandbox: simulated providers on loopback, invented merchants.\n\n\
             paytype     = \"WX|ALI\"\n\
             database    = \"sqlite:data/nightjob.db\"\n\
             archive     = \"data/archive\"\n\
             reports     = \"reports\"\n",
        );
        out.push_str(&format!("report_lang = \"{}\"\n\n[paylog]\n", lang.as_str()));
        // ALI selects ALI_20 too.
        let listed = PayType::ALL.into_iter().filter(|listed| *listed != PayType::Ali20);
        let listed: Vec<&str> = listed.filter(|listed| self.takes(*listed)).map(PayType::as_str).collect();
        out = out.replace("WX|ALI", &listed.join("|"));
        line(&mut out, "database", &quoted(&format!("sqlite:{PAYLOG_FILE}")));
        line(&mut out, "amount_unit", &quoted("fen"));
        if self.accounts.iter().any(|account| account.channel == "ttpay") {
            out.push_str("\n[gateway]\n");
            line(&mut out, "url", &quoted(&format!("http://{providers}/")));
            line(&mut out, "transport", &quoted("rest-json"));
        }
        for account in &self.accounts {
            out.push_str("\n[[account]]\n");
            for (key, value) in account_keys(account, providers) {
                line(&mut out, key, &value);
            }
        }
        out
    }

    fn takes(&self, listed: PayType) -> bool {
        self.accounts.iter().any(|account| account.pay_type.covered_by(listed))
    }
}

fn account_keys(account: &SimAccount, providers: SocketAddr) -> Vec<(&'static str, String)> {
    let sellers: Vec<String> = account.sellers().into_iter().map(quoted).collect();
    let mut keys = vec![
        ("name", quoted(account.name)),
        ("paytype", quoted(account.pay_type.as_str())),
        ("channel", quoted(account.channel)),
        ("merchant", quoted(account.merchant)),
        ("seller", format!("[{}]", sellers.join(", "))),
    ];
    keys.extend(channel_keys(account, providers));
    if !account.sub_merchant.is_empty() {
        keys.push(("sub_merchant", quoted(account.sub_merchant)));
    }
    keys
}

/// A reference to one of the account's secrets.
fn secret_of(account: &SimAccount, file: &str) -> String {
    quoted(&format!("file:secrets/{}.{file}", account.name))
}

fn address(providers: SocketAddr, path: &str) -> (&'static str, String) {
    ("url", quoted(&format!("http://{providers}{path}")))
}

/// What the account's channel needs beyond the common keys.
fn channel_keys(account: &SimAccount, providers: SocketAddr) -> Vec<(&'static str, String)> {
    let secret = |file: &str| secret_of(account, file);
    let url = |path: &str| address(providers, path);
    let named = vec![("app_id", quoted(account.app_id)), ("sign_type", quoted(account.sign_type))];
    let by_key = |mut keys: Vec<(&'static str, String)>| {
        keys.extend([("key", secret("key")), url("")]);
        keys
    };
    let by_public_key = vec![
        ("serial_no", quoted(keys::WECHAT_MERCHANT_SERIAL)),
        ("private_key", secret("private.pem")),
        ("public_key", secret("wechat.pem")),
        ("public_key_id", quoted(keys::WECHAT_PUBLIC_KEY_ID)),
        url(""),
    ];
    let hosts = || ("download_hosts", quoted(&providers.to_string()));
    let api = |version: &str| vec![("api", quoted(version))];
    match account.channel {
        "wechat_v2" => by_key(named),
        "alipay_open" => [
            named,
            vec![
                ("private_key", secret("private.pem")),
                ("alipay_public_key", secret("alipay.pem")),
                url("/gateway.do"),
                hosts(),
            ],
        ]
        .concat(),
        "wechat_v3" => [by_public_key, vec![hosts()]].concat(),
        "ttpay" => vec![("customer", quoted(CUSTOMER_ID))],
        "wechat_global" if account.api_key.is_empty() => [api("v3"), by_public_key].concat(),
        "wechat_global" => by_key([api("v2"), named].concat()),
        _ => alone_keys(account, providers),
    }
}

/// The same of the old Alipay, TianTa, Teegon and a folder.
fn alone_keys(account: &SimAccount, providers: SocketAddr) -> Vec<(&'static str, String)> {
    let secret = |file: &str| secret_of(account, file);
    let url = |path: &str| address(providers, path);
    match account.channel {
        "alipay_mapi" => {
            vec![("key", secret("key")), ("service", quoted("account.page.query")), url("/gateway.do")]
        }
        "alipay_global" => {
            vec![("key", secret("key")), ("service", quoted("forex_compare_file")), url("/gateway.do")]
        }
        "tianta" => vec![("key", secret("key")), ("version", quoted("V1.0.10")), url("")],
        "teegon" => vec![("client_secret", secret("key")), ("extended", "false".to_owned()), url("")],
        "local_file" => vec![
            ("path", quoted("statements/{paytype}/{merchant}/{date}.csv")),
            ("layout", quoted("columns")),
            (
                "columns",
                quoted(
                    "order_no=订单编号; trade_no=支付宝流水号; amount=金额（元）; time=业务时间; kind=类型; payment=支付; \
                     refund=退款; refund_no=退款编号; fee=手续费（元）; subject=宝贝名称",
                ),
            ),
        ],
        _ => Vec::new(),
    }
}

fn secret_files(account: &SimAccount) -> Vec<(String, &'static str)> {
    let file = |name: &str| format!("{}.{name}", account.name);
    match account.channel {
        "alipay_open" => {
            vec![
                (file("private.pem"), keys::MERCHANT_PRIVATE_PEM),
                (file("alipay.pem"), keys::ALIPAY_PUBLIC_PEM),
            ]
        }
        "wechat_v2" | "wechat_global" if !account.api_key.is_empty() => vec![(file("key"), account.api_key)],
        "wechat_v3" | "wechat_global" => vec![
            (file("private.pem"), keys::MERCHANT_PRIVATE_PEM),
            (file("wechat.pem"), keys::WECHAT_PUBLIC_KEY_PEM),
            // For a configuration that verifies by platform certificates instead.
            (file("apiv3.key"), keys::WECHAT_API_V3_KEY),
        ],
        "local_file" | "ttpay" => Vec::new(),
        _ => vec![(file("key"), account.api_key)],
    }
}

/// Created for the owner alone, before anything is in it.
fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn line(out: &mut String, key: &str, value: &str) {
    // Writing to a String cannot fail.
    let _never = writeln!(out, "{key:<17} = {value}");
}

/// None of the values holds a character that TOML would need escaped.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

//! Keys of an old configuration to ours, and its accounts to rows.
//!
//! `url` in web.config is the Taobao router and not the gateway (R008), and the key that held the gateway's address
//! is lost with its screenshot (R007): so several names are known, and a file with two different addresses is
//! refused. Spellings that only a bad scan has are never read (R024). Source: `spec/ttpay.md`, R003 to R024.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use super::xml::{Form, Misplaced, Written};
use crate::config::dsn::Dsn;
use crate::config::problem::{Source, Wrong};
use crate::domain::{AlipaySeller, PartnerSeller, PayType, Secret, SellerTables, WechatSeller};

/// Names under which the gateway's address may stand in nightjob.exe.config.
pub(in crate::config) const ADDRESS_NAMES: [&str; 12] = [
    "gateway",
    "gatewayurl",
    "gateway_url",
    "gatewayaddress",
    "ttpay",
    "ttpayurl",
    "ttpay_url",
    "payurl",
    "pay_url",
    "serviceurl",
    "service_url",
    "url",
];
/// Switches of the gateway and the pay type that each stops (R021).
const STOPS: [(&str, PayType); 4] = [
    ("stop_wx_pay", PayType::Wx),
    ("stop_ali_pay", PayType::Ali),
    ("stop_ali_pay_oversea", PayType::AliOs),
    ("stop_tb_pay", PayType::Tb),
];
/// Addresses that are known not to be the gateway's.
const OTHER_ADDRESSES: [&str; 1] = ["url"];

/// A value of one of our keys, from an old one.
pub(in crate::config) struct Value {
    pub(in crate::config) path: &'static str,
    pub(in crate::config) text: String,
    pub(in crate::config) at: Range<usize>,
    /// The old name.
    pub(in crate::config) name: String,
}

/// What a file says, in our words.
#[derive(Default)]
pub(in crate::config) struct Translated {
    pub(in crate::config) values: Vec<Value>,
    pub(in crate::config) tables: SellerTables,
    pub(in crate::config) warnings: Vec<String>,
    /// Names of keys that were not used, in the order of the file.
    pub(in crate::config) ignored: Vec<String>,
    /// Among them those that hold an address: one of them may be the gateway's.
    pub(in crate::config) addresses: Vec<String>,
    pub(in crate::config) wrong: Vec<Misplaced>,
}

/// Translates the values of a file. `gateways`: it is the gateway's own.
pub(in crate::config) fn translate(written: &[Written], source: &Source<'_>, gateways: bool) -> Translated {
    let book = Book { written, used: RefCell::default() };
    let mut out = Translated { wrong: duplicates(written, source), ..Translated::default() };
    pay_types(&book, source, &mut out);
    plain(&book, "SqeDate", "sqe_date", &mut out);
    base64(&book, &mut out);
    database(&book, &mut out);
    if !gateways {
        address(&book, &mut out);
    }
    stops(&book, source.name, &mut out);
    out.tables = accounts(&book, source.name);
    let used = book.used.into_inner();
    let unused = |written: &&Written| {
        !matches!(written.form, Form::Endpoint { .. }) && !used.contains(&written.name.to_ascii_lowercase())
    };
    for written in written.iter().filter(unused) {
        if is_http(&written.value)
            && !is_taobaos(written)
            && !OTHER_ADDRESSES.contains(&written.name.to_ascii_lowercase().as_str())
        {
            out.addresses.push(written.name.clone());
        }
        if !out.ignored.contains(&written.name) {
            out.ignored.push(written.name.clone());
        }
    }
    out
}

/// The values by name, in any case; remembers who was asked for.
struct Book<'w> {
    written: &'w [Written],
    used: RefCell<BTreeSet<String>>,
}

impl<'w> Book<'w> {
    /// The first value of that name; later ones are the same or were reported.
    fn get(&self, name: &str) -> Option<&'w Written> {
        let found = self.written.iter().find(|w| is(w, name));
        if found.is_some() {
            self.used.borrow_mut().insert(name.to_ascii_lowercase());
        }
        found
    }

    fn text(&self, name: &str) -> &'w str {
        self.get(name).map_or("", |written| written.value.trim())
    }

    /// For the rows: the first of several names.
    fn first(&self, names: &[&str]) -> Option<String> {
        let found: Vec<&Written> = names.iter().filter_map(|name| self.get(name)).collect();
        found.first().map(|written| written.value.clone())
    }
}

fn is(written: &Written, name: &str) -> bool {
    !matches!(written.form, Form::Endpoint { .. }) && written.name.eq_ignore_ascii_case(name)
}

/// .NET takes the last of several; which one was meant, nobody can know (R009).
fn duplicates(written: &[Written], source: &Source<'_>) -> Vec<Misplaced> {
    let mut wrong = Vec::new();
    for (index, later) in written.iter().enumerate().filter(|(_, w)| w.form == Form::Key) {
        let same = |earlier: &&Written| earlier.form == Form::Key && is(earlier, &later.name);
        if let Some(earlier) =
            written[..index].iter().find(same).filter(|earlier| earlier.value != later.value)
        {
            let (line, _) = source.position(earlier.at.start);
            let found =
                format!("`{}` stands twice with different values", crate::channel::shown(&later.name));
            let fix =
                format!("leave one of them; the other stands in line {line} (.NET would take the last)");
            wrong.push((later.at.clone(), Wrong::new(found, fix)));
        }
    }
    wrong
}

fn value(written: &Written, path: &'static str, text: impl Into<String>) -> Value {
    Value { path, text: text.into(), at: written.at.clone(), name: written.name.clone() }
}

fn plain(book: &Book<'_>, name: &str, path: &'static str, out: &mut Translated) {
    if let Some(written) = book.get(name) {
        out.values.push(value(written, path, written.value.clone()));
    }
}

/// PAYTPYE as it is printed, PAYTYPE as it was meant (R003, X01).
fn pay_types(book: &Book<'_>, source: &Source<'_>, out: &mut Translated) {
    let (printed, meant) = (book.get("PAYTPYE"), book.get("PAYTYPE"));
    if let (Some(one), Some(other)) = (printed, meant)
        && !one.value.trim().eq_ignore_ascii_case(other.value.trim())
    {
        let (line, _) = source.position(one.at.start);
        let found = "`PAYTYPE` and `PAYTPYE` (the old manual's spelling) have different values";
        let fix = format!("leave one of them; PAYTPYE stands in line {line}");
        out.wrong.push((other.at.clone(), Wrong::new(found, fix)));
    }
    if let Some(written) = printed.or(meant) {
        out.values.push(value(written, "paytype", written.value.clone()));
    }
}

/// `0` or `1`, for the log and for the gateway (R018).
fn base64(book: &Book<'_>, out: &mut Translated) {
    let Some(written) = book.get("isbase64") else { return };
    let truth = match written.value.trim() {
        "" | "0" => "false",
        "1" => "true",
        _ => {
            let wrong =
                Wrong::new("`isbase64` is neither 0 nor 1", "write what the gateway's web.config has");
            out.wrong.push((written.at.clone(), wrong));
            return;
        }
    };
    out.values.push(value(written, "paylog.isbase64", truth));
    out.values.push(value(written, "gateway.isbase64", truth));
}

/// R012, R013: only Oracle over ODBC is described.
fn database(book: &Book<'_>, out: &mut Translated) {
    for (name, only) in [("DbType", "ORACLE"), ("DbConnectionType", "ODBC")] {
        if let Some(written) = book.get(name).filter(|w| !w.value.trim().is_empty())
            && !written.value.trim().eq_ignore_ascii_case(only)
        {
            let found =
                format!("`{name}` is `{}`, which is not supported", crate::channel::shown(&written.value));
            out.wrong
                .push((written.at.clone(), Wrong::new(found, format!("the old program knows {only} only"))));
        }
    }
    let Some(written) = book.get("DbConnectionString").filter(|w| !w.value.trim().is_empty()) else { return };
    match Dsn::parse(&written.value) {
        Ok(dsn) => out.values.push(value(written, "paylog.database", dsn.address())),
        Err(why) => {
            let found = format!("`DbConnectionString`: {why}");
            out.wrong.push((written.at.clone(), Wrong::new(found, "write DSN=name;uid=user;pwd=password;")));
        }
    }
}

fn is_http(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    text.starts_with("http://") || text.starts_with("https://")
}

/// Taobao's router is not the gateway, wherever it stands (R008).
fn is_taobaos(written: &Written) -> bool {
    written.value.to_ascii_lowercase().contains("taobao")
}

/// The gateway's address, from wherever one may stand; two different ones are refused (R007).
fn address(book: &Book<'_>, out: &mut Translated) {
    let named = |written: &&Written| match &written.form {
        Form::Endpoint { .. } => !written.value.trim().is_empty(),
        Form::Setting => is_http(&written.value),
        Form::Key => {
            let known = ADDRESS_NAMES.iter().any(|name| is(written, name));
            known && !written.value.trim().is_empty()
        }
    };
    let candidates = book.written.iter().filter(named).filter(|w| !is_taobaos(w));
    let mut first: Option<&Written> = None;
    for written in candidates {
        book.used.borrow_mut().insert(written.name.to_ascii_lowercase());
        match first {
            Some(other) if base(&other.value) != base(&written.value) => {
                let found = format!("`{}` and `{}` hold different addresses", other.name, written.name);
                let fix = "only one can be the gateway's; remove the other from this copy of the file";
                out.wrong.push((written.at.clone(), Wrong::new(found, fix)));
            }
            Some(_) => {}
            None => first = Some(written),
        }
    }
    let Some(written) = first else { return };
    out.values.push(value(written, "gateway.url", base(&written.value)));
    if let Form::Endpoint { binding } = &written.form {
        let transport = match binding.as_str() {
            "basicHttpBinding" => Some("soap11"),
            "wsHttpBinding" => Some("soap12"),
            "webHttpBinding" => Some("rest-json"),
            _ => None,
        };
        out.values.extend(transport.map(|transport| value(written, "gateway.transport", transport)));
    }
}

/// An address up to its service's file: `…/Service1.svc?wsdl` is asked as `…/`.
fn base(text: &str) -> String {
    let address = text.trim().split(['?', '#']).next().unwrap_or("");
    match address.rsplit_once('/') {
        Some((folder, file)) if file.to_ascii_lowercase().ends_with(".svc") => format!("{folder}/"),
        _ => address.to_owned(),
    }
}

fn stops(book: &Book<'_>, file: &str, out: &mut Translated) {
    for (name, pay_type) in STOPS {
        match book.text(name) {
            "" | "0" => {}
            "1" => out.warnings.push(format!(
                "{file}: {name} is 1: the gateway takes no {pay_type} payments. Refunds and late bills may still come, \
                 so this changes nothing here"
            )),
            other => out.warnings.push(format!(
                "{file}: {name} is `{}`, neither 0 nor 1; it changes nothing here",
                crate::channel::shown(other)
            )),
        }
    }
}

/// The accounts of a file: at most one of each kind (R022, R030).
fn accounts(book: &Book<'_>, file: &str) -> SellerTables {
    let mut tables = SellerTables::default();
    let find = |names: &[&str]| book.first(names);
    let wechat = WechatSeller { seller: String::new(), ..WechatSeller::read(file, find) };
    tables.wechat.extend(Some(wechat).filter(|row| !row.is_blank()));
    let partner = book.text("partner").to_owned();
    let alipay =
        AlipaySeller { seller: String::new(), partner: partner.clone(), ..AlipaySeller::read(file, find) };
    tables.alipay.extend(Some(alipay).filter(|row| !row.is_blank()));
    let public = book.text("alipay_public_key");
    tables.alipay_public_key = (!public.is_empty()).then(|| Secret::new(public));
    for (pay_type, partner, key) in [
        (PayType::Ali, partner.as_str(), "key"),
        (PayType::AliOs, book.text("partner_oversea"), "key_oversea"),
    ] {
        let key = Secret::new(book.text(key));
        if !partner.is_empty() && !key.is_blank() {
            let (place, partner) = (file.to_owned(), partner.to_owned());
            tables.partners.push(PartnerSeller { place, pay_type, partner, key });
        }
    }
    if !book.text("tb_appkey").is_empty() {
        tables.remarks.push(format!(
            "{file}: a Taobao account (tb_appkey): its statement can only be given as a file; add an [[account]] of paytype TB with channel local_file"
        ));
    }
    book.get("tb_appsecret");
    tables
}

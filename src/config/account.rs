//! One `[[account]]`: the keys that every account has, and those that its channel's room declares.
//!
//! No channel is known here by what it does: keys, defaults, allowed values and secrets come from
//! [`Room::needs`](crate::channel::Room), the last word from `Room::check`.

mod assemble;
mod lift;

use std::ops::Range;

use super::problem::{Findings, Place, Wrong};
use super::raw::{self, Pair, Raw};
use super::secret::{self, Reference};
use super::show::Shown;
use super::{Request, SecretUse, World, address, nearest, value};
use crate::channel::{Need, Room};
use crate::domain::{Account, Bill, PayType};

pub(super) use assemble::{Given, Givens, Ground, assemble, finish};
pub(super) use lift::write as write_secret;

/// Beside a `url`, for every room that has one.
const ALLOW_PLAIN_HTTP: &str = "allow_plain_http";
const URL: &str = "url";

struct Common {
    name: &'static str,
    required: bool,
    read: fn(&Raw, &mut Account) -> Result<(), Wrong>,
}

/// What every account has, in the order of the manual.
static COMMON: &[Common] = &[
    Common { name: "name", required: true, read: |raw, a| value::plain_word(raw).map(|name| a.name = name) },
    Common { name: "paytype", required: true, read: read_pay_type },
    Common { name: "channel", required: true, read: read_channel },
    Common { name: "merchant", required: true, read: read_merchant },
    Common { name: "seller", required: false, read: read_sellers },
    Common {
        name: "customer",
        required: false,
        read: |raw, a| raw.text().map(|c| a.customer = c.trim().to_owned()),
    },
    Common { name: "bills", required: false, read: read_bills },
];

/// What an account is read with.
pub(super) struct Desk<'a> {
    pub request: &'a Request<'a>,
    pub world: &'a World,
    pub home: &'a std::path::Path,
}

/// An account that was read, with its place for later remarks.
pub(super) struct Entered {
    pub account: Account,
    pub at: Range<usize>,
    pub shown: Vec<Shown>,
    pub warnings: Vec<String>,
}

/// Reads one table; what is wrong goes to `findings`, and then nothing comes back.
pub(super) fn read(
    pairs: &[Pair<'_>],
    at: Range<usize>,
    desk: &Desk<'_>,
    findings: &mut Findings<'_>,
) -> Option<Entered> {
    let before = findings.len();
    let blank = Account { bills: vec![Bill::Trade], ..Account::default() };
    let mut entered = Entered { account: blank, at, shown: Vec::new(), warnings: Vec::new() };
    read_common(pairs, &mut entered, findings);
    let room = find_room(pairs, &entered.account, desk, findings)?;
    check_pay_type(pairs, room, &entered.account, findings);
    check_bills(pairs, room, &entered.account, findings);
    read_own(pairs, room, desk, &mut entered, findings);
    check_url(pairs, room, &mut entered.account, findings);
    if findings.len() > before {
        return None;
    }
    show(pairs, room, &mut entered, findings);
    Some(entered)
}

/// What can be said only when the whole file was read: the values of shared keys, and the room's own last word.
pub(super) fn complete(
    entered: &mut Entered,
    desk: &Desk<'_>,
    values: &super::settle::Values,
    findings: &mut Findings<'_>,
) {
    let account = &mut entered.account;
    let Some(room) = desk.request.rooms.iter().find(|room| room.code == account.channel) else { return };
    for need in room.needs.iter().filter(|need| need.shared) {
        let value = values.get(need.key).map_or(String::new(), |given| given.raw.plain());
        account.options.insert(need.key.to_owned(), value);
    }
    if desk.request.secrets == SecretUse::Read
        && let Err(failure) = (room.check)(account)
    {
        let message = format!("account `{}`: {}", account.name, failure.message);
        findings.add(&Place::File(entered.at.clone()), Wrong::new(message, failure.hint));
    }
}

fn pair<'p, 't>(pairs: &'p [Pair<'t>], name: &str) -> Option<&'p Pair<'t>> {
    pairs.iter().find(|pair| pair.name == name)
}

fn place(pair: &Pair<'_>) -> Place {
    Place::File(pair.value.span())
}

fn read_common(pairs: &[Pair<'_>], entered: &mut Entered, findings: &mut Findings<'_>) {
    for key in COMMON {
        match pair(pairs, key.name) {
            Some(pair) => {
                if let Err(wrong) = (key.read)(&Raw::of(pair.value), &mut entered.account) {
                    findings.add(&place(pair), wrong.of(pair.name));
                }
            }
            None if key.required => {
                let who = who(&entered.account);
                let fix = format!("add {} = \"…\"", key.name);
                findings.add(
                    &Place::File(entered.at.clone()),
                    Wrong::new(format!("{who} has no `{}`", key.name), fix),
                );
            }
            None => (),
        }
    }
}

fn who(account: &Account) -> String {
    if account.name.is_empty() { "this account".to_owned() } else { format!("account `{}`", account.name) }
}

fn read_pay_type(raw: &Raw, account: &mut Account) -> Result<(), Wrong> {
    account.pay_type = Some(value::pay_type(raw.text()?, None)?);
    Ok(())
}

fn read_channel(raw: &Raw, account: &mut Account) -> Result<(), Wrong> {
    account.channel = raw.text()?.trim().to_owned();
    match account.channel.is_empty() {
        true => Err(Wrong::new("here is nothing", "write the channel that gives the statement")),
        false => Ok(()),
    }
}

fn read_merchant(raw: &Raw, account: &mut Account) -> Result<(), Wrong> {
    let text = raw.text()?.trim();
    if !is_merchant(text) {
        let fix = "write the merchant number: letters, digits, - _ . @";
        return Err(Wrong::new(format!("`{text}` is not possible here"), fix));
    }
    account.merchant = text.to_owned();
    Ok(())
}

/// Whether a text can be a merchant number. It stands in addresses and file names.
pub(super) fn is_merchant(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@".contains(&b))
}

fn read_sellers(raw: &Raw, account: &mut Account) -> Result<(), Wrong> {
    let mut sellers: Vec<String> = Vec::new();
    for (text, _) in raw.texts()? {
        if !sellers.iter().any(|s| s == text.trim()) {
            sellers.push(text.trim().to_owned());
        }
    }
    if sellers.is_empty() {
        return Err(Wrong::new(
            "an empty list claims no order",
            "leave `seller` out for all orders of the pay type",
        ));
    }
    account.sellers = Some(sellers);
    Ok(())
}

fn read_bills(raw: &Raw, account: &mut Account) -> Result<(), Wrong> {
    let names = ["trade", "fundflow", "signcustomer"];
    let mut bills = Vec::new();
    for (text, at) in raw.texts()? {
        let bill = Bill::parse(text).ok_or_else(|| {
            let fix = format!("possible: {}", names.join(", "));
            Wrong::new(format!("`{text}` is no bill"), fix).at(at)
        })?;
        if !bills.contains(&bill) {
            bills.push(bill);
        }
    }
    if !bills.contains(&Bill::Trade) {
        return Err(Wrong::new("the trade bill is missing", "add \"trade\": only it meets the log"));
    }
    account.bills = bills;
    Ok(())
}

fn find_room<'r>(
    pairs: &[Pair<'_>],
    account: &Account,
    desk: &Desk<'r>,
    findings: &mut Findings<'_>,
) -> Option<&'r Room> {
    let pair = pair(pairs, "channel")?;
    let code = account.channel.as_str();
    let found = desk.request.rooms.iter().find(|room| room.code == code).copied();
    // A channel that is no text was reported by its reader.
    if found.is_none() && !code.is_empty() {
        let codes: Vec<&str> = desk.request.rooms.iter().map(|room| room.code).collect();
        let near = nearest(code, &codes).map_or(String::new(), |near| format!("did you mean `{near}`? "));
        let fix = format!("{near}possible: {}", codes.join(", "));
        findings.add(&place(pair), Wrong::new(format!("`{code}` is no channel"), fix));
    }
    found
}

fn check_pay_type(pairs: &[Pair<'_>], room: &Room, account: &Account, findings: &mut Findings<'_>) {
    let (Some(pair), Some(pay_type)) = (pair(pairs, "paytype"), account.pay_type) else { return };
    if !room.pay_types.contains(&pay_type) {
        let takes: Vec<&str> = room.pay_types.iter().map(|p| p.as_str()).collect();
        let message = format!("channel `{}` has no statements of {pay_type}", room.code);
        let fix = match pay_type {
            PayType::Tb => "Taobao is reconciled from an imported file: write channel = \"local_file\" and \
                            layout = \"columns\""
                .to_owned(),
            _ => format!("it takes {}", takes.join(", ")),
        };
        findings.add(&place(pair), Wrong::new(message, fix));
    }
}

fn check_bills(pairs: &[Pair<'_>], room: &Room, account: &Account, findings: &mut Findings<'_>) {
    let Some(pair) = pair(pairs, "bills") else { return };
    if let Some(bill) = account.bills.iter().find(|bill| !room.bills.contains(bill)) {
        let has: Vec<&str> = room.bills.iter().map(|bill| bill.as_str()).collect();
        let message = format!("channel `{}` has no bill `{}`", room.code, bill.as_str());
        findings.add(&place(pair), Wrong::new(message, format!("it has {}", has.join(", "))));
    }
}

/// The keys that an account may have itself.
fn own_needs(room: &Room) -> impl Iterator<Item = &Need> {
    room.needs.iter().filter(|need| !need.shared)
}

fn need<'r>(room: &'r Room, name: &str) -> Option<&'r Need> {
    own_needs(room).find(|need| need.key == name)
}

fn takes_plain_http(room: &Room, name: &str) -> bool {
    name == ALLOW_PLAIN_HTTP && need(room, URL).is_some()
}

/// Reads the keys of the channel: those written, then those missing.
fn read_own(
    pairs: &[Pair<'_>],
    room: &Room,
    desk: &Desk<'_>,
    entered: &mut Entered,
    findings: &mut Findings<'_>,
) {
    let own = pairs.iter().filter(|pair| !COMMON.iter().any(|key| key.name == pair.name));
    for pair in own {
        let read = match need(room, pair.name) {
            Some(need) if need.secret => read_secret(need, pair, desk, entered),
            Some(need) => read_option(need, pair, desk, entered),
            None if takes_plain_http(room, pair.name) => read_allowance(pair, entered),
            None => {
                findings.add(&Place::File(pair.at.clone()), unknown(pair.name, room, desk).hide_rest());
                continue;
            }
        };
        if let Err(wrong) = read {
            findings.add(&place(pair), wrong.of(pair.name));
        }
    }
    for need in own_needs(room).filter(|need| pair(pairs, need.key).is_none()) {
        if need.required {
            let message = format!(
                "{} has no `{}`, which channel `{}` needs",
                who(&entered.account),
                need.key,
                room.code
            );
            let example =
                if need.secret { example(&entered.account.name, need.key) } else { "\"…\"".to_owned() };
            let fix = format!("add {} = {example}", need.key);
            findings.add(&Place::File(entered.at.clone()), Wrong::new(message, fix));
        } else if !need.default.is_empty() {
            entered.account.options.insert(need.key.to_owned(), need.default.to_owned());
        }
    }
}

fn example(account: &str, key: &str) -> String {
    let name = if account.is_empty() { key.to_owned() } else { format!("{account}.{key}") };
    format!("\"file:{name}\"")
}

fn read_secret(need: &Need, pair: &Pair<'_>, desk: &Desk<'_>, entered: &mut Entered) -> Result<(), Wrong> {
    let raw = Raw::of(pair.value);
    let account = &entered.account.name;
    let reference = raw.text().ok().and_then(Reference::parse).ok_or_else(|| {
        let fix = format!("put it into a file and write {} = {}", pair.name, example(account, pair.name));
        Wrong::new("a reference (file:, env: or cmd:) must stand here, not the secret itself", fix)
    })?;
    if desk.request.secrets == SecretUse::Read {
        let followed = match need.binary {
            true => secret::follow_packed(&reference, desk.home, desk.world)?,
            false => secret::follow(&reference, desk.home, desk.world)?,
        };
        entered.warnings.extend(followed.warning);
        entered.account.secrets.insert(pair.name.to_owned(), followed.secret);
    }
    Ok(())
}

/// Reads a key that is no secret. A long public key may stand in a file of its own.
fn read_option(need: &Need, pair: &Pair<'_>, desk: &Desk<'_>, entered: &mut Entered) -> Result<(), Wrong> {
    let raw = Raw::of(pair.value);
    let text = match (&raw, need.allowed) {
        // A switch may be written as one, with or without quotes.
        (Raw::Truth(truth), allowed) if allowed.is_empty() || allowed.contains(&"true") => truth.to_string(),
        (Raw::List(list), []) => list.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(","),
        (_, []) => raw.text()?.to_owned(),
        (_, allowed) => raw.word(allowed)?.to_owned(),
    };
    if need.required && text.trim().is_empty() {
        return Err(Wrong::new("here is nothing", "write its value"));
    }
    let kept = match Reference::parse(&text) {
        Some(file @ Reference::File(_)) if desk.request.secrets == SecretUse::Read => {
            secret::follow(&file, desk.home, desk.world)?.secret.expose().to_owned()
        }
        _ => text,
    };
    entered.account.options.insert(need.key.to_owned(), kept);
    Ok(())
}

/// Reads one of `sellers.options`: a key of a channel, for accounts that stand in no table of the file.
pub(super) fn loose_option(
    channel: &str,
    key: &str,
    value: &str,
    desk: &Desk<'_>,
) -> Result<(Given, Option<String>), Wrong> {
    let Some(room) = desk.request.rooms.iter().find(|room| room.code == channel) else {
        let codes: Vec<&str> = desk.request.rooms.iter().map(|room| room.code).collect();
        return Err(Wrong::new(
            format!("`{channel}` is no channel"),
            format!("possible: {}", codes.join(", ")),
        ));
    };
    let text = || Ok((Given::Text(value.to_owned()), None));
    let Some(need) = need(room, key) else {
        return if takes_plain_http(room, key) { text() } else { Err(unknown(key, room, desk)) };
    };
    match Reference::parse(value) {
        Some(_) if desk.request.secrets != SecretUse::Read => text(),
        Some(reference) if need.secret || matches!(reference, Reference::File(_)) => {
            let followed = secret::follow(&reference, desk.home, desk.world)?;
            Ok((Given::Secret(followed.secret), followed.warning))
        }
        None if need.secret => {
            let fix = format!("write {channel}.{key}=file:secrets/{key}");
            Err(Wrong::new(
                format!("`{channel}.{key}`: a reference (file:, env: or cmd:) must stand here"),
                fix,
            ))
        }
        _ if !need.allowed.is_empty() && !need.allowed.contains(&value) => Err(Wrong::new(
            format!("`{channel}.{key}` cannot be `{value}`"),
            format!("possible: {}", need.allowed.join(", ")),
        )),
        _ => text(),
    }
}

fn read_allowance(pair: &Pair<'_>, entered: &mut Entered) -> Result<(), Wrong> {
    let allowed = Raw::of(pair.value).truth()?;
    entered.account.options.insert(ALLOW_PLAIN_HTTP.to_owned(), allowed.to_string());
    Ok(())
}

fn check_url(pairs: &[Pair<'_>], room: &Room, account: &mut Account, findings: &mut Findings<'_>) {
    let Some(pair) = pair(pairs, URL).filter(|_| need(room, URL).is_some()) else { return };
    let allowed = account.option(ALLOW_PLAIN_HTTP) == "true";
    if let Err(wrong) = address::check_http(account.option(URL), allowed) {
        findings.add(&place(pair), wrong.of(pair.name));
    }
}

fn unknown(name: &str, room: &Room, desk: &Desk<'_>) -> Wrong {
    let message = format!("unknown key `{name}` in an account of channel `{}`", room.code);
    let own = own_needs(room).map(|need| need.key);
    let keys: Vec<&str> = COMMON.iter().map(|key| key.name).chain(own).collect();
    let takes_it = |other: &&&Room| need(other, name).is_some() || takes_plain_http(other, name);
    let others: Vec<&str> = desk.request.rooms.iter().filter(takes_it).map(|other| other.code).collect();
    let fix = match nearest(name, &keys) {
        _ if !others.is_empty() => format!("it is a key of {}", others.join(", ")),
        Some(near) => format!("did you mean `{near}`?"),
        None if super::keys::find(name).is_some() => {
            format!("`{name}` belongs at the top, before the first [table]")
        }
        None => format!("possible here: {}", keys.join(", ")),
    };
    Wrong::new(message, fix)
}

fn show(pairs: &[Pair<'_>], room: &Room, entered: &mut Entered, findings: &Findings<'_>) {
    let row = |name: &str, value: String, origin: String| Shown {
        key: format!("account.{}.{name}", entered.account.name),
        value,
        origin,
    };
    let written = pairs.iter().map(|pair| {
        let value = Raw::of(pair.value).shown();
        row(pair.name, value, findings.source.origin(&place(pair)))
    });
    let implied = own_needs(room).filter(|n| pair(pairs, n.key).is_none() && !n.default.is_empty());
    let implied = implied.map(|need| row(need.key, format!("{:?}", need.default), "default".to_owned()));
    let shown: Vec<Shown> = written.chain(implied).collect();
    entered.shown = shown;
}

/// One table of accounts as it was written, and its place.
pub(super) type Written<'t> = (Vec<Pair<'t>>, Range<usize>);

/// Reads the value of `account`: a list of tables.
pub(super) fn tables<'t>(value: &'t toml::Spanned<toml::de::DeValue<'t>>) -> Result<Vec<Written<'t>>, Wrong> {
    let wrong = || {
        Wrong::new(
            "`account` is a list of tables",
            "write [[account]], with two brackets, before each account",
        )
    };
    let items = value.get_ref().as_array().ok_or_else(wrong)?;
    let table = |item: &'t toml::Spanned<toml::de::DeValue<'t>>| {
        item.get_ref().as_table().map(|table| (raw::pairs(table), item.span())).ok_or_else(wrong)
    };
    items.iter().map(table).collect()
}

//! One `talk.txt`: read, and held with the bare room.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nightjob::channel::{self, Ask, Exhausted, HEAD_MAX, Heard, Inquiry, Judged, Room, Step, Told};
use nightjob::domain::{
    Account, Bill, BillDate, Cell, Currency, EntryKind, Errand, Moment, PayType, Secret, Stamp, Statement,
    money,
};

const NONCE: &str = "7c1e9b0d4f6a48e2b3d5906f81a2c4e7";

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn key(file: &str) -> Secret {
    let path = fixtures().join("test_keys").join(file);
    Secret::new(fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

/// A binary file, as the configuration keeps it.
fn packed(file: &str) -> Secret {
    let path = fixtures().join("test_keys").join(file);
    let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Secret::new(base64::Engine::encode(&base64::prelude::BASE64_STANDARD, bytes))
}

/// What comes back to one question.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// The file beside talk.txt that holds the body; empty = no body.
    pub(crate) file: String,
}

/// One conversation of a talk: about the errand's statement, or about one order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    /// The `?` line as it stands, and what it asks; `None` for a statement.
    pub(crate) about: Option<(String, Inquiry)>,
    pub(crate) replies: Vec<Reply>,
    /// How it ends, as it stands in the file.
    pub(crate) end: String,
}

/// One talk.txt.
pub(crate) struct Talk {
    pub(crate) folder: PathBuf,
    /// Lines that the room does not say: comments and settings, kept as they are.
    pub(crate) preamble: Vec<String>,
    pub(crate) errand: Errand,
    pub(crate) now: Moment,
    pub(crate) show_body: bool,
    /// Path, query and authorization as well.
    pub(crate) show_query: bool,
    pub(crate) parts: Vec<Part>,
}

/// What the `@` lines of account.txt and talk.txt set.
struct Settings {
    account: Account,
    date: Option<BillDate>,
    now: Option<Moment>,
    show_body: bool,
    show_query: bool,
}

impl Settings {
    fn of(room: &Room) -> Settings {
        let mut account = Account {
            name: "mall".into(),
            channel: room.code.into(),
            bills: vec![Bill::Trade],
            ..Account::default()
        };
        let defaults =
            room.needs.iter().filter(|n| !n.secret).map(|n| (n.key.to_owned(), n.default.to_owned()));
        account.options = defaults.collect();
        let mut settings = Settings { account, date: None, now: None, show_body: false, show_query: false };
        let path = fixtures().join(room.code).join("account.txt");
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        text.lines().filter(|line| line.starts_with("@ ")).for_each(|line| settings.set(line));
        settings
    }

    /// `@ date D`, `@ now T`, `@ merchant M`, `@ seller S`, `@ customer C`, `@ paytype P`, `@ bill B`,
    /// `@ set KEY VALUE`, `@ secret KEY VALUE`, `@ key KEY FILE`, `@ file KEY FILE`, `@ without KEY`, `@ show body`,
    /// `@ show query`.
    fn set(&mut self, line: &str) {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let account = &mut self.account;
        match words.as_slice() {
            ["@", "date", text] => self.date = BillDate::parse(text),
            ["@", "now", ..] => self.now = Moment::parse(&line["@ now ".len()..]),
            ["@", "merchant", text] => account.merchant = (*text).into(),
            ["@", "seller", text] => account.sellers = Some(vec![(*text).into()]),
            ["@", "customer", text] => account.customer = (*text).into(),
            ["@", "paytype", text] => account.pay_type = PayType::parse(text),
            ["@", "bill", text] => {
                account.bills = vec![Bill::parse(text).unwrap_or_else(|| panic!("{line}"))]
            }
            ["@", "set", key] => drop(account.options.insert((*key).into(), String::new())),
            ["@", "set", key, value] => drop(account.options.insert((*key).into(), (*value).into())),
            ["@", "secret", name, value] => drop(account.secrets.insert((*name).into(), Secret::new(*value))),
            ["@", "key", name, file] => drop(account.secrets.insert((*name).into(), key(file))),
            ["@", "file", name, file] => drop(account.secrets.insert((*name).into(), packed(file))),
            ["@", "without", name] => drop(account.secrets.remove(*name)),
            ["@", "show", "body"] => self.show_body = true,
            ["@", "show", "query"] => self.show_query = true,
            _ => panic!("{line}"),
        }
    }
}

impl Talk {
    pub(crate) fn read(room: &Room, folder: &Path) -> Talk {
        let text = fs::read_to_string(folder.join("talk.txt")).expect("a talk.txt");
        let mut settings = Settings::of(room);
        text.lines().filter(|line| line.starts_with("@ ")).for_each(|line| settings.set(line));
        let Settings { account, date, now, show_body, show_query } = settings;
        (room.check)(&account).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
        let date = date.unwrap_or_else(|| panic!("{folder:?}: no `@ date`"));
        let now = now.unwrap_or_else(|| panic!("{folder:?}: no `@ now`"));
        let bill = account.bills[0];
        let errand = Errand { account: Arc::new(account), date, bill };
        let mut talk = Talk {
            folder: folder.to_path_buf(),
            preamble: Vec::new(),
            errand,
            now,
            show_body,
            show_query,
            parts: Vec::new(),
        };
        text.lines().for_each(|line| talk.line(line));
        if talk.parts.is_empty() {
            talk.parts.push(Part::default());
        }
        talk
    }

    fn line(&mut self, line: &str) {
        let (sign, rest) = line.split_once(' ').unwrap_or((line, ""));
        match sign {
            "#" | "@" => return self.preamble.push(line.to_owned()),
            "?" => {
                let about = Some((line.to_owned(), inquiry(&self.errand, rest)));
                return self.parts.push(Part { about, ..Part::default() });
            }
            _ if self.parts.is_empty() => self.parts.push(Part::default()),
            _ => {}
        }
        let part = self.parts.last_mut().expect("a part");
        match sign {
            "<" => {
                let (status, file) = rest.split_once(' ').unwrap_or((rest, ""));
                let status = status.parse().unwrap_or_else(|_| panic!("{:?}: {line}", self.folder));
                part.replies.push(Reply { status, headers: Vec::new(), file: file.to_owned() });
            }
            "<<" => {
                let (name, value) =
                    rest.split_once(": ").unwrap_or_else(|| panic!("{:?}: {line}", self.folder));
                let reply = part.replies.last_mut().expect("a reply before its headers");
                reply.headers.push((name.to_owned(), value.to_owned()));
            }
            "=" => part.end = rest.to_owned(),
            ">" | ">>" => {}
            _ => panic!("{:?}: {line}", self.folder),
        }
    }

    pub(crate) fn body(&self, file: &str) -> Vec<u8> {
        if file.is_empty() {
            return Vec::new();
        }
        fs::read(self.folder.join(file)).unwrap_or_else(|e| panic!("{:?}: {file}: {e}", self.folder))
    }

    /// The body that answers `ask`: `{serial}` in it is the first word of the question's mark, which is another in every
    /// conversation.
    pub(crate) fn answer(&self, file: &str, ask: &Ask) -> Vec<u8> {
        const PLACE: &str = "{serial}";
        let body = self.body(file);
        match std::str::from_utf8(&body) {
            Ok(text) if text.contains(PLACE) => {
                text.replace(PLACE, ask.mark().split(' ').next().unwrap_or("")).into_bytes()
            }
            _ => body,
        }
    }

    /// How the conversations of `room/case` end with the bare room, and what was read.
    pub(crate) fn ends(case: &str) -> (Vec<String>, Option<String>) {
        let (room, _) = case.split_once('/').expect("room/case");
        let room = nightjob::channel::room(room).expect("a room");
        let (text, entries) = Talk::read(room, &fixtures().join(case)).hold(room);
        (text.lines().filter_map(|line| line.strip_prefix("= ")).map(str::to_owned).collect(), entries)
    }

    /// Holds the conversations with the bare room: the lines of talk.txt as they should be, and what was read.
    pub(crate) fn hold(&self, room: &Room) -> (String, Option<String>) {
        let mut lines = self.preamble.clone();
        let mut entries = None;
        for part in &self.parts {
            let mut held = Holding { talk: self, room, part, heard: Vec::new(), bodies: Vec::new() };
            lines.extend(part.about.iter().map(|(line, _)| line.clone()));
            let (words, read) = match &part.about {
                Some((_, inquiry)) => (held.inquiry(inquiry, &mut lines), None),
                None => held.statement(&mut lines),
            };
            lines.push(format!("= {words}"));
            entries = entries.or(read);
        }
        (lines.join("\n") + "\n", entries)
    }
}

/// `? payment A1 9.99 [refund=R1] [trade=T1] [wallet=WECHAT] [at=2016-11-08T09:33:59]`, with `-` for no order number
/// and `-` for no amount.
fn inquiry(errand: &Errand, text: &str) -> Inquiry {
    let mut words = text.split(' ');
    let mut next = || words.next().unwrap_or_else(|| panic!("? {text}"));
    let kind = EntryKind::parse(next()).unwrap_or_else(|| panic!("? {text}"));
    let order_no = next().trim_start_matches('-').to_owned();
    let amount = next();
    let amount_minor = (amount != "-").then(|| money::parse_minor(amount, 2).expect("an amount"));
    let mut inquiry = Inquiry {
        account: Arc::clone(&errand.account),
        date: errand.date,
        kind,
        order_no,
        refund_no: String::new(),
        trade_no: String::new(),
        amount_minor: amount_minor.map(|minor| kind.sign() * minor),
        currency: Currency::CNY,
        logged_at: errand.date.start().plus_seconds(34_439),
        wallet: String::new(),
    };
    for word in words {
        match word.split_once('=') {
            Some(("refund", no)) => inquiry.refund_no = no.into(),
            Some(("trade", no)) => inquiry.trade_no = no.into(),
            Some(("wallet", wallet)) => inquiry.wallet = wallet.into(),
            Some(("at", at)) => inquiry.logged_at = Moment::parse(at).expect("a time"),
            _ => panic!("? {text}"),
        }
    }
    inquiry
}

/// A conversation under way.
struct Holding<'t> {
    talk: &'t Talk,
    room: &'t Room,
    part: &'t Part,
    heard: Vec<Heard>,
    bodies: Vec<Vec<u8>>,
}

impl Holding<'_> {
    fn stamp(&self) -> Stamp {
        Stamp { now: self.talk.now, nonce: NONCE.into() }
    }

    /// Says it, and hears the next reply; false if there is none.
    fn say(&mut self, ask: &Ask, lines: &mut Vec<String>) -> bool {
        lines.extend(said(ask, self.talk));
        let Some(reply) = self.part.replies.get(self.heard.len()) else { return false };
        lines.push(format!("< {} {}", reply.status, reply.file).trim_end().to_owned());
        lines.extend(reply.headers.iter().map(|(name, value)| format!("<< {name}: {value}")));
        let body = self.talk.answer(&reply.file, ask);
        let shown = if let Ask::Http(request) = ask { request.head_max } else { HEAD_MAX };
        self.heard.iter_mut().for_each(|earlier| earlier.head.truncate(HEAD_MAX));
        self.heard.push(Heard {
            status: reply.status,
            headers: reply.headers.clone(),
            head: body[..body.len().min(shown)].to_vec(),
            len: body.len() as u64,
            sha256: String::new(),
            source: source(ask),
            mark: ask.mark().to_owned(),
            at: Some(self.talk.now),
        });
        self.bodies.push(body);
        true
    }

    fn all_heard(&self) {
        assert_eq!(
            self.heard.len(),
            self.part.replies.len(),
            "{:?}: not all replies were heard",
            self.talk.folder
        );
    }

    fn statement(&mut self, lines: &mut Vec<String>) -> (String, Option<String>) {
        let statements = self.room.statements.expect("a room with statements");
        loop {
            match (statements.next)(&self.talk.errand, &self.heard, &self.stamp()) {
                Step::Ask(ask) if self.say(&ask, lines) => {}
                Step::Ask(_) => return ("still asking".into(), None),
                end => {
                    self.all_heard();
                    return self.end(end);
                }
            }
        }
    }

    fn inquiry(&mut self, inquiry: &Inquiry, lines: &mut Vec<String>) -> String {
        let queries = self.room.queries.expect("a room that can be asked about orders");
        while let Some(ask) = (queries.ask)(inquiry, &self.heard, &self.stamp()) {
            if !self.say(&ask, lines) {
                return "still asking".into();
            }
        }
        self.all_heard();
        judged(&(queries.judge)(inquiry, &self.heard))
    }

    fn end(&mut self, end: Step) -> (String, Option<String>) {
        match end {
            Step::Statement => self.read(self.bodies.last().cloned().unwrap_or_default()),
            Step::Join(turns) => {
                let join = self.room.statements.and_then(|s| s.join).expect("a room that joins");
                let pieces = turns.iter().map(|turn| self.bodies[*turn].clone()).collect();
                match join(&self.talk.errand, pieces) {
                    Ok(whole) => self.read(whole),
                    Err(why) => (format!("rejected {why}"), None),
                }
            }
            Step::OneByOne(why) => (format!("one by one {why}"), None),
            Step::NoMovements => ("no movements".into(), None),
            Step::NotReady(why) => (format!("not ready {why}"), None),
            Step::Refused(why) => (format!("refused {why}"), None),
            Step::Rejected(why) => (format!("rejected {why}"), None),
            Step::Again { why, when_exhausted, at_least_seconds } => {
                (again(&why, when_exhausted, at_least_seconds), None)
            }
            Step::Ask(_) => unreachable!("a question is no end"),
        }
    }

    fn read(&self, raw: Vec<u8>) -> (String, Option<String>) {
        match channel::read(self.room, &self.talk.errand, raw) {
            Ok(statement) => ("done".into(), Some(entries(&statement))),
            Err(error) => (format!("rejected {error}"), None),
        }
    }
}

fn again(why: &str, when_exhausted: Exhausted, at_least_seconds: u64) -> String {
    let finally = match when_exhausted {
        Exhausted::Passing => "passing",
        Exhausted::Refused => "refused",
        Exhausted::NotReady => "not ready",
        Exhausted::Rejected => "rejected",
    };
    let pause =
        if at_least_seconds == 0 { String::new() } else { format!(", not before {at_least_seconds} s") };
    format!("again, finally {finally}{pause}: {why}")
}

/// `told paid 9.99 CNY 2016-11-08 09:34:03 trade=4200… word=SUCCESS`
fn judged(judged: &Judged) -> String {
    match judged {
        Judged::Told(told) => {
            let Told { state, amount_minor, currency, at, trade_no, word, authentic } = told;
            let amount = amount_minor.map_or("?".into(), |minor| money::major(minor, currency.digits()));
            let at = at.map_or("?".into(), |at| at.to_string());
            let doubt = if *authentic { "" } else { " unauthenticated" };
            format!("told {} {amount} {currency} {at} trade={trade_no} word={word}{doubt}", state.as_str())
        }
        Judged::NotFound => "not found".into(),
        Judged::Unaskable(why) => format!("unaskable {why}"),
        Judged::Refused(why) => format!("refused {why}"),
        Judged::Rejected(why) => format!("rejected {why}"),
        Judged::Again { why, when_exhausted, at_least_seconds } => {
            again(why, *when_exhausted, *at_least_seconds)
        }
    }
}

fn said(ask: &Ask, talk: &Talk) -> Vec<String> {
    match ask {
        Ask::File(file) => vec![format!("> FILE {}", file.pattern)],
        Ask::Http(request) => {
            let mut lines = vec![format!("> {request:?}")];
            let plain = request.plain_url.as_deref().map(channel::bare);
            lines.extend(plain.map(|url| format!(">> or, if it may be plain, {url}")));
            if talk.show_query {
                lines.push(format!(">> {}", request.url));
                let headers = request.headers.iter().filter(|(name, _)| *name != "accept");
                lines.extend(headers.map(|(name, value)| format!(">> {name}: {value}")));
            }
            if talk.show_body && !request.body.is_empty() {
                lines.push(format!(">> {}", String::from_utf8_lossy(&request.body)));
            }
            lines
        }
    }
}

pub(crate) fn source(ask: &Ask) -> String {
    match ask {
        Ask::File(file) => file.pattern.clone(),
        Ask::Http(request) => format!("{request:?}"),
    }
}

/// What was read, one movement a line, then the totals that the file states.
fn entries(statement: &Statement) -> String {
    let mut lines = Vec::new();
    for entry in statement.entries() {
        let digits = entry.currency.digits();
        let amount = entry.amount_minor.map_or("?".into(), |minor| money::major(minor, digits));
        let settled = money::major(entry.settled_minor, digits);
        let fee = money::major(entry.fee_e5, money::E5_DIGITS);
        let mut line = format!(
            "{:>3} {} {} {amount} {} settled {settled} fee {fee} {}",
            entry.line,
            entry.kind.as_str(),
            entry.state.as_str(),
            entry.currency,
            entry.happened_at,
        );
        for (name, cell) in [
            ("order", Cell::OrderNo),
            ("refund", Cell::RefundNo),
            ("trade", Cell::TradeNo),
            ("merchant", Cell::Merchant),
            ("sub", Cell::SubMerchant),
            ("store", Cell::Store),
            ("till", Cell::Till),
            ("subject", Cell::Subject),
        ] {
            match statement.cell(entry, cell) {
                "" => {}
                text => line.push_str(&format!(" {name}={text}")),
            }
        }
        lines.push(line);
    }
    for control in statement.controls() {
        lines.push(format!("    {} {}", control.title, control.show(control.stated)));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

//! Rows of EB_PAYLOG as the gateway writes them: the request exactly in the shape of the manual's samples
//! (`spec/ttpay.md` A.3 and A.10), the provider's complete reply beside it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::day::{Event, SimulatedDay};
use super::fault::Fault;
use super::numbers::{self, E16, push_integer, push_padded};
use super::story::{Path, Refund, Reply, Step, Story};
use super::town::{ACCOUNTS, CUSTOMER_ID, Family, RefundShape, SimAccount, Writing};
use super::{custom, lines, reply};

/// One row of EB_PAYLOG: the thirteen documented columns, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimLogRow {
    pub req_txdate: String,
    pub req_mallid: String,
    pub req_storecode: String,
    pub req_shop_code: String,
    pub req_tillid: String,
    pub req_cashierno: String,
    /// `yyyy-MM-dd HH:mm:ss`
    pub req_date: String,
    pub req_obj: String,
    pub req_action: String,
    pub req_type: String,
    pub res_err: String,
    pub res_msg: String,
    pub res_obj: String,
}

/// Rows in the order of REQ_DATE, each written when it is asked for.
pub(super) struct Rows<'d> {
    day: &'d SimulatedDay,
    events: std::slice::Iter<'d, Event>,
}

impl<'d> Rows<'d> {
    pub(super) fn new(day: &'d SimulatedDay) -> Rows<'d> {
        Rows { day, events: day.events.iter() }
    }
}

impl Iterator for Rows<'_> {
    type Item = SimLogRow;

    fn next(&mut self) -> Option<SimLogRow> {
        self.events.next().map(|event| row(self.day, *event))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.events.size_hint()
    }
}

impl ExactSizeIterator for Rows<'_> {}

/// One request and its reply, with everything that the texts are made from.
#[derive(Clone, Copy)]
pub(super) struct Scene<'d> {
    pub(super) day: &'d SimulatedDay,
    pub(super) account: &'static SimAccount,
    pub(super) story: &'d Story,
    pub(super) index: u32,
    pub(super) refund: Option<&'d Refund>,
    pub(super) step: Step,
    pub(super) at: i32,
    /// For what is drawn afresh with each request: nonces, signatures, CRC.
    pub(super) luck: u64,
}

impl Scene<'_> {
    pub(super) fn reply(&self) -> Reply {
        match self.step {
            Step::Pay(reply) | Step::Query(reply) | Step::Reverse(reply) | Step::Refund(reply) => reply,
        }
    }

    /// The currency that the log has for the order, where it is not the usual one.
    pub(super) fn foreign_currency(&self) -> Option<&'static str> {
        let planted = self.story.fault == Some(Fault::Currency) && self.account.family() == Family::Alipay20;
        planted.then_some("HKD")
    }

    /// Whether the customer paid with WeChat.
    pub(super) fn by_wechat(&self) -> bool {
        custom::by_wechat(self.story, self.index)
    }

    /// ISO code of the order's currency, as the till has it.
    pub(super) fn currency(&self) -> &'static str {
        custom::currency(self.account, self.index)
    }

    /// Amount of the request in minor units: of the order, or of this refund.
    pub(super) fn amount(&self) -> i64 {
        self.refund.map_or(self.story.amount(), Refund::amount)
    }
}

fn row(day: &SimulatedDay, event: Event) -> SimLogRow {
    let scene = scene(day, event);
    let (story, store) = (scene.story, scene.story.till.store());
    let mut req_obj = String::with_capacity(560);
    request(&mut req_obj, &scene);
    let mut res_obj = String::with_capacity(900);
    let (res_err, res_msg) = response(&mut res_obj, &scene);
    let mut req_date = String::with_capacity(19);
    day.calendar.push_time(&mut req_date, scene.at);
    SimLogRow {
        req_txdate: business_date(&scene).to_owned(),
        req_mallid: store.mall.to_owned(),
        req_storecode: store.code.to_owned(),
        req_shop_code: store.contract.to_owned(),
        req_tillid: story.till.code().to_owned(),
        req_cashierno: story.till.cashier().to_owned(),
        req_date,
        req_obj: written(req_obj, story.till.writing()),
        req_action: action(&scene).to_owned(),
        req_type: req_type(&scene).to_owned(),
        res_err: res_err.to_owned(),
        res_msg: res_msg.to_owned(),
        res_obj: written(res_obj, story.till.writing()),
    }
}

fn scene(day: &SimulatedDay, event: Event) -> Scene<'_> {
    let refund = event.of_refund.then(|| lines::refund(day, event.owner));
    let index = refund.map_or(event.owner, |refund| refund.story);
    let story = lines::story(day, index);
    let script = refund.map_or(story.path.script(), |refund| refund.path.script());
    let (_, step) = script[usize::from(event.step)];
    // The same request written twice is the same to the last digit.
    let turn = if story.path == Path::LoggedTwice { 0 } else { event.step };
    let purpose = u64::from(turn) * 8 + u64::from(refund.map_or(0, |refund| refund.part));
    let luck = numbers::mix(day.seed, u64::from(index), purpose);
    Scene {
        day,
        account: &ACCOUNTS[usize::from(story.account)],
        story,
        index,
        refund,
        step,
        at: event.at,
        luck,
    }
}

/// The till's business day ends at four in the morning.
fn business_date<'d>(scene: &Scene<'d>) -> &'d str {
    scene.day.calendar.compact_date(scene.at - 4 * 3600)
}

fn action(scene: &Scene<'_>) -> &'static str {
    match scene.step {
        Step::Query(Reply::Opened) => "precreate",
        Step::Pay(_) => "createandpay",
        Step::Query(_) => "orderquery",
        Step::Reverse(_) => scene.account.reverse_action(),
        Step::Refund(_) => "refund",
    }
}

fn req_type(scene: &Scene<'_>) -> &'static str {
    if scene.story.path == Path::Uncovered { "BANKCARD" } else { scene.account.pay_type.as_str() }
}

fn request(out: &mut String, scene: &Scene<'_>) {
    header(out, scene);
    out.push_str("\"RequestParam\":{\"OutID\":\"");
    match (scene.refund, scene.story.till.refund_shape()) {
        (Some(refund), RefundShape::RefundAsOutId) => lines::push_refund_no(out, scene.day, refund),
        _ => lines::push_order_no(out, scene.day, scene.index),
    }
    if matches!(scene.step, Step::Pay(_)) {
        out.push_str("\",\"DynamicID\":\"");
        out.push_str(if scene.by_wechat() { "13" } else { "28" });
        push_padded(out, numbers::mix(scene.luck, 1, 1) % E16, 16);
    } else {
        out.push_str("\",\"TradeNO\":\"");
        if scene.refund.is_some() {
            lines::push_trade_no(out, scene.day, scene.index, false);
        }
    }
    out.push_str("\",\"TotalFee\":\"");
    push_integer(out, scene.amount());
    match (scene.refund, scene.story.till.refund_shape()) {
        (Some(refund), RefundShape::Both) => {
            out.push_str("\",\"RefundID\":\"");
            lines::push_refund_no(out, scene.day, refund);
        }
        (None, _) if matches!(scene.step, Step::Pay(_)) => {
            out.push_str("\",\"Subject\":\"");
            push_escaped(out, lines::subject(scene.story));
        }
        _ => {}
    }
    out.push_str("\",\"ExtParam\":\"{\\u0027Currency\\u0027:\\u0027");
    out.push_str(match scene.currency() {
        // The literal of the manual's samples (`spec/ttpay.md` R061).
        "CNY" => "RMB",
        other => other,
    });
    out.push_str("\\u0027,\\u0027OriginalFee\\u0027:\\u0027");
    push_integer(out, scene.story.amount());
    out.push_str("\\u0027}\"}}");
}

fn header(out: &mut String, scene: &Scene<'_>) {
    let (till, store) = (scene.story.till, scene.story.till.store());
    out.push_str("{\"Header\":{\"TerminalType\":\"0\"");
    for (name, value) in [
        ("TXDate", business_date(scene)),
        ("MallID", store.mall),
        ("StoreCode", store.code),
        ("BSStoreCode", store.contract),
        ("TillID", till.code()),
        ("CashierNO", till.cashier()),
    ] {
        push_member(out, name, value);
    }
    out.push_str(",\"CRC\":\"");
    scene.day.calendar.push_compact_time(out, scene.at + till.clock_ahead_seconds());
    push_padded(out, scene.luck % 1_000, 3);
    push_padded(out, scene.luck / 1_000 % 10_000, 4);
    out.push('"');
    push_member(out, "Type", req_type(scene));
    push_member(out, "Key", "");
    push_member(out, "AccountMode", "1");
    push_member(out, "SellerID", store.code);
    out.push_str(",\"Token\":null,\"ExtParam\":\"{\\u0027CustomerID\\u0027:\\u0027");
    out.push_str(CUSTOMER_ID);
    out.push_str("\\u0027}\"},");
}

fn push_member(out: &mut String, name: &str, value: &str) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":\"");
    push_escaped(out, value);
    out.push('"');
}

/// JSON text as .NET's JavaScriptSerializer writes it: quotes of both kinds and angle brackets never stand bare.
pub(super) fn push_escaped(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\'' => out.push_str("\\u0027"),
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            other => out.push(other),
        }
    }
}

/// Writes the provider's reply, if one came; returns RES_ERR and RES_MSG.
fn response(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    if scene.story.path == Path::Uncovered {
        out.push_str("{\"code\":\"00\"}");
        return ("0", "");
    }
    match scene.reply() {
        Reply::Opened => return ("0", ""),
        Reply::Nothing => return ("-1", "操作超时"),
        Reply::NotSent => return ("-1", "您使用的私钥格式错误，请检查RSA私钥配置,charset = utf-8"),
        _ => {}
    }
    let told = reply::write(out, scene);
    if scene.reply() == Reply::DoneTorn && scene.story.till.writing() == Writing::Plain {
        tear(out);
    }
    told
}

/// Cuts a reply short within its signature, which both families write last.
fn tear(out: &mut String) {
    let end = out.len().saturating_sub(40);
    if out.is_char_boundary(end) {
        out.truncate(end);
    }
}

fn written(text: String, writing: Writing) -> String {
    match writing {
        Writing::Plain => text,
        Writing::Base64 if text.is_empty() => text,
        Writing::Base64Gbk if text.is_empty() => text,
        Writing::Base64 => STANDARD.encode(text),
        Writing::Base64Gbk => STANDARD.encode(encoding_rs::GB18030.encode(&text).0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_quotes_and_brackets_as_the_gateway_writes_them() {
        let mut out = String::new();
        push_escaped(&mut out, "O'Brien <2kg> \"a\\b\" 两\n行 🎂");
        assert_eq!(out, "O\\u0027Brien \\u003c2kg\\u003e \\\"a\\\\b\\\" 两\\n行 🎂");
    }
}

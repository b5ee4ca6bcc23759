//! One log row, read: decoded, classified, its evidence extracted. What `gather` keeps and what `story` tells.

use crate::domain::{AmountUnit, Moment};

use super::decode::{Shape, decode};
use super::evidence::{self, Action, Asked, Evidence};
use super::request::{Part, Request};
use super::{LogRow, Rules};

/// Texts that one row needs while it is read; kept between rows so that none is allocated for each.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    request: String,
    reply: String,
    body: String,
    message: String,
    ext: String,
}

/// How a row was read, for the counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Quality {
    pub base64: bool,
    pub lenient: bool,
    pub truncated: bool,
    pub unparsable: bool,
    pub not_acquirer_text: bool,
    pub bad_charset: bool,
    /// TotalFee is written, but it is no amount of the configured unit.
    pub bad_fee: bool,
}

/// A row and what it means.
#[derive(Debug)]
pub(super) struct Reading<'t> {
    pub action: Action,
    pub request: Request<'t>,
    /// The request breaks off, so what it lacks may have been there.
    pub request_damaged: bool,
    pub evidence: Evidence<'t>,
    /// TotalFee, in minor units.
    pub fee_minor: Option<i64>,
    pub quality: Quality,
}

/// Reads one row. Nothing of it is kept.
pub(super) fn read<'t>(row: &LogRow<'t>, rules: &Rules, scratch: &'t mut Scratch) -> Reading<'t> {
    let Scratch { request, reply, body, message, ext } = scratch;
    let sent = decode(row.req_obj, request, rules.isbase64);
    let heard = decode(row.res_obj, reply, rules.isbase64);
    let request = Request::read(sent.text, sent.shape);
    let fields = evidence::fields::read(heard.text, heard.shape, body);
    let action = Action::parse(row.req_action);
    let currency = request.currency(ext);
    let damaged = fields.flaws.damaged || heard.cut;
    let evidence = if heard.shape == Shape::Absent {
        let said = decode(row.res_msg, message, rules.isbase64);
        Evidence::new(evidence::without_reply(action, row.res_err, said.text), currency)
    } else {
        evidence::judge(&fields, Asked { action, damaged, currency })
    };
    let request_damaged = request.flaws.damaged || sent.cut;
    let fee = request.fee_minor(rules.amount_unit, evidence.currency);
    let unreadable = |shape: Shape, empty: bool, damaged: bool| shape == Shape::Other || damaged && empty;
    let quality = Quality {
        base64: sent.base64 || heard.base64,
        lenient: request.flaws.lenient || fields.flaws.lenient,
        truncated: request_damaged && sent.shape == Shape::Json || damaged && !fields.is_empty(),
        unparsable: unreadable(sent.shape, !request.has_header && !request.has(Part::OutId), request_damaged)
            || unreadable(heard.shape, fields.is_empty(), damaged),
        not_acquirer_text: heard.shape == Shape::NotAcquirerText,
        bad_charset: sent.bad_charset || heard.bad_charset,
        bad_fee: fee.is_err(),
    };
    Reading { action, request, request_damaged, evidence, fee_minor: fee.unwrap_or(None), quality }
}

impl Reading<'_> {
    /// REQ_DATE; where it cannot be read, the request's own serial (`CRC` begins with a time) or the provider's time.
    pub(crate) fn logged_at(&self, req_date: &str) -> Option<Moment> {
        Moment::parse(req_date.trim()).or_else(|| {
            let crc = self.request.plain(Part::Crc);
            crc.get(..14).and_then(Moment::parse_compact).or(self.evidence.provider_at)
        })
    }

    /// Whether a part of what is known was read from a message that breaks off.
    pub(crate) fn is_salvaged(&self) -> bool {
        self.quality.truncated
    }
}

/// `TotalFee` as it was written, from its minor units.
pub(super) fn fee_text(minor: i64, unit: AmountUnit, digits: u32) -> String {
    match unit {
        AmountUnit::Fen => minor.to_string(),
        AmountUnit::Yuan => crate::domain::money::major(minor, digits),
    }
}

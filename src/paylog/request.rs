//! REQ_OBJ: what the till sent (`spec/ttpay.md`, A.3).
//!
//! `{"Header":{…},"RequestParam":{…}}`, all values texts. `ExtParam` of both is pseudo-JSON in a text, with its quotes
//! as `\u0027`: it is unescaped and read once more, leniently. Identifiers are opaque texts, never numbers.

use std::borrow::Cow;

use crate::domain::{AmountUnit, Currency, money};

use super::decode::{Flaws, Raw, Shape, Syntax, json, same_name, slots};

slots! {
    /// Fields of requests.
    Part {
        TxDate = "TXDate",
        MallId = "MallID",
        StoreCode = "StoreCode",
        ShopCode = "BSStoreCode",
        TillId = "TillID",
        CashierNo = "CashierNO",
        Crc = "CRC",
        Type = "Type",
        Key = "Key",
        SellerId = "SellerID",
        Token = "Token",
        OutId = "OutID",
        TradeNo = "TradeNO",
        TotalFee = "TotalFee",
        DynamicId = "DynamicID",
        Subject = "Subject",
        ExtParam = "ExtParam",
    }
}

#[derive(Clone, Debug)]
pub(super) struct Request<'t> {
    values: [Raw<'t>; Part::COUNT],
    /// A key that names a refund (R-D28): `RefundID`, `OutRefundNo`, `refund_no`, `out_request_no`.
    refund_no: Raw<'t>,
    header_ext: Raw<'t>,
    param_ext: Raw<'t>,
    section: Section,
    pub has_header: bool,
    pub flaws: Flaws,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Section {
    Top,
    Header,
    Param,
}

impl<'t> Request<'t> {
    /// Reads a decoded REQ_OBJ. A text that is no JSON leaves everything empty.
    pub(crate) fn read(text: &'t str, shape: Shape) -> Request<'t> {
        let mut request = Request {
            values: [Raw::default(); Part::COUNT],
            refund_no: Raw::default(),
            header_ext: Raw::default(),
            param_ext: Raw::default(),
            section: Section::Top,
            has_header: false,
            flaws: Flaws::default(),
        };
        let flaws = match shape {
            Shape::Json => json::scan(text, &mut request),
            Shape::Absent => Flaws::default(),
            Shape::Xml | Shape::NotAcquirerText | Shape::Other => Flaws { lenient: false, damaged: true },
        };
        request.flaws.damaged = flaws.damaged;
        request.flaws.lenient |= flaws.lenient;
        request
    }

    pub(crate) fn plain(&self, part: Part) -> Cow<'t, str> {
        Syntax::Json.plain(self.values[part as usize])
    }

    pub(crate) fn has(&self, part: Part) -> bool {
        !self.values[part as usize].text.is_empty()
    }

    /// The refund number that the request itself names; empty if none.
    pub(crate) fn refund_no(&self) -> Cow<'t, str> {
        Syntax::Json.plain(self.refund_no)
    }

    /// `Header.ExtParam` as it stands; the same in thousands of rows.
    pub(crate) fn header_ext(&self) -> Raw<'t> {
        self.header_ext
    }

    /// `RequestParam.ExtParam.Currency`; the tills write `RMB`.
    pub(crate) fn currency(&self, buffer: &mut String) -> Currency {
        Currency::parse(&ext_value(self.param_ext, "currency", buffer)).unwrap_or(Currency::CNY)
    }

    /// `TotalFee` in minor units; `Err` if it is written but no amount of that unit (X08).
    pub(crate) fn fee_minor(&self, unit: AmountUnit, currency: Currency) -> Result<Option<i64>, ()> {
        let text = self.plain(Part::TotalFee);
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let minor = match unit {
            AmountUnit::Fen if text.contains('.') => return Err(()),
            AmountUnit::Fen => money::parse_integer(text),
            AmountUnit::Yuan => money::parse_minor(text, currency.digits()),
        };
        minor.map(Some).map_err(|_| ())
    }

    fn put(&mut self, key: &str, value: Raw<'t>) {
        let place = match Part::of(key) {
            Some(Part::ExtParam) if self.section == Section::Header => &mut self.header_ext,
            Some(Part::ExtParam) => &mut self.param_ext,
            Some(part) => &mut self.values[part as usize],
            None if names_a_refund(key) => &mut self.refund_no,
            None => return,
        };
        if place.text.is_empty() {
            *place = value;
        } else {
            self.flaws.lenient |= *place != value;
        }
    }
}

/// A key whose name holds `refund` and ends in `id` or `no`, or Alipay's own `out_request_no`.
fn names_a_refund(key: &str) -> bool {
    let ends = matches!(key.as_bytes(), [.., b'i' | b'I', b'd' | b'D'] | [.., b'n' | b'N', b'o' | b'O']);
    ends && (key.to_ascii_lowercase().contains("refund") || same_name(key, "outrequestno"))
}

impl<'t> json::Sink<'t> for Request<'t> {
    fn member(&mut self, depth: usize, key: Raw<'t>, value: Raw<'t>) {
        if depth == 1 {
            self.section = Section::Top;
        }
        self.put(key.text, value);
    }

    fn enter(&mut self, _depth: usize, key: Raw<'t>) -> bool {
        if same_name(key.text, "header") {
            self.section = Section::Header;
            self.has_header = true;
        } else if same_name(key.text, "requestparam") {
            self.section = Section::Param;
        } else {
            return false;
        }
        true
    }
}

/// `CustomerID` of a header's ExtParam; empty if it has none.
pub(super) fn customer<'b>(header_ext: Raw<'_>, buffer: &'b mut String) -> Cow<'b, str> {
    ext_value(header_ext, "customerid", buffer)
}

/// One value of an ExtParam: a text that holds pseudo-JSON. Whatever is wrong with it, the value was read or it was
/// not; no money depends on it.
fn ext_value<'b>(ext: Raw<'_>, wanted: &'static str, buffer: &'b mut String) -> Cow<'b, str> {
    buffer.clear();
    json::unescape(ext.text, buffer);
    let mut sink = One { wanted, found: Raw::default() };
    json::scan(buffer.trim(), &mut sink);
    Syntax::Json.plain(sink.found)
}

struct One<'b> {
    wanted: &'static str,
    found: Raw<'b>,
}

impl<'b> json::Sink<'b> for One<'b> {
    fn member(&mut self, depth: usize, key: Raw<'b>, value: Raw<'b>) {
        if depth == 1 && self.found.text.is_empty() && same_name(key.text, self.wanted) {
            self.found = value;
        }
    }

    fn enter(&mut self, _depth: usize, _key: Raw<'b>) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Request<'_> {
        Request::read(text, Shape::Json)
    }

    #[test]
    fn amounts_of_requests() {
        let fee = |text: &str, unit| {
            let json = format!("{{\"RequestParam\":{{\"TotalFee\":{text}}}}}");
            request(&json).fee_minor(unit, Currency::CNY)
        };
        assert_eq!(fee("\"1\"", AmountUnit::Fen), Ok(Some(1)));
        assert_eq!(fee("300", AmountUnit::Fen), Ok(Some(300)));
        assert_eq!(fee("\"3.00\"", AmountUnit::Fen), Err(()), "a dot under fen is a row error");
        assert_eq!(fee("\"3.00\"", AmountUnit::Yuan), Ok(Some(300)));
        assert_eq!(fee("\"3\"", AmountUnit::Yuan), Ok(Some(300)));
        assert_eq!(fee("\"\"", AmountUnit::Fen), Ok(None));
        assert_eq!(fee("null", AmountUnit::Fen), Ok(None));
        assert_eq!(fee("\"x\"", AmountUnit::Fen), Err(()));
    }

    #[test]
    fn the_quotes_of_ext_param() {
        for ext in [
            r#""{\u0027CustomerID\u0027:\u0027TECHTRANS\u0027}""#,
            r#""{'CustomerID':'TECHTRANS',}""#,
            r#""{\"customer_id\":\"TECHTRANS\"}""#,
            r#""{CustomerID:'TECHTRANS'""#,
        ] {
            let json = format!("{{\"Header\":{{\"ExtParam\":{ext}}}}}");
            assert_eq!(customer(request(&json).header_ext(), &mut String::new()), "TECHTRANS", "{ext}");
        }
        let text = r#"{"RequestParam":{"ExtParam":"{\u0027Currency\u0027:\u0027USD\u0027}"}}"#;
        assert_eq!(request(text).currency(&mut String::new()).as_str(), "USD");
        assert_eq!(customer(request(text).header_ext(), &mut String::new()), "");
        assert_eq!(request("{}").currency(&mut String::new()), Currency::CNY);
    }

    #[test]
    fn the_names_of_a_refund_number() {
        for key in ["RefundID", "OutRefundNo", "refund_no", "out_request_no", "REFUND_ID"] {
            let json = format!("{{\"RequestParam\":{{\"OutID\":\"A\",\"{key}\":\"R1\"}}}}");
            assert_eq!(request(&json).refund_no(), "R1", "{key}");
        }
        for key in ["RefundFee", "RefundReason", "Refund", "OutNo"] {
            let json = format!("{{\"RequestParam\":{{\"{key}\":\"R1\"}}}}");
            assert_eq!(request(&json).refund_no(), "", "{key}");
        }
    }
}

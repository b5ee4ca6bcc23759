//! Alipay's old interface, `/gateway.do` with a `service` (`spec/alipay.md` 3): who asks, with which signature, and how
//! answers are wrapped and signed. What is answered stands in `alipay_log`, `alipay_trade` and `alipay_global`.
//!
//! The signature is MD5 over the bytes as they were sent, in the charset that `_input_charset` names; answers come in
//! the same charset, declared, and are signed over their own bytes.

use axum::body::Bytes;
use encoding_rs::{Encoding, GBK, UTF_8};
use md5::{Digest, Md5};

use super::{Call, alipay_global, alipay_log, alipay_trade};
use crate::sandbox::form::raw_fields;
use crate::sandbox::mishap::Mishap;
use crate::sandbox::reply::xml::param;
use crate::sandbox::server::{Answer, House};
use crate::sandbox::town::{ACCOUNTS, SimAccount};

/// A key that nobody has, for answers that somebody else signed.
const OTHER_KEY: &str = "anotherkeyanotherkeyanotherkey00";

/// What was sent, in its own bytes.
pub(super) struct Form {
    fields: Vec<(String, Vec<u8>)>,
    charset: &'static Encoding,
}

impl Form {
    /// Parameters may stand in the query, in the body, or in both; the body's count.
    fn read(call: &Call<'_>) -> Option<Form> {
        let body = if call.method == "POST" { std::str::from_utf8(call.body).unwrap_or("") } else { "" };
        let mut fields = raw_fields(body)?;
        for (name, value) in raw_fields(call.query)? {
            if fields.iter().all(|(known, _)| *known != name) {
                fields.push((name, value));
            }
        }
        let mut form = Form { fields, charset: UTF_8 };
        form.charset = match form.text("_input_charset").to_ascii_lowercase().as_str() {
            "" | "utf-8" => UTF_8,
            "gbk" | "gb2312" => GBK,
            _ => return None,
        };
        Some(form)
    }

    /// A value as text; empty if there is none.
    pub(super) fn text(&self, name: &str) -> String {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map_or_else(String::new, |(_, value)| self.charset.decode(value).0.into_owned())
    }

    /// The signature over everything but `sign`, `sign_type` and what is empty (`spec/alipay.md` 3.1).
    fn signature(&self, key: &str) -> String {
        let pairs: Vec<(&str, &[u8])> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        signature(pairs, key)
    }
}

/// The same over texts in UTF-8.
pub(in crate::sandbox) fn signature_of(fields: &[(String, String)], key: &str) -> String {
    signature(fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect(), key)
}

fn signature(mut pairs: Vec<(&str, &[u8])>, key: &str) -> String {
    pairs.retain(|(name, value)| !["sign", "sign_type"].contains(name) && !value.is_empty());
    pairs.sort();
    let mut text: Vec<u8> = Vec::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push(b'&');
        }
        text.extend(name.as_bytes());
        text.push(b'=');
        text.extend(value);
    }
    text.extend(key.as_bytes());
    hex::encode(Md5::digest(&text))
}

/// A request by someone who may.
pub(super) struct Asked<'h> {
    pub(super) house: &'h House,
    pub(super) account: u8,
    pub(super) form: Form,
}

impl Asked<'_> {
    pub(super) fn known(&self) -> &'static SimAccount {
        &ACCOUNTS[usize::from(self.account)]
    }
}

/// Whether a request is one of the old interface: it names a service.
pub(super) fn is_for(call: &Call<'_>) -> bool {
    let names = |form: &str| form.split('&').any(|pair| pair.starts_with("service="));
    names(call.query) || std::str::from_utf8(call.body).is_ok_and(names)
}

pub(super) fn answer(house: &House, call: &Call<'_>) -> Answer {
    let answered = asked(house, call).and_then(|asked| match asked.form.text("service").as_str() {
        "account.page.query" if asked.known().channel == "alipay_mapi" => alipay_log::page(&asked),
        "export_trade_account_report" if asked.known().channel == "alipay_mapi" => alipay_log::export(&asked),
        "single_trade_query" => alipay_trade::single(&asked),
        "forex_compare_file" | "forex_liquidation_file" if asked.known().channel == "alipay_global" => {
            Ok(alipay_global::file(&asked))
        }
        "account.page.query"
        | "export_trade_account_report"
        | "forex_compare_file"
        | "forex_liquidation_file" => Err("HAS_NO_PRIVILEGE"),
        _ => Err("ILLEGAL_SERVICE"),
    });
    answered.unwrap_or_else(refused)
}

fn asked<'h>(house: &'h House, call: &Call<'_>) -> Result<Asked<'h>, &'static str> {
    let form = Form::read(call).ok_or("ILLEGAL_CHARSET")?;
    let partner = form.text("partner");
    let account = house
        .account(|known| {
            ["alipay_mapi", "alipay_global"].contains(&known.channel) && known.merchant == partner
        })
        .ok_or("ILLEGAL_PARTNER")?;
    if form.text("sign_type") != "MD5" {
        return Err("ILLEGAL_SIGN_TYPE");
    }
    if form.signature(ACCOUNTS[usize::from(account)].api_key) != form.text("sign") {
        return Err("ILLEGAL_SIGN");
    }
    Ok(Asked { house, account, form })
}

/// A failure: no response, no signature.
pub(super) fn refused(code: &'static str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<alipay><is_success>F</is_success><error>{code}</error></alipay>"
    );
    Answer::ok("text/xml;charset=utf-8", Bytes::from(body))
}

/// A failure that a script wants, wherever it is asked for.
pub(super) fn scripted(mishap: Option<Mishap>) -> Result<(), &'static str> {
    match mishap {
        Some(Mishap::Busy) => Err("SYSTEM_ERROR"),
        Some(Mishap::Refused) => Err("HAS_NO_PRIVILEGE"),
        _ => Ok(()),
    }
}

/// What stands in `<response>`, and the pairs that are signed for it.
pub(super) struct Response {
    pub(super) xml: String,
    pub(super) signed: Vec<(&'static str, String)>,
}

/// Wraps and signs an answer, and does to it what the script says.
pub(super) fn send(asked: &Asked<'_>, response: &Response, mishap: Option<Mishap>) -> Answer {
    match mishap {
        Some(Mishap::EntityBomb) => return document(bomb().into_bytes(), "utf-8", mishap),
        Some(Mishap::ExternalEntity) => return document(external().into_bytes(), "utf-8", mishap),
        _ => {}
    }
    let charset = match mishap {
        Some(Mishap::GbkDeclaredUtf8) => GBK,
        Some(Mishap::Utf8DeclaredGbk) => UTF_8,
        _ => asked.form.charset,
    };
    let declared = match mishap {
        Some(Mishap::GbkDeclaredUtf8) => "utf-8",
        Some(Mishap::Utf8DeclaredGbk) => "GBK",
        _ if charset == GBK => "GBK",
        _ => "utf-8",
    };
    let values: Vec<(&str, Vec<u8>)> =
        response.signed.iter().map(|(name, value)| (*name, encoded(value, charset))).collect();
    let pairs = values.iter().map(|(name, value)| (*name, value.as_slice())).collect();
    let key = if mishap == Some(Mishap::WrongSignature) { OTHER_KEY } else { asked.known().api_key };
    let sign = signature(pairs, key);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"{declared}\"?>\n<alipay><is_success>T</is_success><request>"
    );
    for (name, _) in &asked.form.fields {
        param(&mut text, name, &asked.form.text(name));
    }
    text.push_str("</request><response>");
    text.push_str(&if mishap == Some(Mishap::ChangedAfterSigning) {
        changed(&response.xml)
    } else {
        response.xml.clone()
    });
    text.push_str("</response>");
    if mishap != Some(Mishap::Unsigned) {
        text.push_str(&format!("<sign>{sign}</sign><sign_type>MD5</sign_type>"));
    }
    text.push_str("</alipay>");
    document(encoded(&text, charset), declared, mishap)
}

fn document(mut bytes: Vec<u8>, charset: &str, mishap: Option<Mishap>) -> Answer {
    if mishap == Some(Mishap::Torn) {
        bytes.truncate(bytes.len() / 3 * 2);
    }
    Answer::ok(&format!("text/xml;charset={charset}"), Bytes::from(bytes)).after(mishap)
}

/// What GBK does not have (emoji) becomes a question mark, in the document and in what is signed alike.
fn encoded(text: &str, charset: &'static Encoding) -> Vec<u8> {
    if charset == UTF_8 {
        return text.as_bytes().to_vec();
    }
    let lacks = |letter: char| !letter.is_ascii() && GBK.encode(letter.encode_utf8(&mut [0; 4])).2;
    let kept: String = text.chars().map(|letter| if lacks(letter) { '?' } else { letter }).collect();
    GBK.encode(&kept).0.into_owned()
}

/// With another digit after the first decimal point that is not a zero's.
fn changed(xml: &str) -> String {
    let digit = |text: &str| text.as_bytes().get(1).copied().filter(u8::is_ascii_digit);
    let place = xml.match_indices('.').find_map(|(place, _)| Some((place, digit(&xml[place..])?)));
    let Some((place, digit)) = place else { return xml.to_owned() };
    let other = if digit == b'9' { '8' } else { char::from(digit + 1) };
    format!("{}{other}{}", &xml[..=place], &xml[place + 2..])
}

/// Ten levels of ten: a gigabyte, if somebody expands it.
fn bomb() -> String {
    let mut out = String::from("<?xml version=\"1.0\"?>\n<!DOCTYPE alipay [<!ENTITY a0 \"0123456789\">");
    for level in 1..9 {
        let inner = format!("&a{};", level - 1).repeat(10);
        out.push_str(&format!("<!ENTITY a{level} \"{inner}\">"));
    }
    out.push_str("]>\n<alipay><is_success>&a8;</is_success></alipay>");
    out
}

fn external() -> String {
    "<?xml version=\"1.0\"?>\n<!DOCTYPE alipay [<!ENTITY file SYSTEM \"file:///etc/hostname\">]>\n\
     <alipay><is_success>&file;</is_success></alipay>"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Form {
        let call =
            Call { method: "GET", path: "", query: text, headers: &axum::http::HeaderMap::new(), body: b"" };
        Form::read(&call).expect("a form")
    }

    #[test]
    fn the_specifications_vectors() {
        // spec/alipay.md 3.1.
        let key = "n0tareal32charkeyn0tareal32char0";
        let page = "gmt_end_time=2016-03-02+00:00:00&gmt_start_time=2016-03-01%2000:00:00&page_no=1&page_size=5000\
                    &partner=2088900000000018&service=account.page.query";
        let export = "gmt_create_end=2016-03-02 00:00:00&gmt_create_start=2016-03-01 00:00:00&no_coupon=Y\
                      &partner=2088900000000018&service=export_trade_account_report&trans_code=6001";
        let escrow = "logistics_fee=0.00&logistics_payment=SELLER_PAY&logistics_type=EXPRESS\
                      &notify_url=https://m.example.test/n&out_trade_no=T20160301-0007&partner=2088900000000018\
                      &payment_type=1&price=18.80&quantity=1&seller_email=shop@example.test\
                      &service=create_partner_trade_by_buyer&subject=";
        let forex =
            "end_date=20160301&partner=2088900000000026&service=forex_compare_file&start_date=20160301";
        for (text, expected) in [
            (format!("_input_charset=utf-8&{page}&sign=x&sign_type=MD5"), "9bac660d4a8bc479b8873dc17dc5e277"),
            (format!("{export}&_input_charset=utf-8&empty="), "8c8e8c7d84c044ce89ccd9dafacf0dd3"),
            (format!("_input_charset=utf-8&{escrow}%E8%8C%B6%E6%9D%AF"), "bdf5a9f5091ea2fcc4c8fbd29faaf646"),
            (format!("_input_charset=gbk&{escrow}%B2%E8%B1%AD"), "dae1b1ef84496be974c7e4690b8f83a9"),
            (forex.to_owned(), "2271604104762e4aa371861601aa3821"),
        ] {
            assert_eq!(form(&text).signature(key), expected, "{text}");
        }
        assert_eq!(form("_input_charset=gbk&subject=%B2%E8%B1%AD").text("subject"), "茶杯");
    }

    #[test]
    fn the_seeds_vectors() {
        // spec/ttpay.md A.10: AL-1, AL-3, AL-4, AL-6, AL-7.
        let direct = "partner=2088006300000000&service=create_direct_pay_by_user&email=";
        let trade = "partner=2088006300000000&service=create_partner_trade_by_buyer&subject=";
        for (text, expected) in [
            (format!("{direct}test"), "4cd4483a98cdee333c4db71452546c87"),
            (format!("{direct}test@msn.com"), "390649c0eb738757b883f389a178175a"),
            (format!("{direct}testaio@msn.com"), "e49cca22379168dc5338cb02d02913ac"),
            (format!("_input_charset=utf-8&{trade}%E6%B5%8B%E8%AF%95"), "98b6e031db2e01d8703723f65dc198ef"),
            (format!("_input_charset=gbk&{trade}%B2%E2%CA%D4"), "d1bc2d3d33de56de5edfb0693367d40f"),
        ] {
            assert_eq!(form(&text).signature("1234567890123"), expected, "{text}");
        }
        let blank = "email=test&partner=2088006300000000&service=%20create_direct_pay_by_user";
        assert_eq!(form(blank).signature("1234567890123"), "b065bc81629540b23ca89551ee162f6f", "AL-2");
    }

    #[test]
    fn one_digit_is_changed() {
        assert_eq!(changed("<a>1</a><b>12.30</b><c>4.00</c>"), "<a>1</a><b>12.40</b><c>4.00</c>");
        assert_eq!(changed("<b>0.9</b>"), "<b>0.8</b>");
        assert_eq!(changed("<b>none</b>"), "<b>none</b>");
    }
}

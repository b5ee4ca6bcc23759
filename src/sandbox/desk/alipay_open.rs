//! Alipay's open gateway, `POST /gateway.do`, and the download address it hands out (`spec/alipay.md` 1).
//!
//! Requests are verified with the merchant's public key; replies are signed over the bytes of their node, slashes
//! escaped as Alipay escapes them. The address lives thirty seconds and works once.

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::Pkcs1v15Sign;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{Call, alipay_order};
use crate::domain::{BillDate, Moment, PayType};
use crate::sandbox::form::{encoded, fields, value};
use crate::sandbox::mishap::{Desk, Mishap};
use crate::sandbox::numbers;
use crate::sandbox::paper::Paper;
use crate::sandbox::server::{Answer, Content, House, Want};
use crate::sandbox::town::ACCOUNTS;
use crate::sandbox::{keys, site};

type Fields = [(String, String)];

const METHOD: &str = "alipay.data.dataservice.bill.downloadurl.query";
const TRADE_METHOD: &str = "alipay.trade.query";
const REFUND_METHOD: &str = "alipay.trade.fastpay.refund.query";
const NODE: &str = "alipay_data_dataservice_bill_downloadurl_query_response";
const TRADE_NODE: &str = "alipay_trade_query_response";
const REFUND_NODE: &str = "alipay_trade_fastpay_refund_query_response";
/// A host that no merchant allows: reserved for documentation (RFC 2606).
const FOREIGN_HOST: &str = "download.example.test";
const JSON: &str = "application/json;charset=utf-8";

/// A failure: code, msg, sub_code, sub_msg.
pub(super) struct Fail {
    code: &'static str,
    msg: &'static str,
    sub_code: String,
    sub_msg: String,
    /// Without a known application there is no key to sign with: `error_response`, unsigned.
    unsigned: bool,
}

impl Fail {
    pub(super) fn new(code: &'static str, sub_code: &str, sub_msg: &str) -> Fail {
        let msg = match code {
            "20000" => "Service Currently Unavailable",
            "20001" => "Insufficient Token Permissions",
            "40001" => "Missing Required Arguments",
            "40002" => "Invalid Arguments",
            "40006" => "Insufficient Permissions",
            _ => "Business Failed",
        };
        Fail { code, msg, sub_code: sub_code.to_owned(), sub_msg: sub_msg.to_owned(), unsigned: false }
    }

    fn unsigned(mut self) -> Fail {
        self.unsigned = true;
        self
    }

    fn node(&self) -> String {
        let Fail { code, msg, sub_code, sub_msg, .. } = self;
        node(&[("code", code), ("msg", msg), ("sub_code", sub_code), ("sub_msg", sub_msg)])
    }
}

/// What was asked for, by someone who may. No account: the merchant has no bills here.
struct Asked {
    account: Option<u8>,
    date: BillDate,
    paper: Paper,
}

/// How an answer is put into its envelope.
#[derive(Clone, Copy)]
struct Seal<'s> {
    node: &'static str,
    sign_type: &'s str,
}

pub(super) fn gateway(house: &House, call: &Call<'_>) -> Answer {
    let form = parameters(call.method, call.query, call.body);
    let node = match value(&form, "method") {
        TRADE_METHOD => TRADE_NODE,
        REFUND_METHOD => REFUND_NODE,
        _ => NODE,
    };
    let seal = Seal { node, sign_type: value(&form, "sign_type") };
    let answered = caller(house, &form).and_then(|account| match node {
        TRADE_NODE => alipay_order::trade(house, account, &content(&form)?).map(|told| about(&told, seal)),
        REFUND_NODE => alipay_order::refund(house, account, &content(&form)?).map(|told| about(&told, seal)),
        _ => Ok(address(house, &asked(account, &form)?, seal)),
    });
    match answered {
        Ok(answer) => answer,
        Err(fail) if fail.unsigned => json(format!("{{\"error_response\":{}}}", fail.node())),
        Err(fail) => signed(&fail.node(), seal, None),
    }
}

/// The answer about one order.
fn about((members, mishap): &alipay_order::Told, seal: Seal<'_>) -> Answer {
    let members: Vec<(&str, &str)> = members.iter().map(|(name, value)| (*name, value.as_str())).collect();
    signed(&node(&members), seal, *mishap).after(*mishap)
}

/// Parameters may stand in the query, in the body, or in both; the body's count.
fn parameters(method: &str, query: &str, body: &[u8]) -> Vec<(String, String)> {
    let body = if method == "POST" { std::str::from_utf8(body).unwrap_or("") } else { "" };
    let mut all = fields(body).unwrap_or_default();
    for (name, value) in fields(query).unwrap_or_default() {
        if all.iter().all(|(known, _)| *known != name) {
            all.push((name, value));
        }
    }
    all
}

/// Whose bills and orders the request is about, if it is signed.
fn caller(house: &House, form: &Fields) -> Result<Option<u8>, Fail> {
    for (name, code) in [
        ("method", "isv.missing-method"),
        ("app_id", "isv.missing-app-id"),
        ("sign_type", "isv.missing-signature-type"),
        ("sign", "isv.missing-signature"),
        ("timestamp", "isv.missing-timestamp"),
        ("version", "isv.missing-version"),
        ("charset", "isv.missing-charset"),
    ] {
        if value(form, name).is_empty() {
            return Err(Fail::new("40001", code, &format!("缺少{name}参数")).unsigned());
        }
    }
    let app_id = value(form, "app_id");
    let own = house.account(|account| account.pay_type == PayType::Ali20 && account.app_id == app_id);
    if own.is_none() && app_id != site::ISV_APP_ID {
        return Err(Fail::new("40002", "isv.invalid-app-id", "无效的AppID参数").unsigned());
    }
    envelope(form)?;
    verified(form)?;
    match value(form, "app_auth_token") {
        "" => Ok(own),
        site::ISV_TOKEN if app_id == site::ISV_APP_ID => {
            Ok(house.account(|account| account.pay_type == PayType::Ali20))
        }
        _ => Err(Fail::new("20001", "aop.invalid-app-auth-token", "无效的应用授权令牌")),
    }
}

/// The common parameters that have only a few right values.
fn envelope(form: &Fields) -> Result<(), Fail> {
    let invalid = |sub_code, words| Err(Fail::new("40002", sub_code, words));
    if ![METHOD, TRADE_METHOD, REFUND_METHOD].contains(&value(form, "method")) {
        return invalid("isv.invalid-method", "不存在的方法名");
    }
    if !["RSA2", "RSA"].contains(&value(form, "sign_type")) {
        return invalid("isv.invalid-signature-type", "无效的签名类型");
    }
    if !value(form, "charset").eq_ignore_ascii_case("utf-8") {
        return invalid("isv.invalid-charset", "字符集错误");
    }
    if !["", "JSON"].contains(&value(form, "format")) {
        return invalid("isv.invalid-format", "无效的数据格式");
    }
    let stamp = value(form, "timestamp");
    if stamp.len() != 19 || Moment::parse(stamp).is_none() {
        return invalid("isv.invalid-timestamp", "非法的时间戳参数");
    }
    Ok(())
}

/// The signature over everything but `sign` (`spec/alipay.md` 1.3).
fn verified(form: &Fields) -> Result<(), Fail> {
    let text = text_to_sign(form);
    let good = STANDARD.decode(value(form, "sign")).is_ok_and(|sign| {
        let key = keys::merchant_public();
        if value(form, "sign_type") == "RSA2" {
            key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(&text), &sign).is_ok()
        } else {
            key.verify(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(&text), &sign).is_ok()
        }
    });
    let told = || {
        let words = "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：";
        Fail::new("40002", "isv.invalid-signature", &format!("{words}{text}"))
    };
    if good { Ok(()) } else { Err(told()) }
}

fn text_to_sign(form: &Fields) -> String {
    let mut signed: Vec<&(String, String)> =
        form.iter().filter(|(name, value)| name != "sign" && !value.is_empty()).collect();
    signed.sort();
    let pairs: Vec<String> = signed.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn arguments() -> Fail {
    Fail::new("40004", "INVAILID_ARGUMENTS", "入参不合法")
}

fn content(form: &Fields) -> Result<serde_json::Value, Fail> {
    let content = value(form, "biz_content");
    if content.is_empty() {
        return Err(Fail::new("40001", "isv.missing-biz-content", "缺少biz_content参数"));
    }
    serde_json::from_str(content).map_err(|_| arguments())
}

/// Bill and date of `biz_content`, if it asks for a daily bill.
fn asked(account: Option<u8>, form: &Fields) -> Result<Asked, Fail> {
    let read = content(form)?;
    let text = |name: &str| read.get(name).and_then(serde_json::Value::as_str).unwrap_or("");
    let paper = match text("bill_type") {
        "trade" => Paper::AlipayBill,
        "signcustomer" => Paper::AlipayLedger,
        "merchant_act" | "trade_zft_merchant" | "zft_acc" | "settlementMerge" => {
            return Err(Fail::new("40004", "TYPE_NOT_SUPPORTED", "暂不支持此类型账单"));
        }
        _ => return Err(arguments()),
    };
    let date = text("bill_date");
    let date = BillDate::parse(date).filter(|_| date.len() == 10).ok_or_else(arguments)?;
    Ok(Asked { account, date, paper })
}

/// Hands out a download address.
fn address(house: &House, asked: &Asked, seal: Seal<'_>) -> Answer {
    let nothing = || signed(&Fail::new("40004", "NO_BILL_DATA", "账单数据不存在").node(), seal, None);
    let Some(account) = asked.account else { return nothing() };
    let mishap = house.mishap(Desk::AlipayGateway, account, asked.date);
    let refuse = |fail: Fail| signed(&fail.node(), seal, None);
    match mishap {
        Some(Mishap::NotReady) => return refuse(Fail::new("40004", "isp.bill_not_exist", "账单不存在")),
        Some(Mishap::NoBill) => return nothing(),
        Some(Mishap::Busy) => return refuse(Fail::new("20000", "isp.unknow-error", "系统繁忙")),
        Some(Mishap::Refused) => {
            return refuse(Fail::new("40006", "isv.insufficient-isv-permissions", "ISV权限不足"));
        }
        _ => {}
    }
    let empty_file = mishap == Some(Mishap::EmptyFile);
    let content = if empty_file { Content::Emptied } else { Content::True };
    let want = Want { account, date: asked.date, paper: asked.paper, whole: false, content, gzip: false };
    if house.statement(want).is_none() {
        return nothing();
    }
    let (ticket, number) = house.issue(want);
    let host = if mishap == Some(Mishap::ForeignHost) { FOREIGN_HOST.to_owned() } else { house.origin() };
    let url = download_url(&host, want, &ticket, number);
    let mut members = vec![("code", "10000"), ("msg", "Success"), ("bill_download_url", url.as_str())];
    if empty_file {
        members.push(("bill_file_code", "EMPTY_DATA_WITH_BILL_FILE"));
    }
    signed(&node(&members), seal, mishap).after(mishap)
}

fn download_url(host: &str, want: Want, ticket: &str, number: u64) -> String {
    let user = format!("{}0156", ACCOUNTS[usize::from(want.account)].merchant);
    let date = want.date.compact();
    let kind = if want.paper == Paper::AlipayLedger { "fnd" } else { "trade" };
    let file_id = encoded(&format!("/{kind}/{}/{user}.csv.zip", numbers::mix(number, 0, 3) % 100_000));
    format!(
        "http://{host}/downloadBillFile.resource?bizType={kind}&userId={user}&fileType=csv.zip&bizDates={date}\
         &downloadFileName={user}_{date}.csv.zip&fileId={file_id}&timestamp={}&token={ticket}",
        1_700_000_000_000 + number
    )
}

/// The download address.
pub(super) fn download(house: &House, call: &Call<'_>) -> Answer {
    let query = fields(call.query).unwrap_or_default();
    let Some(want) = house.redeem(value(&query, "token")) else { return late() };
    let mishap = house.mishap(Desk::AlipayDownload, want.account, want.date);
    let content = if want.content == Content::Emptied { Content::Emptied } else { Content::after(mishap) };
    match house.statement(Want { content, ..want }) {
        Some(bytes) => Answer::ok("application/octet-stream", bytes).after(mishap),
        None => late(),
    }
}

/// What an address answers when its time is over: a notice, with status 200.
fn late() -> Answer {
    let notice = "<html><head><title>支付宝</title></head><body>下载超时，请重新下载</body></html>";
    Answer::ok("text/html;charset=utf-8", Bytes::from(notice))
}

/// A flat JSON object, slashes escaped as Alipay's gateway does.
fn node(members: &[(&str, &str)]) -> String {
    let mut out = String::from("{");
    for (place, (name, value)) in members.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        let value = serde_json::Value::from(*value).to_string().replace('/', "\\/");
        out.push_str(&format!("\"{name}\":{value}"));
    }
    out.push('}');
    out
}

/// The reply: the node, and the signature over its bytes. A wrong one is that of other bytes.
fn signed(node: &str, seal: Seal<'_>, mishap: Option<Mishap>) -> Answer {
    let name = seal.node;
    let bytes = match mishap {
        Some(Mishap::Unsigned) => return json(format!("{{\"{name}\":{node}}}")),
        Some(Mishap::WrongSignature) => format!("{node} "),
        _ => node.to_owned(),
    };
    let key = keys::alipay_private();
    let sign = if seal.sign_type == "RSA" {
        key.sign(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(&bytes))
    } else {
        key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(&bytes))
    };
    let sign = STANDARD.encode(sign.expect("a 2048-bit key is long enough for any of the digests"));
    let node =
        if mishap == Some(Mishap::ChangedAfterSigning) { node.replace("2", "3") } else { node.to_owned() };
    json(format!("{{\"{name}\":{node},\"sign\":\"{sign}\"}}"))
}

fn json(body: String) -> Answer {
    Answer::ok(JSON, Bytes::from(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_canonical_text() {
        let form: Vec<(String, String)> = [
            ("timestamp", "2024-05-03 10:31:07"),
            ("method", METHOD),
            ("app_id", "2014900000000011"),
            ("sign_type", "RSA2"),
            ("version", "1.0"),
            ("charset", "utf-8"),
            ("format", "JSON"),
            ("app_auth_token", "202405BBexampletokenexampletoken00X11"),
            ("biz_content", "{\"bill_type\":\"trade\",\"bill_date\":\"2024-05-02\"}"),
            ("sign", "not signed"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        let text = text_to_sign(&form);
        assert_eq!(text.len(), 272);
        assert_eq!(
            hex::encode(Sha256::digest(&text)),
            "ea14b04ecc9072c8a422bc22b80434dd4b61094d2c4800b65bc5649440f592cf"
        );
    }

    #[test]
    fn the_specifications_signed_bytes() {
        let url = "http://dwbillcenter.alipay.com/downloadBillFile.resource?bizType=trade&userId=20889000000000180156\
                   &fileType=csv.zip&bizDates=20240502&downloadFileName=20889000000000180156_20240502.csv.zip\
                   &fileId=%2Ftrade%2Fx";
        let node = node(&[("code", "10000"), ("msg", "Success"), ("bill_download_url", url)]);
        // The vector's node has 266 bytes.
        assert_eq!(node.len(), 266);
        assert_eq!(
            hex::encode(Sha256::digest(&node)),
            "77b0da57f6ed559f2f5c572e7075be4e913fff6299cf6b1715cc9362eb5d201d"
        );
    }
}

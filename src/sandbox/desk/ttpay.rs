//! The malls' payment gateway: `downloadbill` and `orderquery` behind its own envelope (`spec/ttpay.md` C).
//!
//! It hands on the provider's own bytes of any simulated account, found by Type and SellerID, in chunks with a hash over
//! the whole; so one night can be run through it and directly. It checks the envelope as the manual's samples have it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::ttpay_wire::{self as wire, Asked, Told};
use super::{Call, wechat_order};
use crate::domain::BillDate;
use crate::sandbox::lines;
use crate::sandbox::mishap::{Desk, Mishap};
use crate::sandbox::numbers::push_yuan;
use crate::sandbox::paper::{self, Paper};
use crate::sandbox::server::{Answer, Content, House, Want};
use crate::sandbox::town::{ACCOUNTS, CUSTOMER_ID, Family};
use crate::sandbox::truth::{self, State};

/// The most bytes of a statement in one answer, whatever was asked for: IIS has limits of its own.
const CHUNK_BYTES: usize = 64 * 1024;
const NO_ACCOUNT: &str = "账号不存在";
const NO_KEY: &str = "您使用的私钥格式错误，请检查RSA私钥配置,charset = utf-8";
const HEADER_KEYS: [&str; 13] = [
    "TerminalType",
    "TXDate",
    "MallID",
    "StoreCode",
    "BSStoreCode",
    "TillID",
    "CashierNO",
    "CRC",
    "Type",
    "Key",
    "AccountMode",
    "SellerID",
    "ExtParam",
];

/// An envelope that passed the checks.
struct Request {
    header: Map<String, Value>,
    param: Map<String, Value>,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        text(&self.header, name)
    }

    fn param(&self, name: &str) -> &str {
        text(&self.param, name)
    }
}

fn text<'m>(map: &'m Map<String, Value>, name: &str) -> &'m str {
    map.get(name).and_then(Value::as_str).unwrap_or("")
}

pub(super) fn rest(house: &House, call: &Call<'_>) -> Answer {
    wire::rest(call).map_or_else(|refused| refused, |asked| answer(house, &asked))
}

pub(super) fn soap(house: &House, call: &Call<'_>) -> Answer {
    wire::soap(call).map_or_else(|refused| refused, |asked| answer(house, &asked))
}

fn answer(house: &House, asked: &Asked) -> Answer {
    let act = match asked.action.as_str() {
        "downloadbill" => download,
        "orderquery" => order,
        _ => return wire::no_such_action(&asked.wire),
    };
    let request = match request(&asked.text) {
        Ok(request) => request,
        Err(words) => return wire::answer(&asked.wire, &failure(words), None),
    };
    let (mut told, mishap) = match account(house, &request) {
        Some(account) => act(house, &request, account),
        None => (failure(NO_ACCOUNT.to_owned()), None),
    };
    told.crc = match mishap {
        Some(Mishap::CrossedCrc) => "201611081138149488885".to_owned(),
        _ => request.header("CRC").to_owned(),
    };
    if mishap == Some(Mishap::Alert) {
        told.alert = "许可证将于30天后到期";
    }
    wire::answer(&asked.wire, &told, mishap)
}

fn failure(words: String) -> Told {
    Told { code: "-1", words, ..Told::default() }
}

fn success(result: String) -> Told {
    Told { code: "0", result, ..Told::default() }
}

/// Reads an envelope; the error says what is wrong with it.
fn request(text: &str) -> Result<Request, String> {
    let read: Value = serde_json::from_str(text).map_err(|_| "请求不是JSON".to_owned())?;
    let part = |name: &str| match read.get(name) {
        Some(Value::Object(members)) => Ok(members.clone()),
        _ => Err(format!("缺少{name}")),
    };
    let request = Request { header: part("Header")?, param: part("RequestParam")? };
    let members = request.header.iter().chain(&request.param).filter(|(name, _)| *name != "Token");
    if let Some((name, _)) = members.into_iter().find(|(_, value)| !value.is_string()) {
        return Err(format!("{name}不是字符串"));
    }
    if let Some(name) = HEADER_KEYS.iter().find(|name| !request.header.contains_key(**name)) {
        return Err(format!("Header缺少{name}"));
    }
    let is_date = |text: &str| text.len() == 8 && BillDate::parse(text).is_some();
    if !is_date(request.header("TXDate")) {
        return Err("TXDate格式错误".to_owned());
    }
    let crc = request.header("CRC");
    if crc.len() != 21 || !crc.bytes().all(|byte| byte.is_ascii_digit()) || !is_date(&crc[..8]) {
        return Err("CRC格式错误".to_owned());
    }
    match ["TillID", "CashierNO", "Type"].iter().find(|name| request.header(name).is_empty()) {
        Some(name) => Err(format!("{name}为空")),
        None => Ok(request),
    }
}

/// The account that Type, SellerID, AccountMode and CustomerID lead to.
fn account(house: &House, request: &Request) -> Option<u8> {
    let (kind, seller) = (request.header("Type"), request.header("SellerID"));
    let customer = format!("'CustomerID':'{CUSTOMER_ID}'");
    let of_type = house.day().accounts.iter().copied().filter(|&place| {
        let account = &ACCOUNTS[usize::from(place)];
        account.pay_type.as_str() == kind && has_statement(account.family())
    });
    let fitting: Vec<u8> = match (request.header("AccountMode"), seller) {
        ("1", seller) if request.header("ExtParam").contains(&customer) => {
            of_type.filter(|&place| ACCOUNTS[usize::from(place)].sellers().contains(&seller)).collect()
        }
        // One account for each pay type: then nobody needs to say which.
        ("0", "") => of_type.collect(),
        _ => Vec::new(),
    };
    match fitting[..] {
        [account] => Some(account),
        _ => None,
    }
}

fn has_statement(family: Family) -> bool {
    matches!(family, Family::Wechat | Family::Alipay20 | Family::WechatOverseas)
}

// ---------------------------------------------------------------- downloadbill

fn download(house: &House, request: &Request, account: u8) -> (Told, Option<Mishap>) {
    let date = request.param("BillDate");
    let Some(date) = BillDate::parse(date).filter(|_| date.len() == 8) else {
        return (failure("BillDate格式错误".to_owned()), None);
    };
    if !["", "ALL"].contains(&request.param("BillType")) || request.param("Format") != "RAW" {
        return (failure("不支持的账单类型".to_owned()), None);
    }
    let mishap = house.mishap(Desk::Gateway, account, date);
    let family = ACCOUNTS[usize::from(account)].family();
    let told = match mishap {
        Some(Mishap::NotReady) => success(provider_says(family, true)),
        Some(Mishap::NoBill | Mishap::EmptyFile) => success(provider_says(family, false)),
        Some(Mishap::Busy) => failure("操作超时".to_owned()),
        Some(Mishap::Refused) => failure(NO_ACCOUNT.to_owned()),
        Some(Mishap::WrongSignature | Mishap::SignError) => failure(NO_KEY.to_owned()),
        Some(Mishap::EmptyResult) => success(String::new()),
        _ => statement(house, request, (account, date), mishap),
    };
    (told, mishap)
}

fn statement(
    house: &House,
    request: &Request,
    (account, date): (u8, BillDate),
    mishap: Option<Mishap>,
) -> Told {
    let known = &ACCOUNTS[usize::from(account)];
    let whole = mishap == Some(Mishap::SubMerchantsMixed);
    let content = Content::after(mishap);
    let want = Want { account, date, paper: paper::of(known), whole, content, gzip: false };
    let Some(bytes) = house.statement(want) else {
        return success(provider_says(known.family(), false));
    };
    if mishap == Some(Mishap::PassedThrough) {
        let text = String::from_utf8(bytes.to_vec());
        return success(text.unwrap_or_else(|_| STANDARD.encode(&bytes)));
    }
    let (Ok(offset), Ok(most)) =
        (request.param("Offset").parse::<usize>(), request.param("MaxBytes").parse::<usize>())
    else {
        return failure("Offset或MaxBytes格式错误".to_owned());
    };
    if offset > bytes.len() || most == 0 {
        return failure("Offset或MaxBytes超出范围".to_owned());
    }
    let mut piece = &bytes[offset..bytes.len().min(offset + most.min(CHUNK_BYTES))];
    let mut is_last = offset + piece.len() == bytes.len();
    if mishap == Some(Mishap::MissingChunk) {
        piece = &piece[..piece.len() / 2];
        is_last = true;
    }
    let hash = match mishap {
        Some(Mishap::WrongHash | Mishap::HashOfAnotherDay) => Sha256::digest(b"another statement"),
        _ => Sha256::digest(&bytes),
    };
    let is_zip = want.paper == Paper::AlipayBill;
    let seller = if mishap == Some(Mishap::OtherSeller) { "8899" } else { request.header("SellerID") };
    let echo = if mishap == Some(Mishap::OtherEcho) { date.before() } else { date };
    let members = [
        ("Type", request.header("Type").to_owned()),
        ("SellerID", seller.to_owned()),
        ("BillDate", echo.compact()),
        ("Format", "RAW".to_owned()),
        ("Charset", if is_zip { "gbk" } else { "utf-8" }.to_owned()),
        ("Compression", if is_zip { "zip" } else { "none" }.to_owned()),
        ("TransferEncoding", "base64".to_owned()),
        ("TotalBytes", bytes.len().to_string()),
        ("Offset", offset.to_string()),
        ("Length", piece.len().to_string()),
        ("Eof", if is_last { "1" } else { "0" }.to_owned()),
        ("Sha256", hex::encode(hash)),
        ("Content", STANDARD.encode(piece)),
    ];
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!("\"{name}\":{}", wire::string(value))).collect();
    success(format!("{{{}}}", members.join(",")))
}

/// The provider's own words for a statement that is not there.
fn provider_says(family: Family, not_yet: bool) -> String {
    if family == Family::Alipay20 {
        let (code, words) = if not_yet {
            ("isp.bill_not_exist", "账单不存在")
        } else {
            ("NO_BILL_DATA", "账单数据不存在")
        };
        return json!({"alipay_data_dataservice_bill_downloadurl_query_response": {
            "code": "40004", "msg": "Business Failed", "sub_code": code, "sub_msg": words,
        }})
        .to_string();
    }
    let words = if not_yet { "Bill Creating" } else { "No Bill Exist" };
    format!(
        "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[{words}]]></return_msg>\
         <error_code><![CDATA[20002]]></error_code></xml>"
    )
}

// ---------------------------------------------------------------- orderquery

fn order(house: &House, request: &Request, account: u8) -> (Told, Option<Mishap>) {
    let (order_no, trade_no) = (request.param("OutID"), request.param("TradeNO"));
    if order_no.is_empty() && trade_no.is_empty() {
        return (failure("OutID为空".to_owned()), None);
    }
    let mishap = house.mishap(Desk::GatewayOrder, account, house.day().date());
    let told = match mishap {
        Some(Mishap::Busy | Mishap::NotReady) => failure("操作超时".to_owned()),
        Some(Mishap::Refused) => failure(NO_ACCOUNT.to_owned()),
        Some(Mishap::WrongSignature | Mishap::SignError) => failure(NO_KEY.to_owned()),
        Some(Mishap::EmptyResult) => success(String::new()),
        _ if ACCOUNTS[usize::from(account)].is_wechat() => {
            success(wechat_order::handed_on(house, account, order_no, trade_no))
        }
        _ => success(alipay_order(house, account, order_no, trade_no)),
    };
    (told, mishap)
}

/// Alipay's `trade.query` reply. Nobody verifies what a gateway hands on, so nothing is signed.
fn alipay_order(house: &House, account: u8, order_no: &str, trade_no: &str) -> String {
    let is_it =
        |ours: &str, theirs: &str| if trade_no.is_empty() { ours == order_no } else { theirs == trade_no };
    let known = truth::find(house.day(), account, is_it).filter(|known| known.state != State::Failed);
    let Some(known) = known else {
        return json!({"alipay_trade_query_response": {
            "code": "40004", "msg": "Business Failed", "sub_code": "ACQ.TRADE_NOT_EXIST", "sub_msg": "交易不存在",
        }})
        .to_string();
    };
    let returned: i64 = known.refunds.iter().map(|refund| refund.billed()).sum();
    let status = match known.state {
        State::Paid => "TRADE_SUCCESS",
        State::Refunded if returned < known.amount_minor => "TRADE_SUCCESS",
        State::Refunded | State::Reversed => "TRADE_CLOSED",
        State::Unpaid | State::Failed => "WAIT_BUYER_PAY",
    };
    let mut total = String::new();
    push_yuan(&mut total, known.amount_minor);
    let mut reply = json!({
        "code": "10000",
        "msg": "Success",
        "out_trade_no": lines::order_no(house.day(), known.index),
        "trade_no": lines::trade_no(house.day(), known.index, false),
        "trade_status": status,
        "total_amount": total,
    });
    if let Some(paid_at) = known.paid_at {
        let mut time = String::new();
        house.day().calendar.push_time(&mut time, paid_at);
        reply["send_pay_date"] = json!(time);
    }
    json!({"alipay_trade_query_response": reply}).to_string()
}

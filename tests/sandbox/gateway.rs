//! The malls' gateway, asked by all five transports.

use super::wechat_v3::{every_room, everything};
use super::*;
use nightjob::sandbox::Fault;
use serde_json::{Value, json};

const CRC: &str = "201611100300001230001";

fn envelope(kind: &str, seller: &str, param: Value) -> Value {
    json!({
        "Header": {
            "TerminalType": "0", "TXDate": "20240309", "MallID": "*", "StoreCode": seller, "BSStoreCode": seller,
            "TillID": "99", "CashierNO": "NIGHTJOB", "CRC": CRC, "Type": kind, "Key": "", "AccountMode": "1",
            "SellerID": seller, "Token": null, "ExtParam": "{'CustomerID':'TECHTRANS'}",
        },
        "RequestParam": param,
    })
}

fn bill(kind: &str, seller: &str, offset: usize, most: usize) -> Value {
    envelope(
        kind,
        seller,
        json!({
            "BillDate": "20240307", "BillType": "ALL", "Format": "RAW", "Offset": offset.to_string(),
            "MaxBytes": most.to_string(), "ExtParam": "{}",
        }),
    )
}

async fn post(running: &Running, path: &str, headers: &[(&str, &str)], body: String) -> (u16, String) {
    let mut request = client().post(format!("{}{path}", running.url())).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let got = request.send().await.expect("an answer");
    (got.status().as_u16(), got.text().await.expect("a text"))
}

const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");

async fn ask(running: &Running, action: &str, asked: &Value) -> Value {
    let (status, text) = post(running, &format!("/Service1.svc/{action}"), &[JSON], asked.to_string()).await;
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).expect("an envelope")
}

fn result(told: &Value) -> Value {
    serde_json::from_str(told["ResObj"].as_str().expect("a text")).expect("an object")
}

/// The whole statement, chunk by chunk, and how many there were.
async fn collected(running: &Running, kind: &str, seller: &str, most: usize) -> (Vec<u8>, usize) {
    let (mut bytes, mut chunks) = (Vec::new(), 0);
    loop {
        let told = ask(running, "downloadbill", &bill(kind, seller, bytes.len(), most)).await;
        assert_eq!((told["ErrorCode"].as_str(), told["CRC"].as_str()), (Some("0"), Some(CRC)));
        let result = result(&told);
        for (name, value) in [
            ("Type", kind),
            ("SellerID", seller),
            ("BillDate", "20240307"),
            ("Offset", &bytes.len().to_string()),
        ] {
            assert_eq!(result[name], value);
        }
        let piece = STANDARD.decode(result["Content"].as_str().expect("content")).expect("base64");
        assert_eq!(result["Length"], piece.len().to_string());
        bytes.extend(piece);
        chunks += 1;
        if result["Eof"] == "1" {
            assert_eq!(result["TotalBytes"], bytes.len().to_string());
            assert_eq!(result["Sha256"], hex::encode(Sha256::digest(&bytes)));
            return (bytes, chunks);
        }
    }
}

#[tokio::test]
async fn it_hands_on_the_bytes_of_any_account() {
    let running = everything(Vec::new()).await;
    for (kind, seller, account) in [
        ("WX", "8805", "mall-gw"),
        ("WX", "8888", "mall-wx"),
        ("WX", "8803", "mall-wx-sub"),
        ("WX", "8804", "mall-wx3"),
        ("ALI_20", "8802", "mall-ali"),
        ("WX_OS", "8801", "mall-wxos"),
    ] {
        let (bytes, chunks) = collected(&running, kind, seller, 3_000).await;
        assert_eq!(Some(&bytes), every_room().statement(account, date()).as_ref(), "{account}");
        assert_eq!(chunks, bytes.len().div_ceil(3_000));
    }
    let (bytes, chunks) = collected(&running, "WX", "8888", 4_194_304).await;
    assert_eq!(chunks, bytes.len().div_ceil(65_536), "it has a limit of its own");
}

#[tokio::test]
async fn five_transports_say_the_same() {
    let running = everything(Vec::new()).await;
    let asked = bill("WX", "8805", 0, 500).to_string();
    let direct = post(&running, "/Service1.svc/downloadbill", &[JSON], asked.clone()).await.1;
    assert!(
        direct.starts_with("{\"ErrorCode\":\"0\",\"ErrorMSG\":\"\",\"ResObj\":\"{\\\"Type\\\":"),
        "{direct}"
    );
    let form = ("content-type", "application/x-www-form-urlencoded");
    let soap_11 = [
        ("content-type", "text/xml; charset=utf-8"),
        ("soapaction", "\"http://tempuri.org/IService1/DownloadBill\""),
    ];
    let soap_12 = [(
        "content-type",
        "application/soap+xml; charset=utf-8; action=\"http://tempuri.org/IService1/DownloadBill\"",
    )];
    for text in [asked.clone(), STANDARD.encode(&asked)] {
        let is_plain = text == asked;
        let plain = |answer: &str| {
            let decoded = || String::from_utf8(STANDARD.decode(answer).expect("base64")).expect("UTF-8");
            if is_plain { answer.to_owned() } else { decoded() }
        };
        let path = "/Service1.svc/downloadbill";
        assert_eq!(plain(&post(&running, path, &[JSON], text.clone()).await.1), direct);
        let string = post(&running, path, &[JSON], Value::from(text.clone()).to_string()).await.1;
        let string: String = serde_json::from_str(&string).expect("a JSON string");
        assert_eq!(plain(&string), direct);
        let body = format!("request={}", escaped(&text));
        assert_eq!(plain(&post(&running, path, &[form], body).await.1), direct);
        for (headers, namespace) in [
            (&soap_11[..], "http://schemas.xmlsoap.org/soap/envelope/"),
            (&soap_12[..], "http://www.w3.org/2003/05/soap-envelope"),
        ] {
            let (status, reply) = post(&running, "/Service1.svc", headers, soap(namespace, &text)).await;
            assert_eq!(status, 200, "{reply}");
            let (_, inner) = reply.split_once("<DownloadBillResult>").expect("a result");
            let (inner, _) = inner.split_once("</DownloadBillResult>").expect("its end");
            let inner = inner.replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&");
            assert_eq!(plain(&inner), direct);
        }
    }
}

#[tokio::test]
async fn a_soap_action_and_its_operation_belong_together() {
    let running = everything(Vec::new()).await;
    let asked = bill("WX", "8805", 0, 500).to_string();
    let mismatched = [("content-type", "text/xml"), ("soapaction", "http://tempuri.org/IService1/Other")];
    let (status, reply) = post(
        &running,
        "/Service1.svc",
        &mismatched,
        soap("http://schemas.xmlsoap.org/soap/envelope/", &asked),
    )
    .await;
    assert_eq!(status, 500);
    assert!(reply.contains("ActionNotSupported"), "{reply}");
}

fn soap(namespace: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<s:Envelope xmlns:s=\"{namespace}\"><s:Body><DownloadBill xmlns=\"http://tempuri.org/\">\
         <request>{text}</request></DownloadBill></s:Body></s:Envelope>"
    )
}

#[tokio::test]
async fn envelopes_that_are_refused() {
    let running = everything(Vec::new()).await;
    let changed = |pointer: &str, value: Value| {
        let mut asked = bill("WX", "8805", 0, 500);
        *asked.pointer_mut(pointer).expect(pointer) = value;
        asked
    };
    for (asked, words) in [
        (changed("/Header/SellerID", json!("9999")), "账号不存在"),
        (changed("/Header/AccountMode", json!("0")), "账号不存在"),
        (changed("/Header/ExtParam", json!("{'CustomerID':'OTHER'}")), "账号不存在"),
        (changed("/Header/Type", json!("ALI")), "账号不存在"),
        (changed("/Header/CRC", json!("1")), "CRC格式错误"),
        (changed("/Header/TXDate", json!("2024-03-09")), "TXDate格式错误"),
        (changed("/Header/TillID", json!("")), "TillID为空"),
        (changed("/Header/MallID", json!(1)), "MallID不是字符串"),
        (changed("/RequestParam/Offset", json!(0)), "Offset不是字符串"),
        (changed("/RequestParam/Offset", json!("99999999")), "超出范围"),
        (changed("/RequestParam/BillDate", json!("2024-03-07")), "BillDate格式错误"),
        (changed("/RequestParam/Format", json!("CSV")), "不支持的账单类型"),
        (json!({"Header": {}}), "缺少RequestParam"),
    ] {
        let told = ask(&running, "downloadbill", &asked).await;
        assert_eq!(told["ErrorCode"], "-1");
        assert!(told["ErrorMSG"].as_str().is_some_and(|text| text.contains(words)), "{told}");
    }
    let mut single = changed("/Header/AccountMode", json!("0"));
    single["Header"]["SellerID"] = json!("");
    single["Header"]["Type"] = json!("ALI_20");
    assert_eq!(ask(&running, "downloadbill", &single).await["ErrorCode"], "0", "there is one of that type");
    let asked = bill("WX", "8805", 0, 500).to_string();
    assert_eq!(post(&running, "/Service1.svc/getbill", &[JSON], asked).await.0, 404);
    assert_eq!(post(&running, "/Service1.svc/downloadbill", &[JSON], "{".repeat(3)).await.0, 200);
    assert_eq!(post(&running, "/Service1.svc/downloadbill", &[JSON], "?".to_owned()).await.0, 400);
    let got = client().get(format!("{}/Service1.svc/downloadbill", running.url())).send().await;
    assert_eq!(got.expect("an answer").status(), 405);
}

#[tokio::test]
async fn a_gateway_with_bad_habits() {
    let asked = bill("WX", "8805", 0, 4_194_304);
    let told = async |mishap| {
        let running = everything(vec![Rule::new(Desk::Gateway, Tries::Always, mishap)]).await;
        post(&running, "/Service1.svc/downloadbill", &[JSON], asked.to_string()).await.1
    };
    let read = async |mishap| -> Value { serde_json::from_str(&told(mishap).await).expect("an envelope") };
    for (mishap, words) in [(Mishap::NotReady, "Bill Creating"), (Mishap::NoBill, "No Bill Exist")] {
        let told = read(mishap).await;
        assert!(told["ErrorCode"] == "0" && told["ResObj"].as_str().is_some_and(|text| text.contains(words)));
    }
    for (mishap, words) in [
        (Mishap::Refused, "账号不存在"),
        (Mishap::WrongSignature, "您使用的私钥格式错误，请检查RSA私钥配置,charset = utf-8"),
        (Mishap::Busy, "操作超时"),
    ] {
        let told = read(mishap).await;
        assert_eq!((told["ErrorCode"].as_str(), told["ErrorMSG"].as_str()), (Some("-1"), Some(words)));
    }
    let empty = read(Mishap::EmptyResult).await;
    assert_eq!((empty["ErrorCode"].as_str(), empty["ResObj"].as_str()), (Some("0"), Some("")));
    assert_ne!(read(Mishap::CrossedCrc).await["CRC"], CRC);
    assert_ne!(read(Mishap::Alert).await["Alert"], "");
    assert_eq!(result(&read(Mishap::OtherSeller).await)["SellerID"], "8899");
    assert_eq!(result(&read(Mishap::OtherEcho).await)["BillDate"], "20240306");
    let missing = result(&read(Mishap::MissingChunk).await);
    assert!(missing["Eof"] == "1" && missing["Length"] != missing["TotalBytes"]);
    let statement = every_room().statement("mall-gw", date()).expect("a bill");
    assert_ne!(result(&read(Mishap::WrongHash).await)["Sha256"], hex::encode(Sha256::digest(&statement)));
    let passed = read(Mishap::PassedThrough).await;
    assert_eq!(passed["ResObj"].as_str().map(str::as_bytes), Some(&statement[..]));
    assert!(STANDARD.decode(told(Mishap::Base64Mismatch).await).is_ok_and(|text| text.starts_with(b"{")));
    assert_eq!(told(Mishap::ZeroBytes).await, "");
    assert!(told(Mishap::StackTrace).await.starts_with("System.NullReferenceException"));
    let whole = bill("WX", "8803", 0, 4_194_304);
    let mixed = everything(vec![Rule::new(Desk::Gateway, Tries::Always, Mishap::SubMerchantsMixed)]).await;
    let content = result(&ask(&mixed, "downloadbill", &whole).await)["Content"].clone();
    let content = STANDARD.decode(content.as_str().expect("content")).expect("base64");
    assert!(String::from_utf8_lossy(&content).contains(",`1600055555,`"));
    let bare = everything(vec![Rule::new(Desk::Gateway, Tries::Always, Mishap::BareElements)]).await;
    let headers = [("content-type", "text/xml"), ("soapaction", "http://tempuri.org/IService1/DownloadBill")];
    let soap = soap("http://schemas.xmlsoap.org/soap/envelope/", &asked.to_string());
    let reply = post(&bare, "/Service1.svc", &headers, soap).await.1;
    assert!(reply.contains("<ErrorCode>0</ErrorCode><ErrorMSG></ErrorMSG><ResObj>{"), "{reply}");
}

#[tokio::test]
async fn it_asks_for_single_orders() {
    let running = everything(Vec::new()).await;
    let day = every_room();
    for (account, kind, seller, words) in [
        ("mall-gw", "WX", "8805", "<trade_state><![CDATA[SUCCESS]]></trade_state>"),
        ("mall-ali", "ALI_20", "8801", "\"trade_status\":\"TRADE_SUCCESS\""),
    ] {
        let lost = |p: &&Planted| p.account == account && p.fault == Fault::LostNoReply;
        let lost = day.planted().iter().find(lost).expect("a lost order");
        let param =
            |order_no: &str| json!({"OutID": order_no, "TradeNO": "", "TotalFee": "1", "ExtParam": "{}"});
        let told = ask(&running, "orderquery", &envelope(kind, seller, param(&lost.order_no))).await;
        let reply = told["ResObj"].as_str().expect("a reply");
        assert!(reply.contains(words) && reply.contains(&lost.trade_no), "{reply}");
        let told = ask(&running, "orderquery", &envelope(kind, seller, param("1"))).await;
        let reply = told["ResObj"].as_str().expect("a reply");
        assert!(reply.contains("ORDERNOTEXIST") || reply.contains("ACQ.TRADE_NOT_EXIST"), "{reply}");
    }
}

#[tokio::test]
async fn a_folder_with_every_room() {
    let running = everything(Vec::new()).await;
    let dir = tempfile::tempdir().expect("a folder");
    let config = Site::of(&every_room()).write_files(dir.path(), running.addr, Lang::Zh).expect("files");
    let read: toml::Table = std::fs::read_to_string(config).expect("a file").parse().expect("TOML");
    assert_eq!(read["paytype"].as_str(), Some("WX|WX_OS|ALI"));
    assert_eq!(read["gateway"]["url"].as_str(), Some(format!("{}/", running.url()).as_str()));
    let accounts = read["account"].as_array().expect("accounts");
    let keys_of = |name: &str| -> Vec<&str> {
        let account = accounts.iter().find(|account| account["name"].as_str() == Some(name)).expect(name);
        account.as_table().expect("a table").keys().map(String::as_str).collect()
    };
    let common = ["channel", "merchant", "name", "paytype", "seller"];
    let sorted = |more: &[&'static str]| {
        let mut keys = [&common[..], more].concat();
        keys.sort_unstable();
        keys
    };
    let v3 = ["private_key", "public_key", "public_key_id", "serial_no", "url"];
    for (name, more) in [
        ("mall-gw", vec!["customer"]),
        ("mall-wx3", [&["download_hosts"], &v3[..]].concat()),
        ("mall-wxos", [&["api"], &v3[..]].concat()),
        ("mall-wxos2", vec!["api", "app_id", "key", "sign_type", "url"]),
    ] {
        let mut keys = keys_of(name);
        keys.sort_unstable();
        assert_eq!(keys, sorted(&more), "{name}");
    }
    for value in accounts.iter().flat_map(|account| account.as_table().expect("a table").values()) {
        if let Some(path) = value.as_str().and_then(|text| text.strip_prefix("file:")) {
            assert!(dir.path().join(path).is_file(), "{path}");
        }
    }
}

//! WeChat Pay's API v3 and its overseas statements, asked by a client that signs from the specification.

use std::sync::LazyLock;

use super::*;
use nightjob::domain::PayType;
use reqwest::header::HeaderMap;
use sha1::Sha1;

pub(super) const STAMP: i64 = 1_709_863_200;

/// A day with the accounts of every channel. Told once: the same plan gives the same day.
pub(super) fn every_room() -> Arc<SimulatedDay> {
    static DAY: LazyLock<Arc<SimulatedDay>> = LazyLock::new(|| {
        let plan = DayPlan {
            orders: 300,
            faults: Faults::Each(1),
            wild_goods: false,
            every_room: true,
            paytypes: vec![PayType::Wx, PayType::WxOs, PayType::Ali],
            ..DayPlan::new(date(), 3)
        };
        Arc::new(simulate(&plan))
    });
    Arc::clone(&DAY)
}

pub(super) async fn everything(rules: Vec<Rule>) -> Running {
    start(every_room(), rules, 0).await.expect("a free port")
}

/// `Authorization` of a GET, and what a test may have wrong in it.
fn authorization(target: &str, merchant: &str, serial: &str) -> String {
    let message = format!("GET\n{target}\n{STAMP}\nd41f0a5c7b9e4e6a8c2f103b5d7e9f11\n\n");
    let key = RsaPrivateKey::from_pkcs8_pem(keys::MERCHANT_PRIVATE_PEM).expect("a key");
    let sign = key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message)).expect("a signature");
    format!(
        "WECHATPAY2-SHA256-RSA2048 mchid=\"{merchant}\",nonce_str=\"d41f0a5c7b9e4e6a8c2f103b5d7e9f11\",\
         signature=\"{}\",timestamp=\"{STAMP}\",serial_no=\"{serial}\"",
        STANDARD.encode(sign)
    )
}

pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Reply {
    fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("").to_owned()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// Whether the key of its serial signed it.
    fn verifies(&self) -> bool {
        let key = match self.header("wechatpay-serial") {
            keys::WECHAT_PUBLIC_KEY_ID => RsaPublicKey::from_public_key_pem(keys::WECHAT_PUBLIC_KEY_PEM),
            keys::WECHAT_PLATFORM_SERIAL => Ok(in_certificate(keys::WECHAT_PLATFORM_CERTIFICATE_PEM)),
            _ => return false,
        };
        let Ok(sign) = STANDARD.decode(self.header("wechatpay-signature")) else { return false };
        let mut digest = Sha256::new();
        digest.update(format!(
            "{}\n{}\n",
            self.header("wechatpay-timestamp"),
            self.header("wechatpay-nonce")
        ));
        digest.update(&self.body);
        digest.update(b"\n");
        let key = key.expect("a key");
        key.verify(Pkcs1v15Sign::new::<Sha256>(), &digest.finalize(), &sign).is_ok()
    }
}

/// The RSA key in a certificate: found by the head that every 2048-bit key has.
fn in_certificate(pem: &str) -> RsaPublicKey {
    use rsa::pkcs8::DecodePublicKey as _;
    const HEAD: [u8; 17] = [48, 130, 1, 34, 48, 13, 6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 1];
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(text).expect("base64");
    let place = der.windows(HEAD.len()).position(|bytes| bytes == HEAD).expect("a key");
    RsaPublicKey::from_public_key_der(&der[place..place + 294]).expect("a key")
}

pub(super) async fn ask(running: &Running, target: &str, merchant: &str, mode: &str) -> Reply {
    send(running, target, &authorization(target, merchant, keys::WECHAT_MERCHANT_SERIAL), mode).await
}

async fn send(running: &Running, target: &str, authorization: &str, mode: &str) -> Reply {
    let mut request = client().get(format!("{}{target}", running.url()));
    request = request.header("accept", "application/json").header("user-agent", "nightjob-test");
    if !mode.is_empty() {
        request = request.header("wechatpay-serial", mode);
    }
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    let got = request.send().await.expect("an answer");
    let (status, headers) = (got.status().as_u16(), got.headers().clone());
    Reply { status, headers, body: got.bytes().await.expect("a body").to_vec() }
}

const TRADE: &str = "/v3/bill/tradebill?bill_date=2024-03-07&bill_type=ALL&tar_type=GZIP";
const FLOW: &str = "/v3/bill/fundflowbill?bill_date=2024-03-07";
const V3: &str = "1900023456";
const OVERSEAS: &str = "1900045678";
const STATEMENTS: &str = "/v3/global/statements?date=20240307&mchid=1900045678";

/// The address in a reply, as it stands after the host.
fn target_in(reply: &Reply) -> String {
    let json = reply.json();
    let url = json["download_url"].as_str().expect("an address");
    format!("/v3/{}", url.split_once("/v3/").expect("a path").1)
}

fn gunzipped(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut text).expect("gzip");
    text
}

#[tokio::test]
async fn a_bill_in_two_steps_each_signed() {
    let running = everything(Vec::new()).await;
    for (mode, serial) in
        [("", keys::WECHAT_PLATFORM_SERIAL), (keys::WECHAT_PUBLIC_KEY_ID, keys::WECHAT_PUBLIC_KEY_ID)]
    {
        let reply = ask(&running, TRADE, V3, mode).await;
        assert_eq!((reply.status, reply.header("wechatpay-serial")), (200, serial));
        assert_eq!(reply.header("wechatpay-timestamp"), STAMP.to_string());
        assert!(reply.verifies());
        let target = target_in(&reply);
        assert_eq!(send(&running, &target, "", mode).await.code(), "SIGN_ERROR", "it wants a signature too");
        let file = ask(&running, &target, V3, mode).await;
        assert_eq!((file.status, file.header("content-type")), (200, "application/x-gzip"));
        assert_eq!(file.header("wechatpay-signature"), "", "the file's answer has none");
        let text = gunzipped(&file.body);
        assert_eq!(Some(text.clone()), every_room().statement("mall-wx3", date()));
        assert_eq!(reply.json()["hash_value"], hex::encode(Sha1::digest(&text)));
    }
    assert_eq!(running.tries(Desk::WechatApply, "mall-wx3", date()), 2);
}

#[tokio::test]
async fn wrong_signatures_are_refused() {
    let running = everything(Vec::new()).await;
    let serial = keys::WECHAT_MERCHANT_SERIAL;
    let right = authorization(TRADE, V3, serial);
    assert_eq!(send(&running, TRADE, &right, "").await.status, 200);
    for (words, wrong) in [
        ("of another day", authorization(&TRADE.replace("07", "06"), V3, serial)),
        (
            "query in another order",
            authorization("/v3/bill/tradebill?tar_type=GZIP&bill_date=2024-03-07&bill_type=ALL", V3, serial),
        ),
        ("another time", right.replace("1709863200", "1709863201")),
        ("another nonce", right.replace("d41f", "d41e")),
        ("another serial", authorization(TRADE, V3, "00")),
        ("a merchant of v2", authorization(TRADE, "1900012345", serial)),
        ("another scheme", right.replace("SHA256-RSA2048", "SM2-WITH-SM3")),
        ("no signature", right.replace("signature", "sign")),
        ("nothing", String::new()),
    ] {
        let refused = send(&running, TRADE, &wrong, "").await;
        assert_eq!((refused.status, refused.code().as_str()), (401, "SIGN_ERROR"), "{words}");
    }
    let bare = client().get(format!("{}{TRADE}", running.url())).header("authorization", right);
    assert_eq!(bare.send().await.expect("an answer").status(), 400, "without User-Agent");
    assert_eq!(running.tries(Desk::WechatApply, "mall-wx3", date()), 1, "only what is well signed is a try");
}

#[tokio::test]
async fn v3_refuses_in_json() {
    let running = everything(Vec::new()).await;
    for (target, status, code) in [
        ("/v3/bill/tradebill?bill_date=20240307", 400, "PARAM_ERROR"),
        ("/v3/bill/tradebill?bill_date=2024-03-07&bill_type=all", 400, "PARAM_ERROR"),
        ("/v3/bill/tradebill?bill_date=2024-03-07&tar_type=ZIP", 400, "PARAM_ERROR"),
        ("/v3/bill/tradebill?bill_date=2024-03-07&sub_mchid=1600098765", 403, "NO_AUTH"),
        ("/v3/bill/tradebill?bill_date=2024-03-01", 400, "NO_STATEMENT_EXIST"),
        ("/v3/bill/fundflowbill?bill_date=2024-03-07&account_type=FEES", 400, "NO_STATEMENT_EXIST"),
        ("/v3/bill/fundflowbill?bill_date=2024-03-07&account_type=Basic", 400, "PARAM_ERROR"),
        ("/v3/billdownload/file?token=none", 400, "INVALID_REQUEST"),
        ("/v3/global/statements?date=2024-03-07&mchid=1900023456", 400, "PARAM_ERROR"),
        ("/v3/global/statements?date=20240307&mchid=1900045678", 403, "NO_AUTH"),
    ] {
        let reply = ask(&running, target, V3, "").await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{target}");
    }
    for (mishap, status, code) in [
        (Mishap::NotReady, 400, "STATEMENT_CREATING"),
        (Mishap::NoBill, 400, "NO_STATEMENT_EXIST"),
        (Mishap::Busy, 500, "SYSTEM_ERROR"),
        (Mishap::Refused, 403, "NO_AUTH"),
        (Mishap::SignError, 401, "SIGN_ERROR"),
    ] {
        let desks = [Desk::WechatApply, Desk::WechatFundFlow, Desk::WechatGlobal, Desk::WechatDownload];
        let rules = desks.map(|desk| Rule::new(desk, Tries::Only(1), mishap)).to_vec();
        let running = everything(rules).await;
        for (target, merchant) in [(TRADE, V3), (FLOW, V3), (STATEMENTS, OVERSEAS)] {
            let reply = ask(&running, target, merchant, "").await;
            assert_eq!((reply.status, reply.code().as_str()), (status, code), "{target}");
            assert!(reply.verifies());
            assert_eq!(ask(&running, target, merchant, "").await.status, 200, "it heals");
        }
        let target = target_in(&ask(&running, TRADE, V3, "").await);
        assert_eq!(ask(&running, &target, V3, "").await.code(), code);
        assert_eq!(ask(&running, &target, V3, "").await.status, 200, "the address lives on");
    }
}

#[tokio::test]
async fn an_address_expires() {
    let running = everything(Vec::new()).await;
    let target = target_in(&ask(&running, TRADE, V3, "").await);
    assert_eq!(ask(&running, &target, OVERSEAS, "").await.code(), "INVALID_REQUEST", "it is another's");
    running.advance(Duration::from_secs(40));
    assert_eq!(ask(&running, &target, V3, "").await.code(), "INVALID_REQUEST");
}

#[tokio::test]
async fn the_fund_flow_by_both_interfaces_is_one() {
    let running = everything(Vec::new()).await;
    let reply = ask(&running, FLOW, V3, keys::WECHAT_PUBLIC_KEY_ID).await;
    let file = ask(&running, &target_in(&reply), V3, "").await;
    assert_eq!(reply.json()["hash_value"], hex::encode(Sha1::digest(&file.body)));
    assert!(String::from_utf8_lossy(&file.body).starts_with("\u{feff}记账时间,微信支付业务单号,"));

    let asked = [("bill_date", "20240307"), ("account_type", "Basic"), ("sign_type", "HMAC-SHA256")];
    let url = format!("{}/pay/downloadfundflow", running.url());
    let post = async |body: String| client().post(&url).body(body).send().await.expect("an answer");
    let got = post(signed_hmac(DIRECT, &asked)).await;
    let digest = got.headers()["digest"].to_str().expect("text").to_owned();
    let plain = got.bytes().await.expect("a body");
    assert_eq!(digest, format!("SHA={}", hex::encode(Sha1::digest(&plain))));
    let zipped = post(signed_hmac(DIRECT, &[&asked[..], &[("tar_type", "GZIP")]].concat())).await;
    assert_eq!(gunzipped(&zipped.bytes().await.expect("a body")), plain);
    let told = async |body: String| post(body).await.text().await.expect("a text");
    let wrong = (DIRECT.0, DIRECT.1, "00000000000000000000000000000000");
    let old = [("account_type", "BASIC"), ("bill_date", "20240307"), ("sign_type", "HMAC-SHA256")];
    for (body, words) in [
        (signed_hmac(wrong, &asked), "sign error"),
        (
            signed_xml(DIRECT, &[("bill_date", "20240307"), ("account_type", "Basic"), ("sign_type", "MD5")]),
            "HMAC",
        ),
        (signed_hmac(DIRECT, &old), "invalid account_type"),
        (signed_hmac(DIRECT, &[asked[1], asked[2], ("bill_date", "20240201")]), "NO_BILL_EXIST"),
    ] {
        let reply = told(body).await;
        assert!(
            reply.contains("<result_code><![CDATA[FAIL]]></result_code>") && reply.contains(words),
            "{reply}"
        );
    }
}

pub(super) fn signed_hmac((app_id, merchant, key): (&str, &str, &str), more: &[(&str, &str)]) -> String {
    use hmac::{Hmac, Mac};
    let mut fields: BTreeMap<&str, &str> =
        BTreeMap::from([("appid", app_id), ("mch_id", merchant), ("nonce_str", "7c1e9b0d4f6a48e2")]);
    fields.extend(more.iter().copied());
    let text: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key");
    mac.update(format!("{}&key={key}", text.join("&")).as_bytes());
    let sign = hex::encode_upper(mac.finalize().into_bytes());
    let elements: String = fields.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
    format!("<xml>{elements}<sign>{sign}</sign></xml>")
}

#[tokio::test]
async fn the_platform_certificate_comes_sealed() {
    use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    let running = everything(Vec::new()).await;
    let reply = ask(&running, "/v3/certificates", V3, "").await;
    assert!(reply.verifies());
    let data = &reply.json()["data"][0];
    assert_eq!(data["serial_no"], keys::WECHAT_PLATFORM_SERIAL);
    let sealed = &data["encrypt_certificate"];
    let text = |name: &str| sealed[name].as_str().expect("text");
    let key = UnboundKey::new(&AES_256_GCM, keys::WECHAT_API_V3_KEY.as_bytes()).expect("a key");
    let nonce = Nonce::try_assume_unique_for_key(text("nonce").as_bytes()).expect("twelve bytes");
    let mut bytes = STANDARD.decode(text("ciphertext")).expect("base64");
    let opened = LessSafeKey::new(key)
        .open_in_place(nonce, Aad::from(text("associated_data")), &mut bytes)
        .expect("open");
    assert_eq!(opened, keys::WECHAT_PLATFORM_CERTIFICATE_PEM.as_bytes());
}

#[tokio::test]
async fn replies_that_must_not_be_believed() {
    for mishap in
        [Mishap::WrongSignature, Mishap::MissingSignature, Mishap::UnknownSerial, Mishap::ProbeSignature]
    {
        for (desk, target, merchant) in [
            (Desk::WechatApply, TRADE, V3),
            (Desk::WechatFundFlow, FLOW, V3),
            (Desk::WechatGlobal, STATEMENTS, OVERSEAS),
        ] {
            let running = everything(vec![Rule::new(desk, Tries::Always, mishap)]).await;
            let reply = ask(&running, target, merchant, "").await;
            assert_eq!(reply.status, 200);
            assert!(!reply.verifies(), "{mishap:?} at {desk:?}");
        }
    }
    for mishap in [Mishap::StaleTimestamp, Mishap::Replayed] {
        let running = everything(vec![Rule::new(Desk::WechatApply, Tries::Always, mishap)]).await;
        let reply = ask(&running, TRADE, V3, "").await;
        let stamp: i64 = reply.header("wechatpay-timestamp").parse().expect("seconds");
        assert!(reply.verifies() && STAMP - stamp > 300, "{mishap:?} is old, not forged");
        let file = ask(&running, &target_in(&reply), V3, "").await;
        let today = every_room().statement("mall-wx3", date()).expect("a bill");
        assert_eq!(gunzipped(&file.body) == today, mishap == Mishap::StaleTimestamp);
    }
    for mishap in [Mishap::WrongHash, Mishap::HashOfAnotherDay] {
        let running = everything(vec![Rule::new(Desk::WechatApply, Tries::Always, mishap)]).await;
        let reply = ask(&running, TRADE, V3, "").await;
        assert!(reply.verifies());
        let today = every_room().statement("mall-wx3", date()).expect("a bill");
        let before = every_room().statement("mall-wx3", date().before()).expect("a bill");
        let hash = reply.json()["hash_value"].clone();
        assert_ne!(hash, hex::encode(Sha1::digest(today)));
        assert_eq!(hash == hex::encode(Sha1::digest(before)), mishap == Mishap::HashOfAnotherDay);
    }
    let running = everything(vec![Rule::new(Desk::WechatApply, Tries::Always, Mishap::ForeignHost)]).await;
    let reply = ask(&running, TRADE, V3, "").await;
    assert!(
        reply.json()["download_url"]
            .as_str()
            .is_some_and(|url| url.starts_with("http://download.example.test/"))
    );
}

#[tokio::test]
async fn files_that_arrive_spoiled() {
    let today = every_room().statement("mall-wx3", date()).expect("a bill");
    for mishap in [
        Mishap::GzipTrailerWrong,
        Mishap::TwoGzipMembers,
        Mishap::TrailingGarbage,
        Mishap::NotGzip,
        Mishap::OtherMerchant,
        Mishap::OtherDay,
        Mishap::Torn,
        Mishap::TotalsOff,
        Mishap::TotalsMissing,
        Mishap::TotalsTwice,
        Mishap::CountOff,
        Mishap::UnknownState,
        Mishap::OddAmount,
        Mishap::RenamedColumn,
        Mishap::Utf16,
        Mishap::Revised,
        Mishap::LongLine,
        Mishap::NulByte,
        Mishap::Partial,
        Mishap::StackTrace,
        Mishap::JsonError,
        Mishap::Html,
        Mishap::ZeroBytes,
    ] {
        let rule = Rule::new(Desk::WechatDownload, Tries::Only(1), mishap);
        let running = everything(vec![rule]).await;
        let reply = ask(&running, TRADE, V3, "").await;
        let target = target_in(&reply);
        let spoiled = ask(&running, &target, V3, "").await;
        let whole = ask(&running, &target, V3, "").await;
        assert_ne!(spoiled.body, whole.body, "{mishap:?}");
        assert_eq!(gunzipped(&whole.body), today);
        assert_eq!(spoiled.status, if mishap == Mishap::Partial { 206 } else { 200 });
    }
}

#[tokio::test]
async fn transport_of_other_kinds() {
    let far = "http://169.254.169.254/latest/meta-data/";
    let running = everything(vec![
        Rule::new(Desk::WechatApply, Tries::Only(1), Mishap::RedirectTo(far)),
        Rule::new(Desk::WechatApply, Tries::Only(2), Mishap::Status(204)),
        Rule::new(Desk::WechatApply, Tries::Only(3), Mishap::Status(404)),
        Rule::new(Desk::WechatApply, Tries::Only(4), Mishap::Huge { mebibytes: 3 }),
    ])
    .await;
    let moved = ask(&running, TRADE, V3, "").await;
    assert_eq!((moved.status, moved.header("location")), (302, far));
    let empty = ask(&running, TRADE, V3, "").await;
    assert_eq!((empty.status, empty.body.len()), (204, 0));
    assert_eq!(ask(&running, TRADE, V3, "").await.status, 404);
    let huge = ask(&running, TRADE, V3, "").await;
    assert_eq!((huge.body.len(), huge.headers.get("content-length")), (3 << 20, None));
}

#[tokio::test]
async fn overseas_statements_come_at_once() {
    let running = everything(Vec::new()).await;
    let reply = ask(&running, STATEMENTS, OVERSEAS, keys::WECHAT_PUBLIC_KEY_ID).await;
    assert!(reply.verifies());
    assert_eq!(Some(reply.body.clone()), every_room().statement("mall-wxos", date()));
    assert_eq!(reply.header("wechatpay-statement-sha1"), hex::encode(Sha1::digest(&reply.body)));
    let encoded = client()
        .get(format!("{}{STATEMENTS}", running.url()))
        .header("authorization", authorization(STATEMENTS, OVERSEAS, keys::WECHAT_MERCHANT_SERIAL))
        .header("accept", "text/plain")
        .header("user-agent", "nightjob-test")
        .header("accept-encoding", "gzip");
    let encoded = encoded.send().await.expect("an answer");
    assert_eq!(encoded.headers()["content-encoding"], "gzip");
    assert_eq!(gunzipped(&encoded.bytes().await.expect("a body")), reply.body);
    let hashed = everything(vec![Rule::new(Desk::WechatGlobal, Tries::Always, Mishap::HashInBase64)]).await;
    let hashed = ask(&hashed, STATEMENTS, OVERSEAS, "").await;
    assert_eq!(hashed.header("wechatpay-statement-sha1"), STANDARD.encode(Sha1::digest(&hashed.body)));

    let v2 = ("wxabcdefabcdef0123", "1900078901", keys::WECHAT_OVERSEAS_KEY);
    let body = signed_hmac(v2, &[("bill_date", "20240307"), ("sign_type", "HMAC-SHA256")]);
    let english = wechat_text(&running, body).await;
    assert!(english.starts_with("\u{feff}Transaction time,"));
    assert_eq!(Some(english.into_bytes()), every_room().statement("mall-wxos2", date()));
}

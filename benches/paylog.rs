//! Gathering and folding the log: `cargo bench --bench paylog`; `NIGHTJOB_BENCH_ROWS=1080000` for a whole day.
//!
//! The rows are as long as real ones (about 1.2 KB): the printed request of the gateway's manual, and full replies.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

use nightjob::domain::{Account, Claims, PayType};
use nightjob::paylog::{Gathered, Gatherer, LogRow, Rules, fold};

fn main() {
    divan::main();
}

struct Row {
    row_id: i64,
    till: String,
    date: String,
    request: String,
    action: &'static str,
    req_type: &'static str,
    reply: String,
}

impl Row {
    fn row(&self) -> LogRow<'_> {
        LogRow {
            row_id: self.row_id,
            req_txdate: "20161108",
            req_mallid: "*",
            req_storecode: "8888",
            req_shop_code: "8888",
            req_tillid: &self.till,
            req_cashierno: "8888",
            req_date: &self.date,
            req_obj: &self.request,
            req_action: self.action,
            req_type: self.req_type,
            res_err: "0",
            res_msg: "",
            res_obj: &self.reply,
        }
    }

    fn bytes(&self) -> usize {
        self.till.len() + self.date.len() + self.request.len() + self.action.len() + self.reply.len() + 40
    }
}

fn rows_wanted() -> usize {
    std::env::var("NIGHTJOB_BENCH_ROWS").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000)
}

/// A day of tills: nine payments of ten succeed at once, the tenth is asked about a second time.
fn day() -> &'static [Row] {
    static DAY: OnceLock<Vec<Row>> = OnceLock::new();
    DAY.get_or_init(|| (0..rows_wanted()).map(row).collect())
}

fn row(index: usize) -> Row {
    // Of 108 rows, 100 are payments and 8 are queries of the payment before.
    let queried = index % 108 % 13 == 12;
    let order = if queried { index - 1 } else { index };
    let second = order * 86_000 / rows_wanted().max(1);
    let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    let wechat = order % 5 < 3;
    let req_type = if wechat { "WX" } else { "ALI_20" };
    let out_id = format!("161108{}{order:08}", clock.replace(':', ""));
    let fee = 100 + order % 90_000;
    let till = format!("{:02}", order % 40);
    let reply = if wechat {
        wechat_reply(&out_id, fee, &clock, queried)
    } else {
        alipay_reply(&out_id, fee, &clock, queried)
    };
    Row {
        row_id: i64::try_from(index).expect("a row number"),
        date: format!("2016-11-08 {clock}"),
        request: request(&out_id, fee, &till, req_type),
        action: if queried { "orderquery" } else { "createandpay" },
        req_type,
        till,
        reply,
    }
}

fn request(out_id: &str, fee: usize, till: &str, req_type: &str) -> String {
    format!(
        r#"{{"Header":{{"TerminalType":"0","TXDate":"20161108","MallID":"*","StoreCode":"8888","BSStoreCode":"8888","TillID":"{till}","CashierNO":"8888","CRC":"2016110811381494{out_id}","Type":"{req_type}","Key":"","AccountMode":"1","SellerID":"8888","Token":null,"ExtParam":"{{\u0027CustomerID\u0027:\u0027TECHTRANS\u0027}}"}},"RequestParam":{{"OutID":"{out_id}","DynamicID":"0280833291063996793","TotalFee":"{fee}","Subject":"中央收银","ExtParam":"{{\u0027Currency\u0027:\u0027RMB\u0027,\u0027OriginalFee\u0027:\u0027{fee}\u0027}}"}}}}"#
    )
}

fn wechat_reply(out_id: &str, fee: usize, clock: &str, queried: bool) -> String {
    let clock = clock.replace(':', "");
    let state = if queried { "<trade_state><![CDATA[SUCCESS]]></trade_state>" } else { "" };
    format!(
        "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg>\
         <appid><![CDATA[wx0123456789abcdef]]></appid><mch_id><![CDATA[1900012345]]></mch_id>\
         <device_info><![CDATA[T01]]></device_info><nonce_str><![CDATA[q8h3k2l1m4n5b6v7]]></nonce_str>\
         <sign><![CDATA[0123456789ABCDEF0123456789ABCDEF]]></sign><result_code><![CDATA[SUCCESS]]></result_code>\
         <openid><![CDATA[oAbcdefghijklmnopqrstuvwxyz01]]></openid><is_subscribe><![CDATA[N]]></is_subscribe>\
         <trade_type><![CDATA[MICROPAY]]></trade_type>{state}<bank_type><![CDATA[OTHERS]]></bank_type>\
         <total_fee>{fee}</total_fee><fee_type><![CDATA[CNY]]></fee_type>\
         <transaction_id><![CDATA[42{out_id}000000]]></transaction_id><out_trade_no><![CDATA[{out_id}]]></out_trade_no>\
         <attach><![CDATA[pos=3]]></attach><time_end><![CDATA[20161108{clock}]]></time_end>\
         <cash_fee>{fee}</cash_fee><cash_fee_type><![CDATA[CNY]]></cash_fee_type></xml>"
    )
}

fn alipay_reply(out_id: &str, fee: usize, clock: &str, queried: bool) -> String {
    let (node, state) = if queried { ("query", r#""trade_status":"TRADE_SUCCESS","#) } else { ("pay", "") };
    let yuan = format!("{}.{:02}", fee / 100, fee % 100);
    format!(
        r#"{{"alipay_trade_{node}_response":{{"code":"10000","msg":"Success",{state}"buyer_logon_id":"158****1562","buyer_pay_amount":"{yuan}","buyer_user_id":"2088101117955611","fund_bill_list":[{{"amount":"{yuan}","fund_channel":"ALIPAYACCOUNT"}}],"gmt_payment":"2016-11-08 {clock}","invoice_amount":"{yuan}","out_trade_no":"{out_id}","point_amount":"0.00","receipt_amount":"{yuan}","store_name":"\u4e2d\u592e","total_amount":"{yuan}","trade_no":"20161108{out_id}"}},"sign":"ERITJKEIJKJHKKKKKKKHJEREEEEEEEEEEEERITJKEIJKJHKKKKKKKHJEREEEEEEEEEEEERITJKEIJKJHKKKKKKKHJEREEEEEEEEEEEERITJKEIJKJHKKKKKKKHJEREEEEEEEEEEEERITJKEIJKJHKKKKKKKHJEREEEEEEEEEEE="}}"#
    )
}

fn accounts() -> Vec<Account> {
    [PayType::Wx, PayType::Ali20]
        .map(|pay| Account { name: pay.as_str().to_owned(), pay_type: Some(pay), ..Account::default() })
        .to_vec()
}

fn gathered(rows: &[Row]) -> Gathered {
    let accounts = accounts();
    let claims = Claims::new(&accounts, &BTreeMap::new());
    let mut gatherer = Gatherer::new(&claims, Rules::default());
    rows.iter().for_each(|row| gatherer.push(&row.row()));
    gatherer.finish()
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn gather(bencher: Bencher) {
    let rows = day();
    let bytes: usize = rows.iter().map(Row::bytes).sum();
    bencher
        .counter(BytesCount::new(bytes))
        .counter(ItemsCount::new(rows.len()))
        .bench(|| black_box(gathered(rows)));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn fold_gathered(bencher: Bencher) {
    let rows = day();
    let middle = rows.len() / 2;
    let batches = vec![gathered(&rows[..middle]), gathered(&rows[middle..])];
    bencher.counter(ItemsCount::new(rows.len())).bench(|| black_box(fold(&batches)));
}

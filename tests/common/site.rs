//! A site in a temporary folder: a configuration, an EB_PAYLOG, statements on disk; and the real program run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nightjob::store::{OwnedLogRow, SampleLog};

/// Two days after [`DAY`], when the scheduler would start the job.
pub(crate) const NOW: &str = "2016-11-10T02:17:00+08:00";
pub(crate) const DAY: &str = "2016-11-08";

pub(crate) struct SiteFolder {
    pub(crate) dir: tempfile::TempDir,
}

/// What the program said and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Ran {
        let all = format!("{}\n{}", self.out, self.err);
        assert!(
            all.contains(words),
            "`{words}` is not said\n--- stdout\n{}\n--- stderr\n{}",
            self.out,
            self.err
        );
        self
    }
}

impl SiteFolder {
    /// One WeChat account whose statements lie in `statements/`.
    pub(crate) fn with_local_file() -> SiteFolder {
        let site = SiteFolder { dir: tempfile::tempdir().expect("a temporary folder") };
        site.write(
            "nightjob.toml",
            "paytype = \"WX\"\nreport_lang = \"en\"\n\n[paylog]\ndatabase = \"sqlite:ttpayment.db\"\n\n\
             [[account]]\nname = \"wx\"\npaytype = \"WX\"\nchannel = \"local_file\"\nmerchant = \"1900012345\"\n\
             path = \"statements/{paytype}/{merchant}/{date}.csv\"\n",
        );
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).expect("UTF-8")
    }

    /// The statement of [`DAY`], where the account expects it.
    pub(crate) fn statement(&self, bytes: impl AsRef<[u8]>) {
        self.write("statements/WX/1900012345/20161108.csv", bytes);
    }

    /// Writes EB_PAYLOG.
    pub(crate) fn log(&self, rows: impl IntoIterator<Item = OwnedLogRow>) {
        let path = self.path("ttpayment.db");
        let mut log = SampleLog::create(&path).expect("a new log");
        log.insert(rows).expect("rows");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(log.finish()).expect("a log");
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        command(self.dir.path(), arguments)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments).output().expect("the program starts"))
    }
}

/// The program in a folder, with nothing of this machine's environment.
pub(crate) fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nightjob"));
    command.args(arguments).current_dir(dir).env_clear().env("NIGHTJOB_NOW", NOW).env("LANG", "en");
    command.stdin(Stdio::null());
    command
}

pub(crate) fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A row of the log: a WeChat payment by barcode that succeeded.
pub(crate) fn paid(order_no: &str, fen: i64, time: &str) -> OwnedLogRow {
    let digits: String = format!("{DAY} {time}").chars().filter(char::is_ascii_digit).collect();
    OwnedLogRow {
        req_txdate: "20161108".into(),
        req_mallid: "*".into(),
        req_storecode: "8888".into(),
        req_shop_code: "8888".into(),
        req_tillid: "01".into(),
        req_cashierno: "8888".into(),
        req_date: format!("{DAY} {time}"),
        req_obj: format!(
            "{{\"Header\":{{\"TillID\":\"01\",\"CRC\":\"{digits}{order_no}\",\"Type\":\"WX\",\"AccountMode\":\"1\",\
             \"SellerID\":\"8888\"}},\"RequestParam\":{{\"OutID\":\"{order_no}\",\"TotalFee\":\"{fen}\"}}}}"
        ),
        req_action: "createandpay".into(),
        req_type: "WX".into(),
        res_err: "0".into(),
        res_obj: format!(
            "<xml><return_code>SUCCESS</return_code><result_code>SUCCESS</result_code>\
             <out_trade_no>{order_no}</out_trade_no><transaction_id>T{order_no}</transaction_id>\
             <total_fee>{fen}</total_fee><fee_type>CNY</fee_type><time_end>{digits}</time_end></xml>"
        ),
        ..OwnedLogRow::default()
    }
}

const TITLES: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,\
申请退款金额,费率备注";
const TOTALS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

/// A WeChat bill of payments: order number and amount in yuan, one minute apart from nine o'clock.
pub(crate) fn bill(payments: &[(&str, &str)]) -> String {
    bill_of("1900012345", DAY, payments)
}

pub(crate) fn bill_of(merchant: &str, day: &str, payments: &[(&str, &str)]) -> String {
    let mut text = format!("\u{feff}{TITLES}\r\n");
    let mut total = 0i64;
    for ((order_no, yuan), minute) in payments.iter().zip(0..) {
        total += nightjob::domain::money::parse_minor(yuan, 2).expect("yuan");
        text += &format!(
            "`{day} 09:{minute:02}:00,`wx0123456789abcdef,`{merchant},`0,`01,`T{order_no},`{order_no},`o1,`MICROPAY,\
             `SUCCESS,`OTHERS,`CNY,`{yuan},`0.00,`0,`0,`0.00,`0.00,`,`,`tea,`,`0.00000,`0.60%,`{yuan},`0.00,`\r\n"
        );
    }
    let sum = nightjob::domain::money::major(total, 2);
    text + &format!("{TOTALS}\r\n`{},`{sum},`0.00,`0.00,`0.00000,`{sum},`0.00\r\n", payments.len())
}

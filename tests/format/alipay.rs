//! The Alipay trade bill.

use nightjob::domain::{BillDate, Cell, Statement};
use nightjob::format::alipay_bill::read;
use nightjob::format::{Asked, ReadError};

use super::archive::Zip;
use super::{Case, asked, changed, controls, fixture, listing};

const PID: &str = "2088900000000018";
const DAY: &str = "2024-05-02";
const NAME: &str = "20889000000000180156_20240502_业务明细.csv";
const SUMMARY_NAME: &str = "20889000000000180156_20240502_业务明细(汇总).csv";

fn sample() -> String {
    let raw = fixture("alipay_detail.csv");
    let (text, _, replaced) = encoding_rs::GB18030.decode(&raw);
    assert!(!replaced);
    text.into_owned()
}

pub(crate) fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

fn read_raw(raw: Vec<u8>) -> Result<Statement, ReadError> {
    read(&asked(PID, DAY), raw)
}

fn read_text(text: &str) -> Result<Statement, ReadError> {
    read_raw(gbk(text))
}

fn read_changed(old: &str, new: &str) -> Result<Statement, ReadError> {
    read_text(&changed(&sample(), old, new))
}

const SAMPLE: &str = "\
6 payment paid POS01-0001 - 2024050222001400010000000001 - 25.00 25.00 fee 0.15000 CNY 2024-05-02 10:00:05 - - S01 T01 茶
7 payment paid POS01-0002 - 2024050222001400010000000002 - 108.80 100.00 fee 0.60000 CNY 2024-05-02 11:20:09 - - S01 T01 伞
8 payment paid POS01-0003 - 2024050222001400010000000003 - 8.80 8.80 fee 0.05000 CNY 2024-05-02 12:00:03 - - - - 杯
9 refund refunded POS01-0003 RF-0009 2024050222001400010000000003 - -8.80 -8.80 fee 0.00000 CNY 2024-05-02 15:30:00 - - - - 杯
";

const SUMMARY: &str = "#支付宝业务汇总查询\r\n\
#账号：[20889000000000180156]\r\n\
#起始日期：[2024年05月02日 00:00:00]   终止日期：[2024年05月03日 00:00:00]\r\n\
#----------------------------------------业务汇总列表----------------------------------------\r\n\
门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）\r\n\
S01\t,一店\t,2,0,133.80,125.00,0.00,8.80,0.00,-0.75,0.00,124.25\r\n\
其他\t,\t,1,1,0.00,0.00,0.00,0.00,0.00,-0.05,0.00,-0.05\r\n\
合计\t,\t,3,1,133.80,125.00,0.00,8.80,0.00,-0.80,0.00,124.20\r\n\
#----------------------------------------业务汇总列表结束-------------------------------------\r\n\
#导出时间：[2024年05月03日 06:02:11]\r\n";

fn zip(summary: &str) -> Vec<u8> {
    Zip::new().file_gbk(NAME, &fixture("alipay_detail.csv")).file_gbk(SUMMARY_NAME, &gbk(summary)).build()
}

#[test]
fn the_sample_of_the_specification() {
    let statement = read_raw(fixture("alipay_detail.csv")).unwrap();
    assert_eq!(listing(&statement), SAMPLE);
    assert_eq!(
        controls(&statement),
        [
            "交易合计 笔数 3 3",
            "交易合计 商家实收 133.80 133.80",
            "交易合计 商家优惠 8.80 8.80",
            "退款合计 笔数 1 1",
            "退款合计 商家实收退款 -8.80 -8.80",
            "退款合计 商家优惠退款 0.00 0.00",
        ]
    );
    assert_eq!(statement.remarks(), [""; 0]);
    assert!(
        statement
            .line(&statement.entries()[3])
            .starts_with("2024050222001400010000000003\t,POS01-0003\t,退款\t,杯,")
    );
}

#[test]
fn the_zip_with_its_summary_and_names_in_gbk() {
    let statement = read_raw(zip(SUMMARY)).unwrap();
    assert_eq!(listing(&statement), SAMPLE);
    assert_eq!(
        controls(&statement)[6..],
        [
            "汇总 交易订单总笔数 3 3",
            "汇总 退款订单总笔数 1 1",
            "汇总 订单金额 133.80 133.80",
            "汇总 商家实收 125.00 125.00",
            "汇总 服务费 -0.80000 -0.80000",
        ]
    );
    assert_eq!(statement.part(&statement.entries()[0]), NAME);
    let institution = "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,卡消费金额（元）,服务费（元）,实收净额（元）";
    let titles = SUMMARY.lines().nth(4).expect("titles");
    let rows: String = SUMMARY
        .replace(titles, institution)
        .replace(",0.00,124.25", ",124.25")
        .replace(",0.00,-0.05\r", ",-0.05\r")
        .replace(",0.00,124.20", ",124.20");
    assert_eq!(controls(&read_raw(zip(&rows)).unwrap()).len(), 11);
}

#[test]
fn the_order_of_the_entries_and_their_names_mean_nothing() {
    let detail = fixture("alipay_detail.csv");
    let raw = Zip::new().file("b\\a.txt", &gbk(SUMMARY)).file("x", &detail).build();
    let statement = read_raw(raw).unwrap();
    assert_eq!(listing(&statement), SAMPLE);
    assert_eq!(statement.part(&statement.entries()[0]), "x");
}

#[test]
fn ledger_files_beside_the_detail_are_named_and_not_read() {
    let ledger = gbk("#支付宝账务明细查询\r\n#账号：[20889000000000180156]\r\n");
    let finance = gbk("#支付宝财务明细查询\r\n");
    let raw = Zip::new()
        .file_gbk(NAME, &fixture("alipay_detail.csv"))
        .file("l.csv", &ledger)
        .file("f.csv", &finance)
        .build();
    assert_eq!(
        read_raw(raw).unwrap().remarks(),
        ["not read: the ledger detail (账务明细) in `l.csv`", "not read: `#支付宝财务明细查询` in `f.csv`"]
    );
}

#[test]
fn the_totals_in_the_other_wording_name_the_column_that_they_meet() {
    let worded = |sum: &str| {
        let text = changed(
            &sample(),
            "商家实收共133.80元，商家优惠共8.80元",
            &format!("交易金额共{sum}元，优惠金额共8.80元"),
        );
        read_text(&changed(
            &text,
            "商家实收退款共-8.80元，商家优惠退款共0.00元",
            "交易退款金额共-8.80元，优惠退款金额共0.00元",
        ))
    };
    let settled = worded("133.80").unwrap();
    assert_eq!(
        controls(&settled)[1..3],
        ["交易合计 交易金额 (商家实收) 133.80 133.80", "交易合计 优惠金额 (商家优惠) 8.80 8.80"]
    );
    let gross = worded("142.60").unwrap();
    assert_eq!(controls(&gross)[1], "交易合计 交易金额 (订单金额) 142.60 142.60");
    assert!(worded("133.81").is_err());
}

/// The layout of 2016: other titles, no units, one column of discounts.
const OLD: &str = "#支付宝业务明细查询\r\n#账号：[20889000000000180156]\r\n\
#起始日期：[2016年07月27日 00:00:00]   终止日期：[2016年07月28日 00:00:00]\r\n#--业务明细列表--\r\n\
支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,交易门店,操作员,终端号,对账账户,订单金额,交易金额,红包抵扣,集分宝抵扣,优惠汇总,卡消费金额,卷核销金额,商家红包,退款批次号,服务费,分润,备注\r\n\
2016072721001004000000000001\t,A-1\t,交易,茶,2016-07-27 09:15:00,2016-07-27 09:15:05,S1\t,\t,T1\t,*某\t,10.00,9.00,0.00,0.00,1.00,0.00,0.00,0.00,\t,-0.05,0.00,\r\n\
2016072721001004000000000001\t,A-1\t,退款,茶,2016-07-27 09:15:00,2016-07-27 23:59:59,S1\t,\t,T1\t,*某\t,-10.00,-9.00,0.00,0.00,-1.00,0.00,0.00,0.00,B-1\t,0.00,0.00,\r\n\
#--业务明细列表结束--\r\n#交易合计：1笔，交易金额共9.00元，优惠金额共1.00元\r\n#退款合计：1笔，交易退款金额共-9.00元，优惠退款金额共1.00元\r\n#导出时间：[2016年07月28日 06:00:00]\r\n";

#[test]
fn layouts_of_22_27_and_29_columns() {
    let old = read(&asked(PID, "20160727"), gbk(OLD)).unwrap();
    assert_eq!(
        listing(&old),
        "6 payment paid A-1 - 2016072721001004000000000001 - 10.00 9.00 fee 0.05000 CNY 2016-07-27 09:15:05 - - S1 T1 茶\n\
         7 refund refunded A-1 B-1 2016072721001004000000000001 - -10.00 -9.00 fee 0.00000 CNY 2016-07-27 23:59:59 - - S1 T1 茶\n"
    );
    assert_eq!(old.controls().len(), 6);
    assert_eq!(controls(&old)[5], "退款合计 优惠退款金额 (优惠汇总) 1.00 1.00");
    for (titles, cells) in [
        ("实收净额（元）,商户识别号,交易方式,备注", "24.85,2088000000000001\t,条码支付,"),
        (
            "实收净额（元）,商户识别号,交易方式,备注,花呗分期手续费,花呗分期数",
            "24.85,2088000000000001\t,条码支付,,,",
        ),
    ] {
        let text = sample().replace("退款批次号/请求号", "退款批次号").replace("分润（元）,备注", titles);
        let wide = |line: &str| match line.starts_with("20240502") {
            true => format!("{}{cells}", line.strip_suffix("0.00,").expect("a row")),
            false => line.to_owned(),
        };
        let text: String = text.lines().map(|line| wide(line) + "\r\n").collect();
        let statement = read_text(&text).unwrap();
        let expected = SAMPLE.replace(" - - S01", " - 2088000000000001 S01");
        let expected = expected.replace(" - - - - 杯", " - 2088000000000001 - - 杯");
        assert_eq!(listing(&statement), expected, "{titles}");
        assert_eq!(statement.remarks(), [""; 0]);
    }
}

#[test]
fn peers_19_columns_permuted_and_added_do_not_shift_amounts() {
    let orders: [fn(&mut Vec<&str>); 2] = [|cells| cells.reverse(), |cells| cells.rotate_left(7)];
    for order in orders {
        let shuffle = |line: &str, more: &'static str| {
            let mut cells: Vec<&str> = line.split(',').collect();
            order(&mut cells);
            cells.push(more);
            cells.join(",")
        };
        let moved = |line: &str| match line {
            row if row.starts_with("20240502") => shuffle(row, "99.99"),
            titles if titles.starts_with("支付宝") => shuffle(titles, "新栏目"),
            frame => frame.to_owned(),
        };
        let text: String = sample().lines().map(|line| moved(line) + "\r\n").collect();
        let statement = read_text(&text).unwrap();
        assert_eq!(listing(&statement), SAMPLE);
        assert_eq!(statement.remarks(), ["unknown columns, not read: 新栏目"]);
    }
}

#[test]
fn peers_24_a_list_without_rows_is_an_empty_statement() {
    let rows: Vec<String> =
        sample().lines().filter(|l| !l.starts_with("20240502")).map(|l| format!("{l}\r\n")).collect();
    let text = changed(
        &rows.concat(),
        "3笔，商家实收共133.80元，商家优惠共8.80元",
        "0笔，商家实收共0.00元，商家优惠共0.00元",
    );
    let text = changed(&text, "1笔，商家实收退款共-8.80元", "0笔，商家实收退款共0.00元");
    let statement = read_text(&text).unwrap();
    assert_eq!((statement.entries().len(), statement.controls().len()), (0, 6));
}

#[test]
fn a_file_that_a_spreadsheet_saved_again_is_read_with_a_remark() {
    let commas = ",".repeat(24);
    let frame =
        |line: &str| if line.starts_with('#') { format!("{line}{commas}\n") } else { format!("{line}\n") };
    let text: String = sample().lines().map(frame).collect();
    let text = text
        .replace("2024-05-02 10:00:05", "2024/5/2 10:00:05")
        .replace("2024-05-02 11:20:09", "2024/5/2 11:20:09");
    let text = text
        .replace("2024050222001400010000000001\t", "\"2024050222001400010000000001\t\"")
        .replace(",0.00", ",0");
    let text = changed(&text, ",茶,", ",\"茶, \"\"绿\"\"\n大\",");
    let statement = read_text(&text).unwrap();
    let expected = changed(SAMPLE, "T01 茶", "T01 茶, \"绿\"\n大");
    let expected = expected
        .replace("\n7 pay", "\n8 pay")
        .replacen("\n8 payment paid POS01-0003", "\n9 payment paid POS01-0003", 1)
        .replace("\n9 refund", "\n10 refund");
    assert_eq!(listing(&statement), expected);
    let line = statement.line(&statement.entries()[0]);
    assert!(
        line.starts_with(
            "2024050222001400010000000001\t,POS01-0001\t,交易\t,茶, \"绿\"\n大,2024-05-02 10:00:01,"
        ),
        "{line}"
    );
    assert_eq!(
        statement.remarks(),
        ["not original: a spreadsheet saved this file again (line 1: commas behind a line of the frame)"]
    );
    let time = read_changed("2024-05-02 12:00:03", "2024/5/2 12:00").unwrap();
    assert_eq!(
        time.remarks(),
        ["not original: a spreadsheet saved this file again (line 8: a time without leading zeros)"]
    );
}

#[test]
fn utf8_other_line_ends_and_a_missing_last_line_are_read() {
    assert_eq!(listing(&read_raw(sample().into_bytes()).unwrap()), SAMPLE);
    assert_eq!(
        listing(&read_raw(format!("\u{feff}{}", sample().replace('\r', "")).into_bytes()).unwrap()),
        SAMPLE
    );
    let statement = read_changed("#导出时间：[2024年05月03日 06:02:11]\r\n", "#新的一行\r\n").unwrap();
    assert_eq!(
        statement.remarks(),
        ["the last line (`#导出时间`) is missing", "unknown lines behind the list: #新的一行"]
    );
}

#[test]
fn lines_of_other_sub_merchants_are_counted_and_named_and_not_kept() {
    let text = sample()
        .replace(",备注\r\n", ",商户识别号\r\n")
        .replacen(",0.00,\r\n", ",0.00,2088-A\r\n", 1)
        .replace(",0.00,\r\n", ",0.00,2088-B\r\n");
    let ask = |sub_merchant| {
        let asked = Asked { merchant: PID, sub_merchant, date: BillDate::parse(DAY).expect("a date") };
        read(&asked, gbk(&text))
    };
    let statement = ask("2088-A").unwrap();
    assert_eq!(statement.entries().len(), 1);
    assert_eq!(statement.cell(&statement.entries()[0], Cell::SubMerchant), "2088-A");
    assert_eq!((statement.foreign().rows, statement.foreign().amount_minor), (3, 10_880));
    assert_eq!(statement.remarks(), ["lines of other sub-merchants, not kept: 2088-B (3 lines)"]);
    assert_eq!(ask("").unwrap().entries().len(), 4);
    assert_eq!(
        ask("2088-C").unwrap_err().to_string(),
        "this is the bill of merchant 2088-A (1 lines), 2088-B (3 lines), not of 2088-C"
    );
}

/// Files that must be refused, for the golden file.
pub(crate) fn refused() -> Vec<Case> {
    let mut cases = frames();
    cases.extend(other_files());
    cases.extend(rows());
    cases.extend(archives());
    cases
}

fn frames() -> Vec<Case> {
    let sample = sample();
    let until = |mark: &str| read_text(&sample[..sample.find(mark).expect("a mark")]);
    let first_row = sample.lines().nth(5).expect("a row");
    vec![
        ("another merchant's bill", read(&asked("2088900000000099", DAY), gbk(&sample))),
        ("an account without its suffix", read_changed("20889000000000180156", "2088900000000018")),
        ("another day's bill", read(&asked(PID, "2024-05-01"), gbk(&sample))),
        ("a month's bill", read_changed("终止日期：[2024年05月03日", "终止日期：[2024年06月01日")),
        ("a period that is none", read_changed("2024年05月02日 00:00:00", "今天")),
        ("no account", read_changed("#账号：[20889000000000180156]\r\n", "")),
        (
            "no period",
            read_changed(
                "#起始日期：[2024年05月02日 00:00:00]   终止日期：[2024年05月03日 00:00:00]\r\n",
                "",
            ),
        ),
        ("cut before the list", until("#---")),
        ("cut before the titles", until("支付宝交易号")),
        ("cut inside the list", until("2024050222001400010000000003\t,POS01-0003\t,退款")),
        ("cut inside a row", until("*某(b***")),
        ("cut before the totals", until("#交易合计")),
        ("cut before the refunds' totals", until("#退款合计")),
        ("something before the list", read_changed("#起始", "x\r\n#起始")),
        (
            "a frame line inside the list",
            read_changed(
                "2024050222001400010000000002\t",
                "#交易合计：1笔\r\n2024050222001400010000000002\t",
            ),
        ),
        ("a row behind the list", read_text(&format!("{sample}{first_row}\r\n"))),
        ("totals twice", read_changed("#退款合计", "#交易合计：0笔，商家实收共0.00元\r\n#退款合计")),
        ("one row too many stated", read_changed("3笔", "4笔")),
        ("payments off by one fen", read_changed("共133.80元", "共133.81元")),
        ("discounts off by one fen", read_changed("商家优惠共8.80元", "商家优惠共8.79元")),
        ("refunds off by one fen", read_changed("共-8.80元", "共-8.79元")),
        ("refunds without their sign", read_changed("共-8.80元", "共8.80元")),
    ]
}

fn other_files() -> Vec<Case> {
    let sample = sample();
    let personal = "导出信息：\r\n姓名：某\r\n------------支付宝（中国）网络技术有限公司  电子客户回单------------\r\n交易时间,交易分类,交易对方,对方账号\r\n";
    vec![
        ("totals of something unknown", read_changed("商家优惠共8.80元", "商家红包共8.80元")),
        ("totals without an amount", read_changed("，商家实收共133.80元，商家优惠共8.80元", "")),
        ("a malformed total", read_changed("共133.80元", "共一百元")),
        (
            "the layout of 2016 with totals of another column",
            read(&asked(PID, "20160727"), gbk(&changed(OLD, "交易金额共9.00元", "交易金额共10.00元"))),
        ),
        ("a personal export of the app", read_text(personal)),
        ("a personal export of the website", read_text("支付宝交易记录明细查询\r\n账号:[x]\r\n")),
        ("a WeChat bill", read_raw(fixture("wechat_all.csv"))),
        ("some other text", read_text("a,b\r\n1,2\r\n")),
        ("the ledger detail alone", read_text("#支付宝账务明细查询\r\n")),
        ("an HTML page", read_text("<html><head><title>notice</title></head></html>")),
        ("a NUL byte", read_changed("伞", "\0")),
        ("bytes of no encoding", read_raw([gbk(&sample), vec![0xff, b'\n']].concat())),
        ("UTF-16", read_raw(sample.encode_utf16().flat_map(u16::to_be_bytes).collect())),
    ]
}

fn rows() -> Vec<Case> {
    let mut cases = vec![
        ("an unknown kind of row", read_changed("退款\t,杯", "转账\t,杯")),
        ("a payment with a negative amount", read_changed(",108.80,100.00,", ",-108.80,100.00,")),
        ("a refund with a positive amount", read_changed(",-8.80,-8.80,", ",8.80,-8.80,")),
        ("a row of another day", read_changed("2024-05-02 11:20:09", "2024-05-03 00:00:00")),
        ("a malformed time", read_changed("2024-05-02 11:20:09", "2024-05-02 25:20:09")),
        ("a comma inside a name", read_changed(",伞,", ",伞,黑,")),
        ("a cell too few", read_changed(",伞,", ",")),
        ("a quote that is never closed", read_changed(",伞,", ",\"伞,")),
        ("text behind a closing quote", read_changed(",伞,", ",\"伞\"x,")),
        (
            "a number that a spreadsheet has rounded",
            read_changed("2024050222001400010000000002\t", "2.02405E+27"),
        ),
        (
            "a blank line in the list",
            read_changed("2024050222001400010000000002\t", "\r\n2024050222001400010000000002\t"),
        ),
        ("a column is missing", read_changed("商户订单号,", "商家订单号,")),
        ("a column twice", read_changed("分润（元）", "服务费")),
        ("no column of sub-merchants", {
            let date = BillDate::parse(DAY).expect("a date");
            read(&Asked { merchant: PID, sub_merchant: "2088-A", date }, gbk(&sample()))
        }),
    ];
    for amount in ["1,000.00", "１０.００", "1e3", "10.001", "", "--1.00"] {
        cases.push(("a malformed amount", read_changed(",108.80,100.00,", &format!(",{amount},100.00,"))));
    }
    cases.push(("a malformed fee", read_changed(",-0.60,", ",-0.60元,")));
    cases
}

fn archives() -> Vec<Case> {
    let detail = fixture("alipay_detail.csv");
    let two = Zip::new().file_gbk(NAME, &detail).file("b.csv", &detail).build();
    let summaries = Zip::new().file("a", &detail).file("b", &gbk(SUMMARY)).file("c", &gbk(SUMMARY)).build();
    let later = Zip::new().file_gbk("20889000000000180156_20240502_业务明细_2.csv", &detail).build();
    let stranger = Zip::new().file("a", &detail).file("readme.txt", b"hello\n").build();
    let summary = |old: &str, new: &str| read_raw(zip(&changed(SUMMARY, old, new)));
    let total = "合计\t,\t,3,1,133.80,125.00,0.00,8.80,0.00,-0.80";
    vec![
        ("two details in a zip", read_raw(two)),
        ("no detail in a zip", read_raw(Zip::new().file_gbk(SUMMARY_NAME, &gbk(SUMMARY)).build())),
        ("two summaries in a zip", read_raw(summaries)),
        ("a later part of a bill in several", read_raw(later)),
        ("a stranger in the zip", read_raw(stranger)),
        ("a summary of another merchant", summary("20889000000000180156", "20889000000000990156")),
        ("a summary of another day", summary("终止日期：[2024年05月03日", "终止日期：[2024年05月04日")),
        ("a summary with a payment too many", summary(total, &total.replace(",3,1,", ",4,1,"))),
        ("a summary with a refund too few", summary(total, &total.replace(",3,1,", ",3,0,"))),
        ("a summary off by one fen of orders", summary(total, &total.replace("133.80", "133.79"))),
        ("a summary off by one fen of receipts", summary(total, &total.replace("125.00", "125.01"))),
        ("a summary off by one fen of fees", summary(total, &total.replace("-0.80", "-0.81"))),
        ("a summary without its last row", summary("合计\t", "其他\t")),
        ("a summary with a malformed cell", summary(total, &total.replace("125.00", "-"))),
        (
            "a summary that is cut short",
            read_raw(zip(&SUMMARY[..SUMMARY
                .find("#----------------------------------------业务汇总列表结束")
                .expect("a mark")])),
        ),
        (
            "a row broken inside a zip",
            read_raw(Zip::new().file_gbk(NAME, &gbk(&changed(&sample(), "退款\t,杯", "转账\t,杯"))).build()),
        ),
    ]
}

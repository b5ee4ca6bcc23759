//! Writes the rows of the old interface's ledger: one `AccountQueryAccountLogVO` of `account.page.query`, and the CSV
//! of `export_trade_account_report` (`spec/alipay.md` 3.3, 3.4).
//!
//! Where the documents leave it open: `trans_out_order_no` holds the refund's number on a refund and the order's
//! elsewhere; the side of the money that did not move is `0.00`.

use super::alipay_bill::push_name;
use super::movements::{Kind, Movement};
use crate::sandbox::day::SimulatedDay;
use crate::sandbox::lines::{self, What};
use crate::sandbox::numbers::{self, push_padded, push_yuan};
use crate::sandbox::reply::alipay_json::push_logon;
use crate::sandbox::reply::xml::{filled, text};
use crate::sandbox::town::SimAccount;

/// The CSV's titles. Each record ends with a comma, this one too.
const CSV_HEADER: &str = "外部订单号,账户余额（元）,时间,流水号,支付宝交易号,交易对方Email,交易对方,用户编号,收入（元）,支出（元）,交易场所,\
商品名称,类型,说明,\n";

/// What a kind is called, and its number in `trans_code`.
impl Kind {
    fn trans_code_msg(self) -> &'static str {
        match self {
            Kind::Payment => "在线支付",
            Kind::Refund => "转账",
            Kind::Fee => "收费",
            Kind::Withdrawal => "提现",
        }
    }

    fn sub_trans_code_msg(self) -> &'static str {
        match self {
            Kind::Payment => "快速支付",
            Kind::Refund => "交易退款",
            Kind::Fee => "服务费",
            Kind::Withdrawal => "",
        }
    }

    /// 类型 of the CSV, and 业务类型 of the open platform's ledger.
    pub(super) fn csv_type(self) -> &'static str {
        if self == Kind::Refund { "交易退款" } else { self.trans_code_msg() }
    }

    pub(in crate::sandbox) fn trans_code(self) -> &'static str {
        match self {
            Kind::Payment => "6001",
            Kind::Refund => "3011",
            Kind::Fee => "3012",
            Kind::Withdrawal => "5004",
        }
    }
}

/// Texts of one row that both layouts share.
struct Row {
    order_no: String,
    trade_no: String,
    title: &'static str,
    logon: String,
    /// The refund's number, else the order's.
    out_no: String,
    /// What was refunded of the trade altogether, in fen.
    returned_fen: i64,
    total_fen: i64,
}

fn row(day: &SimulatedDay, movement: &Movement) -> Row {
    let mut row = Row {
        order_no: String::new(),
        trade_no: String::new(),
        title: "",
        logon: String::new(),
        out_no: String::new(),
        returned_fen: 0,
        total_fen: movement.amount_fen.abs(),
    };
    let Some(line) = movement.line else { return row };
    let story = lines::story(day, line.story);
    row.order_no = lines::order_no(day, line.story);
    row.trade_no = lines::trade_no(day, line.story, line.what == What::SecondPayment);
    row.title = lines::subject(story);
    push_logon(&mut row.logon, day.seed, line.story);
    row.out_no.clone_from(&row.order_no);
    row.total_fen = story.billed(line.story);
    match line.what {
        What::Refund(place) => {
            let refund = lines::refund(day, place);
            row.out_no = lines::refund_no_in_bill(day, refund);
            row.returned_fen = i64::from(refund.before_fen) + refund.billed();
        }
        What::Reversal => row.returned_fen = story.amount(),
        What::Payment | What::SecondPayment => {}
    }
    row
}

/// Appends one `AccountQueryAccountLogVO`, its children in the order of their names.
pub(in crate::sandbox) fn push_vo(
    out: &mut String,
    day: &SimulatedDay,
    account: &SimAccount,
    movement: &Movement,
) {
    let row = row(day, movement);
    let fee = if movement.kind == Kind::Fee { -movement.amount_fen } else { 0 };
    filled(out, "AccountQueryAccountLogVO", |out| {
        yuan(out, "balance", movement.balance_fen);
        text(out, "currency", "156");
        text(out, "goods_title", row.title);
        yuan(out, "income", movement.amount_fen.max(0));
        filled(out, "iw_account_log_id", |out| push_padded(out, movement.log_id, 12));
        text(out, "memo", if movement.kind == Kind::Withdrawal { "提现到银行卡" } else { "" });
        text(out, "merchant_out_order_no", &row.order_no);
        text(out, "other_account_email", &row.logon);
        yuan(out, "outcome", (-movement.amount_fen).max(0));
        text(out, "partner_id", account.merchant);
        filled(out, "rate", |out| push_rate(out, account.rate_e4));
        text(out, "seller_account", &format!("{}0156", account.merchant));
        text(out, "seller_fullname", "示例商场");
        yuan(out, "service_fee", fee);
        filled(out, "service_fee_ratio", |out| push_rate(out, account.rate_e4));
        text(out, "sign_product_name", "条码支付");
        text(out, "sub_trans_code_msg", movement.kind.sub_trans_code_msg());
        yuan(out, "total_fee", row.total_fen);
        text(out, "trade_no", &row.trade_no);
        yuan(out, "trade_refund_amount", row.returned_fen);
        text(out, "trans_code_msg", movement.kind.trans_code_msg());
        filled(out, "trans_date", |out| day.calendar.push_time(out, movement.at));
        text(out, "trans_out_order_no", &row.out_no);
    });
}

/// The CSV of movements, its header first.
pub(in crate::sandbox) fn csv(day: &SimulatedDay, movements: &[Movement]) -> String {
    let mut out = String::from(CSV_HEADER);
    for movement in movements {
        let row = row(day, movement);
        let mut cells: Vec<String> = Vec::with_capacity(14);
        let yuan = |fen: i64| {
            let mut cell = String::new();
            push_yuan(&mut cell, fen);
            cell
        };
        let mut at = String::new();
        day.calendar.push_time(&mut at, movement.at);
        let mut title = String::new();
        push_name(&mut title, row.title);
        cells.extend([row.order_no, yuan(movement.balance_fen), at, movement.log_id.to_string()]);
        cells.extend([row.trade_no, row.logon, String::new(), String::new()]);
        cells.extend([yuan(movement.amount_fen.max(0)), yuan((-movement.amount_fen).max(0))]);
        cells.extend(["支付宝".to_owned(), title, movement.kind.csv_type().to_owned(), String::new()]);
        for cell in cells {
            out.push_str(&cell);
            out.push(',');
        }
        out.push('\n');
    }
    out
}

fn yuan(out: &mut String, name: &str, fen: i64) {
    filled(out, name, |out| push_yuan(out, fen));
}

/// `0.0055`
fn push_rate(out: &mut String, rate_e4: i64) {
    out.push_str("0.");
    numbers::push_padded(out, rate_e4.unsigned_abs(), 4);
}

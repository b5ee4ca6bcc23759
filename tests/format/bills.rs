//! Bills made up by the test: random movements and the files that state them. No real merchants or people.

use std::fmt::Write as _;

pub(crate) const MERCHANT: &str = "1900012345";
pub(crate) const PID: &str = "2088900000000018";

/// A movement as a writer needs it; amounts in fen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Movement {
    pub(crate) refund: bool,
    pub(crate) number: u64,
    pub(crate) second: u32,
    pub(crate) gross: i64,
    pub(crate) discount: i64,
    pub(crate) fee_e5: i64,
    pub(crate) subject: String,
    pub(crate) till: String,
}

impl Movement {
    pub(crate) fn settled(&self) -> i64 {
        self.gross - self.discount
    }

    pub(crate) fn order_no(&self) -> String {
        format!("SP20240307{:09}", self.number)
    }

    pub(crate) fn trade_no(&self) -> String {
        format!("42000021012024030{:011}", self.number)
    }

    pub(crate) fn refund_no(&self) -> String {
        if self.refund { format!("RF20240307{:09}", self.number) } else { String::new() }
    }

    fn time(&self) -> String {
        format!("{:02}:{:02}:{:02}", self.second / 3600, self.second / 60 % 60, self.second % 60)
    }
}

/// A busy day: `rows` movements, one in twelve a refund.
pub(crate) fn day(rows: usize) -> Vec<Movement> {
    let mut random = fastrand::Rng::with_seed(20_240_307);
    let subjects = ["早餐,豆浆", "午餐", "Coffee, large", "雨伞", "停车费 3 小时"];
    (0..rows as u64)
        .map(|number| {
            let gross = random.i64(1..200_000);
            Movement {
                refund: random.u8(..12) == 0,
                number,
                second: random.u32(..86_400),
                gross,
                discount: if random.u8(..8) == 0 { gross / 10 } else { 0 },
                fee_e5: gross * 6 / 1000 * 1000,
                subject: subjects[random.usize(..subjects.len())].to_owned(),
                till: format!("T{:02}", random.u8(..40)),
            }
        })
        .collect()
}

fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.abs() / 100, fen.abs() % 100)
}

fn yuan5(e5: i64) -> String {
    let sign = if e5 < 0 { "-" } else { "" };
    format!("{sign}{}.{:05}", e5.abs() / 100_000, e5.abs() % 100_000)
}

pub(crate) const WECHAT_TITLES: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const WECHAT_TOTALS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

/// The WeChat bill of 2024-03-07 in the new generation.
pub(crate) fn wechat(movements: &[Movement]) -> String {
    let mut text = String::with_capacity(movements.len() * 300 + 2000);
    text.push('\u{feff}');
    text.push_str(WECHAT_TITLES);
    text.push_str("\r\n");
    let [mut settled, mut refund, mut fee, mut gross, mut requested] = [0; 5];
    for m in movements {
        let paid = if m.refund { 0 } else { 1 };
        let back = 1 - paid;
        let sign = paid - back;
        settled += paid * m.settled();
        refund += back * m.settled();
        fee += sign * m.fee_e5;
        gross += paid * m.gross;
        requested += back * m.gross;
        let (refund_trade_no, refund_no) = if m.refund {
            (format!("503000082320240307{:011}", m.number), m.refund_no())
        } else {
            ("0".into(), "0".into())
        };
        let (status, kind, state) =
            if m.refund { ("REFUND", "ORIGINAL", "SUCCESS") } else { ("SUCCESS", "", "") };
        write!(
            text,
            "`2024-03-07 {},`wx0123456789abcdef,`{MERCHANT},`0,`{},`{},`{},`oAbCdEfGhIjKlMnOpQrStUvW{:04},`MICROPAY,`{status},`OTHERS,`CNY,`{},`{},`{refund_trade_no},`{refund_no},`{},`0.00,`{kind},`{state},`{},`pos={},`{},`0.60%,`{},`{},`\r\n",
            m.time(), m.till, m.trade_no(), m.order_no(), m.number % 10_000,
            yuan(paid * m.settled()), yuan(paid * m.discount), yuan(back * m.settled()), m.subject, m.number % 12,
            yuan5(sign * m.fee_e5), yuan(paid * m.gross), yuan(back * m.gross),
        )
        .expect("writing to a string");
    }
    write!(
        text,
        "{WECHAT_TOTALS}\r\n`{},`{},`{},`0.00,`{},`{},`{}\r\n",
        movements.len(),
        yuan(settled),
        yuan(refund),
        yuan5(fee),
        yuan(gross),
        yuan(requested)
    )
    .expect("writing to a string");
    text
}

pub(crate) const ALIPAY_TITLES: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";

/// The Alipay trade detail of 2024-03-07 in 25 columns, as text.
pub(crate) fn alipay(movements: &[Movement]) -> String {
    let mut text = format!(
        "#支付宝业务明细查询\r\n#账号：[{PID}0156]\r\n#起始日期：[2024年03月07日 00:00:00]   终止日期：[2024年03月08日 00:00:00]\r\n#---业务明细列表---\r\n{ALIPAY_TITLES}\r\n"
    );
    let mut totals = [[0i64; 3]; 2];
    for m in movements {
        let sign = if m.refund { -1 } else { 1 };
        let total = &mut totals[usize::from(m.refund)];
        *total = [total[0] + 1, total[1] + sign * m.settled(), total[2] + sign * m.discount];
        let kind = if m.refund { "退款" } else { "交易" };
        write!(
            text,
            "{}\t,{}\t,{kind}\t,{},2024-03-07 00:00:00,2024-03-07 {},S01\t,一店\t,A7\t,{}\t,*某(a***@example.test)\t,{},{},0.00,0.00,0.00,{},0.00,,0.00\t,0.00,{}\t,{},0.00,\r\n",
            m.trade_no(), m.order_no(), m.subject.replace(',', "，"), m.time(), m.till,
            yuan(sign * m.gross), yuan(sign * m.settled()), yuan(sign * m.discount), m.refund_no(), yuan(-sign * m.fee_e5 / 1000),
        )
        .expect("writing to a string");
    }
    let [[pays, paid, paid_off], [refunds, back, back_off]] = totals;
    write!(
        text,
        "#---业务明细列表结束---\r\n#交易合计：{pays}笔，商家实收共{}元，商家优惠共{}元\r\n#退款合计：{refunds}笔，商家实收退款共{}元，商家优惠退款共{}元\r\n#导出时间：[2024年03月08日 06:02:11]\r\n",
        yuan(paid), yuan(paid_off), yuan(back), yuan(back_off)
    )
    .expect("writing to a string");
    text
}

//! Headings and column titles of the terminal's report and of `explain`.

use crate::domain::Lang;

/// A title, Chinese and English.
#[derive(Clone, Copy, Debug)]
pub struct Title(&'static str, &'static str);

impl Title {
    pub fn say(self, lang: Lang) -> &'static str {
        lang.pick(self.0, self.1)
    }
}

pub const REPORT: Title = Title("对账报告", "reconciliation");
pub const ACCOUNT: Title = Title("账户", "account");
pub const PAYTYPE: Title = Title("类型", "type");
pub const VERDICT: Title = Title("结论", "verdict");
pub const GATEWAY: Title = Title("网关", "gateway");
pub const CHANNEL: Title = Title("渠道", "channel");
pub const DIFFERENCE: Title = Title("差额", "difference");
pub const MISMATCHES: Title = Title("差异", "mismatches");
pub const TIMING: Title = Title("时间差", "timing");
pub const REASON: Title = Title("原因", "reason");
pub const INPUTS: Title = Title("依据", "inputs");
pub const REMARKS: Title = Title("提示", "remarks");
pub const UNAUTHENTICATED: Title = Title(
    "来源未经认证（明文 http 或人工提供）",
    "the source was not authenticated (plain http, or a file by hand)",
);
pub const BY_QUERY: Title = Title(
    "按逐笔查询核对：每笔网关订单都问过渠道，只有渠道知道的交易看不到",
    "compared by asking order by order: every logged order was asked for, what only the channel knows cannot be seen",
);
pub const TOTALS: Title = Title("证明一 控制总数", "proof 1, control totals");
pub const STATED: Title = Title("账单自述", "stated");
pub const PARSED: Title = Title("逐行合计", "parsed");
pub const LEDGER: Title = Title("账本", "ledger");
pub const CONSERVATION: Title = Title("证明二 笔笔有着落", "proof 2, everything ended somewhere");
pub const SIDE: Title = Title("", "");
pub const LINES: Title = Title("账单行", "lines");
pub const ORDERS: Title = Title("网关订单", "orders");
pub const ITEM: Title = Title("项目", "item");
pub const TOTAL: Title = Title("合计", "total");
pub const MATCHED: Title = Title("相符", "matched");
pub const EXCLUDED: Title = Title("排除", "excluded");
pub const NOTHING: Title = Title("未发生", "nothing happened");
pub const REST: Title = Title("剩余", "rest");
pub const BRIDGE: Title = Title("证明三 调节", "proof 3, bridge");
pub const STEP: Title = Title("步骤", "step");
pub const COUNT: Title = Title("笔数", "count");
pub const AMOUNT: Title = Title("金额", "amount");
pub const GATEWAY_TOTAL: Title = Title("网关合计", "gateway total");
pub const CHANNEL_TOTAL: Title = Title("渠道合计", "channel total");
pub const UNEXPLAINED: Title = Title("无法解释", "unexplained");
pub const ORDER: Title = Title("订单号", "order");
pub const TRADE: Title = Title("渠道交易号", "transaction");
pub const PLACE: Title = Title("门店", "store");
pub const OTHER_DAY: Title = Title("另一日", "other day");
pub const ANSWERS: Title = Title("向渠道查询的答复", "the channel, asked about it");
pub const HELD: Title =
    Title("渠道暂存（担保交易，未计入合计）", "held by the channel (escrow; in no total)");
pub const SINCE: Title = Title("付款时间", "since");
pub const AGE: Title = Title("天数", "days");
pub const UNCLAIMED: Title =
    Title("没有账户认领的网关订单", "logged orders that no configured account claims");
pub const SELLER: Title = Title("卖家", "seller");
pub const SUCCESSES: Title = Title("其中成功", "successes");
pub const LEGEND: Title = Title("说明", "legend");
pub const STATE: Title = Title("状态", "state");
pub const TIME: Title = Title("时间", "time");
pub const RAW_LINES: Title = Title("账单原文", "statement, as received");
pub const LOG_ROWS: Title = Title("网关日志（按时间）", "gateway's log, in time order");
pub const REQUEST: Title = Title("请求", "request");
pub const REPLY: Title = Title("应答", "reply");
pub const SAYS: Title = Title("结论", "says");
pub const LOOKED: Title = Title("另外查找", "also looked at");
pub const ADVICE: Title = Title("建议", "next");
pub const NO_LINE: Title = Title("账单中没有", "the statement has no line of it");
pub const NO_ROWS: Title = Title("日志中没有", "the log has no row of it");

/// Under a list that was cut for the screen.
pub fn more(left_out: usize, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("……另有 {left_out} 笔，见 mismatches.csv"),
        Lang::En => format!("and {left_out} more in mismatches.csv"),
    }
}

/// The same for timing items, which only `report.json` lists in full.
pub fn more_timing(left_out: usize, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("……另有 {left_out} 笔，见 report.json"),
        Lang::En => format!("and {left_out} more in report.json"),
    }
}

/// All that a screen says of the proofs of a unit at rest: its lines and orders, and its total.
pub fn closed([lines, orders]: [u64; 2], total: &str, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("三项证明均成立：账单 {lines} 行，网关 {orders} 笔，合计 {total}，无法解释 0"),
        Lang::En => {
            format!("all three proofs close: {lines} lines, {orders} orders, total {total}, unexplained 0")
        }
    }
}

/// One input of a unit: a statement with its version and hash, or the log.
pub fn input(kind: &str, version: u32, rows: u64, sha256: &str, lang: Lang) -> String {
    match (kind, lang) {
        ("statement", Lang::Zh) => format!("账单第 {version} 版 {rows} 行 sha256:{sha256}"),
        ("statement", Lang::En) => format!("statement version {version}, {rows} rows, sha256:{sha256}"),
        ("log", Lang::Zh) => format!("网关日志 {rows} 行"),
        ("log", Lang::En) => format!("gateway's log, {rows} rows"),
        (other, _) => format!("{other} {rows}"),
    }
}

/// Where a raw line stands: file, part, line.
pub fn raw_line(sha256: &str, part: &str, line: u32, lang: Lang) -> String {
    let part = if part.is_empty() { String::new() } else { format!(" {part}") };
    match lang {
        Lang::Zh => format!("文件 sha256:{sha256}{part} 第 {line} 行"),
        Lang::En => format!("file sha256:{sha256}{part} line {line}"),
    }
}

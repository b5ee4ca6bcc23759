//! Which layout a file has, by its content, and its bytes in that layout.

use crate::domain::{Errand, Statement};
use crate::format::wechat_overseas::{self, Generation};
use crate::format::{
    Asked, ReadError, alipay_account_log, alipay_bill, alipay_forex, columns, unpack, wechat_bill,
};

pub(super) fn read(errand: &Errand, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let account = &errand.account;
    let asked = Asked::of(errand);
    match layout(account.option("layout"), &raw) {
        Layout::AlipayBill => alipay_bill::read(&asked, raw),
        Layout::WechatBill => wechat_bill::read(&asked, raw),
        Layout::AlipayMapi => alipay_account_log::read(&asked, raw),
        Layout::Forex => alipay_forex::read(&asked, raw),
        Layout::Columns => {
            let map = columns::Map::parse(account.option("columns"));
            columns::read(&asked, &map.map_err(|why| ReadError::File(format!("`columns`: {why}")))?, raw)
        }
        Layout::Overseas(generation) => wechat_overseas::read(&asked, raw, generation),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Layout {
    WechatBill,
    AlipayBill,
    AlipayMapi,
    Forex,
    Columns,
    Overseas(Generation),
}

/// A zip, or a text that begins with `#` (`#支付宝业务明细查询`), is Alipay's; all else is for WeChat's reader, which
/// names what it finds if it is no bill of WeChat's either.
fn layout(named: &str, raw: &[u8]) -> Layout {
    let text = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw).trim_ascii_start();
    match named {
        "wechat_bill" => Layout::WechatBill,
        "alipay_bill" => Layout::AlipayBill,
        "alipay_mapi_csv" => Layout::AlipayMapi,
        "forex" => Layout::Forex,
        "columns" => Layout::Columns,
        _ if is(raw, alipay_account_log::is_titles) => Layout::AlipayMapi,
        _ if is(raw, alipay_forex::is_forex) => Layout::Forex,
        "overseas_v2" => Layout::Overseas(Generation::V2),
        "overseas_v3" => Layout::Overseas(Generation::V3),
        _ if raw.starts_with(b"PK") || text.starts_with(b"#") => Layout::AlipayBill,
        _ => Layout::WechatBill,
    }
}

/// Whether the first bytes, as text of either encoding, begin as a layout does.
fn is(raw: &[u8], layout: fn(&str) -> bool) -> bool {
    const SNIFFED: usize = 1024;
    let text = unpack::reply_text(&raw[..raw.len().min(SNIFFED)]);
    layout(text.trim_start_matches('\u{feff}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_known_by_content_unless_named() {
        for (named, raw, expected) in [
            ("auto", "PK\u{3}\u{4}…".as_bytes(), Layout::AlipayBill),
            ("auto", "#支付宝业务明细查询\r\n".as_bytes(), Layout::AlipayBill),
            ("", "\u{feff}#支付宝业务明细查询\r\n".as_bytes(), Layout::AlipayBill),
            ("auto", "\u{feff}交易时间,公众账号ID".as_bytes(), Layout::WechatBill),
            ("auto", b"\x1f\x8b\x08", Layout::WechatBill),
            ("auto", b"", Layout::WechatBill),
            ("alipay_bill", "交易时间".as_bytes(), Layout::AlipayBill),
            ("overseas_v2", b"", Layout::Overseas(Generation::V2)),
            ("overseas_v3", b"", Layout::Overseas(Generation::V3)),
            ("wechat_bill", b"PK\x03\x04", Layout::WechatBill),
            (
                "auto",
                "外部订单号,账户余额（元）,时间,流水号,支付宝交易号,收入（元）,".as_bytes(),
                Layout::AlipayMapi,
            ),
            (
                "auto",
                b"\xcd\xe2\xb2\xbf\xb6\xa9\xb5\xa5\xba\xc5,\xca\xb1\xbc\xe4,\xca\xd5\xc8\xeb\n",
                Layout::AlipayMapi,
            ),
            ("auto", b"Partner_transaction_id|Transaction_id|Amount\n", Layout::Forex),
            ("auto", b"Partner:2088|Payment_time: 2016-03-01|Total_count:0\n", Layout::Forex),
            ("auto", b"A1|32.20|EUR|20160301093359||P|0.50|P|\r\n", Layout::Forex),
            ("columns", b"PK\x03\x04", Layout::Columns),
            ("forex", b"PK\x03\x04", Layout::Forex),
            ("alipay_mapi_csv", b"<alipay>", Layout::AlipayMapi),
        ] {
            assert_eq!(layout(named, raw), expected, "{named} {}", String::from_utf8_lossy(raw));
        }
    }
}

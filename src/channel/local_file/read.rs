//! Which layout a file has, by its content, and its bytes in that layout.

use crate::domain::{Errand, Statement};
use crate::format::wechat_overseas::{self, Generation};
use crate::format::{Asked, ReadError, alipay_bill, wechat_bill};

pub(super) fn read(errand: &Errand, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let account = &errand.account;
    let asked = Asked {
        merchant: &account.merchant,
        sub_merchant: account.option("sub_merchant"),
        date: errand.date,
    };
    match layout(account.option("layout"), &raw) {
        Layout::AlipayBill => alipay_bill::read(&asked, raw),
        Layout::WechatBill => wechat_bill::read(&asked, raw),
        Layout::Overseas(generation) => wechat_overseas::read(&asked, raw, generation),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Layout {
    WechatBill,
    AlipayBill,
    Overseas(Generation),
}

/// A zip, or a text that begins with `#` (`#支付宝业务明细查询`), is Alipay's; all else is for WeChat's reader, which
/// names what it finds if it is no bill of WeChat's either.
fn layout(named: &str, raw: &[u8]) -> Layout {
    let text = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw).trim_ascii_start();
    match named {
        "wechat_bill" => Layout::WechatBill,
        "alipay_bill" => Layout::AlipayBill,
        "overseas_v2" => Layout::Overseas(Generation::V2),
        "overseas_v3" => Layout::Overseas(Generation::V3),
        _ if raw.starts_with(b"PK") || text.starts_with(b"#") => Layout::AlipayBill,
        _ => Layout::WechatBill,
    }
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
        ] {
            assert_eq!(layout(named, raw), expected, "{named} {}", String::from_utf8_lossy(raw));
        }
    }
}

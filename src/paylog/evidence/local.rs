//! Rows without a provider's reply: what the gateway's own error says (`spec/ttpay.md`, A.5 and D.5).
//!
//! Only errors that are known to stop a request before it leaves the gateway prove that nothing was sent; a time-out
//! proves nothing.

use super::{Action, Finding};

/// Parts of RES_MSG of requests that never left the gateway.
const NEVER_LEFT: &[&str] = &[
    // R090, R094: the gateway's own tables or sequence are missing.
    "表或视图不存在",
    "ORA-00942",
    "EB_OUTID_SEQUENCE",
    "ORA-02289",
    // R092, R093, R095: account, key, licence.
    "账号不存在",
    "私钥格式错误",
    "LicenseCheck",
    // R091 and its misspelling, R096: refused at Alipay's door. TRADE_NOT_ALLOWED_PAY is not among them.
    "ILLEGAL_PARTNER",
    "TLLEGAL_PAETNER",
    "HAS_NO_PRIVILEGE",
    "HASH_NO_PRIVILEGE",
    "ILLEGAL_SIGN",
    "ILLEGAL_ARGUMENT",
    "ILLEGAL_SERVICE",
    "ILLEGAL_FEE_PARAM",
    "ILLEGAL_LOGISTICS_FORMAT",
    // spec/alipay.md, 3.6: errors of the same gateway before any money moves.
    "ILLEGAL_EXTERFACE",
    "ILLEGAL_CHARSET",
    "ILLEGAL_PAYMENT_TYPE",
    "seller_not_in_specified_sellers",
    "SELLER_NOT_EXIST",
    "BUYER_SELLER_EQUAL",
    "TRADE_DATA_MATCH_ERROR",
    "业务数据被篡改",
];

/// What a row without RES_OBJ proves.
pub(in crate::paylog) fn without_reply(action: Action, res_err: &str, res_msg: &str) -> Finding {
    let failed = !matches!(res_err.trim(), "" | "0");
    if failed && NEVER_LEFT.iter().any(|words| res_msg.contains(words)) {
        action.not_sent()
    } else {
        action.unknown()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_error_is_not_sent_and_a_time_out_is_unknown() {
        for (err, msg, finding) in [
            ("1", "您使用的私钥格式错误，请检查RSA私钥配置,charset = utf-8", Finding::NotSent),
            ("1", "ORA-00942: 表或视图不存在", Finding::NotSent),
            ("-1", "执行异常，支付通信异常：TLLEGAL_PAETNER，是否重新选择支付方式？", Finding::NotSent),
            ("9", "账号不存在", Finding::NotSent),
            ("0", "账号不存在", Finding::Unknown),
            ("", "", Finding::Unknown),
            ("1", "操作超时", Finding::Unknown),
            ("1", "TRADE_NOT_ALLOWED_PAY", Finding::Unknown),
        ] {
            assert_eq!(without_reply(Action::Pay, err, msg), finding, "{err} {msg}");
        }
        assert_eq!(without_reply(Action::Refund, "9", "账号不存在"), Finding::RefundFailed);
        assert_eq!(
            without_reply(Action::Query, "9", "账号不存在"),
            Finding::Unknown,
            "a query proves nothing"
        );
        assert_eq!(without_reply(Action::Reverse, "", ""), Finding::ReverseUnknown);
    }
}

//! Every row of the verdict tables (`spec/ttpay.md`, D.5), and codes that no table lists.

use super::*;

/// `REQ_TYPE action | reply | finding amount time`.
#[track_caller]
pub(super) fn verdicts(table: &str) {
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut cells = line.rsplitn(2, '|').map(str::trim);
        let expected = cells.next().unwrap_or_default();
        let (asked, reply) = cells.next().unwrap_or_default().split_once('|').unwrap_or_default();
        let sample = sample(1, &format!("09:00:00 | {} | OutID=A1 | {}", asked.trim(), reply.trim()));
        let story = describe(&sample.row(), Rules::default());
        let amount = story.amount_minor.map(|m| format!(" {}", money::major(m, 2))).unwrap_or_default();
        let time = story.provider_at.map(|at| format!(" {}", at.compact())).unwrap_or_default();
        assert_eq!(format!("{}{amount}{time}", story.finding.as_str()), expected, "{line}\n{}", sample.reply);
    }
}

#[test]
fn wechat_payments() {
    verdicts(
        "WX createandpay | wx result_code=SUCCESS out_trade_no=A1 total_fee=3800 transaction_id=42 time_end=20161108081542 | paid 38.00 20161108081542
         WX micropay | wx result_code=SUCCESS total_fee=1 | paid 0.01
         WX_OS pay | wx result_code=SUCCESS total_fee=100 fee_type=USD | paid 1.00
         WX pay | wx result_code=SUCCESS prepay_id=wx2016 code_url=weixin://x | pending
         WX pay | wx return_code=FAIL return_msg=系统繁忙 | unknown
         WX pay | wx return_code=SYSTEMERROR | unknown
         WX pay | wx return_code=FAIL return_msg=签名错误 | not_paid
         WX pay | wx return_code=FAIL return_msg=缺少参数 | not_paid
         WX pay | wx result_code=FAIL err_code=USERPAYING | pending
         WX pay | wx result_code=FAIL err_code=SYSTEMERROR | unknown
         WX pay | wx result_code=FAIL err_code=BANKERROR | unknown
         WX pay | wx result_code=FAIL err_code=INVALID_REQUEST | unknown
         WX pay | wx result_code=FAIL err_code=OUT_TRADE_NO_USED | unknown
         WX pay | wx result_code=FAIL err_code=ORDERPAID | paid_weak
         WX pay | wx result_code=FAIL err_code=ORDERREVERSED | reversed_weak
         WX pay | wx result_code=FAIL err_code=ORDERCLOSED | closed_weak
         WX pay | wx result_code=FAIL err_code=AUTHCODEEXPIRE | not_paid
         WX pay | wx result_code=FAIL err_code=AUTH_CODE_ERROR | not_paid
         WX pay | wx result_code=FAIL err_code=AUTH_CODE_INVALID | not_paid
         WX pay | wx result_code=FAIL err_code=NOTENOUGH | not_paid
         WX pay | wx result_code=FAIL err_code=NOTSUPORTCARD | not_paid
         WX pay | wx result_code=FAIL err_code=BUYER_MISMATCH | not_paid
         WX pay | wx result_code=FAIL err_code=PARAM_ERROR | not_paid
         WX pay | wx result_code=FAIL err_code=SIGNERROR | not_paid
         WX pay | wx result_code=FAIL err_code=NOAUTH | not_paid
         WX pay | wx result_code=FAIL err_code=LACK_PARAMS | not_paid
         WX pay | wx result_code=FAIL err_code=APPID_MCHID_NOT_MATCH | not_paid
         WX pay | wx result_code=FAIL err_code=NEWLY_INVENTED | unknown
         WX pay | wx result_code=FAIL | unknown
         WX pay | wx foo=bar | unknown",
    );
}

#[test]
fn wechat_queries() {
    verdicts(
        "WX orderquery | wx result_code=SUCCESS trade_state=SUCCESS total_fee=100 time_end=20161108090003 | paid 1.00 20161108090003
         WX orderquery | wx result_code=SUCCESS trade_state=REFUND total_fee=100 | paid 1.00
         WX orderquery | wx result_code=SUCCESS trade_state=NOTPAY | not_yet_paid
         WX orderquery | wx result_code=SUCCESS trade_state=CLOSED | closed
         WX orderquery | wx result_code=SUCCESS trade_state=REVOKED | reversed
         WX orderquery | wx result_code=SUCCESS trade_state=USERPAYING | pending
         WX orderquery | wx result_code=SUCCESS trade_state=ACCEPT | pending
         WX orderquery | wx result_code=SUCCESS trade_state=PAYERROR | not_paid_for_good
         WX orderquery | wx result_code=SUCCESS trade_state=NEWLY_INVENTED | unknown
         WX orderquery | wx result_code=SUCCESS | unknown
         WX orderquery | wx result_code=FAIL err_code=ORDERNOTEXIST | not_found
         WX orderquery | wx result_code=FAIL err_code=SYSTEMERROR | unknown
         WX createandpay | wx result_code=SUCCESS trade_state=NOTPAY total_fee=100 | not_yet_paid 1.00
         WX createandpay | wx result_code=SUCCESS trade_state=SUCCESS total_fee=100 | paid 1.00",
    );
}

#[test]
fn wechat_refunds_and_reversals() {
    verdicts(
        "WX refund | wx result_code=SUCCESS refund_fee=300 refund_id=50 out_refund_no=R1 total_fee=900 | refund_done 3.00
         WX refund | wx result_code=FAIL err_code=SYSTEMERROR | refund_unknown
         WX refund | wx result_code=FAIL err_code=BIZERR_NEED_RETRY | refund_unknown
         WX refund | wx result_code=FAIL err_code=NOTENOUGH | refund_failed
         WX refund | wx return_code=FAIL return_msg=签名错误 | refund_unknown
         WX refundquery | wx result_code=SUCCESS refund_status_0=SUCCESS out_refund_no_0=R1 refund_fee_0=1 | nothing
         WX reverse | wx result_code=SUCCESS recall=N | reversed
         WX reverse | wx result_code=SUCCESS | reversed
         WX reverse | wx result_code=SUCCESS recall=Y | reverse_unknown
         WX reverse | wx result_code=FAIL err_code=SYSTEMERROR recall=Y | reverse_unknown
         WX reverse | wx result_code=FAIL err_code=NEWLY_INVENTED | reverse_unknown
         WX closeorder | wx result_code=SUCCESS | closed_by_us
         WX closeorder | wx result_code=FAIL err_code=ORDERPAID | paid_weak",
    );
}

#[test]
fn alipay_json_payments_and_queries() {
    verdicts(
        "ALI_20 createandpay | ali20 pay code=10000 trade_no=2016 total_amount=88.88 receipt_amount=80.00 gmt_payment=2016-11-08~09:00:03 | paid 88.88 20161108090003
         ALI_20 pay | ali20 pay code=10003 | pending
         ALI_20 pay | ali20 pay code=20000 sub_code=isp.unknow-error | unknown
         ALI_20 pay | ali20 pay code=40004 sub_code=ACQ.TRADE_HAS_SUCCESS total_amount=0.00 | paid_weak 0.00
         ALI_20 pay | ali20 pay code=40004 sub_code=ACQ.TRADE_HAS_CLOSE | closed_weak
         ALI_20 pay | ali20 pay code=40004 sub_code=ACQ.SYSTEM_ERROR | unknown
         ALI_20 pay | ali20 pay code=40004 sub_code=isp.unknow-error | unknown
         ALI_20 pay | ali20 pay code=40004 sub_code=ACQ.CONTEXT_INCONSISTENT | contradiction
         ALI_20 pay | ali20 pay code=40004 sub_code=ACQ.BUYER_BALANCE_NOT_ENOUGH | not_paid
         ALI_20 pay | ali20 pay code=40004 sub_code=ACQ.PAYMENT_AUTH_CODE_INVALID | not_paid
         ALI_20 pay | ali20 pay code=40004 sub_code=ACQ.NEWLY_INVENTED | unknown
         ALI_20 pay | ali20 pay code=20001 | not_sent
         ALI_20 pay | ali20 pay code=40001 | not_sent
         ALI_20 pay | ali20 pay code=40002 | not_sent
         ALI_20 pay | ali20 pay code=40006 | not_sent
         ALI_20 pay | ali20 pay code=50000 | unknown
         ALI_20 pay | ali20 query code=10000 trade_status=WAIT_BUYER_PAY | pending
         ALI_20 orderquery | ali20 query code=10000 trade_status=WAIT_BUYER_PAY | pending
         ALI_20 orderquery | ali20 query code=10000 trade_status=TRADE_SUCCESS total_amount=1.00 send_pay_date=2016-11-08~09:00:03 | paid 1.00 20161108090003
         ALI_20 orderquery | ali20 query code=10000 trade_status=TRADE_FINISHED total_amount=1.00 | paid 1.00
         ALI_20 orderquery | ali20 query code=10000 trade_status=TRADE_PENDING total_amount=1.00 | paid_weak 1.00
         ALI_20 orderquery | ali20 query code=10000 trade_status=TRADE_CLOSED | closed_or_refunded
         ALI_20 orderquery | ali20 query code=10000 trade_status=TRADE_CLOSED additional_trade_status=DAEMON_CONFIRM_CLOSE | closed
         ALI_20 orderquery | ali20 query code=10000 trade_status=WAIT_SELLER_SEND_GOODS | held
         ALI_20 orderquery | ali20 query code=10000 trade_status=NEWLY_INVENTED | unknown
         ALI_20 orderquery | ali20 query code=10000 | unknown
         ALI_20 orderquery | ali20 query code=40004 sub_code=ACQ.TRADE_NOT_EXIST | not_found
         ALI_20 orderquery | ali20 query code=40004 sub_code=ACQ.SYSTEM_ERROR | unknown
         ALI_20 precreate | ali20 precreate code=10000 qr_code=https://qr | pending",
    );
}

#[test]
fn alipay_json_refunds_and_reversals() {
    verdicts(
        "ALI_20 refund | ali20 refund code=10000 fund_change=Y refund_fee=3.00 gmt_refund_pay=2016-11-08~10:00:00 | refund_done 3.00 20161108100000
         ALI_20 refund | ali20 refund code=10000 fund_change=Y refund_fee=3.00 send_back_fee=2.00 | refund_done 2.00
         ALI_20 refund | ali20 refund code=10000 fund_change=N refund_fee=3.00 | refund_repeated 3.00
         ALI_20 refund | ali20 refund code=10000 refund_fee=3.00 | refund_unknown 3.00
         ALI_20 refund | ali20 refund code=20000 | refund_unknown
         ALI_20 refund | ali20 refund code=40004 sub_code=ACQ.SYSTEM_ERROR | refund_unknown
         ALI_20 refund | ali20 refund code=40004 sub_code=ACQ.REFUND_AMT_NOT_EQUAL_TOTAL | refund_failed
         ALI_20 refund | ali20 refund code=40004 sub_code=ACQ.NEWLY_INVENTED | refund_unknown
         ALI_20 refund | ali20 refund code=40002 | refund_failed
         ALI_20 refundquery | ali20 fastpay_refund_query code=10000 refund_amount=3.00 out_request_no=R1 | refund_done 3.00
         ALI_20 refundquery | ali20 fastpay_refund_query code=10000 | refund_failed
         ALI_20 cancel | ali20 cancel code=10000 action=close retry_flag=N | closed_by_us
         ALI_20 cancel | ali20 cancel code=10000 action=refund retry_flag=N | reversed
         ALI_20 cancel | ali20 cancel code=10000 retry_flag=N | nothing_to_reverse
         ALI_20 cancel | ali20 cancel code=10000 action=refund retry_flag=Y | reverse_unknown
         ALI_20 cancel | ali20 cancel code=20000 | reverse_unknown
         ALI_20 close | ali20 close code=10000 | closed_by_us",
    );
}

#[test]
fn alipay_xml() {
    verdicts(
        "ALI createandpay | ali1 result_code=ORDER_SUCCESS_PAY_SUCCESS trade_no=2016 total_fee=1.50 gmt_payment=2016-11-08~09:00:03 | paid 1.50 20161108090003
         ALI createandpay | ali1 result_code=ORDER_SUCCESS_PAY_INPROCESS | pending
         ALI createandpay | ali1 result_code=ORDER_SUCCESS_PAY_FAIL | not_paid
         ALI createandpay | ali1 result_code=ORDER_FAIL detail_error_code=BUYER_BALANCE_NOT_ENOUGH | not_paid
         ALI createandpay | ali1 result_code=ORDER_FAIL detail_error_code=TRADE_HAS_SUCCESS | paid_weak
         ALI createandpay | ali1 result_code=ORDER_FAIL detail_error_code=SYSTEM_ERROR | unknown
         ALI createandpay | ali1 result_code=UNKNOWN | unknown
         ALI createandpay | ali1 is_success=F error=ILLEGAL_PARTNER | not_sent
         ALI createandpay | ali1 is_success=F error=TRADE_NOT_ALLOWED_PAY | unknown
         ALI createandpay | ali1 is_success=F error=SYSTEM_ERROR | unknown
         ALI orderquery | ali1 result_code=SUCCESS trade_status=WAIT_BUYER_PAY | pending
         ALI orderquery | ali1 result_code=SUCCESS trade_status=TRADE_SUCCESS total_fee=1.00 | paid 1.00
         ALI orderquery | ali1 result_code=SUCCESS trade_status=TRADE_FINISHED total_fee=1.00 | paid 1.00
         ALI orderquery | ali1 result_code=SUCCESS trade_status=TRADE_CLOSED | closed_or_refunded
         ALI orderquery | ali1 result_code=SUCCESS trade_status=TRADE_PENDING | paid_weak
         ALI orderquery | ali1 result_code=FAIL detail_error_code=TRADE_NOT_EXIST | not_found
         ALI orderquery | ali1 result_code=PROCESS_EXCEPTION | unknown
         ALI refund | ali1 result_code=SUCCESS fund_change=Y refund_fee=3.00 | refund_done 3.00
         ALI refund | ali1 result_code=SUCCESS fund_change=N refund_fee=3.00 | refund_repeated 3.00
         ALI refund | ali1 result_code=FAIL | refund_failed
         ALI refund | ali1 result_code=UNKNOWN | refund_unknown
         ALI cancel | ali1 result_code=SUCCESS action=refund retry_flag=N | reversed
         ALI cancel | ali1 result_code=SUCCESS action=close retry_flag=N | closed_by_us
         ALI cancel | ali1 result_code=UNKNOWN | reverse_unknown
         ALI cancel | ali1 result_code=FAIL retry_flag=Y | reverse_unknown",
    );
}

#[test]
fn rows_without_a_reply() {
    verdicts(
        "WX createandpay | - | unknown
         WX createandpay | err 0 | unknown
         WX createandpay | err 1 操作超时 | unknown
         WX createandpay | err 1 无法连接到远程服务器 | unknown
         ALI_20 createandpay | err 1 您使用的私钥格式错误，请检查RSA私钥配置,charset~=~utf-8 | not_sent
         ALI_20 orderquery | err 1 您使用的私钥格式错误，请检查RSA私钥配置 | unknown
         ALI createandpay | err 1 支付通信异常：TLLEGAL_PAETNER | not_sent
         WX createandpay | err 9 账号不存在 | not_sent
         WX refund | err 9 账号不存在 | refund_failed
         WX refund | - | refund_unknown
         WX reverse | - | reverse_unknown
         WX orderquery | - | unknown
         WX printreceipt | - | nothing",
    );
}

#[test]
fn other_actions_are_judged_by_what_the_reply_holds() {
    verdicts(
        "WX scanpay2 | wx result_code=SUCCESS transaction_id=42 time_end=20161108090003 total_fee=100 | paid 1.00 20161108090003
         WX scanpay2 | wx result_code=SUCCESS out_refund_no=R1 refund_fee=100 | refund_done 1.00
         WX scanpay2 | wx result_code=SUCCESS recall=N | reversed
         WX scanpay2 | wx result_code=SUCCESS trade_state=SUCCESS total_fee=100 | paid 1.00
         WX scanpay2 | wx result_code=SUCCESS | nothing
         ALI_20 tradepay2 | ali20 pay code=10000 total_amount=1.00 | paid 1.00
         ALI tradepay2 | ali1 result_code=ORDER_SUCCESS_PAY_SUCCESS total_fee=1.00 | paid 1.00",
    );
}

#[test]
fn content_decides_the_family_and_the_type_is_noted() {
    // FAQ 2: a till that still asks for ALI meets a 2.0 account.
    check(
        "09:00:00 | ALI createandpay | OutID=A1 TotalFee=100 | ali20 pay code=10000 out_trade_no=A1 trade_no=2016 total_amount=1.00",
        "11-08 payment A1 - paid 1.00 2016 day family",
    );
}

#[test]
fn what_is_absent_from_a_broken_reply_proves_nothing() {
    let cut = |action: &str, whole: &str, at: &str| {
        let text = reply(whole);
        let end = text.find(at).unwrap_or_else(|| panic!("{at} in {text}"));
        let sample = Sample {
            date: "2016-11-08 09:00:00".into(),
            req_type: "WX".into(),
            action: action.into(),
            request: request(1, "WX", "OutID=A1"),
            reply: text[..end].to_owned(),
            ..Sample::default()
        };
        describe(&sample.row(), Rules::default()).finding
    };
    let paid = "wx result_code=SUCCESS total_fee=100 transaction_id=42 time_end=20161108090003";
    assert_eq!(cut("pay", paid, "<time_end>"), Finding::Paid, "a complete success was read");
    assert_eq!(cut("pay", paid, "<result_code>"), Finding::Unknown);
    assert_eq!(cut("orderquery", "wx result_code=SUCCESS trade_state=CLOSED x=y", "<x>"), Finding::Unknown);
    assert_eq!(cut("orderquery", "wx result_code=SUCCESS trade_state=SUCCESS x=y", "<x>"), Finding::Paid);
    assert_eq!(cut("pay", "wx result_code=FAIL err_code=NOTENOUGH x=y", "<x>"), Finding::Unknown);
    assert_eq!(cut("pay", "wx result_code=FAIL err_code=ORDERPAID x=y", "<x>"), Finding::PaidWeak);
    assert_eq!(cut("reverse", "wx result_code=SUCCESS recall=Y", "<recall>"), Finding::ReverseUnknown);
    assert_eq!(cut("reverse", "wx result_code=SUCCESS recall=N x=y", "<x>"), Finding::Reversed);
    assert_eq!(cut("refund", "wx result_code=SUCCESS refund_fee=1 x=y", "<x>"), Finding::RefundDone);
    assert_eq!(cut("refund", "wx result_code=FAIL err_code=ERROR x=y", "<x>"), Finding::RefundUnknown);
    let cancel = "ali20 cancel code=10000 trade_no=2016 action=close";
    assert_eq!(
        cut("cancel", cancel, ",\"action"),
        Finding::ReverseUnknown,
        "nothing to reverse is not proven"
    );
    let refund = "ali20 refund code=10000 refund_fee=1.00 fund_change=Y";
    assert_eq!(cut("refund", refund, "},\"sign"), Finding::RefundDone);
    assert_eq!(cut("refund", refund, ",\"fund_change"), Finding::RefundUnknown);
}

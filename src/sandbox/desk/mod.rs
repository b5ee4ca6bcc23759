//! The providers' HTTP interfaces, one file for each; which path belongs to which is said here.

mod alipay_global;
mod alipay_log;
mod alipay_mapi;
mod alipay_open;
mod alipay_order;
mod alipay_trade;
mod teegon;
mod tianta;
mod wechat_v2;
mod ttpay;
mod ttpay_wire;
mod wechat_global;
mod wechat_order;
mod wechat_sign;
mod wechat_v3;

use axum::http::HeaderMap;

use super::server::{Answer, House};

/// A request as it arrived.
#[derive(Clone, Copy)]
pub(super) struct Call<'c> {
    pub(super) method: &'c str,
    pub(super) path: &'c str,
    /// As sent, without the question mark; empty if there is none.
    pub(super) query: &'c str,
    pub(super) headers: &'c HeaderMap,
    pub(super) body: &'c [u8],
}

pub(super) use alipay_mapi::signature_of as mapi_signature;
pub(super) use teegon::signature as teegon_signature;

type Desk = fn(&House, &Call<'_>) -> Answer;

/// Paths and who answers there; one that ends in `/` stands for everything below it.
static DESKS: &[(&str, Desk)] = &[
    ("/pay/downloadbill", wechat_v2::answer),
    ("/gateway.do", gateway),
    ("/scanpay.php/", tianta::answer),
    ("/tianta/", tianta::answer),
    ("/charge/", teegon::answer),
    ("/v1/charge/", teegon::answer),
    ("/v1/account/", teegon::answer),
    ("/downloadBillFile.resource", alipay_open::download),
    ("/pay/downloadfundflow", wechat_v2::fund_flow),
    ("/pay/orderquery", wechat_order::order),
    ("/pay/refundquery", wechat_order::refund),
    ("/v3/bill/tradebill", wechat_v3::trade_bill),
    ("/v3/bill/fundflowbill", wechat_v3::fund_flow_bill),
    ("/v3/billdownload/file", wechat_v3::download),
    ("/v3/certificates", wechat_v3::certificates),
    ("/v3/pay/transactions/", wechat_v3::order),
    ("/v3/refund/domestic/refunds/", wechat_v3::refund),
    ("/v3/global/statements", wechat_global::statement),
    ("/Service1.svc", ttpay::soap),
    ("/Service1.svc/", ttpay::rest),
];

/// Two interfaces of Alipay share a path: the old one is asked for a `service`, the open one for a `method`.
fn gateway(house: &House, call: &Call<'_>) -> Answer {
    if alipay_mapi::is_for(call) {
        alipay_mapi::answer(house, call)
    } else {
        alipay_open::gateway(house, call)
    }
}

pub(super) fn answer(house: &House, call: &Call<'_>) -> Answer {
    let is_at = |path: &str| call.path == path || (path.ends_with('/') && call.path.starts_with(path));
    match DESKS.iter().find(|(path, _)| is_at(path)) {
        Some((_, desk)) => desk(house, call),
        None => Answer::status(404, "the sandbox has no such desk"),
    }
}

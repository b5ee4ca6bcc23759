//! WeChat Pay overseas, API v3: `GET /v3/global/statements` (`spec/wechat.md` 4.2). The body is the statement itself,
//! signed like any reply; its SHA-1 stands in a header of its own, in hex. Gzip is a true encoding of HTTP here.

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::wechat_sign::{self, Caller, Fail, NO_AUTH, NO_STATEMENT, PARAM_ERROR};
use super::{Call, wechat_v3};
use crate::domain::BillDate;
use crate::sandbox::form::{fields, value};
use crate::sandbox::mishap::{Desk, Mishap};
use crate::sandbox::paper::Paper;
use crate::sandbox::server::{Answer, Content, House, Want};
use crate::sandbox::town::ACCOUNTS;

const HASH_HEADER: &str = "wechatpay-statement-sha1";

pub(super) fn statement(house: &House, call: &Call<'_>) -> Answer {
    let caller = match wechat_sign::caller(house, call) {
        Ok(caller) => caller,
        Err(fail) => return wechat_sign::failed(fail, None),
    };
    match found(house, call, caller) {
        Ok((bytes, hash, mishap)) => {
            let wants_gzip = call.headers.get("accept-encoding").and_then(|value| value.to_str().ok());
            let wants_gzip = wants_gzip.is_some_and(|encodings| encodings.contains("gzip"));
            let sent = if wants_gzip { wechat_v3::gzipped(&bytes) } else { bytes.clone() };
            let mut answer = Answer::ok("text/plain; charset=utf-8", sent);
            if wants_gzip {
                answer = answer.with_header("content-encoding", "gzip".to_owned());
            }
            let signed = wechat_sign::signed(answer.with_header(HASH_HEADER, hash), caller, &bytes, mishap);
            signed.after(mishap)
        }
        Err(fail) => wechat_sign::failed(fail, Some(caller)),
    }
}

type Found = (Bytes, String, Option<Mishap>);

/// The statement, its hash as the header has it, and what is wrong with the answer.
fn found(house: &House, call: &Call<'_>, caller: Caller) -> Result<Found, Fail> {
    let query = fields(call.query).unwrap_or_default();
    let merchant = ACCOUNTS[usize::from(caller.account)].merchant;
    if call.method != "GET" {
        return Err((405, "INVALID_REQUEST", "请求方法不支持"));
    }
    if value(&query, "mchid") != merchant {
        return Err(if value(&query, "mchid").is_empty() { PARAM_ERROR } else { NO_AUTH });
    }
    let date = value(&query, "date");
    let date = BillDate::parse(date).filter(|_| date.len() == 8).ok_or(PARAM_ERROR)?;
    let mishap = house.mishap(Desk::WechatGlobal, caller.account, date);
    if let Some(fail) = wechat_v3::refusal(mishap) {
        return Err(fail);
    }
    let content = Content::after(mishap);
    let want = Want {
        account: caller.account,
        date: if mishap == Some(Mishap::Replayed) { wechat_v3::neighbour(house, date) } else { date },
        paper: Paper::WechatOverseas,
        whole: false,
        content,
        gzip: false,
    };
    let bytes = house.statement(want).ok_or(NO_STATEMENT)?;
    let other = Want { date: wechat_v3::neighbour(house, date), ..want };
    let hash = match mishap {
        Some(Mishap::WrongHash) => hex::encode(Sha1::digest(b"another file")),
        Some(Mishap::HashOfAnotherDay) => {
            hex::encode(Sha1::digest(house.statement(other).ok_or(NO_STATEMENT)?))
        }
        Some(Mishap::HashInBase64) => STANDARD.encode(Sha1::digest(&bytes)),
        _ => hex::encode(Sha1::digest(&bytes)),
    };
    Ok((bytes, hash, mishap))
}

//! The desks that are asked about one order where a statement leaves a doubt.

use nightjob::domain::{Exit, State};
use nightjob::sandbox::{Desk, Mishap, Tries};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Told(State),
    NotFound,
    Refused,
    /// The answer may not be believed.
    Rejected,
    /// No answer, and this code.
    Ends(Exit),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Doubt {
    pub(crate) account: &'static str,
    pub(crate) desk: Desk,
    pub(crate) tries: Tries,
    pub(crate) mishap: Mishap,
    pub(crate) then: Answer,
}

type At = (&'static str, Desk);

const WECHAT: At = ("mall-wx", Desk::WechatOrder);
const WECHAT_V3: At = ("mall-wx3", Desk::WechatOrder);
const ALIPAY: At = ("mall-ali", Desk::AlipayTrade);
const ALIPAY_OLD: At = ("mall-ali1", Desk::AlipayOrder);
const GATEWAY: At = ("mall-gw", Desk::GatewayOrder);

const ALL: &[At] = &[WECHAT, WECHAT_V3, ALIPAY, ALIPAY_OLD, GATEWAY];

pub(crate) fn doubts() -> Vec<Doubt> {
    let paid = Answer::Told(State::Paid);
    let passing = Answer::Ends(Exit::Passing);
    let rejected = Answer::Ends(Exit::Rejected);
    let mut all = Vec::new();
    let mut add = |desks: &[At], tries, mishap, then| {
        all.extend(desks.iter().map(|&(account, desk)| Doubt { account, desk, tries, mishap, then }));
    };
    for mishap in
        [Mishap::Status(502), Mishap::TooMany { retry_after_seconds: 1 }, Mishap::CutShort, Mishap::Busy]
    {
        add(ALL, Tries::First(1), mishap, paid);
        add(ALL, Tries::Always, mishap, passing);
    }
    for mishap in [Mishap::ZeroBytes, Mishap::Html, Mishap::StackTrace] {
        add(&[WECHAT, ALIPAY, ALIPAY_OLD, GATEWAY], Tries::Always, mishap, rejected);
        // What is not signed by WeChat is not asked for again.
        add(&[WECHAT_V3], Tries::Always, mishap, Answer::Rejected);
    }
    add(ALL, Tries::Always, Mishap::Huge { mebibytes: 6 }, rejected);
    for mishap in [Mishap::Redirect, Mishap::RedirectTo("http://169.254.169.254/latest/meta-data/")] {
        add(ALL, Tries::Always, mishap, Answer::Rejected);
    }
    for mishap in [Mishap::Status(401), Mishap::Status(403), Mishap::Refused] {
        add(ALL, Tries::Always, mishap, Answer::Refused);
    }
    add(&[WECHAT, WECHAT_V3, ALIPAY, ALIPAY_OLD], Tries::Always, Mishap::WrongSignature, Answer::Rejected);
    add(&[ALIPAY, ALIPAY_OLD], Tries::Always, Mishap::Unsigned, Answer::Rejected);
    add(&[ALIPAY, ALIPAY_OLD], Tries::Always, Mishap::ChangedAfterSigning, Answer::Rejected);
    add(&[ALIPAY, ALIPAY_OLD], Tries::Always, Mishap::OtherOrder, Answer::Rejected);
    add(&[ALIPAY, ALIPAY_OLD], Tries::Always, Mishap::UnknownOrder, Answer::NotFound);
    add(&[WECHAT, WECHAT_V3], Tries::Always, Mishap::MissingSignature, Answer::Rejected);
    for mishap in [Mishap::UnknownSerial, Mishap::StaleTimestamp, Mishap::ProbeSignature] {
        add(&[WECHAT_V3], Tries::Always, mishap, Answer::Rejected);
    }
    add(&[GATEWAY], Tries::Always, Mishap::CrossedCrc, rejected);
    add(&[GATEWAY], Tries::Always, Mishap::Alert, paid);
    all
}

//! Scripted faults of the simulated providers: which, at which desk, on which try.
//!
//! A try is one well-signed request for one account and one bill date at one desk, counted from 1; so a fault that is
//! scripted for the first three tries heals on the fourth.

use std::time::Duration;

pub use super::trouble::{Spoil, ZipTrouble};
use crate::domain::BillDate;

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Desk {
    /// `POST /pay/downloadbill`
    WechatBill,
    /// `POST /gateway.do`
    AlipayGateway,
    /// `GET /downloadBillFile.resource`
    AlipayDownload,
    /// `GET /v3/bill/tradebill`
    WechatApply,
    /// The address that a bill of `/v3/bill/…` is fetched from.
    WechatDownload,
    /// `POST /pay/downloadfundflow` and `GET /v3/bill/fundflowbill`
    WechatFundFlow,
    /// `GET /v3/global/statements`
    WechatGlobal,
    /// Order and refund queries, v2 and v3. They name no date; their tries count on the simulated bill date.
    WechatOrder,
    /// The gateway's `downloadbill`. Each chunk is a request, and so a try.
    Gateway,
    /// The gateway's `orderquery`; dates as for [`Desk::WechatOrder`].
    GatewayOrder,
    /// `alipay.trade.query` and the refund's query at `POST /gateway.do`; its date is the order's.
    AlipayTrade,
    /// The old interface at `/gateway.do`: ledger pages and the ledger as CSV. Each page is a try.
    AlipayMapi,
    /// `single_trade_query` at `/gateway.do`; its date is the order's.
    AlipayOrder,
    /// `forex_compare_file` and `forex_liquidation_file` at `/gateway.do`.
    AlipayForex,
    /// `POST /scanpay.php/Gateway/query` and `…/refund_query`; its date is the order's.
    Tianta,
    /// `POST /charge/barcode_pay_status` and the extended calls; its date is the order's, of a list the first day's.
    Teegon,
}

/// What goes wrong. Where no desk is named, it can happen at all three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    Status(u16),
    /// 429 with `Retry-After`.
    TooMany {
        retry_after_seconds: u32,
    },
    /// The right answer, after this pause.
    Slow(Duration),
    /// The connection breaks in the middle of the body.
    CutShort,
    /// An apology in HTML, with status 200.
    Html,
    ZeroBytes,
    /// 302 to another address of this server.
    Redirect,
    /// `Bill Creating`; `BILL_NOT_EXIST`. (WeChat's desk and Alipay's gateway.)
    NotReady,
    /// `No Bill Exist`; `NO_BILL_DATA`. (WeChat's desk and Alipay's gateway.)
    NoBill,
    /// `EMPTY_DATA_WITH_BILL_FILE` and a file without rows. (Alipay's gateway.)
    EmptyFile,
    /// `SYSTEMERROR`; `isp.unknow-error`. (WeChat's desk and Alipay's gateway.)
    Busy,
    /// 20007, the bill API is closed for this merchant; `isv.insufficient-isv-permissions`. (WeChat's desk and Alipay's
    /// gateway.)
    Refused,
    /// `sign error`, as after a changed key; a reply of Alipay whose signature is not Alipay's. (WeChat's desk and
    /// Alipay's gateway.)
    WrongSignature,
    /// A download address on a host that is not Alipay's. (Alipay's gateway.)
    ForeignHost,
    /// The bill of another merchant. (WeChat's desk and Alipay's download.)
    OtherMerchant,
    /// The bill of the day before, or after if there is none before. (WeChat's desk and Alipay's download.)
    OtherDay,
    /// A stated total is one fen off. (WeChat's desk and Alipay's download.)
    TotalsOff,
    /// The last third of the file is missing, though the transfer was complete. (WeChat's desk and Alipay's download.)
    Torn,

    // ---- transport and encoding, at every desk
    /// 302 to this address: another host, plain http, a link-local one.
    RedirectTo(&'static str),
    /// 206 that nobody asked for, with the first half of the body.
    Partial,
    /// A body of this many MiB that says nothing about its length.
    Huge {
        mebibytes: u32,
    },
    /// The gzip twice, as two members. (Where the answer is a gzip; so for the next three.)
    TwoGzipMembers,
    /// The check sum in the gzip's trailer is wrong.
    GzipTrailerWrong,
    /// Plain bytes where a gzip was asked for and promised.
    NotGzip,
    /// Bytes after the gzip's end.
    TrailingGarbage,
    /// A .NET stack trace, with status 200.
    StackTrace,
    /// `{"code":"SYSTEM_ERROR"}` with status 200.
    JsonError,

    // ---- integrity (WeChat v3; hashes also v2's fund flow and the gateway)
    /// 401 `SIGN_ERROR`, as after a changed key or with a wrong clock.
    SignError,
    /// A hash of nothing that was sent.
    WrongHash,
    /// The hash of the statement of another day.
    HashOfAnotherDay,
    /// The statement's hash in base64, a reading that the overseas document allows. (Overseas.)
    HashInBase64,
    /// A reply without signature headers.
    MissingSignature,
    /// A reply signed under a serial that nobody knows.
    UnknownSerial,
    /// Yesterday's reply about another day's bill, with the signature it had then.
    Replayed,
    /// A reply that is rightly signed, for an instant six minutes ago.
    StaleTimestamp,
    /// A signature beginning `WECHATPAY/SIGNTEST/`, as WeChat sends to find clients that do not verify.
    ProbeSignature,

    // ---- contents (WeChat's layouts)
    /// Rows of another sub-merchant stand in it: the service provider's whole bill.
    SubMerchantsMixed,
    /// The trailer is missing.
    TotalsMissing,
    /// The trailer stands there twice.
    TotalsTwice,
    /// The trailer counts one row too many.
    CountOff,
    /// A row's state is a word that nobody knows.
    UnknownState,
    /// An amount is written `1e3`.
    OddAmount,
    /// A column that is needed has another title.
    RenamedColumn,
    /// The file is in UTF-16.
    Utf16,
    /// A balance does not follow from the one before. (Fund flow.)
    BalanceOff,
    /// A later version of the file: refunds on their way have arrived. It adds up as before.
    Revised,
    /// A cell of 70,000 letters.
    LongLine,
    /// A NUL in a cell.
    NulByte,

    // ---- the gateway
    /// Success, and an empty ResObj, as from a gateway that does not know the action.
    EmptyResult,
    /// Plain where base64 was asked for, and the other way round.
    Base64Mismatch,
    /// The CRC of another request.
    CrossedCrc,
    /// The echo names another seller.
    OtherSeller,
    /// The echo names the day before.
    OtherEcho,
    /// A chunk is left out: half of this one is sent, and it is called the last.
    MissingChunk,
    /// ResObj is the provider's bytes themselves, without the envelope around them.
    PassedThrough,
    /// A warning in Alert; all else is right.
    Alert,
    /// SOAP elements `ErrorCode`, `ResObj`, … in place of one text.
    BareElements,
    /// A good answer without its signature. (Alipay's desks but the download.)
    Unsigned,
    /// An amount that was changed after the answer had been signed. (Alipay's desks but the download.)
    ChangedAfterSigning,
    /// The page before once more, under the number of the page that was asked for. (Ledger pages.)
    PageRepeated,
    /// There is always a next page, and nothing on it. (Ledger pages, Teegon's lists.)
    EndlessPages,
    /// An answer about the account's next order. (Order desks, TianTa, Teegon.)
    OtherOrder,
    /// The answer about an order that the provider does not know. (Order desks, TianTa, Teegon.)
    UnknownOrder,
    /// XML with entities that grow to a gigabyte. (Old interface.)
    EntityBomb,
    /// XML with an entity that is a file of the reader's machine. (Old interface.)
    ExternalEntity,
    /// GBK under the name of UTF-8. (Old interface.)
    GbkDeclaredUtf8,
    /// UTF-8 under the name of GBK. (Old interface.)
    Utf8DeclaredGbk,
    /// `File download failed`, in text. (`forex_compare_file`.)
    DownloadFailed,
    /// One cell, line or column is not as it should be. (Alipay's download.)
    Spoiled(Spoil),
    /// A zip that is out to harm, or is another one than announced. (Alipay's download.)
    Zip(ZipTrouble),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tries {
    /// The first `n`.
    First(u32),
    /// Only this one, counted from 1.
    Only(u32),
    Always,
}

impl Tries {
    fn hold(self, number: u32) -> bool {
        match self {
            Tries::First(count) => number <= count,
            Tries::Only(one) => number == one,
            Tries::Always => true,
        }
    }
}

/// One line of a script. The first rule that fits a try decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub desk: Desk,
    /// `None` = every account.
    pub account: Option<&'static str>,
    /// `None` = every bill date.
    pub date: Option<BillDate>,
    pub tries: Tries,
    pub mishap: Mishap,
}

impl Rule {
    /// A rule for every account and date.
    pub fn new(desk: Desk, tries: Tries, mishap: Mishap) -> Rule {
        Rule { desk, account: None, date: None, tries, mishap }
    }

    #[must_use]
    pub fn of(mut self, account: &'static str) -> Rule {
        self.account = Some(account);
        self
    }

    #[must_use]
    pub fn on(mut self, date: BillDate) -> Rule {
        self.date = Some(date);
        self
    }

    pub(super) fn fits(&self, desk: Desk, account: &str, date: BillDate, number: u32) -> bool {
        self.desk == desk
            && self.account.is_none_or(|name| name == account)
            && self.date.is_none_or(|day| day == date)
            && self.tries.hold(number)
    }
}

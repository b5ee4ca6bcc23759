//! What `single_trade_query` says of one trade: the states of escrow and of instant payment (`spec/alipay.md` 6).

use crate::channel::mapi_reply::{self, Reply, Trouble, may_pass, said};
use crate::channel::{Exhausted, Heard, Inquiry, Judged, Told, shown, unless_ok};
use crate::domain::{Currency, EntryKind, Moment, State, money};

pub(super) fn judge(inquiry: &Inquiry, heard: &[Heard]) -> Judged {
    let Some(last) = heard.last() else {
        return Judged::Unaskable("neither its order number nor its trade number is known".into());
    };
    if let Some(step) = unless_ok(last) {
        return step.into();
    }
    match mapi_reply::open(&inquiry.account, last) {
        Ok(reply) => of_trade(inquiry, &reply),
        Err(Trouble::Broken(why)) => {
            Judged::Again { why, when_exhausted: Exhausted::Rejected, at_least_seconds: 0 }
        }
        Err(Trouble::Unbelievable(why)) => Judged::Rejected(why),
        Err(Trouble::Error(code)) if code == "TRADE_NOT_EXIST" => Judged::NotFound,
        Err(Trouble::Error(code)) if may_pass(&code) => {
            Judged::Again { why: said(&code), when_exhausted: Exhausted::Passing, at_least_seconds: 0 }
        }
        Err(Trouble::Error(code)) => Judged::Refused(said(&code)),
    }
}

fn of_trade(inquiry: &Inquiry, reply: &Reply) -> Judged {
    let (order_no, trade_no) = (reply.field("out_trade_no"), reply.field("trade_no"));
    let other = |asked: &str, came: &str| !asked.is_empty() && asked != came;
    let trade_differs = !trade_no.is_empty() && other(&inquiry.trade_no, trade_no);
    let order_differs =
        if inquiry.order_no.is_empty() { trade_no != inquiry.trade_no } else { order_no != inquiry.order_no };
    if reply.payload != "trade" || order_differs || trade_differs {
        return Judged::Rejected(format!(
            "Alipay answered about another trade: {} {}",
            shown(order_no),
            shown(trade_no)
        ));
    }
    match inquiry.kind {
        EntryKind::Payment => payment(inquiry, reply),
        EntryKind::Refund => refund(inquiry, reply),
        EntryKind::Reversal => reversal(inquiry, reply),
    }
}

/// Whether the trade's money went back: said by the refund's state, or by a closed trade that had been paid.
fn given_back(reply: &Reply) -> bool {
    reply.field("refund_status") == "REFUND_SUCCESS" && reply.field("trade_status") == "TRADE_CLOSED"
        || reply.field("trade_status") == "TRADE_CLOSED" && !reply.field("gmt_payment").is_empty()
}

fn payment(inquiry: &Inquiry, reply: &Reply) -> Judged {
    let by_timeout = reply.field("additional_trade_status") == "DAEMON_CONFIRM_CLOSE";
    let state = match reply.field("trade_status") {
        "WAIT_BUYER_PAY" => State::Pending,
        // Escrow: paid by the buyer, not yet with the merchant; also paid while the merchant's account is frozen.
        "WAIT_SELLER_SEND_GOODS" | "WAIT_BUYER_CONFIRM_GOODS" | "TRADE_PENDING" => State::Held,
        "TRADE_SUCCESS" | "TRADE_FINISHED" => State::Paid,
        "TRADE_CLOSED" if by_timeout => State::Closed,
        "TRADE_CLOSED" if given_back(reply) => State::Refunded,
        "TRADE_CLOSED" => State::Closed,
        _ => State::Unknown,
    };
    let amount = money::parse_minor(reply.field("total_fee"), Currency::CNY.digits()).ok();
    told(inquiry, reply, state, amount, "gmt_payment")
}

fn refund(inquiry: &Inquiry, reply: &Reply) -> Judged {
    let state = match reply.field("refund_status") {
        "REFUND_SUCCESS" => State::Refunded,
        "WAIT_SELLER_AGREE"
        | "SELLER_REFUSE_BUYER"
        | "WAIT_BUYER_RETURN_GOODS"
        | "WAIT_SELLER_CONFIRM_GOODS" => State::Pending,
        "REFUND_CLOSED" => State::Failed,
        _ if given_back(reply) => State::Refunded,
        _ => State::Unknown,
    };
    // What was refunded of the trade in all: the refund's own amount only if it is the same.
    let total = money::parse_minor(reply.field("refund_fee"), Currency::CNY.digits()).ok().map(|fen| -fen);
    let amount = total.filter(|total| inquiry.amount_minor == Some(*total));
    told(inquiry, reply, state, amount, "gmt_refund")
}

fn reversal(inquiry: &Inquiry, reply: &Reply) -> Judged {
    let Judged::Told(payment) = payment(inquiry, reply) else { return payment(inquiry, reply) };
    match payment.state {
        State::Refunded => {
            let amount = payment.amount_minor.map(|fen| -fen);
            told(inquiry, reply, State::Reversed, amount, "gmt_refund")
        }
        state => told(inquiry, reply, state, None, "gmt_close"),
    }
}

fn told(inquiry: &Inquiry, reply: &Reply, state: State, amount: Option<i64>, time: &str) -> Judged {
    let words = [reply.field("trade_status"), reply.field("refund_status")];
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).map(shown).collect();
    Judged::Told(Told {
        state,
        amount_minor: amount,
        currency: inquiry.currency,
        at: Moment::parse(reply.field(time)),
        trade_no: shown(reply.field("trade_no")),
        word: words.join("/"),
        authentic: true,
    })
}

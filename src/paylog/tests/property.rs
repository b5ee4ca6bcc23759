//! The result does not depend on the order of rows, on which gatherer saw them, nor on rows that were read twice.

use proptest::prelude::*;

use super::*;

const ACTIONS: &[(&str, &[&str])] = &[
    (
        "createandpay",
        &[
            "",
            "result_code=SUCCESS total_fee=100 transaction_id=T",
            "result_code=FAIL err_code=USERPAYING",
            "result_code=FAIL err_code=NOTENOUGH",
            "result_code=FAIL err_code=ORDERPAID",
            "result_code=SUCCESS total_fee=200 transaction_id=U time_end=20161109000001",
        ],
    ),
    (
        "orderquery",
        &[
            "",
            "result_code=SUCCESS trade_state=SUCCESS total_fee=100 transaction_id=T time_end=20161108235959",
            "result_code=SUCCESS trade_state=NOTPAY",
            "result_code=FAIL err_code=ORDERNOTEXIST",
            "result_code=SUCCESS trade_state=REVOKED",
        ],
    ),
    (
        "refund",
        &[
            "",
            "result_code=SUCCESS out_trade_no=O out_refund_no=R1 refund_fee=30",
            "result_code=FAIL err_code=ERROR",
            "result_code=SUCCESS refund_fee=40 transaction_id=T",
        ],
    ),
    (
        "ALI_20 refund",
        &[
            "",
            "refund code=10000 out_trade_no=O fund_change=Y refund_fee=0.30",
            "refund code=10000 out_trade_no=O fund_change=Y refund_fee=0.70",
            "refund code=10000 fund_change=N refund_fee=0.30",
        ],
    ),
    (
        "ALI_20 createandpay",
        &["", "pay code=10000 out_trade_no=O trade_no=2016 total_amount=1.00", "pay code=10003"],
    ),
    ("reverse", &["", "result_code=SUCCESS recall=N", "result_code=SUCCESS recall=Y"]),
    (
        "refundquery",
        &[
            "result_code=SUCCESS out_trade_no=O out_refund_no_0=R1 refund_fee_0=30 refund_status_0=REFUNDCLOSE",
        ],
    ),
];

/// A row of few orders, sellers and seconds, so that they meet.
fn random_sample() -> impl Strategy<Value = Sample> {
    (0..ACTIONS.len(), any::<prop::sample::Index>(), 0..4u8, 0..3u8, 0..120u32, any::<bool>()).prop_map(
        |(action, reply, order, seller, second, by_trade)| {
            let (action, replies) = ACTIONS[action];
            let order_no = format!("O{order}");
            let reply = replies[reply.index(replies.len())].replace("=O", &format!("={order_no}"));
            let reply = reply.replace("transaction_id=", &format!("transaction_id={order}"));
            let (req_type, kind) = if action.starts_with("ALI_20") { ("", "ali20") } else { ("WX ", "wx") };
            let reply = if reply.is_empty() { "-".to_owned() } else { format!("{kind} {reply}") };
            let seller = ["8888", "9999", "5"][usize::from(seller)];
            let who = if by_trade { format!("TradeNO={order}T") } else { format!("OutID={order_no}") };
            let line = format!(
                "23:{:02}:{:02} | {req_type}{action} | {who} TotalFee=100 seller={seller} | {reply}",
                58 + second / 60,
                second % 60
            );
            sample(0, &line)
        },
    )
}

fn numbered(mut samples: Vec<Sample>) -> Vec<Sample> {
    (1..).zip(&mut samples).for_each(|(id, sample)| sample.row_id = id);
    samples
}

fn folded_in(parts: &[Vec<&Sample>]) -> Folded {
    let accounts = accounts();
    let claims = std::sync::Arc::new(Claims::new(&accounts, &BTreeMap::new()));
    let gather = |part: &Vec<&Sample>| {
        let mut gatherer = Gatherer::new(claims.clone(), Rules::default());
        part.iter().for_each(|sample| gatherer.push(&sample.row()));
        gatherer.finish()
    };
    fold(parts.iter().map(gather).collect::<Vec<_>>())
}

/// Everything of it, arenas and names included.
fn whole(folded: &Folded) -> String {
    let names = |orders: &crate::domain::LoggedOrders| {
        (0..)
            .map_while(|id| {
                let name = orders.names.get(id);
                (id < 20).then(|| name.to_owned())
            })
            .collect::<Vec<_>>()
    };
    let accounts: Vec<_> = folded.accounts.iter().map(|a| (&a.arena, names(a), &a.orders)).collect();
    format!(
        "{accounts:?} {:?} {:?} {:?} {:?}",
        folded.unclaimed, folded.look_back, folded.skew_seconds, folded.factor_hundred
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_and_distribution_of_rows_do_not_matter(
        samples in prop::collection::vec(random_sample(), 0..24).prop_map(numbered),
        seeds in prop::collection::vec((any::<u32>(), 0..3usize), 24),
        twice in any::<prop::sample::Index>(),
    ) {
        let straight = folded_in(&[samples.iter().collect()]);
        let mut shuffled: Vec<(u32, usize, &Sample)> =
            samples.iter().zip(&seeds).map(|(sample, (seed, part))| (*seed, *part, sample)).collect();
        shuffled.sort_by_key(|(seed, ..)| *seed);
        let part = |n| shuffled.iter().filter(|(_, p, _)| *p == n).map(|(.., s)| *s).collect::<Vec<_>>();
        let mut parts = vec![part(0), part(1), part(2)];
        let split = folded_in(&parts);
        prop_assert_eq!(whole(&straight), whole(&split));
        prop_assert_eq!(&straight.counters, &split.counters);
        if !samples.is_empty() {
            parts[0].push(&samples[twice.index(samples.len())]);
            prop_assert_eq!(whole(&straight), whole(&folded_in(&parts)));
        }
    }

    #[test]
    fn money_that_a_reply_proves_is_in_the_result(samples in prop::collection::vec(random_sample(), 1..24).prop_map(numbered)) {
        let folded = folded_in(&[samples.iter().collect()]);
        for sample in &samples {
            let story = describe(&sample.row(), Rules::default());
            if story.finding != Finding::Paid || story.seller == "5" || story.order_no.is_empty() {
                continue;
            }
            let paid = folded.accounts.iter().any(|orders| orders.orders.iter().any(|o| {
                o.state == crate::domain::State::Paid && orders.order_no(o) == story.order_no && orders.trade_no(o) == story.trade_no
            }));
            prop_assert!(paid, "{:?}", story);
        }
    }
}

/// Pieces that messages are made of, and pieces that they are not.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "'",
    "\\",
    "\\u0027",
    "\\ud83d",
    "/*",
    "*/",
    "//",
    "\n",
    "\0",
    "null",
    "1",
    "-0.5e9",
    "\"Header\"",
    "\"RequestParam\"",
    "\"OutID\":\"A1\"",
    "\"TotalFee\":\"1\"",
    "\"Body\":",
    "\"alipay_trade_pay_response\":{",
    "\"code\":\"10000\"",
    "\"fund_change\":\"Y\"",
    "<xml>",
    "</xml>",
    "<alipay>",
    "<return_code>",
    "</return_code>",
    "SUCCESS",
    "<![CDATA[",
    "]]>",
    "<a ",
    "/>",
    "<!--",
    "-->",
    "<!DOCTYPE",
    "<?",
    "?>",
    "&amp;",
    "&#x4e2d;",
    "&#999999999;",
    "&",
    "=",
    ">",
    "<refund_status_0>",
    "<out_refund_no_99>",
    "eyJ",
    "e30=",
    "中央收银",
    "\u{feff}",
    "A1",
    "System.Exception: ",
    "<html>",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(
        request in prop::collection::vec(prop::sample::select(PIECES), 0..24),
        reply in prop::collection::vec(prop::sample::select(PIECES), 0..24),
        action in 0..ACTIONS.len(),
        wechat in any::<bool>(),
    ) {
        let sample = Sample {
            row_id: 1,
            date: "2016-11-08 09:00:00".into(),
            req_type: if wechat { "WX" } else { "ALI_20" }.into(),
            action: ACTIONS[action].0.trim_start_matches("ALI_20 ").into(),
            request: request.concat(),
            reply: reply.concat(),
            ..Sample::default()
        };
        prop_assert!(!describe(&sample.row(), Rules::default()).summary.contains('\n'));
        let once = folded_in(&[vec![&sample]]);
        prop_assert_eq!(whole(&once), whole(&folded_in(&[vec![&sample], vec![&sample]])));
        prop_assert_eq!(once.counters.rows, 1);
    }
}

#[test]
fn gatherers_may_work_on_threads() {
    fn is_send<T: Send>() {}
    is_send::<Gatherer>();
    is_send::<Gathered>();
}

/// Whatever stands in a message, it is read without panic and without a claim of money that it does not make.
#[test]
fn every_cut_of_a_message_is_read() {
    let table = "09:00:00 | ALI_20 refund | OutID=B1 TotalFee=100 RefundID=R1 | ali20 refund code=10000 out_trade_no=B1 refund_fee=1.00 fund_change=Y
                 09:00:00 | WX createandpay | OutID=A1 TotalFee=100 | wx result_code=SUCCESS total_fee=100 transaction_id=42";
    for whole in samples(table) {
        for end in 0..=whole.reply.len() {
            let cut =
                Sample { reply: whole.reply.get(..end).unwrap_or_default().to_owned(), ..whole.clone() };
            let finding = describe(&cut.row(), Rules::default()).finding;
            assert!(
                matches!(
                    finding,
                    Finding::Paid | Finding::Unknown | Finding::RefundDone | Finding::RefundUnknown
                ),
                "{}: {finding:?}",
                cut.reply
            );
        }
        for end in 0..=whole.request.len() {
            let cut =
                Sample { request: whole.request.get(..end).unwrap_or_default().to_owned(), ..whole.clone() };
            folded_by(Rules::default(), &[cut]);
        }
    }
}

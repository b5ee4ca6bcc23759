//! Nights with stored notifications: a proven one confirms an order, and no other does.

use md5::{Digest, Md5};

use crate::site::{SiteFolder, bill, paid};

const KEY: &str = "a7F3kQ9zT2mX8vB6nC4wL1pR5sJ0hDyE";
const FIELDS: [(&str, &str); 7] = [
    ("mch_id", "1900012345"),
    ("out_trade_no", "A1"),
    ("result_code", "SUCCESS"),
    ("return_code", "SUCCESS"),
    ("time_end", "20161108090000"),
    ("total_fee", "1200"),
    ("transaction_id", "TA1"),
];

/// WeChat's notification about A1, signed with `key`.
fn notice(key: &str) -> String {
    let pairs: Vec<String> = FIELDS.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let sign = hex::encode_upper(Md5::digest(format!("{}&key={key}", pairs.join("&"))));
    let leaf = |(name, value): &(&str, &str)| format!("<{name}>{value}</{name}>");
    format!("<xml>{}<sign>{sign}</sign></xml>", FIELDS.iter().map(leaf).collect::<String>())
}

/// One order of which the log only knows that the buyer was asked, and a statement that has it.
fn site(notices: &str) -> SiteFolder {
    let site = SiteFolder::with_local_file();
    site.write(
        "nightjob.toml",
        format!(
            "paytype = \"WX\"\nreport_lang = \"en\"\n\n[paylog]\ndatabase = \"sqlite:ttpayment.db\"\nnotices = \"{notices}\"\n\n\
             [[account]]\nname = \"wx\"\npaytype = \"WX\"\nchannel = \"wechat_v2\"\nmerchant = \"1900012345\"\n\
             app_id = \"wx0123456789abcdef\"\nkey = \"file:wx.key\"\n"
        ),
    );
    site.write("wx.key", KEY);
    site.write("bill.csv", bill(&[("A1", "12.00")]));
    let mut row = paid("A1", 1200, "09:00:00");
    row.res_obj = "<xml><return_code>SUCCESS</return_code><result_code>FAIL</result_code>\
                   <err_code>USERPAYING</err_code></xml>"
        .into();
    site.log([row]);
    site
}

fn import(site: &SiteFolder) -> crate::site::Ran {
    site.run(&["import", "bill.csv", "--account", "wx", "--date", "20161108"])
}

fn kept(site: &SiteFolder, body: &str) {
    let line = serde_json::json!({ "at": "2016-11-08 09:00:09", "body": body });
    site.write("notices.jsonl", format!("{line}\n"));
}

#[test]
fn a_proven_notice_confirms_what_the_log_left_open() {
    let without = site("");
    import(&without).expect(10).says("lost");
    let site = site("file:notices.jsonl");
    kept(&site, &notice(KEY));
    import(&site).expect(0).says("balanced");
    site.run(&["reconcile", "--date", "20161108"]).expect(0).says("balanced");
    site.run(&["explain", "A1"]).expect(0).says("its signature is proven").says("transaction_id=TA1");
}

#[test]
fn a_forged_notice_confirms_nothing_and_is_shown() {
    let body = notice(KEY);
    for (what, body) in [
        ("another key", notice("b7F3kQ9zT2mX8vB6nC4wL1pR5sJ0hDyE")),
        ("another amount", body.replace("<total_fee>1200", "<total_fee>1201")),
        ("a dropped field", body.replace("<time_end>20161108090000</time_end>", "")),
        ("no signature", body.split("<sign>").next().unwrap_or_default().to_owned() + "</xml>"),
        ("an added field", body.replace("</xml>", "<attach>x</attach></xml>")),
    ] {
        let site = site("file:notices.jsonl");
        kept(&site, &body);
        let ran = import(&site).expect(10).says("lost");
        let report = site.text("reports/2016-11-08/report.json");
        let shown = "1 stored notices without a proven signature";
        assert!(
            report.contains(shown) || ran.out.contains(shown) || ran.err.contains(shown),
            "{what}: {report}\n{}",
            ran.out
        );
        site.run(&["explain", "A1"]).expect(0).says("it is not believed");
    }
}

#[test]
fn notices_that_are_not_there_are_named() {
    let site = site("file:nowhere.jsonl");
    import(&site).expect(3).says("there is no such file").says("check `notices` under [paylog]");
}

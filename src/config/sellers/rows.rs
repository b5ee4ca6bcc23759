//! The rules R036 to R041: a check warns; only a row that cannot work at all is left out, by name.

use super::SellerSettings;
use crate::config::account::is_merchant;
use crate::domain::{AlipaySeller, PartnerSeller, PayType, SellerTables, WechatSeller};

/// Characters of an APIv2 key (R033).
const KEY_LETTERS: usize = 32;

/// A row that can be used, and what it is.
pub(super) enum Row<'t> {
    Wechat(&'t WechatSeller),
    Alipay(&'t AlipaySeller),
    Partner(&'t PartnerSeller),
}

/// A usable row with what is common to all kinds.
pub(super) struct Judged<'t> {
    pub(super) row: Row<'t>,
    pub(super) pay_type: PayType,
    pub(super) place: &'t str,
    pub(super) seller: &'t str,
    /// mch_id (with `sub`: the sub-merchant's), or Alipay's PID.
    pub(super) merchant: String,
    pub(super) sub: bool,
    pub(super) customer: String,
}

/// The rows that can be used; what is wrong with any of them goes to `warnings`.
pub(super) fn judge<'t>(
    tables: &'t SellerTables,
    settings: &SellerSettings,
    warnings: &mut Vec<String>,
) -> Vec<Judged<'t>> {
    let mut judged = Vec::new();
    for row in &tables.wechat {
        let mut found = Found::of(&row.place, &row.seller, warnings);
        judged.extend(wechat(row, &mut found));
    }
    for row in &tables.alipay {
        let mut found = Found::of(&row.place, &row.seller, warnings);
        judged.extend(alipay(row, settings, &mut found));
    }
    judged.extend(tables.partners.iter().map(partner));
    judged.retain_mut(|judged| {
        let known = customer(tables, judged, warnings);
        known.map(|customer| judged.customer = customer).is_some()
    });
    judged
}

/// What is found about one row.
struct Found<'w> {
    whose: String,
    warnings: &'w mut Vec<String>,
}

impl Found<'_> {
    fn of<'w>(place: &str, seller: &str, warnings: &'w mut Vec<String>) -> Found<'w> {
        Found { whose: whose(place, seller), warnings }
    }

    fn warn(&mut self, text: impl std::fmt::Display) {
        self.warnings.push(format!("{}: {text}", self.whose));
    }

    fn leave_out(&mut self, text: impl std::fmt::Display) {
        self.warn(format!("left out: {text}"));
    }
}

/// `EB_SELLER_WX, seller 8888`, or the file's name alone.
pub(super) fn whose(place: &str, seller: &str) -> String {
    match seller {
        "" => place.to_owned(),
        seller => format!("{place}, seller {}", crate::channel::shown(seller)),
    }
}

/// Whether it is a sub-merchant (R036, X05: NULL, empty and 0 mean an own one). A row whose flag says neither cannot
/// be used, and nothing comes back.
fn is_sub(flag: Option<&str>, name: &str, found: &mut Found<'_>) -> Option<bool> {
    match flag {
        Some("1") => Some(true),
        Some("" | "0") => Some(false),
        None => {
            found.warn(format!(
                "there is no {name}; taken as an own account (payments break without the flag)"
            ));
            Some(false)
        }
        Some(other) => {
            let other = crate::channel::shown(other);
            found.leave_out(format!(
                "{name} is `{other}`; it must be 1 (sub-merchant), or 0 or empty (own account)"
            ));
            None
        }
    }
}

/// Keys that an own account has and a sub-merchant has not; each with whether it is blank.
fn check_keys(keys: [(&str, bool); 2], sub: bool, found: &mut Found<'_>) {
    let wrong = keys.map(|(name, blank)| (name, blank != sub));
    let what = match sub {
        true => "is filled, though a sub-merchant (flag 1) has none; it is not used",
        false => "is empty, though an own account has one",
    };
    tell(found, wrong, what);
}

fn wechat<'t>(row: &'t WechatSeller, found: &mut Found<'_>) -> Option<Judged<'t>> {
    let sub = is_sub(row.flag.as_deref(), "isundertt", found)?;
    check_keys([("partnerkey", row.key.is_blank()), ("appid", row.app_id.is_empty())], sub, found);
    if !sub {
        let letters = row.key.letters();
        if letters != 0 && letters != KEY_LETTERS {
            found.warn(format!("partnerkey has {letters} characters; an API key has {KEY_LETTERS}"));
        }
        let refunds = [
            ("cerpath", row.certificate.is_empty()),
            ("certpwd", row.certificate_password.is_blank()),
            ("user_id", row.user_id.is_empty()),
        ];
        tell(found, refunds, "is empty, though an own account has one (refunds need it, statements do not)");
    }
    if !is_merchant(&row.merchant) {
        let merchant = crate::channel::shown(&row.merchant);
        found.leave_out(format!("mch_id is `{merchant}`, which is no merchant number"));
        return None;
    }
    Some(Judged {
        row: Row::Wechat(row),
        pay_type: PayType::Wx,
        place: &row.place,
        seller: &row.seller,
        merchant: row.merchant.clone(),
        sub,
        customer: String::new(),
    })
}

fn alipay<'t>(row: &'t AlipaySeller, settings: &SellerSettings, found: &mut Found<'_>) -> Option<Judged<'t>> {
    let sub = is_sub(row.flag.as_deref(), "ali_isundertt", found)?;
    let keys = [("appid_ali", row.app_id.is_empty()), ("merchant_private_key", row.private_key.is_blank())];
    check_keys(keys, sub, found);
    tell(found, [("ali_shopid", row.shop_id.is_empty())], "is empty");
    if !matches!(row.koubei.as_str(), "" | "0" | "1") {
        let koubei = crate::channel::shown(&row.koubei);
        found.warn(format!("ali_iskoubei is `{koubei}`; it is 0 (Alipay store) or 1 (Koubei store)"));
    }
    if sub && row.token.is_blank() {
        found.leave_out(
            "a sub-store without ali_token cannot be used; ask the merchant to authorise it again",
        );
        return None;
    }
    Some(Judged {
        row: Row::Alipay(row),
        pay_type: PayType::Ali20,
        place: &row.place,
        seller: &row.seller,
        merchant: partner_of(row, settings, found)?,
        sub,
        customer: String::new(),
    })
}

/// Alipay's merchant number: what a statement is checked against. No table holds it.
fn partner_of(row: &AlipaySeller, settings: &SellerSettings, found: &mut Found<'_>) -> Option<String> {
    let listed = [&row.app_id, &row.seller].into_iter().filter(|key| !key.is_empty());
    if let Some(partner) = listed.into_iter().find_map(|key| settings.partners.get(key)) {
        return Some(partner.clone());
    }
    if is_merchant(&row.partner) {
        found.warn(format!(
            "`partner` ({}) is taken as the merchant number of Alipay 2.0 too; if it is another, its statements are refused",
            row.partner
        ));
        return Some(row.partner.clone());
    }
    let key = [&row.app_id, &row.seller].into_iter().find(|key| !key.is_empty());
    let key = key.map_or("APP_ID", |key| key.as_str());
    found.leave_out(format!(
        "Alipay's merchant number (PID, 2088…), which a statement is checked against, stands in no table; \
         write it as sellers.partners = [\"{}=2088…\"]",
        crate::channel::shown(key)
    ));
    None
}

fn partner(row: &PartnerSeller) -> Judged<'_> {
    Judged {
        row: Row::Partner(row),
        pay_type: row.pay_type,
        place: &row.place,
        seller: "",
        merchant: row.partner.clone(),
        sub: false,
        customer: String::new(),
    }
}

/// Warns of each name that is marked.
fn tell<const N: usize>(found: &mut Found<'_>, names: [(&str, bool); N], what: &str) {
    for (name, _) in names.into_iter().filter(|(_, marked)| *marked) {
        found.warn(format!("{name} {what}"));
    }
}

/// The customer of the row's seller. A row of a table without seller belongs to nobody, and nothing comes back.
fn customer(tables: &SellerTables, judged: &Judged<'_>, warnings: &mut Vec<String>) -> Option<String> {
    let mut found = Found::of(judged.place, judged.seller, warnings);
    let of_table = matches!(judged.row, Row::Wechat(_) | Row::Alipay(_)) && !tables.sellers.is_empty();
    if !of_table {
        return Some(String::new());
    }
    if judged.seller.is_empty() {
        found.leave_out("a row without EB_SELLER_ID");
        return None;
    }
    let mut customers =
        tables.sellers.iter().filter(|seller| seller.id == judged.seller).map(|s| &s.customer);
    let Some(first) = customers.next() else {
        found.warn("has no row in EB_SELLER, so its customer id (xf_customerid) is not known");
        return Some(String::new());
    };
    if customers.any(|other| other != first) {
        found
            .warn("stands in EB_SELLER with several customer ids (xf_customerid); none of them is asked for");
        return Some(String::new());
    }
    Some(first.clone())
}

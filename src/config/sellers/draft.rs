//! Rows of one merchant account become one draft with several sellers; what is configured already wins (R043).

use super::SellerRoute;
use super::rows::{Judged, Row, whose};
use crate::config::Settings;
use crate::domain::{Account, PayType};

/// An account to be: the row that it is made of, and all sellers that share its merchant account.
pub(super) struct Draft<'t> {
    pub(super) row: Row<'t>,
    pub(super) pay_type: PayType,
    pub(super) place: String,
    pub(super) merchant: String,
    pub(super) sub: bool,
    /// Of web.config's account: `""`, or `None` if there is nothing beside it.
    pub(super) sellers: Option<Vec<String>>,
    customers: Vec<String>,
    pub(super) name: String,
}

impl Draft<'_> {
    /// For messages.
    pub(super) fn whose(&self) -> String {
        whose(&self.place, &self.sellers.as_ref().map_or(String::new(), |sellers| sellers.join(" ")))
    }

    /// The one customer of all its sellers; empty if they have several or none.
    pub(super) fn customer(&self) -> &str {
        match self.customers.as_slice() {
            [one] => one,
            _ => "",
        }
    }
}

/// The merchant that an account's statements are told apart by: the sub-merchant's, where it has one.
fn merchant_of(account: &Account) -> &str {
    match account.option("sub_merchant") {
        "" => &account.merchant,
        sub => sub,
    }
}

/// Merges rows, in the order of pay type and merchant. Sellers that are configured already are left out, those of a
/// configured account's merchant are added to it.
pub(super) fn merge<'t>(rows: Vec<Judged<'t>>, settings: &mut Settings) -> Vec<Draft<'t>> {
    let mut drafts: Vec<Draft<'t>> = Vec::new();
    for judged in rows {
        if !is_free(&judged, &drafts, settings) || joins_configured(&judged, settings) {
            continue;
        }
        let same = |draft: &&mut Draft<'_>| {
            let same_mode = draft.sub == judged.sub || matches!(judged.row, Row::Partner(_));
            one_statement(draft.pay_type, judged.pay_type) && draft.merchant == judged.merchant && same_mode
        };
        match drafts.iter_mut().find(same) {
            Some(draft) => join(draft, &judged, settings),
            None => drafts.push(open(judged, settings)),
        }
    }
    drafts.sort_by(|a, b| (a.pay_type, &a.merchant, a.sub).cmp(&(b.pay_type, &b.merchant, b.sub)));
    for at in 0..drafts.len() {
        let (before, rest) = drafts.split_at_mut(at);
        let taken = before.iter().map(|draft| draft.name.as_str());
        let taken = taken.chain(settings.accounts.iter().map(|account| account.name.as_str()));
        rest[0].name = name(&rest[0], &taken.collect::<Vec<_>>());
    }
    for draft in drafts.iter().filter(|draft| draft.customers.len() > 1) {
        let text = "its sellers have several customer ids (xf_customerid); the account takes their orders whatever it is";
        settings.warnings.push(format!("{}: {text}", draft.whose()));
    }
    drafts
}

/// Whether orders of both stand in the statement of one merchant: Alipay's tells 1.0 and 2.0 not apart.
fn one_statement(one: PayType, other: PayType) -> bool {
    let alipay = |pay_type| matches!(pay_type, PayType::Ali | PayType::Ali20);
    one == other || (alipay(one) && alipay(other))
}

fn open<'t>(judged: Judged<'t>, settings: &Settings) -> Draft<'t> {
    let alone = judged.seller.is_empty() && !settings.sellers.from_database;
    Draft {
        pay_type: judged.pay_type,
        place: judged.place.to_owned(),
        merchant: judged.merchant,
        sub: judged.sub,
        sellers: (!alone).then(|| vec![judged.seller.to_owned()]),
        customers: vec![judged.customer],
        row: judged.row,
        name: String::new(),
    }
}

fn join(draft: &mut Draft<'_>, judged: &Judged<'_>, settings: &mut Settings) {
    if let Some(sellers) = draft.sellers.as_mut().filter(|s| !s.iter().any(|seller| seller == judged.seller))
    {
        sellers.push(judged.seller.to_owned());
    }
    // A customer that is not known counts too: the account must not turn its orders away.
    if !draft.customers.contains(&judged.customer) {
        draft.customers.push(judged.customer.clone());
    }
    if draft.pay_type != judged.pay_type {
        draft.pay_type = PayType::Ali;
        let text = "has the merchant number of an Alipay 2.0 account; one account of paytype ALI takes the orders of both";
        settings.warnings.push(format!("{}: Alipay 1.0: {text}", whose(judged.place, judged.seller)));
    } else if !same_keys(&draft.row, &judged.row) {
        let text =
            "has the merchant number of an earlier row and other keys; those of the earlier row are used";
        settings.warnings.push(format!("{}: {text}", whose(judged.place, judged.seller)));
    }
}

fn same_keys(one: &Row<'_>, other: &Row<'_>) -> bool {
    match (one, other) {
        (Row::Wechat(a), Row::Wechat(b)) => (&a.app_id, &a.key) == (&b.app_id, &b.key),
        (Row::Alipay(a), Row::Alipay(b)) => {
            (&a.app_id, &a.private_key, &a.token) == (&b.app_id, &b.private_key, &b.token)
        }
        (Row::Partner(a), Row::Partner(b)) => a.key == b.key,
        _ => false,
    }
}

/// Whether nobody claims the row's seller yet.
fn is_free(judged: &Judged<'_>, drafts: &[Draft<'_>], settings: &mut Settings) -> bool {
    let claims = |sellers: &Option<Vec<String>>| {
        sellers.as_ref().is_none_or(|list| list.iter().any(|seller| seller == judged.seller))
    };
    let customers_differ = |account: &Account| {
        !account.customer.is_empty() && !judged.customer.is_empty() && account.customer != judged.customer
    };
    let configured = settings.accounts.iter().find(|account| {
        account.pay_type == Some(judged.pay_type) && claims(&account.sellers) && !customers_differ(account)
    });
    if let Some(account) = configured {
        if merchant_of(account) != judged.merchant {
            settings.warnings.push(format!(
                "{}: merchant {} is not used: account `{}` of merchant {} claims its orders",
                whose(judged.place, judged.seller),
                judged.merchant,
                account.name,
                merchant_of(account)
            ));
        }
        return false;
    }
    let earlier = drafts.iter().find(|draft| {
        let other = draft.merchant != judged.merchant || draft.sub != judged.sub;
        draft.pay_type == judged.pay_type && claims(&draft.sellers) && other
    });
    if let Some(draft) = earlier {
        settings.warnings.push(format!(
            "{}: left out: merchant {}: an earlier row of this seller has merchant {}; one seller has one account of {}",
            whose(judged.place, judged.seller),
            judged.merchant,
            draft.merchant,
            judged.pay_type
        ));
        return false;
    }
    true
}

/// Adds the seller to the configured account of the same merchant: two accounts would each miss the other's orders
/// in the one statement they share.
fn joins_configured(judged: &Judged<'_>, settings: &mut Settings) -> bool {
    let shares = |account: &&mut Account| {
        one_statement(account.pay_type(), judged.pay_type) && merchant_of(account) == judged.merchant
    };
    let Some(account) = settings.accounts.iter_mut().find(shares) else { return false };
    let whose = whose(judged.place, judged.seller);
    if account.pay_type() == PayType::Ali20 && judged.pay_type == PayType::Ali {
        settings.warnings.push(format!(
            "{whose}: left out: `{}` of ALI_20 has this merchant account; make it paytype ALI to take both",
            account.name
        ));
        return true;
    }
    if !account.customer.is_empty() && account.customer != judged.customer {
        settings.warnings.push(format!(
            "{whose}: left out: it has the merchant account of `{}`, which is for customer {} only",
            account.name, account.customer
        ));
        return true;
    }
    if let Some(sellers) = &mut account.sellers {
        sellers.push(judged.seller.to_owned());
    }
    let name = &account.name;
    settings
        .warnings
        .push(format!("{whose}: has the merchant account of `{name}`, which claims its orders too"));
    true
}

/// `wx-1900012345`: stable, because it is made of what identifies the account; a number behind it only where that
/// name is taken.
fn name(draft: &Draft<'_>, taken: &[&str]) -> String {
    /// Names are part of file names; room for the number behind.
    const NAME_LEN_MAX: usize = 36;
    let kind = match draft.pay_type {
        PayType::Wx => "wx",
        PayType::Ali | PayType::Ali20 => "ali",
        PayType::AliOs => "ali-os",
        PayType::WxOs => "wx-os",
        PayType::Tianta => "tianta",
        PayType::Teegon => "teegon",
        PayType::Tb => "tb",
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let base: String = format!("{kind}-{}", draft.merchant).chars().map(plain).take(NAME_LEN_MAX).collect();
    let is_taken = |name: &str| taken.iter().any(|other| other.eq_ignore_ascii_case(name));
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    std::iter::once(base.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or(base)
}

/// Whether the gateway is asked for this draft.
pub(super) fn through_gateway(draft: &Draft<'_>, settings: &Settings) -> bool {
    let lender = match draft.pay_type {
        PayType::Wx => &settings.sellers.provider_wx,
        _ => &settings.sellers.provider_ali,
    };
    match settings.sellers.route {
        SellerRoute::Gateway => true,
        SellerRoute::Direct => draft.sub && lender.is_empty(),
    }
}

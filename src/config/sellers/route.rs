//! By which channel an account's statements can come (R038): planned per account, not per run.

use super::draft::{Draft, through_gateway};
use super::filled;
use super::rows::Row;
use crate::channel::Room;
use crate::config::account::{Given, Givens, assemble, finish};
use crate::config::{SellerRoute, Settings};
use crate::domain::{Account, PayType, SellerTables};

/// The channel that goes through the gateway.
pub(in crate::config) const GATEWAY: &str = "ttpay";
const SUB_MERCHANT: &str = "sub_merchant";
const TOKEN: &str = "app_auth_token";

/// Makes the account of a draft.
pub(super) fn account(
    draft: &Draft<'_>,
    tables: &SellerTables,
    settings: &Settings,
    rooms: &[&Room],
) -> Result<Account, String> {
    let blank = Account {
        name: draft.name.clone(),
        pay_type: Some(draft.pay_type),
        merchant: draft.merchant.clone(),
        sellers: draft.sellers.clone(),
        customer: draft.customer().to_owned(),
        ..Account::default()
    };
    if through_gateway(draft, settings) {
        return gateway(blank, draft, settings, rooms);
    }
    match (&draft.row, draft.sub) {
        (Row::Wechat(row), true) => {
            let lender = lender(&settings.sellers.provider_wx, SUB_MERCHANT, settings, rooms)?;
            let mut lent = lend(blank, lender.0);
            lent.merchant.clone_from(&lender.0.merchant);
            lent.options.insert(SUB_MERCHANT.to_owned(), row.merchant.clone());
            finish(lent, lender.1, &settings.sellers.ground())
        }
        (Row::Alipay(row), true) => {
            let lender = lender(&settings.sellers.provider_ali, TOKEN, settings, rooms)?;
            let mut lent = lend(blank, lender.0);
            lent.secrets.insert(TOKEN.to_owned(), row.token.clone());
            finish(lent, lender.1, &settings.sellers.ground())
        }
        (row, _) => {
            let (channel, givens) = own_keys(row, tables);
            with_options(blank, channel, givens, (settings, rooms))
        }
    }
}

/// The gateway holds the keys. A sub-merchant's lines stand in its service provider's statement, whose number is
/// probably the row's `user_id` (R037).
fn gateway(
    mut blank: Account,
    draft: &Draft<'_>,
    settings: &Settings,
    rooms: &[&Room],
) -> Result<Account, String> {
    if settings.sellers.route == SellerRoute::Direct && !settings.sellers.has_gateway {
        let provider = if draft.pay_type == PayType::Wx { "provider_wx" } else { "provider_ali" };
        return Err(format!(
            "its keys are in the gateway, whose address is not known; write `url` under [gateway], or the account that \
             lends its keys as `{provider}` under [sellers]"
        ));
    }
    let mut givens = Givens::new();
    let takes_sub = room(GATEWAY, rooms)?.needs.iter().any(|need| need.key == SUB_MERCHANT);
    if let (Row::Wechat(row), true, true) = (&draft.row, draft.sub, takes_sub) {
        let provider = settings.sellers.lender(&settings.sellers.provider_wx).map(|lender| &lender.merchant);
        let provider = provider.unwrap_or(&row.user_id);
        if crate::config::account::is_merchant(provider) {
            givens.insert(SUB_MERCHANT.to_owned(), Given::Text(row.merchant.clone()));
            blank.merchant.clone_from(provider);
        }
    }
    with_options(blank, GATEWAY, givens, (settings, rooms))
}

fn own_keys(row: &Row<'_>, tables: &SellerTables) -> (&'static str, Givens) {
    let text = |name: &str, value: &str| {
        (!value.is_empty()).then(|| (name.to_owned(), Given::Text(value.to_owned())))
    };
    let secret = |name: &str, value: Option<Given>| value.map(|value| (name.to_owned(), value));
    match row {
        Row::Wechat(row) => {
            let keys = [text("app_id", &row.app_id), secret("key", filled(&row.key))];
            ("wechat_v2", keys.into_iter().flatten().collect())
        }
        Row::Alipay(row) => {
            let public = tables.alipay_public_key.as_ref().and_then(filled);
            let keys = [
                text("app_id", &row.app_id),
                secret("private_key", filled(&row.private_key)),
                secret("alipay_public_key", public),
                // X06: an own store with a token uses it.
                secret(TOKEN, filled(&row.token)),
            ];
            ("alipay_open", keys.into_iter().flatten().collect())
        }
        Row::Partner(row) => {
            let channel = if row.pay_type == PayType::AliOs { "alipay_global" } else { "alipay_mapi" };
            (channel, secret("key", filled(&row.key)).into_iter().collect())
        }
    }
}

fn with_options(
    blank: Account,
    channel: &str,
    mut givens: Givens,
    (settings, rooms): (&Settings, &[&Room]),
) -> Result<Account, String> {
    let room = room(channel, rooms)?;
    givens.extend(settings.sellers.options.get(channel).cloned().unwrap_or_default());
    assemble(blank, &givens, room, &settings.sellers.ground())
}

fn room<'r>(code: &str, rooms: &[&'r Room]) -> Result<&'r Room, String> {
    let found = rooms.iter().find(|room| room.code == code).copied();
    found.ok_or_else(|| {
        let way =
            if code == GATEWAY { "; sellers.route = \"direct\" uses the accounts' own keys" } else { "" };
        format!("channel `{code}` is not in this version{way}")
    })
}

/// A service provider's account and its room, which must take the key that names the merchant.
fn lender<'s>(
    name: &str,
    key: &str,
    settings: &'s Settings,
    rooms: &[&'s Room],
) -> Result<(&'s Account, &'s Room), String> {
    let lender = settings.sellers.lender(name).ok_or_else(|| format!("there is no account `{name}`"))?;
    let room = room(&lender.channel, rooms)?;
    match room.needs.iter().any(|need| need.key == key) {
        true => Ok((lender, room)),
        false => Err(format!("channel `{}` of account `{name}` takes no `{key}`", room.code)),
    }
}

/// The account with the lender's channel and keys.
fn lend(mut blank: Account, lender: &Account) -> Account {
    blank.channel.clone_from(&lender.channel);
    blank.bills.clone_from(&lender.bills);
    blank.options.clone_from(&lender.options);
    blank.secrets.clone_from(&lender.secrets);
    blank
}

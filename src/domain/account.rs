//! A merchant account, and which logged order belongs to which account.

use std::collections::BTreeMap;

use super::{Bill, PayType, Secret};

/// One merchant account as configured. Built by `config` only, which has checked every key against what the
/// account's channel needs.
#[derive(Clone, Debug, Default)]
pub struct Account {
    pub name: String,
    pub pay_type: Option<PayType>,
    /// Code of the channel room, a name in `channel::ROOMS`.
    pub channel: String,
    /// mch_id, partner (PID), user_token or client_id.
    pub merchant: String,
    /// EB_SELLER_IDs logged for this account; `None` = all orders of the pay type; `""` = rows without one.
    pub sellers: Option<Vec<String>>,
    /// `Header.ExtParam.CustomerID`, where sellers need it to be told apart; empty = any.
    pub customer: String,
    pub bills: Vec<Bill>,
    /// The channel's own keys: everything the room declared in its `needs`.
    pub options: BTreeMap<String, String>,
    pub secrets: BTreeMap<String, Secret>,
}

impl Account {
    /// The pay type. `config` builds no account without one.
    pub fn pay_type(&self) -> PayType {
        self.pay_type.unwrap_or(PayType::Wx)
    }

    /// An option of the channel; empty if not set.
    pub fn option(&self, key: &str) -> &str {
        self.options.get(key).map_or("", String::as_str)
    }

    pub fn secret(&self, key: &str) -> Option<&Secret> {
        self.secrets.get(key)
    }

    fn claims_seller(&self, seller: &str, customer: &str) -> bool {
        let seller_fits = self.sellers.as_ref().is_none_or(|list| list.iter().any(|s| s == seller));
        seller_fits && (self.customer.is_empty() || self.customer == customer)
    }
}

/// Which account a logged order belongs to: at most one, by pay type, seller and customer.
///
/// An `ALI_20` order belongs to the `ALI_20` account that claims its seller, else to the `ALI` account that
/// does (contract, section 4).
#[derive(Clone, Debug)]
pub struct Claims {
    accounts: Vec<Account>,
    req_types: BTreeMap<String, PayType>,
}

impl Claims {
    /// `req_types` maps further REQ_TYPE values of the log to pay types (`[paylog.req_types]`).
    pub fn new(accounts: &[Account], req_types: &BTreeMap<String, PayType>) -> Claims {
        let mut names: BTreeMap<String, PayType> =
            PayType::ALL.into_iter().map(|p| (p.as_str().to_owned(), p)).collect();
        names.extend(req_types.iter().map(|(name, pay)| (name.to_ascii_uppercase(), *pay)));
        Claims { accounts: accounts.to_vec(), req_types: names }
    }

    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// The pay type that a REQ_TYPE value stands for.
    pub fn pay_type(&self, req_type: &str) -> Option<PayType> {
        self.req_types.get(&req_type.trim().to_ascii_uppercase()).copied()
    }

    /// Index of the account that a logged order belongs to.
    pub fn owner(&self, pay_type: PayType, seller: &str, customer: &str) -> Option<usize> {
        let find = |wanted: PayType| {
            self.accounts.iter().position(|a| a.pay_type == Some(wanted) && a.claims_seller(seller, customer))
        };
        find(pay_type).or_else(|| if pay_type == PayType::Ali20 { find(PayType::Ali) } else { None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str, pay: PayType, sellers: Option<&[&str]>) -> Account {
        Account {
            name: name.into(),
            pay_type: Some(pay),
            sellers: sellers.map(|s| s.iter().map(|s| (*s).to_owned()).collect()),
            ..Account::default()
        }
    }

    #[test]
    fn an_order_has_at_most_one_account() {
        let accounts = [
            account("wx", PayType::Wx, Some(&["8888"])),
            account("ali", PayType::Ali, None),
            account("ali20", PayType::Ali20, Some(&["8888", ""])),
        ];
        let claims = Claims::new(&accounts, &BTreeMap::new());
        assert_eq!(claims.owner(PayType::Wx, "8888", "X"), Some(0));
        assert_eq!(claims.owner(PayType::Wx, "9999", "X"), None);
        assert_eq!(claims.owner(PayType::Ali20, "8888", "X"), Some(2));
        assert_eq!(claims.owner(PayType::Ali20, "", "X"), Some(2), "rows without a seller");
        assert_eq!(claims.owner(PayType::Ali20, "9999", "X"), Some(1), "falls to the ALI account");
        assert_eq!(claims.owner(PayType::Ali, "8888", "X"), Some(1));
        assert_eq!(claims.pay_type(" ali_20 "), Some(PayType::Ali20));
        assert_eq!(claims.pay_type("TG"), None);
    }
}

//! The map of titles, as it is configured.

/// Which title holds what, and which values mean what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map {
    pub order_no: Option<String>,
    pub trade_no: Option<String>,
    pub amount: String,
    pub time: String,
    pub kind: Option<String>,
    pub refund_no: Option<String>,
    pub fee: Option<String>,
    /// The fee column is negative where it is charged.
    pub fee_is_negative: bool,
    pub currency: Option<String>,
    pub subject: Option<String>,
    pub store: Option<String>,
    pub till: Option<String>,
    pub merchant: Option<String>,
    pub payments: Vec<String>,
    pub refunds: Vec<String>,
    pub reversals: Vec<String>,
    pub others: Vec<String>,
    /// Amounts are whole numbers of the minor unit.
    pub fen: bool,
}

const KEYS: &str = "order_no, trade_no, amount, time, kind, payment, refund, reversal, other, refund_no, fee, currency, \
                    subject, store, till, merchant, unit";

impl Map {
    /// Reads `order_no=订单号; amount=金额; …`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, for a person who writes a configuration.
    pub fn parse(text: &str) -> Result<Map, String> {
        let mut map = Map::default();
        let mut seen: Vec<&str> = Vec::new();
        for pair in text.split([';', '\n']).map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or_else(|| format!("`{pair}` is not `key=title`"))?;
            let (key, value) = (key.trim(), value.trim());
            if value.is_empty() {
                return Err(format!("`{key}` has no title"));
            }
            if seen.contains(&key) {
                return Err(format!("`{key}` is there twice"));
            }
            seen.push(key);
            map.set(key, value)?;
        }
        map.check()
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let title = || Some(value.to_owned());
        let values = || value.split('|').map(|word| word.trim().to_owned()).collect();
        match key {
            "order_no" => self.order_no = title(),
            "trade_no" => self.trade_no = title(),
            "amount" => value.clone_into(&mut self.amount),
            "time" => value.clone_into(&mut self.time),
            "kind" => self.kind = title(),
            "payment" => self.payments = values(),
            "refund" => self.refunds = values(),
            "reversal" => self.reversals = values(),
            "other" => self.others = values(),
            "refund_no" => self.refund_no = title(),
            "fee" => {
                self.fee_is_negative = value.starts_with('-');
                self.fee = Some(value.trim_start_matches('-').trim().to_owned());
            }
            "currency" => self.currency = title(),
            "subject" => self.subject = title(),
            "store" => self.store = title(),
            "till" => self.till = title(),
            "merchant" => self.merchant = title(),
            "unit" if value == "yuan" => self.fen = false,
            "unit" if value == "fen" => self.fen = true,
            "unit" => return Err(format!("`unit` is `{value}`; possible: yuan, fen")),
            other => return Err(format!("`{other}` is no key of it; possible: {KEYS}")),
        }
        Ok(())
    }

    fn check(self) -> Result<Map, String> {
        let values = !(self.payments.is_empty()
            && self.refunds.is_empty()
            && self.reversals.is_empty()
            && self.others.is_empty());
        if self.order_no.is_none() && self.trade_no.is_none() {
            return Err("it needs `order_no` or `trade_no`: by what else should a line meet the log?".into());
        }
        for (key, title) in [("amount", &self.amount), ("time", &self.time)] {
            if title.is_empty() {
                return Err(format!("it needs `{key}`"));
            }
        }
        match (&self.kind, values) {
            (Some(_), _) if self.payments.is_empty() => {
                Err("`kind` needs the values of its column: `payment=…`, and `refund=…` where there are any"
                    .into())
            }
            (None, true) => Err("values without `kind`, the column that they stand in".into()),
            _ => Ok(self),
        }
    }

    /// Every title that the table must have.
    pub(super) fn titles(&self) -> impl Iterator<Item = &String> {
        let optional = [
            &self.order_no,
            &self.trade_no,
            &self.kind,
            &self.refund_no,
            &self.fee,
            &self.currency,
            &self.subject,
            &self.store,
            &self.till,
            &self.merchant,
        ];
        [&self.amount, &self.time].into_iter().chain(optional.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_that_are_maps() {
        let map = Map::parse(
            "order_no=订单号; amount = 金额 ;time=时间;kind=类型;payment=支付|收款;refund=退款; fee=-手续费; unit=fen",
        );
        let expected = Map {
            order_no: Some("订单号".into()),
            amount: "金额".into(),
            time: "时间".into(),
            kind: Some("类型".into()),
            payments: vec!["支付".into(), "收款".into()],
            refunds: vec!["退款".into()],
            fee: Some("手续费".into()),
            fee_is_negative: true,
            fen: true,
            ..Map::default()
        };
        assert_eq!(map, Ok(expected));
    }

    #[test]
    fn maps_that_cannot_work_are_named() {
        for (text, why) in [
            ("", "order_no"),
            ("order_no=a; amount=b", "`time`"),
            ("amount=b; time=c", "`order_no` or `trade_no`"),
            ("order_no=a; amount=b; time=c; sum=d", "`sum` is no key"),
            ("order_no=a; amount=b; time=c; amount=d", "twice"),
            ("order_no=a; amount=b; time=", "no title"),
            ("order_no", "not `key=title`"),
            ("order_no=a; amount=b; time=c; kind=d", "needs the values"),
            ("order_no=a; amount=b; time=c; refund=d", "without `kind`"),
            ("order_no=a; amount=b; time=c; unit=jiao", "possible: yuan, fen"),
        ] {
            let said = Map::parse(text).expect_err(text);
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}

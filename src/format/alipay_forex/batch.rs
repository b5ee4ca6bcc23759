//! The batch file of an online settlement (`_settlebatch_`): what the provider pays out, to be what the lines add up to.

use std::collections::BTreeMap;

use super::row::Sums;
use crate::domain::money;
use crate::domain::{Control, Currency, Unit};
use crate::format::ReadError;
use crate::format::sheet::{Record, Sheet};
use crate::format::table::normalised;
use crate::format::unpack::Part;

pub(super) fn is_titles(line: &str) -> bool {
    normalised(line).starts_with("settle_batch_no")
}

/// Stated totals by currency.
#[derive(Debug, Default)]
pub(super) struct Batches {
    stated: BTreeMap<String, (i64, i64)>,
}

impl Batches {
    /// Reads a batch file: `Settle_batch_no, Settle_date, Amount, Fee, Settlement, Currency`.
    pub(super) fn read(&mut self, part: &Part) -> Result<(), ReadError> {
        let mut sheet = Sheet::new(&part.text, part.start, 1, ',');
        let Some(head) = sheet.advance()? else { return Ok(()) };
        let titles = head.titles()?;
        let (amount, settlement) = (titles.need(&["Amount"])?, titles.need(&["Settlement"])?);
        let code = titles.need(&["Currency"])?;
        while let Some(record) = sheet.advance()? {
            let currency =
                Currency::parse(record.cell(code)).map_err(|e| record.error("Currency", e.to_string()))?;
            let sums = self.stated.entry(currency.to_string()).or_default();
            sums.0 = added(sums.0, &record, amount, currency)?;
            sums.1 = added(sums.1, &record, settlement, currency)?;
        }
        Ok(())
    }

    /// Each stated total beside what the lines add up to; nothing if there was no batch file.
    pub(super) fn controls(&self, sums: &BTreeMap<String, Sums>) -> Result<Vec<Control>, ReadError> {
        let mut controls = Vec::new();
        if self.stated.is_empty() {
            return Ok(controls);
        }
        let codes = self.stated.keys().chain(sums.keys().filter(|code| !self.stated.contains_key(*code)));
        for code in codes {
            let stated = self.stated.get(code).copied().unwrap_or_default();
            let counted = sums.get(code).copied().unwrap_or_default();
            let unit = Unit::Minor { digits: Currency::parse(code).map_or(2, Currency::digits) };
            for (name, stated, counted) in
                [("Amount", stated.0, counted.amount), ("Settlement", stated.1, counted.settlement)]
            {
                let counted = i64::try_from(counted).map_err(|_| too_much())?;
                let title = format!("settlebatch {name} {code}");
                controls.push(Control { title, unit, stated, counted });
            }
        }
        Ok(controls)
    }
}

fn added(sum: i64, record: &Record<'_>, column: usize, currency: Currency) -> Result<i64, ReadError> {
    let minor = money::parse_minor(record.cell(column), currency.digits());
    let minor = minor.map_err(|error| ReadError::at(record.number, error.to_string()))?;
    sum.checked_add(minor).ok_or_else(too_much)
}

fn too_much() -> ReadError {
    ReadError::File("the batches add up to more than this program can hold".into())
}

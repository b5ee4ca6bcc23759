//! What no single key shows: pay types without account, two accounts that would both own an order.

use super::account::Entered;
use super::address;
use super::problem::{Findings, Place, Wrong};
use super::settle::Values;
use crate::domain::{Account, PayType};

/// Keys that need each other.
pub(super) fn values(values: &Values, findings: &mut Findings<'_>) {
    let Some(url) = values.get("gateway.url") else { return };
    let allowed = values.get("gateway.allow_plain_http").is_some_and(|given| given.raw.truth() == Ok(true));
    // An address that is none was reported by its reader.
    let Some(text) = url.raw.text().ok().filter(|text| address::check_http(text, true).is_ok()) else {
        return;
    };
    if let Err(mut wrong) = address::check_http(text, allowed) {
        if findings.source.is_xml() {
            wrong.fix = "use https, or set NIGHTJOB_GATEWAY__ALLOW_PLAIN_HTTP=true; the report then says so"
                .to_owned();
        }
        findings.add(&url.place, wrong.of("gateway.url"));
    }
}

/// Names are different, and no order has two owners.
pub(super) fn accounts(accounts: &[Entered], findings: &mut Findings<'_>) {
    for (index, later) in accounts.iter().enumerate() {
        for earlier in &accounts[..index] {
            let (line, _) = findings.source.position(earlier.at.start);
            let first = format!("the first stands in line {line}");
            let wrong = if later.account.name.eq_ignore_ascii_case(&earlier.account.name) {
                // File systems that do not tell capitals apart would mix their files.
                Wrong::new(format!("two accounts are named `{}`", later.account.name), first)
            } else if let Some(what) = overlap(&earlier.account, &later.account) {
                let names = format!("`{}` and `{}`", earlier.account.name, later.account.name);
                let fix = format!("give each its own `seller`, or tell them apart by `customer`; {first}");
                Wrong::new(format!("accounts {names} both claim {what}"), fix)
            } else {
                continue;
            };
            findings.add(&Place::File(later.at.clone()), wrong);
        }
    }
}

/// What two accounts would both own. `ALI_20` orders fall to `ALI` only if no `ALI_20` account claims them, so
/// those two never overlap.
fn overlap(one: &Account, other: &Account) -> Option<String> {
    let customers_differ =
        !one.customer.is_empty() && !other.customer.is_empty() && one.customer != other.customer;
    if one.pay_type != other.pay_type || customers_differ {
        return None;
    }
    let pay_type = one.pay_type();
    match (&one.sellers, &other.sellers) {
        (None, None) => Some(format!("all orders of {pay_type}")),
        (Some(list), None) | (None, Some(list)) => {
            Some(format!("seller `{}` of {pay_type}", list.first().map_or("", String::as_str)))
        }
        (Some(one), Some(other)) => one
            .iter()
            .find(|seller| other.contains(seller))
            .map(|seller| format!("seller `{seller}` of {pay_type}")),
    }
}

/// Every listed pay type has an account; `ALI` is satisfied by one of `ALI_20`. `why` is what may be the reason.
pub(super) fn pay_types(
    (listed, taken): (&[PayType], &[PayType]),
    why: &[String],
    values: &Values,
    findings: &mut Findings<'_>,
) {
    let why: String = why.iter().map(|reason| format!("\n  {reason}")).collect();
    for pay_type in listed {
        let is_taken = taken.iter().any(|taken| taken.covered_by(*pay_type));
        if !is_taken && let Some(given) = values.get("paytype") {
            let fix = match findings.source.is_xml() {
                true => format!("mend it, or leave {pay_type} out of PAYTPYE (once: --paytype)"),
                false => format!("add one under [[account]], or leave {pay_type} out of `paytype`"),
            };
            let found = format!("no account takes {pay_type}{why}");
            findings.add(&given.place, Wrong::new(found, fix).not_usage());
        }
    }
}

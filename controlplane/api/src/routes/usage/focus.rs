//! Usage as FinOps tools read it: the columns of FOCUS 1.1 (FinOps Open Cost and Usage Specification), a line for each meter of each
//! sum of which something was used. Nothing is discounted, so all costs of a line are the same.

use std::fmt::Write;

use firn_catalog::account::Organization;
use firn_catalog::usage::UsageItem;
use firn_runtime::Timestamp;

use super::counted;
use super::csv::cell;
use crate::ApiSettings;
use crate::prices::{Meter, Used};
use crate::rules::Moment;

const COLUMNS: [&str; 33] = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ResourceId",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuPriceId",
    "Tags",
];
const SERVICE: &str = "Firn";

pub(super) fn write(
    items: &[UsageItem],
    minutes: i64,
    organization: &Organization,
    settings: &ApiSettings,
) -> String {
    let mut text = COLUMNS.join(",");
    text.push_str("\r\n");
    for item in items {
        let used = counted(item);
        for meter in Meter::ALL {
            if !used.is_nothing_of(meter) {
                let line = line(item, minutes, (meter, &used), organization, settings);
                // Writing into a text does not fail.
                let _ = write!(text, "{}\r\n", line.join(","));
            }
        }
    }
    text
}

fn line(
    item: &UsageItem,
    minutes: i64,
    (meter, used): (Meter, &Used),
    organization: &Organization,
    settings: &ApiSettings,
) -> [String; COLUMNS.len()] {
    let cost = settings.prices.cost_of(meter, used).to_string();
    let price = settings.prices.of(meter).to_string();
    let quantity = used.units(meter).to_string();
    let (month, next_month) = month_around(item.key.minute);
    let cluster = item.key.cluster.map(|id| id.public()).unwrap_or_default();
    let tags = match &item.key.principal {
        Some(principal) => serde_json::json!({ "principal": principal }).to_string(),
        None => "{}".to_owned(),
    };
    let description = format!(
        "{} at {price} {} for each {}",
        meter.name(),
        settings.currency,
        meter.unit()
    );
    [
        cost.clone(),
        organization.id.public(),
        cell(&organization.title),
        settings.currency.to_string(),
        next_month,
        month,
        "Usage".to_owned(),
        String::new(),
        cell(&description),
        "Usage-Based".to_owned(),
        second(item.key.minute.saturating_add(minutes)),
        second(item.key.minute),
        quantity.clone(),
        meter.unit().to_owned(),
        cost.clone(),
        price.clone(),
        cost.clone(),
        SERVICE.to_owned(),
        cost,
        price,
        "Standard".to_owned(),
        quantity,
        meter.unit().to_owned(),
        SERVICE.to_owned(),
        SERVICE.to_owned(),
        cluster.clone(),
        if cluster.is_empty() { "" } else { "Cluster" }.to_owned(),
        "Integration".to_owned(),
        SERVICE.to_owned(),
        "Messaging".to_owned(),
        meter.name().to_owned(),
        meter.name().to_owned(),
        cell(&tags),
    ]
}

/// A minute as FOCUS writes moments: without a fraction of a second.
fn second(minute: i64) -> String {
    let moment = Moment(Timestamp(minute.saturating_mul(60_000))).to_string();
    format!("{}Z", moment.get(..19).unwrap_or(&moment))
}

/// When the month of a minute begins, and when the next one does.
fn month_around(minute: i64) -> (String, String) {
    let moment = second(minute);
    let mut parts = moment.split('-').map_while(|part| part.parse::<u32>().ok());
    let (year, month) = (parts.next().unwrap_or(1970), parts.next().unwrap_or(1));
    let (next_year, next_month) = if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    };
    let first = |year: u32, month: u32| format!("{year:04}-{month:02}-01T00:00:00Z");
    (first(year, month), first(next_year, next_month))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_lies_in_its_month() {
        let of = |text: &str| month_around(Moment::parse(text).unwrap().0.0 / 60_000);
        let november = (
            "2026-11-01T00:00:00Z".to_owned(),
            "2026-12-01T00:00:00Z".to_owned(),
        );
        assert_eq!(of("2026-11-30T23:59:00Z"), november);
        assert_eq!(of("2026-12-01T00:00:00Z").1, "2027-01-01T00:00:00Z");
        assert_eq!(second(0), "1970-01-01T00:00:00Z");
    }
}

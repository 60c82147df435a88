//! What usage costs, as the operator has set it.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::prices::Meter;
use crate::rules::ok;
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list_prices))
}

/// What usage costs.
#[derive(Serialize, ToSchema)]
struct PriceList {
    /// The currency's code (ISO 4217).
    #[schema(min_length = 3, max_length = 3, example = "USD")]
    currency: String,
    /// Every meter.
    items: Vec<PriceBody>,
}

/// What one meter costs.
#[derive(Serialize, ToSchema)]
#[schema(as = Price)]
struct PriceBody {
    /// Its name in usage.
    #[schema(value_type = String, example = "produced_bytes")]
    meter: &'static str,
    /// Of what.
    #[schema(value_type = String, example = "GiB")]
    unit: &'static str,
    /// How much a unit costs, as a decimal.
    #[schema(example = "0.03", pattern = r"^[0-9]+(\.[0-9]+)?$")]
    price: String,
}

/// List prices
///
/// Of a unit of each meter. Costs in usage follow from them.
#[utoipa::path(get, path = "/v1/prices", tag = "usage", security(()), responses((status = 200, body = PriceList)))]
async fn list_prices(State(api): State<Api>) -> Response {
    let prices = &api.settings.prices;
    let items = Meter::ALL.into_iter().map(|meter| PriceBody {
        meter: meter.name(),
        unit: meter.unit(),
        price: prices.of(meter).to_string(),
    });
    ok(PriceList {
        currency: api.settings.currency.to_string(),
        items: items.collect(),
    })
}

//! Usage: what was used in an organization, by cluster, principal and time. What the numbers mean is in `docs/metering.md`.

mod csv;
mod focus;
mod query;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use firn_catalog::commands::Actor;
use firn_catalog::ids::OrganizationId;
use firn_catalog::usage::{UsageItem, UsageQuery};
use firn_runtime::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::query::{Format, position, read};
use crate::prices::{Meter, Prices, Used};
use crate::rules::{Caller, Ids, Listing, Moment, Paging, Problem, ok};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(get_usage))
}

/// How many rows of a CSV are read at a time, and how many it has at most.
const CSV_PAGE: i64 = 2_000;
const CSV_ROWS: usize = 50_000;
const CSV: &str = "text/csv; charset=utf-8; header=present";

/// What was used in a period.
#[derive(Debug, Serialize, ToSchema)]
struct UsageSum {
    /// When the period begins.
    period_start: Moment,
    /// When it ends.
    period_end: Moment,
    /// The cluster, if clusters have sums of their own.
    cluster: Option<String>,
    /// The principal as Kafka prints it, if principals have sums of their own; empty for what clusters as a whole take up.
    principal: Option<String>,
    /// Bytes of request frames.
    #[schema(minimum = 0)]
    bytes_in: i64,
    /// Bytes of response frames.
    #[schema(minimum = 0)]
    bytes_out: i64,
    /// Bytes of record batches that were appended.
    #[schema(minimum = 0)]
    produced_bytes: i64,
    /// Bytes of record batches that were fetched.
    #[schema(minimum = 0)]
    fetched_bytes: i64,
    /// Kafka requests.
    #[schema(minimum = 0)]
    requests: i64,
    /// The most connections that were open in a minute.
    #[schema(minimum = 0)]
    connections_peak: i64,
    /// Bytes that records took up, times hours.
    #[schema(minimum = 0)]
    storage_byte_hours: f64,
    /// Partitions, times hours.
    #[schema(minimum = 0)]
    partition_hours: f64,
    /// What that costs, as a decimal in the currency that `/v1/prices` names.
    #[schema(pattern = r"^[0-9]+(\.[0-9]+)?$")]
    cost: String,
}

impl UsageSum {
    fn of(item: UsageItem, minutes: i64, prices: &Prices) -> Self {
        let moment = |minute: i64| Moment(Timestamp(minute.saturating_mul(60_000)));
        let (storage, partitions) = (item.storage_byte_hours(), item.partition_hours());
        let cost = prices.cost(&counted(&item)).to_string();
        Self {
            period_start: moment(item.key.minute),
            period_end: moment(item.key.minute + minutes),
            cluster: item.key.cluster.map(|id| id.public()),
            principal: item.key.principal,
            bytes_in: item.bytes_in,
            bytes_out: item.bytes_out,
            produced_bytes: item.produced_bytes,
            fetched_bytes: item.fetched_bytes,
            requests: item.requests,
            connections_peak: item.connections_peak,
            storage_byte_hours: storage,
            partition_hours: partitions,
            cost,
        }
    }
}

/// What of it has a price.
fn counted(item: &UsageItem) -> Used {
    Used {
        produced_bytes: item.produced_bytes,
        fetched_bytes: item.fetched_bytes,
        storage_byte_minutes: item.storage_byte_minutes,
        partition_minutes: item.partition_minutes,
    }
}

/// What was used
///
/// Sums by period, and by cluster and principal if they are asked for, the oldest first. As CSV, all of them: at most 50,000 rows, or 12,500 as FOCUS.
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/usage", tag = "usage",
    params(
        ("from" = Option<String>, Query, description = "From when on: a day ago if it is not given. Whole periods are told", format = "date-time"),
        ("to" = Option<String>, Query, description = "Until when: now if it is not given", format = "date-time"),
        ("granularity" = Option<String>, Query, description = "How long a period is: minute, hour (as if it is not given) or day, in UTC",
            pattern = "^(minute|hour|day)$"),
        ("group_by" = Option<String>, Query, description = "What has sums of its own: cluster, principal or both",
            pattern = "^(cluster|principal|cluster,principal|principal,cluster)$"),
        ("cluster" = Option<String>, Query, description = "Only of this cluster", pattern = "^clu_[a-h][a-z2-7]{25}$"),
        ("project" = Option<String>, Query, description = "Only of this project's clusters", pattern = "^prj_[a-h][a-z2-7]{25}$"),
        ("principal" = Option<String>, Query, description = "Only of this principal", max_length = 300),
        ("format" = Option<String>, Query, description = "json, csv, or focus for CSV as FinOps tools read it (FOCUS): a line for each meter; without it, as Accept says",
            pattern = "^(json|csv|focus)$"),
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses(
        (status = 200, description = "The sums", content(
            (Listing<UsageSum> = "application/json"),
            (String = "text/csv"),
        )),
    )
)]
async fn get_usage(
    State(api): State<Api>,
    caller: Caller,
    Ids(organization): Ids<OrganizationId>,
    paging: Paging,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let asked = query.as_deref().unwrap_or_default();
    let (mut query, format) = read(asked, accept.unwrap_or_default(), organization, api.env.now())?;
    query.after = paging.after.as_deref().map(query::place).transpose()?;
    let (actor, minutes) = (caller.actor(), query.granularity.minutes());
    if format == Format::Json {
        query.limit = paging.rows();
        let items = api.catalog.usage(&actor, &query).await?;
        let page = paging.page(
            items,
            |item| position(&item.key),
            |item| UsageSum::of(item, minutes, &api.settings.prices),
        );
        return Ok(ok(page));
    }
    let text = match format {
        Format::Focus => {
            let organization = api.catalog.organization(&actor, organization).await?;
            let items = all(&api, &actor, query, CSV_ROWS / Meter::ALL.len()).await?;
            focus::write(&items, minutes, &organization, &api.settings)
        }
        Format::Csv | Format::Json => {
            let items = all(&api, &actor, query, CSV_ROWS).await?.into_iter();
            let rows: Vec<_> = items
                .map(|item| UsageSum::of(item, minutes, &api.settings.prices))
                .collect();
            csv::write(&rows)
        }
    };
    let headers = [
        (CONTENT_TYPE, CSV),
        (CONTENT_DISPOSITION, "attachment; filename=\"usage.csv\""),
    ];
    Ok((headers, text).into_response())
}

/// All sums, unless there are more than `most`.
async fn all(
    api: &Api,
    actor: &Actor,
    mut query: UsageQuery,
    most: usize,
) -> Result<Vec<UsageItem>, Problem> {
    query.limit = CSV_PAGE;
    let mut all = Vec::new();
    loop {
        let items = api.catalog.usage(actor, &query).await?;
        let Some(last) = items.last() else { break };
        query.after = Some(last.key.clone());
        let more = i64::try_from(items.len()).is_ok_and(|items| items == CSV_PAGE);
        all.extend(items);
        if all.len() > most {
            let detail =
                format!("there are more than {most} rows; ask for a shorter time or a longer period");
            return Err(Problem::bad_request(detail));
        }
        if !more {
            break;
        }
    }
    Ok(all)
}

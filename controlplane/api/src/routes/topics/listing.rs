//! The list of a cluster's topics: filtered, sorted and counted here, from the image; sizes are asked of the brokers, one request
//! each however many topics there are.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::commands::MAX_NAME_LENGTH;
use firn_catalog::ids::ClusterId;
use firn_catalog::image::ImageTopic;
use serde::Serialize;
use utoipa::ToSchema;

use super::bodies::TopicBody;
use super::order::{Key, Order, Place as Position};
use super::place::Place;
use crate::kafka::{TopicSize, all_topic_sizes, topic_sizes};
use crate::rules::{Caller, Ids, Listing, Paging, Problem, Query, ok};
use crate::state::Api;

/// The most items of a page.
const MOST: i64 = 1_000;

/// A page of topics.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TopicListing)]
pub(super) struct TopicsPage {
    /// What is on this page.
    items: Vec<ListedTopic>,
    /// Where the next page begins: pass it as `cursor`. None on the last one.
    next_cursor: Option<String>,
    /// How many topics the filters let through, on all pages together, as of now.
    #[schema(minimum = 0)]
    total: usize,
}

/// A topic in a list.
#[derive(Debug, Serialize, ToSchema)]
struct ListedTopic {
    #[serde(flatten)]
    topic: TopicBody,
    /// Bytes of its records, as they are stored; null unless sizes are asked for, and while not all of its brokers tell.
    #[schema(minimum = 0)]
    size_bytes: Option<i64>,
    /// How many offsets there are from the start to the end of its partitions: as many records, give or take those that compaction took
    /// away or transactions wrote. Null where `size_bytes` would be.
    #[schema(minimum = 0)]
    records: Option<i64>,
}

/// List topics
///
/// Those of a cluster. Sorted by sizes, a page begins after the size that the last topic of the one before had then.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/topics", tag = "topics",
    params(
        ("prefix" = Option<String>, Query, description = "Those whose names begin so", max_length = 249),
        ("contains" = Option<String>, Query, description = "Those in whose names this occurs", max_length = 249),
        ("sort" = Option<String>, Query, description = "Their order, by names if it is not given; with - before it the reverse",
            pattern = "^-?(name|partitions|created_at|size)$"),
        ("with" = Option<String>, Query, description = "What else is told: sizes asks brokers for size_bytes and records", pattern = "^sizes$"),
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, body = TopicsPage))
)]
pub(super) async fn list_topics(
    State(api): State<Api>,
    caller: Caller,
    Ids(cluster): Ids<ClusterId>,
    paging: Paging<MOST>,
    query: Query,
) -> Result<Response, Problem> {
    let asked = Asked::read(&query)?;
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let by_size = match asked.order.key {
        Key::Size => all_topic_sizes(api.kafka(), &place.delegate(), &place.image, cluster).await?,
        Key::Name | Key::Partitions | Key::CreatedAt => BTreeMap::new(),
    };
    let mut found = asked.find(&place, &by_size);
    let total = found.len();
    let page = asked.page(&paging, &mut found)?;
    let shown = page.items.iter().map(|(_, topic)| topic);
    let sizes = match asked.sizes {
        true => topic_sizes(api.kafka(), &place.delegate(), &place.image, shown).await?,
        false => BTreeMap::new(),
    };
    let show = |(position, topic): &(Position, Arc<ImageTopic>)| {
        let told = sizes.get(&topic.name).copied().unwrap_or_default();
        let sorted_by = (asked.order.key == Key::Size).then_some(position.0).flatten();
        ListedTopic {
            topic: TopicBody::of_image(topic),
            size_bytes: told.bytes.or(sorted_by),
            records: told.records,
        }
    };
    Ok(ok(TopicsPage {
        items: page.items.iter().map(show).collect(),
        next_cursor: page.next_cursor,
        total,
    }))
}

/// What is asked for.
struct Asked {
    prefix: String,
    contains: String,
    order: Order,
    sizes: bool,
}

impl Asked {
    fn read(query: &Query) -> Result<Self, Problem> {
        let order = query.word("sort")?.map(Order::parse).transpose()?;
        let sizes = match query.word("with")? {
            None => false,
            Some("sizes") => true,
            Some(_) => return Err(Problem::bad_request("with must be sizes")),
        };
        Ok(Self {
            prefix: part_of_name(query, "prefix")?,
            contains: part_of_name(query, "contains")?,
            order: order.unwrap_or_default(),
            sizes,
        })
    }

    /// All topics that the filters let through and the caller may see.
    fn find(&self, place: &Place, sizes: &BTreeMap<Arc<str>, TopicSize>) -> Vec<(Position, Arc<ImageTopic>)> {
        let begun = place.image.topics_from(place.cluster, &self.prefix);
        begun
            .take_while(|topic| topic.name.starts_with(&self.prefix))
            .filter(|topic| topic.name.contains(&self.contains))
            .filter(|topic| place.may_see(&topic.name))
            .map(|topic| {
                let size = sizes.get(&topic.name).and_then(|size| size.bytes);
                (self.order.place(topic, size), Arc::clone(topic))
            })
            .collect()
    }

    /// The page out of all that was found.
    fn page(
        &self,
        paging: &Paging<MOST>,
        found: &mut Vec<(Position, Arc<ImageTopic>)>,
    ) -> Result<Listing<(Position, Arc<ImageTopic>)>, Problem> {
        if let Some(after) = &paging.after {
            let after = Position::read(after)?;
            found.retain(|(position, _)| self.order.compare(position, &after) == Ordering::Greater);
        }
        found.sort_unstable_by(|(one, _), (other, _)| self.order.compare(one, other));
        found.truncate(usize::try_from(paging.rows()).unwrap_or(usize::MAX));
        let rows = std::mem::take(found);
        Ok(paging.page(rows, |(position, _)| position.text(), |row| row))
    }
}

fn part_of_name(query: &Query, name: &str) -> Result<String, Problem> {
    let value = query.text(name)?.unwrap_or_default();
    match value.len() <= MAX_NAME_LENGTH {
        true => Ok(value.to_owned()),
        false => Err(Problem::bad_request(format!("no topic's name has that {name}"))),
    }
}

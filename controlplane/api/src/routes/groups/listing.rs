//! The groups of a cluster, as pages.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::Permission;
use firn_catalog::ids::ClusterId;

use super::behind::{Behind, Known, asked, sum};
use super::bodies::{GroupBody, ListingBody, StateBody};
use crate::kafka::groups::{self, Asking, ListedGroup};
use crate::routes::topics::Place;
use crate::rules::{Caller, Ids, Paging, Problem, Query, ok};
use crate::state::Api;

/// How much of a name stands in a cursor, in bytes: a name may be longer than a cursor is.
const KEY_BYTES: usize = 200;

/// By what a group's place in the list is known.
fn key(name: &str) -> &str {
    &name[..name.floor_char_boundary(KEY_BYTES)]
}

/// A group, and how many groups up to it begin like it.
pub(super) struct Placed {
    pub(super) group: ListedGroup,
    alike: usize,
}

impl Placed {
    /// Its position, for cursors.
    pub(super) fn position(&self) -> String {
        format!("{}:{}", self.alike, key(&self.group.name))
    }
}

/// Those that come after a position. They are in the order of their names.
pub(super) fn after(groups: Vec<ListedGroup>, position: Option<&str>) -> Result<Vec<Placed>, Problem> {
    let after = position.map(|position| {
        let (alike, key) = position.split_once(':')?;
        Some((key, alike.parse::<usize>().ok()?))
    });
    // Cursors are signed: nobody else has made one.
    let after = after
        .map(|after| after.ok_or_else(Problem::internal))
        .transpose()?;
    let mut placed: Vec<Placed> = Vec::with_capacity(groups.len());
    for group in groups {
        let before = placed
            .last()
            .filter(|last| key(&last.group.name) == key(&group.name));
        let alike = before.map_or(0, |last| last.alike) + 1;
        placed.push(Placed { group, alike });
    }
    if let Some((begin, alike)) = after {
        placed.retain(|placed| match key(&placed.group.name).cmp(begin) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => placed.alike > alike,
            std::cmp::Ordering::Greater => true,
        });
    }
    Ok(placed)
}

fn states(query: &Query) -> Result<Vec<&'static str>, Problem> {
    let Some(wanted) = query.text("state")? else {
        return Ok(Vec::new());
    };
    let states = wanted.split(',').map(|wanted| {
        let known = StateBody::ALL.iter().find(|(_, name, _)| *name == wanted);
        known.map(|(_, _, kafka)| *kafka).ok_or_else(|| {
            let names = StateBody::ALL.map(|(_, name, _)| name).join(", ");
            Problem::bad_request(format!("state must be one or several of {names}, with commas"))
        })
    });
    states.collect()
}

fn with_lag(query: &Query) -> Result<bool, Problem> {
    match query.text("with")? {
        None => Ok(false),
        Some("lag") => Ok(true),
        Some(_) => Err(Problem::bad_request("with must be lag")),
    }
}

/// List consumer groups
///
/// Those of a cluster, in the order of their names, as the brokers that coordinate them tell.
#[utoipa::path(
    get, path = "/v1/clusters/{cluster}/groups", tag = "groups",
    params(
        ("contains" = Option<String>, Query, description = "Those in whose names this occurs", max_length = 300),
        ("state" = Option<String>, Query, description = "Those in one of these states, with commas",
            pattern = "^((empty|preparing_rebalance|completing_rebalance|stable)(,(empty|preparing_rebalance|completing_rebalance|stable))*)?$"),
        ("with" = Option<String>, Query, description = "lag: also how far each is behind", pattern = "^(lag)?$"),
        ("page_size" = Option<i64>, Query, description = "How many items a page has at most", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the one before", max_length = 2000),
    ),
    responses((status = 200, body = ListingBody))
)]
pub(super) async fn list_groups(
    State(api): State<Api>,
    caller: Caller,
    Ids(cluster): Ids<ClusterId>,
    paging: Paging,
    query: Query,
) -> Result<Response, Problem> {
    let contains = query.text("contains")?.unwrap_or_default().to_owned();
    let (states, with_lag) = (states(&query)?, with_lag(&query)?);
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let (delegate, image) = (place.delegate(), Arc::clone(&place.image));
    let asking = Asking {
        pool: api.kafka(),
        delegate: &delegate,
        image: &image,
    };
    let mut told = groups::list(asking, &states).await;
    told.groups.retain(|group| group.name.contains(&contains));
    let mut rows = after(told.groups, paging.after.as_deref())?;
    rows.truncate(usize::try_from(paging.rows()).unwrap_or(usize::MAX));
    let shown = rows.len().min(usize::try_from(paging.size).unwrap_or(usize::MAX));
    let listed: Vec<&ListedGroup> = rows[..shown].iter().map(|placed| &placed.group).collect();
    let known = Known::of(asking, &listed, with_lag).await;
    // Tens of thousands of offsets keep no other request waiting.
    let (place, known, wanted) = firn_runtime::blocking(&*api.env.tasks, move || {
        let wanted = asked(&place, known.committed.values().flatten());
        (place, known, wanted)
    })
    .await;
    let positions = groups::positions(asking, &wanted).await;
    let now = api.env.now();
    let page = move || {
        let behind = |group: &str| -> Option<Behind> {
            let committed = known.committed.get(group)?;
            Some(sum(&place, &positions, committed, now))
        };
        paging.page(rows, Placed::position, |placed| {
            let (state, behind) = (known.states.get(&placed.group.name), behind(&placed.group.name));
            GroupBody::of(&place, placed.group, state, behind.as_ref())
        })
    };
    let page = firn_runtime::blocking(&*api.env.tasks, page).await;
    Ok(ok(ListingBody {
        items: page.items,
        next_cursor: page.next_cursor,
        silent_brokers: told.silent,
    }))
}

#[cfg(test)]
mod tests {
    use firn_catalog::entities::Address;

    use super::*;
    use crate::kafka::groups::Coordinated;

    fn groups(names: &[String]) -> Vec<ListedGroup> {
        let coordinator = Coordinated {
            node: 0,
            address: Address {
                host: "localhost".to_owned(),
                port: 1,
            },
        };
        let listed = |name: &String| ListedGroup {
            name: name.clone(),
            state: "Empty".to_owned(),
            protocol_type: String::new(),
            coordinator: coordinator.clone(),
        };
        names.iter().map(listed).collect()
    }

    #[test]
    fn pages_go_on_behind_names_that_no_cursor_holds() {
        let long = |end: &str| format!("{}{end}", "é".repeat(300));
        let names = ["a".to_owned(), "b:1".to_owned(), long("1"), long("2"), long("3")];
        let mut position = None;
        for expected in &names {
            let rest = after(groups(&names), position.as_deref()).unwrap();
            assert_eq!(rest[0].group.name, *expected);
            position = Some(rest[0].position());
            assert!(position.as_ref().unwrap().len() <= KEY_BYTES + 3);
        }
        assert!(after(groups(&names), position.as_deref()).unwrap().is_empty());
    }
}

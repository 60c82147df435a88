//! ListGroups 0-5: the groups that this broker coordinates. From 4 with their states, and only those in some; from 5 with
//! their types. Who may describe the cluster sees all groups; others see those that they may describe.

use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::{Operation, ResourceName};
use firn_coordinator::api::Listed;
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{ApiKey, GroupId, ListGroupsRequest, ListGroupsResponse};
use kafka_protocol::protocol::StrBytes;

use super::text;
use crate::errors;
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::ListGroups;
pub(crate) const VERSIONS: RangeInclusive<i16> = 0..=5;

/// The type of all groups that there are.
const CLASSIC: &str = "classic";

pub(crate) async fn handle(context: Arc<RequestContext>, request: ListGroupsRequest) -> ListGroupsResponse {
    let image = context.serving.image();
    let all = context.allows(&image, Operation::Describe, ResourceName::Cluster);
    let listed = match context.serving.groups.list(context.cluster()).await {
        Ok(listed) => listed,
        Err(unavailable) => {
            let error = errors::of_unavailable(unavailable);
            return ListGroupsResponse::default().with_error_code(error.code());
        }
    };
    let mut wanted = Wanted::of(&request);
    let shown = listed.iter().filter(|group| wanted.has(group)).filter(|group| {
        let seen = ResourceName::Group(&group.name);
        all || context.allows(&image, Operation::Describe, seen)
    });
    ListGroupsResponse::default().with_groups(shown.map(tell).collect())
}

/// Which groups a request wants to know of. A filter may name as much as it likes, and groups may be many: names are
/// compared once for each state that there is.
struct Wanted<'a> {
    types: bool,
    states: &'a [StrBytes],
    /// The states that a group was in so far, and whether they are wanted.
    known: Vec<(&'static str, bool)>,
}

impl<'a> Wanted<'a> {
    fn of(request: &'a ListGroupsRequest) -> Self {
        Self {
            types: names(&request.types_filter, CLASSIC),
            states: &request.states_filter,
            known: Vec::new(),
        }
    }

    fn has(&mut self, group: &Listed) -> bool {
        let state = group.state.name();
        let known = self.known.iter().find(|(known, _)| *known == state);
        let wanted = known.map(|(_, wanted)| *wanted).unwrap_or_else(|| {
            let wanted = names(self.states, state);
            self.known.push((state, wanted));
            wanted
        });
        wanted && self.types
    }
}

/// Whether a filter lets that name pass. An empty one lets all pass.
fn names(filter: &[StrBytes], name: &str) -> bool {
    filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
}

fn tell(group: &Listed) -> ListedGroup {
    ListedGroup::default()
        .with_group_id(GroupId(text(&*group.name)))
        .with_protocol_type(text(&*group.protocol_type))
        .with_group_state(StrBytes::from_static_str(group.state.name()))
        .with_group_type(StrBytes::from_static_str(CLASSIC))
}

//! A group as its caller may see it, and what becomes of brokers' errors.

use firn_catalog::access::Permission;
use firn_catalog::acl::{Operation, ResourceName};
use firn_catalog::audit::Details;
use firn_catalog::ids::ClusterId;

use crate::kafka::groups::{
    self, Asking, GROUP_AUTHORIZATION_FAILED, GROUP_NOT_FOUND, GroupState, NON_EMPTY_GROUP, SUBSCRIBED,
    UNKNOWN_MEMBER,
};
use crate::kafka::{Delegate, KafkaError};
use crate::routes::topics::Place;
use crate::rules::{Caller, Code, Problem};
use crate::state::Api;

/// The state of a group without members, in Kafka's word.
const EMPTY: &str = "Empty";

/// A group's name in a cluster, and who asks.
pub(super) struct GroupPlace<'a> {
    pub(super) place: Place,
    pub(super) group: &'a str,
    delegate: Delegate,
}

impl<'a> GroupPlace<'a> {
    /// The cluster, if the caller may see it, and a name that is theirs to see: another one is that of no group.
    pub(super) async fn find(
        api: &Api,
        caller: &Caller,
        cluster: ClusterId,
        group: &'a str,
        needed: Permission,
    ) -> Result<Self, Problem> {
        let place = Place::find(api, caller, cluster, needed).await?;
        if !place.allows(Operation::Describe, ResourceName::Group(group)) {
            return Err(Problem::missing("group"));
        }
        Ok(Self {
            delegate: place.delegate(),
            place,
            group,
        })
    }

    pub(super) fn asking<'s>(&'s self, api: &'s Api) -> Asking<'s> {
        Asking {
            pool: api.kafka(),
            delegate: &self.delegate,
            image: &self.place.image,
        }
    }

    /// The group, as its coordinator describes it.
    pub(super) async fn described(&self, api: &Api) -> Result<GroupState, Problem> {
        let described = groups::describe(self.asking(api), self.group).await;
        described
            .map_err(problem)?
            .ok_or_else(|| Problem::missing("group"))
    }

    /// Refuses what the caller may not do to the group.
    pub(super) fn require(&self, operation: Operation) -> Result<(), Problem> {
        self.required(operation, ResourceName::Group(self.group))
    }

    /// Refuses what the caller may not do to a topic of the group.
    pub(super) fn require_topic(&self, operation: Operation, topic: &str) -> Result<(), Problem> {
        self.required(operation, ResourceName::Topic(topic))
    }

    fn required(&self, operation: Operation, resource: ResourceName<'_>) -> Result<(), Problem> {
        match self.place.allows(operation, resource) {
            true => Ok(()),
            false => Err(forbidden()),
        }
    }

    /// Does something to the group, after the trail was told of it; and tells it if it came to nothing.
    pub(super) async fn done<T>(
        &self,
        api: &Api,
        action: &'static str,
        details: Details,
        doing: impl Future<Output = Result<T, KafkaError>>,
    ) -> Result<T, Problem> {
        let of = ("group", self.group);
        let done = self.place.done(api, of, (action, details), doing).await?;
        done.map_err(problem)
    }
}

impl GroupState {
    /// Whether it has members, or some that come.
    pub(super) fn is_occupied(&self) -> bool {
        self.state != EMPTY || !self.members.is_empty()
    }

    /// Whether a member has a part of the topic.
    pub(super) fn subscribes_to(&self, topic: &str) -> bool {
        let mut members = self.members.iter();
        members.any(|member| member.assignment.contains_key(topic))
    }
}

fn forbidden() -> Problem {
    Problem::new(Code::Forbidden, "no role of yours allows this").untold()
}

/// A group that has members is theirs.
pub(super) fn occupied() -> Problem {
    Problem::new(
        Code::Protected,
        "the group has members; stop them first, and try again when the group is empty",
    )
}

pub(super) fn subscribed() -> Problem {
    Problem::new(
        Code::Protected,
        "members of the group subscribe to the topic; stop them first",
    )
}

/// What a broker's error means where it is about a group.
pub(super) fn problem(error: KafkaError) -> Problem {
    match error {
        KafkaError::Refused(GROUP_NOT_FOUND) => Problem::missing("group"),
        KafkaError::Refused(GROUP_AUTHORIZATION_FAILED) => forbidden(),
        // Who is no member sets offsets of an empty group only.
        KafkaError::Refused(NON_EMPTY_GROUP | UNKNOWN_MEMBER) => occupied(),
        KafkaError::Refused(SUBSCRIBED) => subscribed(),
        error => Problem::from(error),
    }
}

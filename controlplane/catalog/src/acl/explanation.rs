//! Why something is allowed or denied, and what would have to change.

use super::decision::{allowing_role, is_opened_by_name_alone};
use super::rules::covers;
use super::{Acl, Asked, Decision, Effect, PatternType, ResourceType, StoredAcl, WILDCARD};
use crate::commands::Principal;
use crate::image::Image;

/// A decision with what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// What was decided: what brokers decide.
    pub decision: Decision<'a>,
    /// All bindings that deny; each would have to go.
    pub denying: Vec<&'a StoredAcl>,
    /// The smallest binding that would allow, once none denies, if nothing does.
    pub smallest: Option<Acl>,
}

impl Acl {
    /// Whether it stands for the resource.
    fn stands_for(&self, kind: ResourceType, name: &str) -> bool {
        self.resource_type == kind
            && match self.pattern_type {
                PatternType::Literal => self.resource_name == name || self.resource_name == WILDCARD,
                PatternType::Prefixed => name.starts_with(&self.resource_name),
            }
    }

    /// Whether it is for that very name.
    fn names(&self, name: &str) -> bool {
        self.pattern_type == PatternType::Literal && self.resource_name == name
    }

    /// Whether it says something to what is asked.
    fn answers(&self, user: &str, asked: &Asked<'_>) -> bool {
        let (kind, name) = asked.resource.parts();
        let host = asked.host.map(|host| host.to_canonical());
        let opens = |name| {
            self.permission == Effect::Deny || self.names(name) || !is_opened_by_name_alone(kind, name)
        };
        name.is_some_and(|name| self.stands_for(kind, name) && opens(name))
            && self.user().is_some_and(|own| own == WILDCARD || own == user)
            && (self.host == WILDCARD || host.is_some() && self.address() == host)
            && covers(self, asked.operation)
    }
}

impl Image {
    /// Explains a decision about a resource that has a name.
    pub fn explain(&self, asked: &Asked<'_>) -> Explanation<'_> {
        let decision = self.decide(asked);
        let mut explanation = Explanation {
            decision,
            denying: Vec::new(),
            smallest: None,
        };
        let Principal::User(user) = asked.principal else {
            return explanation;
        };
        if explanation.decision.allows() {
            return explanation;
        }
        let acls = self.access(asked.cluster).into_iter();
        let acls = acls.flat_map(|access| access.acls().map(AsRef::as_ref));
        let answering = acls.filter(|stored: &&StoredAcl| stored.acl.answers(&user.name, asked));
        let (denying, allowing): (Vec<_>, Vec<_>) =
            answering.partition(|stored| stored.acl.permission == Effect::Deny);
        explanation.denying = denying;
        let (kind, name) = asked.resource.parts();
        let by_role = allowing_role(user, asked);
        let (true, Some(name)) = (allowing.is_empty() && by_role.is_none(), name) else {
            return explanation;
        };
        let host = asked.host.map(|host| host.to_canonical().to_string());
        let smallest = Acl {
            resource_type: kind,
            pattern_type: PatternType::Literal,
            resource_name: name.to_owned(),
            principal: format!("User:{}", user.name),
            host: host.unwrap_or_else(|| WILDCARD.to_owned()),
            operation: asked.operation,
            permission: Effect::Allow,
        };
        explanation.smallest = smallest.validated().ok();
        explanation
    }
}

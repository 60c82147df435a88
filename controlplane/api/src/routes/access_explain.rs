//! Why a principal may do something in a cluster, or may not: answered as brokers decide.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use firn_catalog::access::{Permission, RoleSet};
use firn_catalog::acl::{
    Acl, Asked, CLUSTER_NAME, Decision, Effect, Explanation, Operation, PatternType, ResourceName,
    ResourceType, WILDCARD,
};
use firn_catalog::commands::{DEV, Principal, User};
use firn_catalog::ids::{AclId, ClusterId, PersonId, ServiceAccountId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::acls::{AclBody, Binding};
use super::topics::Place;
use crate::rules::{Body, Caller, Ids, Problem, ok};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(explain_access))
}

/// The name of whom `firn dev` does not ask who it is.
const ANONYMOUS: &str = "ANONYMOUS";
/// How many ACLs that deny are told.
const MOST_DENYING: usize = 100;

/// What is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AccessQuestion {
    /// Who: `User:` and the id of a service account, or the name of another user.
    #[schema(pattern = "^User:.+$", max_length = 1029)]
    principal: String,
    /// What it would do.
    #[schema(value_type = String, pattern = "^[a-z_]+$")]
    operation: Operation,
    /// To what kind of resource.
    #[schema(value_type = String, pattern = "^(topic|group|cluster|transactional_id|user)$")]
    resource_type: ResourceType,
    /// The resource's name; it need not exist. Of a cluster it may be left out.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 1024)]
    resource_name: Option<String>,
    /// From which IP address; left out: from one that no ACL names.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 45)]
    host: Option<String>,
}

/// Why.
#[derive(Debug, Serialize, ToSchema)]
struct AccessExplanation {
    /// Whether it is allowed.
    allowed: bool,
    /// What decided.
    decided_by: DecidedBy,
    /// The role that allows it; null where the roles of others are not for the caller to see.
    #[schema(pattern = "^(owner|admin|operator|developer|viewer|billing)$")]
    role: Option<&'static str>,
    /// The ACL that allows or denies it.
    acl: Option<AclBody>,
    /// Ids of all ACLs that deny it, each of which would have to go; the first 100.
    denying_acls: Vec<String>,
    /// The smallest ACL that would allow it, once none denies it; null if something allows it then anyway.
    smallest_acl: Option<Binding>,
    /// All of it as a sentence.
    sentence: String,
}

/// What decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DecidedBy {
    /// The principal is an owner or admin, whom no ACL stops; told as `role` where its roles are not for the caller to see.
    SuperUser,
    /// A role.
    Role,
    /// An ACL.
    Acl,
    /// No ACL names the resource, and the operator leaves such ones open.
    Default,
    /// Nothing allows it.
    Nothing,
}

/// Explain access
///
/// Tells what decides whether a principal may do something: a role, an ACL, or that nothing allows it, and then the smallest ACL that
/// would. Brokers decide the same. Which roles another person has is told to who manages members, those of service accounts to who
/// manages credentials.
#[utoipa::path(
    post, path = "/v1/clusters/{cluster}/access:explain", tag = "acls",
    request_body = AccessQuestion,
    responses((status = 200, body = AccessExplanation))
)]
async fn explain_access(
    State(api): State<Api>,
    caller: Caller,
    Ids(cluster): Ids<ClusterId>,
    Body(body): Body<AccessQuestion>,
) -> Result<Response, Problem> {
    let place = Place::find(&api, &caller, cluster, Permission::ViewCluster).await?;
    let question = checked(body)?;
    let name = question.principal.strip_prefix("User:").unwrap_or_default();
    let principal = principal(&api, &place, name).await?;
    let explanation = place.image.explain(&Asked {
        principal: &principal,
        host: question.host.parse::<IpAddr>().ok(),
        operation: question.operation,
        cluster,
        resource: ResourceName::of(question.resource_type, &question.resource_name),
    });
    let secret = !sees_roles(&place, name);
    Ok(ok(shown(&place, (&question, secret), explanation)))
}

/// The question as the ACL that would answer it with yes, which must be one that there can be.
fn checked(body: AccessQuestion) -> Result<Acl, Problem> {
    let name = match (body.resource_name, body.resource_type) {
        (Some(name), _) => name,
        (None, ResourceType::Cluster) => CLUSTER_NAME.to_owned(),
        (None, _) => return Err(Problem::invalid("/resource_name", "name the resource")),
    };
    let refuse = |pointer: &str, reason: &str| Err(Problem::invalid(pointer, reason));
    if body.operation == Operation::All {
        return refuse("/operation", "name one operation");
    }
    if body.principal == firn_catalog::acl::EVERYBODY {
        return refuse("/principal", "name one principal");
    }
    if body.host.as_deref() == Some(WILDCARD) {
        return refuse("/host", "name one address, or none");
    }
    let acl = Acl {
        resource_type: body.resource_type,
        pattern_type: PatternType::Literal,
        resource_name: name,
        principal: body.principal,
        host: body.host.unwrap_or_else(|| WILDCARD.to_owned()),
        operation: body.operation,
        permission: Effect::Allow,
    };
    acl.validated()
        .map_err(|error| Problem::invalid(format!("/{}", error.field), error.reason))
}

/// Whether the caller may know which roles a principal has.
fn sees_roles(place: &Place, name: &str) -> bool {
    let Principal::User(caller) = &place.actor.principal else {
        return false;
    };
    let needed = match (PersonId::from_public(name), ServiceAccountId::from_public(name)) {
        (Ok(_), _) => Permission::ManageMembers,
        (_, Ok(_)) => Permission::ManageCredentials,
        _ => return true,
    };
    *caller.name == *name || caller.roles.allow(needed)
}

/// Whom brokers take for a user of this name.
async fn principal(api: &Api, place: &Place, name: &str) -> Result<Principal, Problem> {
    let cluster = place.cluster;
    let slug = place.image.cluster(cluster).map(|cluster| cluster.slug.as_str());
    if is_unasked(api.settings.dev, slug, name) {
        return Ok(Principal::Dev { cluster });
    }
    Ok(Principal::User(Arc::new(User {
        cluster,
        name: name.into(),
        roles: roles_of(api, place, name).await?,
    })))
}

/// Whether it is whom the brokers of `firn dev` do not ask who it is, in the one cluster where they do not.
fn is_unasked(dev: bool, slug: Option<&str>, name: &str) -> bool {
    dev && slug == Some(DEV) && name == ANONYMOUS
}

/// The roles that brokers know a user by: those of a service account or a person, or of a user that Kafka's tools made.
async fn roles_of(api: &Api, place: &Place, name: &str) -> Result<RoleSet, Problem> {
    let account = ServiceAccountId::from_public(name).map(Principal::ServiceAccount);
    let holder = account.or_else(|_| PersonId::from_public(name).map(Principal::Person));
    if let Ok(holder) = holder {
        return Ok(api.catalog.roles_in_cluster(&holder, place.cluster).await?);
    }
    let known = place.image.scram_user(Some(place.cluster), name);
    let own = known
        .all()
        .iter()
        .find(|credential| &*credential.user.name == name);
    Ok(own.map_or(RoleSet::NONE, |credential| credential.user.roles))
}

/// The answer; one that names no role if the roles are secret.
fn shown(place: &Place, (question, secret): (&Acl, bool), explanation: Explanation<'_>) -> AccessExplanation {
    let sentence = sentence(question, secret, &explanation);
    let Explanation {
        decision,
        denying,
        smallest,
    } = explanation;
    let decided_by = match decision {
        Decision::SuperUser if !secret => DecidedBy::SuperUser,
        Decision::SuperUser | Decision::AllowedByRole(_) => DecidedBy::Role,
        Decision::AllowedBy(_) | Decision::DeniedBy(_) => DecidedBy::Acl,
        Decision::AllowedByDefault => DecidedBy::Default,
        Decision::NothingAllows | Decision::OtherCluster => DecidedBy::Nothing,
    };
    let role = match decision {
        Decision::AllowedByRole(role) if !secret => Some(role.name()),
        _ => None,
    };
    let acl = match decision {
        Decision::AllowedBy(acl) | Decision::DeniedBy(acl) => Some(AclId::of(acl)),
        _ => None,
    };
    let acls = place.image.access(place.cluster).map(|access| access.acl_set());
    let acl = acls.zip(acl).and_then(|(acls, id)| acls.get(id));
    let denying = denying.iter().take(MOST_DENYING);
    AccessExplanation {
        allowed: decision.allows(),
        decided_by,
        role,
        acl: acl.map(|stored| AclBody::of(place.cluster, stored)),
        denying_acls: denying.map(|stored| stored.id.public()).collect(),
        smallest_acl: smallest.map(Binding::from),
        sentence,
    }
}

fn sentence(question: &Acl, secret: bool, explanation: &Explanation<'_>) -> String {
    let who = &question.principal;
    let what = match question.resource_type {
        ResourceType::Cluster => format!("{} on the cluster", question.operation),
        kind => format!("{} on {kind} '{}'", question.operation, question.resource_name),
    };
    let mut text = match &explanation.decision {
        Decision::SuperUser | Decision::AllowedByRole(_) if secret => {
            format!("A role allows {who} {what}.")
        }
        Decision::SuperUser if question.principal.strip_prefix("User:") == Some(ANONYMOUS) => {
            format!("`firn dev` lets {who} do everything, and no ACL stops it: {what} is allowed.")
        }
        Decision::SuperUser => {
            format!("{who} is an owner or admin of the cluster, whom no ACL stops: {what} is allowed.")
        }
        Decision::AllowedByRole(role) => format!("The role {role} allows {who} {what}."),
        Decision::AllowedBy(acl) => format!("ACL {} allows {who} {what}.", AclId::of(acl).public()),
        Decision::AllowedByDefault => {
            format!("No ACL names it, and the operator leaves such ones open: {who} is allowed {what}.")
        }
        Decision::DeniedBy(acl) => format!(
            "ACL {} denies {who} {what}, whatever else allows it.",
            AclId::of(acl).public()
        ),
        Decision::NothingAllows | Decision::OtherCluster => {
            format!("No role and no ACL allows {who} {what}.")
        }
    };
    match explanation.denying.len() {
        0 => {}
        1 => text.push_str(" To allow it, delete that ACL"),
        many => {
            let _ = write!(text, " To allow it, delete the {many} ACLs that deny it");
        }
    }
    match (&explanation.smallest, explanation.denying.is_empty()) {
        (None, true) => {}
        (None, false) => text.push('.'),
        (Some(_), true) => text.push_str(" The smallest ACL that would is in smallest_acl."),
        (Some(_), false) => text.push_str(", and make the one in smallest_acl."),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_dev_does_not_ask_is_a_super_user_in_its_cluster_and_nowhere_else() {
        assert!(is_unasked(true, Some("dev"), "ANONYMOUS"));
        assert!(!is_unasked(false, Some("dev"), "ANONYMOUS"));
        assert!(!is_unasked(true, Some("own-6vjcj"), "ANONYMOUS"));
        assert!(!is_unasked(true, None, "ANONYMOUS"));
        assert!(!is_unasked(true, Some("dev"), "alice"));
    }
}

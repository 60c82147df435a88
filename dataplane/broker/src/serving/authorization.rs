//! How a handler asks whether the caller may do something. What each API asks is in [`crate::permissions`].
//!
//! A request that is refused is told so by [`RequestContext::authorize`], which notes it in the audit trail. What is merely left out
//! of an answer, since the caller may not see it, and a first of several ways to be allowed, are asked by
//! [`RequestContext::allows`], which notes nothing.

use firn_catalog::acl::{Asked, Operation, ResourceName};
use firn_catalog::ids::AuditId;
use firn_catalog::image::Image;
use kafka_protocol::ResponseError;

use super::request::RequestContext;
use crate::errors::Failure;

/// That the caller may not do something, as it is noted in the audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Denied(AuditId);

impl Denied {
    /// A sentence for people, by which they find out why.
    pub(crate) fn message(self) -> String {
        format!(
            "not authorized; see {} in the cluster's audit trail, or ask access:explain",
            self.0.public()
        )
    }

    /// The error of a resource of the kind that is answered so.
    pub(crate) fn failure(self, error: ResponseError) -> Failure {
        Failure::new(error, self.message())
    }
}

impl RequestContext {
    /// Whether the caller may do this. Nothing is noted if not: for what is left out of an answer.
    pub(crate) fn allows(&self, image: &Image, operation: Operation, resource: ResourceName<'_>) -> bool {
        let asked = Asked {
            principal: &self.identity.principal,
            host: Some(self.identity.address),
            operation,
            cluster: self.cluster(),
            resource,
        };
        self.serving.authorizer.allows(image, &asked)
    }

    /// Seam 1: refuses what the caller may not do, and notes it.
    pub(crate) fn authorize(
        &self,
        image: &Image,
        operation: Operation,
        resource: ResourceName<'_>,
    ) -> Result<(), Denied> {
        match self.allows(image, operation, resource) {
            true => Ok(()),
            false => Err(self.denied(operation, resource)),
        }
    }

    /// Notes that the caller may not do this.
    #[cold]
    pub(crate) fn denied(&self, operation: Operation, resource: ResourceName<'_>) -> Denied {
        let denials = &self.serving.denials;
        Denied(denials.authorization(&self.identity, || self.origin(), operation, resource))
    }

    /// Refuses what the caller may not do to the cluster as a whole.
    pub(crate) fn authorize_cluster(&self, image: &Image, operation: Operation) -> Result<(), Denied> {
        self.authorize(image, operation, ResourceName::Cluster)
    }

    /// Refuses what the caller may not do to a topic, which need not exist.
    pub(crate) fn authorize_topic(
        &self,
        image: &Image,
        operation: Operation,
        topic: &str,
    ) -> Result<(), Denied> {
        self.authorize(image, operation, ResourceName::Topic(topic))
    }

    /// Refuses what the caller may not do to a group, which need not exist.
    pub(crate) fn authorize_group(
        &self,
        image: &Image,
        operation: Operation,
        group: &str,
    ) -> Result<(), Denied> {
        self.authorize(image, operation, ResourceName::Group(group))
    }

    /// Whether the caller may see that a topic exists.
    pub(crate) fn may_see(&self, image: &Image, topic: &str) -> bool {
        self.allows(image, Operation::Describe, ResourceName::Topic(topic))
    }

    /// Those of `operations` that the caller may do, as the bits of Kafka's authorized operations.
    pub(crate) fn authorized(
        &self,
        image: &Image,
        operations: &[Operation],
        resource: ResourceName<'_>,
    ) -> i32 {
        let granted = operations
            .iter()
            .filter(|operation| self.allows(image, **operation, resource));
        granted.fold(0, |bits, operation| bits | 1 << operation.number())
    }

    /// What the caller may do to the cluster as a whole, as bits: none without seeing it.
    pub(crate) fn authorized_cluster(&self, image: &Image) -> i32 {
        match self.allows(image, Operation::Describe, ResourceName::Cluster) {
            true => self.authorized(image, crate::seams::CLUSTER_OPERATIONS, ResourceName::Cluster),
            false => 0,
        }
    }
}

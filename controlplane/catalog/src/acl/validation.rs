//! Which bindings there can be.

use std::net::IpAddr;

use super::{Acl, CLUSTER_NAME, Operation, PatternType, ResourceType, WILDCARD};
use crate::commands::MAX_NAME_LENGTH;

/// The longest name of a resource that is no topic, and the longest principal, in bytes.
pub const MAX_ACL_NAME: usize = 1_024;
/// The most bindings of a cluster.
pub const MAX_ACLS_PER_CLUSTER: i64 = 20_000;

/// Why there cannot be such a binding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid ACL: {reason}")]
pub struct InvalidAcl {
    /// Which of its fields is wrong.
    pub field: &'static str,
    /// What is wrong.
    pub reason: String,
}

impl ResourceType {
    /// What may be done to such a resource, beside everything (Kafka's `AclEntry.supportedOperations`).
    pub fn operations(self) -> &'static [Operation] {
        use Operation as O;
        match self {
            Self::Topic => &[
                O::Read,
                O::Write,
                O::Create,
                O::Delete,
                O::Alter,
                O::Describe,
                O::DescribeConfigs,
                O::AlterConfigs,
            ],
            Self::Group => &[
                O::Read,
                O::Delete,
                O::Describe,
                O::DescribeConfigs,
                O::AlterConfigs,
            ],
            Self::Cluster => &[
                O::Create,
                O::Alter,
                O::Describe,
                O::ClusterAction,
                O::DescribeConfigs,
                O::AlterConfigs,
                O::IdempotentWrite,
            ],
            Self::TransactionalId => &[O::Write, O::Describe],
            Self::User => &[O::CreateTokens, O::DescribeTokens],
        }
    }
}

/// The host as an address that is written in one way only, an IPv4 address in IPv6 as itself; `None` if it is no address.
pub(super) fn address(host: &str) -> Option<IpAddr> {
    host.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// A host as bindings have it: `*`, or an address in its one form. What is neither stays as it is.
pub(super) fn canonical_host(host: &str) -> String {
    address(host).map_or_else(|| host.to_owned(), |address| address.to_string())
}

impl Acl {
    /// The binding with its host in the one form that it is kept in, if there can be such a binding.
    pub fn validated(self) -> Result<Self, InvalidAcl> {
        self.check_resource()?;
        self.check_principal()?;
        let refuse = |field, reason: String| Err(InvalidAcl { field, reason });
        if self.host != WILDCARD && address(&self.host).is_none() {
            return refuse("host", "it must be an IP address, or *".to_owned());
        }
        let fits =
            self.operation == Operation::All || self.resource_type.operations().contains(&self.operation);
        if !fits {
            let kind = self.resource_type;
            return refuse("operation", format!("there is no {} on a {kind}", self.operation));
        }
        Ok(Self {
            host: canonical_host(&self.host),
            ..self
        })
    }

    fn check_resource(&self) -> Result<(), InvalidAcl> {
        let refuse = |field, reason: String| Err(InvalidAcl { field, reason });
        let name = &self.resource_name;
        if name.is_empty() {
            return refuse("resource_name", "it must not be empty".to_owned());
        }
        let most = match self.resource_type {
            ResourceType::Topic => MAX_NAME_LENGTH,
            _ => MAX_ACL_NAME,
        };
        if name.len() > most {
            return refuse("resource_name", format!("it has more than {most} bytes"));
        }
        if name.chars().any(char::is_control) {
            return refuse("resource_name", "it contains a control character".to_owned());
        }
        if self.resource_type == ResourceType::Cluster {
            if self.pattern_type != PatternType::Literal {
                return refuse("pattern_type", "the cluster is named by a literal".to_owned());
            }
            if name != CLUSTER_NAME {
                return refuse("resource_name", format!("a cluster is named {CLUSTER_NAME}"));
            }
        }
        Ok(())
    }

    fn check_principal(&self) -> Result<(), InvalidAcl> {
        let refuse = |reason: &str| {
            Err(InvalidAcl {
                field: "principal",
                reason: reason.to_owned(),
            })
        };
        match self.user() {
            None => refuse("it must begin with User:"),
            Some("") => refuse("it must have a name after User:"),
            Some(name) if name.len() > MAX_ACL_NAME => refuse("it is too long"),
            Some(name) if name.chars().any(char::is_control) => refuse("it contains a control character"),
            Some(_) => Ok(()),
        }
    }

    /// The name after `User:`; `*` for everybody.
    pub(super) fn user(&self) -> Option<&str> {
        self.principal.strip_prefix("User:")
    }

    /// Its host's address; `None` for every host.
    pub(super) fn address(&self) -> Option<IpAddr> {
        address(&self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acl::Effect;

    fn acl() -> Acl {
        Acl {
            resource_type: ResourceType::Topic,
            pattern_type: PatternType::Literal,
            resource_name: "orders".to_owned(),
            principal: "User:alice".to_owned(),
            host: WILDCARD.to_owned(),
            operation: Operation::Read,
            permission: Effect::Allow,
        }
    }

    fn refused(change: impl FnOnce(&mut Acl)) -> Option<&'static str> {
        let mut changed = acl();
        change(&mut changed);
        changed.validated().err().map(|error| error.field)
    }

    #[test]
    fn what_kafka_takes_is_taken() {
        assert_eq!(refused(|_| {}), None);
        assert_eq!(refused(|acl| acl.resource_name = WILDCARD.to_owned()), None);
        assert_eq!(refused(|acl| acl.principal = "User:*".to_owned()), None);
        assert_eq!(refused(|acl| acl.principal = "User:CN=a, O=b:c".to_owned()), None);
        assert_eq!(
            refused(|acl| {
                acl.pattern_type = PatternType::Prefixed;
                acl.resource_name = WILDCARD.to_owned();
            }),
            None,
            "as in Kafka, names that begin with a star"
        );
        for kind in ResourceType::ALL {
            for operation in kind.operations() {
                let name = if *kind == ResourceType::Cluster {
                    CLUSTER_NAME
                } else {
                    "x"
                };
                let fits = refused(|acl| {
                    acl.resource_type = *kind;
                    acl.resource_name = name.to_owned();
                    acl.operation = *operation;
                });
                assert_eq!(fits, None, "{kind} {operation}");
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused_by_the_field_that_is_wrong() {
        assert_eq!(refused(|acl| acl.resource_name.clear()), Some("resource_name"));
        assert_eq!(
            refused(|acl| acl.resource_name = "x".repeat(250)),
            Some("resource_name")
        );
        assert_eq!(
            refused(|acl| acl.resource_name = "a\u{0}b".to_owned()),
            Some("resource_name")
        );
        assert_eq!(
            refused(|acl| acl.resource_type = ResourceType::Cluster),
            Some("resource_name")
        );
        let prefixed = |acl: &mut Acl| {
            acl.resource_type = ResourceType::Cluster;
            acl.resource_name = CLUSTER_NAME.to_owned();
            acl.pattern_type = PatternType::Prefixed;
        };
        assert_eq!(refused(prefixed), Some("pattern_type"));
        for principal in ["alice", "Group:a", "User:", "user:a", "User:a\nb", ""] {
            assert_eq!(
                refused(|acl| acl.principal = principal.to_owned()),
                Some("principal"),
                "{principal}"
            );
        }
        for host in ["", "localhost", "10.0.0.0/8", "10.0.0", "1.2.3.4 "] {
            assert_eq!(refused(|acl| acl.host = host.to_owned()), Some("host"), "{host}");
        }
        assert_eq!(
            refused(|acl| acl.operation = Operation::ClusterAction),
            Some("operation")
        );
        assert_eq!(
            refused(|acl| acl.operation = Operation::IdempotentWrite),
            Some("operation")
        );
    }

    #[test]
    fn a_host_has_one_form() {
        for (written, kept) in [
            ("::ffff:10.1.2.3", "10.1.2.3"),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("10.1.2.3", "10.1.2.3"),
            ("*", "*"),
        ] {
            let mut acl = acl();
            acl.host = written.to_owned();
            assert_eq!(acl.validated().unwrap().host, kept);
        }
    }
}

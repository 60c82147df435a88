//! ACLs as Kafka's protocol writes them: what the three APIs about them share.
//!
//! Numbers that mean nothing are refused. What Kafka knows and no virtual cluster has, such as delegation tokens, cannot be made, and
//! a filter for it finds nothing.

use firn_catalog::acl::{Acl, AclFilter, Effect, Operation, PatternFilter, PatternType, ResourceType};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::describe_acls_request::DescribeAclsRequest;
use kafka_protocol::protocol::StrBytes;

use crate::errors::Failure;

/// Kafka's number for whichever there is.
const ANY: i8 = 1;
/// Kafka's number for the patterns that stand for a name.
const MATCH: i8 = 2;
/// Kafka's number of the resource type of delegation tokens.
const DELEGATION_TOKEN: i8 = 6;
/// Kafka's number of the operation to commit in two phases.
const TWO_PHASE_COMMIT: i8 = 15;

/// Which bindings a filter is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Those.
    These(AclFilter),
    /// Such as no virtual cluster has.
    Nothing,
}

/// A filter as it came.
pub(crate) struct Filter<'a> {
    resource_type: i8,
    resource_name: Option<&'a StrBytes>,
    pattern_type: i8,
    principal: Option<&'a StrBytes>,
    host: Option<&'a StrBytes>,
    operation: i8,
    permission: i8,
}

macro_rules! filter_of {
    ($($request:ty),*) => {$(
        impl<'a> From<&'a $request> for Filter<'a> {
            fn from(request: &'a $request) -> Self {
                Self {
                    resource_type: request.resource_type_filter,
                    resource_name: request.resource_name_filter.as_ref(),
                    pattern_type: request.pattern_type_filter,
                    principal: request.principal_filter.as_ref(),
                    host: request.host_filter.as_ref(),
                    operation: request.operation,
                    permission: request.permission_type,
                }
            }
        }
    )*};
}

filter_of!(DescribeAclsRequest, DeleteAclsFilter);

impl Filter<'_> {
    /// What it means.
    pub(crate) fn wanted(&self) -> Result<Wanted, Failure> {
        let elsewhere = self.resource_type == DELEGATION_TOKEN || self.operation == TWO_PHASE_COMMIT;
        let some = |text: Option<&StrBytes>| text.map(|text| text.as_str().to_owned());
        let filter = AclFilter {
            resource_type: match self.resource_type {
                ANY | DELEGATION_TOKEN => None,
                number => Some(known("resource type", number, ResourceType::of_number)?),
            },
            resource_name: some(self.resource_name),
            pattern_type: match self.pattern_type {
                ANY => PatternFilter::Any,
                MATCH => PatternFilter::Match,
                number => PatternFilter::Only(known("pattern type", number, PatternType::of_number)?),
            },
            principal: some(self.principal),
            host: some(self.host),
            operation: match self.operation {
                ANY | TWO_PHASE_COMMIT => None,
                number => Some(known("operation", number, Operation::of_number)?),
            },
            permission: match self.permission {
                ANY => None,
                number => Some(known("permission type", number, Effect::of_number)?),
            },
        };
        Ok(match elsewhere {
            true => Wanted::Nothing,
            false => Wanted::These(filter.canonical()),
        })
    }
}

/// The binding that is to be made.
pub(crate) fn binding(creation: &AclCreation) -> Result<Acl, Failure> {
    Ok(Acl {
        resource_type: known("resource type", creation.resource_type, ResourceType::of_number)?,
        pattern_type: known(
            "pattern type",
            creation.resource_pattern_type,
            PatternType::of_number,
        )?,
        resource_name: creation.resource_name.as_str().to_owned(),
        principal: creation.principal.as_str().to_owned(),
        host: creation.host.as_str().to_owned(),
        operation: known("operation", creation.operation, Operation::of_number)?,
        permission: known("permission type", creation.permission_type, Effect::of_number)?,
    })
}

fn known<T>(what: &str, number: i8, of_number: fn(i8) -> Option<T>) -> Result<T, Failure> {
    of_number(number).ok_or_else(|| {
        Failure::new(
            ResponseError::InvalidRequest,
            format!("{what} {number} cannot be used here"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every() -> DescribeAclsRequest {
        DescribeAclsRequest::default()
            .with_resource_type_filter(ANY)
            .with_pattern_type_filter(ANY)
            .with_operation(ANY)
            .with_permission_type(ANY)
            .with_resource_name_filter(None)
            .with_principal_filter(None)
            .with_host_filter(None)
    }

    #[test]
    fn any_is_no_condition_and_what_no_cluster_has_is_nothing() {
        let wanted = |request: DescribeAclsRequest| Filter::from(&request).wanted().unwrap();
        assert_eq!(wanted(every()), Wanted::These(AclFilter::default()));
        assert_eq!(
            wanted(every().with_resource_type_filter(DELEGATION_TOKEN)),
            Wanted::Nothing
        );
        assert_eq!(wanted(every().with_operation(TWO_PHASE_COMMIT)), Wanted::Nothing);
        let Wanted::These(filter) = wanted(every().with_pattern_type_filter(MATCH).with_operation(2)) else {
            panic!("it is for something");
        };
        assert_eq!(
            (filter.pattern_type, filter.operation),
            (PatternFilter::Match, Some(Operation::All))
        );
    }

    #[test]
    fn numbers_that_mean_nothing_are_refused() {
        for number in [i8::MIN, -1, 0, 16, i8::MAX] {
            for request in [
                every().with_resource_type_filter(number),
                every().with_pattern_type_filter(number),
                every().with_operation(number),
                every().with_permission_type(number),
            ] {
                let failure = Filter::from(&request).wanted().unwrap_err();
                assert_eq!(failure.code(), ResponseError::InvalidRequest.code(), "{number}");
            }
        }
        let whole = AclCreation::default()
            .with_resource_type(2)
            .with_resource_pattern_type(3)
            .with_operation(3)
            .with_permission_type(3);
        assert!(binding(&whole).is_ok());
        for number in [-1, 0, ANY] {
            assert!(binding(&whole.clone().with_resource_type(number)).is_err());
            assert!(binding(&whole.clone().with_resource_pattern_type(number)).is_err());
            assert!(binding(&whole.clone().with_operation(number)).is_err());
            assert!(binding(&whole.clone().with_permission_type(number)).is_err());
        }
        assert!(binding(&whole.clone().with_resource_pattern_type(MATCH)).is_err());
        assert!(binding(&whole.with_resource_type(DELEGATION_TOKEN)).is_err());
    }
}

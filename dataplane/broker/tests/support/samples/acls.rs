//! Requests about ACLs of a topic.

use kafka_protocol::messages as m;

use super::{Sample, Subject, add};
use crate::support::client::text;

/// Whom the bindings of samples are for: nobody.
pub const SOMEBODY: &str = "User:somebody";

/// Kafka's numbers of any, and of what the samples are about.
pub const ANY: i8 = 1;
pub const TOPIC: i8 = 2;
pub const LITERAL: i8 = 3;
pub const READ: i8 = 3;
pub const ALLOW: i8 = 3;

pub fn of_acls(samples: &mut Vec<Sample>, about: &Subject<'_>) {
    add(samples, 1..=3, |_| {
        m::DescribeAclsRequest::default()
            .with_resource_type_filter(TOPIC)
            .with_resource_name_filter(Some(text(about.name)))
            .with_pattern_type_filter(LITERAL)
            .with_principal_filter(Some(text(SOMEBODY)))
            .with_host_filter(None)
            .with_operation(ANY)
            .with_permission_type(ANY)
    });
    add(samples, 1..=3, |_| {
        let creation = m::create_acls_request::AclCreation::default()
            .with_resource_type(TOPIC)
            .with_resource_name(text(about.name))
            .with_resource_pattern_type(LITERAL)
            .with_principal(text(SOMEBODY))
            .with_host(text("*"))
            .with_operation(READ)
            .with_permission_type(ALLOW);
        m::CreateAclsRequest::default().with_creations(vec![creation; about.outer])
    });
    add(samples, 1..=3, |_| {
        let filter = m::delete_acls_request::DeleteAclsFilter::default()
            .with_resource_type_filter(TOPIC)
            .with_resource_name_filter(Some(text(about.name)))
            .with_pattern_type_filter(LITERAL)
            .with_principal_filter(Some(text(SOMEBODY)))
            .with_host_filter(None)
            .with_operation(ANY)
            .with_permission_type(ANY);
        m::DeleteAclsRequest::default().with_filters(vec![filter; about.outer])
    });
}

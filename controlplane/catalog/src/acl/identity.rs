//! The id of a binding: made of all that it says, so that a cluster has each binding once (docs/formats/catalog.md).

use ring::digest::{Context, SHA256};

use super::Acl;
use crate::ids::AclId;

/// What the digest begins with.
const DOMAIN: &[u8] = b"firn.acl.1";

impl AclId {
    /// The id of a binding: the first half of the SHA-256 digest of its fields, each text behind its length.
    pub fn of(acl: &Acl) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(DOMAIN);
        context.update(&[
            acl.resource_type as u8,
            acl.pattern_type as u8,
            acl.operation as u8,
            acl.permission as u8,
        ]);
        for text in [&acl.resource_name, &acl.principal, &acl.host] {
            let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
            context.update(&length.to_be_bytes());
            context.update(text.as_bytes());
        }
        let digest = context.finish();
        let half = digest.as_ref().iter().take(16);
        Self(half.fold(0, |id, byte| (id << 8) | u128::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acl::{Effect, Operation, PatternType, ResourceType};

    fn acl() -> Acl {
        Acl {
            resource_type: ResourceType::Topic,
            pattern_type: PatternType::Literal,
            resource_name: "orders".to_owned(),
            principal: "User:alice".to_owned(),
            host: "*".to_owned(),
            operation: Operation::Read,
            permission: Effect::Allow,
        }
    }

    #[test]
    fn an_id_stays_what_it_was() {
        assert_eq!(AclId::of(&acl()).to_string(), "e09cda3adbd5e9b210d4502b60450360");
    }

    #[test]
    fn bindings_that_differ_in_anything_have_other_ids() {
        let changes: [fn(&mut Acl); 8] = [
            |_| {},
            |acl| acl.resource_type = ResourceType::Group,
            |acl| acl.pattern_type = PatternType::Prefixed,
            |acl| acl.resource_name = "ordersUser".to_owned(),
            |acl| acl.principal = "User:bob".to_owned(),
            |acl| acl.host = "10.0.0.1".to_owned(),
            |acl| acl.operation = Operation::Write,
            |acl| acl.permission = Effect::Deny,
        ];
        let ids: std::collections::BTreeSet<_> = changes
            .iter()
            .map(|change| {
                let mut changed = acl();
                change(&mut changed);
                AclId::of(&changed)
            })
            .collect();
        assert_eq!(ids.len(), changes.len());
    }

    #[test]
    fn a_text_does_not_run_into_the_next_one() {
        let (mut one, mut other) = (acl(), acl());
        one.resource_name = "aUser:".to_owned();
        one.principal = "b".to_owned();
        other.resource_name = "a".to_owned();
        other.principal = "User:b".to_owned();
        assert_ne!(AclId::of(&one), AclId::of(&other));
    }
}

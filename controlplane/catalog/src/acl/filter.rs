//! Which bindings are meant: Kafka's filters (KIP-290).

use super::validation::canonical_host;
use super::{Acl, Effect, Operation, PatternType, ResourceType, WILDCARD};

/// How a filter's name means patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PatternFilter {
    /// Patterns of that very name, of either type.
    #[default]
    Any,
    /// Patterns that stand for the resource of that name.
    Match,
    /// Patterns of that very name and type.
    Only(PatternType),
}

/// Which bindings are meant. What is `None` is any.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AclFilter {
    /// The kind of resource.
    pub resource_type: Option<ResourceType>,
    /// The name, as `pattern_type` has it.
    pub resource_name: Option<String>,
    /// How the name is meant.
    pub pattern_type: PatternFilter,
    /// For whom, in the very words.
    pub principal: Option<String>,
    /// From where, in the very words: `*` is not any, but the bindings for every host.
    pub host: Option<String>,
    /// What: `All` is not any, but the bindings for everything.
    pub operation: Option<Operation>,
    /// Whether it is allowed or denied.
    pub permission: Option<Effect>,
}

impl AclFilter {
    /// The filter for one binding.
    pub fn only(acl: &Acl) -> Self {
        Self {
            resource_type: Some(acl.resource_type),
            resource_name: Some(acl.resource_name.clone()),
            pattern_type: PatternFilter::Only(acl.pattern_type),
            principal: Some(acl.principal.clone()),
            host: Some(acl.host.clone()),
            operation: Some(acl.operation),
            permission: Some(acl.permission),
        }
    }

    /// With the host as bindings have it.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        self.host = self.host.map(|host| canonical_host(&host));
        self
    }

    /// The one binding that is meant, if there can only be one.
    pub(crate) fn one(&self) -> Option<Acl> {
        let PatternFilter::Only(pattern_type) = self.pattern_type else {
            return None;
        };
        Some(Acl {
            resource_type: self.resource_type?,
            pattern_type,
            resource_name: self.resource_name.clone()?,
            principal: self.principal.clone()?,
            host: self.host.clone()?,
            operation: self.operation?,
            permission: self.permission?,
        })
    }

    /// Whether it means this binding.
    pub fn matches(&self, acl: &Acl) -> bool {
        fn fits<T: PartialEq>(wanted: Option<&T>, is: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == is)
        }
        fits(self.resource_type.as_ref(), &acl.resource_type)
            && self.matches_pattern(acl)
            && fits(self.principal.as_ref(), &acl.principal)
            && fits(self.host.as_ref(), &acl.host)
            && fits(self.operation.as_ref(), &acl.operation)
            && fits(self.permission.as_ref(), &acl.permission)
    }

    fn matches_pattern(&self, acl: &Acl) -> bool {
        let name = self.resource_name.as_deref();
        match (self.pattern_type, acl.pattern_type) {
            (PatternFilter::Only(wanted), is) if wanted != is => false,
            (PatternFilter::Any | PatternFilter::Only(_), _) => {
                name.is_none_or(|name| name == acl.resource_name)
            }
            (PatternFilter::Match, PatternType::Literal) => {
                name.is_none_or(|name| name == acl.resource_name || acl.resource_name == WILDCARD)
            }
            (PatternFilter::Match, PatternType::Prefixed) => {
                name.is_none_or(|name| name.starts_with(&acl.resource_name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(pattern_type: PatternType, name: &str) -> Acl {
        Acl {
            resource_type: ResourceType::Topic,
            pattern_type,
            resource_name: name.to_owned(),
            principal: "User:alice".to_owned(),
            host: "*".to_owned(),
            operation: Operation::Read,
            permission: Effect::Allow,
        }
    }

    /// Which of five patterns a filter means.
    fn meant(pattern_type: PatternFilter, name: Option<&str>) -> Vec<&'static str> {
        let patterns = [
            ("orders", acl(PatternType::Literal, "orders")),
            ("*", acl(PatternType::Literal, "*")),
            ("ord~", acl(PatternType::Prefixed, "ord")),
            ("orders~", acl(PatternType::Prefixed, "orders")),
            ("orders2~", acl(PatternType::Prefixed, "orders2")),
        ];
        let filter = AclFilter {
            resource_name: name.map(str::to_owned),
            pattern_type,
            ..AclFilter::default()
        };
        patterns
            .iter()
            .filter(|(_, acl)| filter.matches(acl))
            .map(|(word, _)| *word)
            .collect()
    }

    #[test]
    fn a_name_is_meant_as_the_pattern_type_says() {
        let name = Some("orders");
        let only = PatternFilter::Only;
        assert_eq!(meant(PatternFilter::Any, name), ["orders", "orders~"]);
        assert_eq!(
            meant(PatternFilter::Match, name),
            ["orders", "*", "ord~", "orders~"]
        );
        assert_eq!(meant(only(PatternType::Literal), name), ["orders"]);
        assert_eq!(meant(only(PatternType::Prefixed), name), ["orders~"]);
        assert_eq!(meant(only(PatternType::Literal), Some("*")), ["*"]);
    }

    #[test]
    fn without_a_name_every_pattern_of_the_type_is_meant() {
        assert_eq!(meant(PatternFilter::Any, None).len(), 5);
        assert_eq!(meant(PatternFilter::Match, None).len(), 5);
        assert_eq!(
            meant(PatternFilter::Only(PatternType::Literal), None),
            ["orders", "*"]
        );
    }

    #[test]
    fn a_word_for_all_is_meant_as_it_stands() {
        let read = acl(PatternType::Literal, "orders");
        let with = |change: fn(&mut AclFilter)| {
            let mut filter = AclFilter::default();
            change(&mut filter);
            filter.matches(&read)
        };
        assert!(!with(|filter| filter.operation = Some(Operation::All)));
        assert!(!with(|filter| filter.principal = Some("User:*".to_owned())));
        assert!(!with(|filter| filter.host = Some("10.0.0.1".to_owned())));
        assert!(!with(|filter| filter.permission = Some(Effect::Deny)));
        assert!(!with(|filter| filter.resource_type = Some(ResourceType::Group)));
        assert!(with(|filter| filter.host = Some("*".to_owned())));
        assert_eq!(AclFilter::only(&read).one(), Some(read.clone()));
        assert!(AclFilter::only(&read).matches(&read));
    }
}

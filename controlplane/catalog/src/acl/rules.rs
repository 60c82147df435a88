//! The bindings of one principal, compiled.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::patterns::{Collecting, Patterns};
use super::{Acl, Effect, Operation, ResourceType, StoredAcl};

/// Operations that may be asked for, as bits of their numbers.
type Operations = u16;

fn bit(operation: Operation) -> Operations {
    1 << operation as u8
}

/// What a binding is about: its operation, and what that one implies where it allows. To deny implies nothing.
fn covered(operation: Operation, effect: Effect) -> Operations {
    use Operation as O;
    match (operation, effect) {
        (O::All, _) => Operations::MAX,
        (O::Read | O::Write | O::Delete | O::Alter, Effect::Allow) => bit(operation) | bit(O::Describe),
        (O::AlterConfigs, Effect::Allow) => bit(operation) | bit(O::DescribeConfigs),
        (operation, _) => bit(operation),
    }
}

/// Whether a binding is about this operation.
pub(super) fn covers(acl: &Acl, operation: Operation) -> bool {
    covered(acl.operation, acl.permission) & bit(operation) != 0
}

/// The bindings of a pattern for one host, or for every host: few, since each says something else.
#[derive(Default)]
struct OfHost(Vec<Arc<StoredAcl>>);

impl OfHost {
    fn add(&mut self, acl: &Arc<StoredAcl>) {
        self.0.push(Arc::clone(acl));
    }

    fn find(&self, asked: Operations, effect: Effect) -> Option<&Acl> {
        let acls = self.0.iter().map(|stored| &stored.acl);
        let mut fitting = acls
            .filter(|acl| acl.permission == effect && covered(acl.operation, acl.permission) & asked != 0);
        fitting.next()
    }
}

/// The bindings of a pattern.
#[derive(Default)]
struct OfPattern {
    /// What is allowed and denied from any host: by this pattern, and by it and, of a prefix, all that it begins with.
    here: Effects,
    upwards: Effects,
    anywhere: OfHost,
    hosts: BTreeMap<IpAddr, OfHost>,
}

/// What is allowed and what is denied.
#[derive(Clone, Copy, Default)]
struct Effects {
    allowed: Operations,
    denied: Operations,
}

impl Effects {
    fn of(self, effect: Effect) -> Operations {
        match effect {
            Effect::Allow => self.allowed,
            Effect::Deny => self.denied,
        }
    }

    fn add(&mut self, effect: Effect, operations: Operations) {
        match effect {
            Effect::Allow => self.allowed |= operations,
            Effect::Deny => self.denied |= operations,
        }
    }
}

impl OfPattern {
    fn add(&mut self, acl: &Arc<StoredAcl>) {
        let effect = acl.acl.permission;
        let covered = covered(acl.acl.operation, effect);
        self.here.add(effect, covered);
        self.upwards.add(effect, covered);
        match acl.acl.address() {
            None => self.anywhere.add(acl),
            Some(address) => self.hosts.entry(address).or_default().add(acl),
        }
    }

    fn inherit(&mut self, shorter: &Self) {
        self.upwards.add(Effect::Allow, shorter.upwards.allowed);
        self.upwards.add(Effect::Deny, shorter.upwards.denied);
    }

    fn find(&self, asked: Asked, effect: Effect) -> Option<&Acl> {
        if self.here.of(effect) & asked.operation == 0 {
            return None;
        }
        let from = || self.hosts.get(&asked.host?);
        let anywhere = self.anywhere.find(asked.operation, effect);
        anywhere.or_else(|| from()?.find(asked.operation, effect))
    }
}

/// What is asked of rules.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    operation: Operations,
    /// In its one form; `None`: from nowhere.
    host: Option<IpAddr>,
}

impl Asked {
    pub(super) fn new(operation: Operation, host: Option<IpAddr>) -> Self {
        Self {
            operation: bit(operation),
            host: host.map(|host| host.to_canonical()),
        }
    }
}

/// The compiled bindings of one principal.
pub(super) struct Rules {
    kinds: [Patterns<OfPattern>; ResourceType::ALL.len()],
}

/// Where a kind stands among all.
pub(super) fn place(kind: ResourceType) -> usize {
    match kind {
        ResourceType::Topic => 0,
        ResourceType::Group => 1,
        ResourceType::Cluster => 2,
        ResourceType::TransactionalId => 3,
        ResourceType::User => 4,
    }
}

impl Rules {
    pub(super) fn compile<'a>(acls: impl Iterator<Item = &'a Arc<StoredAcl>>) -> Self {
        let mut kinds: [Collecting<'a, OfPattern>; ResourceType::ALL.len()] = Default::default();
        for stored in acls {
            let acl = &stored.acl;
            kinds[place(acl.resource_type)]
                .at(acl.pattern_type, &acl.resource_name)
                .add(stored);
        }
        Self {
            kinds: kinds.map(|kind| kind.compiled(OfPattern::inherit)),
        }
    }

    fn of(&self, kind: ResourceType) -> &Patterns<OfPattern> {
        &self.kinds[place(kind)]
    }

    /// A binding of that effect that stands for the resource.
    pub(super) fn find(&self, asked: Asked, kind: ResourceType, name: &str, effect: Effect) -> Option<&Acl> {
        self.by_name(asked, kind, name, effect)
            .or_else(|| self.by_prefix(asked, kind, name, effect))
            .or_else(|| self.by_wildcard(asked, kind, effect))
    }

    /// One whose pattern is that very name.
    pub(super) fn by_name(
        &self,
        asked: Asked,
        kind: ResourceType,
        name: &str,
        effect: Effect,
    ) -> Option<&Acl> {
        let named = self.of(kind).literal(name);
        named.and_then(|one| one.find(asked, effect))
    }

    /// One whose pattern is a prefix of the name.
    pub(super) fn by_prefix(
        &self,
        asked: Asked,
        kind: ResourceType,
        name: &str,
        effect: Effect,
    ) -> Option<&Acl> {
        let may = |one: &&OfPattern| one.upwards.of(effect) & asked.operation != 0;
        let mut prefixes = self.of(kind).prefixes_of(name).take_while(may);
        prefixes.find_map(|one| one.find(asked, effect))
    }

    /// One whose pattern is `*`.
    pub(super) fn by_wildcard(&self, asked: Asked, kind: ResourceType, effect: Effect) -> Option<&Acl> {
        self.of(kind).wildcard().and_then(|one| one.find(asked, effect))
    }

    /// All that allow by a literal name that is not `*`.
    pub(super) fn allowing_names(&self, asked: Asked, kind: ResourceType) -> impl Iterator<Item = &Acl> {
        let names = self.of(kind).literals();
        names.filter_map(move |(_, one)| one.find(asked, Effect::Allow))
    }

    /// All that allow by a prefix.
    pub(super) fn allowing_prefixes(&self, asked: Asked, kind: ResourceType) -> impl Iterator<Item = &Acl> {
        let prefixes = self.of(kind).prefixes();
        prefixes.filter_map(move |(_, one)| one.find(asked, Effect::Allow))
    }
}

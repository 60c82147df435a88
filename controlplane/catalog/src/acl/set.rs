//! All bindings of a cluster, and what they say together.
//!
//! They are kept by principal, and those of a principal are compiled when they are first asked for: a change costs the principals that
//! it names. A check looks at the bindings of the principal and at those of everybody.

use std::net::IpAddr;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use rpds::{HashTrieMapSync, RedBlackTreeMapSync};

use super::decision::is_opened_by_name_alone;
use super::patterns::{Collecting, Patterns};
use super::rules::{Asked, Rules, place};
use super::{Acl, Effect, Operation, ResourceType, StoredAcl, WILDCARD};
use crate::ids::AclId;

/// The bindings of a principal.
#[derive(Clone, Default)]
struct OfPrincipal {
    stored: RedBlackTreeMapSync<AclId, Arc<StoredAcl>>,
    rules: Arc<OnceLock<Rules>>,
}

impl OfPrincipal {
    fn change(&mut self, change: impl FnOnce(&mut RedBlackTreeMapSync<AclId, Arc<StoredAcl>>)) {
        change(&mut self.stored);
        self.rules = Arc::default();
    }

    fn rules(&self) -> &Rules {
        self.rules.get_or_init(|| Rules::compile(self.stored.values()))
    }
}

type Named = [Patterns<()>; ResourceType::ALL.len()];

/// All bindings of a cluster. Cheap to clone.
#[derive(Clone, Default)]
pub struct AclSet {
    stored: RedBlackTreeMapSync<AclId, Arc<StoredAcl>>,
    everybody: OfPrincipal,
    /// By the name after `User:`.
    users: HashTrieMapSync<Arc<str>, OfPrincipal>,
    /// The patterns of all bindings, whoever they are for.
    named: Arc<OnceLock<Named>>,
}

impl PartialEq for AclSet {
    fn eq(&self, other: &Self) -> bool {
        self.stored == other.stored
    }
}

impl std::fmt::Debug for AclSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.stored.values()).finish()
    }
}

/// What bindings say.
pub(super) enum Verdict<'a> {
    Denied(&'a Acl),
    Allowed(&'a Acl),
    Silent,
}

impl AclSet {
    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<StoredAcl>> {
        self.stored.values()
    }

    /// Those whose ids follow this one, in the order of their ids; without one, all.
    pub fn after(&self, id: Option<AclId>) -> impl Iterator<Item = &Arc<StoredAcl>> {
        let behind = (id.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        self.stored.range(behind).map(|(_, stored)| stored)
    }

    /// The binding of that id.
    pub fn get(&self, id: AclId) -> Option<&Arc<StoredAcl>> {
        self.stored.get(&id)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.stored.size()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.stored.is_empty()
    }

    /// Adds one.
    pub(crate) fn insert(&mut self, acl: StoredAcl) {
        let stored = Arc::new(acl);
        self.stored.insert_mut(stored.id, Arc::clone(&stored));
        self.change_of(&stored.acl, |acls| {
            acls.insert_mut(stored.id, Arc::clone(&stored));
        });
    }

    /// Takes one away, if it is there.
    pub(crate) fn remove(&mut self, id: AclId) {
        let Some(stored) = self.stored.get(&id).cloned() else {
            return;
        };
        self.stored.remove_mut(&id);
        self.change_of(&stored.acl, |acls| {
            acls.remove_mut(&id);
        });
    }

    fn change_of(&mut self, acl: &Acl, change: impl FnOnce(&mut RedBlackTreeMapSync<AclId, Arc<StoredAcl>>)) {
        self.named = Arc::default();
        match acl.user() {
            Some(WILDCARD) => self.everybody.change(change),
            // There is none without a name: such a binding is for nobody.
            None => {}
            Some(user) => {
                let mut of_user = self.users.get(user).cloned().unwrap_or_default();
                of_user.change(change);
                match of_user.stored.is_empty() {
                    true => {
                        self.users.remove_mut(user);
                    }
                    false => self.users.insert_mut(user.into(), of_user),
                }
            }
        }
    }

    /// The rules for a user: its own, and everybody's.
    fn rules_for(&self, user: &str) -> impl Iterator<Item = &Rules> + Clone {
        let everybody = Some(&self.everybody).filter(|everybody| !everybody.stored.is_empty());
        let both = [self.users.get(user), everybody];
        both.into_iter().flatten().map(OfPrincipal::rules)
    }

    /// What is said about a resource: whatever denies wins.
    pub(super) fn about(
        &self,
        user: &str,
        host: Option<IpAddr>,
        operation: Operation,
        (kind, name): (ResourceType, &str),
    ) -> Verdict<'_> {
        let asked = Asked::new(operation, host);
        let mut rules = self.rules_for(user);
        let denying = rules
            .clone()
            .find_map(|rules| rules.find(asked, kind, name, Effect::Deny));
        if let Some(acl) = denying {
            return Verdict::Denied(acl);
        }
        let allowing = match is_opened_by_name_alone(kind, name) {
            true => rules.find_map(|rules| rules.by_name(asked, kind, name, Effect::Allow)),
            false => rules.find_map(|rules| rules.find(asked, kind, name, Effect::Allow)),
        };
        allowing.map_or(Verdict::Silent, Verdict::Allowed)
    }

    /// What is said about some resource of a kind, whichever: allowed if one could be, namely one that a pattern allows and that no
    /// other pattern denies altogether; denied if all are. The audit topic is no exception: what stands for it stands for others too, or names it.
    pub(super) fn about_any(
        &self,
        user: &str,
        host: Option<IpAddr>,
        operation: Operation,
        kind: ResourceType,
    ) -> Verdict<'_> {
        let asked = Asked::new(operation, host);
        let rules = self.rules_for(user);
        let of_all = |effect| {
            rules
                .clone()
                .find_map(|rules| rules.by_wildcard(asked, kind, effect))
        };
        if let Some(acl) = of_all(Effect::Deny) {
            return Verdict::Denied(acl);
        }
        if let Some(acl) = of_all(Effect::Allow) {
            return Verdict::Allowed(acl);
        }
        let name_denied = |acl: &&Acl| {
            let mut rules = rules.clone();
            rules.any(|rules| {
                rules
                    .find(asked, kind, &acl.resource_name, Effect::Deny)
                    .is_some()
            })
        };
        let prefix_denied = |acl: &&Acl| {
            let mut rules = rules.clone();
            rules.any(|rules| {
                rules
                    .by_prefix(asked, kind, &acl.resource_name, Effect::Deny)
                    .is_some()
            })
        };
        let mut names = rules.clone().flat_map(|rules| rules.allowing_names(asked, kind));
        let mut prefixes = rules
            .clone()
            .flat_map(|rules| rules.allowing_prefixes(asked, kind));
        let found = names.find(|acl| !name_denied(acl));
        let found = found.or_else(|| prefixes.find(|acl| !prefix_denied(acl)));
        found.map_or(Verdict::Silent, Verdict::Allowed)
    }

    /// Whether any binding stands for the resource, whoever it is for; without a name: for all resources of the kind.
    pub(super) fn name(&self, kind: ResourceType, name: Option<&str>) -> bool {
        let named = &self.named.get_or_init(|| self.compile_named())[place(kind)];
        let by_name = |name| named.literal(name).is_some() || named.prefixes_of(name).next().is_some();
        named.wildcard().is_some() || name.is_some_and(by_name)
    }

    fn compile_named(&self) -> Named {
        let mut kinds: [Collecting<'_, ()>; ResourceType::ALL.len()] = Default::default();
        for stored in self.stored.values() {
            let acl = &stored.acl;
            kinds[place(acl.resource_type)].at(acl.pattern_type, &acl.resource_name);
        }
        kinds.map(|kind| kind.compiled(|(), ()| {}))
    }
}

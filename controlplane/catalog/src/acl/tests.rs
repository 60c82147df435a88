//! What is compiled says what the rules say: a million random questions, answered both ways.

use std::net::IpAddr;
use std::sync::Arc;

use super::*;
use crate::access::{Permission, Role, RoleSet};
use crate::audit::AUDIT_TOPIC;
use crate::commands::{Principal, User};
use crate::feed::{Change, FeedEntry};
use crate::ids::{ClusterId, FeedSequence};
use crate::image::Image;

const CLUSTER: ClusterId = ClusterId(1);
const SETS: u64 = 4_000;
const QUESTIONS: u64 = 250;

/// The rules, straight from Kafka's words: every binding is looked at for every question.
struct Naive<'a> {
    acls: &'a [Acl],
    open: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    SuperUser,
    Denied,
    Allowed,
    Role,
    Default,
    Nothing,
}

/// A question.
struct Question<'a> {
    user: &'a User,
    host: Option<IpAddr>,
    operation: Operation,
    resource: ResourceName<'a>,
}

fn stands_for(acl: &Acl, kind: ResourceType, name: &str) -> bool {
    acl.resource_type == kind
        && match acl.pattern_type {
            PatternType::Literal => acl.resource_name == name || acl.resource_name == "*",
            PatternType::Prefixed => name.starts_with(&acl.resource_name),
        }
}

fn is_about(acl: &Acl, question: &Question<'_>) -> bool {
    let principal = format!("User:{}", question.user.name);
    let same_host = || {
        let host = question.host.map(|host| match host {
            IpAddr::V6(six) => six.to_ipv4_mapped().map_or(host, IpAddr::V4),
            four @ IpAddr::V4(_) => four,
        });
        host.is_some_and(|host| host.to_string() == acl.host)
    };
    let operation = || match (acl.permission, acl.operation, question.operation) {
        (_, Operation::All, _) => true,
        (Effect::Allow, granted, Operation::Describe) => matches!(
            granted,
            Operation::Describe | Operation::Read | Operation::Write | Operation::Delete | Operation::Alter
        ),
        (Effect::Allow, granted, Operation::DescribeConfigs) => {
            matches!(granted, Operation::DescribeConfigs | Operation::AlterConfigs)
        }
        (_, named, asked) => named == asked,
    };
    (acl.principal == principal || acl.principal == "User:*")
        && (acl.host == "*" || same_host())
        && operation()
}

impl Naive<'_> {
    fn answer(&self, question: &Question<'_>) -> Answer {
        let roles = question.user.roles;
        if roles.iter().any(|role| matches!(role, Role::Owner | Role::Admin)) {
            return Answer::SuperUser;
        }
        let (kind, name) = question.resource.parts();
        let by_acls = match name {
            Some(name) => self.of_resource(question, kind, name),
            None => self.of_any(question, kind),
        };
        if let Some(allowed) = by_acls {
            return if allowed { Answer::Allowed } else { Answer::Denied };
        }
        let audit = (kind, name) == (ResourceType::Topic, Some(AUDIT_TOPIC));
        if role_for(question.operation, kind).is_some_and(|needed: Permission| roles.allow(needed))
            && (!audit || roles.allow(Permission::ViewAudit))
        {
            return Answer::Role;
        }
        let named = self.acls.iter().any(|acl| match name {
            Some(name) => stands_for(acl, kind, name),
            None => {
                acl.resource_type == kind
                    && acl.pattern_type == PatternType::Literal
                    && acl.resource_name == "*"
            }
        });
        match self.open && !named && !audit {
            true => Answer::Default,
            false => Answer::Nothing,
        }
    }

    fn of_resource(&self, question: &Question<'_>, kind: ResourceType, name: &str) -> Option<bool> {
        let fitting = self
            .acls
            .iter()
            .filter(|acl| stands_for(acl, kind, name) && is_about(acl, question))
            .filter(|acl| {
                let by_name = acl.pattern_type == PatternType::Literal && acl.resource_name == name;
                (kind, name) != (ResourceType::Topic, AUDIT_TOPIC)
                    || by_name
                    || acl.permission == Effect::Deny
            });
        let effects: Vec<Effect> = fitting.map(|acl| acl.permission).collect();
        match (effects.contains(&Effect::Deny), effects.contains(&Effect::Allow)) {
            (true, _) => Some(false),
            (false, true) => Some(true),
            (false, false) => None,
        }
    }

    /// Kafka's `authorizeByResourceType`.
    fn of_any(&self, question: &Question<'_>, kind: ResourceType) -> Option<bool> {
        let about = |effect| {
            let acls = self.acls.iter();
            acls.filter(move |acl| {
                acl.resource_type == kind && acl.permission == effect && is_about(acl, question)
            })
        };
        let is_wildcard = |acl: &&Acl| acl.pattern_type == PatternType::Literal && acl.resource_name == "*";
        if about(Effect::Deny).any(|acl| is_wildcard(&acl)) {
            return Some(false);
        }
        if about(Effect::Allow).any(|acl| is_wildcard(&acl)) {
            return Some(true);
        }
        let dominates = |deny: &Acl, allow: &Acl| match (deny.pattern_type, allow.pattern_type) {
            (PatternType::Prefixed, _) => allow.resource_name.starts_with(&deny.resource_name),
            (PatternType::Literal, PatternType::Literal) => allow.resource_name == deny.resource_name,
            (PatternType::Literal, PatternType::Prefixed) => false,
        };
        about(Effect::Allow)
            .any(|allow| !about(Effect::Deny).any(|deny| dominates(deny, allow)))
            .then_some(true)
    }
}

/// A seeded source of choices (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    /// A name of few letters, so that patterns overlap.
    fn name(&mut self) -> String {
        match self.below(12) {
            0 => return AUDIT_TOPIC.to_owned(),
            1 => return "__".to_owned(),
            _ => {}
        }
        let length = 1 + self.below(4);
        (0..length).map(|_| *self.one(&['a', 'b', 'é'])).collect()
    }

    fn acl(&mut self) -> Acl {
        let resource_name = match self.below(8) {
            0 => "*".to_owned(),
            _ => self.name(),
        };
        // Few operations are asked often, all of them now and then.
        let common = [
            Operation::Read,
            Operation::Write,
            Operation::Describe,
            Operation::All,
        ];
        let operation = match self.below(3) {
            0 => *self.one(Operation::ALL),
            _ => *self.one(&common),
        };
        let kinds = [
            ResourceType::Topic,
            ResourceType::Topic,
            *self.one(ResourceType::ALL),
        ];
        Acl {
            resource_type: *self.one(&kinds),
            pattern_type: *self.one(PatternType::ALL),
            resource_name,
            principal: (*self.one(&["User:alice", "User:alice", "User:bob", "User:*"])).to_owned(),
            host: (*self.one(&["*", "*", "*", "10.0.0.1", "10.0.0.2", "2001:db8::1"])).to_owned(),
            operation,
            permission: *self.one(&[Effect::Allow, Effect::Allow, Effect::Deny]),
        }
    }

    fn host(&mut self) -> Option<IpAddr> {
        let hosts = [
            "10.0.0.1",
            "10.0.0.2",
            "10.0.0.3",
            "::ffff:10.0.0.1",
            "2001:db8::1",
            "",
        ];
        self.one(&hosts).parse().ok()
    }
}

fn user(name: &str, roles: &[Role]) -> Principal {
    Principal::User(Arc::new(User {
        cluster: CLUSTER,
        name: name.into(),
        roles: roles.iter().copied().collect::<RoleSet>(),
    }))
}

/// An image with these bindings, that came in several changes, with others between them that have gone.
fn image(dice: &mut Dice, acls: &[Acl], open: bool) -> Image {
    let mut image = Image::default();
    image.allow_unnamed(open);
    let stored = |acl: &Acl| StoredAcl {
        id: AclId::of(acl),
        acl: acl.clone(),
        created_at: Timestamp(0),
    };
    let mut gone: Vec<Acl> = (0..dice.below(5)).map(|_| dice.acl()).collect();
    gone.retain(|acl| !acls.contains(acl));
    let half = acls.len() / 2;
    let changes = [
        (acls[..half].iter().chain(&gone).map(stored).collect(), vec![]),
        (
            acls[half..].iter().map(stored).collect(),
            gone.iter().map(AclId::of).collect(),
        ),
    ];
    for (sequence, (added, removed)) in (1..).zip(changes) {
        let change = Change::AclsChanged {
            cluster: CLUSTER,
            added,
            removed,
        };
        let sequence = FeedSequence(sequence);
        image.fold(&FeedEntry { sequence, change }).unwrap();
        // Compiled in between, so that what is compiled must be thrown away by the next change.
        let principal = user("alice", &[]);
        let asked = Asked {
            principal: &principal,
            host: None,
            operation: Operation::Read,
            cluster: CLUSTER,
            resource: ResourceName::Topic("a"),
        };
        image.decide(&asked);
    }
    image
}

fn agree(image: &Image, naive: &Naive<'_>, principal: &Principal, question: &Question<'_>) {
    let decision = image.decide(&Asked {
        principal,
        host: question.host,
        operation: question.operation,
        cluster: CLUSTER,
        resource: question.resource,
    });
    let (answer, named) = match &decision {
        Decision::SuperUser => (Answer::SuperUser, None),
        Decision::AllowedByRole(_) => (Answer::Role, None),
        Decision::AllowedBy(acl) => (Answer::Allowed, Some((*acl, Effect::Allow))),
        Decision::AllowedByDefault => (Answer::Default, None),
        Decision::DeniedBy(acl) => (Answer::Denied, Some((*acl, Effect::Deny))),
        Decision::NothingAllows => (Answer::Nothing, None),
        Decision::OtherCluster => panic!("it is that cluster"),
    };
    if question.resource != ResourceName::AnyTopic {
        explains(image, naive, (principal, question), &answer);
    }
    let context = || {
        let (host, operation, resource) = (question.host, question.operation, question.resource);
        format!("{principal} {host:?} {operation} {resource:?} {:#?}", naive.acls)
    };
    assert_eq!(answer, naive.answer(question), "{}", context());
    if let Some((acl, effect)) = named {
        let (kind, name) = question.resource.parts();
        assert_eq!(acl.permission, effect, "{}", context());
        assert!(is_about(acl, question), "{acl:?} {}", context());
        assert!(
            name.is_none_or(|name| stands_for(acl, kind, name)),
            "{acl:?} {}",
            context()
        );
    }
}

/// What is explained is what is decided, and what nothing allows has an ACL that would.
fn explains(
    image: &Image,
    naive: &Naive<'_>,
    (principal, question): (&Principal, &Question<'_>),
    answer: &Answer,
) {
    let explanation = image.explain(&Asked {
        principal,
        host: question.host,
        operation: question.operation,
        cluster: CLUSTER,
        resource: question.resource,
    });
    assert_eq!(explanation.denying.is_empty(), *answer != Answer::Denied);
    let Some(smallest) = explanation.smallest else {
        let (kind, name) = question.resource.parts();
        let wanted = Acl {
            resource_type: kind,
            pattern_type: PatternType::Literal,
            resource_name: name.unwrap().to_owned(),
            principal: format!("User:{}", question.user.name),
            host: WILDCARD.to_owned(),
            operation: question.operation,
            permission: Effect::Allow,
        };
        assert!(*answer != Answer::Nothing || wanted.validated().is_err());
        return;
    };
    assert!(matches!(answer, Answer::Nothing | Answer::Denied), "{answer:?}");
    let mut acls: Vec<Acl> = naive.acls.to_vec();
    acls.retain(|acl| !explanation.denying.iter().any(|denying| denying.acl == *acl));
    let without = Naive {
        acls: &acls.clone(),
        open: false,
    };
    assert_eq!(without.answer(question), Answer::Nothing, "it is needed");
    acls.push(smallest);
    let with = Naive {
        acls: &acls,
        open: false,
    };
    assert_eq!(with.answer(question), Answer::Allowed, "it is enough");
}

#[test]
fn the_audit_topic_is_opened_by_its_name_alone_and_explained_so() {
    let allow = |pattern_type, name: &str| Acl {
        resource_type: ResourceType::Topic,
        pattern_type,
        resource_name: name.to_owned(),
        principal: "User:alice".to_owned(),
        host: WILDCARD.to_owned(),
        operation: Operation::Read,
        permission: Effect::Allow,
    };
    let named = allow(PatternType::Literal, AUDIT_TOPIC);
    let wide = [
        allow(PatternType::Literal, WILDCARD),
        allow(PatternType::Prefixed, "__"),
        allow(PatternType::Prefixed, AUDIT_TOPIC),
    ];
    let ask = |acls: &[Acl], roles: &[Role]| {
        let image = image(&mut Dice(1), acls, true);
        let principal = user("alice", roles);
        let explanation = image.explain(&Asked {
            principal: &principal,
            host: None,
            operation: Operation::Read,
            cluster: CLUSTER,
            resource: ResourceName::Topic(AUDIT_TOPIC),
        });
        (explanation.decision.allows(), explanation.smallest)
    };
    for roles in [&[][..], &[Role::Operator], &[Role::Developer]] {
        assert_eq!(ask(&wide, roles), (false, Some(named.clone())), "{roles:?}");
        assert_eq!(ask(std::slice::from_ref(&named), roles), (true, None));
    }
    for mut denying in wide {
        denying.permission = Effect::Deny;
        assert_eq!(ask(&[named.clone(), denying], &[]), (false, None));
    }
}

#[test]
fn the_compiled_matcher_says_what_a_naive_one_says_a_million_times() {
    let mut dice = Dice(7);
    let principals = [
        user("alice", &[]),
        user("alice", &[]),
        user("bob", &[Role::Developer]),
        user("bob", &[Role::Viewer, Role::Billing]),
        user("carol", &[]),
        user("dora", &[Role::Operator]),
        user("eve", &[Role::Admin]),
    ];
    for set in 0..SETS {
        let mut acls: Vec<Acl> = (0..dice.below(30)).map(|_| dice.acl()).collect();
        acls.sort_unstable();
        acls.dedup();
        let open = set % 5 == 0;
        let image = image(&mut dice, &acls, open);
        let naive = Naive { acls: &acls, open };
        for _ in 0..QUESTIONS {
            let principal = dice.one(&principals);
            let Principal::User(user) = principal else {
                panic!("all are users");
            };
            let name = dice.name();
            let resource = *dice.one(&[
                ResourceName::Topic(&name),
                ResourceName::Topic(&name),
                ResourceName::Topic(&name),
                ResourceName::AnyTopic,
                ResourceName::Group(&name),
                ResourceName::TransactionalId(&name),
                ResourceName::User(&name),
                ResourceName::Cluster,
            ]);
            let question = Question {
                user,
                host: dice.host(),
                operation: *dice.one(&Operation::ALL[1..]),
                resource,
            };
            agree(&image, &naive, principal, &question);
        }
    }
}

#[test]
fn a_deny_takes_from_a_role_and_nothing_from_an_admin_or_from_the_owner_of_a_dev_cluster() {
    let deny = Acl {
        resource_type: ResourceType::Topic,
        pattern_type: PatternType::Prefixed,
        resource_name: "secret".to_owned(),
        principal: EVERYBODY.to_owned(),
        host: WILDCARD.to_owned(),
        operation: Operation::All,
        permission: Effect::Deny,
    };
    let image = image(&mut Dice(1), std::slice::from_ref(&deny), true);
    let ask = |principal: &Principal, name| {
        let decision = image.decide(&Asked {
            principal,
            host: None,
            operation: Operation::Read,
            cluster: CLUSTER,
            resource: ResourceName::Topic(name),
        });
        decision.allows()
    };
    let developer = user("sa", &[Role::Developer]);
    assert!(ask(&developer, "open") && !ask(&developer, "secret-1"));
    assert!(ask(&user("ada", &[Role::Admin]), "secret-1"));
    assert!(ask(&Principal::Dev { cluster: CLUSTER }, "secret-1"));
    let cluster = ClusterId(2);
    assert!(!ask(&Principal::Dev { cluster }, "open"));
    assert!(
        ask(&user("nobody", &[]), "open"),
        "the operator's default: no binding names it"
    );
    assert!(!ask(&user("nobody", &[]), "secret-1"));
}

#[test]
fn a_change_of_one_principal_leaves_what_is_compiled_of_others() {
    let mut dice = Dice(3);
    let mut set = AclSet::default();
    let of = |principal: &str, dice: &mut Dice| {
        let mut acl = dice.acl();
        principal.clone_into(&mut acl.principal);
        StoredAcl {
            id: AclId::of(&acl),
            acl,
            created_at: Timestamp(0),
        }
    };
    let (alice, bob) = (of("User:alice", &mut dice), of("User:bob", &mut dice));
    set.insert(alice.clone());
    set.insert(bob.clone());
    assert_eq!((set.len(), set.is_empty()), (2, false));
    set.remove(alice.id);
    set.remove(alice.id);
    assert_eq!(set.get(bob.id).map(|stored| &stored.acl), Some(&bob.acl));
    assert!(set.get(alice.id).is_none());
    assert_eq!(set.after(None).count(), 1);
    assert_eq!(set.after(Some(bob.id)).count(), 0);
}

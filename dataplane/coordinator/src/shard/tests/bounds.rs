//! What one group may cost.

use super::*;

#[test]
fn ids_that_are_given_out_and_handed_back_leave_nothing() {
    let mut world = World::new();
    let first = world.stable();
    for _ in 0..100 {
        let mut asking = a_join("", None);
        asking.known_id_required = true;
        asking.client_id = "x".repeat(10_000).into();
        let refused = world.join_refused(Request::Join(Box::new(asking)));
        assert!(refused.member.len() < 300);
        world.now(Request::Leave(vec![member(&refused.member, None)]));
    }
    world.now(Request::Leave(vec![member(&first.member, None)]));
    assert_eq!(world.state(), GroupState::Empty);
    assert_eq!(world.shard.next_deadline(), None, "no timer is left");
}

#[test]
fn a_static_member_that_starts_again_and_again_has_one_timer() {
    let mut world = World::new();
    let token = world.ask(join("", Some("one")));
    let joined = world.joined(token);
    world.now(sync(&joined, &[(&joined.member, "a")]));
    for _ in 0..50 {
        let token = world.ask(join("", Some("one")));
        world.joined(token);
    }
    world.now(Request::Leave(vec![member("", Some("one"))]));
    assert_eq!(world.shard.next_deadline(), None);
}

#[test]
fn what_members_say_and_are_given_is_bounded() {
    const HALF: usize = 5 << 20;
    let mut world = World::new();
    let large = || {
        let mut join = a_join("", None);
        join.protocols = vec![("range".into(), vec![0; HALF].into())];
        Request::Join(Box::new(join))
    };
    let token = world.ask(large());
    let first = world.joined(token);
    let refused = world.join_refused(large());
    assert_eq!(refused.error, GroupError::GroupFull);
    let too_much = Request::Sync(Sync {
        member: member(&first.member, None),
        generation: first.generation,
        protocol_type: None,
        protocol: None,
        assignments: vec![(Arc::clone(&first.member), vec![0; 2 * HALF].into())],
    });
    assert_eq!(world.now(too_much), Answer::Sync(Err(GroupError::GroupFull)));
    let synced = world.now(sync(&first, &[(&first.member, "a")]));
    assert!(matches!(synced, Answer::Sync(Ok(_))));
    let again = world.ask(join(&first.member, None));
    assert_eq!(world.joined(again).generation, 2, "it says less now");
    let token = world.ask(large());
    assert_eq!(world.answer(token), None, "and so there is room");
}

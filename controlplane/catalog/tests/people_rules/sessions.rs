//! Sessions: how long they last, and whose they are.

use std::time::Duration;

use firn_catalog::account::AccountError;

use super::{DAY, World, hash, person, stranger};

pub async fn a_session_ends_after_seven_idle_days_and_thirty_in_all(world: &World) {
    world.somebody("ada@x.org").await;
    let (idle, used) = (world.log_in("ada@x.org").await, world.log_in("ada@x.org").await);
    for _ in 0..5 {
        world.pass(DAY * 6);
        assert_eq!(
            world.is_live(&used).await,
            world.now().0 < 1_800_000_000_000 + 30 * 86_400_000
        );
    }
    assert!(!world.is_live(&idle).await, "nobody has used it");
    assert!(!world.is_live(&used).await, "30 days are over");
    let edge = world.log_in("ada@x.org").await;
    world.pass(DAY * 7 - Duration::from_millis(1));
    assert!(world.is_live(&edge).await);
    world.pass(DAY * 7);
    assert!(!world.is_live(&edge).await);
}

pub async fn a_session_needs_its_digest_and_is_its_owners_alone(world: &World) {
    let (ada, first) = world.somebody("ada@x.org").await;
    let (bob, _) = world.somebody("bob@x.org").await;
    let session = world.log_in("ada@x.org").await;
    let wrong = world.catalog.session(session.id, "another digest").await;
    assert_eq!(wrong, Ok(None));
    let (found, whose) = world
        .catalog
        .session(session.id, &session.digest)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.id, whose.id), (session.id, ada.id));
    let (adas, bobs) = (person(&ada, Some(session.id)), person(&bob, None));
    assert_eq!(world.catalog.sessions(&adas).await.unwrap().len(), 2);
    let foreign = world.catalog.revoke_session(&bobs, session.id, false).await;
    assert_eq!(foreign, Err(AccountError::NotFound { what: "session" }));
    assert!(world.is_live(&session).await);
    world
        .catalog
        .revoke_session(&adas, session.id, false)
        .await
        .unwrap();
    assert!(!world.is_live(&session).await);
    let left = world.catalog.sessions(&adas).await.unwrap();
    assert_eq!(left.iter().map(|s| s.id).collect::<Vec<_>>(), [first.id]);
    assert_eq!(
        left[0].last_used_at, left[0].created_at,
        "the last use is known to the minute"
    );
}

pub async fn a_new_password_ends_the_other_sessions(world: &World) {
    let (ada, _) = world.somebody("ada@x.org").await;
    let (kept, other) = (world.log_in("ada@x.org").await, world.log_in("ada@x.org").await);
    let actor = person(&ada, Some(kept.id));
    let login = world.catalog.me(&actor).await.unwrap();
    let change = async |password| {
        let new = hash(password);
        world
            .catalog
            .change_password(&actor, &login, &new, Some(kept.id))
            .await
    };
    change("new").await.unwrap();
    assert!(world.is_live(&kept).await && !world.is_live(&other).await);
    let late = change("newer").await;
    assert_eq!(
        late,
        Err(AccountError::Gone { what: "password" }),
        "of the old hash"
    );
}

pub async fn a_password_that_changed_meanwhile_opens_no_session(world: &World) {
    let (ada, _) = world.somebody("ada@x.org").await;
    let before = world.catalog.person_by_email("ada@x.org").await.unwrap().unwrap();
    let actor = person(&ada, None);
    world
        .catalog
        .change_password(&actor, &before, &hash("new"), None)
        .await
        .unwrap();
    let opened = world
        .catalog
        .open_session(&stranger(), &before, &world.new_session())
        .await;
    assert_eq!(opened, Err(AccountError::Gone { what: "password" }));
}

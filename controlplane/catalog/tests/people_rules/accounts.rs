//! Signing up, proving an address, choosing a password.

use std::time::Duration;

use firn_catalog::account::{AccountError, Kind, SignedUp};

use super::{DAY, World, hash, person, stranger};

const HOUR: Duration = Duration::from_secs(60 * 60);

pub async fn a_signup_makes_a_person_an_organization_and_a_project(world: &World) {
    let organizations = world.number("SELECT count(*) FROM account_organizations").await;
    let (signed_up, _) = world.sign_up("ada@x.org", "one").await;
    let SignedUp::Unverified(ada) = signed_up else {
        panic!("{signed_up:?}");
    };
    assert_eq!(ada.verified_at, None);
    let after = world.number("SELECT count(*) FROM account_organizations").await;
    assert_eq!(after, organizations + 1);
    let owner = "SELECT count(*) FROM account_bindings WHERE role = 'owner' AND principal_kind = 'person'";
    assert_eq!(world.number(owner).await, 1);
    let project = "SELECT count(*) FROM account_projects p JOIN account_members m \
                   ON m.organization = p.organization WHERE p.name = 'default'";
    assert_eq!(world.number(project).await, 1);
    let login = world.catalog.person_by_email("ada@x.org").await.unwrap().unwrap();
    assert_eq!(
        (login.person.id, login.password),
        (ada.id, None),
        "no password before the proof"
    );
    assert_eq!(world.catalog.person_by_email("bob@x.org").await.unwrap(), None);
}

pub async fn a_verification_token_works_once_and_for_a_day(world: &World) {
    let (_, token) = world.sign_up("ada@x.org", "one").await;
    let gone = Err(AccountError::Gone { what: "token" });
    let verify = async |token: &str| {
        let session = world.new_session();
        let outcome = world.catalog.verify(&stranger(), token, &session).await;
        outcome.map(|(person, _)| person.email)
    };
    assert_eq!(verify("never given").await, gone);
    world.pass(DAY);
    assert_eq!(verify(&token).await, gone, "a day is over");
    let renewed = world.token(DAY);
    let waits = world.catalog.renew_verification("ada@x.org", &renewed).await;
    assert_eq!(waits.unwrap().unwrap().email, "ada@x.org");
    assert_eq!(
        world
            .catalog
            .renew_verification("bob@x.org", &world.token(DAY))
            .await,
        Ok(None)
    );
    world.pass(DAY - Duration::from_millis(1));
    assert_eq!(
        world.catalog.person_of_token(Kind::Reset, &renewed.digest).await,
        Err(AccountError::Gone { what: "token" }),
        "it is for verifying only"
    );
    let waiting = world.catalog.waiting_for_proof(&renewed.digest).await.unwrap();
    assert_eq!(waiting.password, Some(hash("one")), "of the signup");
    assert_eq!(verify(&renewed.digest).await, Ok("ada@x.org".into()));
    assert_eq!(verify(&renewed.digest).await, gone, "it was used");
    assert_eq!(
        world
            .catalog
            .renew_verification("ada@x.org", &world.token(DAY))
            .await,
        Ok(None),
        "verified already"
    );
    let audited = "SELECT count(*) FROM account_audit WHERE action = 'verify_email'";
    assert_eq!(world.number(audited).await, 1);
}

pub async fn the_password_of_the_signup_whose_token_comes_back_counts(world: &World) {
    let (_, owners) = world.sign_up("ada@x.org", "the owner's").await;
    let (again, attackers) = world.sign_up("ada@x.org", "an attacker's").await;
    assert!(matches!(again, SignedUp::Unverified(_)));
    assert_eq!(
        world.number("SELECT count(*) FROM account_people").await,
        1,
        "one person, one organization"
    );
    for (token, password) in [(&owners, "the owner's"), (&attackers, "an attacker's")] {
        let waiting = world.catalog.waiting_for_proof(token).await.unwrap();
        assert_eq!(
            waiting.password,
            Some(hash(password)),
            "each token carries its own"
        );
    }
    world
        .catalog
        .verify(&stranger(), &owners, &world.new_session())
        .await
        .unwrap();
    let login = world.catalog.person_by_email("ada@x.org").await.unwrap().unwrap();
    assert_eq!(login.password, Some(hash("the owner's")));
    let late = world
        .catalog
        .verify(&stranger(), &attackers, &world.new_session())
        .await;
    assert_eq!(late, Err(AccountError::Gone { what: "token" }));
}

pub async fn a_verified_person_is_not_touched_by_a_signup(world: &World) {
    let (ada, _) = world.somebody("ada@x.org").await;
    let before = world.catalog.person_by_email("ada@x.org").await.unwrap();
    let (again, token) = world.sign_up("ada@x.org", "another").await;
    assert!(matches!(again, SignedUp::Known(known) if known.id == ada.id));
    assert_eq!(world.catalog.person_by_email("ada@x.org").await.unwrap(), before);
    let verified = world
        .catalog
        .verify(&stranger(), &token, &world.new_session())
        .await;
    assert_eq!(verified, Err(AccountError::Gone { what: "token" }));
}

pub async fn a_reset_ends_every_way_in(world: &World) {
    let (ada, first) = world.somebody("ada@x.org").await;
    let second = world.log_in("ada@x.org").await;
    let (_, bobs) = world.somebody("bob@x.org").await;
    let unknown = world
        .catalog
        .start_reset("eve@x.org", &world.token(HOUR))
        .await
        .unwrap();
    assert_eq!(unknown, None);
    let (token, other) = (world.token(HOUR), world.token(HOUR));
    for token in [&token, &other] {
        world
            .catalog
            .start_reset("ada@x.org", token)
            .await
            .unwrap()
            .unwrap();
    }
    let whose = world.catalog.person_of_token(Kind::Reset, &token.digest).await;
    assert_eq!(whose.unwrap().id, ada.id);
    let reset = async |digest: &str| {
        let new = hash("new");
        world.catalog.complete_reset(&stranger(), digest, &new).await
    };
    assert_eq!(reset(&token.digest).await.unwrap().id, ada.id);
    for used in [&token, &other] {
        let again = reset(&used.digest).await;
        assert_eq!(again, Err(AccountError::Gone { what: "token" }));
    }
    assert!(!world.is_live(&second).await);
    assert_eq!(
        world.catalog.sessions(&person(&ada, Some(first.id))).await,
        Ok(vec![])
    );
    let login = world.catalog.person_by_email("ada@x.org").await.unwrap().unwrap();
    assert_eq!(login.password, Some(hash("new")));
    let left = world.number("SELECT count(*) FROM account_sessions").await;
    assert_eq!(left, 1, "bob's {} goes on", bobs.id);
    let late = world.token(HOUR);
    world.catalog.start_reset("ada@x.org", &late).await.unwrap();
    world.pass(HOUR);
    assert_eq!(
        reset(&late.digest).await,
        Err(AccountError::Gone { what: "token" })
    );
}

pub async fn a_rehearsal_keeps_nothing(world: &World) {
    let (ada, session) = world.somebody("ada@x.org").await;
    let actor = person(&ada, Some(session.id));
    let rehearsed = world.catalog.update_me(&actor, "Countess", Some(1), true).await;
    assert_eq!(rehearsed.unwrap().name, "Countess");
    assert_eq!(world.catalog.me(&actor).await.unwrap().person.name, "Ada");
    assert_eq!(
        world.catalog.revoke_session(&actor, session.id, true).await,
        Ok(())
    );
    assert_eq!(world.catalog.sessions(&actor).await.unwrap().len(), 1);
    let renamed = world
        .catalog
        .update_me(&actor, " Countess ", Some(1), false)
        .await
        .unwrap();
    assert_eq!((renamed.name.as_str(), renamed.version), ("Countess", 2));
    let stale = world.catalog.update_me(&actor, "Lady", Some(1), false).await;
    assert_eq!(stale, Err(AccountError::VersionMismatch { current: 2 }));
    for bad in ["", " ", "a\nb", &"x".repeat(101)] {
        let refused = world.catalog.update_me(&actor, bad, None, false).await;
        assert!(matches!(
            refused,
            Err(AccountError::Invalid { pointer: "/name", .. })
        ));
    }
}

pub async fn a_failed_login_is_told_to_the_organizations_of_a_known_person(world: &World) {
    world.somebody("ada@x.org").await;
    for email in ["ada@x.org", "nobody@x.org", "ada@x.org"] {
        world.catalog.login_failed(&stranger(), email).await.unwrap();
    }
    let told = "SELECT count(*) FROM account_audit WHERE action = 'log_in' AND decision = 'denied'";
    assert_eq!(world.number(told).await, 2);
}

pub async fn an_owners_token_outlives_the_signups_of_strangers(world: &World) {
    let (_, owners) = world.sign_up("ada@x.org", "the owner's").await;
    for _ in 0..300 {
        world.pass(Duration::from_secs(60));
        world.sign_up("ada@x.org", "an attacker's").await;
    }
    let (ada, _) = world
        .catalog
        .verify(&stranger(), &owners, &world.new_session())
        .await
        .unwrap();
    assert_eq!(ada.name, "Ada");
}

pub async fn a_failed_login_is_as_much_work_with_an_unknown_address(world: &World) {
    for _ in 0..200 {
        world
            .catalog
            .login_failed(&stranger(), "nobody@x.org")
            .await
            .unwrap();
    }
    let counted = "SELECT CAST(SUM(head) AS BIGINT) FROM account_unknown_logins";
    assert_eq!(world.number(counted).await, 200);
    let rows = world.number("SELECT count(*) FROM account_unknown_logins").await;
    assert!(rows <= 64, "{rows}");
}

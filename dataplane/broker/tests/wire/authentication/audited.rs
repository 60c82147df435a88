//! Logins that fail are in the audit trail of the cluster that they claimed to be of.

use firn_catalog::commands::CredentialId;
use firn_catalog::ids::ClusterId;
use firn_runtime::SystemRandom;
use firn_secrets::api_key;
use firn_secrets::scram::Mechanism;

use super::exchanges::{ACTIVE, scram};
use super::{Caller, named, people};
use crate::support::client::PATIENCE;

#[tokio::test]
async fn a_wrong_key_is_told_to_its_cluster_and_a_stranger_to_nobody() {
    let bench = named().await;
    people::cluster(&bench, 1, "one", ACTIVE, 100).await;
    let there = people::key(1, "sa_one", None);
    people::put(&bench, &there.credential).await;
    // The id of the key that is there, and another secret.
    let CredentialId::ApiKey(id) = there.credential.id else {
        panic!("an API key");
    };
    let wrong = api_key::generate(id.0, &SystemRandom).as_str().to_owned();
    let bob = people::scram(1, "usr_bob", "right", true);
    people::put(&bench, &bob.credential).await;
    for (user, key) in [
        (&there.username, &wrong),
        (&there.username, &wrong),
        (&there.secret, &there.secret),
    ] {
        let mut caller = Caller::connect(&bench).await;
        assert_eq!(caller.plain(user, key).await.error_code, 58);
    }
    let mut stranger = Caller::connect(&bench).await;
    assert_eq!(stranger.plain("nobody", "nothing").await.error_code, 58);
    let mut caller = Caller::connect(&bench).await;
    let (_, told) = scram(&mut caller, Mechanism::Sha256, "usr_bob", |last| last, "wrong").await;
    assert_eq!(told.error_code, 58);
    let found = async {
        loop {
            let lines = bench.catalog.audit_lines(ClusterId(1), 0).await.unwrap();
            let failed: Vec<_> = lines
                .into_iter()
                .filter(|line| line.action == "authenticate")
                .collect();
            let told: Vec<_> = failed.iter().map(|line| line.text()).collect();
            if told.iter().any(|line| line.contains(r#""count":2"#)) && told.len() > 2 {
                return failed;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let failed = tokio::time::timeout(PATIENCE, found).await.unwrap();
    for line in &failed {
        assert!(
            !line.text().contains(&there.secret) && !line.text().contains(&wrong),
            "{}",
            line.text()
        );
        assert_eq!(
            (line.decision.as_str(), line.principal.as_str()),
            ("denied", "User:ANONYMOUS")
        );
    }
    for (name, rows) in [
        (there.username.as_str(), 1),
        ("(an API key)", 1),
        ("usr_bob", 1),
        ("nobody", 0),
    ] {
        let named = failed.iter().filter(|line| line.resource == name);
        assert_eq!(named.count(), rows, "{name}");
    }
    bench.stop().await;
}

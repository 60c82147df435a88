//! Audit trails: filtered, exported, and where they end.

use firn_api::PublishedKeys;
use firn_catalog::audit::verifying::{Broken, Verified, Verifier};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Service};

fn verify(export: &str, head: &Value) -> Result<Option<Verified>, Broken> {
    let kept = firn_api::read_audit_head(&head.to_string(), None).unwrap();
    assert_eq!(kept.signed_by.as_deref(), head["key"]["kid"].as_str());
    let mut verifier = Verifier::new(Some(kept.head));
    for line in export.lines() {
        verifier.line(line)?;
    }
    verifier.finish()
}

async fn project(ada: &Client, name: &str) -> Answer {
    let body = json!({ "organization": ada.organization, "name": name });
    ada.with("x-request-id", &format!("make-{name}"))
        .post("/v1/projects", &body)
        .await
}

#[tokio::test]
async fn an_export_verifies_with_a_head_that_was_kept_and_goes_on_where_it_ended() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let at = format!("/v1/organizations/{}/audit", ada.organization);
    for number in 0..5 {
        assert_eq!(project(&ada, &format!("p{number}")).await.status, 201);
    }
    let head = ada.get(&format!("{at}/head")).await.body;
    assert_eq!(project(&ada, "later").await.status, 201);
    let export = ada.get(&format!("{at}/export")).await;
    assert_eq!(export.header("content-type"), Some("application/x-ndjson"));
    let verified = verify(&export.text, &head).unwrap().unwrap();
    let position = head["position"].as_i64().unwrap();
    assert_eq!((verified.first, verified.last), (1, position + 1));
    let rest = ada.get(&format!("{at}/export?after={position}")).await;
    assert_eq!(rest.text.lines().count(), 1);
    assert!(rest.text.contains("make-later") && export.text.ends_with(&rest.text));
    let nothing = ada.get(&format!("{at}/export?after={}", position + 1)).await;
    assert_eq!((nothing.status, nothing.text.as_str()), (200, ""));
    let cut: String = export
        .text
        .lines()
        .take(3)
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(matches!(verify(&cut, &head), Err(Broken::CutOff { .. })));
    let mut other = head.clone();
    other["key"]["x"] = json!("A".repeat(43));
    firn_api::read_audit_head(&other.to_string(), None).unwrap_err();
    let token = head["token"].as_str().unwrap();
    let published = service.anonymous().get("/v1/jwks.json").await.text;
    let published = PublishedKeys::read(&published).unwrap();
    for kept in [head.to_string(), token.to_owned()] {
        let kept = firn_api::read_audit_head(&kept, Some(&published)).unwrap();
        assert_eq!((kept.published, kept.head.position), (true, position));
    }
    assert!(
        !firn_api::read_audit_head(&head.to_string(), None)
            .unwrap()
            .published
    );
    // One that is signed by a key which calls itself like the service's.
    firn_api::read_audit_head(&other.to_string(), Some(&published)).unwrap_err();
    let none = PublishedKeys::read(r#"{"keys":[]}"#).unwrap();
    firn_api::read_audit_head(&head.to_string(), Some(&none)).unwrap_err();
    // The rest begins right after the head.
    verify(&rest.text, &head).unwrap().unwrap();
    assert_eq!(firn_api::read_audit_head(token, None).unwrap().signed_by, None);
    let bearer = service.anonymous().with_bearer(token).get("/v1/me").await;
    assert_eq!(bearer.status, 401, "it lets nobody in");
}

#[tokio::test]
async fn an_organizations_entries_are_found_by_each_of_their_parts() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let bob = service.colleague(&ada, "bob@example.com", "viewer").await;
    for name in ["p1", "p2"] {
        project(&ada, name).await;
    }
    let at = format!("/v1/organizations/{}/audit", ada.organization);
    let sneaky = json!({ "organization": ada.organization, "name": "sneaky" });
    assert_eq!(bob.post("/v1/projects", &sneaky).await.status, 403);
    let found = async |query: &str| {
        let page = ada.get(&format!("{at}?{query}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        page.body["items"].as_array().unwrap().clone()
    };
    let made = found("request_id=make-p2").await;
    assert_eq!((made.len(), &made[0]["action"]), (1, &json!("create_project")));
    assert_eq!(made[0]["detail"]["name"], "p2");
    assert_eq!(
        found(&format!("id={}", made[0]["id"].as_str().unwrap())).await,
        made
    );
    assert_eq!(
        found(&format!("resource={}", made[0]["resource"].as_str().unwrap())).await,
        made
    );
    assert_eq!(found("decision=denied&resource_kind=project").await.len(), 1);
    assert_eq!(found("resource_kind=invitation").await.len(), 1);
    for bad in ["id=7", "decision=perhaps", "from=yesterday"] {
        assert_eq!(ada.get(&format!("{at}?{bad}")).await.status, 400, "{bad}");
    }
    for after in ["after=x", "after=-1", "to=never"] {
        assert_eq!(
            ada.get(&format!("{at}/export?{after}")).await.status,
            400,
            "{after}"
        );
    }
    for path in ["", "/export", "/head"] {
        assert_eq!(bob.get(&format!("{at}{path}")).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn a_clusters_trail_has_its_own_chain() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let body = json!({ "project": ada.project, "name": "a" });
    let made = ada.post("/v1/clusters", &body).await;
    let at = format!("/v1/clusters/{}", made.body["id"].as_str().unwrap());
    let empty = json!({});
    assert_eq!(ada.post(&format!("{at}/suspend"), &empty).await.status / 100, 2);
    let head = ada.get(&format!("{at}/audit/head")).await.body;
    let export = ada.get(&format!("{at}/audit/export")).await.text;
    let verified = verify(&export, &head).unwrap().unwrap();
    assert_eq!((verified.first, verified.last), (1, 2));
    let rows = ada.get(&format!("{at}/audit?action=suspend_cluster")).await.body;
    let row = &rows["items"][0];
    assert_eq!(
        (&row["position"], &row["hash"]),
        (&json!(2), &json!(verified.hash))
    );
    assert_eq!(row["detail"]["after"]["state"], "suspended");
    assert_eq!(
        (&row["resource_kind"], &row["decision"]),
        (&json!("cluster"), &json!("allowed"))
    );
}

#[tokio::test]
async fn a_change_that_a_cell_refuses_is_in_the_clusters_trail_under_the_id_that_is_told() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let vic = service.colleague(&ada, "vic@example.com", "viewer").await;
    let body = json!({ "project": ada.project, "name": "a" });
    let made = ada.post("/v1/clusters", &body).await;
    let at = format!("/v1/clusters/{}", made.body["id"].as_str().unwrap());
    let acl = json!({
        "resource_type": "topic", "resource_name": "a", "pattern_type": "literal", "principal": "User:x",
        "host": "*", "operation": "read", "permission": "allow",
    });
    let topic = json!({ "name": "t", "partitions": 1 });
    let provider = json!({ "name": "p", "issuer": "https://a.example", "jwks_url": "https://a.example/k", "audiences": ["a"] });
    let tried = [
        ("POST", "/topics", topic.clone(), "create", "topic"),
        ("POST", "/acls", acl, "create", "acl"),
        ("PUT", "/networks", json!({ "networks": [] }), "alter", "networks"),
        (
            "POST",
            "/identity-providers",
            provider,
            "create",
            "identity_provider",
        ),
        ("DELETE", "/topics/t", Value::Null, "delete", "topic"),
    ];
    for (method, path, body, action, kind) in tried {
        let path = format!("{at}{path}");
        let refused = match method {
            "POST" => vic.post(&path, &body).await,
            "DELETE" => vic.delete(&path).await,
            _ => vic.send("PUT", &path, Some(body.to_string())).await,
        };
        assert_eq!(refused.status, 403, "{path} {refused:?}");
        let id = refused.body["denial"]
            .as_str()
            .unwrap_or_else(|| panic!("{path} {refused:?}"));
        let found = ada.get(&format!("{at}/audit?id={id}")).await.body;
        let row = &found["items"][0];
        assert_eq!(
            (&row["action"], &row["resource_kind"], &row["decision"]),
            (&json!(action), &json!(kind), &json!("denied")),
            "{path}"
        );
        assert_eq!(row["principal"], json!(format!("User:{}", vic.person)), "{path}");
        assert_eq!(row["request_id"], refused.body["request_id"], "{path}");
    }
    let batch = vic
        .post(&format!("{at}/topics/batch"), &json!({ "create": [topic] }))
        .await;
    let id = batch.body["results"][0]["problem"]["denial"]
        .as_str()
        .unwrap_or_else(|| panic!("{batch:?}"));
    assert_eq!(
        ada.get(&format!("{at}/audit?id={id}")).await.body["items"][0]["action"],
        "alter"
    );
}

#[tokio::test]
async fn a_trail_has_so_many_rows_of_denials_and_none_of_strangers() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let vic = service.colleague(&ada, "vic@example.com", "viewer").await;
    let body = json!({ "project": ada.project, "name": "a" });
    let made = ada.post("/v1/clusters", &body).await;
    let at = format!("/v1/clusters/{}", made.body["id"].as_str().unwrap());
    let count = async || {
        let denied = ada
            .get(&format!("{at}/audit?decision=denied&page_size=200"))
            .await
            .body;
        denied["items"].as_array().unwrap().len()
    };
    let before = count().await;
    let eve = service.person("eve@example.com").await;
    let foreign = eve.delete(&format!("{at}/topics/t")).await;
    assert_eq!((foreign.status, foreign.body.get("denial")), (404, None));
    assert_eq!(count().await, before);
    for _ in before..102 {
        vic.delete(&format!("{at}/topics/t")).await;
    }
    assert_eq!(count().await, 100, "the others are one row, later");
}

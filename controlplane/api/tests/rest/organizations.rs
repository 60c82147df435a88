//! Organizations and projects: versions, dry runs, what they protect.

use serde_json::json;

use crate::support::Service;

#[tokio::test]
async fn an_update_with_an_old_etag_loses_nothing() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let path = format!("/v1/organizations/{}", ada.organization);
    let read = ada.get(&path).await;
    let etag = read.header("etag").unwrap().to_owned();
    let missing = ada.patch(&path, &json!({ "name": "no etag" })).await;
    assert_eq!((missing.status, missing.code()), (428, "precondition_required"));
    let first = ada
        .with("if-match", &etag)
        .patch(&path, &json!({ "name": "first" }))
        .await;
    assert_eq!(first.status, 200, "{first:?}");
    let second = ada
        .with("if-match", &etag)
        .patch(&path, &json!({ "name": "second" }))
        .await;
    assert_eq!((second.status, second.code()), (412, "version_mismatch"));
    assert_eq!(ada.get(&path).await.body["name"], "first");
    let fresh = first.header("etag").unwrap();
    assert_ne!(fresh, etag);
    for (etag, status) in [("W/\"2\"", 412), ("\"x\"", 412), (fresh, 200), ("*", 200)] {
        let answer = ada
            .with("if-match", etag)
            .patch(&path, &json!({ "name": etag }))
            .await;
        assert_eq!(answer.status, status, "{etag}");
    }
}

#[tokio::test]
async fn of_racing_updates_with_one_etag_one_wins() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let path = format!("/v1/projects/{}", ada.project);
    let etag = ada.get(&path).await.header("etag").unwrap().to_owned();
    let caller = ada.with("if-match", &etag);
    let bodies: Vec<_> = (0..20)
        .map(|number| json!({ "name": format!("p{number}") }))
        .collect();
    let answers = futures::future::join_all(bodies.iter().map(|body| caller.patch(&path, body))).await;
    let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(won.len(), 1);
    assert!(answers.iter().all(|answer| [200, 412].contains(&answer.status)));
    assert_eq!(ada.get(&path).await.body["name"], won[0].body["name"]);
}

#[tokio::test]
async fn a_dry_run_answers_like_the_real_one_and_changes_nothing() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let audit = format!("/v1/organizations/{}/audit", ada.organization);
    let before = (ada.get("/v1/projects").await.body, ada.get(&audit).await.body);
    let new = json!({ "organization": ada.organization, "name": "dry" });
    let made = ada.post("/v1/projects?dry_run=true", &new).await;
    assert_eq!((made.status, &made.body["name"]), (201, &json!("dry")));
    let taken = json!({ "organization": ada.organization, "name": "default" });
    assert_eq!(
        ada.post("/v1/projects?dry_run=true", &taken).await.status,
        409,
        "it checks everything"
    );
    let any = ada.with("if-match", "*");
    let path = format!("/v1/projects/{}?dry_run=true", ada.project);
    assert_eq!(
        any.patch(&path, &json!({ "name": "renamed" })).await.body["name"],
        "renamed"
    );
    assert_eq!(any.delete(&path).await.status, 204);
    let organization = format!("/v1/organizations/{}?dry_run=true", ada.organization);
    assert_eq!(any.delete(&organization).await.status, 204);
    let invitation = json!({ "email": "grace@example.com", "role": "viewer" });
    let invitations = format!("/v1/organizations/{}/invitations?dry_run=true", ada.organization);
    assert_eq!(ada.post(&invitations, &invitation).await.status, 201);
    assert_eq!(
        ada.post("/v1/organizations?dry_run=true", &json!({ "name": "x" }))
            .await
            .status,
        201
    );
    assert_eq!(ada.post("/v1/projects?dry_run=yes", &new).await.status, 400);
    assert_eq!(
        (ada.get("/v1/projects").await.body, ada.get(&audit).await.body),
        before
    );
    assert!(service.mailbox.messages(Some("grace@example.com")).is_empty());
    assert_eq!(
        ada.get("/v1/organizations").await.body["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn projects_are_made_renamed_and_deleted() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let new = json!({ "organization": ada.organization, "name": " payments " });
    let made = ada.post("/v1/projects", &new).await;
    assert_eq!(
        (made.status, &made.body["name"]),
        (201, &json!("payments")),
        "{made:?}"
    );
    let path = made.header("location").unwrap().to_owned();
    let etag = made.header("etag").unwrap();
    assert_eq!(ada.get(&path).await.body, made.body);
    let taken = ada
        .with("if-match", etag)
        .patch(&path, &json!({ "name": "default" }))
        .await;
    assert_eq!((taken.status, taken.code()), (409, "already_exists"));
    let renamed = ada
        .with("if-match", etag)
        .patch(&path, &json!({ "name": "money" }))
        .await;
    assert_eq!(renamed.body["name"], "money");
    assert_eq!(ada.with("if-match", etag).delete(&path).await.status, 412);
    assert_eq!(ada.with("if-match", "*").delete(&path).await.status, 204);
    assert_eq!(ada.get(&path).await.status, 404);
    let trail = ada
        .get(&format!("/v1/organizations/{}/audit", ada.organization))
        .await;
    let actions: Vec<_> = trail.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["action"].clone())
        .collect();
    assert_eq!(
        actions[..3],
        ["delete_project", "update_project", "create_project"]
    );
}

#[tokio::test]
async fn an_organization_with_a_cluster_stays() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let cluster = json!({ "project": ada.project, "name": "events" });
    let made = ada.post("/v1/clusters", &cluster).await;
    assert!([201, 202].contains(&made.status), "{made:?}");
    let any = ada.with("if-match", "*");
    for path in [
        format!("/v1/projects/{}", ada.project),
        format!("/v1/organizations/{}", ada.organization),
    ] {
        let refused = any.delete(&path).await;
        assert_eq!((refused.status, refused.code()), (409, "protected"), "{path}");
    }
}

#[tokio::test]
async fn an_ended_organization_is_gone_for_its_people() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let bob = service.colleague(&ada, "bob@example.com", "admin").await;
    let path = format!("/v1/organizations/{}", ada.organization);
    assert_eq!(bob.with("if-match", "*").delete(&path).await.code(), "forbidden");
    assert_eq!(ada.with("if-match", "*").delete(&path).await.status, 204);
    for who in [&ada, &bob] {
        assert_eq!(who.get(&path).await.status, 404);
        assert_eq!(
            who.get(&format!("/v1/projects/{}", ada.project)).await.status,
            404
        );
    }
    assert_eq!(ada.get("/v1/organizations").await.body["items"], json!([]));
    assert_eq!(ada.get("/v1/projects").await.body["items"], json!([]));
}

#[tokio::test]
async fn an_organization_sees_what_it_may_have_and_what_of_it_it_has() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let path = format!("/v1/organizations/{}/limits", ada.organization);
    let told = async |who: &crate::support::Client| {
        let answer = who.get(&path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let items = answer.body["items"].as_array().unwrap().clone();
        move |name: &str| items.iter().find(|item| item["name"] == name).unwrap().clone()
    };
    let before = told(&ada).await;
    assert_eq!(
        before("clusters"),
        json!({ "name": "clusters", "used": 0, "limit": 10, "unit": "count" })
    );
    assert_eq!(before("projects")["used"], 1);
    let body = json!({ "project": ada.project, "name": "one", "limits": { "partitions": 300 } });
    assert_eq!(ada.post("/v1/clusters", &body).await.status, 201);
    let billing = service.colleague(&ada, "bo@example.com", "billing").await;
    let after = told(&billing).await;
    assert_eq!(
        (&after("clusters")["used"], &after("cluster_partitions")["used"]),
        (&json!(1), &json!(300))
    );
    assert_eq!(after("cluster_ingress")["unit"], "bytes_per_second");
    assert_eq!(
        (&after("role_bindings")["used"], &after("invitations")["used"]),
        (&json!(2), &json!(0))
    );
    let stranger = service.person("eve@example.com").await;
    assert_eq!(stranger.get(&path).await.status, 404);
}

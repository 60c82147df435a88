//! Members, roles and invitations.

use serde_json::{Value, json};

use crate::support::{Client, PASSWORD, Service};

fn under(ada: &Client, what: &str) -> String {
    format!("/v1/organizations/{}/{what}", ada.organization)
}

async fn binding_of(ada: &Client, person: &str) -> Value {
    let page = ada
        .get(&format!("{}?principal={person}", under(ada, "role-bindings")))
        .await;
    page.body["items"][0].clone()
}

#[tokio::test]
async fn an_invited_colleague_joins_with_the_role_and_once() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let bob = service.colleague(&ada, "bob@example.com", "developer").await;
    let members = ada.get(&under(&ada, "members")).await;
    let emails: Vec<_> = members.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["email"].clone())
        .collect();
    assert_eq!(emails.len(), 2, "{members:?}");
    assert_eq!(binding_of(&ada, &bob.person).await["role"], "developer");
    assert_eq!(
        bob.get("/v1/organizations").await.body["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let token = json!({ "token": service.token("bob@example.com").await });
    let again = bob.post("/v1/invitations/accept", &token).await;
    assert_eq!((again.status, again.code()), (410, "gone"));
    let invitation = json!({ "email": "Bob@example.com ", "role": "viewer" });
    let known = ada.post(&under(&ada, "invitations"), &invitation).await;
    assert_eq!((known.status, known.code()), (409, "already_exists"));
}

#[tokio::test]
async fn a_new_person_joins_with_a_name_and_a_password() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let invitation = json!({ "email": "grace@example.com", "role": "operator" });
    let made = ada.post(&under(&ada, "invitations"), &invitation).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert!(!made.text.contains("token"));
    let token = service.token("grace@example.com").await;
    let stranger = service.anonymous();
    let weak = json!({ "token": token, "name": "Grace", "password": "grace" });
    assert_eq!(stranger.post("/v1/invitations/accept", &weak).await.status, 422);
    let accept = json!({ "token": token, "name": "Grace", "password": PASSWORD });
    let joined = stranger.post("/v1/invitations/accept", &accept).await;
    assert_eq!(
        (joined.status, &joined.body["role"]),
        (200, &json!("operator")),
        "{joined:?}"
    );
    assert_eq!(joined.body["organization"], ada.organization.as_str());
    let login = json!({ "email": "grace@example.com", "password": PASSWORD });
    let session = stranger.post("/v1/sessions", &login).await;
    assert!([200, 201].contains(&session.status), "{session:?}");
    let grace = stranger.with_session(&session);
    assert_eq!(
        grace
            .get(&format!("/v1/organizations/{}", ada.organization))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn an_invitation_is_for_its_address_and_until_it_is_revoked() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let eve = service.person("eve@example.com").await;
    let invite = |email: &str| json!({ "email": email, "role": "viewer" });
    let made = ada
        .post(&under(&ada, "invitations"), &invite("grace@example.com"))
        .await;
    let token = service.token("grace@example.com").await;
    let stolen = eve
        .post("/v1/invitations/accept", &json!({ "token": token }))
        .await;
    assert_eq!((stolen.status, stolen.code()), (409, "protected"), "{stolen:?}");
    let pending = ada.get(&under(&ada, "invitations")).await;
    assert_eq!(pending.body["items"].as_array().unwrap().len(), 1);
    let path = made.header("location").unwrap();
    assert_eq!(ada.delete(path).await.status, 204);
    assert_eq!(ada.delete(path).await.status, 404);
    let accept = json!({ "token": token, "name": "Grace", "password": PASSWORD });
    let late = service.anonymous().post("/v1/invitations/accept", &accept).await;
    let nonsense = json!({ "token": "nonsense", "name": "Grace", "password": PASSWORD });
    let unknown = service
        .anonymous()
        .post("/v1/invitations/accept", &nonsense)
        .await;
    assert_eq!(
        (late.status, late.problem()),
        (410, unknown.problem()),
        "revoked and unknown look the same"
    );
}

#[tokio::test]
async fn inviting_again_replaces_the_token() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let invite = json!({ "email": "grace@example.com", "role": "viewer" });
    ada.post(&under(&ada, "invitations"), &invite).await;
    let first = service.token("grace@example.com").await;
    ada.post(&under(&ada, "invitations"), &invite).await;
    while service.mailbox.messages(Some("grace@example.com")).len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let second = service.token("grace@example.com").await;
    assert_ne!(first, second);
    let accept = |token: &str| json!({ "token": token, "name": "Grace", "password": PASSWORD });
    let stranger = service.anonymous();
    assert_eq!(
        stranger
            .post("/v1/invitations/accept", &accept(&first))
            .await
            .status,
        410
    );
    assert_eq!(
        stranger
            .post("/v1/invitations/accept", &accept(&second))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_last_owner_stays_and_only_owners_make_owners() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let bob = service.colleague(&ada, "bob@example.com", "admin").await;
    let own = binding_of(&ada, &ada.person).await;
    let path = format!("{}/{}", under(&ada, "role-bindings"), own["id"].as_str().unwrap());
    let any = ada.with("if-match", "*");
    for answer in [
        any.delete(&path).await,
        any.patch(&path, &json!({ "role": "admin" })).await,
        ada.delete(&format!("{}/{}", under(&ada, "members"), ada.person))
            .await,
    ] {
        assert_eq!((answer.status, answer.code()), (409, "protected"), "{answer:?}");
    }
    let admin = bob.with("if-match", "*");
    assert_eq!(
        admin.patch(&path, &json!({ "role": "viewer" })).await.code(),
        "forbidden"
    );
    assert_eq!(
        admin
            .delete(&format!("{}/{}", under(&ada, "members"), ada.person))
            .await
            .code(),
        "forbidden"
    );
    let bobs = binding_of(&ada, &bob.person).await;
    let bobs = format!(
        "{}/{}",
        under(&ada, "role-bindings"),
        bobs["id"].as_str().unwrap()
    );
    assert_eq!(
        admin.patch(&bobs, &json!({ "role": "owner" })).await.code(),
        "forbidden"
    );
    let owner = json!({ "email": "x@example.com", "role": "owner" });
    assert_eq!(
        bob.post(&under(&ada, "invitations"), &owner).await.code(),
        "forbidden"
    );
    assert_eq!(any.patch(&bobs, &json!({ "role": "owner" })).await.status, 200);
    assert_eq!(any.delete(&path).await.status, 204, "there is another owner now");
    assert_eq!(
        ada.get(&under(&ada, "members")).await.status,
        404,
        "and Ada has no role any more"
    );
}

#[tokio::test]
async fn a_role_in_a_project_holds_there_and_nowhere_else() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let bob = service.colleague(&ada, "bob@example.com", "billing").await;
    let bindings = under(&ada, "role-bindings");
    let admin = json!({ "principal": bob.person, "scope": ada.project, "role": "admin" });
    let made = ada.post(&bindings, &admin).await;
    assert_eq!(made.status, 201, "{made:?}");
    let twice = ada.post(&bindings, &admin).await;
    assert_eq!((twice.status, twice.code()), (409, "already_exists"));
    let project = format!("/v1/projects/{}", ada.project);
    let any = bob.with("if-match", "*");
    assert_eq!(any.patch(&project, &json!({ "name": "bobs" })).await.status, 200);
    let other = json!({ "organization": ada.organization, "name": "more" });
    assert_eq!(bob.post("/v1/projects", &other).await.code(), "forbidden");
    let whole = json!({ "principal": bob.person, "scope": ada.organization, "role": "admin" });
    assert_eq!(bob.post(&bindings, &whole).await.code(), "forbidden");
    let foreign = json!({ "principal": bob.person, "scope": bob.project, "role": "viewer" });
    assert_eq!(
        ada.post(&bindings, &foreign).await.status,
        404,
        "not a project that Ada knows"
    );
    let stranger = service.person("eve@example.com").await;
    let outsider = json!({ "principal": stranger.person, "scope": ada.project, "role": "viewer" });
    let refused = ada.post(&bindings, &outsider).await;
    assert_eq!(
        (refused.status, &refused.body["errors"][0]["pointer"]),
        (422, &json!("/principal"))
    );
    assert_eq!(any.delete(made.header("location").unwrap()).await.status, 204);
    assert_eq!(
        any.patch(&project, &json!({ "name": "again" })).await.code(),
        "forbidden"
    );
}

#[tokio::test]
async fn somebody_who_left_sees_nothing_any_more() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let bob = service.colleague(&ada, "bob@example.com", "viewer").await;
    let own = format!("{}/{}", under(&ada, "members"), bob.person);
    assert_eq!(bob.delete(&own).await.status, 204);
    assert_eq!(
        bob.get(&format!("/v1/organizations/{}", ada.organization))
            .await
            .status,
        404
    );
    assert_eq!(
        ada.get(&under(&ada, "members")).await.body["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(ada.delete(&own).await.status, 404);
}

#[tokio::test]
async fn what_was_denied_is_in_the_audit_trail_too() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let bob = service.colleague(&ada, "bob@example.com", "viewer").await;
    let body = json!({ "organization": ada.organization, "name": "sneaky" });
    let denied = bob
        .with("x-request-id", "denied-1")
        .post("/v1/projects", &body)
        .await;
    assert_eq!((denied.status, denied.code()), (403, "forbidden"));
    let trail = under(&ada, "audit");
    let page = ada
        .get(&format!(
            "{trail}?principal=User:{}&action=create_project",
            bob.person
        ))
        .await;
    let rows = page.body["items"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{page:?}");
    assert_eq!(
        (&rows[0]["decision"], &rows[0]["request_id"]),
        (&json!("denied"), &json!("denied-1"))
    );
    assert!(rows[0]["credential"].as_str().unwrap().starts_with("ses_"));
    assert_eq!(rows[0]["address"], "127.0.0.1");
    assert_eq!(bob.get(&trail).await.code(), "forbidden");
    let at = rows[0]["at"].as_str().unwrap();
    let since = ada.get(&format!("{trail}?from={at}&action=create_project")).await;
    assert_eq!(since.body["items"].as_array().unwrap().len(), 1);
    let until = ada.get(&format!("{trail}?to={at}&action=create_project")).await;
    assert_eq!(until.body["items"], json!([]));
    assert_eq!(ada.get(&format!("{trail}?from=yesterday")).await.status, 400);
}

//! From where an organization is reached, and a cluster's Kafka clients come; callers come through a trusted proxy.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Service, settings};

const HOME: &str = "192.0.2.7";
const ELSEWHERE: &str = "198.51.100.7";

/// Behind a proxy that says where its callers come from.
async fn service() -> Service {
    Service::start_behind("127.0.0.1", settings()).await
}

fn from(client: &Client, address: &str) -> Client {
    client.with("x-forwarded-for", address)
}

async fn put(caller: &Client, path: &str, networks: Value) -> Answer {
    let body = json!({ "networks": networks });
    caller.send("PUT", path, Some(body.to_string())).await
}

async fn cluster(owner: &Client) -> String {
    let body = json!({ "project": owner.project, "name": "one" });
    let made = owner.post("/v1/clusters", &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    format!("/v1/clusters/{}", made.body["id"].as_str().unwrap())
}

/// Both lists of an owner.
async fn lists(owner: &Client) -> [String; 2] {
    let organization = format!("/v1/organizations/{}", owner.organization);
    [organization, cluster(owner).await].map(|whose| format!("{whose}/networks"))
}

#[tokio::test]
async fn lists_are_set_and_read_and_change_only_as_they_were_read() {
    let service = service().await;
    let owner = from(&service.person("ada@example.com").await, HOME);
    for list in lists(&owner).await {
        let empty = owner.get(&list).await;
        assert_eq!(
            empty.body,
            json!({ "networks": [], "your_address": HOME }),
            "{list}"
        );
        let read = empty.header("etag").unwrap().to_owned();
        let texts = json!(["192.0.2.0/24", "2001:db8::/32", "192.0.2.0/24", "203.0.113.9"]);
        let rehearsed = put(&owner, &format!("{list}?dry_run=true"), texts.clone()).await;
        assert_eq!(rehearsed.status, 200, "{rehearsed:?}");
        assert_eq!(owner.get(&list).await.body, empty.body, "nothing has changed");

        let set = put(&owner.with("if-match", &read), &list, texts).await;
        let sorted = json!(["192.0.2.0/24", "203.0.113.9/32", "2001:db8::/32"]);
        assert_eq!((set.status, &set.body["networks"]), (200, &sorted), "{set:?}");
        let again = owner.get(&list).await;
        assert_eq!(
            (&again.body, again.header("etag")),
            (&set.body, set.header("etag"))
        );
        assert_ne!(set.header("etag"), Some(read.as_str()));
        let stale = put(&owner.with("if-match", &read), &list, json!([])).await;
        assert_eq!((stale.status, stale.code()), (412, "version_mismatch"));
        assert_eq!(owner.get(&list).await.body, again.body);
        assert_eq!(put(&owner, &list, json!([])).await.body, empty.body);
    }
}

#[tokio::test]
async fn what_is_no_network_is_pointed_at() {
    let service = service().await;
    let owner = service.person("ada@example.com").await;
    let too_many: Vec<_> = (0..101).map(|number| format!("10.0.0.{number}")).collect();
    for list in lists(&owner).await {
        for (networks, pointer) in [
            (json!(["192.0.2.1", "nonsense"]), "/networks/1"),
            (json!(["192.0.2.0/33"]), "/networks/0"),
            (json!(["192.0.2.1/24"]), "/networks/0"),
            (json!(["::ffff:192.0.2.1"]), "/networks/0"),
            (json!(["127.0.0.1", "2001:db8::/32", ""]), "/networks/2"),
            (json!(too_many), "/networks"),
        ] {
            let refused = put(&owner, &list, networks.clone()).await;
            let told = (refused.status, refused.body["errors"][0]["pointer"].as_str());
            assert_eq!(told, (422, Some(pointer)), "{list} {networks} {refused:?}");
        }
        for networks in [json!("192.0.2.1"), json!([7]), json!(null)] {
            let refused = put(&owner, &list, networks.clone()).await;
            assert!([400, 422].contains(&refused.status), "{networks} {refused:?}");
        }
        assert_eq!(owner.get(&list).await.body["networks"], json!([]));
    }
}

#[tokio::test]
async fn members_come_from_the_listed_networks_and_strangers_learn_nothing() {
    let service = service().await;
    let owner = from(&service.person("ada@example.com").await, HOME);
    let colleague = service.colleague(&owner, "grace@example.com", "operator").await;
    let stranger = service.person("eve@example.com").await;
    let [organization, of_cluster] = lists(&owner).await;
    let cluster = of_cluster.trim_end_matches("/networks").to_owned();
    assert_eq!(
        put(&owner, &organization, json!(["192.0.2.0/24"])).await.status,
        200
    );
    let inside = |caller: &Client| [from(caller, HOME), from(caller, ELSEWHERE), caller.clone()];
    for member in [&owner.with("x-forwarded-for", ""), &colleague] {
        let [home, elsewhere, unknown] = inside(member);
        assert_eq!(home.get(&cluster).await.status, 200);
        for outside in [&elsewhere, &unknown] {
            for path in [&cluster, &of_cluster, &format!("{cluster}/topics")] {
                let refused = outside.get(path).await;
                let told = (refused.status, refused.code());
                assert_eq!(told, (403, "address_not_allowed"), "{path} {refused:?}");
            }
            let refused = put(outside, &organization, json!([])).await;
            assert_eq!((refused.status, refused.code()), (403, "address_not_allowed"));
            let listed = outside.get("/v1/organizations").await.body.to_string();
            assert!(!listed.contains(&owner.organization), "{listed}");
        }
    }
    for stranger in inside(&stranger) {
        for path in [&organization, &of_cluster, &cluster] {
            let missing = stranger.get(path).await;
            assert_eq!((missing.status, missing.code()), (404, "not_found"), "{path}");
        }
        for path in [&organization, &of_cluster] {
            assert_eq!(put(&stranger, path, json!([])).await.status, 404);
        }
    }
}

#[tokio::test]
async fn whoever_would_be_locked_out_must_insist() {
    let service = service().await;
    let owner = from(&service.person("ada@example.com").await, HOME);
    let [organization, of_cluster] = lists(&owner).await;
    let other = json!(["198.51.100.0/24"]);
    let refused = put(&owner, &organization, other.clone()).await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "protected"),
        "{refused:?}"
    );
    let no_answer = put(&owner, &format!("{organization}?force=perhaps"), other.clone()).await;
    assert_eq!(no_answer.status, 400);
    assert_eq!(owner.get(&organization).await.body["networks"], json!([]));
    let forced = put(&owner, &format!("{organization}?force=true"), other.clone()).await;
    assert_eq!(forced.status, 200, "{forced:?}");
    let refused = owner.get(&organization).await;
    assert_eq!((refused.status, refused.code()), (403, "address_not_allowed"));
    let there = from(&owner, ELSEWHERE);
    assert_eq!(put(&there, &organization, json!([])).await.status, 200);
    // A cluster's list is about Kafka's clients: it locks no caller out.
    assert_eq!(put(&owner, &of_cluster, other).await.status, 200);
    assert_eq!(owner.get(&of_cluster).await.status, 200);
}

#[tokio::test]
async fn a_role_decides_who_sees_and_who_sets() {
    let service = service().await;
    let owner = service.person("ada@example.com").await;
    let [organization, of_cluster] = lists(&owner).await;
    for (role, of_organization, sees, sets) in [
        ("admin", 200, 200, 200),
        ("operator", 403, 200, 403),
        ("developer", 403, 200, 403),
        ("viewer", 403, 200, 403),
        ("billing", 403, 403, 403),
    ] {
        let email = format!("{role}@example.com");
        let colleague = service.colleague(&owner, &email, role).await;
        let got = [
            colleague.get(&organization).await.status,
            put(&colleague, &organization, json!([])).await.status,
            colleague.get(&of_cluster).await.status,
            put(&colleague, &of_cluster, json!([])).await.status,
        ];
        assert_eq!(got, [of_organization, of_organization, sees, sets], "{role}");
    }
}

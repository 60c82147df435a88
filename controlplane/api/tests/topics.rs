//! Topics over REST, as far as the catalog answers: no broker runs here, so nothing is ever in force on one, and nothing must
//! wait for it. What brokers tell is in the `rest_topics` test of the binary.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

mod support;

use firn_catalog::cell::{LogCatalog, WalLocation};
use firn_catalog::ids::{FeedSequence, IncarnationId, NodeId};
use firn_runtime::Timestamp;
use serde_json::{Value, json};
use support::{Answer, Client, Service};

/// A service with a broker in its catalog that owns partitions and says that it serves whatever will be told: nobody waits for it.
async fn start() -> Service {
    let service = Service::start().await;
    let long_ago = Timestamp(1_000);
    service
        .catalog
        .open_incarnation(IncarnationId(1), NodeId(0), WalLocation::Object, long_ago)
        .await
        .unwrap();
    let served = FeedSequence(1_000_000);
    service
        .catalog
        .report_applied(IncarnationId(1), served)
        .await
        .unwrap();
    service
}

/// A cluster's path.
async fn cluster(owner: &Client, name: &str) -> String {
    let body = json!({ "project": owner.project, "name": name });
    let answer = owner.post("/v1/clusters", &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    format!("/v1/clusters/{}", answer.body["id"].as_str().unwrap())
}

async fn topic(owner: &Client, cluster: &str, name: &str) -> Answer {
    let body = json!({ "name": name, "partitions": 2, "configs": { "retention.ms": "1000" } });
    let answer = owner.post(&format!("{cluster}/topics"), &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer
}

fn names(answer: &Answer) -> Vec<&str> {
    let items = answer.body["items"].as_array().unwrap();
    items.iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_topic_is_made_read_changed_and_deleted() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let made = topic(&owner, &cluster, "orders").await;
    let path = format!("{cluster}/topics/orders");
    assert_eq!(made.header("location"), Some(path.as_str()));
    let read = owner.get(&path).await;
    assert_eq!((read.status, &read.body), (200, &made.body));
    assert_eq!(read.header("etag"), made.header("etag"));
    assert_eq!(read.body["partitions"], 2);
    assert_eq!(read.body["configs"], json!({ "retention.ms": "1000" }));

    let change = json!({ "partitions": 3, "configs": { "retention.ms": null, "cleanup.policy": "compact" } });
    let etag = made.header("etag").unwrap();
    let changed = owner.with("if-match", etag).patch(&path, &change).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.body["partitions"], 3);
    assert_eq!(changed.body["configs"], json!({ "cleanup.policy": "compact" }));
    let read = owner.get(&path).await;
    assert_eq!(
        (&read.body, read.header("etag")),
        (&changed.body, changed.header("etag"))
    );
    assert_ne!(read.header("etag"), Some(etag));

    let stale = owner.with("if-match", etag);
    assert_eq!(stale.delete(&path).await.status, 412);
    assert_eq!(stale.patch(&path, &change).await.code(), "version_mismatch");
    assert_eq!(owner.patch(&path, &change).await.status, 428);
    let current = owner.with("if-match", read.header("etag").unwrap());
    assert_eq!(current.delete(&path).await.status, 204);
    assert_eq!(owner.get(&path).await.status, 404);
    assert_eq!(owner.delete(&path).await.code(), "not_found");
    assert_eq!(
        owner.delete(&format!("{cluster}/topics/%00")).await.code(),
        "not_found"
    );
}

#[tokio::test]
async fn a_change_is_made_as_a_whole_or_not_at_all() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let made = topic(&owner, &cluster, "orders").await;
    let path = format!("{cluster}/topics/orders");
    let any = owner.with("if-match", "*");
    let refused = any
        .patch(
            &path,
            &json!({ "partitions": 5, "configs": { "no.such.key": "1" } }),
        )
        .await;
    assert_eq!(refused.status, 422, "{refused:?}");
    assert_eq!(refused.body["errors"][0]["pointer"], "/configs/no.such.key");
    let refused = any.patch(&path, &json!({ "partitions": 1 })).await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/partitions");
    assert_eq!(any.patch(&path, &json!({ "partition": 5 })).await.status, 422);
    let rehearsed = any
        .patch(&format!("{path}?dry_run=true"), &json!({ "partitions": 7 }))
        .await;
    assert_eq!(
        (rehearsed.status, &rehearsed.body["partitions"]),
        (200, &json!(7))
    );
    assert_eq!(any.delete(&format!("{path}?dry_run=true")).await.status, 204);
    assert_eq!(owner.get(&path).await.body, made.body, "nothing has changed");
    let same = any
        .patch(
            &path,
            &json!({ "partitions": 2, "configs": { "retention.ms": "1000" } }),
        )
        .await;
    assert_eq!((same.status, same.header("etag")), (200, made.header("etag")));
}

#[tokio::test]
async fn topics_are_listed_by_name_page_by_page_and_filtered() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let (one, two) = (cluster(&owner, "one").await, cluster(&owner, "two").await);
    let create: Vec<Value> = (0..7)
        .map(|number| json!({ "name": format!("logs-{number}") }))
        .collect();
    let batch = owner
        .post(&format!("{one}/topics/batch"), &json!({ "create": create }))
        .await;
    assert_eq!(batch.status, 200, "{batch:?}");
    topic(&owner, &one, "orders").await;
    topic(&owner, &two, "logs-of-two").await;
    let topics = format!("{one}/topics");
    assert_eq!(names(&owner.get(&topics).await).len(), 8);
    assert_eq!(
        names(&owner.get(&format!("{topics}?contains=rder")).await),
        ["orders"]
    );
    let mut seen = Vec::new();
    let mut next = format!("{topics}?prefix=logs-&page_size=3");
    loop {
        let page = owner.get(&next).await;
        assert_eq!(page.status, 200, "{page:?}");
        seen.extend(names(&page).into_iter().map(str::to_owned));
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        next = format!("{topics}?prefix=logs-&page_size=3&cursor={cursor}");
    }
    let expected: Vec<String> = (0..7).map(|number| format!("logs-{number}")).collect();
    assert_eq!(seen, expected);
    let foreign = next.replace("prefix=logs-", "prefix=logs");
    assert_eq!(owner.get(&foreign).await.code(), "invalid_cursor");
}

/// All pages of a list, and what each said the total is.
async fn pages(owner: &Client, list: &str, size: usize) -> (Vec<Value>, Vec<u64>) {
    let (mut items, mut totals) = (Vec::new(), Vec::new());
    let mut next = format!("{list}&page_size={size}");
    loop {
        let page = owner.get(&next).await;
        assert_eq!(page.status, 200, "{page:?}");
        items.extend(page.body["items"].as_array().unwrap().clone());
        totals.push(page.body["total"].as_u64().unwrap());
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            return (items, totals);
        };
        next = format!("{list}&page_size={size}&cursor={cursor}");
    }
}

#[tokio::test]
async fn every_order_is_total_and_each_page_goes_on_where_the_last_one_ended() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let create: Vec<Value> = (0..23)
        .map(|number| json!({ "name": format!("t{:02}", number * 7 % 23), "partitions": 1 + number % 3 }))
        .collect();
    let made = owner
        .post(&format!("{cluster}/topics/batch"), &json!({ "create": create }))
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    for key in ["name", "partitions", "created_at", "size"] {
        let list = format!("{cluster}/topics?sort={key}");
        let (whole, totals) = pages(&owner, &list, 1_000).await;
        assert_eq!((whole.len(), totals), (23, vec![23]));
        let (paged, totals) = pages(&owner, &list, 5).await;
        assert_eq!((&paged, totals), (&whole, vec![23; 5]), "{key}");
        let (mut reversed, _) = pages(&owner, &list.replace("sort=", "sort=-"), 7).await;
        reversed.reverse();
        assert_eq!(reversed, whole, "{key}");
    }
    let partitions: Vec<_> = pages(&owner, &format!("{cluster}/topics?sort=partitions"), 9)
        .await
        .0;
    assert!(partitions.is_sorted_by_key(|topic| topic["partitions"].as_u64()));
    let filtered = pages(&owner, &format!("{cluster}/topics?sort=-name&contains=t1"), 3).await;
    assert_eq!((filtered.0.len(), filtered.1[0]), (10, 10));
    assert_eq!(filtered.0[0]["name"], "t19");
}

#[tokio::test]
async fn topics_that_come_and_go_neither_repeat_others_nor_hide_them() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    for name in ["b", "d", "f", "h"] {
        topic(&owner, &cluster, name).await;
    }
    let list = format!("{cluster}/topics?sort=-name&page_size=2");
    let first = owner.get(&list).await;
    assert_eq!(names(&first), ["h", "f"]);
    assert_eq!(owner.delete(&format!("{cluster}/topics/f")).await.status, 204);
    topic(&owner, &cluster, "g").await;
    topic(&owner, &cluster, "c").await;
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = owner.get(&format!("{list}&cursor={cursor}")).await;
    assert_eq!(names(&second), ["d", "c"]);
    assert_eq!(second.body["total"], 5);
    let other = list.replace("-name", "name");
    let other = owner.get(&format!("{other}&cursor={cursor}")).await;
    assert_eq!(
        other.code(),
        "invalid_cursor",
        "a cursor is good for one order only"
    );
}

#[tokio::test]
async fn sizes_that_no_broker_tells_are_null_and_nonsense_is_refused() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    topic(&owner, &cluster, "orders").await;
    let listed = owner.get(&format!("{cluster}/topics?with=sizes&sort=size")).await;
    assert_eq!(listed.status, 200, "{listed:?}");
    let told = &listed.body["items"][0];
    assert_eq!(
        (&told["size_bytes"], &told["records"]),
        (&Value::Null, &Value::Null)
    );
    for bad in [
        "sort=",
        "sort=--name",
        "sort=bytes",
        "with=",
        "with=records",
        "page_size=1001",
    ] {
        let refused = owner.get(&format!("{cluster}/topics?{bad}")).await;
        assert_eq!(refused.status, 400, "{bad}: {refused:?}");
    }
}

#[tokio::test]
async fn each_topic_of_a_batch_has_its_own_result() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    topic(&owner, &cluster, "there").await;
    let path = format!("{cluster}/topics/batch");
    let batch = json!({
        "delete": ["there", "absent"],
        "create": [
            { "name": "there", "partitions": 4 },
            { "name": "there" },
            { "name": "bad name" },
            { "name": "wide", "partitions": 100_001 },
        ],
    });
    let rehearsed = owner.post(&format!("{path}?dry_run=true"), &batch).await;
    let statuses = |answer: &Answer| -> Vec<u64> {
        let results = answer.body["results"].as_array().unwrap();
        results
            .iter()
            .map(|result| result["status"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(statuses(&rehearsed), [204, 404, 409, 409, 422, 422]);
    let answer = owner.post(&path, &batch).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(statuses(&answer), [204, 404, 201, 409, 422, 422]);
    assert_eq!(answer.body["results"][2]["topic"]["partitions"], 4);
    assert_eq!(answer.body["results"][1]["problem"]["code"], "not_found");
    assert_eq!(
        answer.body["results"][4]["problem"]["errors"][0]["pointer"],
        "/name"
    );
    assert_eq!(
        owner.get(&format!("{cluster}/topics/there")).await.body["partitions"],
        4
    );
    let many: Vec<Value> = (0..101)
        .map(|number| json!({ "name": format!("t{number}") }))
        .collect();
    assert_eq!(owner.post(&path, &json!({ "create": many })).await.status, 422);
    assert_eq!(owner.post(&path, &json!({})).await.status, 422);
}

#[tokio::test]
async fn a_foreign_cluster_and_an_absent_one_are_the_same() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let stranger = service.person("eve@example.com").await;
    let cluster = cluster(&owner, "one").await;
    topic(&owner, &cluster, "orders").await;
    let absent = "/v1/clusters/clu_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    let any = stranger.with("if-match", "*");
    let new = json!({ "name": "orders" });
    for tail in [
        "topics",
        "topics/orders",
        "topics/orders/partitions",
        "topics/orders/configs",
    ] {
        let [foreign, missing] = [cluster.as_str(), absent].map(|cluster| format!("{cluster}/{tail}"));
        let (foreign, missing) = (stranger.get(&foreign).await, stranger.get(&missing).await);
        assert_eq!(
            (foreign.status, foreign.problem()),
            (404, missing.problem()),
            "{tail}"
        );
    }
    for cluster in [cluster.as_str(), absent] {
        assert_eq!(any.post(&format!("{cluster}/topics"), &new).await.status, 404);
        assert_eq!(
            any.post(&format!("{cluster}/topics/batch"), &json!({ "create": [new] }))
                .await
                .status,
            404
        );
        assert_eq!(
            any.patch(&format!("{cluster}/topics/orders"), &json!({ "partitions": 9 }))
                .await
                .status,
            404
        );
        assert_eq!(any.delete(&format!("{cluster}/topics/orders")).await.status, 404);
    }
    assert_eq!(
        service.anonymous().get(&format!("{cluster}/topics")).await.status,
        401
    );
    assert_eq!(
        owner.get(&format!("{cluster}/topics/orders")).await.body["partitions"],
        2
    );
}

#[tokio::test]
async fn a_viewer_sees_topics_and_changes_none() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let made = topic(&owner, &cluster, "orders").await;
    let viewer = service.colleague(&owner, "vic@example.com", "viewer").await;
    let path = format!("{cluster}/topics/orders");
    assert_eq!(viewer.get(&path).await.body, made.body);
    let any = viewer.with("if-match", "*");
    assert_eq!(
        any.patch(&path, &json!({ "partitions": 9 })).await.code(),
        "forbidden"
    );
    assert_eq!(any.delete(&path).await.status, 403);
    assert_eq!(
        viewer
            .post(&format!("{cluster}/topics"), &json!({ "name": "x" }))
            .await
            .status,
        403
    );
    let batch = viewer
        .post(
            &format!("{cluster}/topics/batch"),
            &json!({ "delete": ["orders"] }),
        )
        .await;
    assert_eq!(batch.body["results"][0]["problem"]["code"], "forbidden");
    let billing = service.colleague(&owner, "bo@example.com", "billing").await;
    assert_eq!(billing.get(&path).await.status, 403);
    assert_eq!(owner.get(&path).await.body, made.body);
}

#[tokio::test]
async fn without_a_broker_that_answers_what_only_brokers_know_is_unavailable_for_now() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    topic(&owner, &cluster, "orders").await;
    for tail in ["partitions", "configs"] {
        let answer = owner.get(&format!("{cluster}/topics/orders/{tail}")).await;
        assert_eq!((answer.status, answer.code()), (503, "unavailable"), "{answer:?}");
        assert!(answer.header("retry-after").is_some());
        assert_eq!(
            owner.get(&format!("{cluster}/topics/absent/{tail}")).await.status,
            404
        );
    }
}

#[tokio::test]
async fn of_many_changes_to_what_was_read_once_exactly_one_is_made() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let made = topic(&owner, &cluster, "orders").await;
    let path = format!("{cluster}/topics/orders");
    let reader = owner.with("if-match", made.header("etag").unwrap());
    let changes = (0..20).map(|number| {
        let (reader, path) = (reader.clone(), path.clone());
        let change = json!({ "configs": { "retention.ms": (2_000 + number).to_string() } });
        async move { reader.patch(&path, &change).await.status }
    });
    let mut statuses = futures::future::join_all(changes).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(statuses[1..].iter().all(|status| *status == 412), "{statuses:?}");
}

#[tokio::test]
async fn a_topic_that_an_acl_denies_looks_like_one_that_is_not_there() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let colleague = service.colleague(&owner, "bob@example.com", "developer").await;
    for name in ["secret", "shown"] {
        assert_eq!(topic(&owner, &cluster, name).await.status, 201);
    }
    for name in ["secret", "absent"] {
        let denies = json!({
            "resource_type": "topic",
            "resource_name": name,
            "principal": format!("User:{}", colleague.person),
            "operation": "all",
            "permission": "deny",
        });
        let made = owner.post(&format!("{cluster}/acls"), &denies).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    let listed = colleague.get(&format!("{cluster}/topics")).await;
    let names: Vec<_> = listed.body["items"].as_array().unwrap().iter().collect();
    assert_eq!(
        names.iter().map(|one| &one["name"]).collect::<Vec<_>>(),
        ["shown"]
    );
    let mut told = Vec::new();
    for name in ["secret", "absent"] {
        let at = format!("{cluster}/topics/{name}");
        let change = colleague.clone().with("if-match", "*");
        let change = change.patch(&at, &json!({ "partitions": 3 })).await;
        let answers = [colleague.get(&at).await, change, colleague.delete(&at).await];
        told.push(answers.map(|answer| (answer.status, answer.code().to_owned())));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0][0].0, 404);
    assert_eq!([told[0][1].0, told[0][2].0], [403, 403]);
}

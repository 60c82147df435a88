//! What records through REST may cost, and whom: large batches, quotas, retries, and who may read.

use super::*;

#[test]
fn large_batches_are_read_retries_append_nothing_and_acls_decide_beside_roles() {
    let world = World::new("bounds");
    a_batch_larger_than_other_answers(&world);
    a_key_appends_once(&world);
    acls_beside_roles(&world);
    quotas_bind(&world);
}

fn a_batch_larger_than_other_answers(world: &World) {
    const LARGE: usize = 20 << 20;
    let topics = format!("/v1/clusters/{}/topics", world.tenant.cluster);
    let configs = json!({ "max.message.bytes": "31457280" });
    world.tenant.make(
        &topics,
        &json!({ "name": "large", "partitions": 1, "configs": configs }),
    );
    let input = world.firn.options().scratch().join("large");
    fs::write(&input, "x".repeat(LARGE)).unwrap();
    let client = world
        .kcat()
        .args(["-P", "-t", "large", "-X", "message.max.bytes=31457280"]);
    client.arg(&input).run();
    let (items, ..) = world.all("large", "start=earliest&max_bytes=10");
    assert_eq!(
        (&items[0]["value_bytes"], text(&items[0], "value").as_str()),
        (&json!(LARGE), "xxxxxxxxxx")
    );
    let alone = world
        .tenant
        .see(&format!("{topics}/large/partitions/0/records/0"));
    assert_eq!(
        (text(&alone, "value").len(), &alone["truncated"]),
        (8 << 20, &json!(true))
    );
}

fn a_key_appends_once(world: &World) {
    world.tenant.topic("once", 2);
    let body = json!({ "records": [{ "key": { "text": "k" }, "value": { "text": "v" } }] });
    let rest = world.tenant.rest();
    let request = rest
        .request("POST", &world.path("once"))
        .header("idempotency-key", "one")
        .json(&body);
    let first = rest.send(&request).expect(201);
    let again = rest.send(&request).expect(201);
    assert_eq!(first.json(), again.json());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(world.all("once", "start=earliest").0.len(), 1);
}

fn acls_beside_roles(world: &World) {
    let tenant = &world.tenant;
    let viewer = tenant.key_of_role("reader", "viewer");
    let stranger = tenant.key_of(&tenant.another_account("stranger"));
    let with = |secret: &str| tenant.rest().with_bearer(secret);
    with(&viewer.secret).get(&world.path("once")).expect(403);
    let acl = json!({
        "resource_type": "topic", "resource_name": "once", "principal": "User:*",
        "operation": "read", "permission": "allow",
    });
    tenant.make(&format!("/v1/clusters/{}/acls", tenant.cluster), &acl);
    with(&viewer.secret).get(&world.path("once")).expect(200);
    let body = json!({ "records": [{ "key": { "text": "k" } }] });
    with(&viewer.secret).post(&world.path("once"), &body).expect(403);
    // Without any role there is no cluster, whatever ACLs say.
    with(&stranger.secret).get(&world.path("once")).expect(404);
}

fn quotas_bind(world: &World) {
    let tenant = &world.tenant;
    tenant.topic("costly", 1);
    let wanted = json!({
        "entity": { "user": { "default": true } },
        "quotas": { "producer_byte_rate": 1000, "consumer_byte_rate": 1000 },
    });
    let path = format!("/v1/clusters/{}/quotas", tenant.cluster);
    tenant
        .rest()
        .send(&tenant.rest().request("PUT", &path).json(&wanted))
        .expect(200);
    let body = json!({ "records": [{ "value": { "text": "x".repeat(200_000) } }] });
    tenant.rest().post(&world.path("costly"), &body).expect(201);
    let refused = tenant.rest().post(&world.path("costly"), &body).expect(429);
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds > 10, "{seconds}");
    // The first page has what there is; then the caller must wait, and is told of nothing, nor is the search at its end.
    let page = world.page("costly", "start=earliest&max_bytes=10");
    assert_eq!(page["items"].as_array().unwrap().len(), 1, "{page}");
    let page = world.page("costly", "start=earliest&max_bytes=10");
    assert_eq!(page["items"], json!([]), "{page}");
    assert!(page["next_cursor"].is_string(), "{page}");
    let one = format!(
        "/v1/clusters/{}/topics/costly/partitions/0/records/0",
        tenant.cluster
    );
    tenant.rest().get(&one).expect(429);
}

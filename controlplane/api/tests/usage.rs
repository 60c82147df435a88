//! Usage over REST.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

mod support;

use firn_catalog::ids::{ClusterId, IncarnationId, OrganizationId};
use firn_catalog::usage::{Amounts, UsageRow};
use serde_json::json;
use support::{Client, Service};

/// 2026-11-28T10:00:00Z in minutes.
const TEN: i64 = 29_931_000;
const SPAN: &str = "from=2026-11-28T10:00:00Z&to=2026-11-28T12:00:00Z";

async fn cluster(owner: &Client, name: &str) -> ClusterId {
    let body = json!({ "project": owner.project, "name": name });
    let answer = owner.post("/v1/clusters", &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    ClusterId::from_public(answer.body["id"].as_str().unwrap()).unwrap()
}

fn row(owner: &Client, cluster: ClusterId, principal: &str, minute: i64, requests: i64) -> UsageRow {
    UsageRow {
        organization: OrganizationId::from_public(&owner.organization).unwrap(),
        cluster,
        principal: principal.to_owned(),
        minute,
        incarnation: IncarnationId(1),
        amounts: Amounts {
            bytes_in: 10 * requests,
            requests,
            connections_peak: 1,
            ..Amounts::default()
        },
    }
}

fn path(owner: &Client, query: &str) -> String {
    format!("/v1/organizations/{}/usage?{query}", owner.organization)
}

#[tokio::test]
async fn usage_is_summed_filtered_and_paged() {
    let service = Service::start().await;
    let owner = service.person("ada@example.com").await;
    let (one, two) = (cluster(&owner, "one").await, cluster(&owner, "two").await);
    let rows = [
        row(&owner, one, "User:a", TEN, 1),
        row(&owner, one, "User:a", TEN + 59, 2),
        row(&owner, one, "User:b", TEN + 60, 4),
        row(&owner, two, "User:a", TEN + 60, 8),
        row(&owner, two, "User:a", TEN + 120, 100),
    ];
    service.catalog.record_usage(&rows).await.unwrap();
    let sums = |text: String| {
        let owner = owner.clone();
        async move {
            let answer = owner.get(&path(&owner, &text)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let items = answer.body["items"].as_array().unwrap().clone();
            items
                .iter()
                .map(|item| item["requests"].as_i64().unwrap())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(sums(SPAN.to_owned()).await, [3, 12]);
    assert_eq!(
        sums(format!("{SPAN}&granularity=day")).await,
        [115],
        "whole days are told"
    );
    assert_eq!(
        sums(format!("{SPAN}&group_by=cluster&cluster={}", two.public())).await,
        [8]
    );
    assert_eq!(sums(format!("{SPAN}&principal=User:a")).await, [3, 8]);
    assert_eq!(sums(format!("{SPAN}&project={}", owner.project)).await, [3, 12]);
    let mut query = format!("{SPAN}&group_by=cluster,principal&page_size=1");
    let mut seen = Vec::new();
    loop {
        let answer = owner.get(&path(&owner, &query)).await;
        seen.extend(answer.body["items"].as_array().unwrap().clone());
        let Some(cursor) = answer.body["next_cursor"].as_str() else {
            break;
        };
        query = format!("{SPAN}&group_by=cluster,principal&page_size=1&cursor={cursor}");
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert_eq!(seen[0]["period_start"], "2026-11-28T10:00:00.000Z");
    assert_eq!(
        (&seen[0]["cluster"], &seen[0]["principal"]),
        (&json!(one.public()), &json!("User:a"))
    );
    assert_eq!(owner.get(&path(&owner, "from=x")).await.code(), "invalid_request");
}

#[tokio::test]
async fn usage_as_csv_is_what_it_is_as_json_and_runs_no_formula() {
    let service = Service::start().await;
    let owner = service.person("ada@example.com").await;
    let one = cluster(&owner, "one").await;
    let mut rows: Vec<_> = (0..120)
        .map(|minute| row(&owner, one, "User:a,\"b\"", TEN + minute, 1))
        .collect();
    rows.push(row(&owner, one, "=1+1", TEN, 7));
    service.catalog.record_usage(&rows).await.unwrap();
    let query = format!("{SPAN}&granularity=minute&group_by=principal&page_size=2");
    let answer = owner.with("accept", "text/csv").get(&path(&owner, &query)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.header("content-type").unwrap().starts_with("text/csv"));
    assert_eq!(answer.text.matches("\r\n").count(), 1 + 121, "all of it");
    assert!(
        answer
            .text
            .contains(",\"User:a,\"\"b\"\"\",10,0,0,0,1,1,0,0,0\r\n"),
        "{}",
        answer.text
    );
    assert!(answer.text.contains(",\"'=1+1\",70,"), "{}", answer.text);
    let again = owner.get(&path(&owner, &format!("{query}&format=csv"))).await;
    assert_eq!(again.text, answer.text);
}

#[tokio::test]
async fn usage_is_for_those_whose_role_shows_it() {
    let service = Service::start().await;
    let owner = service.person("ada@example.com").await;
    let stranger = service.person("eve@example.com").await;
    let one = cluster(&owner, "one").await;
    let foreign = cluster(&stranger, "foreign").await;
    service
        .catalog
        .record_usage(&[row(&owner, one, "User:a", TEN, 1)])
        .await
        .unwrap();
    let billing = service.colleague(&owner, "bo@example.com", "billing").await;
    let developer = service.colleague(&owner, "dev@example.com", "developer").await;
    let own = path(&owner, SPAN);
    assert_eq!(billing.get(&own).await.body["items"][0]["requests"], 1);
    assert_eq!(developer.get(&own).await.code(), "forbidden");
    let absent = own.replace(&owner.organization, "org_aaaaaaaaaaaaaaaaaaaaaaaaaa");
    let answers = (stranger.get(&own).await, stranger.get(&absent).await);
    assert_eq!(
        (answers.0.status, answers.0.problem()),
        (404, answers.1.problem())
    );
    let of_foreign = path(&owner, &format!("{SPAN}&cluster={}", foreign.public()));
    assert_eq!(owner.get(&of_foreign).await.status, 404);
    assert_eq!(service.anonymous().get(&own).await.status, 401);
}

#[tokio::test]
async fn usage_costs_what_the_prices_say_to_the_last_digit() {
    let service = Service::start().await;
    let owner = service.person("ada@example.com").await;
    let one = cluster(&owner, "one").await;
    let of = |principal: &str, minute: i64, amounts: Amounts| UsageRow {
        amounts,
        ..row(&owner, one, principal, minute, 0)
    };
    let stored = Amounts {
        storage_byte_minutes: 60 << 30,
        partition_minutes: 120,
        ..Amounts::default()
    };
    let sent = Amounts {
        produced_bytes: 1 << 30,
        fetched_bytes: 3 << 30,
        ..Amounts::default()
    };
    let rows = [
        of("", TEN, stored),
        of("User:a", TEN, sent),
        of("User:b", TEN + 60, sent),
    ];
    service.catalog.record_usage(&rows).await.unwrap();
    let prices = service.anonymous().get("/v1/prices").await;
    assert_eq!(prices.body["currency"], "USD");
    let produced = json!({ "meter": "produced_bytes", "unit": "GiB", "price": "0.03" });
    assert_eq!(prices.body["items"][0], produced);
    let hours = owner.get(&path(&owner, SPAN)).await;
    let costs: Vec<_> = hours.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["cost"])
        .collect();
    assert_eq!(costs, ["0.09105", "0.09"]);
    let day = owner.get(&path(&owner, &format!("{SPAN}&granularity=day"))).await;
    assert_eq!(day.body["items"][0]["cost"], "0.18105");
    let csv = owner
        .get(&path(&owner, &format!("{SPAN}&granularity=day&format=csv")))
        .await;
    assert!(csv.text.ends_with(",0.18105\r\n"), "{}", csv.text);

    let focus = owner
        .get(&path(
            &owner,
            &format!("{SPAN}&group_by=cluster,principal&format=focus"),
        ))
        .await;
    assert_eq!(focus.status, 200, "{focus:?}");
    let lines: Vec<_> = focus.text.split("\r\n").filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 1 + 2 + 2 + 2, "two meters of each of three sums");
    assert!(lines[1].starts_with("0.00005,org_"), "{}", lines[1]);
    assert!(
        lines[1].contains(&one.public()) && lines[3].contains("User:a"),
        "{lines:?}"
    );
    assert!(
        lines[1].contains("2026-12-01T00:00:00Z,2026-11-01T00:00:00Z,Usage"),
        "{}",
        lines[1]
    );
}

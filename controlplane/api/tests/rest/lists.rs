//! Lists: pages, and cursors that work nowhere else.

use serde_json::json;

use crate::support::{Client, Service};

async fn projects(ada: &Client, count: usize) {
    for number in 0..count {
        let project = json!({ "organization": ada.organization, "name": format!("project {number}") });
        let answer = ada.post("/v1/projects", &project).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
}

#[tokio::test]
async fn pages_make_up_the_whole_list() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    projects(&ada, 6).await;
    let mut names = Vec::new();
    let mut path = "/v1/projects?page_size=3".to_owned();
    loop {
        let page = ada.get(&path).await;
        assert_eq!(page.status, 200, "{page:?}");
        let items = page.body["items"].as_array().unwrap();
        assert!(items.len() <= 3);
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        match page.body["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/projects?page_size=3&cursor={cursor}"),
            None => break,
        }
    }
    names.sort();
    assert_eq!(names.len(), 7);
    names.dedup();
    assert_eq!(names.len(), 7, "default and six more, each once");
}

#[tokio::test]
async fn a_cursor_of_another_list_caller_or_filter_is_refused() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let eve = service.person("eve@example.com").await;
    projects(&ada, 2).await;
    let filtered = format!("/v1/projects?organization={}&page_size=1", ada.organization);
    let page = ada.get(&filtered).await;
    let cursor = page.body["next_cursor"].as_str().unwrap().to_owned();
    let good = ada.get(&format!("{filtered}&cursor={cursor}")).await;
    assert_eq!(good.status, 200);
    let resized = filtered.replace("page_size=1", "page_size=2");
    assert_eq!(
        ada.get(&format!("{resized}&cursor={cursor}")).await.status,
        200,
        "a page may have another size"
    );
    for (who, path) in [
        (&ada, format!("/v1/projects?cursor={cursor}")),
        (&ada, format!("/v1/organizations?cursor={cursor}")),
        (
            &ada,
            format!("/v1/organizations/{}/members?cursor={cursor}", ada.organization),
        ),
        (&eve, format!("{filtered}&cursor={cursor}")),
    ] {
        let refused = who.get(&path).await;
        assert_eq!(
            (refused.status, refused.code()),
            (400, "invalid_cursor"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_forged_cursor_is_refused() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    projects(&ada, 1).await;
    let page = ada.get("/v1/projects?page_size=1").await;
    let cursor = page.body["next_cursor"].as_str().unwrap();
    let middle = cursor.len() / 4;
    let other = if cursor.as_bytes()[middle] == b'A' {
        "B"
    } else {
        "A"
    };
    let changed = format!("{}{other}{}", &cursor[..middle], &cursor[middle + 1..]);
    for forged in [
        changed.as_str(),
        "",
        "x",
        "eyJsIjoiIiwicCI6IiJ9.AAAA",
        &"a".repeat(3_000),
    ] {
        let refused = ada.get(&format!("/v1/projects?cursor={forged}")).await;
        assert_eq!(
            (refused.status, refused.code()),
            (400, "invalid_cursor"),
            "{forged}"
        );
    }
}

#[tokio::test]
async fn a_page_has_one_to_two_hundred_items() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    for size in ["0", "201", "-1", "x", "99999999999999999999"] {
        let refused = ada.get(&format!("/v1/projects?page_size={size}")).await;
        assert_eq!(
            (refused.status, refused.code()),
            (400, "invalid_request"),
            "{size}"
        );
    }
    assert_eq!(ada.get("/v1/projects?page_size=200").await.status, 200);
}

//! Every route of organizations, projects and members: for its own people, for others, for ids that nothing has, without a
//! credential, and with a role that is too small. Foreign and absent are the same, byte for byte.

use serde_json::{Value, json};

use crate::support::{Client, Service};

/// A route under an organization or a project, and what a viewer is answered.
struct Row {
    method: &'static str,
    /// `{organization}`, `{project}`, `{person}` and `{binding}` stand for ids.
    path: &'static str,
    body: Option<Value>,
    viewer: u16,
}

fn row(method: &'static str, path: &'static str, body: Option<Value>, viewer: u16) -> Row {
    Row {
        method,
        path,
        body,
        viewer,
    }
}

fn rows() -> Vec<Row> {
    let name = || Some(json!({ "name": "other" }));
    let binding = json!({ "principal": "{person}", "scope": "{organization}", "role": "viewer" });
    let invitation = json!({ "email": "x@example.com", "role": "viewer" });
    vec![
        row("GET", "/v1/organizations/{organization}", None, 200),
        row("PATCH", "/v1/organizations/{organization}", name(), 403),
        row("DELETE", "/v1/organizations/{organization}", None, 403),
        row("GET", "/v1/organizations/{organization}/members", None, 403),
        row(
            "DELETE",
            "/v1/organizations/{organization}/members/{person}",
            None,
            403,
        ),
        row("GET", "/v1/organizations/{organization}/role-bindings", None, 403),
        row(
            "POST",
            "/v1/organizations/{organization}/role-bindings",
            Some(binding),
            403,
        ),
        row(
            "GET",
            "/v1/organizations/{organization}/role-bindings/{binding}",
            None,
            403,
        ),
        row(
            "PATCH",
            "/v1/organizations/{organization}/role-bindings/{binding}",
            Some(json!({ "role": "viewer" })),
            403,
        ),
        row(
            "DELETE",
            "/v1/organizations/{organization}/role-bindings/{binding}",
            None,
            403,
        ),
        row("GET", "/v1/organizations/{organization}/invitations", None, 403),
        row(
            "POST",
            "/v1/organizations/{organization}/invitations",
            Some(invitation),
            403,
        ),
        row(
            "DELETE",
            "/v1/organizations/{organization}/invitations/{invitation}",
            None,
            403,
        ),
        row("GET", "/v1/organizations/{organization}/audit", None, 403),
        row("GET", "/v1/projects?organization={organization}", None, 200),
        row(
            "POST",
            "/v1/projects",
            Some(json!({ "organization": "{organization}", "name": "x" })),
            403,
        ),
        row("GET", "/v1/projects/{project}", None, 200),
        row("PATCH", "/v1/projects/{project}", name(), 403),
        row("DELETE", "/v1/projects/{project}", None, 403),
    ]
}

/// The ids that stand for the words in braces.
struct Ids {
    organization: String,
    project: String,
    person: String,
    binding: String,
    invitation: String,
}

impl Ids {
    fn absent() -> Self {
        let id = |prefix: &str| format!("{prefix}_{}", "a".repeat(26));
        Self {
            organization: id("org"),
            project: id("prj"),
            person: id("per"),
            binding: id("rol"),
            invitation: id("inv"),
        }
    }

    async fn of(ada: &Client) -> Self {
        let bindings = ada
            .get(&format!("/v1/organizations/{}/role-bindings", ada.organization))
            .await;
        let invitations = format!("/v1/organizations/{}/invitations", ada.organization);
        let invitation = json!({ "email": "pending@example.com", "role": "viewer" });
        let invited = ada.post(&invitations, &invitation).await;
        Self {
            organization: ada.organization.clone(),
            project: ada.project.clone(),
            person: ada.person.clone(),
            binding: bindings.body["items"][0]["id"].as_str().unwrap().to_owned(),
            invitation: invited.body["id"].as_str().unwrap().to_owned(),
        }
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{organization}", &self.organization)
            .replace("{project}", &self.project)
            .replace("{person}", &self.person)
            .replace("{binding}", &self.binding)
            .replace("{invitation}", &self.invitation)
    }
}

async fn ask(who: &Client, row: &Row, ids: &Ids) -> crate::support::Answer {
    let who = match row.method {
        "GET" | "POST" => who.clone(),
        _ => who.with("if-match", "*"),
    };
    let mark = if row.path.contains('?') { '&' } else { '?' };
    let path = format!("{}{mark}dry_run=true", ids.fill(row.path));
    let body = row.body.as_ref().map(|body| ids.fill(&body.to_string()));
    who.send(row.method, &path, body).await
}

#[tokio::test]
async fn every_route_tells_strangers_nothing_and_small_roles_no() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let viewer = service.colleague(&ada, "vic@example.com", "viewer").await;
    let eve = service.person("eve@example.com").await;
    let (ids, absent) = (Ids::of(&ada).await, Ids::absent());
    for row in rows() {
        let name = format!("{} {}", row.method, row.path);
        let own = ask(&ada, &row, &ids).await;
        // What the sample asks for may be refused for another reason, such as a last owner; but it is seen.
        assert!([200, 201, 204, 409].contains(&own.status), "{name}: {own:?}");
        let foreign = ask(&eve, &row, &ids).await;
        let nowhere = ask(&eve, &row, &absent).await;
        assert_eq!(
            (foreign.status, foreign.code()),
            (404, "not_found"),
            "{name}: {foreign:?}"
        );
        assert_eq!(
            foreign.problem(),
            nowhere.problem(),
            "{name}: foreign and absent differ"
        );
        let headers = |answer: &crate::support::Answer| {
            let varies = [
                "x-request-id",
                "traceparent",
                "date",
                "ratelimit-remaining",
                "ratelimit-reset",
            ];
            let mut headers = answer.headers.clone();
            headers.retain(|(name, _)| !varies.contains(&name.as_str()));
            headers
        };
        assert_eq!(headers(&foreign), headers(&nowhere), "{name}");
        let nobody = ask(&service.anonymous(), &row, &ids).await;
        assert_eq!((nobody.status, nobody.code()), (401, "unauthenticated"), "{name}");
        let forged = ask(&eve.with_bearer("firn_live_forged"), &row, &ids).await;
        assert_eq!(
            forged.problem(),
            nobody.problem(),
            "{name}: a dead credential is none"
        );
        let small = ask(&viewer, &row, &ids).await;
        assert_eq!(small.status, row.viewer, "{name}: {small:?}");
        let malformed = ask(
            &eve,
            &row,
            &Ids {
                organization: "org_x".into(),
                project: "prj_x".into(),
                ..Ids::absent()
            },
        )
        .await;
        assert_eq!(malformed.problem(), foreign.problem(), "{name}: no id at all");
    }
}

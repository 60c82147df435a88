//! The table: what each route is asked, and whose it is.
//!
//! `{name}` and `<name>` are filled in by `things.rs`. What changes something is asked with `dry_run=true`, so that all of it can
//! be asked of one organization, in any order.

use super::things::Things;
use crate::support::http::Request;
use crate::support::rest::Rest;

/// Whom a route serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a credential too.
    Open,
    /// Whoever shows a live credential, about nothing but itself.
    Personal,
    /// Those who have a role in an organization.
    Inside,
}

/// What bodies say that is nobody's thing: whoever says it may mean one of its own.
const WORDS: [&str; 3] = ["topic", "issuer", "pem"];

/// Places in a topic: nobody's things, and the same in every topic.
pub const NUMBERS: [&str; 2] = ["partition", "offset"];

/// A route.
#[derive(Debug)]
pub struct Row {
    /// `METHOD PATH`, as the description has it.
    pub operation: &'static str,
    /// Whom it serves.
    pub access: Access,
    /// What stands after the path.
    query: &'static str,
    /// What is sent.
    body: Option<&'static str>,
    /// Statuses beside success that are right for those who may ask, or beside 404 for those who may not.
    pub also: &'static [u16],
}

impl Row {
    const fn query(mut self, query: &'static str) -> Self {
        self.query = query;
        self
    }

    const fn body(mut self, body: &'static str) -> Self {
        self.body = Some(body);
        self
    }

    const fn also(mut self, statuses: &'static [u16]) -> Self {
        self.also = statuses;
        self
    }

    fn parts(&self) -> (&'static str, &'static str) {
        self.operation.split_once(' ').expect("METHOD PATH")
    }

    /// Whether it changes something. What ends in a colon and a verb only asks, by POST.
    pub fn writes(&self) -> bool {
        self.parts().0 != "GET" && !self.operation.ends_with(":explain")
    }

    /// The things that its body names: words of the caller's own.
    pub fn said(&self) -> impl Iterator<Item = &'static str> {
        let parts = self.body.unwrap_or_default().split('<').skip(1);
        parts.filter_map(|rest| rest.split('>').next())
    }

    /// The things that it is asked about, the outermost first.
    pub fn names(&self) -> Vec<&'static str> {
        let (_, path) = self.parts();
        let in_braces =
            |text: &'static str| text.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        let in_brackets =
            |text: &'static str| text.split('<').skip(1).filter_map(|rest| rest.split('>').next());
        let others = self.query.contains('<').then_some(self.query);
        let mut names: Vec<_> = in_braces(path).filter(|name| !NUMBERS.contains(name)).collect();
        let said = others.into_iter().chain(self.body).flat_map(in_brackets);
        names.extend(said.filter(|name| !WORDS.contains(name)));
        names
    }

    /// The request about these things.
    pub fn request(&self, rest: &Rest, things: &Things) -> Request {
        let rehearsed = self.writes() && self.access != Access::Open;
        self.filled(rest, things, rehearsed, "another")
    }

    /// The request about these things, done in earnest; `unique` stands for what is called "another".
    pub fn in_earnest(&self, rest: &Rest, things: &Things, unique: &str) -> Request {
        self.filled(rest, things, false, unique)
    }

    fn filled(&self, rest: &Rest, things: &Things, rehearsed: bool, another: &str) -> Request {
        let (method, path) = self.parts();
        let query = match (self.query, rehearsed) {
            ("", false) => String::new(),
            ("", true) => "?dry_run=true".to_owned(),
            (query, false) => format!("?{query}"),
            (query, true) => format!("?{query}&dry_run=true"),
        };
        let mut request = rest.request(method, &things.fill(&format!("{path}{query}")));
        if let Some(body) = self.body {
            request = request.body("application/json", things.fill(body).replace("another", another));
        }
        match method {
            "PATCH" | "DELETE" | "PUT" => request.header("if-match", "*"),
            _ => request,
        }
    }
}

const fn row(operation: &'static str, access: Access) -> Row {
    Row {
        operation,
        access,
        query: "",
        body: None,
        also: &[],
    }
}

const fn open(operation: &'static str) -> Row {
    row(operation, Access::Open)
}

const fn personal(operation: &'static str) -> Row {
    row(operation, Access::Personal)
}

const fn inside(operation: &'static str) -> Row {
    row(operation, Access::Inside)
}

/// Every route.
pub const ROWS: &[Row] = &[
    // The service.
    open("GET /v1/certificate-authority"),
    open("GET /v1/jwks.json"),
    open("GET /v1/limits"),
    open("GET /v1/prices"),
    open("GET /v1/problems/{code}"),
    open("GET /v1/topic-configs"),
    // Becoming somebody.
    open("POST /v1/signup").body(
        r#"{"email":"nobody@example.com","password":"correct horse battery","name":"Nobody","organization":"None"}"#,
    ),
    open("POST /v1/verifications").body(r#"{"token":"nonsense","password":"correct horse battery"}"#),
    open("POST /v1/verifications/resend").body(r#"{"email":"nobody@example.com"}"#),
    open("POST /v1/sessions")
        .body(r#"{"email":"nobody@example.com","password":"correct horse battery"}"#)
        .also(&[401]),
    open("POST /v1/password-resets").body(r#"{"email":"nobody@example.com"}"#),
    open("POST /v1/password-resets/complete").body(r#"{"token":"nonsense","password":"correct horse battery"}"#),
    open("GET /v1/oidc/start").query("provider=idp_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
    open("GET /v1/oidc/callback").query("state=nonsense&code=nonsense"),
    open("POST /v1/invitations/accept").body(r#"{"token":"nonsense"}"#),
    // One's own account.
    personal("GET /v1/me").also(&[403]),
    personal("PATCH /v1/me").body(r#"{"name":"Another Name"}"#),
    personal("POST /v1/me/password")
        .body(r#"{"current_password":"wrong horse battery","new_password":"correct horse battery"}"#)
        .also(&[400, 403, 422]),
    personal("GET /v1/me/logins"),
    inside("DELETE /v1/me/logins/{login}").also(&[403, 404]),
    personal("GET /v1/sessions"),
    personal("GET /v1/sessions/current"),
    personal("DELETE /v1/sessions/current"),
    inside("DELETE /v1/sessions/{session}").also(&[403]),
    personal("POST /v1/oidc/links")
        .body(r#"{"provider":"<provider>","password":"a glacier moves 7 metres"}"#)
        .also(&[400]),
    personal("POST /v1/tokens").also(&[400, 403]),
    // Organizations.
    personal("GET /v1/organizations"),
    personal("POST /v1/organizations").body(r#"{"name":"Another"}"#).also(&[409]),
    inside("GET /v1/organizations/{organization}"),
    inside("PATCH /v1/organizations/{organization}").body(r#"{"name":"Another"}"#),
    inside("DELETE /v1/organizations/{organization}").also(&[409]),
    inside("GET /v1/organizations/{organization}/limits"),
    inside("GET /v1/organizations/{organization}/networks"),
    inside("PUT /v1/organizations/{organization}/networks").body(r#"{"networks":["127.0.0.0/8"]}"#),
    inside("GET /v1/organizations/{organization}/members"),
    inside("DELETE /v1/organizations/{organization}/members/{member}"),
    inside("GET /v1/organizations/{organization}/role-bindings"),
    inside("POST /v1/organizations/{organization}/role-bindings")
        .body(r#"{"principal":"<service_account>","role":"developer","scope":"<project>"}"#)
        .also(&[422]),
    inside("GET /v1/organizations/{organization}/role-bindings/{binding}"),
    inside("PATCH /v1/organizations/{organization}/role-bindings/{binding}").body(r#"{"role":"viewer"}"#),
    inside("DELETE /v1/organizations/{organization}/role-bindings/{binding}"),
    inside("GET /v1/organizations/{organization}/invitations"),
    inside("POST /v1/organizations/{organization}/invitations")
        .body(r#"{"email":"friend@example.com","role":"viewer"}"#),
    inside("DELETE /v1/organizations/{organization}/invitations/{invitation}"),
    inside("GET /v1/organizations/{organization}/audit"),
    inside("GET /v1/organizations/{organization}/audit/export"),
    inside("GET /v1/organizations/{organization}/audit/head"),
    inside("GET /v1/organizations/{organization}/usage")
        .query("from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z"),
    inside("GET /v1/organizations/{organization}/login-providers"),
    inside("POST /v1/organizations/{organization}/login-providers").body(
        r#"{"name":"Other","issuer":"https://login.example.com","client_id":"a","client_secret":"b"}"#,
    ),
    inside("GET /v1/organizations/{organization}/login-providers/{provider}"),
    inside("PATCH /v1/organizations/{organization}/login-providers/{provider}").body(r#"{"name":"Other"}"#),
    inside("DELETE /v1/organizations/{organization}/login-providers/{provider}"),
    // Projects.
    inside("GET /v1/projects").query("organization=<organization>").also(&[200]),
    inside("POST /v1/projects").body(r#"{"organization":"<organization>","name":"another"}"#),
    inside("GET /v1/projects/{project}"),
    inside("PATCH /v1/projects/{project}").body(r#"{"name":"another"}"#),
    inside("DELETE /v1/projects/{project}").also(&[409]),
    // Clusters.
    inside("GET /v1/clusters").query("project=<project>").also(&[200]),
    inside("POST /v1/clusters").body(r#"{"project":"<project>","name":"another"}"#),
    inside("GET /v1/clusters/{cluster}"),
    inside("PATCH /v1/clusters/{cluster}").body(r#"{"name":"another"}"#),
    inside("DELETE /v1/clusters/{cluster}").also(&[409]),
    inside("POST /v1/clusters/{cluster}/undelete").also(&[409]),
    inside("POST /v1/clusters/{cluster}/suspend"),
    inside("POST /v1/clusters/{cluster}/resume").also(&[409]),
    inside("GET /v1/clusters/{cluster}/audit"),
    inside("GET /v1/clusters/{cluster}/audit/export"),
    inside("GET /v1/clusters/{cluster}/audit/head"),
    inside("GET /v1/clusters/{cluster}/quotas"),
    inside("GET /v1/clusters/{cluster}/networks"),
    inside("PUT /v1/clusters/{cluster}/networks").body(r#"{"networks":["127.0.0.0/8"]}"#),
    inside("PUT /v1/clusters/{cluster}/quotas")
        .body(r#"{"entity":{"user":{"name":"another"}},"quotas":{"request_percentage":50}}"#),
    inside("GET /v1/clusters/{cluster}/quotas/{quota}"),
    inside("DELETE /v1/clusters/{cluster}/quotas/{quota}"),
    inside("GET /v1/clusters/{cluster}/throttles"),
    inside("GET /v1/clusters/{cluster}/overview"),
    inside("GET /v1/clusters/{cluster}/connections"),
    inside("GET /v1/clusters/{cluster}/topics").query("with=sizes&sort=-size"),
    inside("POST /v1/clusters/{cluster}/topics").body(r#"{"name":"another","partitions":1}"#),
    inside("POST /v1/clusters/{cluster}/topics/batch").body(r#"{"create":[{"name":"another","partitions":1}]}"#),
    inside("GET /v1/clusters/{cluster}/topics/{topic}"),
    inside("PATCH /v1/clusters/{cluster}/topics/{topic}").body(r#"{"partitions":2}"#),
    inside("DELETE /v1/clusters/{cluster}/topics/{topic}"),
    inside("GET /v1/clusters/{cluster}/topics/{topic}/partitions"),
    inside("GET /v1/clusters/{cluster}/topics/{topic}/configs"),
    inside("GET /v1/clusters/{cluster}/topics/{topic}/records").query("start=earliest"),
    inside("POST /v1/clusters/{cluster}/topics/{topic}/records")
        .body(r#"{"records":[{"key":{"text":"another"},"value":{"text":"another"}}]}"#),
    inside("GET /v1/clusters/{cluster}/topics/{topic}/partitions/{partition}/records/{offset}"),
    inside("GET /v1/clusters/{cluster}/topics/{topic}/groups"),
    inside("GET /v1/clusters/{cluster}/groups"),
    inside("GET /v1/clusters/{cluster}/groups/{group}"),
    inside("DELETE /v1/clusters/{cluster}/groups/{group}"),
    inside("DELETE /v1/clusters/{cluster}/groups/{group}/offsets").query("topic=<topic>"),
    inside("POST /v1/clusters/{cluster}/groups/{group}/offsets:reset").body(r#"{"to":{"kind":"earliest"}}"#),
    inside("GET /v1/clusters/{cluster}/groups/{group}/lag"),
    inside("GET /v1/clusters/{cluster}/groups/{group}/lag/history"),
    inside("GET /v1/clusters/{cluster}/acls"),
    inside("POST /v1/clusters/{cluster}/acls").body(
        r#"{"resource_type":"topic","resource_name":"<topic>","principal":"User:another","operation":"read","permission":"allow"}"#,
    ),
    inside("POST /v1/clusters/{cluster}/acls/batch").body(r#"{"delete":["<acl>"]}"#).also(&[200]),
    inside("GET /v1/clusters/{cluster}/acls/{acl}"),
    inside("DELETE /v1/clusters/{cluster}/acls/{acl}"),
    inside("POST /v1/clusters/{cluster}/access:explain").body(
        r#"{"principal":"User:<service_account>","operation":"read","resource_type":"topic","resource_name":"<topic>"}"#,
    )
    .also(&[200]),
    // Credentials.
    inside("GET /v1/service-accounts").query("project=<project>").also(&[200]),
    inside("POST /v1/service-accounts").body(r#"{"project":"<project>","name":"another"}"#),
    inside("GET /v1/service-accounts/{service_account}"),
    inside("PATCH /v1/service-accounts/{service_account}").body(r#"{"name":"another"}"#),
    inside("DELETE /v1/service-accounts/{service_account}"),
    inside("GET /v1/api-keys").query("service_account=<service_account>").also(&[200]),
    inside("POST /v1/api-keys").body(r#"{"service_account":"<service_account>","name":"another"}"#),
    inside("GET /v1/api-keys/{api_key}"),
    inside("DELETE /v1/api-keys/{api_key}"),
    inside("GET /v1/clusters/{cluster}/scram-credentials"),
    inside("POST /v1/clusters/{cluster}/scram-credentials").body(r#"{"service_account":"<service_account>"}"#),
    inside("GET /v1/clusters/{cluster}/scram-credentials/{scram_credential}"),
    inside("DELETE /v1/clusters/{cluster}/scram-credentials/{scram_credential}"),
    inside("GET /v1/clusters/{cluster}/identity-providers"),
    inside("POST /v1/clusters/{cluster}/identity-providers")
        .body(r#"{"name":"another","issuer":"<issuer>","audiences":["kafka"]}"#),
    inside("GET /v1/clusters/{cluster}/identity-providers/{identity_provider}"),
    inside("PATCH /v1/clusters/{cluster}/identity-providers/{identity_provider}").body(r#"{"name":"another"}"#),
    inside("DELETE /v1/clusters/{cluster}/identity-providers/{identity_provider}"),
    inside("GET /v1/clusters/{cluster}/ca-pools"),
    inside("POST /v1/clusters/{cluster}/ca-pools").body(r#"{"name":"another","certificates":["<pem>"]}"#),
    inside("GET /v1/clusters/{cluster}/ca-pools/{ca_pool}"),
    inside("PATCH /v1/clusters/{cluster}/ca-pools/{ca_pool}").body(r#"{"name":"another"}"#),
    inside("DELETE /v1/clusters/{cluster}/ca-pools/{ca_pool}"),
    inside("GET /v1/operations/{operation}").also(&[404]),
];

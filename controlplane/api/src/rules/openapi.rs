//! The description of the API (OpenAPI 3.1), put together from what the routes declare and what holds for all of them.
//!
//! A route declares its summary, its body and what it answers when all goes well. Everything that the rules add is added here: ids
//! in paths, `dry_run`, `If-Match`, `Idempotency-Key`, headers of answers, problems, how callers show who they are.

use serde_json::{Map, Value, json};
use utoipa::PartialSchema;

use super::problem::{Code, ProblemBody};

/// Pattern and length of each kind of text in a path.
const PATH_TEXTS: [(&str, &str); 18] = [
    ("organization", "org"),
    ("project", "prj"),
    ("cluster", "clu"),
    ("member", "per"),
    ("session", "ses"),
    ("login", "lgn"),
    ("service_account", "sa"),
    ("api_key", "key"),
    ("scram_credential", "scr"),
    ("ca_pool", "cap"),
    ("identity_provider", "iss"),
    ("acl", "acl"),
    ("binding", "rol"),
    ("invitation", "inv"),
    ("provider", "idp"),
    ("operation", "op"),
    ("quota", "qta"),
    ("audit", "aud"),
];

const UNSAFE: [&str; 4] = ["post", "put", "patch", "delete"];

/// The whole description out of what utoipa collected.
pub(crate) fn describe(collected: &utoipa::openapi::OpenApi) -> Value {
    let mut whole = serde_json::to_value(collected).expect("utoipa's document is plain data");
    whole["info"] = json!({
        "title": "Firn",
        "description": "Organizations, projects, virtual Kafka clusters and what is in them. Errors are problems (RFC 9457) \
            with stable codes; lists page by opaque cursors; writes take dry_run, If-Match and Idempotency-Key.",
        "version": "1",
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    whole["security"] = json!([{ "session": [] }, { "bearer": [] }]);
    let Some(paths) = whole["paths"].as_object_mut() else {
        return whole;
    };
    for (path, item) in paths.iter_mut() {
        let Some(item) = item.as_object_mut() else {
            continue;
        };
        for (method, operation) in item.iter_mut() {
            if let Some(operation) = operation.as_object_mut() {
                complete(path, method, operation);
            }
        }
    }
    complete_components(&mut whole["components"]);
    whole
}

fn complete(path: &str, method: &str, operation: &mut Map<String, Value>) {
    let writes = UNSAFE.contains(&method);
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    let has = |parameters: &Value, name: &str| {
        let all = parameters.as_array().into_iter().flatten();
        all.into_iter().any(|parameter| parameter["name"] == name)
    };
    let mut added = Vec::new();
    for name in names_in(path) {
        if !has(parameters, name) {
            added.push(path_parameter(name));
        }
    }
    if writes {
        added.push(json!({ "$ref": "#/components/parameters/dry_run" }));
    }
    if method == "post" {
        added.push(json!({ "$ref": "#/components/parameters/idempotency_key" }));
    }
    let versioned = has(parameters, "If-Match");
    if let Some(parameters) = parameters.as_array_mut() {
        parameters.extend(added);
    }
    if operation["parameters"].as_array().is_some_and(Vec::is_empty) {
        operation.remove("parameters");
    }
    // Filters and bodies name things too, which may not be there.
    let names = operation.contains_key("parameters") || operation.contains_key("requestBody");
    let open = operation
        .get("security")
        .is_some_and(|security| security == &json!([{}]));
    let body = operation.contains_key("requestBody");
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for response in responses.values_mut() {
        if let Some(response) = response.as_object_mut() {
            let headers = response.entry("headers").or_insert_with(|| json!({}));
            common_headers(headers);
        }
    }
    responses.insert(
        "431".to_owned(),
        json!({ "$ref": "#/components/responses/head_too_large" }),
    );
    for status in problems(method, names, body, versioned, open) {
        responses
            .entry(status.to_string())
            .or_insert_with(|| json!({ "$ref": format!("#/components/responses/problem_{status}") }));
    }
}

/// Which problems can answer a route.
fn problems(method: &str, names: bool, body: bool, versioned: bool, open: bool) -> Vec<u16> {
    let mut statuses = vec![400, 429, 500, 503];
    if !open {
        statuses.extend([401, 403]);
    }
    if names {
        statuses.push(404);
    }
    if UNSAFE.contains(&method) {
        statuses.extend([403, 404, 409, 410, 412, 413]);
    }
    if method == "post" || body {
        statuses.push(422);
    }
    if body {
        statuses.push(415);
    }
    if versioned {
        statuses.push(428);
    }
    statuses
}

fn names_in(path: &str) -> Vec<&str> {
    let open = path.split('{').skip(1);
    open.filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
        .collect()
}

fn path_parameter(name: &str) -> Value {
    let prefix = PATH_TEXTS.iter().find(|(known, _)| *known == name);
    let schema = match prefix {
        Some((_, prefix)) => json!({ "type": "string", "pattern": id_pattern(prefix) }),
        None => json!({ "type": "string", "minLength": 1, "maxLength": 249 }),
    };
    json!({ "name": name, "in": "path", "required": true, "schema": schema })
}

/// The pattern of a public id.
fn id_pattern(prefix: &str) -> String {
    format!("^{prefix}_[a-h][a-z2-7]{{25}}$")
}

fn common_headers(headers: &mut Value) {
    for name in [
        "X-Request-Id",
        "traceparent",
        "RateLimit-Limit",
        "RateLimit-Remaining",
        "RateLimit-Reset",
        "RateLimit-Policy",
    ] {
        headers[name] = json!({ "$ref": format!("#/components/headers/{name}") });
    }
}

fn complete_components(components: &mut Value) {
    if components.is_null() {
        *components = json!({});
    }
    components["securitySchemes"] = json!({
        "session": {
            "type": "apiKey", "in": "cookie", "name": super::session::COOKIE,
            "description": "A person's session. Changes also need X-CSRF-Token and the service's own Origin.",
        },
        "bearer": {
            "type": "http", "scheme": "bearer",
            "description": "A service account's API key, or a token that one was traded for.",
        },
    });
    let problem = serde_json::to_value(ProblemBody::schema()).expect("a schema is plain data");
    let fault = serde_json::to_value(super::problem::Fault::schema()).expect("a schema is plain data");
    components["schemas"]["Problem"] = problem;
    components["schemas"]["Fault"] = fault;
    components["parameters"] = json!({
        "dry_run": {
            "name": "dry_run", "in": "query", "required": false, "schema": { "type": "boolean" },
            "description": "Do and check everything, answer as if it had been done, and keep nothing.",
        },
        "idempotency_key": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
            "description": "The same request with the same key is done once; its answer is kept for a day.",
        },
    });
    let number = |what: &str| json!({ "description": what, "schema": { "type": "integer", "minimum": 0 } });
    let text = |what: &str| json!({ "description": what, "schema": { "type": "string" } });
    components["headers"] = json!({
        "X-Request-Id": text("The request's id in the service's logs and audit trail."),
        "traceparent": text("The request's place in its trace (W3C Trace Context)."),
        "RateLimit-Limit": number("How many requests the caller may send in a window."),
        "RateLimit-Remaining": number("How many it may send now."),
        "RateLimit-Reset": number("In how many seconds it may send all of them again."),
        "RateLimit-Policy": text("Limit and window in seconds."),
    });
    components["responses"] = Value::Object(problem_responses());
    // The server refuses it before there is a request to answer: nothing but the status comes.
    components["responses"]["head_too_large"] = json!({
        "description": "Path, query and headers together are longer than 16 KiB. There is no body, and the connection ends.",
    });
}

fn problem_responses() -> Map<String, Value> {
    let mut responses = Map::new();
    for code in Code::ALL {
        let status = code.status();
        let response = responses
            .entry(format!("problem_{}", status.as_u16()))
            .or_insert_with(|| {
                let mut response = json!({
                    "description": "",
                    "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
                    "headers": {},
                });
                common_headers(&mut response["headers"]);
                response
            });
        let so_far = response["description"].as_str().unwrap_or_default();
        let line = format!("`{}`: {}", code.name(), code.explanation());
        let description = [so_far, &line].join(if so_far.is_empty() { "" } else { "\n" });
        response["description"] = Value::String(description);
    }
    responses
}

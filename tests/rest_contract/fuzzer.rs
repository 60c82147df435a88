//! One run of Schemathesis, with a seed that does not change.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::clients::{Client, tool};
use crate::support::firn::Firn;
use crate::support::rest::{Rest, Tenant, id};

const SEED: u64 = 20_261_128;
/// Requests of random data for each operation.
const EXAMPLES: usize = 12;
/// How long a run may take.
const PATIENCE: Duration = Duration::from_secs(600);

const CHECKS: [&str; 7] = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "negative_data_rejection",
];

/// What a run is about.
pub struct Run {
    http: String,
    directory: PathBuf,
    description: Option<PathBuf>,
    config: String,
    headers: Vec<(String, String)>,
    selection: Vec<String>,
}

impl Run {
    /// As this caller, with these ids in some of the paths.
    pub fn new(firn: &Firn, caller: &Rest, ids: &[(&str, Vec<String>)]) -> Self {
        Self {
            http: firn.http.clone(),
            directory: firn.options().scratch().to_path_buf(),
            description: None,
            config: config(ids),
            headers: caller.request("GET", "/").headers().to_vec(),
            selection: Vec::new(),
        }
    }

    /// Leaves one operation, as `METHOD PATH`, out.
    pub fn without(mut self, operation: &str) -> Self {
        self.selection.push("--exclude-name".into());
        self.selection.push(operation.into());
        self
    }

    /// Only one operation.
    pub fn only(mut self, operation: &str) -> Self {
        self.selection.push("--include-name".into());
        self.selection.push(operation.into());
        self
    }

    /// With this description instead of the one that is served.
    pub fn described_by(mut self, description: &Value) -> Self {
        let path = self.directory.join("description.json");
        fs::write(&path, description.to_string()).unwrap();
        self.description = Some(path);
        self
    }

    /// Fails the test with whatever is found.
    pub fn finds_nothing(self) {
        let firn = Rest::at(&self.http);
        if let Some(found) = self.findings() {
            panic!("{found}");
        }
        let answered = answered(&firn.get("/metrics").expect(200).body);
        let requests: u64 = answered.values().sum();
        let successes = answered.keys().filter(|(_, status)| status.starts_with('2'));
        let routes: BTreeSet<_> = successes.map(|(route, _)| route).collect();
        println!(
            "{requests} requests; {} routes have answered with success",
            routes.len()
        );
    }

    /// What is found, as Schemathesis reports it.
    pub fn findings(self) -> Option<String> {
        let config = self.directory.join("schemathesis.toml");
        fs::write(&config, &self.config).unwrap();
        let served = format!("http://{}/v1/openapi.json", self.http);
        let location = self.description.map_or(served, |path| path.display().to_string());
        let mut client = Client::new(tool("python/bin/schemathesis"))
            .arg("--config-file")
            .arg(config)
            .args(["--no-color", "run", &location])
            .args(["--url", &format!("http://{}", self.http)])
            .args(["--checks", &CHECKS.join(",")])
            .args(["--phases", "examples,coverage,fuzzing,stateful"])
            .args([
                "--seed",
                &SEED.to_string(),
                "--max-examples",
                &EXAMPLES.to_string(),
            ])
            .args(["--generation-database", "none", "--no-shrink"])
            .args(["--continue-on-failure", "--warnings", "off"])
            .args(["--request-timeout", "30", "--suppress-health-check", "all"])
            .args(&self.selection);
        for (name, value) in &self.headers {
            client = client.args(["--header", &format!("{name}:{value}")]);
        }
        let finished = client.spawn_until_closed().finish(PATIENCE);
        println!("schemathesis took {:.1?}", finished.took);
        match finished.success {
            true => None,
            false => Some(format!("{}\n{}", finished.stdout(), finished.stderr)),
        }
    }
}

/// How many requests each route has answered with each status.
fn answered(metrics: &str) -> BTreeMap<(String, String), u64> {
    let mut answered = BTreeMap::new();
    let counts = "firn_http_request_duration_seconds_count{";
    for line in metrics.lines().filter_map(|line| line.strip_prefix(counts)) {
        let label = |name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        let count: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        *answered.entry((label("route"), label("status"))).or_default() += count as u64;
    }
    answered
}

/// Statuses that refuse a request which is not as described.
const REFUSALS: &str = "[400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 414, 415, 422, 428, 429, 431]";

fn config(ids: &[(&str, Vec<String>)]) -> String {
    let mut config = format!("[checks.negative_data_rejection]\nexpected-statuses = {REFUSALS}\n");
    // Methods that no path has: with others it would also do what it is told to leave out.
    config.push_str("[phases.coverage]\nunexpected-methods = [\"PUT\", \"TRACE\", \"OPTIONS\"]\n");
    for (name, values) in ids {
        config.push_str(&format!("[dictionaries.{name}]\nvalues = {values:?}\n"));
    }
    config.push_str("[parameters]\n");
    for (name, _) in ids {
        for place in ["path", "query", "body"] {
            let binding = format!("{{ dictionary = \"{name}\", probability = 0.7 }}");
            config.push_str(&format!("\"{place}.{name}\" = {binding}\n"));
        }
    }
    // A batch refuses what is wrong item by item.
    let items = REFUSALS.replace('[', "[200, ");
    for batch in ["topics", "acls"] {
        let name = format!("POST /v1/clusters/{{cluster}}/{batch}/batch");
        config.push_str(&format!("[[operations]]\ninclude-name = {name:?}\n"));
        config.push_str(&format!(
            "checks.negative_data_rejection.expected-statuses = {items}\n"
        ));
    }
    config
}

/// The ids of some of what the tenant has, by the names that paths give them. The fuzzer may delete all of it.
pub fn ids(tenant: &Tenant) -> Vec<(&'static str, Vec<String>)> {
    let clusters: Vec<_> = (0..3)
        .map(|number| id(&tenant.another_cluster(&format!("spare {number}"))))
        .collect();
    let accounts: Vec<_> = (0..3)
        .map(|number| tenant.another_account(&format!("spare {number}")))
        .collect();
    let keys = accounts.iter().map(|account| tenant.key_of(account).id).collect();
    let bindings = accounts
        .iter()
        .map(|account| tenant.bind(account, "developer", &tenant.cluster));
    let bindings = bindings.collect();
    for cluster in &clusters {
        let topic = json!({ "name": "orders", "partitions": 2 });
        tenant.make(&format!("/v1/clusters/{cluster}/topics"), &topic);
    }
    vec![
        ("organization", vec![tenant.organization.clone()]),
        ("project", vec![tenant.project.clone()]),
        ("cluster", clusters),
        ("service_account", accounts),
        ("api_key", keys),
        ("binding", bindings),
        ("topic", vec!["orders".to_owned()]),
    ]
}

//! One of everything that an organization can have, and the same that does not exist.

use std::collections::BTreeMap;

use serde_json::json;

use super::rows::NUMBERS;
use crate::support::identity_provider::IdentityProvider;
use crate::support::rest::{Tenant, id};

/// Ids and names, by what paths call them.
#[derive(Clone, Debug)]
pub struct Things(BTreeMap<&'static str, String>);

/// An identity provider that the tenant's cluster trusts.
fn trusted_provider(tenant: &Tenant, name: &str) -> String {
    let trusted = json!({
        "name": format!("{name} tokens"),
        "issuer": IdentityProvider::start().issuer(),
        "audiences": [format!("{name}-audience")],
    });
    let providers = format!("/v1/clusters/{}/identity-providers", tenant.cluster);
    id(&tenant.make(&providers, &trusted))
}

/// A consumer group that is at the beginning of a topic.
pub fn group(tenant: &Tenant, topic: &str, name: &str) -> String {
    let path = format!("/v1/clusters/{}/groups/{name}/offsets:reset", tenant.cluster);
    let body = json!({ "to": { "kind": "earliest" }, "topics": [{ "topic": topic }] });
    tenant.rest().post(&path, &body).expect(200);
    name.to_owned()
}

impl Things {
    /// Makes what there is not yet.
    pub fn one_of_everything(tenant: &Tenant, name: &str) -> Self {
        let inside = |what: &str| format!("/v1/organizations/{}/{what}", tenant.organization);
        let topic = format!("{name}-topic");
        tenant.topic(&topic, 1);
        let record = json!({ "records": [{ "key": { "text": name }, "value": { "text": name } }] });
        let records = format!("/v1/clusters/{}/topics/{topic}/records", tenant.cluster);
        tenant.make(&records, &record);
        let account = tenant.another_account(&format!("{name} program"));
        let key = json!({ "service_account": account, "name": format!("{name} key") });
        let key = tenant.make("/v1/api-keys", &key);
        let scram = json!({ "service_account": account, "username": format!("{name}-user") });
        let scram = tenant.make(
            &format!("/v1/clusters/{}/scram-credentials", tenant.cluster),
            &scram,
        );
        let acl = json!({
            "resource_type": "topic",
            "resource_name": topic,
            "principal": format!("User:{account}"),
            "operation": "read",
            "permission": "allow",
        });
        let acl = tenant.make(&format!("/v1/clusters/{}/acls", tenant.cluster), &acl);
        let quota = json!({
            "entity": { "user": { "name": format!("{name}-quota-user") } },
            "quotas": { "request_percentage": 5_000 },
        });
        let rest = tenant.rest();
        let set = rest.request("PUT", &format!("/v1/clusters/{}/quotas", tenant.cluster));
        let set = set.body("application/json", quota.to_string());
        let quota = rest.send(&set).expect(200).json();
        let pool = json!({ "name": format!("{name} pool"), "certificates": [pem()] });
        let ca_pool = tenant.make(&format!("/v1/clusters/{}/ca-pools", tenant.cluster), &pool);
        let colleague = tenant.colleague(&format!("{name}-colleague"), "viewer");
        let guest = json!({ "email": format!("{name}-guest@example.com"), "role": "viewer" });
        let invitation = tenant.make(&inside("invitations"), &guest);
        let provider = json!({
            "name": format!("{name} provider"),
            "issuer": format!("https://{name}.example.com"),
            "client_id": format!("{name}-client"),
            "client_secret": format!("{name}-client-secret"),
        });
        let provider = tenant.make(&inside("login-providers"), &provider);
        Self(BTreeMap::from([
            ("organization", tenant.organization.clone()),
            ("project", tenant.project.clone()),
            ("cluster", tenant.cluster.clone()),
            ("group", group(tenant, &topic, &format!("{name}-group"))),
            ("topic", topic),
            ("partition", "0".to_owned()),
            ("offset", "0".to_owned()),
            ("binding", tenant.bind(&account, "operator", &tenant.cluster)),
            ("service_account", account),
            ("api_key", id(&key)),
            ("acl", id(&acl)),
            ("scram_credential", id(&scram)),
            ("quota", id(&quota)),
            ("member", id(&colleague.rest.get("/v1/me").expect(200).json())),
            ("identity_provider", trusted_provider(tenant, name)),
            ("issuer", IdentityProvider::start().issuer().to_owned()),
            ("invitation", id(&invitation)),
            ("provider", id(&provider)),
            ("ca_pool", id(&ca_pool)),
            ("pem", pem().replace('\n', "\\n")),
            ("session", id(&tenant.see("/v1/sessions")["items"][0])),
            ("operation", "op_aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned()),
            ("login", "lgn_aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned()),
            ("code", "not_found".to_owned()),
        ]))
    }

    /// The same that do not exist: ids and names of the same form and length.
    pub fn absent(&self) -> Self {
        let other = |name: &str, value: &String| match name {
            "code" | "issuer" | "pem" | "partition" | "offset" => value.clone(),
            "topic" | "group" => "x".repeat(value.len()),
            _ => {
                let (prefix, id) = value.split_once('_').expect("a public id has a prefix");
                let id: String = id.chars().map(|c| if c == 'c' { 'd' } else { 'c' }).collect();
                format!("{prefix}_{id}")
            }
        };
        let things = self.0.iter().map(|(name, value)| (*name, other(name, value)));
        Self(things.collect())
    }

    /// One of them.
    pub fn id(&self, name: &str) -> &str {
        let value = self.0.get(name);
        value.unwrap_or_else(|| panic!("rows name a {name}, of which things.rs makes none"))
    }

    /// These, with another of one kind.
    pub fn with(&self, name: &'static str, value: &str) -> Self {
        let mut things = self.0.clone();
        things.insert(name, value.to_owned());
        Self(things)
    }

    /// A text in which these cannot be told from others.
    pub fn blind(&self, text: &str) -> String {
        let mut blind = text.to_owned();
        for (name, value) in self.0.iter().filter(|(name, _)| !NUMBERS.contains(name)) {
            blind = blind.replace(value.as_str(), &format!("<{name}>"));
        }
        blind
    }

    /// Fills in `{name}` and `<name>`.
    pub fn fill(&self, template: &str) -> String {
        let mut filled = template.to_owned();
        for (name, value) in &self.0 {
            filled = filled.replace(&format!("{{{name}}}"), value);
            filled = filled.replace(&format!("<{name}>"), value);
        }
        filled
    }
}

/// The certificate of an authority of nobody's.
fn pem() -> String {
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().pem()
}

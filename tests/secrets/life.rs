//! Everything that uses a secret, once rightly and once wrongly.

use serde_json::{Value, json};

use super::proofs::Proofs;
use super::search::Secret;
use crate::support::clients::Security;
use crate::support::firn::{Firn, PATIENCE};
use crate::support::http::Answer;
use crate::support::rest::{PASSWORD, Rest, Tenant, id, login};
use crate::support::streaming::kcat;
use crate::support::tenant::text;
use crate::support::{clients, wait_for};

/// The second and third password of the owner, and one that is nobody's.
const PASSWORDS: [&str; 3] = [
    "an otter swims 12 rivers",
    "a heron stands 3 hours",
    "a magpie takes 9 spoons",
];
const CLIENT_SECRET: &str = "client-secret-of-a-provider-5f1c";

/// What was secret, and what was answered to mistakes.
pub struct Life {
    /// What nobody may find.
    pub secrets: Vec<Secret>,
    /// Refusals, whole.
    pub refusals: Vec<String>,
    /// The owner's address, which is no secret.
    pub email: String,
    /// What was exported of the audit trails.
    pub trails: String,
}

impl Life {
    /// Lives it.
    pub fn live(firn: &Firn) -> Self {
        let mut life = Self {
            secrets: Vec::new(),
            refusals: Vec::new(),
            email: String::new(),
            trails: String::new(),
        };
        let tenant = Tenant::new(&firn.http, "secretive", None);
        life.email.clone_from(&tenant.owner.email);
        life.secrets.push(Secret::new("the first password", PASSWORD));
        for password in PASSWORDS {
            life.secrets.push(Secret::new("a password", password));
        }
        let rest = firn.rest();
        life.mailed(&rest, "/v1/verifications");
        life.session("the first session", tenant.rest());
        life.people(&rest, &tenant);
        life.programs(firn, &tenant);
        life
    }

    fn mailed(&mut self, rest: &Rest, path: &str) -> String {
        let token = rest.mailed_token(&self.email, path);
        self.secrets
            .push(Secret::token(&format!("the token for {path}"), &token));
        token
    }

    fn session(&mut self, what: &str, rest: &Rest) {
        for (name, value) in rest.request("GET", "/").headers() {
            let value = value.strip_prefix("__Host-firn_session=").unwrap_or(value);
            self.secrets
                .push(Secret::token(&format!("{what}, {name}"), value));
        }
    }

    /// Remembers a refusal.
    pub fn refused(&mut self, answer: &Answer) {
        assert!(answer.status >= 400, "a mistake is refused: {answer:?}");
        self.refusals.push(format!("{answer:?}"));
    }

    /// Asks for what is to be refused.
    pub fn mistake(&mut self, rest: &Rest, method: &str, path: &str, body: &Value) {
        let request = rest.request(method, path).header("if-match", "*");
        self.refused(&rest.send(&request.json(body)));
    }

    fn people(&mut self, rest: &Rest, tenant: &Tenant) {
        let email = self.email.clone();
        rest.post("/v1/password-resets", &json!({ "email": email }))
            .success();
        let token = self.mailed(rest, "/v1/password-resets/complete");
        let complete = json!({ "token": token, "password": PASSWORDS[0] });
        rest.post("/v1/password-resets/complete", &complete).success();
        self.mistake(rest, "POST", "/v1/password-resets/complete", &complete);
        // A new password has ended the session that the tenant was made with.
        self.refused(&tenant.rest().get("/v1/me"));
        let owner = rest.log_in(&email, PASSWORDS[0]).rest;
        self.session("the second session", &owner);
        let change = json!({ "current_password": PASSWORDS[0], "new_password": PASSWORDS[1] });
        owner.post("/v1/me/password", &change).success();
        let wrong = json!({ "current_password": PASSWORDS[2], "new_password": PASSWORDS[0] });
        self.mistake(&owner, "POST", "/v1/me/password", &wrong);
        for body in [
            json!({ "email": email, "password": PASSWORDS[2] }),
            json!({ "email": PASSWORDS[1], "password": PASSWORDS[1] }),
            json!({ "email": email, "password": [PASSWORDS[1]] }),
            json!({ "email": email, "password": { "text": PASSWORDS[1] } }),
            json!({ "email": email, "password": PASSWORDS[1], "again": PASSWORDS[1] }),
            json!(PASSWORDS[1]),
        ] {
            self.mistake(rest, "POST", "/v1/sessions", &body);
        }
        let signup = json!({ "email": email, "password": PASSWORDS[1], "name": 17, "organization": "x" });
        self.mistake(rest, "POST", "/v1/signup", &signup);
        owner.delete_any("/v1/sessions/current").success();
        self.refused(&owner.get("/v1/me"));
    }

    fn programs(&mut self, firn: &Firn, tenant: &Tenant) {
        let owner = firn.rest().log_in(&self.email, PASSWORDS[1]);
        self.session("the third session", &owner.rest);
        let tenant = Tenant {
            owner,
            ..tenant.clone()
        };
        let guest = tenant.colleague("guest", "viewer");
        let invited = firn.rest().mailed_token(&guest.email, "/v1/invitations/accept");
        self.secrets
            .push(Secret::token("the token of an invitation", &invited));
        self.mistake(
            &guest.rest,
            "POST",
            "/v1/invitations/accept",
            &json!({ "token": invited }),
        );
        let provider = json!({
            "name": "provider", "issuer": "https://login.example.com", "client_id": "firn", "client_secret": CLIENT_SECRET,
        });
        let providers = format!("/v1/organizations/{}/login-providers", tenant.organization);
        let provider = tenant.make(&providers, &provider);
        self.secrets
            .push(Secret::new("a provider's client secret", CLIENT_SECRET));
        let path = format!("{providers}/{}", id(&provider));
        self.mistake(
            tenant.rest(),
            "PATCH",
            &path,
            &json!({ "client_secret": { "text": CLIENT_SECRET } }),
        );

        let key = tenant.api_key();
        let secret = text(&key, "/secret");
        self.secrets.push(Secret::api_key("an API key", &secret));
        let program = firn.rest().with_bearer(&secret);
        let token = text(
            &program.post("/v1/tokens", &json!({})).success().json(),
            "/access_token",
        );
        self.secrets.push(Secret::new("a token of an API key", &token));
        let bearer = firn.rest().with_bearer(&token);
        bearer.get("/v1/organizations").expect(200);
        self.mistakes_with(tenant.rest(), &secret);
        self.mistakes_with(tenant.rest(), &token);
        let scram = tenant.scram();
        let password = text(&scram, "/secret");
        self.secrets.push(Secret::token("a SCRAM password", &password));
        Self::streams(firn, &tenant, &key, &scram);
        Proofs::new(firn, &tenant).show(self, &token);
        self.trails(&tenant);
        tenant
            .rest()
            .delete(&format!("/v1/api-keys/{}", id(&key)), "*")
            .success();
        self.refused(&program.get("/v1/organizations"));
        self.refused(&bearer.get("/v1/organizations"));
    }

    /// A secret in places where it does not belong.
    fn mistakes_with(&mut self, owner: &Rest, secret: &str) {
        let nobody = owner.logged_out();
        self.refused(&nobody.with_bearer(&format!("{secret}x")).get("/v1/organizations"));
        self.refused(&nobody.with_bearer(&secret[..secret.len() - 1]).get("/v1/me"));
        let basic = nobody.request("GET", "/v1/me");
        self.refused(&nobody.send(&basic.header("authorization", format!("Basic {secret}"))));
        self.refused(&owner.get(&format!("/v1/api-keys/{secret}")));
        self.refused(&owner.get(&format!("/v1/organizations?cursor={secret}")));
        self.mistake(
            owner,
            "POST",
            "/v1/service-accounts",
            &json!({ "project": secret, "name": "x" }),
        );
        let nonsense = json!({ "token": secret, "password": secret });
        self.mistake(&nobody, "POST", "/v1/verifications", &nonsense);
    }

    /// Logs Kafka clients in with each mechanism, and fails to; also with a secret in the place of a name.
    fn streams(firn: &Firn, tenant: &Tenant, key: &Value, scram: &Value) {
        let authority = firn.ca_file();
        let resolver = clients::resolver(firn.options().scratch());
        for (mechanism, created) in [("PLAIN", key), ("SCRAM-SHA-256", scram), ("SCRAM-SHA-512", scram)] {
            let right = Security {
                mechanism,
                ..login(created, &authority)
            };
            let wrong = Security {
                password: format!("{}x", right.password),
                ..right.clone()
            };
            let mut tries = vec![(right.clone(), true), (wrong.clone(), false)];
            if mechanism == "PLAIN" {
                for swapped in [right, wrong] {
                    let (username, password) = (swapped.password.clone(), swapped.username.clone());
                    let swapped = Security {
                        username,
                        password,
                        ..swapped
                    };
                    tries.push((swapped, false));
                }
            }
            for (security, succeeds) in tries {
                // One that is refused tries again until then; one that is not may need it on a machine that is busy.
                let seconds = if succeeds { "60" } else { "2" };
                let client = kcat(&tenant.bootstrap, &security).args(["-L", "-m", seconds]);
                let client = client.env("LD_PRELOAD", &resolver);
                let finished = client.spawn_until_closed().finish(PATIENCE);
                assert_eq!(finished.success, succeeds, "{finished}");
            }
        }
    }

    /// Exports both audit trails, once the refused logins are in the cluster's.
    fn trails(&mut self, tenant: &Tenant) {
        let export = |path: String| tenant.rest().get(&path).expect(200).body;
        let of_cluster = wait_for(PATIENCE, || {
            let lines = export(format!("/v1/clusters/{}/audit/export", tenant.cluster));
            let refused = [
                "(an API key)",
                "(a token)",
                "PLAIN",
                "SCRAM-SHA-256",
                "SCRAM-SHA-512",
            ];
            refused.iter().all(|part| lines.contains(part)).then_some(lines)
        });
        self.trails = export(format!("/v1/organizations/{}/audit/export", tenant.organization));
        self.trails
            .push_str(&of_cluster.expect("refused logins are in the trail"));
    }
}

//! The REST API as a person with a browser, and as a program, uses it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::clients::Security;
use super::firn::{Firn, PATIENCE};
use super::http::{self, Answer, Request};
use super::mail_server::MailServer;
use super::wait_for;

/// A password that nobody would guess.
pub const PASSWORD: &str = "a glacier moves 7 metres";

/// The API at one address, as somebody who may have logged in.
#[derive(Clone, Debug)]
pub struct Rest {
    address: String,
    login: Login,
}

#[derive(Clone, Debug)]
enum Login {
    Nobody,
    Person { cookie: String, csrf: String },
    Program(String),
}

impl Rest {
    /// As nobody.
    pub fn at(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            login: Login::Nobody,
        }
    }

    /// The same API as the program that has this API key or token.
    pub fn with_bearer(&self, token: &str) -> Self {
        Self {
            login: Login::Program(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same API as nobody.
    pub fn logged_out(&self) -> Self {
        Self::at(&self.address)
    }

    /// A request as whoever this is; send it with [`Self::send`].
    pub fn request(&self, method: &str, path: &str) -> Request {
        let request = Request::new(method, path);
        match &self.login {
            Login::Nobody => request,
            Login::Person { cookie, csrf } => request
                .header("cookie", cookie.clone())
                .header("x-csrf-token", csrf.clone()),
            Login::Program(token) => request.bearer(token),
        }
    }

    /// Sends a request to this API.
    pub fn send(&self, request: &Request) -> Answer {
        request.send(&self.address)
    }

    /// GET.
    pub fn get(&self, path: &str) -> Answer {
        self.send(&self.request("GET", path))
    }

    /// POST of JSON.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(&self.request("POST", path).json(body))
    }

    /// PATCH of JSON, of the version that this entity tag names.
    pub fn patch(&self, path: &str, etag: &str, body: &Value) -> Answer {
        self.send(&self.request("PATCH", path).header("if-match", etag).json(body))
    }

    /// DELETE of the version that this entity tag names.
    pub fn delete(&self, path: &str, etag: &str) -> Answer {
        self.send(&self.request("DELETE", path).header("if-match", etag))
    }

    /// DELETE of whatever version there is.
    pub fn delete_any(&self, path: &str) -> Answer {
        self.send(&self.request("DELETE", path))
    }

    /// Signs up and proves the address; the person's session. `mail` is where mail goes unless this is `firn dev`.
    pub fn sign_up(&self, email: &str, organization: &str, mail: Option<&MailServer>) -> Person {
        let body = json!({
            "email": email,
            "password": PASSWORD,
            "name": "Ada Lovelace",
            "organization": organization,
        });
        self.post("/v1/signup", &body).expect(202);
        let token = match mail {
            Some(server) => token(&server.last_to(email).text, "/v1/verifications"),
            None => self.mailed_token(email, "/v1/verifications"),
        };
        let opened = self
            .post(
                "/v1/verifications",
                &json!({ "token": token, "password": PASSWORD }),
            )
            .expect(200);
        self.person(email, &opened)
    }

    /// Logs in with a password.
    pub fn log_in(&self, email: &str, password: &str) -> Person {
        let body = json!({ "email": email, "password": password });
        let opened = self.post("/v1/sessions", &body).expect(201);
        self.person(email, &opened)
    }

    /// The token of the last mail of `firn dev` to this address that says to which path it belongs.
    pub fn mailed_token(&self, email: &str, path: &str) -> String {
        let page = Request::new("GET", format!("/dev/mail?to={}", email.replace('+', "%2B")));
        let page = page.header("accept", "application/json");
        let found = wait_for(PATIENCE, || {
            let messages = page.send(&self.address).expect(200).json();
            let texts = messages["items"].as_array().unwrap().iter();
            texts
                .map(|message| message["text"].as_str().unwrap().to_owned())
                .find(|text| text.contains(path))
        });
        token(&found.expect("mail comes to /dev/mail"), path)
    }

    fn person(&self, email: &str, opened: &Answer) -> Person {
        let cookie = opened.header("set-cookie").unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let csrf = opened.json()["csrf_token"].as_str().unwrap().to_owned();
        let rest = Self {
            address: self.address.clone(),
            login: Login::Person { cookie, csrf },
        };
        Person {
            email: email.to_owned(),
            rest,
        }
    }
}

/// The token that a mail says to give to this path.
pub fn token(text: &str, path: &str) -> String {
    let (_, rest) = text
        .split_once(&format!("{path}:"))
        .unwrap_or_else(|| panic!("nothing about {path} in: {text}"));
    rest.split_whitespace().next().unwrap().to_owned()
}

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub struct Person {
    /// Its address.
    pub email: String,
    /// The API with its session.
    pub rest: Rest,
}

/// An organization of one person, with a project, a cluster and a service account.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its owner.
    pub owner: Person,
    /// Public id of the organization.
    pub organization: String,
    /// Public id of its first project.
    pub project: String,
    /// Public id of the cluster.
    pub cluster: String,
    /// Public id of the service account.
    pub service_account: String,
    /// Where Kafka clients of the cluster connect.
    pub bootstrap: String,
}

impl Tenant {
    /// Makes one by REST calls only, beginning with the signup. `name` is that of organization and cluster.
    pub fn new(http: &str, name: &str, mail: Option<&MailServer>) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let email = format!("{name}-{number}@example.com");
        let owner = Rest::at(http).sign_up(&email, name, mail);
        Self::of(owner, name)
    }

    /// A project's cluster and a service account for somebody who has an organization.
    pub fn of(owner: Person, name: &str) -> Self {
        let rest = &owner.rest;
        let first = |path: &str| {
            let items = rest.get(path).expect(200).json()["items"].clone();
            items[0]["id"].as_str().unwrap().to_owned()
        };
        let organization = first("/v1/organizations");
        let project = first(&format!("/v1/projects?organization={organization}"));
        let cluster = rest
            .post("/v1/clusters", &json!({ "project": project, "name": name }))
            .expect(201)
            .json();
        let account = rest
            .post(
                "/v1/service-accounts",
                &json!({ "project": project, "name": format!("{name}-app"), "role": { "role": "developer" } }),
            )
            .expect(201)
            .json();
        Self {
            organization,
            project,
            cluster: id(&cluster),
            service_account: id(&account),
            bootstrap: cluster["bootstrap"].as_str().unwrap().to_owned(),
            owner,
        }
    }

    /// An API key of the service account for the cluster: what the API says of it, secret included.
    pub fn api_key(&self) -> Value {
        let body = json!({ "service_account": self.service_account, "cluster": self.cluster, "name": "key" });
        self.owner.rest.post("/v1/api-keys", &body).expect(201).json()
    }

    /// A SCRAM credential of the service account in the cluster: what the API says of it, password included.
    pub fn scram(&self) -> Value {
        let path = format!("/v1/clusters/{}/scram-credentials", self.cluster);
        let body = json!({ "service_account": self.service_account });
        self.owner.rest.post(&path, &body).expect(201).json()
    }

    /// Another service account in the same project, with this role in the cluster.
    pub fn service_account(&self, name: &str, role: &str) -> String {
        let body = json!({
            "project": self.project,
            "name": name,
            "role": { "role": role, "cluster": self.cluster },
        });
        id(&self
            .owner
            .rest
            .post("/v1/service-accounts", &body)
            .expect(201)
            .json())
    }
}

/// How a client logs in with a credential that the API has just made, trusting this authority.
pub fn login(created: &Value, authority: &Path) -> Security {
    let text = |name: &str| created["client"][name].as_str().unwrap().to_owned();
    let mechanism = match text("sasl_mechanism").as_str() {
        "PLAIN" => "PLAIN",
        "SCRAM-SHA-512" => "SCRAM-SHA-512",
        other => panic!("{other} is not what the API has told clients so far"),
    };
    Security {
        mechanism,
        username: text("username"),
        password: text("password"),
        authority: Some(authority.to_owned()),
    }
}

/// The id of a resource.
pub fn id(resource: &Value) -> String {
    resource["id"].as_str().unwrap().to_owned()
}

impl Firn {
    /// The API of this process, as nobody.
    pub fn rest(&self) -> Rest {
        Rest::at(&self.http)
    }

    /// A file with the certificate of the authority that this process serves.
    pub fn ca_file(&self) -> PathBuf {
        let authority = http::get(&self.http, "/v1/certificate-authority").expect(200);
        let path = self.options().scratch().join("trusted.pem");
        std::fs::write(&path, authority.body).unwrap();
        path
    }
}

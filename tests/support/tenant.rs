//! More of an organization than a first stream needs: colleagues, roles, clusters and credentials of any number.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::http::Answer;
use super::rest::{Person, Rest, Tenant, id};

/// A text of a body; fails the test if it is not there.
#[track_caller]
pub fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found
        .unwrap_or_else(|| panic!("no text at {pointer} in {value}"))
        .to_owned()
}

/// A moment as the API writes it: RFC 3339 in UTC.
pub fn moment(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap();
    let (mut days, of_day) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= months[month] {
        days -= months[month];
        month += 1;
    }
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let (month, day, ms) = (month + 1, days + 1, since.subsec_millis());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// An API key as it was shown.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub service_account: String,
    /// What programs show.
    pub secret: String,
}

impl Answer {
    /// This answer, if it is one of success; else fails the test and shows it.
    #[track_caller]
    pub fn success(self) -> Self {
        assert!((200..300).contains(&self.status), "{self:#?}");
        self
    }
}

impl Tenant {
    /// The API as the owner.
    pub fn rest(&self) -> &Rest {
        &self.owner.rest
    }

    /// What the owner sees at a path.
    #[track_caller]
    pub fn see(&self, path: &str) -> Value {
        self.rest().get(path).expect(200).json()
    }

    /// What the owner makes with POST, once it is in force.
    #[track_caller]
    pub fn make(&self, path: &str, body: &Value) -> Value {
        let made = self.rest().post(path, body).success();
        if made.status == 202 {
            let operation = made.header("location").expect("202 says where to wait");
            self.see(&format!("{operation}?wait=20"));
        }
        made.json()
    }

    /// Another cluster; what the API says of it.
    pub fn another_cluster(&self, name: &str) -> Value {
        self.make("/v1/clusters", &json!({ "project": self.project, "name": name }))
    }

    /// Another service account, without a role; its id.
    pub fn another_account(&self, name: &str) -> String {
        id(&self.make(
            "/v1/service-accounts",
            &json!({ "project": self.project, "name": name, "role": null }),
        ))
    }

    /// Gives somebody a role in an organization, a project or a cluster; the binding's id.
    pub fn bind(&self, principal: &str, role: &str, scope: &str) -> String {
        let path = format!("/v1/organizations/{}/role-bindings", self.organization);
        id(&self.make(
            &path,
            &json!({ "principal": principal, "role": role, "scope": scope }),
        ))
    }

    /// Another API key of a service account.
    pub fn key_of(&self, service_account: &str) -> ApiKey {
        let made = self.make(
            "/v1/api-keys",
            &json!({ "service_account": service_account, "name": "another" }),
        );
        ApiKey {
            id: id(&made),
            service_account: service_account.to_owned(),
            secret: text(&made, "/secret"),
        }
    }

    /// A key of a new service account that has this role in the organization.
    pub fn key_of_role(&self, name: &str, role: &str) -> ApiKey {
        let account = self.another_account(name);
        self.bind(&account, role, &self.organization);
        self.key_of(&account)
    }

    /// Makes a topic in the cluster.
    pub fn topic(&self, name: &str, partitions: usize) {
        let path = format!("/v1/clusters/{}/topics", self.cluster);
        self.make(&path, &json!({ "name": name, "partitions": partitions }));
    }

    /// Invites somebody who signs up and joins with this role.
    pub fn colleague(&self, name: &str, role: &str) -> Person {
        let email = format!("{name}@example.com");
        let colleague = self.rest().logged_out().sign_up(&email, name, None);
        let path = format!("/v1/organizations/{}/invitations", self.organization);
        self.make(&path, &json!({ "email": email, "role": role }));
        let token = self.rest().mailed_token(&email, "/v1/invitations/accept");
        let accept = json!({ "token": token });
        colleague.rest.post("/v1/invitations/accept", &accept).success();
        colleague
    }
}

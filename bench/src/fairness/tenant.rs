//! A tenant of `firn dev`, by REST calls only, from the signup to an API key.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

const EMAIL: &str = "light@example.com";
const PASSWORD: &str = "a glacier moves 7 metres";
/// How often it is looked for mail, and how long it waits in between.
const LOOKS: usize = 100;
const BETWEEN: Duration = Duration::from_millis(100);

/// An API key.
pub struct Key {
    /// What it is called.
    pub id: String,
    /// What programs show.
    pub secret: String,
}

/// The API as whoever has these headers.
struct Rest<'a> {
    address: &'a str,
    headers: String,
}

/// Signs up, and makes a cluster with a key for it.
pub fn sign_up(http: &str) -> anyhow::Result<Key> {
    let mut rest = Rest {
        address: http,
        headers: String::new(),
    };
    let body = json!({ "email": EMAIL, "password": PASSWORD, "name": "Light", "organization": "light" });
    rest.post("/v1/signup", &body)?;
    let token = rest.mailed_token()?;
    let body = json!({ "token": token, "password": PASSWORD });
    let (head, opened) = rest.send("POST", "/v1/verifications", Some(&body))?;
    let cookie = head
        .lines()
        .find_map(|line| {
            line.split_once(": ")
                .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        })
        .and_then(|(_, cookie)| cookie.split(';').next())
        .context("a session has a cookie")?;
    rest.headers = format!(
        "cookie: {cookie}\r\nx-csrf-token: {}\r\n",
        text(&opened, "/csrf_token")?
    );
    let organization = text(&rest.get("/v1/organizations")?, "/items/0/id")?;
    let project = text(
        &rest.get(&format!("/v1/projects?organization={organization}"))?,
        "/items/0/id",
    )?;
    let cluster = rest.post("/v1/clusters", &json!({ "project": project, "name": "light" }))?;
    let body = json!({ "project": project, "name": "light-app", "role": { "role": "developer" } });
    let account = rest.post("/v1/service-accounts", &body)?;
    let body = json!({ "service_account": text(&account, "/id")?, "cluster": text(&cluster, "/id")?, "name": "key" });
    let key = rest.post("/v1/api-keys", &body)?;
    Ok(Key {
        id: text(&key, "/id")?,
        secret: text(&key, "/secret")?,
    })
}

fn text(value: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .with_context(|| format!("the API does not say {pointer}"))
}

impl Rest<'_> {
    fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.send("GET", path, None)?.1)
    }

    fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        Ok(self.send("POST", path, Some(body))?.1)
    }

    /// The token that was mailed for the verification.
    fn mailed_token(&self) -> anyhow::Result<String> {
        for _ in 0..LOOKS {
            let page = self.get(&format!("/dev/mail?to={EMAIL}"))?;
            let mails = page["items"].as_array().into_iter().flatten();
            let token = mails
                .filter_map(|mail| mail["text"].as_str())
                .find_map(|text| text.split_once("/v1/verifications:"))
                .and_then(|(_, rest)| rest.split_whitespace().next());
            if let Some(token) = token {
                return Ok(token.to_owned());
            }
            std::thread::sleep(BETWEEN);
        }
        anyhow::bail!("no mail came")
    }

    /// The head of the answer, and its body.
    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<(String, Value)> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(self.address)?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n{}\r\n{body}",
            self.address,
            body.len(),
            self.headers
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("an answer has a head")?;
        let status = head.split(' ').nth(1).unwrap_or_default();
        ensure!(
            status.starts_with('2'),
            "{method} {path} answered {status}: {body}"
        );
        Ok((head.to_owned(), serde_json::from_str(body).unwrap_or(Value::Null)))
    }
}

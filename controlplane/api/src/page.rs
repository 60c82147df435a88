//! The page at `/`: what runs here and how to send a first record. The console takes its place when it exists.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};

use crate::state::Api;

/// What the page says about the process.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The version of the binary.
    pub version: &'static str,
    /// Where Kafka clients connect, as `HOST:PORT`.
    pub bootstrap: String,
    /// Which catalog, store and write-ahead log are in use, as label and description without secrets; for the operator alone, so
    /// empty where strangers reach the page.
    pub parts: Vec<(&'static str, String)>,
    /// Whether Kafka clients on this machine need no credential.
    pub anonymous: bool,
}

impl Facts {
    /// What a reader can do first, as a heading and commands.
    fn first(&self) -> (&'static str, String) {
        let bootstrap = &self.bootstrap;
        if self.anonymous {
            let commands = format!(
                "echo 'hello' | kcat -b {bootstrap} -P -t greetings\n\
                 kcat -b {bootstrap} -C -t greetings -o beginning -e\n"
            );
            return (
                "A first stream, without a credential, from this machine",
                commands,
            );
        }
        let body = r#"{"email":"…","password":"…","name":"…","organization":"…"}"#;
        let command = format!("curl …/v1/signup -H 'Content-Type: application/json' -d '{body}'\n");
        ("Sign up, and go on as the mail says", command)
    }

    /// The paths that say more.
    fn paths(&self) -> &'static [&'static str] {
        match self.anonymous {
            true => &["/v1/openapi.json", "/dev/mail", "/readyz", "/healthz", "/metrics"],
            false => &["/v1/openapi.json"],
        }
    }

    fn as_text(&self) -> String {
        let mut text = format!("Firn {}\n\nKafka bootstrap: {}\n", self.version, self.bootstrap);
        for (label, value) in &self.parts {
            text.push_str(&format!("{label}: {value}\n"));
        }
        let (heading, commands) = self.first();
        text.push_str(&format!(
            "\n{heading}:\n\n{commands}\n{}\n",
            self.paths().join(" ")
        ));
        text
    }

    fn as_html(&self) -> String {
        let parts: String = self
            .parts
            .iter()
            .map(|(label, value)| format!("<dt>{}</dt><dd>{}</dd>", escape(label), escape(value)))
            .collect();
        let links: Vec<_> = self
            .paths()
            .iter()
            .map(|path| format!("<a href=\"{path}\">{path}</a>"))
            .collect();
        let (heading, commands) = self.first();
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Firn</title>\
             <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style>\
             <h1>Firn {version}</h1><p>A Kafka-compatible streaming service.</p>\
             <dl><dt>Kafka bootstrap</dt><dd><code>{bootstrap}</code></dd>{parts}</dl>\
             <h2>{heading}</h2><pre>{commands}</pre><p>{links}</p></html>\n",
            version = escape(self.version),
            bootstrap = escape(&self.bootstrap),
            commands = escape(&commands),
            links = links.join(" "),
        )
    }
}

/// How the pages without script look.
pub(crate) const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;\
    color:#1b2733;background:#fff}pre{background:#eef3f7;padding:1rem;overflow:auto;white-space:pre-wrap}dt{color:#5a6b7b}\
    dd{margin:0 0 .6rem}a{margin-right:1rem}";

pub(crate) async fn page(State(api): State<Api>, headers: HeaderMap) -> Response {
    let facts = &api.facts;
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if accept.contains("text/html") {
        Html(facts.as_html()).into_response()
    } else {
        facts.as_text().into_response()
    }
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_operators_configured_cannot_become_markup() {
        let facts = Facts {
            version: "1",
            bootstrap: "<script>:1".into(),
            parts: vec![("store", "\"&".into())],
            anonymous: true,
        };
        let page = facts.as_html();
        assert!(page.contains("&lt;script&gt;:1") && page.contains("&quot;&amp;"));
        assert!(!page.contains("<script>"));
    }
}

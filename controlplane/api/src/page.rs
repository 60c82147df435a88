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
    /// Which catalog, store and write-ahead log are in use, as label and description without secrets.
    pub parts: Vec<(&'static str, String)>,
}

impl Facts {
    fn first_stream(&self) -> String {
        let bootstrap = &self.bootstrap;
        format!(
            "echo 'hello' | kcat -b {bootstrap} -P -t greetings\n\
             kcat -b {bootstrap} -C -t greetings -o beginning -e\n"
        )
    }

    fn as_text(&self) -> String {
        let mut text = format!("Firn {}\n\nKafka bootstrap: {}\n", self.version, self.bootstrap);
        for (label, value) in &self.parts {
            text.push_str(&format!("{label}: {value}\n"));
        }
        text.push_str(&format!(
            "\nA first stream:\n\n{}\n/healthz /readyz /metrics\n",
            self.first_stream()
        ));
        text
    }

    fn as_html(&self) -> String {
        let parts: String = self
            .parts
            .iter()
            .map(|(label, value)| format!("<dt>{}</dt><dd>{}</dd>", escape(label), escape(value)))
            .collect();
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Firn</title>\
             <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style>\
             <h1>Firn {version}</h1><p>A Kafka-compatible streaming service runs in this process. \
             Any Kafka client can connect, without credentials, from this machine.</p>\
             <dl><dt>Kafka bootstrap</dt><dd><code>{bootstrap}</code></dd>{parts}</dl>\
             <h2>A first stream</h2><pre>{stream}</pre>\
             <p><a href=\"/readyz\">/readyz</a> <a href=\"/healthz\">/healthz</a> \
             <a href=\"/metrics\">/metrics</a></p></html>\n",
            version = escape(self.version),
            bootstrap = escape(&self.bootstrap),
            stream = escape(&self.first_stream()),
        )
    }
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;\
    color:#1b2733;background:#fff}pre{background:#eef3f7;padding:1rem;overflow:auto}dt{color:#5a6b7b}\
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
        };
        let page = facts.as_html();
        assert!(page.contains("&lt;script&gt;:1") && page.contains("&quot;&amp;"));
        assert!(!page.contains("<script>"));
    }
}

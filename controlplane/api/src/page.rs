//! What runs here and how to send a first record, as text: what `/` answers to whoever is no browser.

/// What it says about the process.
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

    pub(crate) fn as_text(&self) -> String {
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
}

/// How pages that are not the console's look.
pub(crate) const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;\
    color:#1b2733;background:#fff}pre{background:#eef3f7;padding:1rem;overflow:auto;white-space:pre-wrap}dt{color:#5a6b7b}\
    dd{margin:0 0 .6rem}a{margin-right:1rem}";

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

//! Where the links in mails lead until there is a console: pages that say which request finishes what the mail is about.
//!
//! They do nothing themselves. A page without script cannot ask the API, and a form that could would be a second way in.

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Html;
use axum::routing::get;

use crate::page::{STYLE, escape};
use crate::rules::query;
use crate::state::Api;

/// What a link is about.
struct Errand {
    path: &'static str,
    title: &'static str,
    /// The request below `/v1`.
    request: &'static str,
    /// Its body; `TOKEN` stands for the link's.
    body: &'static str,
}

const ERRANDS: [Errand; 4] = [
    Errand {
        path: "/verify",
        title: "Confirm your email address",
        request: "verifications",
        body: r#"{"token":"TOKEN","password":"the one that you have chosen"}"#,
    },
    Errand {
        path: "/reset",
        title: "Choose a new password",
        request: "password-resets/complete",
        body: r#"{"token":"TOKEN","password":"a new one"}"#,
    },
    Errand {
        path: "/invitation",
        title: "Accept an invitation",
        request: "invitations/accept",
        body: r#"{"token":"TOKEN","name":"your name","password":"one of your own"}"#,
    },
    Errand {
        path: "/login",
        title: "Log in",
        request: "sessions",
        body: r#"{"email":"your address","password":"your password"}"#,
    },
];

/// The pages.
pub(super) fn routes() -> Router<Api> {
    let add = |router: Router<Api>, errand: &'static Errand| {
        let page = move |State(api): State<Api>, uri: Uri| async move { Html(errand.page(&api, &uri)) };
        router.route(errand.path, get(page))
    };
    ERRANDS.iter().fold(Router::new(), add)
}

impl Errand {
    fn page(&self, api: &Api, uri: &Uri) -> String {
        let token = query::value(uri, "token").filter(|token| is_token(token));
        let body = self
            .body
            .replace("TOKEN", token.as_deref().unwrap_or("the token in the mail"));
        let base = api.settings.public_url.as_str().trim_end_matches('/');
        let Self { title, request, .. } = self;
        let command = format!(
            "curl -c jar {base}/v1/{request} \\\n    -H 'Content-Type: application/json' \\\n    -d '{body}'"
        );
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
             <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style><h1>{title}</h1>\
             <p>This takes one request, with your own words in it:</p><pre>{}</pre></html>\n",
            escape(&command)
        )
    }
}

/// Whether a text can be a token, so that nothing else gets into a command that somebody may paste.
fn is_token(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_token_gets_into_the_command() {
        assert!(is_token("qWNT2kchZPWOZ-Mz8En4Tlz5JauvLAxro47z0B285HM"));
        for other in ["", "a'; rm -rf ~; '", "<b>", "a b", &"x".repeat(101)] {
            assert!(!is_token(other), "{other}");
        }
    }
}

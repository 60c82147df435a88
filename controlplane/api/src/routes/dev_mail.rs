//! `/dev/mail`: in `firn dev` mail goes to this page. It is served nowhere else.

use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::mail::Received;
use crate::page::{STYLE, escape};
use crate::rules::{Moment, Problem, query};
use crate::state::Api;

#[derive(Serialize)]
struct Message {
    to: String,
    subject: String,
    text: String,
    at: Moment,
}

#[derive(Serialize)]
struct Messages {
    items: Vec<Message>,
}

/// The page, in `firn dev`.
pub(super) fn routes(api: &Api) -> Router<Api> {
    match api.settings.dev && api.mail.mailbox().is_some() {
        true => Router::new().route("/dev/mail", get(page)),
        false => Router::new(),
    }
}

async fn page(State(api): State<Api>, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let mailbox = api
        .mail
        .mailbox()
        .ok_or_else(|| Problem::not_found("/dev/mail"))?;
    let messages = mailbox.messages(query::value(&uri, "to").as_deref());
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.unwrap_or_default().contains("application/json") {
        let items = messages.into_iter().map(Message::from).collect();
        return Ok(Json(Messages { items }).into_response());
    }
    Ok(Html(html(messages)).into_response())
}

impl From<Received> for Message {
    fn from(received: Received) -> Self {
        let (mail, at) = (received.mail, Moment(received.at));
        Self {
            to: mail.to,
            subject: mail.subject,
            text: mail.text,
            at,
        }
    }
}

fn html(messages: Vec<Received>) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Mail</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style><h1>Mail</h1>\
         <p>In firn dev, mail is not sent but shown here: the newest first.</p>"
    );
    if messages.is_empty() {
        page.push_str("<p>There is none yet.</p>");
    }
    for message in messages.into_iter().map(Message::from) {
        page.push_str(&format!(
            "<article><h2>{}</h2><p>To {} at {}</p><pre>{}</pre></article>",
            escape(&message.subject),
            escape(&message.to),
            message.at,
            linked(&message.text)
        ));
    }
    page.push_str("</html>\n");
    page
}

/// A text with its links, which stand on lines of their own, as links.
fn linked(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let line = escape(line);
        let link = line.trim();
        let whole = ["http://", "https://"]
            .iter()
            .any(|scheme| link.starts_with(scheme));
        match whole && !link.contains(' ') {
            true => format!("    <a href=\"{link}\">{link}</a>"),
            false => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use firn_runtime::Timestamp;

    use super::*;
    use crate::mail::Mail;

    #[test]
    fn a_link_on_a_line_of_its_own_is_one_and_nothing_else_is() {
        let text = "open\n\n    https://firn.example/verify?token=T\n\nhttps://a.example b\n    https://x\"onclick=\"y\n";
        let page = linked(text);
        let link = "<a href=\"https://firn.example/verify?token=T\">https://firn.example/verify?token=T</a>";
        assert!(page.contains(link), "{page}");
        assert!(!page.contains("<a href=\"https://a.example"), "{page}");
        assert!(!page.contains("\"onclick"), "{page}");
    }

    #[test]
    fn what_people_wrote_cannot_become_markup() {
        let mail = Mail {
            to: "\"<b>\"@x".into(),
            subject: "<script>".into(),
            text: "</pre><script>".into(),
        };
        let page = html(vec![Received {
            mail,
            at: Timestamp(0),
        }]);
        assert!(!page.contains("<script>") && !page.contains("<b>") && page.contains("&lt;/pre&gt;"));
    }
}

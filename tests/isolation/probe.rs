//! A caller that remembers every answer it gets.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::rows::Row;
use super::things::Things;
use crate::support::connection::Connection;
use crate::support::http::Answer;
use crate::support::rest::Rest;

/// Headers that differ from answer to answer, whatever was asked.
const CHANGING: [&str; 5] = [
    "date",
    "traceparent",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
];

/// A caller.
pub struct Probe {
    connection: Connection,
    rest: Rest,
    /// What was asked, which answer came, and which names the caller had said itself.
    got: Vec<(&'static str, Answer, Vec<String>)>,
}

impl Probe {
    /// Somebody who calls `HOST:PORT`.
    pub fn new(address: &str, rest: Rest) -> Self {
        Self {
            connection: Connection::to(address),
            rest,
            got: Vec::new(),
        }
    }

    /// How many answers it has got.
    pub fn answers(&self) -> usize {
        self.got.len()
    }

    /// Asks about these things. All of its requests have the same id.
    pub fn ask(&mut self, row: &Row, things: &Things) -> Answer {
        let request = row.request(&self.rest, things).header("x-request-id", "the-same");
        let answer = self.connection.send(&request);
        let said = row.said().map(|name| things.id(name).to_owned()).collect();
        self.got.push((row.operation, answer.clone(), said));
        answer
    }

    /// The status of an answer; of a batch, that of its first item.
    pub fn status(&mut self, row: &Row, things: &Things) -> u16 {
        let answer = self.ask(row, things);
        let item = serde_json::from_str::<Value>(&answer.body).ok();
        let item = item.and_then(|body| body["results"][0]["status"].as_u64());
        item.map_or(answer.status, |status| u16::try_from(status).unwrap())
    }

    /// What tells foreign things from absent ones.
    pub fn difference(&mut self, row: &Row, foreign: &Things, absent: &Things) -> Option<String> {
        let [to_foreign, to_absent] = [foreign, absent].map(|things| self.ask(row, things));
        let (status, body) = (to_foreign.status, &to_foreign.body);
        if status != 404 && !row.also.contains(&status) {
            return Some(format!("{}, foreign: {status} {body}", row.operation));
        }
        let (seen, expected) = (
            foreign.blind(&shown(&to_foreign)),
            absent.blind(&shown(&to_absent)),
        );
        (seen != expected).then(|| format!("{}\nforeign: {seen}\nabsent: {expected}", row.operation))
    }

    /// How long an answer takes.
    pub fn time(&mut self, row: &Row, things: &Things) -> Duration {
        let request = row.request(&self.rest, things);
        let start = Instant::now();
        self.connection.send(&request);
        start.elapsed()
    }

    /// In which of its answers this text is, but for names that the caller had said itself.
    pub fn seen(&self, text: &str) -> Vec<String> {
        let answers = self.got.iter().map(|(operation, answer, said)| {
            let whole = shown(answer);
            let told = said.iter().fold(whole, |told, name| told.replace(name, "(said)"));
            format!("{operation}: {told}")
        });
        answers
            .filter(|answer| answer.to_lowercase().contains(text))
            .collect()
    }
}

/// An answer as text, without what always changes.
fn shown(answer: &Answer) -> String {
    let kept = answer.headers.iter();
    let kept = kept.filter(|(name, _)| !CHANGING.contains(&name.as_str()));
    let headers: Vec<_> = kept.map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{}\n{}\n\n{}", answer.status, headers.join("\n"), answer.body)
}

//! A request's id, its place in a trace, and where it came from.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};
use firn_runtime::Env;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

tokio::task_local! {
    /// The request that this task answers.
    static CURRENT: RequestInfo;
}

/// What is known of a request before anything is looked up.
#[derive(Clone, Debug)]
pub(crate) struct RequestInfo {
    /// Its id in logs and audit rows: the caller's, if it can stand there, else a new one.
    pub(crate) id: Arc<str>,
    /// Its place in a trace (W3C Trace Context): the caller's trace, if it named one, and a span of its own.
    pub(crate) traceparent: Arc<str>,
    /// The client's address, where it is known: the peer's, or what a trusted proxy says.
    pub(crate) address: Option<IpAddr>,
}

impl RequestInfo {
    pub(crate) fn read(env: &Env, headers: &HeaderMap, client: Option<IpAddr>) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let id = match text(REQUEST_ID).filter(|id| is_id(id)) {
            Some(id) => id.into(),
            None => hex::encode(env.random_u128().to_be_bytes()).into(),
        };
        let parent = text(TRACEPARENT).and_then(parse_parent);
        let (trace, flags) = parent.unwrap_or_else(|| (env.random_u128().max(1), 0));
        let span = env.random_u64().max(1);
        Self {
            id,
            traceparent: format!("00-{trace:032x}-{span:016x}-{flags:02x}").into(),
            address: client,
        }
    }

    /// The trace's id.
    pub(crate) fn trace(&self) -> &str {
        self.traceparent.get(3..35).unwrap_or_default()
    }

    /// Runs an answer as this request's.
    pub(crate) async fn scope<F: Future>(self, answer: F) -> F::Output {
        CURRENT.scope(self, answer).await
    }
}

/// The id of the request that this task answers.
pub(crate) fn current_id() -> String {
    CURRENT
        .try_with(|request| request.id.to_string())
        .unwrap_or_default()
}

/// Whether it can stand in a log line.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Trace id and flags out of a `traceparent`; a later version's may go on after the flags.
fn parse_parent(text: &str) -> Option<(u128, u8)> {
    let lower = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let mut parts = text.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lengths = (version.len(), trace.len(), span.len(), flags.len());
    let whole = [version, trace, span, flags].into_iter().all(lower);
    if lengths != (2, 32, 16, 2) || !whole || version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let trace = u128::from_str_radix(trace, 16).ok().filter(|trace| *trace != 0)?;
    u64::from_str_radix(span, 16).ok().filter(|span| *span != 0)?;
    Some((trace, u8::from_str_radix(flags, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_taken_if_it_is_one() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(
            parse_parent(good),
            Some((0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 1))
        );
        let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more";
        assert!(parse_parent(later).is_some());
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-é4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert_eq!(parse_parent(bad), None, "{bad}");
        }
    }
}

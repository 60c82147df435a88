//! Changes that a cell refuses, by roles or by the caller's address: the cluster's audit trail says so, and the answer names the entry.

use std::borrow::Cow;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use firn_catalog::ids::ClusterId;
use percent_encoding::percent_decode_str;

use super::caller::{Admitted, Caller};
use super::problem::Problem;
use crate::state::Api;

/// What was tried: a change of something in a cluster.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tried<'a> {
    cluster: ClusterId,
    action: &'static str,
    kind: &'static str,
    /// Its name, as deeds on it call it: without the path's escapes.
    resource: Cow<'a, str>,
}

impl<'a> Tried<'a> {
    /// What a request to this path tries; `None`: nothing in a cluster, or no change.
    pub(crate) fn of(method: &Method, path: &'a str) -> Option<Self> {
        let (cluster, rest) = path.strip_prefix("/v1/clusters/")?.split_once('/')?;
        let (collection, one) = rest.split_once('/').unwrap_or((rest, ""));
        let one = one.split_once('/').map_or(one, |(one, _)| one);
        let kind = match collection {
            "topics" => "topic",
            "acls" => "acl",
            "quotas" => "quota",
            "ca-pools" => "ca_pool",
            "identity-providers" => "identity_provider",
            "scram-credentials" => "scram_credential",
            "networks" => "networks",
            "groups" => "group",
            _ => return None,
        };
        let action = match *method {
            Method::POST if one.is_empty() => "create",
            Method::POST | Method::PUT | Method::PATCH => "alter",
            Method::DELETE => "delete",
            _ => return None,
        };
        Some(Self {
            cluster: ClusterId::from_public(cluster).ok()?,
            action,
            kind,
            resource: match one {
                "" => Cow::Borrowed("*"),
                one => percent_decode_str(one).decode_utf8_lossy(),
            },
        })
    }

    /// Tells the trail; the public id of the entry, if it could be told.
    pub(crate) async fn tell(&self, api: &Api, caller: &Caller) -> Option<String> {
        let what = (self.kind, &*self.resource);
        let told = api
            .catalog
            .record_denial(&caller.actor(), self.cluster, self.action, what)
            .await;
        let told = told.inspect_err(|error| tracing::warn!(%error, "a denial is not in the audit trail"));
        told.ok().map(|id| id.public())
    }
}

/// Tells the trail of what was refused, and the caller of the entry.
pub(crate) async fn tell(State(api): State<Api>, request: Request, next: Next) -> Response {
    let caller = match request.extensions().get::<Admitted>() {
        Some(Admitted::Somebody(caller)) => Some(caller.clone()),
        _ => None,
    };
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    let refused = response.extensions_mut().remove::<Problem>();
    match (refused, Tried::of(&method, &path), caller) {
        (Some(refused), Some(tried), Some(caller)) => {
            let denial = tried.tell(&api, &caller).await;
            refused.told(denial).into_response()
        }
        _ => response,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_in_clusters_are_known_by_method_and_path() {
        let cluster = ClusterId(7).public();
        let tried = |method, path: &str| {
            let path = format!("/v1/clusters/{cluster}{path}");
            Tried::of(&method, &path).map(|tried| {
                assert_eq!(tried.cluster, ClusterId(7));
                (tried.action, tried.kind, tried.resource.to_string())
            })
        };
        let is = |action, kind, resource: &str| Some((action, kind, resource.to_owned()));
        assert_eq!(tried(Method::POST, "/acls"), is("create", "acl", "*"));
        assert_eq!(tried(Method::POST, "/acls/batch"), is("alter", "acl", "batch"));
        assert_eq!(tried(Method::DELETE, "/topics/a"), is("delete", "topic", "a"));
        assert_eq!(
            tried(Method::POST, "/topics/a/records"),
            is("alter", "topic", "a")
        );
        assert_eq!(tried(Method::PUT, "/networks"), is("alter", "networks", "*"));
        let reset = tried(Method::POST, "/groups/g/offsets:reset");
        assert_eq!(reset, is("alter", "group", "g"));
        let escaped = tried(Method::DELETE, "/groups/any%20name%2F1");
        assert_eq!(escaped, is("delete", "group", "any name/1"));
        assert_eq!(tried(Method::GET, "/acls"), None);
        assert_eq!(tried(Method::POST, "/access:explain"), None);
        assert_eq!(tried(Method::POST, ""), None);
        assert_eq!(Tried::of(&Method::POST, "/v1/projects/x/topics"), None);
    }
}

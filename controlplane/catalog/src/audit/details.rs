//! What the audit trail says of things that are made, changed and removed: nothing that proves anything.

use firn_secrets::scram::Mechanism;
use serde_json::{Value, json};

use crate::access::Role;
use crate::credential::{KafkaCredential, Proof};
use crate::entities::{Cluster, Topic};

/// What the audit trail says of a cluster.
pub(crate) fn cluster_detail(cluster: &Cluster) -> Value {
    json!({
        "slug": cluster.slug,
        "state": cluster.state,
        "delete_at_ms": cluster.delete_at,
        "limits": cluster.limits,
        "version": cluster.version,
    })
}

/// What the audit trail says of a topic.
pub(crate) fn topic_detail(topic: &Topic) -> Value {
    json!({
        "id": topic.id,
        "partitions": topic.partitions,
        "configs": topic.configs,
    })
}

/// What the audit trail says of a credential: nothing of what proves it, but what there is.
pub(crate) fn credential_detail(credential: &KafkaCredential) -> Value {
    let (kind, mechanisms) = match &credential.proof {
        Proof::ApiKey { .. } => ("api_key", Vec::new()),
        Proof::Scram { .. } => {
            let has = |mechanism: &Mechanism| credential.sealed_verifier(*mechanism).is_some();
            let names = Mechanism::ALL.into_iter().filter(has).map(Mechanism::name);
            ("scram", names.collect())
        }
    };
    json!({
        "kind": kind,
        "mechanisms": mechanisms,
        "user_name": credential.username,
        "principal": format!("User:{}", credential.user.name),
        "roles": credential.user.roles.iter().map(Role::name).collect::<Vec<_>>(),
        "expires_at_ms": credential.expires_at,
    })
}

//! The credentials of an image, found as logins name them.

use std::sync::Arc;

use firn_runtime::Timestamp;
use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync};

use super::Image;
use crate::commands::CredentialId;
use crate::credential::{KafkaCredential, Proof};
use crate::ids::{ApiKeyId, ClusterId};

/// A SCRAM user's credentials: none if there is no such user, two while its password changes.
#[derive(Clone, Copy, Debug)]
pub struct ScramUser<'a> {
    credentials: &'a [Arc<KafkaCredential>],
}

impl<'a> ScramUser<'a> {
    /// Those that have not expired, the oldest first; per mechanism they share salt and iterations.
    pub fn live(self, now: Timestamp) -> impl Iterator<Item = &'a Arc<KafkaCredential>> {
        self.credentials.iter().filter(move |one| one.is_live(now))
    }

    /// All of them, the oldest first.
    pub fn all(self) -> &'a [Arc<KafkaCredential>] {
        self.credentials
    }
}

type Users = RedBlackTreeMapSync<Arc<str>, Vec<Arc<KafkaCredential>>>;

/// All credentials of a cell.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    by_id: RedBlackTreeMapSync<CredentialId, Arc<KafkaCredential>>,
    of_cluster: RedBlackTreeMapSync<ClusterId, RedBlackTreeSetSync<CredentialId>>,
    scram: RedBlackTreeMapSync<ClusterId, Users>,
    /// Where the generated user names are.
    generated: RedBlackTreeMapSync<Arc<str>, ClusterId>,
}

impl Credentials {
    /// Adds one, or puts it over the one of its id.
    pub(super) fn put(&mut self, credential: KafkaCredential) {
        let credential = Arc::new(credential);
        self.remove(credential.id);
        let cluster = credential.cluster;
        let mut ids = self.of_cluster.get(&cluster).cloned().unwrap_or_default();
        ids.insert_mut(credential.id);
        self.of_cluster.insert_mut(cluster, ids);
        if matches!(credential.proof, Proof::Scram { .. }) {
            let mut users = self.scram.get(&cluster).cloned().unwrap_or_default();
            let mut of_user = users.get(&credential.username).cloned().unwrap_or_default();
            of_user.push(Arc::clone(&credential));
            of_user.sort_by_key(|one| (one.created_at, one.id));
            users.insert_mut(Arc::clone(&credential.username), of_user);
            self.scram.insert_mut(cluster, users);
            if credential.generated {
                self.generated
                    .insert_mut(Arc::clone(&credential.username), cluster);
            }
        }
        self.by_id.insert_mut(credential.id, credential);
    }

    /// Takes one away, if it is there.
    pub(super) fn remove(&mut self, id: CredentialId) {
        let Some(credential) = self.by_id.get(&id).cloned() else {
            return;
        };
        self.by_id.remove_mut(&id);
        let cluster = credential.cluster;
        if let Some(mut ids) = self.of_cluster.get(&cluster).cloned() {
            ids.remove_mut(&id);
            match ids.is_empty() {
                true => self.of_cluster.remove_mut(&cluster),
                false => {
                    self.of_cluster.insert_mut(cluster, ids);
                    true
                }
            };
        }
        if matches!(credential.proof, Proof::Scram { .. }) {
            self.remove_from_user(&credential);
        }
    }

    fn remove_from_user(&mut self, credential: &KafkaCredential) {
        let Some(mut users) = self.scram.get(&credential.cluster).cloned() else {
            return;
        };
        let mut left = users.get(&credential.username).cloned().unwrap_or_default();
        left.retain(|one| one.id != credential.id);
        if left.is_empty() {
            users.remove_mut(&credential.username);
            if credential.generated {
                self.generated.remove_mut(&credential.username);
            }
        } else {
            users.insert_mut(Arc::clone(&credential.username), left);
        }
        if users.is_empty() {
            self.scram.remove_mut(&credential.cluster);
        } else {
            self.scram.insert_mut(credential.cluster, users);
        }
    }

    /// Takes away all of a cluster.
    pub(super) fn remove_cluster(&mut self, cluster: ClusterId) {
        let ids = self.of_cluster.get(&cluster).cloned().unwrap_or_default();
        for id in &ids {
            self.remove(*id);
        }
    }
}

impl Image {
    /// The credential of that id, expired or not; `None`: there is none, or it was revoked.
    pub fn credential(&self, id: CredentialId) -> Option<&Arc<KafkaCredential>> {
        self.credentials.by_id.get(&id)
    }

    /// The API key of that id, if it is for a cluster of this cell.
    pub fn api_key(&self, id: ApiKeyId) -> Option<&Arc<KafkaCredential>> {
        self.credential(CredentialId::ApiKey(id))
    }

    /// The SCRAM user of that name. Without a cluster only generated names are found, which name theirs themselves.
    pub fn scram_user(&self, cluster: Option<ClusterId>, name: &str) -> ScramUser<'_> {
        let cluster = cluster.or_else(|| self.credentials.generated.get(name).copied());
        let users = cluster.and_then(|cluster| self.credentials.scram.get(&cluster));
        let credentials = users.and_then(|users| users.get(name));
        ScramUser {
            credentials: credentials.map_or(&[], Vec::as_slice),
        }
    }

    /// All SCRAM users of a cluster, in the order of their names.
    pub fn scram_users_of(&self, cluster: ClusterId) -> impl Iterator<Item = (&Arc<str>, ScramUser<'_>)> {
        let users = self.credentials.scram.get(&cluster);
        users.into_iter().flat_map(|users| {
            users
                .iter()
                .map(|(name, credentials)| (name, ScramUser { credentials }))
        })
    }

    /// All credentials of a cluster.
    pub fn credentials_of(&self, cluster: ClusterId) -> impl Iterator<Item = &Arc<KafkaCredential>> {
        let ids = self.credentials.of_cluster.get(&cluster);
        ids.into_iter()
            .flat_map(|ids| ids.iter())
            .filter_map(|id| self.credential(*id))
    }
}

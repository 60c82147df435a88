//! What of a cluster decides who may do what, and how much.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Image;
use crate::acl::StoredAcl;
use crate::feed::Change;
use crate::ids::{AclId, CaPoolId, ClusterId, IdentityProviderId};
use crate::quota::{QuotaEntity, QuotaValues};
use crate::trust::{CaPool, IdentityProvider};

/// A cluster's ACLs, quotas, and whom it trusts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterAccess {
    pub(super) acls: BTreeMap<AclId, Arc<StoredAcl>>,
    pub(super) quotas: BTreeMap<QuotaEntity, Arc<QuotaValues>>,
    pub(super) ca_pools: BTreeMap<CaPoolId, Arc<CaPool>>,
    pub(super) identity_providers: BTreeMap<IdentityProviderId, Arc<IdentityProvider>>,
}

impl ClusterAccess {
    /// All bindings, in the order of their ids.
    pub fn acls(&self) -> impl Iterator<Item = &Arc<StoredAcl>> {
        self.acls.values()
    }

    /// All quotas.
    pub fn quotas(&self) -> impl Iterator<Item = (&QuotaEntity, &Arc<QuotaValues>)> {
        self.quotas.iter()
    }

    /// All pools of certificate authorities.
    pub fn ca_pools(&self) -> impl Iterator<Item = &Arc<CaPool>> {
        self.ca_pools.values()
    }

    /// The pool of that id.
    pub fn ca_pool(&self, id: CaPoolId) -> Option<&Arc<CaPool>> {
        self.ca_pools.get(&id)
    }

    /// All identity providers.
    pub fn identity_providers(&self) -> impl Iterator<Item = &Arc<IdentityProvider>> {
        self.identity_providers.values()
    }

    /// The identity provider of that id.
    pub fn identity_provider(&self, id: IdentityProviderId) -> Option<&Arc<IdentityProvider>> {
        self.identity_providers.get(&id)
    }
}

impl Image {
    /// Who may do what in a cluster, and how much; of one that has said nothing, `None`.
    pub fn access(&self, cluster: ClusterId) -> Option<&Arc<ClusterAccess>> {
        self.access.get(&cluster)
    }

    /// Changes what a cluster says of access.
    pub(crate) fn change_access(&mut self, cluster: ClusterId, change: impl FnOnce(&mut ClusterAccess)) {
        let mut access = self
            .access
            .get(&cluster)
            .map(|access| access.as_ref().clone())
            .unwrap_or_default();
        change(&mut access);
        self.access.insert_mut(cluster, Arc::new(access));
    }

    /// Folds in a change of what is here; any other changes nothing.
    pub(super) fn fold_access(&mut self, change: &Change) {
        match change {
            Change::AclsChanged {
                cluster,
                added,
                removed,
            } => self.change_access(*cluster, |access| {
                for id in removed {
                    access.acls.remove(id);
                }
                for acl in added {
                    access.acls.insert(acl.id, Arc::new(acl.clone()));
                }
            }),
            Change::QuotasChanged { cluster, quotas } => {
                for (entity, quotas) in quotas {
                    self.put_quotas(*cluster, entity.clone(), quotas.clone());
                }
            }
            Change::CaPoolPut { pool } => self.put_ca_pool(pool.clone()),
            Change::CaPoolRemoved { cluster, id } => self.change_access(*cluster, |access| {
                access.ca_pools.remove(id);
            }),
            Change::IdentityProviderPut { provider } => self.put_identity_provider(provider.clone()),
            Change::IdentityProviderRemoved { cluster, id } => self.change_access(*cluster, |access| {
                access.identity_providers.remove(id);
            }),
            _ => {}
        }
    }

    pub(crate) fn put_acl(&mut self, cluster: ClusterId, acl: StoredAcl) {
        self.change_access(cluster, |access| {
            access.acls.insert(acl.id, Arc::new(acl));
        });
    }

    pub(crate) fn put_quotas(&mut self, cluster: ClusterId, entity: QuotaEntity, quotas: QuotaValues) {
        self.change_access(cluster, |access| {
            match quotas.is_empty() {
                true => access.quotas.remove(&entity),
                false => access.quotas.insert(entity, Arc::new(quotas)),
            };
        });
    }

    pub(crate) fn put_ca_pool(&mut self, pool: CaPool) {
        self.change_access(pool.cluster, |access| {
            access.ca_pools.insert(pool.id, Arc::new(pool));
        });
    }

    pub(crate) fn put_identity_provider(&mut self, provider: IdentityProvider) {
        self.change_access(provider.cluster, |access| {
            access.identity_providers.insert(provider.id, Arc::new(provider));
        });
    }
}

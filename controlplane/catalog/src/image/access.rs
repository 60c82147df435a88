//! What of a cluster decides who may do what, and how much.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::Image;
use crate::acl::{AclSet, StoredAcl};
use crate::feed::Change;
use crate::ids::{CaPoolId, ClusterId, IdentityProviderId};
use crate::quota::{ClusterQuotas, QuotaEntity, QuotaValues};
use crate::trust::{CaPool, ClientTrust, IdentityProvider, PrincipalMapper};

/// A cluster's ACLs, quotas, and whom it trusts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterAccess {
    pub(super) acls: AclSet,
    pub(super) quotas: ClusterQuotas,
    pub(super) ca_pools: BTreeMap<CaPoolId, Arc<CaPool>>,
    client_trust: Compiled<ClientTrust>,
    pub(super) identity_providers: BTreeMap<IdentityProviderId, Arc<IdentityProvider>>,
    mappers: BTreeMap<IdentityProviderId, Compiled<Option<PrincipalMapper>>>,
}

/// What pools or rules come to, once somebody has asked. It follows from them, so it makes no difference between two of these.
#[derive(Debug)]
struct Compiled<T>(Arc<OnceLock<T>>);

impl<T> Clone for Compiled<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Compiled<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> PartialEq for Compiled<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl ClusterAccess {
    /// All bindings, in the order of their ids.
    pub fn acls(&self) -> impl Iterator<Item = &Arc<StoredAcl>> {
        self.acls.iter()
    }

    /// All bindings, found as checks and lists ask for them.
    pub fn acl_set(&self) -> &AclSet {
        &self.acls
    }

    /// The client quotas.
    pub fn quotas(&self) -> &ClusterQuotas {
        &self.quotas
    }

    /// All pools of certificate authorities.
    pub fn ca_pools(&self) -> impl Iterator<Item = &Arc<CaPool>> {
        self.ca_pools.values()
    }

    /// The pool of that id.
    pub fn ca_pool(&self, id: CaPoolId) -> Option<&Arc<CaPool>> {
        self.ca_pools.get(&id)
    }

    /// Whom the pools let in; `None`: there is none. The first call reads their certificates.
    pub fn client_trust(&self) -> Option<&ClientTrust> {
        let compiled = || ClientTrust::of(self.ca_pools.values().map(Arc::as_ref));
        (!self.ca_pools.is_empty()).then(|| self.client_trust.0.get_or_init(compiled))
    }

    /// All identity providers.
    pub fn identity_providers(&self) -> impl Iterator<Item = &Arc<IdentityProvider>> {
        self.identity_providers.values()
    }

    /// The identity provider of that id.
    pub fn identity_provider(&self, id: IdentityProviderId) -> Option<&Arc<IdentityProvider>> {
        self.identity_providers.get(&id)
    }

    /// The rules of the identity provider of that id, if they can be read. The first call compiles them.
    pub fn provider_mapper(&self, id: IdentityProviderId) -> Option<&PrincipalMapper> {
        let (provider, mapper) = (self.identity_providers.get(&id)?, self.mappers.get(&id)?);
        let compiled = || PrincipalMapper::compile(&provider.body.mapping_rules).ok();
        mapper.0.get_or_init(compiled).as_ref()
    }
}

impl Image {
    /// Who may do what in a cluster, and how much; of one that has said nothing, `None`.
    pub fn access(&self, cluster: ClusterId) -> Option<&Arc<ClusterAccess>> {
        self.access.get(&cluster)
    }

    /// The client quotas of a cluster, if it has any.
    pub fn quotas(&self, cluster: ClusterId) -> Option<&ClusterQuotas> {
        let quotas = self.access(cluster)?.quotas();
        (!quotas.is_empty()).then_some(quotas)
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
                    access.acls.remove(*id);
                }
                for acl in added {
                    access.acls.insert(acl.clone());
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
                access.client_trust = Compiled::default();
            }),
            Change::IdentityProviderPut { provider } => self.put_identity_provider(provider.clone()),
            Change::IdentityProviderRemoved { cluster, id } => self.change_access(*cluster, |access| {
                access.identity_providers.remove(id);
                access.mappers.remove(id);
            }),
            _ => {}
        }
    }

    pub(crate) fn put_acl(&mut self, cluster: ClusterId, acl: StoredAcl) {
        self.change_access(cluster, |access| {
            access.acls.insert(acl);
        });
    }

    pub(crate) fn put_quotas(&mut self, cluster: ClusterId, entity: QuotaEntity, quotas: QuotaValues) {
        self.change_access(cluster, |access| access.quotas.put(entity, quotas));
    }

    pub(crate) fn put_ca_pool(&mut self, pool: CaPool) {
        self.change_access(pool.cluster, |access| {
            access.ca_pools.insert(pool.id, Arc::new(pool));
            access.client_trust = Compiled::default();
        });
    }

    pub(crate) fn put_identity_provider(&mut self, provider: IdentityProvider) {
        self.change_access(provider.cluster, |access| {
            access.mappers.insert(provider.id, Compiled::default());
            access.identity_providers.insert(provider.id, Arc::new(provider));
        });
    }
}

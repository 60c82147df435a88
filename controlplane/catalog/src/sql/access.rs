//! The rows of ACLs, quotas, certificate authorities and identity providers.

use firn_runtime::Timestamp;
use sqlx::any::AnyRow;

use super::rows::word_at;
use super::{Tx, TxError, args, id_at, json_at, number_at, text_at};
use crate::acl::{Acl, StoredAcl};
use crate::cell::CatalogError;
use crate::ids::ClusterId;
use crate::image::Image;
use crate::trust::{CaPool, IdentityProvider};

/// What [`acl_at`] reads.
pub(crate) const ACL_COLUMNS: &str =
    "id, resource_type, pattern_type, resource_name, principal, host, operation, permission, created_at";
/// What [`ca_pool_at`] and [`identity_provider_at`] read.
pub(crate) const TRUST_COLUMNS: &str = "id, cluster, name, body, version, created_at";

/// The binding in a row of [`ACL_COLUMNS`].
pub(crate) fn acl_at(row: &AnyRow) -> Result<StoredAcl, CatalogError> {
    Ok(StoredAcl {
        id: id_at(row, 0)?,
        acl: Acl {
            resource_type: word_at(row, 1)?,
            pattern_type: word_at(row, 2)?,
            resource_name: text_at(row, 3)?,
            principal: text_at(row, 4)?,
            host: text_at(row, 5)?,
            operation: word_at(row, 6)?,
            permission: word_at(row, 7)?,
        },
        created_at: Timestamp(number_at(row, 8)?),
    })
}

/// The pool in a row of [`TRUST_COLUMNS`].
pub(crate) fn ca_pool_at(row: &AnyRow) -> Result<CaPool, CatalogError> {
    Ok(CaPool {
        id: id_at(row, 0)?,
        cluster: id_at(row, 1)?,
        name: text_at(row, 2)?,
        body: json_at(row, 3)?,
        version: number_at(row, 4)?,
        created_at: Timestamp(number_at(row, 5)?),
    })
}

/// The provider in a row of [`TRUST_COLUMNS`].
pub(crate) fn identity_provider_at(row: &AnyRow) -> Result<IdentityProvider, CatalogError> {
    Ok(IdentityProvider {
        id: id_at(row, 0)?,
        cluster: id_at(row, 1)?,
        name: text_at(row, 2)?,
        body: json_at(row, 3)?,
        version: number_at(row, 4)?,
        created_at: Timestamp(number_at(row, 5)?),
    })
}

impl Tx {
    pub(super) async fn load_access(&mut self, image: &mut Image) -> Result<(), TxError<CatalogError>> {
        let select = format!("SELECT {ACL_COLUMNS}, cluster FROM cell_acls");
        for row in self.rows(&select, args![]).await? {
            image.put_acl(id_at(&row, 9)?, acl_at(&row)?);
        }
        for row in self
            .rows("SELECT cluster, entity, quotas FROM cell_quotas", args![])
            .await?
        {
            image.put_quotas(id_at(&row, 0)?, json_at(&row, 1)?, json_at(&row, 2)?);
        }
        let select = format!("SELECT {TRUST_COLUMNS} FROM cell_ca_pools");
        for row in self.rows(&select, args![]).await? {
            image.put_ca_pool(ca_pool_at(&row)?);
        }
        let select = format!("SELECT {TRUST_COLUMNS} FROM cell_identity_providers");
        for row in self.rows(&select, args![]).await? {
            image.put_identity_provider(identity_provider_at(&row)?);
        }
        Ok(())
    }

    /// Deletes all that a cluster says of access.
    pub(crate) async fn delete_access(&mut self, cluster: ClusterId) -> Result<(), sqlx::Error> {
        for table in [
            "cell_acls",
            "cell_quotas",
            "cell_ca_pools",
            "cell_identity_providers",
        ] {
            let delete = format!("DELETE FROM {table} WHERE cluster = $1");
            self.execute(&delete, args![cluster]).await?;
        }
        Ok(())
    }
}

//! The keys that sign access tokens, as rows: who signs makes and seals them, the store orders them.
//!
//! A key signs from a moment on that is known before, so that verifiers have it by then, and until the next one does.

use std::fmt;

use firn_runtime::Timestamp;

use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::sql::{Tx, TxError, args, number_at, text_at, transaction};

/// A key that signs.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// What tokens name it by (`kid`).
    pub id: String,
    /// The public key, as base64url.
    pub public_key: String,
    /// The private key, sealed under the master key.
    pub private_key: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub signs_from: Timestamp,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, ..)", self.id)
    }
}

impl Catalog {
    /// All keys, the one that signs last first.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, CatalogError> {
        transaction!(self.store(), snapshot, |tx| tx.signing_keys().await)
    }

    /// Adds a key, unless there is one that signs from the same moment on, and forgets those that signed last before `over`. Gives
    /// all that there are then.
    pub async fn add_signing_key(
        &self,
        key: &SigningKey,
        over: Timestamp,
    ) -> Result<Vec<SigningKey>, CatalogError> {
        transaction!(self.store(), write, |tx| tx.add_signing_key(key, over).await)
    }
}

impl Tx {
    async fn signing_keys(&mut self) -> Result<Vec<SigningKey>, TxError<CatalogError>> {
        let select = "SELECT id, public_key, private_key, created_at, signs_from FROM account_signing_keys \
                      ORDER BY signs_from DESC";
        let mut keys = Vec::new();
        for row in self.rows(select, args![]).await? {
            keys.push(SigningKey {
                id: text_at(&row, 0)?,
                public_key: text_at(&row, 1)?,
                private_key: text_at(&row, 2)?,
                created_at: Timestamp(number_at(&row, 3)?),
                signs_from: Timestamp(number_at(&row, 4)?),
            });
        }
        Ok(keys)
    }

    async fn add_signing_key(
        &mut self,
        key: &SigningKey,
        over: Timestamp,
    ) -> Result<Vec<SigningKey>, TxError<CatalogError>> {
        let insert = "INSERT INTO account_signing_keys (id, public_key, private_key, created_at, signs_from) \
                      VALUES ($1, $2, $3, $4, $5) ON CONFLICT (signs_from) DO NOTHING";
        let values = args![
            key.id.as_str(),
            key.public_key.as_str(),
            key.private_key.as_str(),
            key.created_at,
            key.signs_from,
        ];
        self.execute(insert, values).await?;
        let keys = self.signing_keys().await?;
        // A key signs until the next one does: that is the moment which must be past.
        for (next, key) in keys.iter().zip(keys.iter().skip(1)) {
            if next.signs_from < over {
                let delete = "DELETE FROM account_signing_keys WHERE id = $1";
                self.execute(delete, args![key.id.as_str()]).await?;
            }
        }
        self.signing_keys().await
    }
}

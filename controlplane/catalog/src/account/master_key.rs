//! Which master key the secrets in this catalog belong to.

use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::sql::{Tx, TxError, args, text_at, transaction};

impl Catalog {
    /// The mark of the master key that came first. `mark` is kept as that if there is none yet. It is a digest that tells
    /// nothing about the key; a process that finds another one than its own has another key and must not go on.
    pub async fn master_key_mark(&self, mark: &str) -> Result<String, CatalogError> {
        transaction!(self.store(), write, |tx| tx.master_key_mark(mark).await)
    }
}

impl Tx {
    async fn master_key_mark(&mut self, mark: &str) -> Result<String, TxError<CatalogError>> {
        let insert = "INSERT INTO account_master_key (id, mark) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
        self.execute(insert, args![mark]).await?;
        let rows = self
            .rows("SELECT mark FROM account_master_key WHERE id = 1", args![])
            .await?;
        match rows.first() {
            Some(row) => Ok(text_at(row, 0)?),
            None => Err(CatalogError::Corrupt("no mark of the master key after it was stored".into()).into()),
        }
    }
}

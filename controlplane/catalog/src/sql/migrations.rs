//! The versions of the two stores' tables, embedded in the binary.
//!
//! Each store has a row that says its version. Scripts that are newer than it run in one transaction; a store that
//! is newer than this binary is refused. An applied script is never edited: the next change is a next script.

use super::{Dialect, Tx, TxError, args, number_at};
use crate::cell::CatalogError;

/// A store: its version table and its scripts, version 1 first.
struct Versions {
    create: &'static str,
    read: &'static str,
    first: &'static str,
    update: &'static str,
    scripts: &'static [&'static str],
}

const ACCOUNT: Versions = Versions {
    create: "CREATE TABLE IF NOT EXISTS account_format (id BIGINT PRIMARY KEY, version BIGINT NOT NULL)",
    read: "SELECT version FROM account_format WHERE id = 1",
    first: "INSERT INTO account_format (id, version) VALUES (1, $1)",
    update: "UPDATE account_format SET version = $1 WHERE id = 1",
    scripts: &[
        include_str!("../../../../migrations/account/0001_account.sql"),
        include_str!("../../../../migrations/account/0002_accounts.sql"),
        include_str!("../../../../migrations/account/0003_access.sql"),
    ],
};

const CELL: Versions = Versions {
    create: "CREATE TABLE IF NOT EXISTS cell_format (id BIGINT PRIMARY KEY, version BIGINT NOT NULL)",
    read: "SELECT version FROM cell_format WHERE id = 1",
    first: "INSERT INTO cell_format (id, version) VALUES (1, $1)",
    update: "UPDATE cell_format SET version = $1 WHERE id = 1",
    scripts: &[
        include_str!("../../../../migrations/cell/0001_cell.sql"),
        include_str!("../../../../migrations/cell/0002_tenants.sql"),
        include_str!("../../../../migrations/cell/0003_access.sql"),
        include_str!("../../../../migrations/cell/0004_lag.sql"),
    ],
};

/// Any number that nothing else locks in this database: two processes that start at once take turns.
const TURN: &str = "SELECT pg_advisory_xact_lock(7308895158890161515)";

/// Brings both stores to this binary's version.
pub(super) async fn migrate(tx: &mut Tx) -> Result<(), TxError<CatalogError>> {
    if tx.dialect() == Dialect::Postgres {
        tx.execute(TURN, args![]).await?;
    }
    for store in [&ACCOUNT, &CELL] {
        migrate_store(tx, store).await?;
    }
    Ok(())
}

async fn migrate_store(tx: &mut Tx, store: &Versions) -> Result<(), TxError<CatalogError>> {
    tx.execute(store.create, args![]).await?;
    let found = match tx.row(store.read, args![]).await? {
        Some(row) => number_at::<i64>(&row, 0)?,
        None => {
            tx.execute(store.first, args![0_i64]).await?;
            0
        }
    };
    let supported = i64::try_from(store.scripts.len()).expect("a handful of scripts");
    if found > supported {
        return Err(CatalogError::NewerFormat { found, supported }.into());
    }
    let applied = usize::try_from(found)
        .map_err(|_| CatalogError::Corrupt(format!("the catalog's format version is {found}")))?;
    for script in &store.scripts[applied..] {
        tx.script(script).await?;
    }
    if found < supported {
        tx.execute(store.update, args![supported]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{ACCOUNT, CELL};

    /// The digests of the scripts that have landed, version 1 first. A line is added with a script and never changed.
    const LANDED: [(&str, &[&str], &[u64]); 2] = [
        (
            "account",
            ACCOUNT.scripts,
            &[
                0x9f91_7c26_907f_100d,
                0x7b9a_d668_b9be_568e,
                0x8658_4f4f_13ec_ef38,
            ],
        ),
        (
            "cell",
            CELL.scripts,
            &[
                0x5214_4c27_a62f_2ea9,
                0x5126_1913_d577_6f35,
                0x50c0_0969_80dd_38ac,
                0x803a_3594_a303_960d,
            ],
        ),
    ];

    /// FNV-1a: enough to tell an edited script from the one that landed.
    fn digest(text: &str) -> u64 {
        text.bytes().fold(0xcbf2_9ce4_8422_2325, |digest: u64, byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    #[test]
    fn a_script_that_has_landed_does_not_change() {
        for (store, scripts, landed) in LANDED {
            let digests: Vec<_> = scripts.iter().map(|script| digest(script)).collect();
            assert_eq!(
                digests, landed,
                "{store}: stores that ran a script never run it again; change the tables with a next one"
            );
        }
    }
}

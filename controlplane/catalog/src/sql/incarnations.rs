//! The rows of incarnations, and the locks on them that order seals and checkpoints.

use firn_runtime::Timestamp;
use sqlx::any::AnyRow;

use super::rows::{optional_id_at, optional_number_at, word, word_at};
use super::{Arg, Tx, TxError, args, id_at, json, json_at, number_at};
use crate::cell::{CatalogError, Incarnation, IncarnationState, WalLocation};
use crate::entities::Address;
use crate::feed::Change;
use crate::ids::{FeedSequence, IncarnationId, NodeId, Slot};

const COLUMNS: &str = "id, node, state, wal, opened_at, offloaded, fence, recovery_index, seal_order";

fn incarnation(row: &AnyRow) -> Result<Incarnation, CatalogError> {
    let fence = optional_number_at(row, 6)?;
    let negative = |_| CatalogError::Corrupt("a fence is negative".to_owned());
    Ok(Incarnation {
        id: id_at(row, 0)?,
        node: NodeId(number_at(row, 1)?),
        state: word_at(row, 2)?,
        wal: json_at(row, 3)?,
        opened_at: Timestamp(number_at(row, 4)?),
        offloaded: Slot(number_at(row, 5)?),
        fence: fence.map(u64::try_from).transpose().map_err(negative)?.map(Slot),
        recovery_index: optional_id_at(row, 7)?,
        seal_order: optional_number_at(row, 8)?,
    })
}

impl Tx {
    /// Locks the rows of these incarnations, in id order, and reads them.
    pub(super) async fn lock_incarnations(
        &mut self,
        ids: &[IncarnationId],
    ) -> Result<Vec<Incarnation>, TxError<CatalogError>> {
        let parameters: Vec<String> = (1..=ids.len()).map(|number| format!("${number}")).collect();
        let list = parameters.join(", ");
        let select =
            format!("SELECT {COLUMNS} FROM cell_incarnations WHERE id IN ({list}) ORDER BY id FOR UPDATE");
        let ids = ids.iter().map(|id| Arg::from(*id)).collect();
        let rows = self.rows(&select, ids).await?;
        Ok(rows.iter().map(incarnation).collect::<Result<_, _>>()?)
    }

    /// Locks the row of `id` and requires it to be open.
    pub(super) async fn lock_open(
        &mut self,
        id: IncarnationId,
    ) -> Result<Incarnation, TxError<CatalogError>> {
        let rows = self.lock_incarnations(&[id]).await?;
        Ok(open_one(&rows, id)?.clone())
    }

    pub(super) async fn open_incarnation(
        &mut self,
        id: IncarnationId,
        node: NodeId,
        wal: &WalLocation,
        now: Timestamp,
    ) -> Result<(), TxError<CatalogError>> {
        if let Some(row) = self.lock_incarnations(&[id]).await?.first() {
            return match row.state {
                IncarnationState::Open => Ok(()),
                state => Err(CatalogError::WrongState {
                    id,
                    state: Some(state),
                }
                .into()),
            };
        }
        let sequence = self.lock_feed().await?;
        let insert = "INSERT INTO cell_incarnations \
                      (id, opening, node, state, wal, opened_at, heartbeat_at, offloaded) \
                      VALUES ($1, $2, $3, $4, $5, $6, $6, 0)";
        let state = word(&IncarnationState::Open);
        self.execute(insert, args![id, sequence.0, node.0, state, json(wal), now])
            .await?;
        self.stamp(sequence, &[Change::IncarnationOpened { id, node }], now)
            .await?;
        Ok(())
    }

    pub(super) async fn advertise(
        &mut self,
        id: IncarnationId,
        address: &Address,
        internal: Option<&Address>,
        now: Timestamp,
    ) -> Result<(), TxError<CatalogError>> {
        self.lock_open(id).await?;
        let update = "UPDATE cell_incarnations SET address = $2, internal = $3 WHERE id = $1";
        self.execute(update, args![id, json(address), internal.map(json)])
            .await?;
        self.tell(
            Change::IncarnationAdvertised {
                id,
                address: address.clone(),
                internal: internal.cloned(),
            },
            now,
        )
        .await?;
        Ok(())
    }

    pub(super) async fn incarnations(&mut self) -> Result<Vec<Incarnation>, TxError<CatalogError>> {
        let select = format!("SELECT {COLUMNS} FROM cell_incarnations ORDER BY opening");
        let rows = self.rows(&select, args![]).await?;
        Ok(rows.iter().map(incarnation).collect::<Result<_, _>>()?)
    }

    /// Notes up to where in the feed an open incarnation serves; never takes anything back.
    pub(crate) async fn report_applied(
        &mut self,
        id: IncarnationId,
        applied: FeedSequence,
    ) -> Result<(), TxError<CatalogError>> {
        let update =
            "UPDATE cell_incarnations SET applied = $2 WHERE id = $1 AND state = 'open' AND applied < $2";
        self.execute(update, args![id, applied.0]).await?;
        Ok(())
    }

    /// Whether an open incarnation does not serve up to `sequence` yet, heard of or not.
    pub(crate) async fn someone_lags(
        &mut self,
        sequence: FeedSequence,
    ) -> Result<bool, TxError<CatalogError>> {
        let select = "SELECT COUNT(*) FROM cell_incarnations WHERE state = 'open' AND applied < $1";
        let row = self.row(select, args![sequence.0]).await?;
        let lagging: i64 = row.map_or(Ok(0), |row| number_at(&row, 0))?;
        Ok(lagging > 0)
    }

    pub(super) async fn heartbeat(
        &mut self,
        id: IncarnationId,
        now: Timestamp,
    ) -> Result<(), TxError<CatalogError>> {
        let update = "UPDATE cell_incarnations SET heartbeat_at = $2 WHERE id = $1 AND state = 'open'";
        match self.execute(update, args![id, now]).await? {
            0 => Err(CatalogError::NotOpen(id).into()),
            _ => Ok(()),
        }
    }
}

/// The row of `id` among locked ones, if it is open.
pub(super) fn open_one(rows: &[Incarnation], id: IncarnationId) -> Result<&Incarnation, CatalogError> {
    let open = |row: &&Incarnation| row.id == id && row.state == IncarnationState::Open;
    rows.iter().find(open).ok_or(CatalogError::NotOpen(id))
}

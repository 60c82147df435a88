//! The three transactions of a takeover.

use firn_runtime::Timestamp;

use super::incarnations::open_one;
use super::rows::{word, word_at};
use super::{Tx, TxError, args, id_at, number_at};
use crate::cell::{CatalogError, Incarnation, IncarnationState, ObjectKind, ObjectRow};
use crate::feed::Change;
use crate::ids::{IncarnationId, ObjectId, Slot};

/// The row of an incarnation that `sealer`, which is open, takes over.
fn taken_over(
    rows: &[Incarnation],
    sealer: IncarnationId,
    dead: IncarnationId,
) -> Result<&Incarnation, CatalogError> {
    open_one(rows, sealer)?;
    if sealer == dead {
        return Err(CatalogError::WrongState {
            id: dead,
            state: Some(IncarnationState::Open),
        });
    }
    rows.iter()
        .find(|row| row.id == dead)
        .ok_or(CatalogError::WrongState {
            id: dead,
            state: None,
        })
}

impl Tx {
    pub(super) async fn claim_seal(
        &mut self,
        sealer: IncarnationId,
        dead: IncarnationId,
        now: Timestamp,
    ) -> Result<Incarnation, TxError<CatalogError>> {
        let rows = self.lock_incarnations(&[sealer, dead]).await?;
        let row = taken_over(&rows, sealer, dead)?;
        let claimed = Incarnation {
            state: IncarnationState::Sealing,
            ..row.clone()
        };
        match row.state {
            IncarnationState::Sealing => Ok(claimed),
            IncarnationState::Open => {
                let update = "UPDATE cell_incarnations SET state = $2 WHERE id = $1";
                self.execute(update, args![dead, word(&IncarnationState::Sealing)])
                    .await?;
                let change = Change::IncarnationClosed {
                    id: dead,
                    state: IncarnationState::Sealing,
                };
                self.tell(change, now).await?;
                Ok(claimed)
            }
            state @ (IncarnationState::Sealed | IncarnationState::Drained) => Err(CatalogError::WrongState {
                id: dead,
                state: Some(state),
            }
            .into()),
        }
    }

    pub(super) async fn complete_seal(
        &mut self,
        sealer: IncarnationId,
        dead: IncarnationId,
        (fence, recovery_index): (Slot, ObjectId),
        heir: IncarnationId,
        now: Timestamp,
    ) -> Result<(), TxError<CatalogError>> {
        let rows = self.lock_incarnations(&[sealer, dead, heir]).await?;
        let row = taken_over(&rows, sealer, dead)?;
        match row.state {
            IncarnationState::Sealing => {}
            IncarnationState::Sealed if row.recovery_index == Some(recovery_index) => return Ok(()),
            state => {
                return Err(CatalogError::WrongState {
                    id: dead,
                    state: Some(state),
                }
                .into());
            }
        }
        open_one(&rows, heir)?;
        let reassign =
            "UPDATE cell_partitions SET owner = $2, leader_epoch = leader_epoch + 1 WHERE owner = $1";
        self.execute(reassign, args![dead, heir]).await?;
        let live =
            "UPDATE cell_objects SET state = 'live' WHERE id = $1 AND state = 'registered' AND kind = $2";
        if self
            .execute(live, args![recovery_index, word(&ObjectKind::RecoveryIndex)])
            .await?
            == 0
        {
            return Err(CatalogError::ObjectNotRegistered(recovery_index).into());
        }
        // Under the feed's lock, so that two seals cannot read the same highest order.
        let sequence = self.lock_feed().await?;
        let select = "SELECT COALESCE(MAX(seal_order), 0) FROM cell_incarnations";
        let last = match self.row(select, args![]).await? {
            Some(row) => number_at::<i64>(&row, 0)?,
            None => 0,
        };
        let update = "UPDATE cell_incarnations SET state = $2, fence = $3, recovery_index = $4, seal_order = $5 \
                      WHERE id = $1";
        let state = word(&IncarnationState::Sealed);
        self.execute(update, args![dead, state, fence, recovery_index, last + 1])
            .await?;
        let changes = [
            Change::IncarnationClosed {
                id: dead,
                state: IncarnationState::Sealed,
            },
            Change::OwnershipMoved { from: dead, to: heir },
        ];
        self.stamp(sequence, &changes, now).await?;
        Ok(())
    }

    pub(super) async fn drain(
        &mut self,
        by: IncarnationId,
        dead: IncarnationId,
        objects: &[ObjectRow],
        now: Timestamp,
    ) -> Result<(), TxError<CatalogError>> {
        let rows = self.lock_incarnations(&[by, dead]).await?;
        open_one(&rows, by)?;
        let unknown = CatalogError::WrongState {
            id: dead,
            state: None,
        };
        let row = rows.iter().find(|row| row.id == dead).ok_or(unknown)?;
        match row.state {
            IncarnationState::Sealed => {}
            IncarnationState::Drained if self.all_were_live(objects).await? => return Ok(()),
            state => {
                return Err(CatalogError::WrongState {
                    id: dead,
                    state: Some(state),
                }
                .into());
            }
        }
        let earlier = "SELECT id, state FROM cell_incarnations WHERE state = 'sealed' AND seal_order < $1 \
                       ORDER BY seal_order LIMIT 1";
        if let Some(earlier) = self.row(earlier, args![row.seal_order]).await? {
            let (id, state) = (id_at(&earlier, 0)?, Some(word_at(&earlier, 1)?));
            return Err(CatalogError::WrongState { id, state }.into());
        }
        self.make_live(objects).await?;
        if let Some(index) = row.recovery_index {
            self.mark_live_ones(&[index], now).await?;
        }
        let update = "UPDATE cell_incarnations SET state = $2 WHERE id = $1";
        self.execute(update, args![dead, word(&IncarnationState::Drained)])
            .await?;
        Ok(())
    }
}

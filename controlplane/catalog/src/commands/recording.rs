//! What every command does: ask the authorizer, tell feed and audit, count itself.

use super::{Actor, CommandError, Operation, Resource};
use crate::acl::is_super_user;
use crate::catalog::{Catalog, Judging};
use crate::feed::Change;
use crate::ids::{AuditId, ClusterId, FeedSequence};
use crate::image::Image;
use crate::metrics;
use crate::sql::{AuditEntry, Audited, Tx, TxError};

impl Catalog {
    pub(super) fn authorize(
        &self,
        actor: &Actor,
        operation: Operation,
        resource: &Resource,
    ) -> Result<(), CommandError> {
        let image = match self.judging_image() {
            Judging::Image(image) => Some(image),
            Judging::NotYet => None,
            // The bindings are not known any more, nor what they deny.
            Judging::Lost if is_super_user(&actor.principal, resource.cluster()) => None,
            Judging::Lost => return Err(CommandError::NotAuthorized),
        };
        self.judged(actor, image.as_deref(), operation, resource)
    }

    /// Decides about what is done to the cluster as a whole, and to who may do what there, by the bindings that the store holds: the image
    /// of this process may be behind what another one has written.
    pub(super) async fn authorize_by_rows(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        operation: Operation,
        cluster: ClusterId,
    ) -> Result<(), TxError<CommandError>> {
        let mut image = Image::default();
        image.allow_unnamed(self.allows_unnamed());
        for stored in tx.acls_about_cluster(cluster).await? {
            image.put_acl(cluster, stored);
        }
        self.judged(actor, Some(&image), operation, &Resource::Cluster(cluster))?;
        Ok(())
    }

    fn judged(
        &self,
        actor: &Actor,
        image: Option<&Image>,
        operation: Operation,
        resource: &Resource,
    ) -> Result<(), CommandError> {
        match self.authorizer().allows(actor, image, operation, resource) {
            true => Ok(()),
            false => Err(CommandError::NotAuthorized),
        }
    }

    /// Writes the audit row and stamps the change: the last that a command does before its commit.
    pub(super) async fn record(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        cluster: ClusterId,
        audited: Audited<'_>,
        change: Change,
    ) -> Result<FeedSequence, TxError<CommandError>> {
        self.record_all(tx, actor, cluster, vec![audited], change).await
    }

    /// Writes the audit rows of one change, at least one.
    pub(super) async fn record_all(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        cluster: ClusterId,
        audited: Vec<Audited<'_>>,
        change: Change,
    ) -> Result<FeedSequence, TxError<CommandError>> {
        let now = self.env().now();
        let head = tx.lock_audit_head(cluster).await?;
        let sequence = tx.tell(change, now).await?;
        let entries = audited.into_iter().map(|audited| AuditEntry {
            id: AuditId(self.env().random_u128()),
            actor,
            cluster,
            audited,
        });
        tx.audit(&head, entries.collect(), sequence, now).await?;
        Ok(sequence)
    }

    /// Counts the command and wakes the followers.
    pub(super) fn finish<T>(
        &self,
        name: &'static str,
        outcome: Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        metrics::command(name, outcome.is_ok());
        self.hint_after(outcome)
    }
}

//! The audit topics of clusters: whoever leads one appends what its cluster's trail holds and the topic does not.
//!
//! The record at offset `n` is the row at position `n + 1`, so the end of the log tells what comes next: nothing is remembered, nothing is
//! appended twice, and a successor goes on where the log that it took over ends. The catalog is asked about once a second; while it is away
//! the topics wait.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use firn_catalog::Catalog;
use firn_catalog::audit::AUDIT_TOPIC;
use firn_catalog::audit::chain::Line;
use firn_catalog::cell::CatalogError;
use firn_catalog::ids::{ClusterId, PartitionId};
use firn_catalog::image::{Image, ImageFollower};
use firn_log::batch::BatchBuilder;
use firn_log::engine::Log;
use firn_log::partition::{AppendError, Partition};
use firn_runtime::Env;
use tracing::{debug, error};

/// How often it is looked what is new.
const PERIOD: Duration = Duration::from_millis(500);
/// Bytes of records in a batch.
const MOST_BATCH: usize = 512 << 10;

/// Why a topic could not be brought up to its trail.
#[derive(Debug, thiserror::Error)]
enum Behind {
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error("the log has ended")]
    Halted,
    #[error("the row at position {0} does not follow")]
    Gap(i64),
    #[error("the topic holds {end} rows and the trail {head}: the catalog was set back")]
    Ahead { end: i64, head: i64 },
}

/// Keeps audit topics for as long as the broker serves.
pub(crate) struct AuditTopics {
    pub(crate) env: Env,
    pub(crate) log: Arc<Log>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) images: Arc<ImageFollower>,
    /// Those whose trouble has been told.
    pub(crate) troubled: BTreeSet<ClusterId>,
}

impl AuditTopics {
    /// Looks and appends, for ever.
    pub(crate) async fn run(mut self) {
        loop {
            let led = self.led(&self.images.image());
            if !led.is_empty()
                && let Err(error) = self.round(&led).await
            {
                debug!(%error, "audit topics wait");
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// The audit topics that this broker leads.
    fn led(&self, image: &Image) -> Vec<(ClusterId, Arc<Partition>)> {
        let own = self.log.incarnation();
        let led = image.clusters().filter_map(|cluster| {
            let topic = image
                .topic_by_name(cluster.id, AUDIT_TOPIC)
                .filter(|topic| topic.audit)?;
            let id = PartitionId {
                topic: topic.id,
                index: 0,
            };
            image.leadership(id).filter(|leads| leads.owner == own)?;
            Some((cluster.id, self.log.partition(id)?))
        });
        led.collect()
    }

    async fn round(&mut self, led: &[(ClusterId, Arc<Partition>)]) -> Result<(), CatalogError> {
        let clusters: Vec<_> = led.iter().map(|(cluster, _)| *cluster).collect();
        let heads = self.catalog.audit_positions(&clusters).await?;
        for (cluster, partition) in led {
            let head = heads.iter().find(|(of, _)| of == cluster);
            let head = head.map_or(0, |(_, position)| *position);
            let end = partition.offsets().log_end.0;
            let outcome = match end > head {
                true => Err(Behind::Ahead { end, head }),
                false => self.bring_up(*cluster, partition, head).await,
            };
            // The trouble of one is not that of others.
            match outcome {
                Ok(()) => {
                    self.troubled.remove(cluster);
                }
                Err(Behind::Catalog(error)) => return Err(error),
                Err(error) if self.troubled.insert(*cluster) => {
                    error!(%cluster, %error, "an audit topic is not its trail; trying again");
                }
                Err(error) => debug!(%cluster, %error, "an audit topic is not its trail; trying again"),
            }
        }
        Ok(())
    }

    /// Appends what there is up to a position.
    async fn bring_up(&self, cluster: ClusterId, partition: &Partition, head: i64) -> Result<(), Behind> {
        while partition.offsets().log_end.0 < head {
            let end = partition.offsets().log_end.0;
            let lines = self.catalog.audit_lines(cluster, end).await?;
            for (line, position) in lines.iter().zip(end + 1..) {
                if line.position != position {
                    return Err(Behind::Gap(line.position));
                }
            }
            if lines.is_empty() {
                return Err(Behind::Gap(end + 1));
            }
            let mut last = None;
            for batch in batches(&lines) {
                self.log.room().await;
                last = partition.append(batch, self.env.now())?.slot.max(last);
            }
            if let Some(slot) = last {
                self.log.wait(slot).await.map_err(|_| Behind::Halted)?;
            }
        }
        Ok(())
    }
}

/// The lines as records: the row's id, the line as an export has it, at the time of the row.
fn batches(lines: &[Line]) -> Vec<BytesMut> {
    let mut batches = Vec::new();
    let (mut batch, mut bytes) = (BatchBuilder::new(), 0);
    for line in lines {
        let text = line.text();
        if bytes > 0 && bytes + text.len() > MOST_BATCH {
            batches.push(std::mem::take(&mut batch).build());
            bytes = 0;
        }
        bytes += text.len();
        let at = line.chained().map_or(0, |chained| chained.at.0);
        batch = batch.record(at, Some(line.id.as_bytes()), Some(text.as_bytes()));
    }
    if bytes > 0 {
        batches.push(batch.build());
    }
    batches
}

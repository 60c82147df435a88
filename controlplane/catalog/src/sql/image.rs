//! Loading an image: all that brokers see, in one snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_runtime::Timestamp;

use super::clusters::{CLUSTER_COLUMNS, cluster_at};
use super::rows::optional_text_at;
use super::{Tx, TxError, args, id_at, json_at, number_at, text_at};
use crate::cell::CatalogError;
use crate::commands::credentials::{COLUMNS, credential_at};
use crate::ids::{LeaderEpoch, NodeId, TopicId};
use crate::image::{Image, ImageBroker, ImageTopic, Leadership};

impl Tx {
    /// The image at the feed's head. Needs a transaction that sees one state.
    pub(crate) async fn load_image(&mut self) -> Result<Image, TxError<CatalogError>> {
        let mut image = Image::at(self.feed_head().await?);
        self.load_clusters(&mut image).await?;
        self.load_brokers(&mut image).await?;
        self.load_topics(&mut image).await?;
        self.load_credentials(&mut image).await?;
        self.load_access(&mut image).await?;
        Ok(image)
    }

    async fn load_clusters(&mut self, image: &mut Image) -> Result<(), TxError<CatalogError>> {
        let select = format!("SELECT {CLUSTER_COLUMNS} FROM cell_clusters");
        for row in self.rows(&select, args![]).await? {
            image.put_cluster(cluster_at(&row)?);
        }
        Ok(())
    }

    async fn load_credentials(&mut self, image: &mut Image) -> Result<(), TxError<CatalogError>> {
        let select = format!("SELECT {COLUMNS} FROM cell_credentials");
        for row in self.rows(&select, args![]).await? {
            image.put_credential(credential_at(&row)?);
        }
        Ok(())
    }

    async fn load_brokers(&mut self, image: &mut Image) -> Result<(), TxError<CatalogError>> {
        let select = "SELECT id, node, address, internal FROM cell_incarnations WHERE state = 'open'";
        for row in self.rows(select, args![]).await? {
            let address_at = |column| match optional_text_at(&row, column)? {
                Some(_) => json_at(&row, column).map(Some),
                None => Ok(None),
            };
            image.put_broker(ImageBroker {
                id: id_at(&row, 0)?,
                node: NodeId(number_at(&row, 1)?),
                address: address_at(2)?,
                internal: address_at(3)?,
            });
        }
        Ok(())
    }

    async fn load_topics(&mut self, image: &mut Image) -> Result<(), TxError<CatalogError>> {
        let mut leaders: BTreeMap<TopicId, Vec<Leadership>> = BTreeMap::new();
        let select = "SELECT topic, owner, leader_epoch FROM cell_partitions ORDER BY topic, number";
        for row in self.rows(select, args![]).await? {
            let leadership = Leadership {
                owner: id_at(&row, 1)?,
                epoch: LeaderEpoch(number_at(&row, 2)?),
            };
            leaders.entry(id_at(&row, 0)?).or_default().push(leadership);
        }
        let select = "SELECT id, cluster, name, partitions, configs, created_at FROM cell_topics";
        for row in self.rows(select, args![]).await? {
            let id: TopicId = id_at(&row, 0)?;
            let partitions = leaders.remove(&id).unwrap_or_default();
            if partitions.len() != number_at::<usize>(&row, 3)? {
                let problem = format!(
                    "topic {id} has {} partition rows, not as many as it says",
                    partitions.len()
                );
                return Err(CatalogError::Corrupt(problem).into());
            }
            image.put_topic(ImageTopic {
                id,
                cluster: id_at(&row, 1)?,
                name: text_at(&row, 2)?.into(),
                configs: Arc::new(json_at(&row, 4)?),
                created_at: Timestamp(number_at(&row, 5)?),
                partitions: Arc::new(partitions),
                audit: false,
            });
        }
        Ok(())
    }
}

//! Where partitions begin and end: of this broker, and of the others that lead some.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use firn_catalog::entities::Address;
use firn_catalog::ids::{IncarnationId, PartitionId};
use firn_catalog::image::Image;
use firn_catalog::lag::positions::{
    AskedPosition, INTERNAL_POSITIONS, MOST_POSITIONS, Position, decode_told, encode_asked,
};
use firn_coordinator::api::CommittedIn;
use futures::future::join_all;
use tracing::debug;

use crate::internal::peer::Peer;
use crate::internal::positions::position;
use crate::serving::shared::Serving;

/// How long another broker may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What leaders say, by partition and offset.
pub(super) struct Positions(BTreeMap<(PartitionId, i64), Position>);

impl Positions {
    /// Asks for all that these groups need. Of brokers that do not answer nothing is known.
    pub(super) async fn of(serving: &Serving, image: &Image, groups: &[CommittedIn]) -> Self {
        let own = serving.log.incarnation();
        let mut known = BTreeMap::new();
        let mut others: BTreeMap<IncarnationId, Vec<AskedPosition>> = BTreeMap::new();
        for (partition, offset) in groups.iter().flat_map(|group| &group.offsets) {
            let (partition, offset) = (*partition, *offset);
            match image.leadership(partition) {
                Some(leads) if leads.owner == own => {
                    let position = position(&serving.log, partition, offset);
                    known.extend(position.map(|position| ((partition, offset), position)));
                }
                Some(leads) => {
                    let asked = AskedPosition { partition, offset };
                    others.entry(leads.owner).or_default().push(asked);
                }
                None => {}
            }
        }
        let told = others.into_iter().filter_map(|(owner, asked)| {
            let address = image.broker(owner)?.internal.clone()?;
            Some(async move { told(serving, &address, asked).await })
        });
        known.extend(join_all(told).await.into_iter().flatten());
        Self(known)
    }

    /// What is known of a partition, for somebody at that offset.
    pub(super) fn at(&self, partition: PartitionId, offset: i64) -> Option<Position> {
        self.0.get(&(partition, offset)).copied()
    }
}

/// What another broker says.
async fn told(
    serving: &Serving,
    address: &Address,
    asked: Vec<AskedPosition>,
) -> Vec<((PartitionId, i64), Position)> {
    let answered = tokio::time::timeout(PATIENCE, ask(serving, address, &asked)).await;
    let answered = answered.unwrap_or_else(|late| Err(std::io::Error::other(late)));
    match answered {
        Ok(told) => told,
        Err(error) => {
            debug!(%address, %error, "another broker does not tell where its partitions end");
            Vec::new()
        }
    }
}

async fn ask(
    serving: &Serving,
    address: &Address,
    asked: &[AskedPosition],
) -> std::io::Result<Vec<((PartitionId, i64), Position)>> {
    let (own, secrets) = (serving.log.incarnation(), &serving.logins.keys.secrets);
    let mut peer = Peer::connect(own, address, &serving.env, secrets).await?;
    let mut all = Vec::with_capacity(asked.len());
    for part in asked.chunks(MOST_POSITIONS) {
        let answer = peer.say(&message(part)).await?;
        let told = decode_told(&answer, part.len());
        let told = told.ok_or_else(|| std::io::Error::other("an answer about other partitions"))?;
        let with_position = part.iter().zip(told).filter_map(|(asked, position)| {
            let key = (asked.partition, asked.offset);
            position.map(|position| (key, position))
        });
        all.extend(with_position);
    }
    Ok(all)
}

fn message(asked: &[AskedPosition]) -> Bytes {
    let mut message = BytesMut::new();
    message.put_u8(INTERNAL_POSITIONS);
    message.extend_from_slice(&encode_asked(asked));
    message.freeze()
}

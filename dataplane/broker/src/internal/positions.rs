//! Where partitions that this broker leads begin and end, and how old what comes at an offset is. Nothing is read for it.

use bytes::Bytes;
use firn_catalog::acl::{Asked, Operation, ResourceName};
use firn_catalog::ids::{Offset, PartitionId};
use firn_catalog::lag::positions::{AskedPosition, Position, encode_told};
use firn_log::engine::Log;

use crate::serving::request::Identity;
use crate::serving::shared::Serving;

/// The position of a partition, as somebody at `offset` (-1: at none) needs it; `None`: it is not led here.
pub(crate) fn position(log: &Log, partition: PartitionId, offset: i64) -> Option<Position> {
    let partition = log.partition(partition)?;
    let offsets = partition.offsets();
    Some(Position {
        log_start: offsets.log_start.0,
        end: offsets.high_watermark.0,
        time_ms: (offset >= 0)
            .then(|| partition.time_near(Offset(offset)))
            .flatten(),
    })
}

/// For another broker of the cell.
pub(super) fn of_all(serving: &Serving, asked: &[AskedPosition]) -> Bytes {
    let told = asked
        .iter()
        .map(|asked| position(&serving.log, asked.partition, asked.offset));
    encode_told(&told.collect::<Vec<_>>()).into()
}

/// For somebody in a cluster. Topics that are not theirs to see are told like those that there are not.
pub(super) fn of_cluster(serving: &Serving, identity: &Identity, asked: &[AskedPosition]) -> Bytes {
    let image = serving.image();
    let mut last = None;
    let mut seen = |asked: &AskedPosition| {
        let topic = asked.partition.topic;
        if let Some((known, seen)) = last
            && known == topic
        {
            return seen;
        }
        let found = image
            .topic(topic)
            .filter(|topic| topic.cluster == identity.cluster);
        let seen = found.is_some_and(|topic| {
            let asked = Asked {
                principal: &identity.principal,
                host: Some(identity.address),
                operation: Operation::Describe,
                cluster: identity.cluster,
                resource: ResourceName::Topic(&topic.name),
            };
            serving.authorizer.allows(&image, &asked)
        });
        last = Some((topic, seen));
        seen
    };
    let told = asked.iter().map(|asked| match seen(asked) {
        true => position(&serving.log, asked.partition, asked.offset),
        false => None,
    });
    encode_told(&told.collect::<Vec<_>>()).into()
}

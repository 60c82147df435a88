//! The bytes of internal messages: docs/formats/internal.md.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use firn_catalog::ids::ClusterId;
use firn_catalog::internal::{INTERNAL_QUESTION, Question};
use firn_catalog::lag::positions::{self, AskedPosition, INTERNAL_POSITIONS};

use crate::quotas::Demand;

const DEMANDS: u8 = 1;
/// How many clusters one message tells of.
pub(crate) const MOST_CLUSTERS: usize = 10_000;
/// The longest question.
const MOST_QUESTION: usize = 1_024;
/// A cluster and two numbers.
const ENTRY: usize = 16 + 8 + 8;

/// What somebody says or asks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message {
    /// The control plane asks.
    Question(Question),
    /// Somebody asks where partitions begin and end.
    Positions(Vec<AskedPosition>),
    /// A broker says what is wanted of it.
    /// By cluster, in bytes a second.
    Demands(Vec<(ClusterId, Demand)>),
}

/// What demands are sent as. Of more clusters than fit, those with the least are left out.
pub(crate) fn encode_demands(demands: &mut Vec<(ClusterId, Demand)>) -> Bytes {
    if demands.len() > MOST_CLUSTERS {
        let sum = |demand: &Demand| demand.ingress + demand.egress;
        demands.sort_by(|(_, a), (_, b)| sum(b).total_cmp(&sum(a)));
        demands.truncate(MOST_CLUSTERS);
    }
    let mut out = BytesMut::with_capacity(5 + demands.len() * ENTRY);
    out.put_u8(DEMANDS);
    out.put_u32(u32::try_from(demands.len()).unwrap_or(0));
    for (cluster, demand) in demands {
        out.put_u128(cluster.0);
        out.put_u64(demand.ingress as u64);
        out.put_u64(demand.egress as u64);
    }
    out.freeze()
}

/// Reads a message; `None`: it is none.
pub(crate) fn decode(mut body: &[u8]) -> Option<Message> {
    match body.try_get_u8().ok()? {
        INTERNAL_QUESTION if body.len() <= MOST_QUESTION => {
            let question = serde_json::from_slice(body).ok()?;
            Some(Message::Question(question))
        }
        DEMANDS => {
            let count = usize::try_from(body.try_get_u32().ok()?).ok()?;
            if count > MOST_CLUSTERS || body.len() != count * ENTRY {
                return None;
            }
            let entry = |mut entry: &[u8]| {
                let cluster = ClusterId(entry.get_u128());
                let demand = Demand {
                    ingress: entry.get_u64() as f64,
                    egress: entry.get_u64() as f64,
                };
                (cluster, demand)
            };
            let demands = body.chunks_exact(ENTRY).map(entry).collect();
            Some(Message::Demands(demands))
        }
        INTERNAL_POSITIONS => positions::decode_asked(body).map(Message::Positions),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(ingress: f64) -> Demand {
        Demand { ingress, egress: 7.0 }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let mut demands = vec![(ClusterId(1), demand(10.0)), (ClusterId(2), demand(20.0))];
        let bytes = encode_demands(&mut demands);
        assert_eq!(decode(&bytes), Some(Message::Demands(demands)));
        assert_eq!(
            decode(b"\0\"throttles\""),
            Some(Message::Question(Question::Throttles))
        );
    }

    #[test]
    fn of_too_many_clusters_those_with_most_are_told() {
        let mut demands: Vec<_> = (0..2 * MOST_CLUSTERS as u128)
            .map(|cluster| (ClusterId(cluster), demand(cluster as f64)))
            .collect();
        let bytes = encode_demands(&mut demands);
        let Some(Message::Demands(demands)) = decode(&bytes) else {
            panic!("it is no message");
        };
        assert_eq!(demands.len(), MOST_CLUSTERS);
        assert!(
            demands
                .iter()
                .all(|(cluster, _)| cluster.0 >= MOST_CLUSTERS as u128)
        );
    }

    #[test]
    fn no_bytes_make_it_panic_or_take_memory_that_was_not_sent() {
        let good = encode_demands(&mut vec![(ClusterId(1), demand(1.0))]);
        for length in 0..good.len() {
            assert_eq!(decode(&good[..length]), None, "{length}");
        }
        let mut many = good.to_vec();
        many[1..5].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(decode(&many), None);
        let none: [&[u8]; 6] = [b"", b"\0", b"\0{}", b"\0\"other\"", b"\x02x", b"\x03"];
        for question in none {
            assert_eq!(decode(question), None, "{question:?}");
        }
        let mut deep = vec![INTERNAL_QUESTION];
        deep.extend(std::iter::repeat_n(b'[', 100_000));
        assert_eq!(decode(&deep), None);
        let mut seed = 1_u64;
        for _ in 0..20_000 {
            let bytes: Vec<u8> = (0..seed % 80)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (seed >> 56) as u8
                })
                .collect();
            decode(&bytes);
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        }
    }
}

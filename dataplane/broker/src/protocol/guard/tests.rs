//! The guard reads what the codecs read, for every API and version that is served.

use bytes::{BufMut, BytesMut};
use kafka_protocol::messages as m;
use kafka_protocol::protocol::Decodable;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::handlers::TABLE;
use crate::protocol::schema::generated::{Width, request};
use crate::protocol::writing::varint;

/// Decodes with the codec of that API; the bytes that are left.
fn decode(api: m::ApiKey, version: i16, body: &[u8]) -> Result<usize, String> {
    fn with<R: Decodable>(version: i16, body: &[u8]) -> Result<usize, String> {
        let mut bytes = bytes::Bytes::copy_from_slice(body);
        R::decode(&mut bytes, version).map_err(|error| error.to_string())?;
        Ok(bytes.len())
    }
    use m::ApiKey as Key;
    match api {
        Key::Fetch => with::<m::FetchRequest>(version, body),
        Key::ListOffsets => with::<m::ListOffsetsRequest>(version, body),
        Key::Metadata => with::<m::MetadataRequest>(version, body),
        Key::OffsetCommit => with::<m::OffsetCommitRequest>(version, body),
        Key::OffsetFetch => with::<m::OffsetFetchRequest>(version, body),
        Key::FindCoordinator => with::<m::FindCoordinatorRequest>(version, body),
        Key::JoinGroup => with::<m::JoinGroupRequest>(version, body),
        Key::Heartbeat => with::<m::HeartbeatRequest>(version, body),
        Key::LeaveGroup => with::<m::LeaveGroupRequest>(version, body),
        Key::SyncGroup => with::<m::SyncGroupRequest>(version, body),
        Key::DescribeGroups => with::<m::DescribeGroupsRequest>(version, body),
        Key::ListGroups => with::<m::ListGroupsRequest>(version, body),
        Key::DeleteGroups => with::<m::DeleteGroupsRequest>(version, body),
        Key::OffsetDelete => with::<m::OffsetDeleteRequest>(version, body),
        Key::ApiVersions => with::<m::ApiVersionsRequest>(version, body),
        Key::CreateTopics => with::<m::CreateTopicsRequest>(version, body),
        Key::DeleteTopics => with::<m::DeleteTopicsRequest>(version, body),
        Key::DeleteRecords => with::<m::DeleteRecordsRequest>(version, body),
        Key::InitProducerId => with::<m::InitProducerIdRequest>(version, body),
        Key::OffsetForLeaderEpoch => with::<m::OffsetForLeaderEpochRequest>(version, body),
        Key::DescribeConfigs => with::<m::DescribeConfigsRequest>(version, body),
        Key::AlterConfigs => with::<m::AlterConfigsRequest>(version, body),
        Key::DescribeLogDirs => with::<m::DescribeLogDirsRequest>(version, body),
        Key::CreatePartitions => with::<m::CreatePartitionsRequest>(version, body),
        Key::IncrementalAlterConfigs => with::<m::IncrementalAlterConfigsRequest>(version, body),
        Key::DescribeCluster => with::<m::DescribeClusterRequest>(version, body),
        Key::DescribeProducers => with::<m::DescribeProducersRequest>(version, body),
        Key::ListConfigResources => with::<m::ListConfigResourcesRequest>(version, body),
        Key::DescribeTopicPartitions => with::<m::DescribeTopicPartitionsRequest>(version, body),
        Key::SaslHandshake => with::<m::SaslHandshakeRequest>(version, body),
        Key::SaslAuthenticate => with::<m::SaslAuthenticateRequest>(version, body),
        Key::DescribeClientQuotas => with::<m::DescribeClientQuotasRequest>(version, body),
        Key::AlterClientQuotas => with::<m::AlterClientQuotasRequest>(version, body),
        Key::DescribeUserScramCredentials => with::<m::DescribeUserScramCredentialsRequest>(version, body),
        Key::AlterUserScramCredentials => with::<m::AlterUserScramCredentialsRequest>(version, body),
        Key::DescribeAcls => with::<m::DescribeAclsRequest>(version, body),
        Key::CreateAcls => with::<m::CreateAclsRequest>(version, body),
        Key::DeleteAcls => with::<m::DeleteAclsRequest>(version, body),
        other => panic!("{other:?} is served but not tested here"),
    }
}

fn for_every_version(mut test: impl FnMut(m::ApiKey, i16, &'static Schema)) {
    for api in TABLE {
        let Some(schema) = api.schema else { continue };
        for version in api.versions.clone() {
            test(api.key, version, schema);
        }
    }
}

#[test]
fn a_well_formed_request_passes_and_is_read_to_its_end() {
    let mut random = StdRng::seed_from_u64(1);
    for_every_version(|api, version, schema| {
        for round in 0..50 {
            let body = request(schema, version, &mut random, round == 0).body;
            let mut walk = Walk {
                cursor: Cursor::new(&body),
                version,
                flexible: version >= schema.flexible_from,
                cost: 0,
                budget: budget(body.len()),
            };
            assert_eq!(walk.shape(schema.root), Ok(()), "{api:?} {version} {body:?}");
            assert_eq!(walk.cursor.remaining(), 0, "{api:?} {version} {body:?}");
            assert_eq!(decode(api, version, &body), Ok(0), "{api:?} {version} {body:?}");
        }
    });
}

#[test]
fn a_request_that_is_cut_short_is_refused() {
    let mut random = StdRng::seed_from_u64(2);
    for_every_version(|api, version, schema| {
        let body = request(schema, version, &mut random, false).body;
        for length in 0..body.len() {
            assert!(
                check(&body[..length], schema, version).is_err(),
                "{api:?} {version} {length}"
            );
        }
    });
}

#[test]
fn a_huge_length_anywhere_is_refused() {
    let mut random = StdRng::seed_from_u64(3);
    for_every_version(|api, version, schema| {
        for _ in 0..20 {
            let generated = request(schema, version, &mut random, false);
            for (place, width) in generated.lengths {
                let mut body = BytesMut::from(&generated.body[..place]);
                let old = match width {
                    Width::Varint => {
                        varint(&mut body, u32::MAX - random.random_range(0..10));
                        1
                    }
                    Width::Two => {
                        body.put_i16(i16::MAX);
                        2
                    }
                    Width::Four => {
                        body.put_i32(i32::MAX);
                        4
                    }
                };
                body.put_slice(&generated.body[place + old..]);
                assert!(
                    check(&body, schema, version).is_err(),
                    "{api:?} {version} at {place}"
                );
            }
        }
    });
}

#[test]
fn what_would_cost_many_times_its_size_is_refused() {
    // A million empty names: two bytes each on the wire, over seventy in memory.
    let mut body = BytesMut::new();
    body.put_i32(1_000_000);
    body.put_bytes(0, 2_000_000);
    let schema = &crate::protocol::schema::METADATA;
    assert_eq!(check(&body, schema, 0), Err(Malformed::TooCostly));
    // Names of two bytes would be deduplicated, looked up and answered for three hundred.
    let mut body = BytesMut::new();
    body.put_i32(10_000);
    for number in 0..10_000u16 {
        body.put_i16(2);
        body.put_u16(number);
    }
    assert_eq!(check(&body, schema, 0), Err(Malformed::TooCostly));
    // As many names of ordinary length are fine.
    let mut body = BytesMut::new();
    body.put_i32(10_000);
    for _ in 0..10_000 {
        body.put_slice(b"\0\x0aorders-eu1");
    }
    assert_eq!(check(&body, schema, 0), Ok(()));
}

#[test]
fn what_would_cost_too_much_in_all_is_refused_however_long_it_is() {
    let with_partitions = |count: usize| {
        let mut body = BytesMut::new();
        // Replica, wait, least and most bytes, isolation; one topic, "t".
        body.put_slice(&[0; 17]);
        body.put_slice(&[0, 0, 0, 1, 0, 1, b't']);
        body.put_i32(i32::try_from(count).unwrap());
        body.put_bytes(0, count * 16);
        check(&body, &crate::protocol::schema::FETCH, 4)
    };
    assert_eq!(with_partitions(200_000), Ok(()));
    assert_eq!(with_partitions(300_000), Err(Malformed::TooCostly));
}

#[test]
fn a_known_tag_must_fill_its_size() {
    // DescribeCluster 2, then a Fetch partition's directory id with a size that is not a UUID's.
    let mut random = StdRng::seed_from_u64(4);
    let schema = &crate::protocol::schema::FETCH;
    let body = request(schema, 17, &mut random, true).body;
    let mut bad = BytesMut::from(&body[..body.len() - 1]);
    // Tag 0, the cluster id: a string of one byte, in a field that claims three.
    bad.put_slice(&[1, 0, 3, 2, b'x', 0]);
    assert_eq!(check(&bad, schema, 17), Err(Malformed::BadTag));
}

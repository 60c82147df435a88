//! What an answer says of each thing that was asked about: its error codes, each at its place.

mod groups;

use bytes::Bytes;
use kafka_protocol::messages as m;
use kafka_protocol::messages::{ApiKey, TopicName};
use uuid::Uuid;

use crate::support::client::parse;
use crate::support::samples::{CORRELATION, Sample};

/// A place in an answer and the error code there. The answer as a whole is "", a topic its name, or `#` where an id stands
/// for it, a partition "topic/number", a group or a member its name. Where an entry has no code of its own, 0 says that it is there.
pub type Told = (String, i16);

/// All codes of the answer to this sample, in its order.
pub fn told(sample: &Sample, answer: Bytes) -> Vec<Told> {
    let answer = Answer {
        frame: answer,
        version: sample.version,
    };
    match sample.key {
        ApiKey::Produce | ApiKey::Fetch => answer.of_records(sample.key),
        ApiKey::ListOffsets
        | ApiKey::OffsetForLeaderEpoch
        | ApiKey::DeleteRecords
        | ApiKey::DescribeProducers
        | ApiKey::DescribeLogDirs => answer.of_partitions(sample.key),
        ApiKey::Metadata
        | ApiKey::CreateTopics
        | ApiKey::DeleteTopics
        | ApiKey::CreatePartitions
        | ApiKey::DescribeTopicPartitions => answer.of_topics(sample.key),
        ApiKey::DescribeConfigs
        | ApiKey::AlterConfigs
        | ApiKey::IncrementalAlterConfigs
        | ApiKey::ListConfigResources => answer.of_configs(sample.key),
        ApiKey::JoinGroup | ApiKey::SyncGroup | ApiKey::Heartbeat | ApiKey::LeaveGroup => {
            answer.of_members(sample.key)
        }
        ApiKey::OffsetCommit | ApiKey::OffsetFetch | ApiKey::OffsetDelete => answer.of_offsets(sample.key),
        ApiKey::FindCoordinator | ApiKey::ListGroups | ApiKey::DescribeGroups | ApiKey::DeleteGroups => {
            answer.of_groups(sample.key)
        }
        ApiKey::DescribeUserScramCredentials | ApiKey::AlterUserScramCredentials => {
            answer.of_users(sample.key)
        }
        ApiKey::DescribeAcls | ApiKey::CreateAcls | ApiKey::DeleteAcls => answer.of_acls(sample.key),
        ApiKey::DescribeClientQuotas | ApiKey::AlterClientQuotas => answer.of_quotas(sample.key),
        _ => answer.of_nothing(sample.key),
    }
}

struct Answer {
    frame: Bytes,
    version: i16,
}

fn topic(name: &TopicName, id: Uuid) -> String {
    match (name.is_empty(), id.is_nil()) {
        (true, false) => "#".to_owned(),
        _ => name.to_string(),
    }
}

fn nameable(name: Option<&TopicName>, id: Uuid) -> String {
    name.map_or_else(|| topic(&TopicName::default(), id), |name| name.to_string())
}

fn partition(topic: &str, index: i32, code: i16) -> Told {
    (format!("{topic}/{index}"), code)
}

impl Answer {
    fn decode<R: kafka_protocol::protocol::Request>(&self) -> R::Response {
        parse::<R>(self.frame.clone(), self.version, CORRELATION)
    }

    fn of_records(&self, key: ApiKey) -> Vec<Told> {
        let mut told = Vec::new();
        if key == ApiKey::Produce {
            for entry in self.decode::<m::ProduceRequest>().responses {
                let name = topic(&entry.name, entry.topic_id);
                let partitions = entry.partition_responses.iter();
                told.extend(partitions.map(|p| partition(&name, p.index, p.error_code)));
            }
        } else {
            let answer = self.decode::<m::FetchRequest>();
            told.push((String::new(), answer.error_code));
            for entry in answer.responses {
                let name = topic(&entry.topic, entry.topic_id);
                let partitions = entry.partitions.iter();
                told.extend(partitions.map(|p| partition(&name, p.partition_index, p.error_code)));
            }
        }
        told
    }

    fn of_partitions(&self, key: ApiKey) -> Vec<Told> {
        let mut told = Vec::new();
        match key {
            ApiKey::ListOffsets => {
                for entry in self.decode::<m::ListOffsetsRequest>().topics {
                    let partitions = entry.partitions.iter();
                    told.extend(partitions.map(|p| partition(&entry.name, p.partition_index, p.error_code)));
                }
            }
            ApiKey::OffsetForLeaderEpoch => {
                for entry in self.decode::<m::OffsetForLeaderEpochRequest>().topics {
                    let partitions = entry.partitions.iter();
                    told.extend(partitions.map(|p| partition(&entry.topic, p.partition, p.error_code)));
                }
            }
            ApiKey::DeleteRecords => {
                for entry in self.decode::<m::DeleteRecordsRequest>().topics {
                    let partitions = entry.partitions.iter();
                    told.extend(partitions.map(|p| partition(&entry.name, p.partition_index, p.error_code)));
                }
            }
            ApiKey::DescribeProducers => {
                for entry in self.decode::<m::DescribeProducersRequest>().topics {
                    let partitions = entry.partitions.iter();
                    told.extend(partitions.map(|p| partition(&entry.name, p.partition_index, p.error_code)));
                }
            }
            ApiKey::DescribeLogDirs => {
                let answer = self.decode::<m::DescribeLogDirsRequest>();
                told.push((String::new(), answer.error_code));
                for directory in answer.results {
                    told.push((directory.log_dir.to_string(), directory.error_code));
                    for entry in directory.topics {
                        let partitions = entry.partitions.iter();
                        told.extend(partitions.map(|p| partition(&entry.name, p.partition_index, 0)));
                    }
                }
            }
            other => panic!("{other:?} is not about partitions"),
        }
        told
    }

    fn of_topics(&self, key: ApiKey) -> Vec<Told> {
        let mut told = Vec::new();
        match key {
            ApiKey::Metadata => {
                let answer = self.decode::<m::MetadataRequest>();
                told.push((String::new(), answer.error_code));
                for entry in answer.topics {
                    let name = nameable(entry.name.as_ref(), entry.topic_id);
                    told.push((name.clone(), entry.error_code));
                    let partitions = entry.partitions.iter();
                    told.extend(partitions.map(|p| partition(&name, p.partition_index, p.error_code)));
                }
            }
            ApiKey::CreateTopics => {
                let entries = self.decode::<m::CreateTopicsRequest>().topics;
                told.extend(entries.iter().map(|e| (e.name.to_string(), e.error_code)));
            }
            ApiKey::DeleteTopics => {
                let entries = self.decode::<m::DeleteTopicsRequest>().responses;
                let place = |e: &m::delete_topics_response::DeletableTopicResult| {
                    nameable(e.name.as_ref(), e.topic_id)
                };
                told.extend(entries.iter().map(|e| (place(e), e.error_code)));
            }
            ApiKey::CreatePartitions => {
                let entries = self.decode::<m::CreatePartitionsRequest>().results;
                told.extend(entries.iter().map(|e| (e.name.to_string(), e.error_code)));
            }
            ApiKey::DescribeTopicPartitions => {
                for entry in self.decode::<m::DescribeTopicPartitionsRequest>().topics {
                    let name = nameable(entry.name.as_ref(), entry.topic_id);
                    told.push((name.clone(), entry.error_code));
                    let partitions = entry.partitions.iter();
                    told.extend(partitions.map(|p| partition(&name, p.partition_index, p.error_code)));
                }
            }
            other => panic!("{other:?} is not about topics"),
        }
        told
    }

    fn of_configs(&self, key: ApiKey) -> Vec<Told> {
        match key {
            ApiKey::DescribeConfigs => {
                let mut told = Vec::new();
                for entry in self.decode::<m::DescribeConfigsRequest>().results {
                    told.push((entry.resource_name.to_string(), entry.error_code));
                    if entry.configs.len() == 1 {
                        let only = entry.configs[0].name.to_string();
                        told.push((only, 0));
                    }
                }
                told
            }
            ApiKey::AlterConfigs => {
                let entries = self.decode::<m::AlterConfigsRequest>().responses;
                let told = entries
                    .iter()
                    .map(|e| (e.resource_name.to_string(), e.error_code));
                told.collect()
            }
            ApiKey::IncrementalAlterConfigs => {
                let entries = self.decode::<m::IncrementalAlterConfigsRequest>().responses;
                let told = entries
                    .iter()
                    .map(|e| (e.resource_name.to_string(), e.error_code));
                told.collect()
            }
            ApiKey::ListConfigResources => {
                let answer = self.decode::<m::ListConfigResourcesRequest>();
                let mut told = vec![(String::new(), answer.error_code)];
                let resources = answer.config_resources.iter();
                told.extend(resources.map(|r| (format!("{}:{}", r.resource_type, &*r.resource_name), 0)));
                told
            }
            other => panic!("{other:?} is not about configs"),
        }
    }

    fn of_users(&self, key: ApiKey) -> Vec<Told> {
        match key {
            ApiKey::DescribeUserScramCredentials => {
                let answer = self.decode::<m::DescribeUserScramCredentialsRequest>();
                let mut told = vec![(String::new(), answer.error_code)];
                told.extend(answer.results.iter().map(|e| (e.user.to_string(), e.error_code)));
                told
            }
            ApiKey::AlterUserScramCredentials => {
                let entries = self.decode::<m::AlterUserScramCredentialsRequest>().results;
                entries
                    .iter()
                    .map(|e| (e.user.to_string(), e.error_code))
                    .collect()
            }
            other => panic!("{other:?} is not about users"),
        }
    }

    fn of_quotas(&self, key: ApiKey) -> Vec<Told> {
        match key {
            ApiKey::DescribeClientQuotas => {
                let answer = self.decode::<m::DescribeClientQuotasRequest>();
                let mut told = vec![(String::new(), answer.error_code)];
                let names = answer.entries.iter().flatten().flat_map(|entry| &entry.entity);
                told.extend(names.map(|part| (part.entity_name.as_deref().unwrap_or("*").to_owned(), 0)));
                told
            }
            ApiKey::AlterClientQuotas => {
                let entries = self.decode::<m::AlterClientQuotasRequest>().entries;
                let of_entry = |entry: &m::alter_client_quotas_response::EntryData| {
                    let name = entry.entity.first().and_then(|part| part.entity_name.as_deref());
                    (name.unwrap_or("*").to_owned(), entry.error_code)
                };
                entries.iter().map(of_entry).collect()
            }
            other => panic!("{other:?} is not about quotas"),
        }
    }

    fn of_acls(&self, key: ApiKey) -> Vec<Told> {
        match key {
            ApiKey::DescribeAcls => {
                let answer = self.decode::<m::DescribeAclsRequest>();
                let mut told = vec![(String::new(), answer.error_code)];
                let resources = answer.resources.iter();
                told.extend(resources.map(|resource| (resource.resource_name.to_string(), 0)));
                told
            }
            ApiKey::CreateAcls => {
                let entries = self.decode::<m::CreateAclsRequest>().results;
                let told = entries.iter().map(|e| (String::new(), e.error_code));
                told.collect()
            }
            ApiKey::DeleteAcls => {
                let entries = self.decode::<m::DeleteAclsRequest>().filter_results;
                let told = entries.iter().map(|e| (String::new(), e.error_code));
                told.collect()
            }
            other => panic!("{other:?} is not about ACLs"),
        }
    }

    fn of_nothing(&self, key: ApiKey) -> Vec<Told> {
        let code = match key {
            ApiKey::ApiVersions => self.decode::<m::ApiVersionsRequest>().error_code,
            ApiKey::DescribeCluster => self.decode::<m::DescribeClusterRequest>().error_code,
            ApiKey::InitProducerId => self.decode::<m::InitProducerIdRequest>().error_code,
            other => panic!("no test knows the answers of {other:?}"),
        };
        vec![(String::new(), code)]
    }
}

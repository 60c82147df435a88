//! What is said of groups, of their members and of their offsets.

use kafka_protocol::messages as m;
use kafka_protocol::messages::ApiKey;

use super::{Answer, Told, partition};

impl Answer {
    pub fn of_members(&self, key: ApiKey) -> Vec<Told> {
        let whole = |code| vec![(String::new(), code)];
        match key {
            ApiKey::JoinGroup => whole(self.decode::<m::JoinGroupRequest>().error_code),
            ApiKey::SyncGroup => whole(self.decode::<m::SyncGroupRequest>().error_code),
            ApiKey::Heartbeat => whole(self.decode::<m::HeartbeatRequest>().error_code),
            ApiKey::LeaveGroup => {
                let answer = self.decode::<m::LeaveGroupRequest>();
                let mut told = whole(answer.error_code);
                let members = answer.members.iter();
                told.extend(members.map(|member| (member.member_id.to_string(), member.error_code)));
                told
            }
            other => panic!("{other:?} is not of members"),
        }
    }

    pub fn of_offsets(&self, key: ApiKey) -> Vec<Told> {
        let mut told = Vec::new();
        match key {
            ApiKey::OffsetCommit => {
                for entry in self.decode::<m::OffsetCommitRequest>().topics {
                    let partitions = entry.partitions.iter();
                    told.extend(partitions.map(|p| partition(&entry.name, p.partition_index, p.error_code)));
                }
            }
            ApiKey::OffsetFetch => {
                let answer = self.decode::<m::OffsetFetchRequest>();
                if (2..8).contains(&self.version) {
                    told.push((String::new(), answer.error_code));
                }
                for entry in answer.topics {
                    let partitions = entry.partitions.iter();
                    told.extend(partitions.map(|p| partition(&entry.name, p.partition_index, p.error_code)));
                }
                for group in answer.groups {
                    told.push((group.group_id.to_string(), group.error_code));
                    for entry in group.topics {
                        let partitions = entry.partitions.iter();
                        told.extend(
                            partitions.map(|p| partition(&entry.name, p.partition_index, p.error_code)),
                        );
                    }
                }
            }
            ApiKey::OffsetDelete => {
                let answer = self.decode::<m::OffsetDeleteRequest>();
                told.push((String::new(), answer.error_code));
                for entry in answer.topics {
                    let partitions = entry.partitions.iter();
                    told.extend(partitions.map(|p| partition(&entry.name, p.partition_index, p.error_code)));
                }
            }
            other => panic!("{other:?} is not about offsets"),
        }
        told
    }

    pub fn of_groups(&self, key: ApiKey) -> Vec<Told> {
        match key {
            ApiKey::FindCoordinator if self.version < 4 => {
                vec![(
                    String::new(),
                    self.decode::<m::FindCoordinatorRequest>().error_code,
                )]
            }
            ApiKey::FindCoordinator => {
                let entries = self.decode::<m::FindCoordinatorRequest>().coordinators;
                entries
                    .iter()
                    .map(|e| (e.key.to_string(), e.error_code))
                    .collect()
            }
            ApiKey::ListGroups => {
                let answer = self.decode::<m::ListGroupsRequest>();
                let mut told = vec![(String::new(), answer.error_code)];
                told.extend(answer.groups.iter().map(|group| (group.group_id.to_string(), 0)));
                told
            }
            ApiKey::DescribeGroups => {
                let entries = self.decode::<m::DescribeGroupsRequest>().groups;
                let told = entries.iter().map(|e| (e.group_id.to_string(), e.error_code));
                told.collect()
            }
            ApiKey::DeleteGroups => {
                let entries = self.decode::<m::DeleteGroupsRequest>().results;
                let told = entries.iter().map(|e| (e.group_id.to_string(), e.error_code));
                told.collect()
            }
            other => panic!("{other:?} is not about groups"),
        }
    }
}

//! What every API answers to requests that are about nothing, or about one thing several times.

pub mod groups;

use kafka_protocol::messages::ApiKey;

/// What is sent, in which version.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub version: i16,
    /// Where the version takes names and ids, it is an id.
    pub by_id: bool,
}

/// What must come back.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// These codes, in this order.
    Codes(Vec<(String, i16)>),
    /// The end of the connection: the schema does not allow it.
    Closes,
    /// The request has no such array; the frame must not differ.
    NoArray,
}

fn codes(told: &[(&str, i16)]) -> Answer {
    Answer::Codes(
        told.iter()
            .map(|(place, code)| ((*place).to_owned(), *code))
            .collect(),
    )
}

/// The same codes, three times over.
fn thrice(told: &[(&str, i16)]) -> Answer {
    codes(&told.repeat(3))
}

pub type Expected = fn(Case) -> Answer;

/// What an API answers. `t` is a topic with one partition, `zz` is none; the outer array is that of topics or resources,
/// the inner one, in its entries, that of partitions, configs or assignments.
pub struct Row {
    pub api: ApiKey,
    /// A topic that is not there.
    pub absent: Expected,
    /// An empty name, or an id of zeros.
    pub nameless: Expected,
    /// `t`, three times.
    pub twice: Expected,
    /// `t` once, and the same thing in it three times.
    pub twice_within: Expected,
    /// No entries.
    pub empty: Expected,
    /// `t` with no entries.
    pub empty_within: Expected,
    /// Null for the outer array.
    pub null: Expected,
    /// Null for the inner array.
    pub null_within: Expected,
}

const NO_ARRAY: Expected = |_| Answer::NoArray;
const CLOSES: Expected = |_| Answer::Closes;
const NOTHING: Expected = |_| codes(&[]);
const WHOLE: Expected = |_| codes(&[("", 0)]);

/// An API that names no topic.
const fn about_nothing(api: ApiKey) -> Row {
    Row {
        api,
        absent: WHOLE,
        nameless: WHOLE,
        twice: WHOLE,
        twice_within: WHOLE,
        empty: NO_ARRAY,
        empty_within: NO_ARRAY,
        null: NO_ARRAY,
        null_within: NO_ARRAY,
    }
}

pub const ROWS: &[Row] = &[
    about_nothing(ApiKey::ApiVersions),
    about_nothing(ApiKey::DescribeCluster),
    about_nothing(ApiKey::InitProducerId),
    Row {
        api: ApiKey::Produce,
        absent: |case| match case.version {
            13.. => codes(&[("#/0", 100)]),
            _ => codes(&[("zz/0", 3)]),
        },
        nameless: |case| codes(&[("/0", if case.version >= 13 { 100 } else { 3 })]),
        twice: |case| thrice(&[(place(case, 13, "#/0", "t/0"), 42)]),
        twice_within: |case| thrice(&[(place(case, 13, "#/0", "t/0"), 42)]),
        empty: NOTHING,
        empty_within: NOTHING,
        null: CLOSES,
        null_within: CLOSES,
    },
    Row {
        api: ApiKey::Fetch,
        absent: |case| match case.version {
            13.. => codes(&[("", 0), ("#/0", 100)]),
            _ => codes(&[("", 0), ("zz/0", 3)]),
        },
        nameless: |case| codes(&[("", 0), ("/0", if case.version >= 13 { 100 } else { 3 })]),
        twice: |case| codes(&[("", 0), (place(case, 13, "#/0", "t/0"), 0)]),
        twice_within: |case| codes(&[("", 0), (place(case, 13, "#/0", "t/0"), 0)]),
        empty: WHOLE,
        empty_within: WHOLE,
        null: CLOSES,
        null_within: CLOSES,
    },
    Row {
        api: ApiKey::ListOffsets,
        absent: |_| codes(&[("zz/0", 3)]),
        nameless: |_| codes(&[("/0", 3)]),
        twice: |_| thrice(&[("t/0", 42)]),
        twice_within: |_| thrice(&[("t/0", 42)]),
        empty: NOTHING,
        empty_within: NOTHING,
        null: CLOSES,
        null_within: CLOSES,
    },
    Row {
        api: ApiKey::OffsetForLeaderEpoch,
        absent: |_| codes(&[("zz/0", 3)]),
        nameless: |_| codes(&[("/0", 3)]),
        twice: |_| thrice(&[("t/0", 0)]),
        twice_within: |_| thrice(&[("t/0", 0)]),
        empty: NOTHING,
        empty_within: NOTHING,
        null: CLOSES,
        null_within: CLOSES,
    },
    Row {
        api: ApiKey::DeleteRecords,
        absent: |_| codes(&[("zz/0", 3)]),
        nameless: |_| codes(&[("/0", 3)]),
        twice: |_| thrice(&[("t/0", 0)]),
        twice_within: |_| thrice(&[("t/0", 0)]),
        empty: NOTHING,
        empty_within: NOTHING,
        null: CLOSES,
        null_within: CLOSES,
    },
    Row {
        api: ApiKey::DescribeProducers,
        absent: |_| codes(&[("zz/0", 3)]),
        nameless: |_| codes(&[("/0", 3)]),
        twice: |_| codes(&[("t/0", 0)]),
        twice_within: |_| codes(&[("t/0", 0)]),
        empty: NOTHING,
        empty_within: NOTHING,
        null: CLOSES,
        null_within: CLOSES,
    },
    Row {
        api: ApiKey::DescribeLogDirs,
        absent: |_| codes(&[("", 0), ("/firn", 0)]),
        nameless: |_| codes(&[("", 0), ("/firn", 0)]),
        twice: |_| codes(&[("", 0), ("/firn", 0), ("t/0", 0)]),
        twice_within: |_| codes(&[("", 0), ("/firn", 0), ("t/0", 0)]),
        empty: |_| codes(&[("", 0), ("/firn", 0)]),
        empty_within: |_| codes(&[("", 0), ("/firn", 0)]),
        null: |_| codes(&[("", 0), ("/firn", 0), ("t/0", 0)]),
        null_within: CLOSES,
    },
    Row {
        api: ApiKey::Metadata,
        absent: |case| match case {
            Case {
                version: 12..,
                by_id: true,
            } => codes(&[("", 0), ("#", 100)]),
            _ => codes(&[("", 0), ("zz", 3)]),
        },
        nameless: |case| match case {
            Case {
                version: 12..,
                by_id: true,
            } => codes(&[("", 0), ("", 42)]),
            _ => codes(&[("", 0), ("", 17)]),
        },
        twice: |_| codes(&[("", 0), ("t", 0), ("t/0", 0)]),
        twice_within: |_| codes(&[("", 0), ("t", 0), ("t/0", 0)]),
        // An empty list means all in version 0 only. Null means all from 1 on; the codec lets it pass in 0 too.
        empty: |case| match case.version {
            0 => codes(&[("", 0), ("t", 0), ("t/0", 0)]),
            _ => codes(&[("", 0)]),
        },
        empty_within: NO_ARRAY,
        null: |_| codes(&[("", 0), ("t", 0), ("t/0", 0)]),
        null_within: NO_ARRAY,
    },
    Row {
        api: ApiKey::CreateTopics,
        absent: |_| codes(&[("zz", 0)]),
        nameless: |_| codes(&[("", 17)]),
        twice: |_| codes(&[("t", 42)]),
        // The third config of the same key is wrong before anybody looks whether the name is free.
        twice_within: |_| codes(&[("t", 40)]),
        empty: NOTHING,
        empty_within: |_| codes(&[("t", 36)]),
        null: CLOSES,
        null_within: CLOSES,
    },
    Row {
        api: ApiKey::CreatePartitions,
        absent: |_| codes(&[("zz", 3)]),
        nameless: |_| codes(&[("", 3)]),
        twice: |_| codes(&[("t", 42)]),
        // One partition is to be added, and three are assigned.
        twice_within: |_| codes(&[("t", 39)]),
        empty: NOTHING,
        empty_within: |_| codes(&[("t", 39)]),
        null: CLOSES,
        null_within: |_| codes(&[("t", 0)]),
    },
    Row {
        api: ApiKey::DeleteTopics,
        absent: |case| match case {
            Case {
                version: 6..,
                by_id: true,
            } => codes(&[("#", 100)]),
            _ => codes(&[("zz", 3)]),
        },
        nameless: |case| match case {
            Case {
                version: 6..,
                by_id: true,
            } => codes(&[("", 42)]),
            _ => codes(&[("", 3)]),
        },
        twice: |_| thrice(&[("t", 42)]),
        twice_within: NO_ARRAY,
        empty: NOTHING,
        empty_within: NO_ARRAY,
        null: CLOSES,
        null_within: NO_ARRAY,
    },
    Row {
        api: ApiKey::DescribeTopicPartitions,
        absent: |_| codes(&[("zz", 3)]),
        nameless: |_| codes(&[("", 17)]),
        twice: |_| codes(&[("t", 0), ("t/0", 0)]),
        twice_within: |_| codes(&[("t", 0), ("t/0", 0)]),
        empty: |_| codes(&[("t", 0), ("t/0", 0)]),
        empty_within: NO_ARRAY,
        null: CLOSES,
        null_within: NO_ARRAY,
    },
    Row {
        api: ApiKey::DescribeConfigs,
        absent: |_| codes(&[("zz", 3)]),
        nameless: |_| codes(&[("", 17)]),
        twice: |_| codes(&[("t", 0), ("retention.ms", 0)]),
        twice_within: |_| codes(&[("t", 0), ("retention.ms", 0)]),
        empty: NOTHING,
        // All configs, as for null.
        empty_within: |_| codes(&[("t", 0)]),
        null: CLOSES,
        null_within: |_| codes(&[("t", 0)]),
    },
    Row {
        api: ApiKey::AlterConfigs,
        absent: |_| codes(&[("zz", 3)]),
        nameless: |_| codes(&[("", 17)]),
        twice: |_| thrice(&[("t", 42)]),
        twice_within: |_| codes(&[("t", 42)]),
        empty: NOTHING,
        empty_within: |_| codes(&[("t", 0)]),
        null: CLOSES,
        null_within: CLOSES,
    },
    Row {
        api: ApiKey::IncrementalAlterConfigs,
        absent: |_| codes(&[("zz", 3)]),
        nameless: |_| codes(&[("", 17)]),
        twice: |_| thrice(&[("t", 42)]),
        twice_within: |_| codes(&[("t", 42)]),
        empty: NOTHING,
        empty_within: |_| codes(&[("t", 0)]),
        null: CLOSES,
        null_within: CLOSES,
    },
    Row {
        api: ApiKey::DescribeClientQuotas,
        absent: WHOLE,
        nameless: WHOLE,
        twice: |_| codes(&[("", 42)]),
        twice_within: NO_ARRAY,
        // All quotas, of which there are none.
        empty: WHOLE,
        empty_within: NO_ARRAY,
        null: CLOSES,
        null_within: NO_ARRAY,
    },
    Row {
        api: ApiKey::AlterClientQuotas,
        // Users have quotas before they are there.
        absent: |_| codes(&[("zz", 0)]),
        nameless: |_| codes(&[("", 42)]),
        twice: |_| codes(&[("t", 42), ("t", 42), ("t", 42)]),
        twice_within: |_| codes(&[("t", 42)]),
        empty: NOTHING,
        empty_within: |_| codes(&[("t", 0)]),
        null: CLOSES,
        null_within: CLOSES,
    },
    Row {
        api: ApiKey::DescribeUserScramCredentials,
        absent: |_| codes(&[("", 0), ("zz", 91)]),
        nameless: |_| codes(&[("", 0), ("", 91)]),
        twice: |_| codes(&[("", 0), ("t", 92)]),
        twice_within: NO_ARRAY,
        // All users, of which there are none.
        empty: WHOLE,
        empty_within: NO_ARRAY,
        null: WHOLE,
        null_within: NO_ARRAY,
    },
    Row {
        api: ApiKey::AlterUserScramCredentials,
        absent: |_| codes(&[("zz", 91)]),
        nameless: |_| codes(&[("", 93)]),
        twice: |_| codes(&[("t", 92)]),
        twice_within: NO_ARRAY,
        empty: NOTHING,
        empty_within: NO_ARRAY,
        null: CLOSES,
        null_within: NO_ARRAY,
    },
    Row {
        api: ApiKey::DescribeAcls,
        absent: WHOLE,
        nameless: WHOLE,
        twice: WHOLE,
        twice_within: NO_ARRAY,
        empty: NO_ARRAY,
        empty_within: NO_ARRAY,
        null: NO_ARRAY,
        null_within: NO_ARRAY,
    },
    Row {
        api: ApiKey::CreateAcls,
        // There may be bindings for what is not there.
        absent: WHOLE,
        nameless: |_| codes(&[("", 42)]),
        twice: |_| thrice(&[("", 0)]),
        twice_within: NO_ARRAY,
        empty: NOTHING,
        empty_within: NO_ARRAY,
        null: CLOSES,
        null_within: NO_ARRAY,
    },
    Row {
        api: ApiKey::DeleteAcls,
        absent: WHOLE,
        nameless: WHOLE,
        twice: |_| thrice(&[("", 0)]),
        twice_within: NO_ARRAY,
        empty: NOTHING,
        empty_within: NO_ARRAY,
        null: CLOSES,
        null_within: NO_ARRAY,
    },
    Row {
        api: ApiKey::ListConfigResources,
        absent: LISTED,
        nameless: LISTED,
        twice: LISTED,
        twice_within: LISTED,
        empty: |case| match case.version {
            0 => Answer::NoArray,
            // No kinds means all of them.
            _ => codes(&[("", 0), ("2:t", 0), ("4:0", 0)]),
        },
        empty_within: NO_ARRAY,
        null: |case| match case.version {
            0 => Answer::NoArray,
            _ => Answer::Closes,
        },
        null_within: NO_ARRAY,
    },
];

/// What ListConfigResources tells of topics, whatever a request is about.
const LISTED: Expected = |case| match case.version {
    0 => codes(&[("", 0)]),
    _ => codes(&[("", 0), ("2:t", 0)]),
};

fn place(case: Case, ids_from: i16, by_id: &'static str, by_name: &'static str) -> &'static str {
    if case.version >= ids_from { by_id } else { by_name }
}

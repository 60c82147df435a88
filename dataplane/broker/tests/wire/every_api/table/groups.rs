//! What the APIs of groups answer. The group `g` has an offset of `t`; no other group is there.

use kafka_protocol::messages::ApiKey;

use super::{Answer, CLOSES, Case, Expected, NO_ARRAY, NOTHING, Row, WHOLE, codes, thrice};

/// The codes, which begin with those of the group as a version tells them.
fn of_group(case: Case, partitions: &[(&str, i16)]) -> Answer {
    let group: &[(&str, i16)] = match case.version {
        ..2 => &[],
        2..8 => &[("", 0)],
        _ => &[("g", 0)],
    };
    codes(&[group, partitions].concat())
}

/// What LeaveGroup says of members that there are not: from 3 on of each of them.
fn leaving(case: Case, members: usize) -> Answer {
    match case.version {
        ..3 => codes(&[("", 25)]),
        _ => codes(&[vec![("", 0)], vec![("m", 25); members]].concat()),
    }
}

/// The answer of versions that ask about several; others have no array.
fn from(case: Case, first: i16, answer: Answer) -> Answer {
    match case.version >= first {
        true => answer,
        false => Answer::NoArray,
    }
}

const UNKNOWN_MEMBER: Expected = |_| codes(&[("", 25)]);
const NO_NAME: Expected = |_| codes(&[("", 24)]);
const SHORT_SESSION: Expected = |_| codes(&[("", 26)]);
const LISTED: Expected = |_| codes(&[("", 0), ("g", 0)]);

/// Where FindCoordinator says it: from 4 on for each group.
fn coordinator(case: Case, group: &'static str) -> Answer {
    codes(&[(if case.version >= 4 { group } else { "" }, 0)])
}

/// The code of a group that there is not, in DescribeGroups.
fn not_there(case: Case, group: &str) -> Answer {
    codes(&[(group, if case.version >= 6 { 69 } else { 0 })])
}

pub const ROWS: &[Row] = &[
    Row {
        api: ApiKey::JoinGroup,
        absent: SHORT_SESSION,
        nameless: NO_NAME,
        twice: SHORT_SESSION,
        twice_within: SHORT_SESSION,
        empty: NO_ARRAY,
        empty_within: SHORT_SESSION,
        null: NO_ARRAY,
        null_within: CLOSES,
    },
    Row {
        api: ApiKey::SyncGroup,
        absent: UNKNOWN_MEMBER,
        nameless: NO_NAME,
        twice: UNKNOWN_MEMBER,
        twice_within: UNKNOWN_MEMBER,
        empty: NO_ARRAY,
        empty_within: UNKNOWN_MEMBER,
        null: NO_ARRAY,
        null_within: CLOSES,
    },
    Row {
        api: ApiKey::Heartbeat,
        absent: UNKNOWN_MEMBER,
        nameless: NO_NAME,
        twice: UNKNOWN_MEMBER,
        twice_within: NO_ARRAY,
        empty: NO_ARRAY,
        empty_within: NO_ARRAY,
        null: NO_ARRAY,
        null_within: NO_ARRAY,
    },
    Row {
        api: ApiKey::LeaveGroup,
        absent: |case| leaving(case, 1),
        nameless: NO_NAME,
        twice: |case| leaving(case, 3),
        twice_within: NO_ARRAY,
        empty: |case| from(case, 3, codes(&[("", 0)])),
        empty_within: NO_ARRAY,
        null: |case| from(case, 3, Answer::Closes),
        null_within: NO_ARRAY,
    },
    Row {
        api: ApiKey::OffsetCommit,
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
        api: ApiKey::OffsetFetch,
        absent: |case| of_group(case, &[("zz/0", 0)]),
        nameless: |case| of_group(case, &[("/0", 0)]),
        twice: |case| of_group(case, &[("t/0", 0)]),
        twice_within: |case| of_group(case, &[("t/0", 0)]),
        empty: |case| of_group(case, &[]),
        empty_within: |case| of_group(case, &[]),
        // All that there is. Kafka knows that from 2 on; the codec lets it pass in 1 too.
        null: |case| of_group(case, &[("t/0", 0)]),
        null_within: CLOSES,
    },
    Row {
        api: ApiKey::OffsetDelete,
        absent: |_| codes(&[("", 0), ("zz/0", 3)]),
        nameless: |_| codes(&[("", 0), ("/0", 3)]),
        twice: |_| codes(&[("", 0), ("t/0", 0), ("t/0", 0), ("t/0", 0)]),
        twice_within: |_| codes(&[("", 0), ("t/0", 0), ("t/0", 0), ("t/0", 0)]),
        empty: WHOLE,
        empty_within: WHOLE,
        null: CLOSES,
        null_within: CLOSES,
    },
    Row {
        api: ApiKey::FindCoordinator,
        absent: |case| coordinator(case, "zz"),
        nameless: |case| coordinator(case, ""),
        twice: |case| coordinator(case, "t"),
        twice_within: NO_ARRAY,
        empty: |case| from(case, 4, codes(&[])),
        empty_within: NO_ARRAY,
        null: |case| from(case, 4, Answer::Closes),
        null_within: NO_ARRAY,
    },
    Row {
        api: ApiKey::ListGroups,
        absent: LISTED,
        nameless: LISTED,
        twice: LISTED,
        twice_within: |case| from(case, 5, LISTED(case)),
        empty: |case| from(case, 4, LISTED(case)),
        empty_within: |case| from(case, 5, LISTED(case)),
        null: |case| from(case, 4, Answer::Closes),
        null_within: |case| from(case, 5, Answer::Closes),
    },
    Row {
        api: ApiKey::DescribeGroups,
        absent: |case| not_there(case, "zz"),
        nameless: |case| not_there(case, ""),
        twice: |case| not_there(case, "t"),
        twice_within: NO_ARRAY,
        empty: NOTHING,
        empty_within: NO_ARRAY,
        null: CLOSES,
        null_within: NO_ARRAY,
    },
    Row {
        api: ApiKey::DeleteGroups,
        absent: |_| codes(&[("zz", 69)]),
        nameless: |_| codes(&[("", 69)]),
        twice: |_| codes(&[("t", 69)]),
        twice_within: NO_ARRAY,
        empty: NOTHING,
        empty_within: NO_ARRAY,
        null: CLOSES,
        null_within: NO_ARRAY,
    },
];

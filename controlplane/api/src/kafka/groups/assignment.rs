//! A consumer's assignment (Kafka's ConsumerProtocolAssignment, every version begins alike):
//!
//! ```text
//! version i16
//! topics  count i32, each: name (i16 length, UTF-8), count i32, partitions i32 …
//! more, which is the assignor's own
//! ```
//!
//! The bytes are what some member of the group said. Nothing in them is believed: no room is made for more than is there.

use std::collections::BTreeMap;

/// The partitions by topic; none, if these bytes are no assignment.
pub(super) fn read(bytes: &[u8]) -> BTreeMap<String, Vec<i32>> {
    parse(bytes).unwrap_or_default()
}

fn parse(mut bytes: &[u8]) -> Option<BTreeMap<String, Vec<i32>>> {
    let _version = take::<2>(&mut bytes)?;
    let topics = i32::from_be_bytes(take(&mut bytes)?);
    let mut assigned = BTreeMap::new();
    for _ in 0..topics {
        let length = usize::try_from(i16::from_be_bytes(take(&mut bytes)?)).ok()?;
        let (name, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        let name = std::str::from_utf8(name).ok()?;
        let count = i32::from_be_bytes(take(&mut bytes)?);
        let partitions: &mut Vec<i32> = assigned.entry(name.to_owned()).or_default();
        for _ in 0..count {
            partitions.push(i32::from_be_bytes(take(&mut bytes)?));
        }
    }
    for partitions in assigned.values_mut() {
        partitions.sort_unstable();
        partitions.dedup();
    }
    Some(assigned)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(topics: &[(&str, &[i32])]) -> Vec<u8> {
        let mut out = vec![0, 3];
        out.extend(i32::try_from(topics.len()).unwrap().to_be_bytes());
        for (name, partitions) in topics {
            out.extend(i16::try_from(name.len()).unwrap().to_be_bytes());
            out.extend(name.as_bytes());
            out.extend(i32::try_from(partitions.len()).unwrap().to_be_bytes());
            partitions
                .iter()
                .for_each(|partition| out.extend(partition.to_be_bytes()));
        }
        out.extend([0xff; 4]);
        out
    }

    #[test]
    fn an_assignment_is_read_and_what_follows_it_is_the_assignors() {
        let read = read(&bytes(&[("b", &[2, 0, 2]), ("a", &[1])]));
        let expected = [("a".to_owned(), vec![1]), ("b".to_owned(), vec![0, 2])];
        assert_eq!(read, BTreeMap::from(expected));
    }

    #[test]
    fn bytes_that_are_none_assign_nothing_and_take_no_room() {
        let good = bytes(&[("topic", &[0, 1, 2])]);
        for length in 0..good.len() - 4 {
            assert!(read(&good[..length]).is_empty(), "{length}");
        }
        let mut many = good.clone();
        many[2..6].copy_from_slice(&i32::MAX.to_be_bytes());
        assert!(read(&many).is_empty());
        let mut many = good;
        many[13..17].copy_from_slice(&i32::MAX.to_be_bytes());
        assert!(read(&many).is_empty());
    }
}

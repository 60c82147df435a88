//! The history of leader epochs of one partition (KIP-101, KIP-279): which epoch began at which offset.

use firn_catalog::ids::{LeaderEpoch, Offset};

/// Epochs and the offset at which each one's first record stands, both ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EpochHistory {
    starts: Vec<(LeaderEpoch, Offset)>,
}

impl EpochHistory {
    /// The history that stored entries tell; they must ascend, later ones that do not are passed over.
    pub fn from_starts(starts: impl IntoIterator<Item = (LeaderEpoch, Offset)>) -> Self {
        let mut history = Self::default();
        for (epoch, start) in starts {
            history.note(epoch, start);
        }
        history
    }

    /// Takes note that records of `epoch` begin at `start`, unless that epoch or a later one is known.
    pub fn note(&mut self, epoch: LeaderEpoch, start: Offset) {
        if self.starts.last().is_none_or(|&(newest, _)| newest < epoch) {
            // An epoch that began where this one begins has no record.
            self.starts.retain(|&(_, earlier)| earlier < start);
            self.starts.push((epoch, start));
        }
    }

    /// The epoch in which the record at `offset` was appended.
    pub fn at(&self, offset: Offset) -> Option<LeaderEpoch> {
        let after = self.starts.partition_point(|&(_, start)| start <= offset);
        after.checked_sub(1).map(|index| self.starts[index].0)
    }

    /// OffsetForLeaderEpoch: the largest known epoch up to `asked` and where it ends. An epoch before all that is
    /// known ends where the first known one begins: its records are gone, and a reader goes on from there. `None` if
    /// `asked` is no epoch (-1), or after `current`.
    pub fn end_of(
        &self,
        asked: LeaderEpoch,
        current: LeaderEpoch,
        log_end: Offset,
    ) -> Option<(LeaderEpoch, Offset)> {
        if asked == current {
            return Some((current, log_end));
        }
        if asked > current || asked.0 == -1 {
            return None;
        }
        let after = self.starts.partition_point(|&(epoch, _)| epoch <= asked);
        let epoch = after.checked_sub(1).map_or(asked, |index| self.starts[index].0);
        let end = self.starts.get(after).map_or(log_end, |&(_, start)| start);
        Some((epoch, end))
    }

    /// Drops what lies wholly before the log start; the epoch that holds `log_start` then begins there.
    pub fn trim(&mut self, log_start: Offset) {
        let after = self.starts.partition_point(|&(_, start)| start <= log_start);
        if let Some(holder) = after.checked_sub(1) {
            self.starts.drain(..holder);
            self.starts[0].1 = log_start;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> EpochHistory {
        EpochHistory::from_starts([
            (LeaderEpoch(1), Offset(0)),
            (LeaderEpoch(3), Offset(10)),
            (LeaderEpoch(4), Offset(25)),
        ])
    }

    #[test]
    fn an_epoch_ends_where_the_next_one_begins() {
        let end = |epoch| history().end_of(LeaderEpoch(epoch), LeaderEpoch(6), Offset(40));
        assert_eq!(end(-1), None);
        assert_eq!(end(0), Some((LeaderEpoch(0), Offset(0))));
        assert_eq!(end(1), Some((LeaderEpoch(1), Offset(10))));
        assert_eq!(end(2), Some((LeaderEpoch(1), Offset(10))));
        assert_eq!(end(3), Some((LeaderEpoch(3), Offset(25))));
        assert_eq!(end(5), Some((LeaderEpoch(4), Offset(40))));
        assert_eq!(end(6), Some((LeaderEpoch(6), Offset(40))));
        assert_eq!(end(7), None);
    }

    #[test]
    fn an_epoch_without_a_record_leaves_no_trace() {
        let mut history = history();
        history.note(LeaderEpoch(5), Offset(40));
        history.note(LeaderEpoch(6), Offset(40));
        assert_eq!(history.at(Offset(40)), Some(LeaderEpoch(6)));
        assert_eq!(history.at(Offset(39)), Some(LeaderEpoch(4)));
    }

    #[test]
    fn trimming_keeps_the_epoch_of_the_first_record() {
        let mut history = history();
        history.trim(Offset(12));
        assert_eq!(history.at(Offset(12)), Some(LeaderEpoch(3)));
        assert_eq!(history.at(Offset(11)), None);
        let end = |epoch| history.end_of(LeaderEpoch(epoch), LeaderEpoch(6), Offset(40));
        assert_eq!(end(1), Some((LeaderEpoch(1), Offset(12))));
        assert_eq!(end(3), Some((LeaderEpoch(3), Offset(25))));
    }

    #[test]
    fn without_a_record_every_earlier_epoch_ends_at_the_log_s_end() {
        let end = |epoch| EpochHistory::default().end_of(LeaderEpoch(epoch), LeaderEpoch(6), Offset(40));
        assert_eq!(end(5), Some((LeaderEpoch(5), Offset(40))));
        assert_eq!((end(-1), end(7)), (None, None));
    }
}

//! Deadlines that mostly move before they come.
//!
//! Entries (time, whose) in order of time, one for each deadline. A heartbeat only writes a later time into the member's
//! [`Alarm`]: the entry has the old time, and when that comes up it is put in again at the new one. So ten thousand heartbeats
//! cost nothing here. Whoever goes takes its entry along.

use std::collections::BTreeSet;

use firn_runtime::Timestamp;

/// A deadline of somebody, and the entry that stands for it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Alarm {
    due: Option<Timestamp>,
    /// The time of the entry.
    armed: Option<Timestamp>,
}

impl Alarm {
    /// When it is due.
    #[cfg(test)]
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.due
    }
}

/// Deadlines of owners that `K` names.
#[derive(Debug)]
pub(crate) struct Timers<K>(BTreeSet<(Timestamp, K)>);

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<K: Ord> Timers<K> {
    /// Sets a deadline in place of the one before.
    pub(crate) fn set(&mut self, alarm: &mut Alarm, due: Timestamp, owner: impl Fn() -> K) {
        alarm.due = Some(due);
        if let Some(armed) = alarm.armed {
            if armed <= due {
                return;
            }
            self.0.remove(&(armed, owner()));
        }
        alarm.armed = Some(due);
        self.0.insert((due, owner()));
    }

    /// Calls a deadline off.
    pub(crate) fn cancel(&mut self, alarm: &mut Alarm, owner: impl Fn() -> K) {
        alarm.due = None;
        if let Some(armed) = alarm.armed.take() {
            self.0.remove(&(armed, owner()));
        }
    }

    /// When to look again.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.0.first().map(|(due, _)| *due)
    }

    /// The next entry whose time has come.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<(Timestamp, K)> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first()
    }

    /// Whether an entry that came up at `time` means that its owner's deadline is over. If the deadline has moved, it is put in
    /// again.
    pub(crate) fn rings(
        &mut self,
        alarm: &mut Alarm,
        time: Timestamp,
        now: Timestamp,
        owner: impl Fn() -> K,
    ) -> bool {
        if alarm.armed != Some(time) {
            return false;
        }
        alarm.armed = None;
        match alarm.due {
            None => false,
            Some(due) if due <= now => {
                alarm.due = None;
                true
            }
            Some(due) => {
                self.set(alarm, due, owner);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The owners whose deadline is over by `now`.
    fn ring(timers: &mut Timers<usize>, alarms: &mut [Alarm], now: i64) -> Vec<usize> {
        let mut rang = Vec::new();
        while let Some((time, owner)) = timers.pop(Timestamp(now)) {
            if timers.rings(&mut alarms[owner], time, Timestamp(now), || owner) {
                rang.push(owner);
            }
        }
        rang
    }

    #[test]
    fn a_deadline_that_moves_costs_one_entry_however_often() {
        let (mut timers, mut alarms) = (Timers::default(), <[Alarm; 2]>::default());
        for beat in 0..1000 {
            timers.set(&mut alarms[0], Timestamp(10 + beat), || 0);
        }
        timers.set(&mut alarms[1], Timestamp(500), || 1);
        assert_eq!(timers.0.len(), 2);
        assert!(ring(&mut timers, &mut alarms, 10).is_empty());
        assert_eq!(timers.next(), Some(Timestamp(500)));
        assert_eq!(ring(&mut timers, &mut alarms, 600), [1]);
        assert!(ring(&mut timers, &mut alarms, 1008).is_empty());
        assert_eq!(ring(&mut timers, &mut alarms, 1009), [0]);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_deadline_may_come_nearer_and_may_be_called_off() {
        let (mut timers, mut alarms) = (Timers::default(), <[Alarm; 2]>::default());
        timers.set(&mut alarms[0], Timestamp(100), || 0);
        timers.set(&mut alarms[0], Timestamp(50), || 0);
        timers.set(&mut alarms[1], Timestamp(60), || 1);
        timers.cancel(&mut alarms[1], || 1);
        assert_eq!(ring(&mut timers, &mut alarms, 60), [0]);
        assert_eq!(alarms[0].due(), None);
        timers.set(&mut alarms[0], Timestamp(90), || 0);
        timers.set(&mut alarms[1], Timestamp(95), || 1);
        assert_eq!(ring(&mut timers, &mut alarms, 120), [0, 1]);
        timers.set(&mut alarms[0], Timestamp(200), || 0);
        timers.cancel(&mut alarms[0], || 0);
        assert!(timers.0.is_empty(), "whoever goes leaves nothing");
    }
}

//! When to offload. Pure.

use firn_runtime::Timestamp;

use crate::cold::OffloadSettings;

/// What is only in the write-ahead log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Bytes of its slots that count.
    pub bytes: u64,
    /// How many they are.
    pub slots: u64,
    /// When the oldest of them was appended.
    pub oldest: Option<Timestamp>,
}

/// Whether it is time to offload: too many bytes or slots for a quick takeover, or the oldest slot is old.
pub fn due(settings: &OffloadSettings, backlog: &Backlog, now: Timestamp) -> bool {
    if backlog.slots == 0 {
        return false;
    }
    backlog.bytes >= settings.bytes
        || backlog.slots >= settings.slots
        || backlog
            .oldest
            .is_some_and(|oldest| now.since(oldest) >= settings.age)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn offload_is_due_by_bytes_by_slots_and_by_age_and_never_for_nothing() {
        let settings = OffloadSettings {
            bytes: 1000,
            slots: 10,
            age: Duration::from_secs(60),
            ..OffloadSettings::default()
        };
        let now = Timestamp(1_000_000);
        let fresh = Backlog {
            bytes: 999,
            slots: 9,
            oldest: Some(Timestamp(1_000_000 - 59_999)),
        };
        assert!(!due(&settings, &fresh, now));
        assert!(due(&settings, &Backlog { bytes: 1000, ..fresh }, now));
        assert!(due(&settings, &Backlog { slots: 10, ..fresh }, now));
        let old = Backlog {
            oldest: Some(Timestamp(1_000_000 - 60_000)),
            ..fresh
        };
        assert!(due(&settings, &old, now));
        assert!(!due(&settings, &Backlog { slots: 0, ..old }, now));
    }
}

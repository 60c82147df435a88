//! One contract, every write-ahead log: `facts` says what, this file says of whom.

mod facts;

use std::sync::Arc;

use firn_log::wal::{ObjectLog, WriteAheadLog};
use object_store::memory::InMemory;

/// A log and what keeps it alive.
struct Subject {
    log: Arc<dyn WriteAheadLog>,
    _folder: Option<tempfile::TempDir>,
}

fn in_memory() -> Subject {
    Subject {
        log: Arc::new(ObjectLog::new(Arc::new(InMemory::new()))),
        _folder: None,
    }
}

macro_rules! contract {
    ($name:ident, $open:path) => {
        mod $name {
            contract!(@facts $open,
                a_register_is_absent_until_it_is_put,
                a_second_put_changes_nothing_and_says_so,
                of_racing_puts_exactly_one_wins_and_its_bytes_stay,
                slots_may_be_put_in_any_order,
                the_front_holds_header_and_index_however_long,
                ranges_are_exact_and_one_past_the_end_is_damage,
                incarnations_have_rows_of_their_own,
                a_fence_takes_an_absent_slot_for_ever,
                deleting_spares_what_is_outside_the_range_and_may_be_repeated,
            );
        }
    };
    (@facts $open:path, $($fact:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $fact() {
            let subject = $open();
            super::facts::$fact(std::sync::Arc::clone(&subject.log)).await;
        }
    )*};
}

contract!(object_in_memory, super::in_memory);

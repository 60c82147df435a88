//! One contract, every write-ahead log: `facts` says what, this file says of whom.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod facts;
mod s3;

use std::sync::Arc;

use firn_log::wal::{DiskLog, DiskSettings, ObjectLog, WriteAheadLog};
use firn_runtime::Env;
use object_store::memory::InMemory;

/// A log and what keeps it alive.
struct Subject {
    log: Arc<dyn WriteAheadLog>,
    #[allow(dead_code, reason = "held so that the directory lives as long as the log")]
    folder: Option<tempfile::TempDir>,
    #[allow(dead_code, reason = "held so that the server lives as long as the log")]
    server: Option<s3::S3Server>,
}

fn in_memory() -> Subject {
    Subject {
        log: Arc::new(ObjectLog::new(Arc::new(InMemory::new()))),
        folder: None,
        server: None,
    }
}

fn in_directory() -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().join("store").display());
    let store = firn_log::store::open(&url).unwrap();
    Subject {
        log: Arc::new(ObjectLog::new(store)),
        folder: Some(folder),
        server: None,
    }
}

fn on_disk() -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let log = DiskLog::open(folder.path(), DiskSettings::default(), &Env::system()).unwrap();
    Subject {
        log: Arc::new(log),
        folder: Some(folder),
        server: None,
    }
}

fn on_s3() -> Subject {
    let server = s3::S3Server::start();
    Subject {
        log: Arc::new(ObjectLog::new(server.open())),
        folder: None,
        server: Some(server),
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
contract!(object_in_directory, super::in_directory);
contract!(disk, super::on_disk);
contract!(object_on_s3, super::on_s3);

#[tokio::test]
async fn a_disk_log_is_there_for_the_next_process() {
    let Subject { log, folder, .. } = on_disk();
    let folder = folder.unwrap();
    let reopen = async |log| {
        drop(log);
        let log = DiskLog::open(folder.path(), DiskSettings::default(), &Env::system()).unwrap();
        Arc::new(log) as Arc<dyn WriteAheadLog>
    };
    facts::what_was_written_is_there_for_the_next_process(log, reopen).await;
}

#[tokio::test]
async fn an_object_log_in_a_directory_is_there_for_the_next_process() {
    let Subject { log, folder, .. } = in_directory();
    let folder = folder.unwrap();
    let reopen = async |log| {
        drop(log);
        let url = format!("file://{}", folder.path().join("store").display());
        Arc::new(ObjectLog::new(firn_log::store::open(&url).unwrap())) as Arc<dyn WriteAheadLog>
    };
    facts::what_was_written_is_there_for_the_next_process(log, reopen).await;
}

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use firn_catalog::cell::WalLocation;
use firn_catalog::ids::{LeaderEpoch, Offset, PartitionId, TopicId};
use tokio::sync::{mpsc, oneshot};

use super::super::slot;
use super::*;
use crate::batch::BatchMeta;
use crate::wal::slot::Fence;
use crate::wal::{CountedSlot, PutOutcome, WalError};

const OWN: IncarnationId = IncarnationId(0xa);
const SUCCESSOR: IncarnationId = IncarnationId(0xb);

/// What the test says to a put.
enum Say {
    Store,
    StoreButDoNotAnswer,
    Fail,
    NoSpace,
}

/// Registers whose puts wait for the test's word.
struct Scripted {
    registers: Mutex<BTreeMap<Slot, Bytes>>,
    puts: mpsc::UnboundedSender<(Slot, oneshot::Sender<Say>)>,
}

#[async_trait]
impl WriteAheadLog for Scripted {
    fn location(&self) -> WalLocation {
        WalLocation::Object
    }

    async fn put_if_absent(
        &self,
        _: IncarnationId,
        slot: Slot,
        pieces: Vec<Bytes>,
    ) -> Result<PutOutcome, WalError> {
        let (tell, told) = oneshot::channel();
        self.puts.send((slot, tell)).unwrap();
        let said = told.await.unwrap();
        let mut registers = self.registers.lock();
        match said {
            Say::Fail => return Err(WalError::Unavailable("down".into())),
            Say::NoSpace => return Err(WalError::NoSpace("full".into())),
            Say::Store | Say::StoreButDoNotAnswer if registers.contains_key(&slot) => {
                return Ok(PutOutcome::Exists);
            }
            Say::Store | Say::StoreButDoNotAnswer => registers.insert(slot, pieces.concat().into()),
        };
        match said {
            Say::StoreButDoNotAnswer => Err(WalError::Unavailable("no answer".into())),
            Say::Store | Say::Fail | Say::NoSpace => Ok(PutOutcome::Written),
        }
    }

    async fn get(&self, _: IncarnationId, slot: Slot) -> Result<Option<Bytes>, WalError> {
        Ok(self.registers.lock().get(&slot).cloned())
    }

    async fn get_front(&self, whose: IncarnationId, slot: Slot) -> Result<Option<Bytes>, WalError> {
        self.get(whose, slot).await
    }

    async fn get_range(&self, _: IncarnationId, _: Slot, _: Range<u64>) -> Result<Option<Bytes>, WalError> {
        Ok(None)
    }

    async fn delete(&self, _: IncarnationId, _: Range<Slot>) -> Result<(), WalError> {
        Ok(())
    }

    fn is_local(&self) -> bool {
        false
    }
}

#[derive(Default)]
struct Seen(Mutex<Vec<(Slot, usize)>>);

impl SlotSink for Seen {
    fn counted(&self, slot: Arc<CountedSlot>) {
        self.0.lock().push((slot.slot, slot.batches.len()));
    }
}

struct Bench {
    appender: Arc<Appender>,
    wal: Arc<Scripted>,
    seen: Arc<Seen>,
    puts: mpsc::UnboundedReceiver<(Slot, oneshot::Sender<Say>)>,
    next: i64,
}

impl Bench {
    fn new(settings: AppenderSettings) -> Self {
        let (sender, puts) = mpsc::unbounded_channel();
        let wal = Arc::new(Scripted {
            registers: Mutex::default(),
            puts: sender,
        });
        let seen = Arc::new(Seen::default());
        let sink = Arc::clone(&seen);
        let appender = Appender::start(&Env::system(), wal.clone(), OWN, settings, sink);
        Self {
            appender,
            wal,
            seen,
            puts,
            next: 0,
        }
    }

    fn push(&mut self, bytes: usize) -> Result<Slot, PushError> {
        let offset = Offset(self.next);
        self.next += 1;
        let meta = BatchMeta {
            partition: PartitionId {
                topic: TopicId(1),
                index: 0,
            },
            leader_epoch: LeaderEpoch(0),
            first: offset,
            last: offset,
            length: u32::try_from(bytes).unwrap(),
            base_timestamp: 0,
            max_timestamp: 0,
            producer: None,
            transactional: false,
            marker: None,
        };
        self.appender.push(PendingBatch {
            meta,
            bytes: vec![7; bytes].into(),
        })
    }

    /// The next put that comes in.
    async fn put(&mut self) -> (Slot, oneshot::Sender<Say>) {
        self.puts.recv().await.unwrap()
    }
}

fn slow_linger() -> AppenderSettings {
    AppenderSettings {
        linger: Duration::from_secs(3600),
        ..AppenderSettings::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_lone_producer_does_not_wait_for_a_linger() {
    let mut bench = Bench::new(slow_linger());
    let started = Instant::now();
    let slot = bench.push(100).unwrap();
    let (put, say) = bench.put().await;
    assert_eq!((put, slot), (Slot(0), Slot(0)));
    say.send(Say::Store).ok().unwrap();
    bench.appender.wait(slot).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn while_a_slot_is_in_flight_the_next_bulk_fills() {
    let mut bench = Bench::new(slow_linger());
    bench.push(100).unwrap();
    let (_, say) = bench.put().await;
    for _ in 0..10 {
        assert_eq!(bench.push(100), Ok(Slot(1)));
    }
    say.send(Say::Store).ok().unwrap();
    let (put, say) = bench.put().await;
    say.send(Say::Store).ok().unwrap();
    bench.appender.wait(Slot(1)).await.unwrap();
    assert_eq!(put, Slot(1));
    assert_eq!(*bench.seen.0.lock(), [(Slot(0), 1), (Slot(1), 10)]);
}

#[tokio::test(start_paused = true)]
async fn a_full_bulk_freezes_while_others_are_in_flight_up_to_the_bound() {
    let settings = AppenderSettings {
        max_slot_bytes: 1000,
        max_in_flight: 2,
        ..slow_linger()
    };
    let mut bench = Bench::new(settings);
    let slots: Vec<_> = (0..4).map(|_| bench.push(900).unwrap()).collect();
    assert_eq!(slots, [Slot(0), Slot(1), Slot(2), Slot(3)]);
    let (first, say) = bench.put().await;
    let (second, _kept) = bench.put().await;
    assert_eq!((first, second), (Slot(0), Slot(1)));
    tokio::task::yield_now().await;
    assert!(
        bench.puts.try_recv().is_err(),
        "a third slot was put over the bound"
    );
    say.send(Say::Store).ok().unwrap();
    assert_eq!(bench.put().await.0, Slot(2));
}

#[tokio::test(start_paused = true)]
async fn a_slot_counts_only_once_every_slot_before_it_is_durable() {
    let settings = AppenderSettings {
        max_slot_bytes: 100,
        ..slow_linger()
    };
    let mut bench = Bench::new(settings);
    bench.push(100).unwrap();
    bench.push(100).unwrap();
    let (_, first) = bench.put().await;
    let (_, second) = bench.put().await;
    second.send(Say::Store).ok().unwrap();
    let early = tokio::time::timeout(Duration::from_secs(60), bench.appender.wait(Slot(1))).await;
    assert!(early.is_err(), "slot 1 counted before slot 0");
    assert_eq!(bench.appender.durable_through(), None);
    first.send(Say::Store).ok().unwrap();
    bench.appender.wait(Slot(1)).await.unwrap();
    assert_eq!(*bench.seen.0.lock(), [(Slot(0), 1), (Slot(1), 1)]);
}

#[tokio::test(start_paused = true)]
async fn the_same_bytes_go_again_until_they_are_durable() {
    let mut bench = Bench::new(slow_linger());
    let slot = bench.push(100).unwrap();
    bench.put().await.1.send(Say::Fail).ok().unwrap();
    bench.put().await.1.send(Say::StoreButDoNotAnswer).ok().unwrap();
    let stored = bench.wal.registers.lock().get(&slot).cloned();
    bench.push(100).unwrap();
    bench.put().await.1.send(Say::Store).ok().unwrap();
    bench.appender.wait(slot).await.unwrap();
    assert!(stored.is_none() || stored == bench.wal.registers.lock().get(&slot).cloned());
    assert_eq!(*bench.seen.0.lock(), [(slot, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_fence_in_an_own_slot_ends_it() {
    let mut bench = Bench::new(slow_linger());
    let slot = bench.push(100).unwrap();
    let fence = Fence {
        sealer: SUCCESSOR,
        dead: OWN,
        slot,
    };
    bench.wal.registers.lock().insert(slot, fence.encode());
    bench.put().await.1.send(Say::Store).ok().unwrap();
    assert_eq!(bench.appender.wait(slot).await, Err(Halt::Fenced));
    assert_eq!(bench.push(100), Err(PushError::Halted));
    assert!(bench.seen.0.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn other_bytes_in_an_own_slot_are_not_success() {
    let mut bench = Bench::new(slow_linger());
    let slot = bench.push(100).unwrap();
    let foreign = slot::encode(SUCCESSOR, slot, None, firn_runtime::Timestamp(0), Vec::new())
        .0
        .concat();
    bench.wal.registers.lock().insert(slot, foreign.into());
    bench.put().await.1.send(Say::Store).ok().unwrap();
    assert!(matches!(bench.appender.wait(slot).await, Err(Halt::Broken(_))));
}

#[tokio::test(start_paused = true)]
async fn without_space_pushes_are_refused_until_there_is_room() {
    let mut bench = Bench::new(slow_linger());
    let slot = bench.push(100).unwrap();
    bench.put().await.1.send(Say::NoSpace).ok().unwrap();
    let (_, say) = bench.put().await;
    assert_eq!(bench.push(100), Err(PushError::NoSpace));
    say.send(Say::Store).ok().unwrap();
    bench.appender.wait(slot).await.unwrap();
    assert_eq!(bench.push(100), Ok(Slot(1)));
}

#[tokio::test(start_paused = true)]
async fn there_is_room_again_once_pending_bytes_count() {
    let settings = AppenderSettings {
        max_pending_bytes: 150,
        ..slow_linger()
    };
    let mut bench = Bench::new(settings);
    bench.push(100).unwrap();
    assert!(bench.appender.has_room());
    bench.push(100).unwrap();
    assert!(!bench.appender.has_room());
    bench.put().await.1.send(Say::Store).ok().unwrap();
    bench.appender.room().await;
    assert_eq!(bench.appender.pending_bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn closing_makes_what_was_pushed_durable() {
    let mut bench = Bench::new(slow_linger());
    bench.push(100).unwrap();
    let appender = Arc::clone(&bench.appender);
    let closing = Env::system()
        .tasks
        .spawn(Box::pin(async move { appender.close().await }));
    let (_, say) = bench.put().await;
    assert_eq!(bench.push(100), Err(PushError::Halted));
    say.send(Say::Store).ok().unwrap();
    closing.await.unwrap();
    assert_eq!(bench.appender.durable_through(), Some(Slot(0)));
}

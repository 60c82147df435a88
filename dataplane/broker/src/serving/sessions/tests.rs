use firn_runtime::Env;

use super::*;

fn sessions(most: usize) -> (FetchSessions, Identity) {
    let cluster = ClusterId(1);
    let who = Identity {
        cluster,
        principal: Principal::Dev { cluster },
        credential: None,
        slug: None,
        on_behalf: None,
        address: std::net::Ipv4Addr::LOCALHOST.into(),
        account: Arc::new(crate::seams::NoMeter),
        tally: Arc::new(crate::clients::Tally::new(
            Instant::now(),
            firn_runtime::Timestamp(0),
        )),
    };
    (FetchSessions::new(Env::system(), most), who)
}

fn targets(name: &str, indexes: std::ops::Range<i32>) -> Vec<FetchTarget> {
    let topic = FetchTopicKey::Name(Arc::from(name));
    let target = |index| FetchTarget {
        topic: topic.clone(),
        index,
        offset: 0,
        leader_epoch: -1,
        last_epoch: -1,
        max_bytes: 1,
    };
    indexes.map(target).collect()
}

fn header(id: i32, epoch: i32) -> SessionHeader {
    SessionHeader {
        id,
        epoch,
        by_id: false,
    }
}

impl FetchSessions {
    /// What is held, and how much memory it is counted as.
    fn held(&self) -> (usize, usize) {
        let cache = self.cache.lock();
        (cache.sessions.len(), cache.memory)
    }
}

#[test]
fn a_session_has_no_more_partitions_than_it_may_and_no_name_that_cannot_be() {
    let (sessions, who) = sessions(10);
    let most = i32::try_from(MOST_PARTITIONS).unwrap();
    let create = |named| sessions.open(&who, header(0, 0), named, &[]).unwrap().mode;
    assert_eq!(create(targets("t", 0..most + 1)), Mode::Full);
    assert_eq!(create(targets(&"t".repeat(250), 0..1)), Mode::Full);
    assert_eq!(sessions.held(), (0, 0));
    let Mode::Created(id) = create(targets("t", 0..most)) else {
        panic!("it fits");
    };
    let more = |epoch, named| sessions.open(&who, header(id, epoch), named, &[]);
    // All of them again are no more than they were.
    let again = more(1, targets("t", 0..most)).unwrap();
    assert_eq!(again.mode, Mode::Incremental(id));
    for named in [targets("t", most..most + 1), targets(&"t".repeat(250), 0..1)] {
        let refused = more(2, named).unwrap_err();
        assert_eq!(refused, ResponseError::InvalidFetchSessionEpoch);
    }
    assert_eq!(more(2, Vec::new()).unwrap().targets.len(), MOST_PARTITIONS);
}

#[test]
fn memory_is_counted_with_names_and_given_back() {
    let (sessions, who) = sessions(10);
    let named = [targets("abc", 0..2), targets("de", 0..1)].concat();
    let mode = sessions.open(&who, header(0, 0), named, &[]).unwrap().mode;
    assert_eq!(sessions.held(), (1, 5 * PARTITION_MEMORY + 5));
    let forget = |name: &str, index| (FetchTopicKey::Name(Arc::from(name)), index);
    let step = |epoch, named, forgotten: &[_]| {
        let id = mode.session();
        sessions.open(&who, header(id, epoch), named, forgotten).unwrap();
        sessions.held()
    };
    assert_eq!(
        step(1, Vec::new(), &[forget("abc", 0), forget("abc", 7)]),
        (1, 4 * PARTITION_MEMORY + 5)
    );
    assert_eq!(
        step(2, targets("f", 0..1), &[forget("abc", 1)]),
        (1, 4 * PARTITION_MEMORY + 3)
    );
    assert_eq!(
        step(3, Vec::new(), &[forget("de", 0), forget("f", 0), forget("g", 0)]),
        (0, 0)
    );
}

#[test]
fn all_sessions_together_are_bounded_in_memory() {
    let (sessions, who) = sessions(10_000);
    let most = i32::try_from(MOST_PARTITIONS).unwrap();
    let create = || {
        let named = targets("t", 0..most);
        sessions.open(&who, header(0, 0), named, &[]).unwrap().mode
    };
    while create() != Mode::Full {
        let (_, memory) = sessions.held();
        assert!(memory <= MOST_MEMORY, "{memory}");
    }
    assert_eq!(
        sessions.held().0,
        MOST_MEMORY / (MOST_PARTITIONS * PARTITION_MEMORY)
    );
}

#[tokio::test(start_paused = true)]
async fn idle_sessions_make_way_the_oldest_first() {
    let (sessions, who) = sessions(2);
    let create = |name| {
        let opened = sessions.open(&who, header(0, 0), targets(name, 0..1), &[]);
        opened.unwrap().mode
    };
    let (first, second) = (create("a").session(), create("b").session());
    assert_eq!(create("c"), Mode::Full);
    tokio::time::advance(PROTECTED / 2).await;
    let goes_on = |id, epoch| sessions.open(&who, header(id, epoch), Vec::new(), &[]).is_ok();
    assert!(goes_on(first, 1));
    tokio::time::advance(PROTECTED).await;
    assert!(matches!(create("c"), Mode::Created(_)));
    assert!(goes_on(first, 2) && !goes_on(second, 1));
}

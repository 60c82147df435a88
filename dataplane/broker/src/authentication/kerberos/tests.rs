//! Who may wait for a turn, and whose tickets count.

use std::sync::mpsc;

use futures::FutureExt;
use futures::future::join_all;

use super::*;

#[tokio::test]
async fn so_many_wait_for_a_turn_and_no_more() {
    let tasks = firn_runtime::Env::system().tasks;
    let turns = Turns::new();
    let (release, held) = mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let mut waiting = join_all((0..MOST_WAITING).map(|_| {
        let held = Arc::clone(&held);
        turns.call(&*tasks, move || held.lock().recv().is_ok())
    }));
    assert!((&mut waiting).now_or_never().is_none());
    assert_eq!(turns.call(&*tasks, || true).await, None);
    for _ in 0..MOST_WAITING {
        release.send(()).unwrap();
    }
    assert_eq!(waiting.await, vec![Some(true); MOST_WAITING]);
    assert_eq!(turns.call(&*tasks, || true).await, Some(true));
}

#[test]
fn an_id_is_known_before_the_cluster_is_there_and_a_slug_is_not() {
    let id = ClusterId(7);
    assert_eq!(Served::new(&id.public()).id.get(), Some(&id));
    let slug = Served::new("shop");
    assert_eq!(slug.id.get(), None);
    assert!(slug.find(&Image::default()).is_none());
    assert_eq!(slug.id.get(), None, "not yet found");
}

//! Who may search now: a search takes memory and a thread, so there are so many at once, and so many of one organization, which never
//! takes the last ones with more than its first.

use std::collections::BTreeMap;
use std::time::Duration;

use firn_catalog::ids::OrganizationId;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::rules::{Code, Problem};

/// Searches at once, those of one organization, and how many places are for those that have none yet.
const MOST: usize = 8;
const MOST_OF_ONE: usize = 4;
const FOR_OTHERS: usize = 3;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

type Searching = BTreeMap<OrganizationId, usize>;

static SEARCHING: Mutex<Searching> = Mutex::new(BTreeMap::new());
static WENT: Notify = Notify::const_new();

/// The right to search, until it is dropped.
pub(super) struct Turn(OrganizationId);

impl Drop for Turn {
    fn drop(&mut self) {
        leave(&mut SEARCHING.lock(), self.0);
        WENT.notify_waiters();
    }
}

fn leave(searching: &mut Searching, organization: OrganizationId) {
    if let Some(count) = searching.get_mut(&organization) {
        *count -= 1;
        if *count == 0 {
            searching.remove(&organization);
        }
    }
}

/// Whether the organization has one place more now.
fn enter(searching: &mut Searching, organization: OrganizationId) -> bool {
    let taken: usize = searching.values().sum();
    let own = searching.get(&organization).copied().unwrap_or(0);
    let kept_free = if own == 0 { 0 } else { FOR_OTHERS };
    let enters = own < MOST_OF_ONE && taken + kept_free < MOST;
    if enters {
        searching.insert(organization, own + 1);
    }
    enters
}

/// Waits for a turn to search.
pub(super) async fn take(organization: OrganizationId) -> Result<Turn, Problem> {
    let entered = async {
        loop {
            let mut went = std::pin::pin!(WENT.notified());
            went.as_mut().enable();
            if enter(&mut SEARCHING.lock(), organization) {
                return Turn(organization);
            }
            went.await;
        }
    };
    let turn = tokio::time::timeout(PATIENCE, entered).await;
    turn.map_err(|_| {
        let detail = "as many requests read records as may at once; try again";
        Problem::new(Code::RateLimited, detail).retry_after(1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_has_so_many_turns_and_some_are_left_for_others() {
        let of = OrganizationId;
        let mut searching = Searching::new();
        let all = |searching: &mut Searching, one| (0..9).filter(|_| enter(searching, of(one))).count();
        assert_eq!(all(&mut searching, 1), MOST_OF_ONE);
        assert_eq!(all(&mut searching, 2), 1);
        for other in 3..6 {
            assert!(enter(&mut searching, of(other)), "{other}");
        }
        assert!(!enter(&mut searching, of(6)), "there are {MOST}");
        leave(&mut searching, of(1));
        assert!(!enter(&mut searching, of(1)), "it is for others");
        assert!(enter(&mut searching, of(6)));
        for one in [1, 1, 1, 2, 3, 4, 5, 6] {
            leave(&mut searching, of(one));
        }
        assert!(searching.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_comes_when_somebody_goes() {
        let organization = OrganizationId(0xf111);
        let mut turns = Vec::new();
        for _ in 0..MOST_OF_ONE {
            turns.push(take(organization).await.unwrap());
        }
        assert!(take(organization).await.is_err());
        let (next, ()) = tokio::join!(take(organization), async { drop(turns.pop()) });
        assert!(next.is_ok());
    }
}

//! The fair queue for the cores that hash.

use std::collections::HashMap;
use std::sync::Arc;

use firn_runtime::{Env, blocking};
use firn_secrets::password::{self, Hasher};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::rules::login_throttle::{Origin, Seat};
use crate::rules::{Code, Problem};

/// How many hashes of one source may wait.
const WAITING: usize = 16;

/// Whose hash it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// Somebody at this address.
    Address(Origin),
    /// An account at an address from which, or on a device on which, it has logged in before.
    Known(Seat, String),
}

struct Line {
    /// Its one place in the queue for the cores.
    place: Arc<Semaphore>,
    /// How many hashes are in it.
    inside: usize,
}

/// Hashes and checks passwords, each source in turn.
#[derive(Clone)]
pub(crate) struct Passwords {
    env: Env,
    hasher: Arc<Hasher>,
    cores: Arc<Semaphore>,
    /// As many strangers as there are cores may stand in the queue for them at a time: so a known source waits behind no
    /// more than these, however many addresses there are.
    strangers: Arc<Semaphore>,
    lines: Arc<Mutex<HashMap<Source, Line>>>,
}

/// A hash that waits or runs, in the line of its source.
struct Ticket {
    lines: Arc<Mutex<HashMap<Source, Line>>>,
    source: Source,
    place: Arc<Semaphore>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut lines = self.lines.lock();
        if let Some(line) = lines.get_mut(&self.source) {
            line.inside -= 1;
            if line.inside == 0 {
                lines.remove(&self.source);
            }
        }
    }
}

impl Passwords {
    /// On half of this machine's cores.
    pub(crate) fn new(env: Env) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::on(env, (cores / 2).max(1))
    }

    fn on(env: Env, cores: usize) -> Self {
        Self {
            env,
            hasher: Arc::default(),
            cores: Arc::new(Semaphore::new(cores)),
            strangers: Arc::new(Semaphore::new(cores)),
            lines: Arc::default(),
        }
    }

    /// Whether it is the password that was hashed; without a hash the same work, and never.
    pub(crate) async fn verify(
        &self,
        source: Source,
        password: Zeroizing<String>,
        phc: Option<String>,
    ) -> Result<bool, Problem> {
        let hasher = Arc::clone(&self.hasher);
        self.run(source, move || {
            let known = phc.is_some();
            let phc = phc.as_deref().unwrap_or_else(|| password::dummy());
            hasher.verify(&password, phc) && known
        })
        .await
    }

    /// The hash of a new password.
    pub(crate) async fn hash(&self, source: Source, password: Zeroizing<String>) -> Result<String, Problem> {
        let random = Arc::clone(&self.env.random);
        let hasher = Arc::clone(&self.hasher);
        self.run(source, move || hasher.hash(&password, &*random)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        source: Source,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let ticket = self.enter(source)?;
        let place = Arc::clone(&ticket.place).acquire_owned().await;
        let gate = match ticket.source {
            Source::Known(..) => None,
            Source::Address(_) => Some(Arc::clone(&self.strangers).acquire_owned().await),
        };
        let core = Arc::clone(&self.cores).acquire_owned().await;
        // The work goes on if its request is given up, so it takes its places along.
        let done = blocking(&*self.env.tasks, move || {
            let value = work();
            drop((core, gate, place, ticket));
            value
        });
        Ok(done.await)
    }

    fn enter(&self, source: Source) -> Result<Ticket, Problem> {
        let mut lines = self.lines.lock();
        let line = lines.entry(source.clone()).or_insert_with(|| Line {
            place: Arc::new(Semaphore::new(1)),
            inside: 0,
        });
        if line.inside > WAITING {
            let detail = "too many passwords from your address wait to be checked";
            return Err(Problem::new(Code::RateLimited, detail).retry_after(1));
        }
        line.inside += 1;
        let place = Arc::clone(&line.place);
        drop(lines);
        Ok(Ticket {
            lines: Arc::clone(&self.lines),
            source,
            place,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn from(number: u8) -> Source {
        Source::Address(Origin::of(Some([192, 0, 2, number].into())))
    }

    #[tokio::test]
    async fn a_source_with_many_hashes_delays_another_by_one() {
        let passwords = Passwords::on(Env::system(), 1);
        let (tell, order) = mpsc::channel();
        let work = |name: &'static str| {
            let tell = tell.clone();
            move || tell.send(name).unwrap()
        };
        let noisy = (0..10).map(|_| passwords.run(from(1), work("noisy")));
        let mut all: Vec<futures::future::BoxFuture<'_, _>> = noisy.map(|run| Box::pin(run) as _).collect();
        all.push(Box::pin(passwords.run(from(2), work("quiet"))));
        for outcome in futures::future::join_all(all).await {
            outcome.unwrap();
        }
        let order: Vec<_> = order.try_iter().collect();
        assert_eq!(order.len(), 11);
        let turn = order.iter().position(|name| *name == "quiet").unwrap();
        assert!(turn <= 1, "{order:?}");
        assert!(passwords.lines.lock().is_empty(), "nothing is left of a source");
    }

    #[tokio::test]
    async fn a_known_source_waits_for_one_stranger_however_many_there_are() {
        let passwords = Passwords::on(Env::system(), 1);
        let (tell, order) = mpsc::channel();
        let work = |name: &'static str| {
            let tell = tell.clone();
            move || tell.send(name).unwrap()
        };
        let strangers = (0..50).map(|number| passwords.run(from(number), work("stranger")));
        let mut all: Vec<futures::future::BoxFuture<'_, _>> =
            strangers.map(|run| Box::pin(run) as _).collect();
        let known = Source::Known(
            Seat::Origin(Origin::of(Some([192, 0, 2, 7].into()))),
            "ada@example.com".to_owned(),
        );
        all.push(Box::pin(passwords.run(known, work("known"))));
        for outcome in futures::future::join_all(all).await {
            outcome.unwrap();
        }
        let order: Vec<_> = order.try_iter().collect();
        assert_eq!(order.len(), 51);
        let turn = order.iter().position(|name| *name == "known").unwrap();
        assert!(turn <= 1, "{order:?}");
    }

    #[tokio::test]
    async fn a_line_has_an_end() {
        let passwords = Passwords::on(Env::system(), 1);
        let held = Arc::clone(&passwords.cores).acquire_owned().await.unwrap();
        let runs: Vec<_> = (0..100)
            .map(|_| Box::pin(passwords.run(from(1), || ())))
            .collect();
        let all = futures::future::join_all(runs);
        let free = async {
            tokio::task::yield_now().await;
            drop(held);
        };
        let (outcomes, ()) = tokio::join!(all, free);
        let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(done, WAITING + 1);
    }
}

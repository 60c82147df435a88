//! What goes wrong on the way to the object store and the catalog, and how often.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use firn_runtime::{InlineTasks, Tasks};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::dice::Dice;
use crate::link::{Link, LinkState};
use crate::trace::Trace;

/// How often, in 1000 calls, each thing happens to a call that changes something.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// It fails without effect.
    pub fails: u64,
    /// It takes effect but is not answered.
    pub unanswered: u64,
    /// The caller is told that it failed, and then it takes effect.
    pub late: u64,
    /// It takes effect twice, the second time later.
    pub duplicated: u64,
    /// A conditional put takes effect and is answered "already exists", as if a proxy had repeated it.
    pub own_conflict: u64,
    /// A conditional put is answered "already exists" though nothing is there (S3's 409).
    pub false_conflict: u64,
    /// It takes seconds.
    pub slow: u64,
    /// The longest that a late or second effect waits, in ms.
    pub latest: u64,
    /// The longest that a slow call takes, in ms.
    pub slowest: u64,
}

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// What it asks for.
    Fine,
    /// See [`Rates::fails`].
    Fails,
    /// See [`Rates::unanswered`].
    Unanswered,
    /// See [`Rates::late`].
    Late(Duration),
    /// See [`Rates::duplicated`].
    Duplicated(Duration),
    /// See [`Rates::own_conflict`].
    OwnConflict,
    /// See [`Rates::false_conflict`].
    FalseConflict,
}

/// Deals out fates. One for the store and one for the catalog; shared by all brokers.
pub struct Faults {
    rates: Mutex<Rates>,
    dice: Dice,
    /// The record of the run.
    pub trace: Arc<Trace>,
    /// The usual time of a call, in ms.
    usual: u64,
}

/// How a call's errors are made.
pub trait CallError: Sized + Send + 'static {
    /// The call was not answered, or in time.
    fn unanswered() -> Self;
    /// The name of a conditional put is taken.
    fn conflict(name: &str) -> Self;
}

impl Faults {
    /// Calls take up to `usual` ms, and go wrong at `rates`.
    pub fn new(rates: Rates, usual: u64, dice: Dice, trace: Arc<Trace>) -> Self {
        Self {
            rates: Mutex::new(rates),
            dice,
            trace,
            usual,
        }
    }

    /// From now on nothing goes wrong.
    pub fn heal(&self) {
        *self.rates.lock() = Rates::default();
    }

    fn fate(&self, conditional: bool) -> (Fate, Duration) {
        let rates = *self.rates.lock();
        let slow = self.dice.chance(rates.slow);
        let time = if slow {
            self.dice.millis(self.usual, rates.slowest)
        } else {
            self.dice.millis(1, self.usual)
        };
        let mut roll = self.dice.between(0, 999);
        let mut hit = |rate: u64| {
            let hit = roll < rate;
            roll = if hit { u64::MAX } else { roll - rate };
            hit
        };
        let fate = if hit(rates.fails) {
            Fate::Fails
        } else if hit(rates.unanswered) {
            Fate::Unanswered
        } else if hit(rates.late) {
            Fate::Late(self.dice.millis(1, rates.latest))
        } else if hit(rates.duplicated) {
            Fate::Duplicated(self.dice.millis(1, rates.latest))
        } else if hit(rates.own_conflict) && conditional {
            Fate::OwnConflict
        } else if hit(rates.false_conflict) && conditional {
            Fate::FalseConflict
        } else {
            Fate::Fine
        };
        (fate, time)
    }

    /// Makes a call that changes something. What is on its way is not called back when the caller ends: half of it
    /// still takes effect.
    pub async fn change<T, E, F>(
        self: &Arc<Self>,
        link: &Arc<Link>,
        name: String,
        conditional: bool,
        apply: F,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: CallError,
        F: Fn() -> BoxFuture<'static, Result<T, E>> + Send + Sync + 'static,
    {
        let (fate, time) = self.fate(conditional);
        let outlives_caller = self.dice.chance(500);
        let (answer, answered) = oneshot::channel();
        let call = Call {
            name,
            fate,
            time,
            outlives_caller,
            link: Arc::clone(link),
            trace: Arc::clone(&self.trace),
        };
        InlineTasks.spawn(Box::pin(call.run(answer, apply)));
        let answer = answered.await;
        link.pass().await;
        match answer {
            Ok(answer) => answer,
            // The call went down with its process, which waits for nothing any more.
            Err(_) => std::future::pending().await,
        }
    }

    /// Makes a call that only asks.
    pub async fn ask<T, E: CallError>(
        &self,
        link: &Link,
        name: &str,
        asks: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let (fate, time) = self.fate(false);
        link.pass().await;
        sleep(time).await;
        let answer = match fate {
            Fate::Fails | Fate::Unanswered => Err(E::unanswered()),
            Fate::Fine | Fate::Late(_) | Fate::Duplicated(_) | Fate::OwnConflict | Fate::FalseConflict => {
                asks.await
            }
        };
        link.pass().await;
        let outcome = if answer.is_ok() { "ok" } else { "error" };
        self.trace.line(format_args!("{name} -> {outcome}"));
        answer
    }
}

/// A call on its way.
struct Call {
    name: String,
    fate: Fate,
    time: Duration,
    outlives_caller: bool,
    link: Arc<Link>,
    trace: Arc<Trace>,
}

impl Call {
    async fn run<T, E, F>(self, answer: oneshot::Sender<Result<T, E>>, apply: F)
    where
        E: CallError,
        F: Fn() -> BoxFuture<'static, Result<T, E>>,
    {
        self.link.pass().await;
        sleep(self.time / 2).await;
        self.link.pass().await;
        if self.link.state() == LinkState::Dead && !self.outlives_caller {
            self.trace
                .line(format_args!("{} lost with its process", self.name));
            return;
        }
        let (told, then) = match self.fate {
            Fate::Fine => (self.applied(apply().await), None),
            Fate::Fails => (Err(E::unanswered()), None),
            Fate::Unanswered => {
                let _ = self.applied(apply().await);
                (Err(E::unanswered()), None)
            }
            Fate::Late(delay) => (Err(E::unanswered()), Some(delay)),
            Fate::Duplicated(delay) => (self.applied(apply().await), Some(delay)),
            Fate::OwnConflict => {
                let _ = self.applied(apply().await);
                (Err(E::conflict(&self.name)), None)
            }
            Fate::FalseConflict => (Err(E::conflict(&self.name)), None),
        };
        let outcome = if told.is_ok() { "ok" } else { "error" };
        self.trace
            .line(format_args!("{} {:?} -> {outcome}", self.name, self.fate));
        sleep(self.time / 2).await;
        // The caller may have given up.
        let _ = answer.send(told);
        if let Some(delay) = then {
            sleep(delay).await;
            let _ = self.applied(apply().await);
        }
    }

    fn applied<T, E>(&self, outcome: Result<T, E>) -> Result<T, E> {
        let how = if outcome.is_ok() { "done" } else { "refused" };
        self.trace.line(format_args!("{} {how}", self.name));
        outcome
    }
}

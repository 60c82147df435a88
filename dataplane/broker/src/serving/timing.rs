//! How long requests keep a processor busy. Measured only on connections of clients with a quota for it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::network::{Reply, Started};
use crate::quotas::Memo;

/// The time of one request so far.
pub(super) struct Timing {
    memo: Arc<Memo>,
    began: Instant,
}

impl Timing {
    /// Begins, if it is asked for.
    pub(super) fn begin(memo: &Arc<Memo>) -> Option<Self> {
        memo.is_timed().then(|| Self {
            memo: Arc::clone(memo),
            began: Instant::now(),
        })
    }

    /// The request has been started; the time of its answer counts too.
    pub(super) fn go_on(self, started: Started) -> Started {
        self.memo.spend(self.began.elapsed());
        let timed = |answer| -> BoxFuture<'static, Reply> {
            Box::pin(Timed {
                memo: self.memo,
                answer,
            })
        };
        match started {
            Started::Waiting(answer) => Started::Waiting(timed(answer)),
            Started::Alone(answer) => Started::Alone(timed(answer)),
            other @ (Started::Done(_) | Started::Later(_)) => other,
        }
    }
}

/// An answer whose work is counted while it is worked on, and not while it waits.
struct Timed {
    memo: Arc<Memo>,
    answer: BoxFuture<'static, Reply>,
}

impl Future for Timed {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        let began = Instant::now();
        let polled = self.answer.as_mut().poll(cx);
        self.memo.spend(began.elapsed());
        polled
    }
}

//! One connection: a state machine that one task polls.
//!
//! Responses leave in the order of requests. Consecutive pipelined requests (Produce) are started as they arrive,
//! while earlier ones wait for durability; any other request is started when all before it are answered. While answers
//! are pending, reading goes on, so that a client that goes away is noticed, but at most one frame ahead; only a request
//! that takes long before it has an effect is finished first. Nothing is
//! started while too much waits to be written, so a client that does not read cannot make the broker hold more.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::inbound::Inbound;
use super::outbound::Outbound;
use super::pool::{BufferPool, CHUNK};
use super::{After, Closing, Limits, Order, Protocol, Reply, Started};
use crate::metrics;

/// The smallest request: a header of the first version without a client id.
const LEAST_FRAME: usize = 10;
/// Bytes per second at which a frame must come on average, once the time for a stall has passed.
const LEAST_RATE: u64 = 64 * 1024;
/// How long a client may leave its answers unread once the broker is shutting down.
const DRAIN_STALL: Duration = Duration::from_secs(2);

/// A request whose answer is awaited, and its size.
struct Pending {
    answer: Started,
    bytes: usize,
    order: Order,
    /// Nothing is read until it is answered: a client that sent it and went away expects no answer, but its effect.
    unheard: bool,
}

/// A connection; as a future it ends when the connection does.
pub(crate) struct Connection<S, P> {
    stream: S,
    protocol: P,
    limits: Limits,
    inbound: Inbound,
    outbound: Outbound,
    pending: VecDeque<Pending>,
    pending_bytes: usize,
    waiting_for_room: Option<BoxFuture<'static, ()>>,
    muted: Option<Pin<Box<Sleep>>>,
    closing: Option<Closing>,
    last_activity: Instant,
    watchdog: Pin<Box<Sleep>>,
    shutdown: Pin<Box<WaitForCancellationFutureOwned>>,
    draining: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin, P: Protocol + Unpin> Connection<S, P> {
    pub(crate) fn new(
        stream: S,
        protocol: P,
        limits: Limits,
        pool: BufferPool,
        shutdown: CancellationToken,
    ) -> Self {
        let inbound = Inbound::new(pool, LEAST_FRAME, protocol.frame_bytes());
        Self {
            stream,
            protocol,
            inbound,
            outbound: Outbound::default(),
            pending: VecDeque::new(),
            pending_bytes: 0,
            waiting_for_room: None,
            muted: None,
            closing: None,
            last_activity: Instant::now(),
            watchdog: Box::pin(tokio::time::sleep(watch_period(limits.idle.min(limits.stall)))),
            shutdown: Box::pin(shutdown.cancelled_owned()),
            draining: false,
            limits,
        }
    }

    /// Takes the answers that are ready, in order.
    fn poll_answers(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        while let Some(front) = self.pending.front_mut() {
            while let Started::Later(ready) = &mut front.answer {
                if ready.as_mut().poll(cx).is_pending() {
                    return progress;
                }
                front.answer = match self.protocol.resume() {
                    Started::Alone(answer) => {
                        front.unheard = true;
                        Started::Waiting(answer)
                    }
                    started => started,
                };
                self.inbound.most = self.protocol.frame_bytes();
            }
            if let Started::Waiting(answer) = &mut front.answer {
                let Poll::Ready(reply) = answer.as_mut().poll(cx) else {
                    break;
                };
                front.answer = Started::Done(reply);
            }
            let Some(Pending {
                answer: Started::Done(reply),
                bytes,
                ..
            }) = self.pending.pop_front()
            else {
                break;
            };
            self.pending_bytes -= bytes;
            self.answered(reply);
            progress = true;
        }
        progress
    }

    fn answered(&mut self, reply: Reply) {
        self.last_activity = Instant::now();
        if self.closing.is_some() {
            return;
        }
        self.outbound.push(reply.chunks);
        match reply.after {
            After::Continue => {}
            After::Mute(time) => self.mute(Instant::now() + time),
            After::Close(why) => self.closing = Some(why),
        }
    }

    /// Starts nothing before `until`, or a later time that was told before.
    fn mute(&mut self, until: Instant) {
        let later = self.muted.as_ref().is_none_or(|muted| muted.deadline() < until);
        if later {
            self.muted = Some(Box::pin(tokio::time::sleep_until(until)));
        }
    }

    /// Whether the request at the front may be started now.
    fn may_start(&self, order: Order) -> bool {
        let alone = self.pending.is_empty();
        let unwritten = self.outbound.bytes();
        let room_to_write =
            unwritten == 0 || (self.protocol.is_known() && unwritten < self.limits.unwritten_bytes);
        room_to_write
            && match order {
                Order::Alone => alone,
                Order::Pipelined => {
                    alone
                        || (self
                            .pending
                            .back()
                            .is_none_or(|last| last.order == Order::Pipelined)
                            && self.pending.len() < self.limits.pipelined_requests
                            && self.pending_bytes < self.limits.pipelined_bytes)
                }
            }
    }

    /// Starts requests that have arrived, as far as their order and the limits allow.
    fn poll_start(&mut self, cx: &mut Context<'_>) -> Result<bool, Closing> {
        let mut progress = false;
        while self.closing.is_none() && !self.draining {
            if let Some(muted) = &mut self.muted {
                if muted.as_mut().poll(cx).is_pending() {
                    break;
                }
                self.muted = None;
            }
            if let Some(room) = &mut self.waiting_for_room {
                if room.as_mut().poll(cx).is_pending() {
                    break;
                }
                self.waiting_for_room = None;
            }
            let Some(frame) = self.inbound.peek()? else { break };
            let order = self.protocol.order(frame);
            if !self.may_start(order) {
                break;
            }
            if order == Order::Pipelined
                && let Some(room) = self.protocol.room()
            {
                self.waiting_for_room = Some(room);
                continue;
            }
            let Some(frame) = self.inbound.take()? else { break };
            self.last_activity = Instant::now();
            let bytes = frame.len();
            metrics::bytes_received(bytes);
            let (answer, order, unheard) = match self.protocol.start(frame) {
                Started::Alone(answer) => (Started::Waiting(answer), Order::Alone, true),
                later @ Started::Later(_) => (later, Order::Alone, false),
                started => (started, order, false),
            };
            self.inbound.most = self.protocol.frame_bytes();
            self.pending_bytes += bytes;
            self.pending.push_back(Pending {
                answer,
                bytes,
                order,
                unheard,
            });
            self.poll_answers(cx);
            progress = true;
        }
        Ok(progress)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<bool, Closing> {
        let mut progress = false;
        while let Poll::Ready(written) = self.outbound.poll_write(&mut self.stream, cx) {
            match written? {
                0 => break,
                written => {
                    metrics::bytes_sent(written);
                    self.last_activity = Instant::now();
                    progress = true;
                }
            }
        }
        Ok(progress)
    }

    /// Reads, unless a whole frame waits already and there is no use in more.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<bool, Closing> {
        if self.closing.is_some() || self.draining || self.pending.back().is_some_and(|last| last.unheard) {
            return Ok(false);
        }
        if self.inbound.peek()?.is_some() && self.inbound.buffered() >= CHUNK {
            return Ok(false);
        }
        match self.inbound.poll_read(&mut self.stream, cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => Err(Closing::ByClient),
            Poll::Ready(Ok(_)) => Ok(true),
            Poll::Ready(Err(why)) => Err(why),
        }
    }

    /// Looks from time to time whether the client or the connection is stuck.
    fn poll_watchdog(&mut self, cx: &mut Context<'_>) -> Result<(), Closing> {
        while self.watchdog.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            let longer_than =
                |since: Option<Instant>, limit: Duration| since.is_some_and(|since| now - since > limit);
            if longer_than(self.outbound.stuck_since, self.patience()) {
                return Err(Closing::Stalled);
            }
            let whole = self.inbound.peek()?.is_some();
            let time_for_frame =
                self.limits.stall + Duration::from_secs(self.inbound.buffered() as u64 / LEAST_RATE);
            if !whole
                && !self.inbound.waits_for_share()
                && self.inbound.buffered() > 0
                && longer_than(self.inbound.incomplete_since, time_for_frame)
            {
                return Err(Closing::Stalled);
            }
            if self.outbound.is_slow(now, self.limits.stall) {
                return Err(Closing::Stalled);
            }
            let quiet = self.pending.is_empty()
                && self.outbound.is_done()
                && self.muted.is_none()
                && !self.inbound.waits_for_share();
            if quiet && now - self.last_activity > self.limits.idle {
                return Err(Closing::Idle);
            }
            let next = now + self.watch_period();
            self.watchdog.as_mut().reset(next);
        }
        Ok(())
    }

    /// How long the client may take nothing of what waits to be written.
    fn patience(&self) -> Duration {
        if self.draining {
            self.limits.stall.min(DRAIN_STALL)
        } else {
            self.limits.stall
        }
    }

    /// How often the connection is looked at.
    fn watch_period(&self) -> Duration {
        watch_period(self.limits.idle.min(self.patience()))
    }

    /// Whether the connection is done: closing or draining, and nothing is left to answer or write.
    fn finished(&self) -> Option<Closing> {
        if !self.outbound.is_done() {
            return None;
        }
        if let Some(why) = self.closing {
            return Some(why);
        }
        (self.draining && self.pending.is_empty()).then_some(Closing::Shutdown)
    }

    fn poll_all(&mut self, cx: &mut Context<'_>) -> Result<Poll<Closing>, Closing> {
        if !self.draining && self.shutdown.as_mut().poll(cx).is_ready() {
            self.draining = true;
            let soon = Instant::now() + self.watch_period();
            self.watchdog.as_mut().reset(soon);
        }
        loop {
            let mut progress = self.poll_answers(cx);
            progress |= self.poll_start(cx)?;
            progress |= self.poll_write(cx)?;
            if let Some(why) = self.finished() {
                return Ok(Poll::Ready(why));
            }
            progress |= self.poll_read(cx)?;
            if !progress {
                break;
            }
        }
        self.poll_watchdog(cx)?;
        Ok(Poll::Pending)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, P: Protocol + Unpin> Future for Connection<S, P> {
    type Output = Closing;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Closing> {
        match self.poll_all(cx) {
            Ok(poll) => Poll::Ready(ready!(poll)),
            Err(why) => Poll::Ready(why),
        }
    }
}

/// How often a connection is looked at whose shortest time limit this is.
fn watch_period(shortest: Duration) -> Duration {
    (shortest / 4).clamp(Duration::from_millis(20), Duration::from_secs(30))
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;

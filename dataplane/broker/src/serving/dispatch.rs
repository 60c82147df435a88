//! Headers, versions, guard, codec, charge and meter around every handler.

use std::future::Future;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use firn_catalog::ids::ClusterId;
use firn_catalog::internal::INTERNAL_API;
use futures::future::BoxFuture;
use kafka_protocol::messages::ApiKey;
use kafka_protocol::protocol::{Decodable, Encodable};
use tokio::time::Instant;
use tracing::{Instrument, Span, debug, error};

use super::fair_share::{Hold, Share};
use super::fetch_size::FetchSize;
use super::login::{Login, is_open};
use super::request::{Identity, RequestContext, throttle_ms};
use super::shared::Serving;
use super::timing::Timing;
use crate::clients::Tally;
use crate::handlers::{self, Throttled};
use crate::internal;
use crate::metrics;
use crate::network::listener::{Door, Peer};
use crate::network::{After, Closing, Order, Protocol, Reply, Started};
use crate::protocol::cursor::Cursor;
use crate::protocol::header::{self, Prelude};
use crate::protocol::schema::Schema;
use crate::protocol::{Malformed, guard};
use crate::quotas::Memo;
use crate::seams::Usage;

/// The target of the spans of Produce and Fetch requests. The binary's subscriber turns it on when spans are exported, or
/// when everything is logged.
pub const HOT_REQUESTS: &str = "firn_requests";

/// After how long it is looked again whether a request that is held back by a quota may be started.
const LONGEST_NAP: Duration = Duration::from_secs(1);

/// How a served API is called.
pub(crate) enum Call {
    /// Through the codecs.
    Coded(fn(RequestContext, Bytes) -> BoxFuture<'static, Reply>),
    /// Produce: batches are appended at once, the answer follows.
    Produce(fn(RequestContext, BytesMut, Hold) -> Started),
    /// By the connection itself: it is about who the client is.
    Login,
}

/// A served API: one row of the table from which ApiVersions and dispatch follow.
pub(crate) struct Api {
    pub(crate) key: ApiKey,
    /// What is served.
    pub(crate) versions: RangeInclusive<i16>,
    /// The lowest version that ApiVersions names; lower than what is served for Produce only.
    pub(crate) advertised_from: i16,
    pub(crate) flexible_from: i16,
    /// Its structure, unless it is decoded by hand.
    pub(crate) schema: Option<&'static Schema>,
    pub(crate) call: Call,
}

impl Api {
    /// The served API of that key.
    pub(crate) fn of(key: i16) -> Option<&'static Self> {
        handlers::TABLE.iter().find(|api| api.key as i16 == key)
    }
}

/// The meaning of frames on one connection.
pub(crate) struct KafkaConnection {
    pub(super) serving: Arc<Serving>,
    /// `None`: the client has yet to say who it is.
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) connection: u64,
    /// The largest frame that may come.
    pub(super) frame_bytes: usize,
    /// From when on the client must authenticate anew before it asks for anything else.
    pub(super) session_ends: Option<Instant>,
    pub(super) login: Box<Login>,
    /// What it has done as whoever it is.
    pub(super) tally: Arc<Tally>,
    fetch_size: Arc<FetchSize>,
    memo: Arc<Memo>,
    /// The first request, if it must wait because connections come too fast.
    held: Option<BytesMut>,
    /// The cluster's part of the ways into the log and back, once it has asked for something.
    share: Option<(ClusterId, Arc<Share>)>,
}

impl KafkaConnection {
    pub(crate) fn new(serving: Arc<Serving>, peer: Peer) -> Self {
        let connection = peer.connection;
        let tally = Arc::new(Tally::new(peer.since, serving.env.now()));
        let mut new = Self {
            serving,
            identity: None,
            connection,
            frame_bytes: 0,
            session_ends: None,
            login: Box::new(Login::new(peer)),
            tally,
            fetch_size: Arc::new(FetchSize::new(Instant::now())),
            memo: Arc::default(),
            held: None,
            share: None,
        };
        new.arrive();
        new
    }

    fn start_request(&mut self, mut frame: BytesMut) -> Result<Started, Malformed> {
        let Some(identity) = &self.identity else {
            return self.start_unauthenticated(frame);
        };
        let request_bytes = frame.len();
        let mut cursor = Cursor::new(&frame);
        let prelude = Prelude::read(&mut cursor)?;
        if prelude.api_key == INTERNAL_API && self.login.door() == Door::Internal {
            header::client_id(&mut cursor, false)?;
            let body = &frame[cursor.position()..];
            return Ok(internal::serving::answer(&self.serving, identity, &prelude, body));
        }
        let served = Api::of(prelude.api_key).filter(|api| api.versions.contains(&prelude.version));
        let Some(api) = served else {
            return Ok(Started::Done(self.not_served(&prelude)));
        };
        let flexible = prelude.version >= api.flexible_from;
        let client_id = header::client_id(&mut cursor, flexible)?.map(Arc::from);
        frame.advance(cursor.position());
        let started = Instant::now();
        if self.session_ends.is_some_and(|ends| started > ends) && !is_open(api.key) {
            return Ok(Started::Done(Reply::close(Closing::SessionExpired)));
        }
        self.tally.came(api.key, client_id.as_deref(), started);
        let identity = Arc::clone(identity);
        let share = Arc::clone(self.share());
        let context = RequestContext {
            serving: Arc::clone(&self.serving),
            identity,
            connection: self.connection,
            correlation: prelude.correlation,
            api: api.key,
            version: prelude.version,
            client_id,
            request_bytes,
            started,
            fetch_size: Arc::clone(&self.fetch_size),
            memo: Arc::clone(&self.memo),
            share,
        };
        match &api.call {
            Call::Produce(start) => {
                let span = request_span(&context);
                let hold = context.share.hold(request_bytes, started);
                Ok(match span.in_scope(|| start(context, frame, hold)) {
                    Started::Waiting(answer) => Started::Waiting(traced(span, answer)),
                    Started::Alone(answer) => Started::Alone(traced(span, answer)),
                    other @ (Started::Done(_) | Started::Later(_)) => other,
                })
            }
            Call::Coded(call) => {
                if let Some(schema) = api.schema {
                    guard::check(&frame, schema, prelude.version)?;
                }
                let span = request_span(&context);
                Ok(Started::Waiting(traced(span, call(context, frame.freeze()))))
            }
            Call::Login => self.login_request(api, &prelude, frame.freeze()),
        }
    }

    /// The part of the connection's cluster of the ways into the log and back.
    fn share(&mut self) -> &Arc<Share> {
        let cluster = self
            .identity
            .as_ref()
            .map_or(ClusterId(0), |identity| identity.cluster);
        let (_, share) = match self.share.take().filter(|(of, _)| *of == cluster) {
            Some(share) => self.share.insert(share),
            None => self.share.insert((cluster, self.serving.fair_shares.of(cluster))),
        };
        share
    }

    /// `None`: as far as its quotas are concerned, the next Produce request may be started.
    fn backlog(&self) -> Option<BoxFuture<'static, ()>> {
        let identity = self.identity.as_ref()?;
        if identity.on_behalf.is_some() {
            return None;
        }
        let wait = self.serving.quotas.backlog(&self.memo, identity.cluster);
        // Then it is asked again: others may have come first, and a quota may have been raised.
        let nap = || -> BoxFuture<'static, ()> { Box::pin(tokio::time::sleep(wait.min(LONGEST_NAP))) };
        (!wait.is_zero()).then(nap)
    }

    /// What is answered to an API or version that is not served.
    pub(super) fn not_served(&self, prelude: &Prelude) -> Reply {
        if prelude.api_key == ApiKey::ApiVersions as i16 {
            return handlers::api_versions::unsupported(prelude.correlation);
        }
        debug!(
            connection = self.connection,
            ?prelude,
            "an API or version that is not served"
        );
        Reply::close(Closing::Request)
    }
}

impl Drop for KafkaConnection {
    fn drop(&mut self) {
        let logins = &self.serving.logins;
        logins.registry.close(self.connection, self.serving.env.now());
        if let Some(identity) = &self.identity {
            self.serving.clients.went(identity.cluster, self.connection);
        }
    }
}

impl Protocol for KafkaConnection {
    fn order(&self, frame: &[u8]) -> Order {
        const PRODUCE: [u8; 2] = (ApiKey::Produce as i16).to_be_bytes();
        if frame.starts_with(&PRODUCE) && self.identity.is_some() {
            Order::Pipelined
        } else {
            Order::Alone
        }
    }

    fn start(&mut self, frame: BytesMut) -> Started {
        if self.identity.is_some()
            && let Some(delay) = self.login.take_delay()
        {
            self.held = Some(frame);
            return Started::Later(Box::pin(tokio::time::sleep(delay)));
        }
        let timing = Timing::begin(&self.memo);
        let started = match self.start_request(frame) {
            Ok(started) => started,
            Err(error) => {
                debug!(connection = self.connection, %error, "a malformed request");
                Started::Done(Reply::close(Closing::Request))
            }
        };
        match timing {
            None => started,
            Some(timing) => timing.go_on(started),
        }
    }

    fn resume(&mut self) -> Started {
        match self.held.take() {
            Some(frame) => self.start(frame),
            None => self.resume_login(),
        }
    }

    fn frame_bytes(&self) -> usize {
        self.frame_bytes
    }

    fn is_known(&self) -> bool {
        self.identity.is_some()
    }

    fn room(&self) -> Option<BoxFuture<'static, ()>> {
        if let Some(room) = self.share.as_ref().and_then(|(_, share)| share.room()) {
            return Some(room);
        }
        if self.serving.log.has_room() {
            return self.backlog();
        }
        let log = Arc::clone(&self.serving.log);
        Some(Box::pin(async move { log.room().await }))
    }
}

/// The request's span: every log line below it carries the request id. Those of Produce and Fetch have a target of their
/// own, so that they cost nothing unless somebody asked for them.
fn request_span(context: &RequestContext) -> Span {
    macro_rules! span {
        ($target:expr) => {
            tracing::info_span!(
                target: $target,
                "request",
                request_id = %context.request_id(),
                api = metrics::api_name(context.api),
                version = context.version,
                client_id = context.client_id.as_deref(),
            )
        };
    }
    match context.api {
        ApiKey::Produce | ApiKey::Fetch => span!(HOT_REQUESTS),
        _ => span!(module_path!()),
    }
}

fn traced(span: Span, answer: BoxFuture<'static, Reply>) -> BoxFuture<'static, Reply> {
    if span.is_disabled() {
        return answer;
    }
    Box::pin(answer.instrument(span))
}

/// What every handler is called through: decode, handle, charge, encode, meter.
pub(crate) async fn coded<Req, Resp, Answer>(
    context: RequestContext,
    mut body: Bytes,
    handle: impl FnOnce(Arc<RequestContext>, Req) -> Answer,
) -> Reply
where
    Req: Decodable,
    Resp: Encodable + Throttled,
    Answer: Future<Output = Resp>,
{
    let version = context.version;
    let request = match Req::decode(&mut body, version) {
        Ok(request) => request,
        Err(error) => {
            debug!(%error, "the codec refuses a request");
            return Reply::close(Closing::Request);
        }
    };
    // The decoded request shares the frame's memory; nothing else holds on to it.
    drop(body);
    let context = Arc::new(context);
    let mut response = handle(Arc::clone(&context), request).await;
    let usage = context.usage(0, 0);
    let throttle = context.charge(&usage);
    response.set_throttle(throttle_ms(throttle));
    match encode(&context, &response) {
        Ok(response) => answered(&context, usage, vec![response], throttle),
        Err(error) => {
            error!(%error, api = metrics::api_name(context.api), version, "a response cannot be encoded");
            Reply::close(Closing::Request)
        }
    }
}

/// Encodes a response with its header and length.
fn encode(context: &RequestContext, response: &impl Encodable) -> Result<Bytes, String> {
    let flexible = Api::of(context.api as i16).is_some_and(|api| context.version >= api.flexible_from);
    let of = (context.api, context.version, flexible);
    encode_response(of, context.correlation, response)
}

/// Encodes a response to a request of this API, version, and whether it is flexible, with its header and length.
pub(super) fn encode_response(
    (api, version, flexible): (ApiKey, i16, bool),
    correlation: i32,
    response: &impl Encodable,
) -> Result<Bytes, String> {
    let size = response
        .compute_size(version)
        .map_err(|error| error.to_string())?;
    let mut out = BytesMut::with_capacity(size + header::RESPONSE_PREFIX);
    header::begin_response(&mut out, api, correlation, flexible);
    response
        .encode(&mut out, version)
        .map_err(|error| error.to_string())?;
    let total = out.len();
    header::set_length(&mut out, total);
    Ok(out.freeze())
}

/// Meters a request and makes its reply. A throttled connection is muted once the answer is out, but not one of the control plane:
/// it has those whom it asks for wait.
pub(crate) fn answered(
    context: &RequestContext,
    usage: Usage,
    chunks: Vec<Bytes>,
    throttle: Duration,
) -> Reply {
    let response_bytes = chunks.iter().map(Bytes::len).sum();
    context.meter(usage, response_bytes, throttle);
    let after = if throttle.is_zero() || context.identity.on_behalf.is_some() {
        After::Continue
    } else {
        After::Mute(throttle)
    };
    Reply { chunks, after }
}

//! What a connection may ask before it is somebody, and how it becomes somebody: ApiVersions, SaslHandshake 0-1 and
//! SaslAuthenticate 0-2, and the raw tokens that follow SaslHandshake 0.
//!
//! A connection of `firn dev` that is somebody without being asked is nobody from its first SaslHandshake on. One that is
//! somebody by a credential stays so while it authenticates anew (KIP-368), which it can only as the same user and with the
//! same mechanism.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use firn_catalog::commands::Principal;
use firn_catalog::topic_config::{BrokerDefaults, ConfigMap, KafkaSettings};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
    SaslHandshakeResponse,
};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use tokio::time::Instant;
use tracing::{debug, error};

use super::dispatch::{Api, KafkaConnection, encode_response};
use super::request::Identity;
use crate::authentication::credentials::{self, Keys, Known, Refused, Shown};
use crate::authentication::exchange::{Exchange, NotChosen, Step, Tokens};
use crate::authentication::failures::Failures;
use crate::authentication::mechanism::Mechanism;
use crate::authentication::registry::{Registry, Session};
use crate::authentication::server_name;
use crate::errors::NONE;
use crate::handlers::api_versions;
use crate::metrics;
use crate::network::listener::{Door, Peer, Transport};
use crate::network::{After, Closing, Limits, Reply, Started};
use crate::protocol::cursor::Cursor;
use crate::protocol::header::{self, Prelude};
use crate::protocol::{Malformed, guard};

/// The largest frame before authentication.
const UNAUTHENTICATED_FRAME: usize = 64 * 1024;

/// What all connections of a broker share of this.
pub(crate) struct Logins {
    pub(crate) registry: Arc<Registry>,
    pub(crate) keys: Keys,
    /// The domain under which clusters have names.
    pub(crate) cell_domain: Option<String>,
    frame_bytes: usize,
    patience: Duration,
    /// After how long a client must authenticate anew; `None`: never.
    reauthentication: Option<Duration>,
    /// How long a failure is held back.
    failure_delay: Duration,
    failures: Failures,
}

impl Logins {
    pub(crate) fn new(
        keys: Keys,
        cell_domain: Option<String>,
        limits: &Limits,
        kafka: &KafkaSettings,
    ) -> Self {
        let defaults = BrokerDefaults {
            cluster: &ConfigMap::new(),
            settings: kafka,
        };
        let millis = |key| {
            let number = defaults.number(key).and_then(|number| u64::try_from(number).ok());
            Duration::from_millis(number.unwrap_or(0))
        };
        Self {
            registry: Arc::default(),
            keys,
            cell_domain,
            frame_bytes: limits.frame_bytes,
            patience: limits.authentication,
            reauthentication: Some(millis("connections.max.reauth.ms")).filter(|time| !time.is_zero()),
            failure_delay: millis("connection.failed.authentication.delay.ms"),
            failures: Failures::default(),
        }
    }
}

/// Where one connection is.
pub(super) struct Login {
    peer: Peer,
    /// The label in its server name.
    slug: Option<Arc<str>>,
    exchange: Exchange,
    /// With what it became who it is.
    mechanism: Option<Mechanism>,
}

impl Login {
    pub(super) fn new(peer: Peer) -> Self {
        Self {
            peer,
            slug: None,
            exchange: Exchange::None,
            mechanism: None,
        }
    }
}

/// Whether an API is served to connections that are nobody.
pub(super) fn is_open(key: ApiKey) -> bool {
    matches!(
        key,
        ApiKey::SaslHandshake | ApiKey::ApiVersions | ApiKey::SaslAuthenticate
    )
}

impl KafkaConnection {
    /// Notes the new connection, which may be somebody without being asked: in dev, from loopback, in plaintext.
    pub(super) fn arrive(&mut self) {
        let logins = &self.serving.logins;
        let peer = &self.login.peer;
        self.login.slug = server_name::slug_in(&peer.transport, logins.cell_domain.as_deref());
        self.frame_bytes = UNAUTHENTICATED_FRAME;
        let deadline = peer.since + logins.patience;
        logins.registry.open(self.connection, peer.cut.clone(), deadline);
        let address = peer.address.ip().to_canonical();
        let unasked =
            address.is_loopback() && peer.door == Door::Clients && peer.transport == Transport::Plaintext;
        let Some(cluster) = self.serving.anonymous.filter(|_| unasked) else {
            return peer.place.stranger();
        };
        let now = self.serving.env.now();
        let session = Session::Anonymous(cluster);
        let admitted =
            logins
                .registry
                .become_session(self.connection, session.clone(), None, usize::MAX, now);
        if admitted.is_err() || session.ends(&self.serving.image()).is_some() {
            logins.registry.renounce(self.connection, deadline);
            peer.place.stranger();
        } else {
            let principal = Principal::Dev { cluster };
            self.frame_bytes = logins.frame_bytes;
            self.identity = Some(Arc::new(Identity {
                cluster,
                credential: None,
                address,
                slug: None,
                on_behalf: None,
                account: self.serving.meter.open(cluster, &principal),
                principal,
            }));
        }
    }

    /// Starts a request of a connection that is nobody.
    pub(super) fn start_unauthenticated(&mut self, mut frame: BytesMut) -> Result<Started, Malformed> {
        if self.login.exchange.awaits() == Some(Tokens::Raw) {
            return Ok(self.token(&frame, |answer| raw(&answer.token), |_| None));
        }
        let mut cursor = Cursor::new(&frame);
        let prelude = Prelude::read(&mut cursor)?;
        let Some(api) = Api::of(prelude.api_key).filter(|api| is_open(api.key)) else {
            debug!(
                connection = self.connection,
                ?prelude,
                "a request before authentication"
            );
            return Ok(Started::Done(Reply::close(Closing::Unauthenticated)));
        };
        if !api.versions.contains(&prelude.version) {
            return Ok(Started::Done(self.not_served(&prelude)));
        }
        header::client_id(&mut cursor, prelude.version >= api.flexible_from)?;
        frame.advance(cursor.position());
        self.login_request(api, &prelude, frame.freeze())
    }

    /// Starts one of the requests that connections themselves answer.
    pub(super) fn login_request(
        &mut self,
        api: &Api,
        prelude: &Prelude,
        body: Bytes,
    ) -> Result<Started, Malformed> {
        if let Some(schema) = api.schema {
            guard::check(&body, schema, prelude.version)?;
        }
        let answering = Answering {
            api: api.key,
            version: prelude.version,
            flexible: prelude.version >= api.flexible_from,
            correlation: prelude.correlation,
        };
        match api.key {
            ApiKey::SaslHandshake => {
                let request = answering.decode::<SaslHandshakeRequest>(body)?;
                Ok(self.handshake(answering, &request.mechanism))
            }
            ApiKey::SaslAuthenticate => {
                let request = answering.decode::<SaslAuthenticateRequest>(body)?;
                Ok(self.authenticate(answering, &request.auth_bytes))
            }
            _ => {
                let request = answering.decode::<ApiVersionsRequest>(body)?;
                let response = api_versions::answer(prelude.version, &request);
                Ok(answering.done(&response, After::Continue))
            }
        }
    }

    fn handshake(&mut self, answering: Answering, mechanism: &str) -> Started {
        let tokens = match answering.version {
            0 => Tokens::Raw,
            _ => Tokens::Wrapped,
        };
        self.forget_anonymous();
        let offered = Mechanism::offered(&self.login.peer);
        let chosen = match (&self.identity, tokens) {
            // Between requests nobody could tell a raw token from one.
            (Some(_), Tokens::Raw) => Err(NotChosen::Begun),
            _ => self.login.exchange.choose(mechanism, tokens, offered),
        };
        let names = offered.iter().map(|one| StrBytes::from_static_str(one.name()));
        let response = SaslHandshakeResponse::default().with_mechanisms(names.collect());
        let (error, after) = match chosen {
            Ok(()) => (NONE, After::Continue),
            Err(not_chosen) => {
                metrics::authentication("none", "failed");
                debug!(
                    connection = self.connection,
                    ?not_chosen,
                    "no SASL mechanism is chosen"
                );
                let error = match not_chosen {
                    NotChosen::NotOffered => ResponseError::UnsupportedSaslMechanism,
                    NotChosen::Begun => ResponseError::IllegalSaslState,
                };
                (error.code(), After::Close(Closing::Authentication))
            }
        };
        answering.done(&response.with_error_code(error), after)
    }

    /// Makes a connection that nobody asked who it is nobody.
    fn forget_anonymous(&mut self) {
        let anonymous = |identity: &Arc<Identity>| matches!(identity.principal, Principal::Dev { .. });
        if !self.identity.as_ref().is_some_and(anonymous) {
            return;
        }
        self.identity = None;
        self.frame_bytes = UNAUTHENTICATED_FRAME;
        let logins = &self.serving.logins;
        let due = Instant::now() + logins.patience;
        logins.registry.renounce(self.connection, due);
        self.login.peer.place.stranger();
    }

    fn authenticate(&mut self, answering: Answering, token: &[u8]) -> Started {
        if self.login.exchange.awaits() != Some(Tokens::Wrapped) {
            let response = SaslAuthenticateResponse::default()
                .with_error_code(ResponseError::IllegalSaslState.code())
                .with_error_message(Some(StrBytes::from_static_str("no SASL mechanism was chosen")));
            return answering.done(&response, After::Close(Closing::Authentication));
        }
        self.token(
            token,
            |answer| {
                let response = SaslAuthenticateResponse::default()
                    .with_error_message(None)
                    .with_auth_bytes(answer.token.into_bytes().into())
                    .with_session_lifetime_ms(answer.lifetime_ms);
                answering.encode(&response)
            },
            |mechanism| {
                let message = format!(
                    "Authentication failed due to invalid credentials with SASL mechanism {}",
                    mechanism.map_or("none", Mechanism::name)
                );
                let response = SaslAuthenticateResponse::default()
                    .with_error_code(ResponseError::SaslAuthenticationFailed.code())
                    .with_error_message(Some(message.into()));
                answering.encode(&response)
            },
        )
    }

    /// Takes a token. `next` and `failed` encode what is answered.
    fn token(
        &mut self,
        token: &[u8],
        next: impl FnOnce(Answer) -> Option<Bytes>,
        failed: impl FnOnce(Option<Mechanism>) -> Option<Bytes>,
    ) -> Started {
        let mechanism = self.login.exchange.mechanism();
        let name = mechanism.map_or("none", Mechanism::name);
        let image = self.serving.image();
        let known = Known {
            image: &image,
            keys: &self.serving.logins.keys,
            random: &*self.serving.env.random,
            now: self.serving.env.now(),
            slug: self.login.slug.as_deref(),
        };
        let answer = match self.login.exchange.token(token, &known) {
            Step::Next(token) => Answer {
                token,
                lifetime_ms: 0,
            },
            Step::Done(login, token) => match self.establish(*login, mechanism) {
                Ok(lifetime_ms) => {
                    metrics::authentication(name, "succeeded");
                    Answer { token, lifetime_ms }
                }
                Err(Denied::TooMany) => {
                    metrics::authentication(name, "too many");
                    return Started::Done(Reply::close(Closing::TooManyConnections));
                }
                Err(Denied::Refused(refused)) => return self.fail(mechanism, refused, failed(mechanism)),
            },
            Step::Failed(refused) => return self.fail(mechanism, refused, failed(mechanism)),
        };
        Started::Done(Reply {
            chunks: next(answer).into_iter().collect(),
            after: After::Continue,
        })
    }

    /// Answers a failure, late, and closes.
    fn fail(&self, mechanism: Option<Mechanism>, refused: Refused, answer: Option<Bytes>) -> Started {
        let name = mechanism.map_or("none", Mechanism::name);
        metrics::authentication(name, "failed");
        let logins = &self.serving.logins;
        let address = self.login.peer.address.ip();
        logins
            .failures
            .log(Instant::now(), self.connection, address, name, refused);
        let delay = logins.failure_delay;
        Started::Waiting(Box::pin(async move {
            tokio::time::sleep(delay).await;
            Reply {
                chunks: answer.into_iter().collect(),
                after: After::Close(Closing::Authentication),
            }
        }))
    }

    /// Makes the connection the one of who has logged in; how long that holds, in ms, 0 for always.
    fn establish(&mut self, login: credentials::Login, mechanism: Option<Mechanism>) -> Result<i64, Denied> {
        let cluster = login.user.cluster;
        let principal = Principal::User(Arc::clone(&login.user));
        let account = match &self.identity {
            None => None,
            Some(before) if before.is_user(&login.user) && mechanism == self.login.mechanism => {
                Some(Arc::clone(&before.account))
            }
            Some(_) => return Err(Denied::Refused(Refused("another user or mechanism than before"))),
        };
        let logins = &self.serving.logins;
        let now = self.serving.env.now();
        let left = login.expires_at.map(|end| end.since(now));
        let (session, credential, on_behalf) = match login.shown {
            Shown::Credential(shown, mechanism) => {
                let id = shown.id;
                (Session::Credential(shown, mechanism), Some(id), None)
            }
            Shown::Delegation { request_id, state } => {
                (Session::Delegated(cluster, state), None, Some(request_id))
            }
        };
        let image = self.serving.image();
        let most = image
            .cluster(cluster)
            .map_or(0, |cluster| cluster.limits.connections);
        let most = usize::try_from(most).unwrap_or(0);
        let due = left.and_then(|left| Instant::now().checked_add(left));
        let admitted = logins
            .registry
            .become_session(self.connection, session.clone(), due, most, now);
        admitted.map_err(|_| Denied::TooMany)?;
        // From here on the registry tells of changes. One that came before is in the newest image.
        if session.ends(&self.serving.image()).is_some() {
            let deadline = Instant::now() + logins.patience;
            logins.registry.renounce(self.connection, deadline);
            return Err(Denied::Refused(Refused("what was shown holds no longer")));
        }
        self.login.peer.place.known();
        let lifetime = left.into_iter().chain(logins.reauthentication).min();
        self.session_ends = lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime));
        self.frame_bytes = logins.frame_bytes;
        self.login.mechanism = mechanism;
        self.identity = Some(Arc::new(Identity {
            cluster,
            credential,
            address: self.login.peer.address.ip().to_canonical(),
            slug: self.login.slug.clone(),
            on_behalf,
            account: account.unwrap_or_else(|| self.serving.meter.open(cluster, &principal)),
            principal,
        }));
        let millis = |lifetime: Duration| i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX).max(1);
        Ok(lifetime.map_or(0, millis))
    }
}

/// Why somebody who has shown who they are is not let in.
enum Denied {
    TooMany,
    Refused(Refused),
}

/// What a token is answered with.
struct Answer {
    token: String,
    lifetime_ms: i64,
}

/// The request that is answered.
#[derive(Clone, Copy)]
struct Answering {
    api: ApiKey,
    version: i16,
    flexible: bool,
    correlation: i32,
}

impl Answering {
    fn decode<R: Decodable>(self, mut body: Bytes) -> Result<R, Malformed> {
        R::decode(&mut body, self.version).map_err(|_| Malformed::Schema)
    }

    fn encode(self, response: &impl Encodable) -> Option<Bytes> {
        let of = (self.api, self.version, self.flexible);
        match encode_response(of, self.correlation, response) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                error!(%error, api = metrics::api_name(self.api), "a response cannot be encoded");
                None
            }
        }
    }

    fn done(self, response: &impl Encodable, after: After) -> Started {
        Started::Done(match self.encode(response) {
            Some(bytes) => Reply {
                chunks: vec![bytes],
                after,
            },
            None => Reply::close(Closing::Request),
        })
    }
}

/// A raw token with its length.
fn raw(token: &str) -> Option<Bytes> {
    let mut out = BytesMut::with_capacity(4 + token.len());
    out.put_u32(u32::try_from(token.len()).ok()?);
    out.put_slice(token.as_bytes());
    Some(out.freeze())
}

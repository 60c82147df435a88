//! What a connection may ask before it is somebody, and how it becomes somebody: ApiVersions, SaslHandshake 0-1 and
//! SaslAuthenticate 0-2, and the raw tokens that follow SaslHandshake 0.
//!
//! A connection of `firn dev` that is somebody without being asked is nobody from its first SaslHandshake on. One that is
//! somebody by a credential stays so while it authenticates anew (KIP-368), which it can only as the same user and with the
//! same mechanism.

mod certificate;
mod establishing;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use firn_catalog::commands::{CredentialId, Principal};
use firn_catalog::topic_config::{BrokerDefaults, ConfigMap, KafkaSettings};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
    SaslHandshakeResponse,
};
use kafka_protocol::protocol::StrBytes;
use tokio::time::Instant;
use tracing::debug;

use self::establishing::Denied;
use super::dispatch::{Api, KafkaConnection};
use super::login_answers::{Answer, Answering, Form};
use super::request::Identity;
use crate::authentication::certificates::expiry::Expiring;
use crate::authentication::credentials::{Keys, Known, Refused};
use crate::authentication::exchange::{Exchange, NotChosen, Step, Tokens};
use crate::authentication::failures::Failures;
use crate::authentication::kerberos::Kerberos;
use crate::authentication::mechanism::Mechanism;
use crate::authentication::registry::{Most, Registry, Session};
use crate::authentication::server_name;
use crate::authentication::tokens::Tokens as BearerTokens;
use crate::denials::Claim;
use crate::errors::NONE;
use crate::handlers::api_versions;
use crate::metrics;
use crate::network::listener::{Door, Peer};
use crate::network::{After, Closing, Limits, Reply, Started};
use crate::protocol::cursor::Cursor;
use crate::protocol::header::{self, Prelude};
use crate::protocol::{Malformed, guard};

/// How those show who they are whom nobody asks.
const UNASKED: &str = "none";
/// The largest frame before authentication.
const UNAUTHENTICATED_FRAME: usize = 64 * 1024;

/// What all connections of a broker share of this.
pub(crate) struct Logins {
    pub(crate) registry: Arc<Registry>,
    pub(crate) keys: Keys,
    /// The keys that tokens are signed with.
    pub(crate) tokens: BearerTokens,
    /// By what tickets are accepted, if any are.
    kerberos: Option<Kerberos>,
    /// The domain under which clusters have names.
    pub(crate) cell_domain: Option<String>,
    connections_per_principal: usize,
    frame_bytes: usize,
    patience: Duration,
    /// After how long a client must authenticate anew; `None`: never.
    reauthentication: Option<Duration>,
    /// How long a failure is held back.
    failure_delay: Duration,
    failures: Failures,
    /// Certificates that expire soon.
    expiring: Expiring,
}

impl Logins {
    pub(crate) fn new(
        (keys, tokens, kerberos): (Keys, BearerTokens, Option<Kerberos>),
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
            tokens,
            kerberos,
            cell_domain,
            connections_per_principal: limits.connections_per_principal,
            frame_bytes: limits.frame_bytes,
            patience: limits.authentication,
            reauthentication: Some(millis("connections.max.reauth.ms")).filter(|time| !time.is_zero()),
            failure_delay: millis("connection.failed.authentication.delay.ms"),
            failures: Failures::default(),
            expiring: Expiring::default(),
        }
    }
}

/// Where one connection is.
pub(super) struct Login {
    peer: Peer,
    /// The label in its server name.
    slug: Option<Arc<str>>,
    exchange: Exchange,
    /// Whom the exchange claims to be of.
    claim: Option<Claim>,
    /// With what it became who it is.
    mechanism: Option<Mechanism>,
    /// The token that waits for what judges it.
    unfinished: Option<(Bytes, Form)>,
    /// When the token came that is judged.
    token_came: Instant,
    /// How long it must wait for its first request, since too many connections come from its address.
    delay: Duration,
    /// Whether it counts among the connections that come from its address.
    counted: bool,
}

impl Login {
    pub(super) fn new(peer: Peer) -> Self {
        Self {
            token_came: peer.since,
            peer,
            slug: None,
            exchange: Exchange::None,
            claim: None,
            mechanism: None,
            unfinished: None,
            delay: Duration::ZERO,
            counted: false,
        }
    }

    /// Which listener it came through.
    pub(super) fn door(&self) -> Door {
        self.peer.door
    }

    /// What follows the answer to a token.
    fn after(&mut self) -> After {
        self.take_delay().map_or(After::Continue, After::Mute)
    }

    /// How long it must still wait for its first request; told once.
    pub(super) fn take_delay(&mut self) -> Option<Duration> {
        let delay = std::mem::take(&mut self.delay);
        (!delay.is_zero()).then_some(delay)
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
        let address = peer.address.ip().to_canonical();
        logins
            .registry
            .open(self.connection, address, peer.cut.clone(), deadline);
        let Some(cluster) = self.serving.anonymous.filter(|_| peer.is_unasked()) else {
            peer.place.stranger();
            return self.arrive_with_certificate();
        };
        let now = self.serving.env.now();
        let session = Session::Anonymous(cluster);
        let admitted =
            logins
                .registry
                .become_session(self.connection, session.clone(), None, &Most::ANY, now);
        if admitted.is_err() || session.ends(&self.serving.image(), address).is_some() {
            logins.registry.renounce(self.connection, deadline);
            peer.place.stranger();
        } else {
            let principal = Principal::Dev { cluster };
            self.frame_bytes = logins.frame_bytes;
            self.identity = Some(Arc::new(Identity {
                tally: Arc::clone(&self.tally),
                cluster,
                credential: None,
                address,
                slug: None,
                on_behalf: None,
                account: self.serving.meter.open(cluster, &principal),
                principal,
            }));
            self.tell_of_client(UNASKED);
        }
    }

    /// Starts a request of a connection that is nobody.
    pub(super) fn start_unauthenticated(&mut self, mut frame: BytesMut) -> Result<Started, Malformed> {
        if self.login.exchange.awaits() == Some(Tokens::Raw) {
            return Ok(self.token(frame.freeze(), Form::Raw));
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
                Ok(self.authenticate(answering, request.auth_bytes))
            }
            _ => {
                let request = answering.decode::<ApiVersionsRequest>(body)?;
                let response = api_versions::answer(prelude.version, &request);
                if prelude.version >= api_versions::NAMED_FROM && response.error_code == NONE {
                    let (name, version) = (&request.client_software_name, &request.client_software_version);
                    self.tally.is_software(name, version);
                }
                Ok(answering.done(&response, self.login.after()))
            }
        }
    }

    fn handshake(&mut self, answering: Answering, mechanism: &str) -> Started {
        let tokens = match answering.version {
            0 => Tokens::Raw,
            _ => Tokens::Wrapped,
        };
        self.forget_unasked();
        let offered = Mechanism::offered(&self.login.peer, self.serving.logins.kerberos.is_some());
        let chosen = match (&self.identity, tokens) {
            // Between requests nobody could tell a raw token from one.
            (Some(_), Tokens::Raw) => Err(NotChosen::Begun),
            _ => self.login.exchange.choose(mechanism, tokens, &offered),
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

    /// Makes a connection nobody that nobody asked who it is, or that a certificate says it of: with SASL it is whoever SASL says.
    fn forget_unasked(&mut self) {
        let unasked = |identity: &Arc<Identity>| {
            let certified = matches!(identity.credential, Some(CredentialId::Certificate(_)));
            certified || matches!(identity.principal, Principal::Dev { .. })
        };
        if !self.identity.as_ref().is_some_and(unasked) {
            return;
        }
        if let Some(identity) = self.identity.take() {
            self.serving.clients.renounced(identity.cluster, self.connection);
        }
        self.tally = Arc::new(self.tally.anew());
        self.session_ends = None;
        self.frame_bytes = UNAUTHENTICATED_FRAME;
        let logins = &self.serving.logins;
        let due = Instant::now() + logins.patience;
        logins.registry.renounce(self.connection, due);
        self.login.peer.place.stranger();
    }

    fn authenticate(&mut self, answering: Answering, token: Bytes) -> Started {
        if self.login.exchange.awaits() != Some(Tokens::Wrapped) {
            let response = SaslAuthenticateResponse::default()
                .with_error_code(ResponseError::IllegalSaslState.code())
                .with_error_message(Some(StrBytes::from_static_str("no SASL mechanism was chosen")));
            return answering.done(&response, After::Close(Closing::Authentication));
        }
        self.token(token, Form::Wrapped(answering))
    }

    /// Goes on with the token that waited for what judges it.
    pub(super) fn resume_login(&mut self) -> Started {
        match self.login.unfinished.take() {
            Some((token, form)) => self.judge(token, form),
            None => Started::Done(Reply::close(Closing::Authentication)),
        }
    }

    /// Takes a token that came, and is answered, in this form.
    fn token(&mut self, token: Bytes, form: Form) -> Started {
        self.login.token_came = Instant::now();
        self.judge(token, form)
    }

    fn judge(&mut self, token: Bytes, form: Form) -> Started {
        let mechanism = self.login.exchange.mechanism();
        let name = mechanism.map_or("none", Mechanism::name);
        let image = self.serving.image();
        let known = Known {
            image: &image,
            keys: &self.serving.logins.keys,
            random: &*self.serving.env.random,
            now: self.serving.env.now(),
            slug: self.login.slug.as_deref(),
            tokens: &self.serving.logins.tokens,
            kerberos: self.serving.logins.kerberos.as_ref(),
            anonymous: self.serving.anonymous.filter(|_| self.login.peer.is_unasked()),
        };
        if let Some(claim) = Claim::of(mechanism, &token, &image, known.slug) {
            self.login.claim = Some(claim);
        } else if let (Some(Mechanism::Kerberos), Some(kerberos)) = (mechanism, known.kerberos) {
            self.login.claim = Some(kerberos.claim(&image));
        }
        let answer = match self.login.exchange.token(&token, &known) {
            Step::Next(token) => Answer {
                token: Some(token),
                lifetime_ms: 0,
            },
            Step::Later(ready) => {
                self.login.unfinished = Some((token, form));
                return Started::Later(ready);
            }
            Step::Done(login, token) => match self.establish(*login, mechanism) {
                Ok(lifetime_ms) => {
                    metrics::authentication(name, "succeeded");
                    Answer { token, lifetime_ms }
                }
                Err(Denied::TooMany(refused)) => {
                    metrics::authentication(name, "too many");
                    self.log_failure(name, refused);
                    return Started::Done(Reply::close(Closing::TooManyConnections));
                }
                Err(Denied::Refused(refused)) => {
                    return self.fail(mechanism, refused, form.refusal(mechanism));
                }
            },
            Step::Failed(refused) => return self.fail(mechanism, refused, form.refusal(mechanism)),
            Step::Refused(refused, told) => {
                self.tell_failure(mechanism, refused);
                let answer = Answer {
                    token: Some(told),
                    lifetime_ms: 0,
                };
                return self.late(form.answer(answer), After::Continue);
            }
            Step::Over => {
                let after = After::Close(Closing::Authentication);
                return self.late(form.refusal(mechanism), after);
            }
        };
        Started::Done(Reply {
            chunks: form.answer(answer).into_iter().collect(),
            after: self.login.after(),
        })
    }

    /// Answers a failure, late, and closes.
    fn fail(&self, mechanism: Option<Mechanism>, refused: Refused, answer: Option<Bytes>) -> Started {
        self.tell_failure(mechanism, refused);
        self.late(answer, After::Close(Closing::Authentication))
    }

    /// Tells operators and the tenant of a failure.
    fn tell_failure(&self, mechanism: Option<Mechanism>, refused: Refused) {
        let name = mechanism.map_or("none", Mechanism::name);
        metrics::authentication(name, "failed");
        let address = self.login.peer.address.ip();
        self.log_failure(name, refused);
        if let Some(claim) = &self.login.claim {
            let denials = &self.serving.denials;
            denials.authentication(claim.cluster, &claim.name, name, address, refused.0);
        }
    }

    fn log_failure(&self, mechanism: &str, refused: Refused) {
        let failures = &self.serving.logins.failures;
        let address = self.login.peer.address.ip();
        failures.log(Instant::now(), self.connection, address, mechanism, refused);
    }

    /// Answers after the time that failures are held back. It counts from when the token came, so that the answer tells nothing of how
    /// long that was judged.
    fn late(&self, answer: Option<Bytes>, after: After) -> Started {
        let until = self.login.token_came + self.serving.logins.failure_delay;
        Started::Waiting(Box::pin(async move {
            tokio::time::sleep_until(until).await;
            Reply {
                chunks: answer.into_iter().collect(),
                after,
            }
        }))
    }
}

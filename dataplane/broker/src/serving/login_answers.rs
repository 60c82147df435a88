//! How the requests of a login are answered: tokens in SaslAuthenticate or bare, and Kafka's own answers.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiKey, SaslAuthenticateResponse};
use kafka_protocol::protocol::{Decodable, Encodable};
use tracing::error;

use super::dispatch::encode_response;
use crate::authentication::mechanism::Mechanism;
use crate::authentication::tokens::REFUSAL;
use crate::metrics;
use crate::network::{After, Closing, Reply, Started};
use crate::protocol::Malformed;

/// What a token is answered with.
pub(super) struct Answer {
    /// `None`: nothing, if the form has a way to say nothing.
    pub(super) token: Option<Vec<u8>>,
    pub(super) lifetime_ms: i64,
}

/// In which form a token came, and is answered.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// As a frame of its own.
    Raw,
    /// In this SaslAuthenticate request.
    Wrapped(Answering),
}

impl Form {
    /// The answer's bytes.
    pub(super) fn answer(self, answer: Answer) -> Option<Bytes> {
        match self {
            Self::Raw => raw(&answer.token?),
            Self::Wrapped(answering) => {
                let response = SaslAuthenticateResponse::default()
                    .with_error_message(None)
                    .with_auth_bytes(answer.token.unwrap_or_default().into())
                    .with_session_lifetime_ms(answer.lifetime_ms);
                answering.encode(&response)
            }
        }
    }

    /// What a client is told that failed, whatever was wrong; a bare token is followed by nothing.
    pub(super) fn refusal(self, mechanism: Option<Mechanism>) -> Option<Bytes> {
        let Self::Wrapped(answering) = self else {
            return None;
        };
        let message = match mechanism {
            Some(Mechanism::OAuthBearer) => REFUSAL.to_owned(),
            other => format!(
                "Authentication failed due to invalid credentials with SASL mechanism {}",
                other.map_or("none", Mechanism::name)
            ),
        };
        let response = SaslAuthenticateResponse::default()
            .with_error_code(ResponseError::SaslAuthenticationFailed.code())
            .with_error_message(Some(message.into()));
        answering.encode(&response)
    }
}

/// The request that is answered.
#[derive(Clone, Copy)]
pub(super) struct Answering {
    pub(super) api: ApiKey,
    pub(super) version: i16,
    pub(super) flexible: bool,
    pub(super) correlation: i32,
}

impl Answering {
    pub(super) fn decode<R: Decodable>(self, mut body: Bytes) -> Result<R, Malformed> {
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

    pub(super) fn done(self, response: &impl Encodable, after: After) -> Started {
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
fn raw(token: &[u8]) -> Option<Bytes> {
    let mut out = BytesMut::with_capacity(4 + token.len());
    out.put_u32(u32::try_from(token.len()).ok()?);
    out.put_slice(token);
    Some(out.freeze())
}

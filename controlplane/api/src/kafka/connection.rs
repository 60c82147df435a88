//! One connection to a broker's internal listener, which speaks for one user.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use firn_catalog::entities::Address;
use firn_secrets::delegation::MECHANISM;
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::{Request, StrBytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::KafkaError;
use super::budget::Budget;
use super::exchange::{Call, Exchange};

/// How long connecting may take, and how long an answer.
const CONNECT: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_secs(10);

pub(super) struct Connection {
    stream: TcpStream,
    address: Address,
    correlation: i32,
    budget: Budget,
}

impl Connection {
    /// Connects, and says by `token` for whom. Records that it is answered with count in the budget.
    pub(super) async fn open(address: &Address, token: String, budget: Budget) -> Result<Self, KafkaError> {
        let target = (address.host.as_str(), address.port);
        let stream = match tokio::time::timeout(CONNECT, TcpStream::connect(target)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(unreachable(address, &error)),
            Err(late) => return Err(unreachable(address, &late)),
        };
        stream
            .set_nodelay(true)
            .map_err(|error| unreachable(address, &error))?;
        let mut connection = Self {
            stream,
            address: address.clone(),
            correlation: 0,
            budget,
        };
        let handshake = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(MECHANISM));
        accepted(connection.call(1, &handshake).await?.error_code)?;
        let proof = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from(token));
        accepted(connection.call(2, &proof).await?.error_code)?;
        Ok(connection)
    }

    async fn call<R: Request + Sync>(
        &mut self,
        version: i16,
        request: &R,
    ) -> Result<R::Response, KafkaError> {
        self.exchange(&Call { version, request }).await
    }

    /// Sends a request and reads its answer. After an error the connection is of no use.
    pub(super) async fn exchange<E: Exchange>(&mut self, asked: &E) -> Result<E::Answer, KafkaError> {
        self.correlation = self.correlation.wrapping_add(1);
        let frame = asked.encode(self.correlation)?;
        let exchanged =
            tokio::time::timeout(ANSWER, self.carry(&frame, asked.most(), asked.is_budgeted())).await;
        let answer = exchanged.map_err(|late| unreachable(&self.address, &late))??;
        asked.decode(answer, self.correlation)
    }

    async fn carry(&mut self, frame: &[u8], most: usize, budgeted: bool) -> Result<Bytes, KafkaError> {
        let lost = |error: std::io::Error| unreachable(&self.address, &error);
        self.stream.write_all(frame).await.map_err(lost)?;
        let length = self.stream.read_i32().await.map_err(lost)?;
        let length = usize::try_from(length).ok().filter(|length| *length <= most);
        let length = length.ok_or_else(|| KafkaError::Nonsense("an answer of that length".to_owned()))?;
        let grant = match budgeted {
            true => Some(self.budget.take(length).await?),
            false => None,
        };
        let mut answer = BytesMut::zeroed(length);
        self.stream.read_exact(&mut answer).await.map_err(lost)?;
        Ok(match grant {
            Some(grant) => grant.of(answer),
            None => answer.freeze(),
        })
    }
}

fn unreachable(address: &Address, cause: &dyn std::fmt::Display) -> KafkaError {
    KafkaError::Unreachable {
        address: address.clone(),
        cause: cause.to_string(),
    }
}

/// Only code 0 is no error.
pub(super) fn accepted(code: i16) -> Result<(), KafkaError> {
    match code {
        0 => Ok(()),
        code => Err(KafkaError::Refused(code)),
    }
}

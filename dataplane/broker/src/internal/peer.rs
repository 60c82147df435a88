//! A connection to another broker's internal listener, as the cell itself.

use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use firn_catalog::commands::CELL_CLUSTER;
use firn_catalog::entities::Address;
use firn_catalog::ids::IncarnationId;
use firn_catalog::internal::{INTERNAL_API, INTERNAL_VERSION};
use firn_runtime::Env;
use firn_secrets::Secrets;
use firn_secrets::delegation::{Delegation, MECHANISM};
use kafka_protocol::messages::ApiKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long what the connection shows holds; then it is made anew. Whoever reads it on its way could show it for as long.
const DELEGATION: Duration = Duration::from_secs(10);
/// The largest answer that is believed, in bytes.
const MOST_ANSWER: usize = 256 << 10;
const CLIENT_ID: &str = "firn-broker";
/// What a broker's name in the cell's own cluster begins with; its incarnation follows.
const NAME: &str = "broker-";

/// A connection that has shown who it is.
pub(crate) struct Peer {
    stream: TcpStream,
    correlation: i32,
}

impl Peer {
    /// Connects and authenticates.
    pub(crate) async fn connect(
        own: IncarnationId,
        address: &Address,
        env: &Env,
        secrets: &Secrets,
    ) -> Result<Self> {
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
        stream.set_nodelay(true)?;
        let mut peer = Self {
            stream,
            correlation: 0,
        };
        let mut mechanism = BytesMut::new();
        put_string(&mut mechanism, MECHANISM);
        peer.call(ApiKey::SaslHandshake as i16, 1, &mechanism).await?;
        let delegation = Delegation {
            cluster: CELL_CLUSTER.0,
            user: name_of(own),
            roles: Vec::new(),
            expires_at_ms: env.now().plus(DELEGATION).0,
            request_id: CLIENT_ID.to_owned(),
            address: None,
        };
        let text = delegation.sign(secrets);
        let mut proof = BytesMut::new();
        proof.put_i32(i32::try_from(text.len()).map_err(Error::other)?);
        proof.put_slice(text.as_bytes());
        peer.call(ApiKey::SaslAuthenticate as i16, 1, &proof).await?;
        Ok(peer)
    }

    /// Says something, and waits until it was understood. What is answered.
    pub(crate) async fn say(&mut self, message: &Bytes) -> Result<Bytes> {
        self.call(INTERNAL_API, INTERNAL_VERSION, message).await
    }

    /// Sends a request whose answer begins with an error code. Only 0 is none; what follows it.
    async fn call(&mut self, api: i16, version: i16, body: &[u8]) -> Result<Bytes> {
        self.correlation = self.correlation.wrapping_add(1);
        let mut frame = BytesMut::with_capacity(32 + body.len());
        frame.put_i32(0);
        frame.put_i16(api);
        frame.put_i16(version);
        frame.put_i32(self.correlation);
        put_string(&mut frame, CLIENT_ID);
        frame.put_slice(body);
        let length = i32::try_from(frame.len() - 4).map_err(Error::other)?;
        (&mut frame[..4]).put_i32(length);
        self.stream.write_all(&frame).await?;
        let length = usize::try_from(self.stream.read_i32().await?).unwrap_or(usize::MAX);
        if !(6..=MOST_ANSWER).contains(&length) {
            return Err(nonsense("an answer of that length"));
        }
        let mut answer = BytesMut::zeroed(length);
        self.stream.read_exact(&mut answer).await?;
        if answer.get_i32() != self.correlation {
            return Err(nonsense("an answer to another request"));
        }
        match answer.get_i16() {
            0 => Ok(answer.freeze()),
            code => Err(Error::other(format!("error {code}"))),
        }
    }
}

/// The name of a broker.
fn name_of(broker: IncarnationId) -> String {
    format!("{NAME}{:032x}", broker.0)
}

/// Whose name this is; `None`: no broker's.
pub(super) fn broker_of(name: &str) -> Option<IncarnationId> {
    let id = name.strip_prefix(NAME)?;
    let id = IncarnationId(u128::from_str_radix(id, 16).ok()?);
    (name_of(id) == name).then_some(id)
}

fn nonsense(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// A short text with its length.
fn put_string(out: &mut BytesMut, text: &str) {
    out.put_i16(i16::try_from(text.len()).unwrap_or(0));
    out.put_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_has_one_name_and_nothing_else_is_one() {
        let broker = IncarnationId(0xab);
        assert_eq!(broker_of(&name_of(broker)), Some(broker));
        let upper = name_of(broker).to_uppercase();
        for other in ["cell", "broker-", "broker-ab", "broker-+ab", upper.as_str()] {
            assert_eq!(broker_of(other), None, "{other}");
        }
    }
}

//! A Kafka client of raw frames, for what no real client does: pipeline without reading, count every answer. Only
//! versions without tagged fields, encoded by hand.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use firn_log::batch::{BatchBuilder, BatchHeader};

use super::clients::Security;
use super::tls::{self, TlsStream};

const PRODUCE: (i16, i16) = (0, 7);
const FETCH: (i16, i16) = (1, 4);
const SASL_HANDSHAKE: (i16, i16) = (17, 1);
const CREATE_TOPICS: (i16, i16) = (19, 4);
const CREATE_ACLS: (i16, i16) = (30, 1);
const SASL_AUTHENTICATE: (i16, i16) = (36, 1);
const DESCRIBE_CLIENT_QUOTAS: (i16, i16) = (48, 0);

/// How long an answer may take before the test fails. Generous: two cores may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection.
pub struct Wire {
    stream: Stream,
    next: i32,
    sent: usize,
    received: usize,
    answers: usize,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

impl Stream {
    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes),
            Self::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    fn read_exact(&mut self, bytes: &mut [u8]) -> std::io::Result<()> {
        match self {
            Self::Plain(stream) => stream.read_exact(bytes),
            Self::Tls(stream) => stream.read_exact(bytes),
        }
    }
}

/// The answer to a produce request of one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Produced {
    /// Which request it answers.
    pub correlation: i32,
    /// Kafka's error code; 0: success.
    pub error: i16,
    /// The offset that the record got.
    pub offset: i64,
}

impl Wire {
    /// Connects to `HOST:PORT`.
    pub fn connect(address: &str) -> Self {
        Self::over(Stream::Plain(TcpStream::connect(address).unwrap()))
    }

    fn over(stream: Stream) -> Self {
        stream.socket().set_read_timeout(Some(PATIENCE)).unwrap();
        stream.socket().set_nodelay(true).unwrap();
        Self {
            stream,
            next: 1,
            sent: 0,
            received: 0,
            answers: 0,
        }
    }

    /// Connects with TLS and logs in with PLAIN; what the broker said if it refused. Bytes count from then on.
    pub fn log_in(address: &str, security: &Security) -> Result<Self, String> {
        let authority = security.authority.as_deref().expect("an authority to trust");
        let (host, _) = address.rsplit_once(':').expect("HOST:PORT");
        let stream =
            tls::connect(&tls::trusting(authority), address, host).map_err(|error| error.to_string())?;
        let mut wire = Self::over(Stream::Tls(Box::new(stream)));
        let closed = || "the connection was closed".to_owned();
        wire.try_send(SASL_HANDSHAKE, |body| put_string(body, "PLAIN"))
            .ok_or_else(closed)?;
        let mut answer = wire.receive().ok_or_else(closed)?;
        answer.advance(4);
        assert_eq!(answer.get_i16(), 0, "PLAIN is offered");
        let proof = format!("\0{}\0{}", security.username, security.password);
        wire.try_send(SASL_AUTHENTICATE, |body| {
            put_length(body, proof.len());
            body.put_slice(proof.as_bytes());
        });
        let mut answer = wire.receive().ok_or_else(closed)?;
        answer.advance(4);
        let error = answer.get_i16();
        if error != 0 {
            return Err(format!("error {error}"));
        }
        (wire.sent, wire.received, wire.answers) = (0, 0, 0);
        Ok(wire)
    }

    /// Bytes of all requests so far, without their lengths.
    pub fn sent_bytes(&self) -> usize {
        self.sent
    }

    /// Bytes of all answers so far, without their lengths.
    pub fn received_bytes(&self) -> usize {
        self.received
    }

    /// How many answers there were so far.
    pub fn answers(&self) -> usize {
        self.answers
    }

    /// Sends one record; its answer, or `None` once the broker has closed the connection.
    pub fn try_produce(&mut self, topic: &str, value: &[u8]) -> Option<Produced> {
        self.try_send_record(topic, value)?;
        self.next_produced()
    }

    /// Creates a topic of one partition.
    pub fn create_topic(&mut self, name: &str) {
        self.send(CREATE_TOPICS, |body| {
            body.put_i32(1);
            put_string(body, name);
            body.put_i32(1);
            body.put_i16(1);
            body.put_i32(0);
            body.put_i32(0);
            body.put_i32(30_000);
            body.put_u8(0);
        });
        let mut answer = self.receive().expect("CreateTopics is answered");
        // Correlation id, throttle time, number of topics, name.
        answer.advance(12);
        skip_string(&mut answer);
        assert_eq!(answer.get_i16(), 0, "CreateTopics");
    }

    /// Makes an ACL that denies a principal to write to a topic.
    pub fn deny_write(&mut self, principal: &str, topic: &str) {
        const TOPIC: i8 = 2;
        const LITERAL: i8 = 3;
        const WRITE: i8 = 4;
        const DENY: i8 = 2;
        self.send(CREATE_ACLS, |body| {
            body.put_i32(1);
            body.put_i8(TOPIC);
            put_string(body, topic);
            body.put_i8(LITERAL);
            put_string(body, principal);
            put_string(body, "*");
            body.put_i8(WRITE);
            body.put_i8(DENY);
        });
        let mut answer = self.receive().expect("CreateAcls is answered");
        // Correlation id, throttle time, number of results.
        answer.advance(12);
        assert_eq!(answer.get_i16(), 0, "CreateAcls");
    }

    /// The quotas of exactly this client id, by key.
    pub fn quotas_of_client(&mut self, client_id: &str) -> BTreeMap<String, f64> {
        const EXACT: i8 = 0;
        self.send(DESCRIBE_CLIENT_QUOTAS, |body| {
            body.put_i32(1);
            put_string(body, "client-id");
            body.put_i8(EXACT);
            put_string(body, client_id);
            body.put_u8(1);
        });
        let mut answer = self.receive().expect("DescribeClientQuotas is answered");
        // Correlation id, throttle time.
        answer.advance(8);
        assert_eq!(answer.get_i16(), 0, "DescribeClientQuotas");
        // No message; the number of entries.
        answer.advance(2);
        let mut quotas = BTreeMap::new();
        for _ in 0..answer.get_i32() {
            for _ in 0..answer.get_i32() {
                skip_string(&mut answer);
                skip_string(&mut answer);
            }
            for _ in 0..answer.get_i32() {
                let length = usize::try_from(answer.get_i16()).unwrap();
                let key = String::from_utf8(answer.split_to(length).to_vec()).unwrap();
                quotas.insert(key, answer.get_f64());
            }
        }
        quotas
    }

    /// Sends one record to partition 0 with acks=all and does not wait; its correlation id.
    pub fn send_record(&mut self, topic: &str, value: &[u8]) -> i32 {
        self.try_send_record(topic, value).unwrap()
    }

    fn try_send_record(&mut self, topic: &str, value: &[u8]) -> Option<i32> {
        let batch = batch_of(value);
        self.try_send(PRODUCE, |body| {
            body.put_i16(-1);
            body.put_i16(-1);
            body.put_i32(3_000);
            body.put_i32(1);
            put_string(body, topic);
            body.put_i32(1);
            body.put_i32(0);
            put_length(body, batch.len());
            body.put_slice(&batch);
        })
    }

    /// The next answer to a produce request; `None`: the broker has closed the connection.
    pub fn next_produced(&mut self) -> Option<Produced> {
        let mut answer = self.receive()?;
        let correlation = answer.get_i32();
        answer.advance(4);
        skip_string(&mut answer);
        answer.advance(8);
        Some(Produced {
            correlation,
            error: answer.get_i16(),
            offset: answer.get_i64(),
        })
    }

    /// Whether no answer comes for a while.
    pub fn is_quiet(&self) -> bool {
        let socket = self.stream.socket();
        socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let came = socket.peek(&mut [0]);
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        came.is_err()
    }

    /// Sends one record and waits for its answer.
    pub fn produce(&mut self, topic: &str, value: &[u8]) -> Produced {
        let correlation = self.send_record(topic, value);
        let produced = self.next_produced().expect("Produce is answered");
        assert_eq!(produced.correlation, correlation);
        produced
    }

    /// Asks for partition 0 from `offset` on and does not wait.
    pub fn send_fetch(&mut self, topic: &str, offset: i64) -> i32 {
        const MOST: i32 = 50 << 20;
        self.send(FETCH, |body| {
            body.put_i32(-1);
            body.put_i32(0);
            body.put_i32(1);
            body.put_i32(MOST);
            body.put_u8(0);
            body.put_i32(1);
            put_string(body, topic);
            body.put_i32(1);
            body.put_i32(0);
            body.put_i64(offset);
            body.put_i32(MOST);
        })
    }

    /// All batches of partition 0, by their first offsets.
    pub fn fetch_all(&mut self, topic: &str) -> BTreeMap<i64, Bytes> {
        let mut batches = BTreeMap::new();
        let mut next = 0;
        loop {
            self.send_fetch(topic, next);
            let mut answer = self.receive().expect("Fetch is answered");
            // Correlation id, throttle time, number of topics, name, number of partitions, partition.
            answer.advance(12);
            skip_string(&mut answer);
            answer.advance(8);
            assert_eq!(answer.get_i16(), 0, "Fetch of {topic} from {next}");
            let high_watermark = answer.get_i64();
            // The last stable offset, and no aborted transactions.
            answer.advance(8 + 4);
            let size = usize::try_from(answer.get_i32()).unwrap();
            let mut records = answer.split_to(size);
            while let Some(header) = BatchHeader::read(&records) {
                let Some(size) = header.total_size().filter(|size| *size <= records.len()) else {
                    break;
                };
                next = header.base_offset + i64::from(header.last_offset_delta) + 1;
                batches.insert(header.base_offset, records.split_to(size));
            }
            if next >= high_watermark {
                return batches;
            }
        }
    }

    fn send(&mut self, api: (i16, i16), body: impl FnOnce(&mut BytesMut)) -> i32 {
        self.try_send(api, body).unwrap()
    }

    fn try_send(&mut self, (api, version): (i16, i16), body: impl FnOnce(&mut BytesMut)) -> Option<i32> {
        let correlation = self.next;
        self.next += 1;
        let mut frame = BytesMut::new();
        frame.put_i32(0);
        frame.put_i16(api);
        frame.put_i16(version);
        frame.put_i32(correlation);
        put_string(&mut frame, "firn-test");
        body(&mut frame);
        let length = i32::try_from(frame.len() - 4).unwrap();
        frame[..4].copy_from_slice(&length.to_be_bytes());
        self.stream.write_all(&frame).ok()?;
        self.sent += frame.len() - 4;
        Some(correlation)
    }

    fn receive(&mut self) -> Option<Bytes> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).ok()?;
        let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length)).unwrap()];
        self.stream.read_exact(&mut frame).ok()?;
        self.received += frame.len();
        self.answers += 1;
        Some(frame.into())
    }
}

/// Whether nobody listens at `HOST:PORT`.
pub fn is_refused(address: &str) -> bool {
    TcpStream::connect(address).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

/// Whether this batch holds one record with this value and no headers.
pub fn holds(batch: &Bytes, value: &[u8]) -> bool {
    batch.strip_suffix(&[0]).is_some_and(|rest| rest.ends_with(value))
}

/// Fails the test unless each acknowledged record is at its offset.
pub fn assert_all_there(wire: &mut Wire, topic: &str, acknowledged: &BTreeMap<i64, Vec<u8>>) {
    let batches = wire.fetch_all(topic);
    for (offset, value) in acknowledged {
        let batch = batches
            .get(offset)
            .unwrap_or_else(|| panic!("nothing is at the acknowledged offset {offset}"));
        assert!(holds(batch, value), "another record is at offset {offset}");
    }
}

/// A batch of one record with this value.
pub fn batch_of(value: &[u8]) -> Bytes {
    BatchBuilder::new()
        .record(1_700_000_000_000, None, Some(value))
        .build()
        .freeze()
}

fn put_string(buffer: &mut BytesMut, text: &str) {
    buffer.put_i16(i16::try_from(text.len()).unwrap());
    buffer.put_slice(text.as_bytes());
}

fn put_length(buffer: &mut BytesMut, length: usize) {
    buffer.put_i32(i32::try_from(length).unwrap());
}

fn skip_string(bytes: &mut Bytes) {
    let length = usize::try_from(bytes.get_i16()).unwrap();
    bytes.advance(length);
}

//! A Kafka client of raw frames, for what no real client does: pipeline without reading, count every answer. Only
//! versions without tagged fields, encoded by hand.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use firn_log::batch::{BatchBuilder, BatchHeader};

const PRODUCE: (i16, i16) = (0, 7);
const FETCH: (i16, i16) = (1, 4);
const CREATE_TOPICS: (i16, i16) = (19, 4);

/// How long an answer may take before the test fails. Generous: two cores may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection.
pub struct Wire {
    stream: TcpStream,
    next: i32,
    sent: usize,
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
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            next: 1,
            sent: 0,
        }
    }

    /// Bytes of all requests so far, without their lengths.
    pub fn sent_bytes(&self) -> usize {
        self.sent
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

    /// Sends one record to partition 0 with acks=all and does not wait; its correlation id.
    pub fn send_record(&mut self, topic: &str, value: &[u8]) -> i32 {
        let batch = BatchBuilder::new()
            .record(1_700_000_000_000, None, Some(value))
            .build();
        self.send(PRODUCE, |body| {
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
        self.stream
            .set_read_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        let came = self.stream.peek(&mut [0]);
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
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

    fn send(&mut self, (api, version): (i16, i16), body: impl FnOnce(&mut BytesMut)) -> i32 {
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
        self.stream.write_all(&frame).unwrap();
        self.sent += frame.len() - 4;
        correlation
    }

    fn receive(&mut self) -> Option<Bytes> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).ok()?;
        let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length)).unwrap()];
        self.stream.read_exact(&mut frame).ok()?;
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

//! What is sent to a broker and how its answer is read: Kafka's own APIs, and the questions that only processes of a cell ask.

use std::marker::PhantomData;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use firn_catalog::internal::{INTERNAL_API, INTERNAL_QUESTION, INTERNAL_VERSION};
use kafka_protocol::messages::{ApiKey, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};

use super::KafkaError;
use super::questions::Answer;

/// The client id, which brokers write into logs.
const CLIENT_ID: &str = "firn-control";
const LENGTH: usize = 4;
/// The largest answer that is read, in bytes: the sizes of a topic's 100,000 partitions take about 2 MB.
const MOST_ANSWERED: usize = 16 << 20;
/// That of Fetch: of one partition a batch is told whatever its size, up to the largest `max.message.bytes`.
const MOST_FETCHED: usize = 110 << 20;
/// The versions of the headers around internal questions and answers.
const INTERNAL_REQUEST_HEADER: i16 = 1;
const INTERNAL_RESPONSE_HEADER: i16 = 0;

/// One request, and its answer.
pub(crate) trait Exchange: Sync {
    /// What is answered.
    type Answer;

    /// The frame, with its length.
    fn encode(&self, correlation: i32) -> Result<BytesMut, KafkaError>;

    /// How many bytes the answer has at most.
    fn most(&self) -> usize {
        MOST_ANSWERED
    }

    /// Whether the answer is records, which together may have only so many bytes at once.
    fn is_budgeted(&self) -> bool {
        false
    }

    /// Reads the answer, without its length.
    fn decode(&self, answer: Bytes, correlation: i32) -> Result<Self::Answer, KafkaError>;
}

/// A request of Kafka's.
pub(super) struct Call<'a, R> {
    pub(super) version: i16,
    pub(super) request: &'a R,
}

fn nonsense(error: &dyn std::fmt::Display) -> KafkaError {
    KafkaError::Nonsense(error.to_string())
}

fn begin(api: i16, version: i16, header_version: i16, correlation: i32) -> Result<BytesMut, KafkaError> {
    let header = RequestHeader::default()
        .with_request_api_key(api)
        .with_request_api_version(version)
        .with_correlation_id(correlation)
        .with_client_id(Some(StrBytes::from_static_str(CLIENT_ID)));
    let mut frame = BytesMut::zeroed(LENGTH);
    header
        .encode(&mut frame, header_version)
        .map_err(|error| nonsense(&error))?;
    Ok(frame)
}

/// The beginning of a message that only processes of a cell understand.
pub(super) fn begin_internal(correlation: i32) -> Result<BytesMut, KafkaError> {
    begin(
        INTERNAL_API,
        INTERNAL_VERSION,
        INTERNAL_REQUEST_HEADER,
        correlation,
    )
}

/// What such a message is answered, behind the error code.
pub(super) fn of_internal(mut answer: Bytes, correlation: i32) -> Result<Bytes, KafkaError> {
    after_header(&mut answer, INTERNAL_RESPONSE_HEADER, correlation)?;
    match answer.try_get_i16() {
        Ok(0) => Ok(answer),
        Ok(code) => Err(KafkaError::Refused(code)),
        Err(error) => Err(nonsense(&error)),
    }
}

/// The whole frame, which says now how long it is.
pub(super) fn end(mut frame: BytesMut) -> Result<BytesMut, KafkaError> {
    let length = i32::try_from(frame.len() - LENGTH).map_err(|error| nonsense(&error))?;
    (&mut frame[..LENGTH]).put_i32(length);
    Ok(frame)
}

fn after_header(answer: &mut Bytes, version: i16, correlation: i32) -> Result<(), KafkaError> {
    let header = ResponseHeader::decode(answer, version).map_err(|error| nonsense(&error))?;
    match header.correlation_id == correlation {
        true => Ok(()),
        false => Err(KafkaError::Nonsense("an answer to another request".to_owned())),
    }
}

impl<R: Request + Sync> Exchange for Call<'_, R> {
    type Answer = R::Response;

    fn most(&self) -> usize {
        match self.is_budgeted() {
            true => MOST_FETCHED,
            false => MOST_ANSWERED,
        }
    }

    fn is_budgeted(&self) -> bool {
        R::KEY == ApiKey::Fetch as i16
    }

    fn encode(&self, correlation: i32) -> Result<BytesMut, KafkaError> {
        let mut frame = begin(R::KEY, self.version, R::header_version(self.version), correlation)?;
        self.request
            .encode(&mut frame, self.version)
            .map_err(|error| nonsense(&error))?;
        end(frame)
    }

    fn decode(&self, mut answer: Bytes, correlation: i32) -> Result<R::Response, KafkaError> {
        let header_version = R::Response::header_version(self.version);
        after_header(&mut answer, header_version, correlation)?;
        let response = R::Response::decode(&mut answer, self.version).map_err(|error| nonsense(&error))?;
        match answer.remaining() {
            0 => Ok(response),
            left => Err(KafkaError::Nonsense(format!("{left} bytes are left over"))),
        }
    }
}

/// A question that this answers.
pub(super) struct Asked<A>(pub(super) PhantomData<fn() -> A>);

impl<A: Answer> Exchange for Asked<A> {
    type Answer = A;

    fn encode(&self, correlation: i32) -> Result<BytesMut, KafkaError> {
        let mut frame = begin_internal(correlation)?;
        let question = serde_json::to_vec(&A::QUESTION).map_err(|error| nonsense(&error))?;
        frame.put_u8(INTERNAL_QUESTION);
        frame.extend_from_slice(&question);
        end(frame)
    }

    fn decode(&self, answer: Bytes, correlation: i32) -> Result<A, KafkaError> {
        let answer = of_internal(answer, correlation)?;
        serde_json::from_slice(&answer).map_err(|error| nonsense(&error))
    }
}

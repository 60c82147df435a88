//! A client of raw frames. Requests and responses go through the codecs; what no client does goes as bytes.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use firn_log::batch::BatchBuilder;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    CreateTopicsRequest, DeleteRecordsRequest, OffsetCommitRequest, ProduceRequest, ProduceResponse,
    RequestHeader, ResponseHeader, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// How long anything may take before a test fails. Generous: the cores may be busy.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Client {
    pub stream: TcpStream,
    next: i32,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(address).await.unwrap(),
            next: 1,
        }
    }

    /// A client whose machine keeps little of what it does not read.
    pub async fn with_small_buffer(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(32 * 1024).unwrap();
        Self {
            stream: socket.connect(address).await.unwrap(),
            next: 1,
        }
    }

    /// Sends a request without waiting; its correlation id.
    pub async fn send<R: Request>(&mut self, version: i16, request: &R) -> i32 {
        let correlation = self.next;
        self.next += 1;
        self.stream
            .write_all(&frame(correlation, version, request))
            .await
            .unwrap();
        correlation
    }

    /// The next response frame, without its length; `None` if the broker has closed the connection.
    pub async fn frame(&mut self) -> Option<Bytes> {
        let read = async {
            let mut length = [0; 4];
            self.stream.read_exact(&mut length).await.ok()?;
            let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length)).unwrap()];
            self.stream.read_exact(&mut frame).await.ok()?;
            Some(Bytes::from(frame))
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("an answer in time")
    }

    /// The next response, which must be for this request.
    pub async fn receive<R: Request>(&mut self, version: i16, correlation: i32) -> R::Response {
        let frame = self
            .frame()
            .await
            .expect("an answer, not the end of the connection");
        parse::<R>(frame, version, correlation)
    }

    pub async fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        let correlation = self.send(version, request).await;
        self.receive::<R>(version, correlation).await
    }

    /// Whether the broker closes the connection without another byte.
    pub async fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        match tokio::time::timeout(PATIENCE, self.stream.read(&mut byte)).await {
            Ok(Ok(0)) | Ok(Err(_)) => true,
            Ok(Ok(_)) | Err(_) => false,
        }
    }

    /// Whether nothing comes for a while.
    pub async fn is_quiet(&mut self) -> bool {
        let mut byte = [0];
        tokio::time::timeout(Duration::from_millis(150), self.stream.peek(&mut byte))
            .await
            .is_err()
    }

    pub async fn create_topic(&mut self, name: &str, partitions: i32) {
        self.create_topic_with(name, partitions, &[]).await;
    }

    pub async fn create_topic_with(&mut self, name: &str, partitions: i32, configs: &[(&str, &str)]) {
        let config = |(name, value): &(&str, &str)| {
            CreatableTopicConfig::default()
                .with_name(text(name))
                .with_value(Some(text(value)))
        };
        let topic = CreatableTopic::default()
            .with_name(topic_name(name))
            .with_num_partitions(partitions)
            .with_replication_factor(1)
            .with_configs(configs.iter().map(config).collect());
        let request = CreateTopicsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(10_000);
        let response = self.call(7, &request).await;
        assert_eq!(
            response.topics[0].error_code, 0,
            "{:?}",
            response.topics[0].error_message
        );
    }

    /// Produces one batch and returns (error, base offset).
    pub async fn produce(&mut self, topic: &str, partition: i32, batch: BytesMut) -> (i16, i64) {
        let response = self.call(9, &produce(topic, partition, batch, -1)).await;
        produced(&response)
    }

    /// Commits an offset of partition 0 as a consumer without a group's management does; the error.
    pub async fn commit(&mut self, group: &str, topic: &str, offset: i64) -> i16 {
        let partition = OffsetCommitRequestPartition::default().with_committed_offset(offset);
        let topic = OffsetCommitRequestTopic::default()
            .with_name(topic_name(topic))
            .with_partitions(vec![partition]);
        let request = OffsetCommitRequest::default()
            .with_group_id(text(group).into())
            .with_topics(vec![topic]);
        let response = self.call(8, &request).await;
        response.topics[0].partitions[0].error_code
    }

    /// Deletes what lies before an offset of partition 0 and returns (error, log start).
    pub async fn delete_records(&mut self, topic: &str, before: i64) -> (i16, i64) {
        let partition = DeleteRecordsPartition::default().with_offset(before);
        let topic = DeleteRecordsTopic::default()
            .with_name(topic_name(topic))
            .with_partitions(vec![partition]);
        let request = DeleteRecordsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(10_000);
        let response = self.call(2, &request).await;
        let told = &response.topics[0].partitions[0];
        (told.error_code, told.low_watermark)
    }
}

pub fn frame<R: Request>(correlation: i32, version: i16, request: &R) -> BytesMut {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation)
        .with_client_id(Some(text("test")));
    let mut frame = BytesMut::new();
    frame.put_i32(0);
    header.encode(&mut frame, R::header_version(version)).unwrap();
    request.encode(&mut frame, version).unwrap();
    let length = i32::try_from(frame.len() - 4).unwrap();
    frame[..4].copy_from_slice(&length.to_be_bytes());
    frame
}

pub fn parse<R: Request>(mut frame: Bytes, version: i16, correlation: i32) -> R::Response {
    let header = ResponseHeader::decode(&mut frame, R::Response::header_version(version)).unwrap();
    assert_eq!(header.correlation_id, correlation);
    let response = R::Response::decode(&mut frame, version).unwrap();
    assert_eq!(frame.remaining(), 0, "the response has bytes left");
    response
}

pub fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}

pub fn produce(topic: &str, partition: i32, batch: BytesMut, acks: i16) -> ProduceRequest {
    let partition = PartitionProduceData::default()
        .with_index(partition)
        .with_records(Some(batch.freeze()));
    let topic = TopicProduceData::default()
        .with_name(topic_name(topic))
        .with_partition_data(vec![partition]);
    ProduceRequest::default()
        .with_acks(acks)
        .with_timeout_ms(10_000)
        .with_topic_data(vec![topic])
}

pub fn produced(response: &ProduceResponse) -> (i16, i64) {
    let partition = &response.responses[0].partition_responses[0];
    (partition.error_code, partition.base_offset)
}

/// A batch of records with these values.
pub fn batch(values: &[&str]) -> BytesMut {
    let add = |batch: BatchBuilder, value: &&str| batch.record(1_000, Some(b"k"), Some(value.as_bytes()));
    values.iter().fold(BatchBuilder::new(), add).build()
}

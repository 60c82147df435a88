//! From the errors of the domain to Kafka's error codes: the one place that maps them, exhaustively.
//!
//! UNKNOWN_SERVER_ERROR is never an answer: Java producers retry it in a way that duplicates records. What the client
//! cannot help is answered with a code that it retries.

use firn_catalog::cell::CatalogError;
use firn_catalog::commands::CommandError;
use firn_coordinator::api::GroupError;
use firn_log::batch::BatchError;
use firn_log::partition::{AppendError, DeleteRecordsError, ReadError, SequenceError};
use kafka_protocol::ResponseError;

use crate::groups::Unavailable;
use crate::protocol::produce::RecordError;

/// The code of success.
pub(crate) const NONE: i16 = 0;

/// An error for a response: its code, and a sentence for people.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) error: ResponseError,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(error: ResponseError, message: impl Into<String>) -> Self {
        Self {
            error,
            message: message.into(),
        }
    }

    pub(crate) fn code(&self) -> i16 {
        self.error.code()
    }
}

/// A quota of changes is used up (KIP-599).
pub(crate) fn over_quota() -> Failure {
    let message = "The throttling quota has been exceeded.";
    Failure::new(ResponseError::ThrottlingQuotaExceeded, message)
}

/// The error of a batch, and what is wrong with single records, `most` of them.
pub(crate) fn of_batch(error: &BatchError, most: usize) -> (ResponseError, Vec<RecordError>) {
    let records = |errors: &[firn_log::batch::RecordError]| {
        let record = |error: &firn_log::batch::RecordError| RecordError {
            index: error.index,
            message: error.message.clone(),
        };
        errors.iter().take(most).map(record).collect()
    };
    match error {
        BatchError::NotOneBatch
        | BatchError::Magic(_)
        | BatchError::BaseOffset(_)
        | BatchError::Malformed(_)
        | BatchError::DecompressesTooLarge { .. } => (ResponseError::InvalidRecord, Vec::new()),
        BatchError::TooLarge { .. } | BatchError::OverBudget => (ResponseError::MessageTooLarge, Vec::new()),
        BatchError::Checksum | BatchError::Decompression(_) => (ResponseError::CorruptMessage, Vec::new()),
        BatchError::NullKeys(errors) => (ResponseError::InvalidRecord, records(errors)),
        BatchError::Timestamps(errors) => (ResponseError::InvalidTimestamp, records(errors)),
        BatchError::ProducerSetAppendTime => (ResponseError::InvalidTimestamp, Vec::new()),
    }
}

/// The error of an append, and what is wrong with single records, `most` of them.
pub(crate) fn of_append(error: &AppendError, most: usize) -> (ResponseError, Vec<RecordError>) {
    let error = match error {
        AppendError::Batch(error) => return of_batch(error, most),
        AppendError::Sequence(SequenceError::OutOfOrder { .. }) => ResponseError::OutOfOrderSequenceNumber,
        AppendError::Sequence(SequenceError::Fenced { .. }) => ResponseError::InvalidProducerEpoch,
        AppendError::NotLeader | AppendError::Halted => ResponseError::NotLeaderOrFollower,
        AppendError::Stopped(_) | AppendError::NoSpace => ResponseError::KafkaStorageError,
    };
    (error, Vec::new())
}

/// The error of a read.
pub(crate) fn of_read(error: &ReadError) -> ResponseError {
    match error {
        ReadError::OutOfRange { .. } => ResponseError::OffsetOutOfRange,
        ReadError::NotLeader => ResponseError::NotLeaderOrFollower,
        ReadError::Stopped(_) | ReadError::Unavailable(_) => ResponseError::KafkaStorageError,
    }
}

/// The error of DeleteRecords.
pub(crate) fn of_delete_records(error: &DeleteRecordsError) -> ResponseError {
    match error {
        DeleteRecordsError::OutOfRange(_) => ResponseError::OffsetOutOfRange,
        DeleteRecordsError::NotLeader => ResponseError::NotLeaderOrFollower,
        DeleteRecordsError::Unavailable(_) => ResponseError::KafkaStorageError,
    }
}

/// The error of a catalog that did not do what was asked. A client can only try again, here or elsewhere.
fn of_catalog(error: &CatalogError) -> ResponseError {
    match error {
        CatalogError::Unavailable(_) => ResponseError::RequestTimedOut,
        CatalogError::NotOpen(_) | CatalogError::NotOwner(_) | CatalogError::WrongState { .. } => {
            ResponseError::NotController
        }
        CatalogError::ObjectNotRegistered(_)
        | CatalogError::NewerFormat { .. }
        | CatalogError::Corrupt(_) => ResponseError::KafkaStorageError,
    }
}

/// The error of a command. `denied` is what the resource's kind answers to those who may not.
pub(crate) fn of_command(error: &CommandError, denied: ResponseError) -> Failure {
    let code = match error {
        CommandError::TopicExists { .. } => ResponseError::TopicAlreadyExists,
        CommandError::UnknownTopic => ResponseError::UnknownTopicOrPartition,
        CommandError::UnknownCluster => ResponseError::ClusterAuthorizationFailed,
        CommandError::InvalidName { .. } | CommandError::NameCollision { .. } => {
            ResponseError::InvalidTopicException
        }
        CommandError::InvalidPartitions { .. } => ResponseError::InvalidPartitions,
        CommandError::InvalidConfig { .. } | CommandError::UnknownConfig { .. } => {
            ResponseError::InvalidConfig
        }
        CommandError::MalformedConfigChange { .. } | CommandError::InvalidQuota { .. } => {
            ResponseError::InvalidRequest
        }
        CommandError::LimitExceeded { .. } | CommandError::ClusterNotActive => ResponseError::PolicyViolation,
        CommandError::InvalidUserName { .. } | CommandError::UnacceptableCredential { .. } => {
            ResponseError::UnacceptableCredential
        }
        CommandError::InvalidAcl(_)
        | CommandError::InvalidTrust { .. }
        | CommandError::TrustExists { .. }
        | CommandError::VersionMismatch { .. } => ResponseError::InvalidRequest,
        CommandError::UnknownCredential
        | CommandError::UnknownTrust { .. }
        | CommandError::UnknownAcl
        | CommandError::UnknownQuota => ResponseError::ResourceNotFound,
        CommandError::UserExists { .. } | CommandError::OwnedByServiceAccount { .. } => {
            ResponseError::PolicyViolation
        }
        CommandError::NotAuthorized => denied,
        CommandError::NoBroker => ResponseError::InvalidReplicationFactor,
        CommandError::Catalog(error) => of_catalog(error),
    };
    Failure::new(code, error.to_string())
}

/// The error of a group, or of a member of it.
pub(crate) fn of_group(error: GroupError) -> ResponseError {
    match error {
        GroupError::InvalidGroup => ResponseError::InvalidGroupId,
        GroupError::InvalidSessionTimeout => ResponseError::InvalidSessionTimeout,
        GroupError::InconsistentProtocol => ResponseError::InconsistentGroupProtocol,
        GroupError::UnknownMember => ResponseError::UnknownMemberId,
        GroupError::FencedInstance => ResponseError::FencedInstanceId,
        GroupError::IllegalGeneration => ResponseError::IllegalGeneration,
        GroupError::RebalanceInProgress => ResponseError::RebalanceInProgress,
        GroupError::MemberIdRequired => ResponseError::MemberIdRequired,
        GroupError::GroupFull => ResponseError::GroupMaxSizeReached,
        GroupError::TooManyGroups => ResponseError::PolicyViolation,
        GroupError::GroupNotFound => ResponseError::GroupIdNotFound,
        GroupError::NonEmptyGroup => ResponseError::NonEmptyGroup,
        GroupError::Subscribed => ResponseError::GroupSubscribedToTopic,
        GroupError::MetadataTooLarge => ResponseError::OffsetMetadataTooLarge,
    }
}

/// The error of a group that nobody here can answer for: the client asks again, here or where the coordinator is.
pub(crate) fn of_unavailable(unavailable: Unavailable) -> ResponseError {
    match unavailable {
        Unavailable::NotCoordinator => ResponseError::NotCoordinator,
        Unavailable::Loading => ResponseError::CoordinatorLoadInProgress,
        Unavailable::NotAvailable => ResponseError::CoordinatorNotAvailable,
    }
}

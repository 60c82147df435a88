//! Requests about who clients are.

use kafka_protocol::messages::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use kafka_protocol::messages::describe_user_scram_credentials_request::UserName;
use kafka_protocol::messages::{
    AlterUserScramCredentialsRequest, DescribeUserScramCredentialsRequest, SaslAuthenticateRequest,
    SaslHandshakeRequest,
};

use super::Kind::{Array, Bytes, String};
use super::{I8, I32, Schema, Shape, all, costly, shape};

pub(crate) static SASL_HANDSHAKE: Schema = Schema {
    flexible_from: i16::MAX,
    root: &shape::<SaslHandshakeRequest>(&[all(String)]),
};

pub(crate) static SASL_AUTHENTICATE: Schema = Schema {
    flexible_from: 2,
    root: &shape::<SaslAuthenticateRequest>(&[all(Bytes)]),
};

static USER_NAME: Shape = costly::<UserName>(400, &[all(String)]);

pub(crate) static DESCRIBE_USER_SCRAM_CREDENTIALS: Schema = Schema {
    flexible_from: 0,
    root: &shape::<DescribeUserScramCredentialsRequest>(&[all(Array(&USER_NAME))]),
};

static DELETION: Shape = costly::<ScramCredentialDeletion>(400, &[all(String), all(I8)]);
static UPSERTION: Shape =
    costly::<ScramCredentialUpsertion>(400, &[all(String), all(I8), all(I32), all(Bytes), all(Bytes)]);

pub(crate) static ALTER_USER_SCRAM_CREDENTIALS: Schema = Schema {
    flexible_from: 0,
    root: &shape::<AlterUserScramCredentialsRequest>(&[all(Array(&DELETION)), all(Array(&UPSERTION))]),
};

//! From a frame to a handler and back.
//!
//! | module | what is in it |
//! |---|---|
//! | [`shared`] | what all connections share: the log, the image, the seams |
//! | [`request`] | one request's context: who asks |
//! | [`authorization`] | how a handler asks for permission |
//! | [`response_room`] | what all connections together hold of large responses |
//! | [`dispatch`] | headers, versions, guard, codec, charge and meter around every handler |
//! | [`login_answers`] | how requests of a login are answered |
//! | [`login`] | what a connection may ask before it is somebody, and how it becomes somebody |
//! | [`fair_share`] | what each cluster has on its way into the log, and reads at a time, while several share the broker |
//! | [`fetch_size`] | how much one answer to a Fetch request holds |
//! | [`topics`] | names and ids to topics, and where a partition is led |
//! | [`groups`] | what the APIs about groups share: asking a group, who asks |
//! | [`acls`] | ACLs as the protocol writes them |
//! | [`config_resources`] | what the APIs about configs share |
//! | [`partition_allowance`] | how many partitions one request may make |
//! | [`replica_assignment`] | checking the assignments that clients ask for |
//! | [`timing`] | how long requests keep a processor busy, where a quota asks for it |
//! | [`sessions`] | the cache of fetch sessions (KIP-227) |
//! | [`storage_limits`] | clusters that hold as many bytes as they may |

pub(crate) mod acls;
pub(crate) mod authorization;
pub(crate) mod config_resources;
pub(crate) mod dispatch;
pub(crate) mod fair_share;
pub(crate) mod fetch_size;
pub(crate) mod groups;
pub(crate) mod login;
pub(crate) mod login_answers;
pub(crate) mod partition_allowance;
pub(crate) mod replica_assignment;
pub(crate) mod request;
pub(crate) mod response_room;
pub(crate) mod sessions;
pub(crate) mod shared;
pub(crate) mod storage_limits;
pub(crate) mod timing;
pub(crate) mod topics;

//! What is asked about consumer groups, of their coordinators, and about the partitions that they consume, of the leaders.
//!
//! | module | what is in it |
//! |---|---|
//! | `coordinators` | which groups there are, and who coordinates one |
//! | `describing` | members, their assignments, and what is committed |
//! | `assignment` | the bytes of a consumer's assignment, which are its group's own |
//! | `positions` | where partitions begin and end, and how old what comes at an offset is |
//! | `changing` | offsets set and forgotten, groups deleted |

mod assignment;
mod changing;
mod coordinators;
mod describing;
mod positions;

use firn_catalog::image::Image;

use super::{Delegate, KafkaError, KafkaPool};

pub(crate) use changing::{NewOffset, Unfinished, commit, delete, forget};
pub(crate) use coordinators::{Coordinated, ListedGroup, coordinator, list};
pub(crate) use describing::{Committed, GroupState, committed, committed_at, describe, describe_at};
pub(crate) use positions::{Positions, positions, times};

/// Kafka's errors of groups.
pub(crate) const COORDINATOR_LOADING: i16 = 14;
pub(crate) const COORDINATOR_NOT_AVAILABLE: i16 = 15;
pub(crate) const NOT_COORDINATOR: i16 = 16;
pub(crate) const UNKNOWN_MEMBER: i16 = 25;
pub(crate) const GROUP_AUTHORIZATION_FAILED: i16 = 30;
pub(crate) const NON_EMPTY_GROUP: i16 = 68;
pub(crate) const GROUP_NOT_FOUND: i16 = 69;
pub(crate) const SUBSCRIBED: i16 = 86;

/// Who asks, for whom, and by which image.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) pool: &'a KafkaPool,
    pub(crate) delegate: &'a Delegate,
    pub(crate) image: &'a Image,
}

/// Whether somebody else coordinates the group now, or nobody does yet: it is worth asking again.
fn has_moved(error: &KafkaError) -> bool {
    matches!(
        error,
        KafkaError::Refused(COORDINATOR_LOADING | COORDINATOR_NOT_AVAILABLE | NOT_COORDINATOR)
    )
}

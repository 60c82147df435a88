//! What every route of the REST API keeps to, written once.
//!
//! | module | what is in it |
//! |---|---|
//! | `problem` | errors as `application/problem+json`, with the table of their codes |
//! | `request` | a request's id, trace and address |
//! | `caller` | who asks: [`Caller`], and the actor that the catalog is told |
//! | `session`, `bearer` | how a cookie, an API key or a token shows who asks |
//! | `admission` | before every route: who asks, and how often they may |
//! | [`limits`] | how often: one bucket for each caller |
//! | `login_throttle`, `device` | how often passwords may be tried, and where somebody has logged in before |
//! | `idempotency` | `Idempotency-Key`: the same POST again gives the same answer |
//! | `denials` | changes that a cell refuses are in the cluster's audit trail |
//! | `body` | JSON bodies, with pointers to what is wrong |
//! | `path`, `query` | public ids in paths, parameters by name |
//! | `write` | `dry_run`, `If-Match` |
//! | `answer` | created, changed, deleted: status, `Location`, `ETag` |
//! | `paging` | lists: page size and signed cursors |
//! | `in_force` | a write is answered once every broker serves it, or with an operation |
//! | `time` | RFC 3339 |
//! | `openapi` | the description of it all |

pub(crate) mod admission;
pub(crate) mod answer;
pub(crate) mod bearer;
pub(crate) mod body;
pub(crate) mod caller;
pub(crate) mod denials;
pub(crate) mod device;
pub(crate) mod idempotency;
pub(crate) mod in_force;
pub mod limits;
pub(crate) mod login_throttle;
pub(crate) mod openapi;
pub(crate) mod paging;
pub(crate) mod path;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod request;
pub(crate) mod session;
pub(crate) mod time;
pub(crate) mod write;

pub(crate) use answer::{accepted, created, deleted, ok, ok_with_etag};
pub(crate) use body::Body;
pub(crate) use caller::{Caller, Identity};
pub(crate) use paging::{Listing, Paging};
pub(crate) use path::Ids;
pub(crate) use problem::{Code, Problem, ProblemBody};
pub(crate) use query::Query;
pub(crate) use request::RequestInfo;
pub(crate) use time::Moment;
pub(crate) use write::Write;

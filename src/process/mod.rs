//! What any long-running process of Firn has, whatever its role.
//!
//! | module | what is in it |
//! |---|---|
//! | `life` | start, ready line, stop: the same for every role |
//! | `address` | addresses to listen on, binding |
//! | `data_dir` | the data directory: lock and format |
//! | `readiness` | what `/readyz` answers from |
//! | `stop` | signals |

pub mod address;
pub mod data_dir;
pub mod life;
pub mod readiness;
pub mod stop;
